"""What must be asked of the disk by hand."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections.abc import Iterator
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


@contextlib.contextmanager
def alone(path: Path, patience_s: float) -> Iterator[None]:
    """While this lasts nobody else who asks so is let at `path`; the lock lies beside it.

    A killed process holds no lock. Raises `OSError` when another program keeps it for `patience_s`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.lock")
    until_s = time.monotonic() + patience_s
    while (lock := _locked(beside)) is None:
        if time.monotonic() > until_s:
            raise TimeoutError(errno.ETIMEDOUT, "another program does not let go of it", str(path))
        time.sleep(0.01)
    try:
        yield
    finally:
        if os.name != "nt":
            beside.unlink(missing_ok=True)  # before it is let go, or it would be another's
        lock.close()
        if os.name == "nt":
            with contextlib.suppress(OSError):  # refused where another has it open by now
                beside.unlink()


def _locked(beside: Path) -> BinaryIO | None:
    """The lock, when it is ours and still the one that others look for."""
    try:
        lock = beside.open("ab")
    except PermissionError:
        if os.name != "nt":  # there it is being erased
            raise
        return None
    with contextlib.suppress(FileNotFoundError):
        if is_ours(lock) and (os.name == "nt" or os.path.samestat(os.fstat(lock.fileno()), beside.stat())):
            return lock
    lock.close()
    return None
