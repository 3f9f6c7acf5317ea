"""A recording whose file was lost on the way, made from its journal at the end of the session.

Where it belongs if its drive is back, else beside the journal. Asking a drive that hangs may never
return, so it is asked in a thread that nobody needs to wait for.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from emolab.core.errors import EmolabError, RecordingError
from emolab.recording.recover import from_journal

PATIENCE_S = 8.0  # how long a drive may take to say whether it is there

_log = logging.getLogger(__name__)


def rescue(journal: Path, path: Path, timeout_s: float) -> Path:
    """Make the session file of `journal`; returns where: `path`, or beside the journal.

    In the latter case the journal stays, for 'emolab recover' when the drive is back. Raises
    `RecordingError` saying what to do when neither could be done in `timeout_s`.
    """
    attempt = _Attempt(journal, path)
    attempt.done.wait(min(timeout_s, PATIENCE_S))
    if attempt.is_begun:
        attempt.done.wait(max(timeout_s - PATIENCE_S, 0.0))
    if attempt.made is not None:
        return attempt.made
    kept = f"Nothing is lost: {journal} holds the whole recording"
    if _is_beside(journal, path):
        raise RecordingError(
            f"{path} could not be made from its journal "
            f"({attempt.error or 'its disk does not answer'}). {kept}: "
            f"when the disk is well and has room, run 'emolab recover {path}'"
        )
    if attempt.done.is_set():
        what = f"neither there nor beside its journal a file could be made ({attempt.error})"
    else:
        what = "its drive does not answer"
    raise RecordingError(
        f"{path} was given up during the session, and {what}. {kept}. When the drive is back, run "
        f"'emolab recover {path}', or make the file beside the journal with 'emolab recover {journal}'"
    )


class _Attempt(threading.Thread):
    def __init__(self, journal: Path, path: Path) -> None:
        super().__init__(name="recorder rescue", daemon=True)
        self.done = threading.Event()
        self.is_begun = False
        self.made: Path | None = None
        self.error: Exception | None = None
        self._journal = journal
        self._path = path
        self.start()

    def run(self) -> None:
        try:
            self.made = self._make()
        except Exception as error:
            is_told = isinstance(error, EmolabError)  # what and why is in its words already
            level = logging.DEBUG if is_told else logging.ERROR
            _log.log(level, "%s could not be made from its journal", self._path, exc_info=True)
            self.error = error
        finally:
            self.done.set()

    def _make(self) -> Path:
        try:
            self._path.parent.stat()
            self.is_begun = True
            from_journal(self._journal, self._path, keep_damaged=False)
            return self._path
        except Exception as error:  # the drive is away: on this computer's own disk, then
            if _is_beside(self._journal, self._path):
                raise
            _log.warning("%s cannot be made: %s", self._path, error)
            self.is_begun = True
            here = rescued(self._journal, self._path)
            here.parent.mkdir(exist_ok=True)
            from_journal(self._journal, here, keep_damaged=False, keep_journal=True)
            return here


def _is_beside(journal: Path, path: Path) -> bool:
    """Whether there is no other disk to go to."""
    return journal.parent == path.parent


def rescued(journal: Path, path: Path) -> Path:
    """Where the file is made when its drive stays away."""
    return journal.parent / "rescued" / f"{journal.stem.removeprefix('.')}{path.suffix}"
