"""What the experimenter remarked when a session had ended: it lies beside the recording, an event a line."""

from __future__ import annotations

from pathlib import Path

from emolab.core.errors import DataError, RecordingError
from emolab.core.event import Event
from emolab.study.sessions import notes_path


def notes(recording: Path) -> list[Event]:
    """The remarks made after a recording had ended, as they were written; a damaged line is left out.

    Times are on the clock of the recording. Raises `RecordingError` when there are some and they cannot
    be read.
    """
    path = notes_path(recording)
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RecordingError(
            f"{path} cannot be read ({error.strerror or error}); see that it is yours"
        ) from error
    found = []
    for line in lines:
        try:
            event = Event.from_json(line.decode())
        except (DataError, UnicodeDecodeError):
            continue
        if event.kind == "note":  # nothing else is written there, and no answer is added by hand
            found.append(event)
    return found
