"""Sessions that broke off are made whole by themselves, as soon as their study is opened again.

A killed engine or a power cut leaves a file that was never closed. What it holds is safe, but other
programs cannot open it, and nobody should have to know the command that mends it.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

from emolab.core.errors import ConfigError, EmolabError
from emolab.recording import apart
from emolab.recording.recover import was_cut_off
from emolab.session import folder, resume
from emolab.session.address import read_address
from emolab.study import participants

JOURNAL = ".journal"  # see `recording.places`


@dataclass(frozen=True)
class Mended:
    """One recording that had not been closed.

    `until_s`: how far it goes, None when nothing was recorded. `dropped`: rows that could not be
    read. `error`: why it could not be mended, empty when it is whole now. `can_resume`: what is
    left of the session can be recorded.
    """

    participant: str
    session: int
    path: Path
    until_s: float | None = None
    dropped: int = 0
    error: str = ""
    can_resume: bool = False


def cut_off(study: Path) -> list[tuple[str, int, Path]]:
    """`(participant, session, path)` of each recording in the study that was never closed.

    One of which nothing but its journal is left counts as well; those of who withdrew do not.
    """
    found = {path for _, _, path in folder.sessions(study) if was_cut_off(path)}
    found |= {
        journal.with_name(journal.name[1:].removesuffix(JOURNAL)) for journal in study.glob(f"*/.*{JOURNAL}")
    }
    named = ((folder.named(path), path) for path in sorted(found))
    gone = participants.withdrawn(study)
    return [(*name, path) for name, path in named if name is not None and name[0] not in gone]


def mend(study: Path) -> list[Mended]:
    """Make every recording of a study whole; to be called while no engine runs on it.

    Raises `ConfigError` when the study lies where another computer may be recording into it.
    """
    found = cut_off(study)
    if found and (host := _other_host(study)):
        who, number, path = found[-1]
        raise ConfigError(
            f"session {number} of {who} was not closed, and may be running on the computer {host!r}; "
            f"if it is not, run 'emolab recover {path}'"
        )
    return [_mend(study, *recording) for recording in found]


def _mend(study: Path, participant: str, session: int, path: Path) -> Mended:
    try:
        report = apart.run("recover", path)
    except (EmolabError, OSError) as error:
        return Mended(participant, session, path, error=str(error))
    last_s = [stream["last_s"] for stream in report["streams"] if stream["last_s"] is not None]
    return Mended(
        participant,
        session,
        path,
        until_s=max(last_s, default=None),
        dropped=sum(stream["rows_dropped"] for stream in report["streams"]),
        can_resume=_can_resume(study, participant, session),
    )


def _can_resume(study: Path, participant: str, session: int) -> bool:
    try:
        resume.broken(study, participant, session)
    except (EmolabError, OSError):
        return False
    return True


def _other_host(study: Path) -> str:
    """The other computer whose engine was the last to name itself in the study; empty for none."""
    address = read_address(study)
    host = address.host if address is not None else ""
    return host if host != platform.node() else ""
