"""`emolab record`: one session from the command line, windows or none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from emolab.cli.arguments import add_lsl, parser
from emolab.cli.engine import check_speed

if TYPE_CHECKING:
    from emolab.session.prepare import StartRequest

ENDING = """
The last line printed is the path of the file written. SIGINT (Ctrl-C) and SIGTERM end the session in
order: the file is whole and says 'interrupted'. Exit codes: 0 a whole session, 1 a file that falls
short of one (interrupted, aborted, or an instrument failed), 2 nothing was recorded."""


def record(arguments: list[str]) -> int:
    """Record one session; the last line printed is the path of its file."""
    cli = parser("record", f"Record one session.\n{ENDING}")
    cli.add_argument("protocol", help="a shipped protocol (emomusic, quick) or a YAML file")
    cli.add_argument("--study", type=Path, required=True, metavar="DIR", help="study folder")
    cli.add_argument("--participant", required=True, metavar="ID", help="pseudonym with a number, e.g. P014")
    cli.add_argument("--session", type=int, default=0, metavar="N", help="counted from 0, the first")
    cli.add_argument("--devices", type=Path, required=True, metavar="FILE", help="device file (TOML)")
    cli.add_argument("--seed", type=int, default=0, metavar="S", help="the study's seed")
    cli.add_argument("--language", default="", metavar="CODE", help="of the participant's texts, e.g. en, zh")
    cli.add_argument("--headless", action="store_true", help="no windows")
    cli.add_argument("--speed", type=float, default=1.0, metavar="N", help="simulated sessions only")
    add_lsl(cli)
    cli.add_argument(
        "--answers", choices=("simulated", "none"), help="who answers without a window (default: none)"
    )
    cli.add_argument("--preflight", action="store_true", help="look at everything first; red stops")
    cli.add_argument("--override", default="", metavar="REASON", help="record although something is red")
    cli.add_argument("--resume", action="store_true", help="go on with a session that broke off")
    options = cli.parse_args(arguments)

    from emolab.session.prepare import StartRequest

    answers = options.answers or ("none" if options.headless else "window")
    request = StartRequest(
        options.protocol,
        options.participant,
        options.session,
        options.seed,
        options.language,
        answers,
        options.override,
        options.resume,
    )
    return session(
        request,
        options.study,
        options.devices,
        options.speed,
        headless=options.headless,
        look=options.preflight,
    )


def session(
    request: StartRequest,
    study: Path,
    devices: Path,
    speed: float,
    *,
    headless: bool,
    tell: bool = False,
    look: bool = False,
) -> int:
    """One session, in windows or none; its exit code.

    Everything that can be known is checked first: nobody waits for music only to hear of a typing slip.
    """
    from emolab.session.prepare import check

    check_speed(speed, devices)
    check(request, study)
    if headless:
        from emolab.cli import headless as way

        return way.run(request, study, devices, speed, tell=tell, look=look)
    from emolab.cli import windowed

    return windowed.run(request, study, devices, speed, look=look)
