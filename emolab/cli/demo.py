"""`emolab demo`: a whole session with the simulated participant, and what an analyst does next."""

from __future__ import annotations

import shlex
import sys
import tempfile
from pathlib import Path

from emolab.cli.arguments import parser
from emolab.cli.record import ENDING, session

SPEED = 40.0  # the paced clock waits for the machine: faster asks no more of it
WINDOW_SPEED = 4.0  # with windows open one wants to see something


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
    usual = SPEED if options.headless else WINDOW_SPEED
    speed = usual if options.speed is None else options.speed
    code = session(request, study, devices, speed, headless=options.headless, tell=True)
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
        study = recording.resolve().parents[1]
        out = study.with_name(f"{study.name}-analysis")
        analyse.analyse([str(recording), "--out", str(out), "--figures", "svg", "--workers", "1"])
    print(f"\nLook at it:  emolab review {shlex.quote(str(recording))}\n", file=sys.stderr)
    print(recording)
