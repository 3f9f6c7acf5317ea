"""The folder of an engine's shared rings, in memory where the system has such a place.

A killed engine cannot remove its folder, some megabytes of memory which nobody else would give
back before the machine restarts: the next engine does. Each folder holds a file `alive` that its
engine keeps locked; the system lets go of the lock with the process, however that ends.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

PREFIX = "emolab-rings-"
ALIVE = "alive"
YOUNG_S = 2.0  # its engine may not have come to locking it


class Rings:
    """An empty folder of this engine's own, and those of dead ones removed. `close` removes it, too.

    `spare`: another on disk, for what memory has no room for (a container has 64 MB of such memory).
    """

    def __init__(self, where: Path | None = None) -> None:
        parent, disk = where or memory_folder(), where or Path(tempfile.gettempdir())
        self._held: list[BinaryIO] = []
        self.folder = self._make(parent)
        self.spare = self.folder if disk == parent else self._make(disk)

    def close(self) -> None:
        """Idempotent."""
        for alive in self._held:
            alive.close()
        for folder in (self.folder, self.spare):
            shutil.rmtree(folder, ignore_errors=True)

    def _make(self, parent: Path) -> Path:
        sweep(parent)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        self._held.append((folder / ALIVE).open("wb"))
        _lock(self._held[-1])
        return folder


def memory_folder() -> Path:
    """Where files live in memory, if this system has such a place; else where temporary files lie."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else Path(tempfile.gettempdir())


def sweep(parent: Path) -> None:
    """Remove the folders of engines that live no more."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # another user's, or another engine sweeps it at this moment
            if time.time() - folder.stat().st_mtime > YOUNG_S and _is_dead(folder / ALIVE):
                shutil.rmtree(folder, ignore_errors=True)


def _is_dead(alive: Path) -> bool:
    """Whether nobody holds the lock. Raises `OSError` when that cannot be told."""
    if sys.platform == "win32":
        alive.unlink()  # refused while it is open
        return True
    with alive.open("rb") as file:
        return _lock(file)


def _lock(file: BinaryIO) -> bool:
    """Whether the lock is ours now, until the file is closed."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
