"""Which files left the study, so that they can be found again when a participant withdraws.

    STUDY/.emolab/exports.jsonl     one line an export of a session: utc, session, format, folder, files

`files` are those of that one session, relative to the study where they lie in it, else absolute. The
files of a whole data set, such as the `participants.tsv` of BIDS, are not among them. A session that lies
in no study (`study_of` gives None) is registered nowhere.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emolab.core.errors import ConfigError
from emolab.study import kept

ANALYSIS = "analysis"  # figures and tables of all sessions together: made anew without one, never cut


@dataclass(frozen=True)
class Made:
    """One export of one session; `session` is the recording's name, `P014_session-0`. Paths are absolute."""

    utc: str
    session: str
    format: str
    folder: Path
    files: tuple[Path, ...]

    @property
    def participant(self) -> str:
        """Whose session it was."""
        return self.session.rpartition("_session-")[0]


def list_path(study: Path) -> Path:
    """The list of a study's exports."""
    return study / ".emolab" / "exports.jsonl"


def study_of(recording: Path) -> Path | None:
    """The study folder a recording lies in, `STUDY/P014/P014_session-0.h5`; None when it lies in none."""
    study = recording.absolute().parent.parent
    is_study = (study / ".emolab").is_dir() or (study / "participants.jsonl").is_file()
    return study if is_study and "_session-" in recording.stem else None


def register(study: Path, session: str, format: str, folder: Path, files: Iterable[Path]) -> None:
    """Note that `session` was exported. Best called before the files are written: a kill then loses none.

    Raises `ConfigError` when the study cannot be written: an export nobody knows of cannot be erased.
    """
    facts = {
        "utc": kept.now(),
        "session": session,
        "format": format,
        "folder": _told(folder, study),
        "files": [_told(path, study) for path in files],
    }
    try:
        kept.add_line(list_path(study), facts)
    except OSError as error:
        raise ConfigError(
            f"the export cannot be noted in {list_path(study)} ({error.strerror or error}), and would not be "
            "found again should the participant withdraw; make the study folder writable"
        ) from error


def made(study: Path) -> list[Made]:
    """Every export noted, the oldest first."""
    found = []
    for line in kept.read_lines(list_path(study)):
        with contextlib.suppress(KeyError, TypeError, ValueError):
            found.append(_made(line, study))
    return found


def forget(study: Path, participant: str) -> None:
    """Take the exports of a participant out of the list; those of P014 and p014 are of one."""
    path = list_path(study)
    if not path.exists():
        return
    lines = [line for line in kept.read_lines(path) if not _is_of(line, participant)]
    kept.write_whole(path, b"".join(kept.as_line(line) for line in lines))


def _is_of(line: dict[str, Any], participant: str) -> bool:
    return str(line.get("session", "")).rpartition("_session-")[0].casefold() == participant.casefold()


def _made(line: dict[str, Any], study: Path) -> Made:
    return Made(
        str(line.get("utc", "")),
        str(line["session"]),
        str(line.get("format", "")),
        _place(line["folder"], study),
        tuple(_place(path, study) for path in line["files"]),
    )


def _told(path: Path, study: Path) -> str:
    """A path as it stands in the list: a study that moves takes the exports in it along."""
    whole, home = path.absolute(), study.absolute()
    return whole.relative_to(home).as_posix() if whole.is_relative_to(home) else str(whole)


def _place(told: str, study: Path) -> Path:
    return study.absolute() / told
