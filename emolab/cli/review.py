"""`emolab review SESSION`: a recording replayed, checked and labelled."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from emolab.cli.arguments import parser, settings
from emolab.cli.display import has_display
from emolab.core.errors import RecordingError


def review(arguments: list[str]) -> int:
    """Open the analyst's window; returns when it is closed. 2 when there is no display."""
    cli = parser("review", "Replay a session, check what was said against the face, and label it.")
    cli.add_argument("session", type=Path, help="a recording, or a study folder: its newest session")
    cli.add_argument("--analyst", metavar="NAME", help="whose labels are written; remembered")
    options = cli.parse_args(arguments)
    recording = newest(options.session) if options.session.is_dir() else options.session
    if not has_display():
        print(
            "emolab: there is no display for the window; 'emolab inspect', 'emolab validate' and "
            "'emolab export' run without",
            file=sys.stderr,
        )
        return 2
    from emolab.gui import app

    return app.run_review(recording, settings(), options.analyst)


def newest(study: Path) -> Path:
    """The recording of a study that began last, of those that can be read.

    Raises `RecordingError` when there is none.
    """
    from emolab.recording.reader import Session
    from emolab.study.sessions import sessions

    found = [path for *_, path in sessions(study)]
    if not found:
        raise RecordingError(f"there is no session in {study}; choose a study folder, or a recording in it")
    began_s = {}
    for path in found:
        with contextlib.suppress(RecordingError), Session.open(path) as session:
            began_s[path] = session.header.started_utc.timestamp()
    if not began_s:
        raise RecordingError(f"no session in {study} can be read; 'emolab inspect {found[-1]}' tells why")
    return max(began_s, key=began_s.__getitem__)
