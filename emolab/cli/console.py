"""`emolab` opens the program."""

from __future__ import annotations

import sys
from pathlib import Path

from emolab.cli.arguments import parser, settings
from emolab.cli.display import has_display


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
