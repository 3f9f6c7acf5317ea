"""What a training step frees is kept for the next step, which asks for the same again.

    with kept_memory():
        learn(...)

glibc gives every block above 32 MB back to the system at once and gets it anew, page by page, each cleared:
in a step of RTCAN-1D over 256 trials that is 1.7 million pages and takes longer than the computing. Within,
all blocks come from one heap that shrinks for nobody; afterwards it is as before and the heap is given back.
What it costs is memory that lies between the blocks, some third of a step's. Other systems' allocators are
left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from emolab.core.memory import glibc

TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4  # malloc.h
# where glibc's own adapting ends in a process that has freed large blocks; setting one stops the adapting
BEFORE = {MMAP_MAX: 65536, MMAP_THRESHOLD: 32 << 20, TRIM_THRESHOLD: 64 << 20}
KEEPING = {MMAP_MAX: 0, TRIM_THRESHOLD: 2**31 - 1}


@contextmanager
def kept_memory() -> Iterator[None]:
    """Keep what is freed, in all of the process; not to be nested."""
    library = glibc()
    if library is None:
        yield
        return
    _told(library, KEEPING)
    try:
        yield
    finally:
        _told(library, BEFORE)
        library.malloc_trim(0)


def _told(library: Any, options: dict[int, int]) -> None:
    for option, value in options.items():
        library.mallopt(option, value)
