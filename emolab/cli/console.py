"""`emolab` opens the program; `emolab engine` is the process a console spawns behind it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from emolab.cli.arguments import add_lsl, parser, settings


def console(arguments: list[str]) -> int:
    """Open the experimenter's console, on a study folder if one is given."""
    cli = parser("[STUDY]", "Open the program: the experimenter's console and the participant's screen.")
    cli.add_argument("study", nargs="?", type=Path, help="study folder; attaches to an engine running there")
    options = cli.parse_args(arguments)
    return open_windows(options.study)


def open_windows(study: Path | None, *, attach: bool = False) -> int:
    """The two windows; returns when they are closed. 2 when there is no display."""
    if not has_display():
        print(
            "emolab: there is no display for the windows; 'emolab demo --headless' and "
            "'emolab record --headless' run without",
            file=sys.stderr,
        )
        return 2
    from emolab.gui import app

    return app.run(study, settings(), attach=attach)


def has_display() -> bool:
    """Whether windows can open here."""
    return not sys.platform.startswith("linux") or any(
        os.environ.get(key) for key in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    )


def engine(arguments: list[str]) -> int:
    """Serve windows until told to go. Spawned by `session.client.start_engine`."""
    cli = parser("engine", "The process behind the windows.")
    cli.add_argument("--study", type=Path, required=True)
    cli.add_argument("--devices", type=Path, required=True)
    cli.add_argument("--speed", type=float, default=1.0)
    add_lsl(cli)
    options = cli.parse_args(arguments)

    from emolab.cli.record import make_engine

    served = make_engine(options.study, options.devices, options.speed, hears=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: served.interrupt("signal"))
    try:
        served.arm()
        served.serve()
    finally:
        served.close()
    if served.message:
        print(f"emolab: {served.message}", file=sys.stderr)  # into the engine's log
    return 0
