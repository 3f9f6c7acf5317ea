"""Where the journal of a session file lies (see `journal`). Nothing heavy is imported."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

import platformdirs


def place(path: Path) -> Path:
    """Where the journal of the session file `path` is made."""
    beside, away = places(path)
    state = _existing(away.parent)
    return beside if path.parent.stat().st_dev == state.stat().st_dev else away


def places(path: Path) -> tuple[Path, Path]:
    """Where the journal of a session file may lie: beside it, or in the user's state folder."""
    digest = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:12]
    state = Path(platformdirs.user_state_dir("emolab")) / "journals"
    return path.with_name(f".{path.name}.journal"), state / f"{path.stem}-{digest}.journal"


def find(path: Path) -> Path | None:
    """The journal of a session that did not end in order, or None."""
    for found in places(path):
        with contextlib.suppress(OSError):
            if found.is_file():
                return found
    return None


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that there is."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
