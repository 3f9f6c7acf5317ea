"""What was freed goes back to the system.

    give_back()             # after work that took much and keeps little

glibc keeps what lies below its heaps' ends for later, hundreds of megabytes after hours of a signal were
looked at. Other systems' allocators are left alone.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any


def give_back() -> None:
    """Let go of all memory that nothing uses; takes some milliseconds."""
    library = glibc()
    if library is not None:
        library.malloc_trim(0)


def glibc() -> Any:
    """The C library, where it is glibc; else None."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    if not all(hasattr(library, name) for name in ("gnu_get_libc_version", "mallopt", "malloc_trim")):
        return None
    library.malloc_trim.argtypes = [ctypes.c_size_t]
    return library
