"""What must be asked of the disk by hand."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import BinaryIO


def sync_folder(folder: Path) -> None:
    """Have the disk keep which files are in `folder`, so that a rename survives a power cut.

    Systems that do not let folders be opened do so by themselves.
    """
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def is_ours(lock: BinaryIO) -> bool:
    """Whether a lock on an open file is ours, until it is closed.

    Folders on the network that know no locks are trusted.
    """
    if sys.platform == "win32":
        import msvcrt

        try:
            lock.seek(0)
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
