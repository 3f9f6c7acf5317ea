"""`emolab record` and `emolab demo`: one session from the command line, windows or none."""

from __future__ import annotations

import math
import shlex
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from emolab.cli.arguments import add_lsl, parser, settings
from emolab.core.errors import ConfigError

if TYPE_CHECKING:
    from emolab.session.engine import Engine
    from emolab.session.prepare import StartRequest

DEMO_SPEED = 40.0  # the paced clock waits for the machine: faster asks no more of it
DEMO_WINDOW_SPEED = 4.0  # with windows open one wants to see something
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
    return _session(
        request,
        options.study,
        options.devices,
        options.speed,
        headless=options.headless,
        look=options.preflight,
    )


def demo(arguments: list[str]) -> int:
    """A whole session with the simulated participant."""
    cli = parser(
        "demo", f"A whole session with the simulated participant, and what its file holds.\n{ENDING}"
    )
    cli.add_argument("--speed", type=float, metavar="N", help="times faster than life")
    cli.add_argument("--protocol", default="emomusic", metavar="P", help="emomusic (20 min) or quick (90 s)")
    cli.add_argument("--out", type=Path, metavar="DIR", help="study folder (default: a new temporary one)")
    cli.add_argument("--seed", type=int, default=1, metavar="S")
    cli.add_argument("--headless", action="store_true", help="no windows")
    options = cli.parse_args(arguments)

    from emolab.devices.simulated import demo_device_file
    from emolab.session import folder
    from emolab.session.prepare import StartRequest

    study = folder.make(options.out or Path(tempfile.mkdtemp(prefix="emolab-demo-")))
    devices = study / ".emolab" / "simulated.toml"
    devices.write_text(demo_device_file(), encoding="utf-8")
    request = StartRequest(
        options.protocol, folder.next_pseudonym(study), 0, options.seed, answers="simulated"
    )
    usual = DEMO_SPEED if options.headless else DEMO_WINDOW_SPEED
    speed = usual if options.speed is None else options.speed
    code = _session(request, study, devices, speed, headless=options.headless, tell=True)
    if code == 0:
        _look_back(folder.session_path(study, request.participant, 0), checks=options.headless)
    return code


def _look_back(recording: Path, *, checks: bool) -> None:
    """What an analyst does next: the check against the face where that can be, the figures, the review."""
    from importlib.util import find_spec

    if checks and find_spec("facenet_pytorch") is not None:
        from emolab.cli import validate

        print("\nWhat the face says of each clip, beside what was said:\n", flush=True)
        validate.validate([str(recording)])
    if checks:
        from emolab.cli import analyse

        print("\nWhat the body says of each clip, against the rest:\n", flush=True)
        study = recording.parents[1]
        out = study.with_name(f"{study.name}-analysis")
        analyse.analyse([str(recording), "--out", str(out), "--figures", "svg", "--workers", "1"])
    print(f"\nLook at it:  emolab review {shlex.quote(str(recording))}\n", file=sys.stderr)
    print(recording)


def make_engine(study: Path, devices: Path, speed: float, *, hears: bool) -> Engine:
    """An engine on a real clock, or on a paced one when everything is simulated.

    `hears`: whether somebody may listen, so that sound is wanted. Raises `ConfigError` when a
    speed other than 1 is asked of real instruments.
    """
    from emolab.core.clock import PacedClock, SessionClock
    from emolab.devices import config
    from emolab.session.engine import Engine

    device_file = config.load(devices)
    check_speed(speed, devices)
    clock = SessionClock() if speed == 1.0 else PacedClock(speed)
    return Engine(study, device_file, clock, settings(), with_sound=hears and speed == 1.0)


def check_speed(speed: float, devices: Path) -> None:
    """Raises `ConfigError` when a session with these instruments cannot run at this speed."""
    if not (math.isfinite(speed) and speed > 0):
        raise ConfigError(f"--speed {speed:g} is none; give a number above 0, or leave it out")
    if speed != 1.0 and not is_simulated(devices):
        raise ConfigError(f"{devices} names real instruments, which run at speed 1; leave --speed out")


def is_simulated(devices: Path) -> bool:
    """Whether a device file names simulated instruments only. Raises `ConfigError` as `config.load` does."""
    from emolab.devices import config

    return config.is_simulated(config.load(devices))


def _session(
    request: StartRequest,
    study: Path,
    devices: Path,
    speed: float,
    *,
    headless: bool,
    tell: bool = False,
    look: bool = False,
) -> int:
    """Everything that can be known is checked first: nobody waits for music only to hear of a typing slip."""
    from emolab.session.prepare import check

    check_speed(speed, devices)
    check(request, study)
    if headless:
        from emolab.cli import headless as way

        return way.run(request, study, devices, speed, tell=tell, look=look)
    from emolab.cli import windowed

    return windowed.run(request, study, devices, speed, look=look)
