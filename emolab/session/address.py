"""Where the engine of a study listens, and who it is: what its `STUDY/.emolab/engine.json` says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class EngineAddress:
    """Where a running engine listens, and who it is. `host`: the computer it runs on."""

    port: int
    token: str
    pid: int
    rings: str
    host: str = ""


def address_path(study: Path) -> Path:
    """The file that names the running engine of a study."""
    return study / ".emolab" / "engine.json"


def read_address(study: Path) -> EngineAddress | None:
    """What the study's `engine.json` says, or None when there is none that can be read."""
    try:
        told = EngineAddress(**json.loads(address_path(study).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    kinds = (type(told.port), type(told.token), type(told.pid), type(told.rings), type(told.host))
    return told if kinds == (int, str, int, str, str) and 0 < told.port < 65536 else None
