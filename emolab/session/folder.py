"""What a session needs of its study folder; `study.sessions` tells where recordings lie in it.

STUDY/.emolab/engine.json              the engine that runs on this study now, if any
STUDY/.emolab/engine.log               what engines had to say
STUDY/.emolab/synctest.json            the laboratory's timing as measured: baseline and history
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from emolab.core.errors import ConfigError
from emolab.study.participants import next_pseudonym
from emolab.study.sessions import (
    check_pseudonym,
    named,
    notes_path,
    part_path,
    parts,
    session_path,
    sessions,
    truth_path,
)

__all__ = [
    "check_pseudonym",
    "check_unused",
    "make",
    "named",
    "next_pseudonym",
    "notes_path",
    "part_path",
    "parts",
    "session_path",
    "sessions",
    "tidy",
    "truth_path",
]


def make(study: Path) -> Path:
    """The study folder, made if need be. Raises `ConfigError` when nothing can be written there."""
    hidden = study / ".emolab"
    try:
        hidden.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=hidden):
            pass
    except OSError as error:
        raise ConfigError(
            f"the study folder {study} cannot be written ({error.strerror or error}); choose another folder, "
            "or make room and see that it is yours"
        ) from error
    return study


def tidy(study: Path) -> None:
    """Remove what a killed engine left half made: never a recording. For who holds the study alone."""
    for ending in (".starting", ".packing"):
        for path in study.glob(f"*/.*_session-*.h5{ending}"):
            with contextlib.suppress(OSError):
                path.unlink()


def check_unused(study: Path, participant: str, session: int) -> Path:
    """The path for a new recording. Raises `ConfigError` with the remedy when it exists already."""
    path = session_path(study, participant, session)
    if path.parent.exists() and not path.parent.is_dir():
        raise ConfigError(f"{path.parent} is a file where {participant}'s folder belongs; move it away first")
    if path.exists():
        used = {number for who, number, _ in sessions(study) if who == participant}
        free = next(number for number in range(1000) if number not in used)
        raise ConfigError(
            f"{participant} has a session {session} already: {path}; "
            f"take session {free}, or another pseudonym (the next free one is {next_pseudonym(study)}); "
            "a session that broke off can be resumed"
        )
    return path
