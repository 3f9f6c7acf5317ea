"""Where the recordings of a study lie, and what their names say.

    STUDY/P014/P014_session-0.h5           the recording: one file a session
    STUDY/P014/.P014_session-0.h5.*        one that is being made, packed or mended
    STUDY/P014/P014_session-0_part-2.h5    how it went on after it had broken off
    STUDY/P014/P014_session-0.truth.json   simulated participants only: what was really so
    STUDY/P014/P014_session-0.notes.jsonl  remarks made after the session had ended, if any
    STUDY/P014/P014_session-0.labels/      what analysts decided, a ledger each

Pseudonyms only: no name of a person ever stands in a path.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from emolab.core.errors import ConfigError

_PSEUDONYM = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}")
_SESSION_FILE = re.compile(r"(?P<participant>.+)_session-(?P<session>\d+)(_part-(?P<part>\d+))?\.h5")


def check_pseudonym(participant: str) -> str:
    """`participant` itself when it can be one: letters, digits and hyphens, at most 32, one digit at least.

    Raises `ConfigError` otherwise. A name has no digit: asking for one keeps names out of files.
    """
    if not is_pseudonym(participant):
        raise ConfigError(
            f"{participant!r} cannot be a pseudonym; use letters, digits and hyphens with a number in it, "
            "such as P014, and never a name"
        )
    return participant


def is_pseudonym(word: str) -> bool:
    """Whether a word can be a pseudonym."""
    return _PSEUDONYM.fullmatch(word) is not None and any(sign.isdigit() for sign in word)


def session_path(study: Path, participant: str, session: int) -> Path:
    """Where the recording of one session lies, whether it exists or not."""
    return study / participant / f"{participant}_session-{session}.h5"


def part_path(first: Path, part: int) -> Path:
    """Where part 2, 3 … of the session whose first file is `first` lies."""
    return first.with_name(f"{first.stem}_part-{part}.h5")


def parts(first: Path) -> tuple[Path, ...]:
    """The files of a session in order: the first, and those in which it was resumed."""
    found = [first]
    while (path := part_path(first, len(found) + 1)).exists():
        found.append(path)
    return tuple(found)


def truth_path(path: Path) -> Path:
    """Where a simulated participant's truth lies beside a recording."""
    return path.with_suffix(".truth.json")


def notes_path(path: Path) -> Path:
    """Where remarks made after a recording lie beside it: one event a line."""
    return path.with_suffix(".notes.jsonl")


def sessions(study: Path) -> list[tuple[str, int, Path]]:
    """`(participant, session, path)` of each recording in the study, in order."""
    found = ((named(path), path) for path in sorted(study.glob("*/*_session-*.h5")))
    return [(*name, path) for name, path in found if name is not None]


def is_shut(study: Path, participant: str) -> bool:
    """Whether somebody's folder is there and nobody can look into it: it may hold sessions."""
    home = study / participant
    try:
        os.scandir(home).close()
    except (FileNotFoundError, NotADirectoryError):
        return home.is_symlink()  # to a disk that is away
    except OSError:
        return True
    return False


def misnamed(study: Path) -> list[Path]:
    """Recordings named after what cannot be a pseudonym: `sessions` passes over them."""
    return [
        path
        for path in sorted(study.glob("*/[!.]*_session-*.h5"))
        if _SESSION_FILE.fullmatch(path.name) and named(path) is None
    ]


def named(path: Path) -> tuple[str, int] | None:
    """Participant and session that a recording is named after; None for another file, as macOS's `._…`."""
    match = _SESSION_FILE.fullmatch(path.name)
    if match is None or not is_pseudonym(match["participant"]):
        return None
    return match["participant"], int(match["session"])
