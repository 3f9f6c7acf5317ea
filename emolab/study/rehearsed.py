"""A study in which nobody took part: made by a rehearsal, and never to be mixed with a real one.

STUDY/rehearsal.json           what was rehearsed: protocol, participants, seed, instruments, effect
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emolab.core.errors import ConfigError
from emolab.study import kept, participants


def path_of(study: Path) -> Path:
    """Where a rehearsal says that it is one."""
    return study / "rehearsal.json"


def read(study: Path) -> dict[str, Any] | None:
    """What was rehearsed in a study, None when it is a real one. Raises `ConfigError` when it is damaged."""
    path = path_of(study)
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be read ({error}); rehearse in a new folder") from error
    if not isinstance(told, dict):
        raise ConfigError(f"{path} is damaged; rehearse in a new folder")
    return told


def claim(study: Path, facts: Mapping[str, Any]) -> None:
    """Make a study a rehearsal of these `facts`, or go on with the one that it is.

    Raises `ConfigError` when somebody takes part in it, or when other things were rehearsed in it.
    """
    told = read(study)
    if told is None:
        if there := participants.everyone(study):
            raise ConfigError(
                f"{study} is a study with {len(there)} participants already (from {there[0].id} on), and "
                "rehearsed ones are never mixed with others; rehearse in a new folder"
            )
        text = json.dumps(dict(facts), ensure_ascii=False, indent=1)
        try:
            kept.write_whole(path_of(study), text.encode("utf-8"))
        except OSError as error:
            raise ConfigError(
                f"the folder {study} cannot be written ({error.strerror or error}); choose another"
            ) from error
        return
    wanted = json.loads(json.dumps(dict(facts)))
    other = [key for key in sorted({*told, *wanted}) if told.get(key) != wanted.get(key)]
    if other:
        raise ConfigError(
            f"{study} holds a rehearsal already, with other {' and '.join(other)}; choose a new folder, or "
            "remove that one"
        )


def refuse(study: Path) -> None:
    """Raises `ConfigError` when a study is a rehearsal: nobody real may be recorded in it."""
    if path_of(study).exists():
        raise ConfigError(
            f"{study} is a rehearsal, made by 'emolab rehearse': nobody in it is real. Record in a folder of "
            "its own"
        )
