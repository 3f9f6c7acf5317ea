"""A step's memory is kept for the next, and given back at the end.

Each is seen in a process of its own: what other tests gave back would be used before anything is asked for.
"""

from __future__ import annotations

import resource
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from emolab.core.memory import glibc
from emolab.training.memory import kept_memory

BIG = 16 << 20  # numbers of four bytes: more than glibc keeps by itself
PAGE = 4096

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or glibc() is None, reason="the allocator is not glibc's"
)


def fresh_pages(blocks: int) -> int:
    """Pages that the system had to hand out for blocks used one after the other."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(blocks):
        np.empty(BIG, np.float32).fill(1.0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def held_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def pages_within_and_outside() -> tuple[int, int]:
    with kept_memory():
        fresh_pages(1)
        within = fresh_pages(4)
    return within, fresh_pages(4)


def held_before_within_and_after_an_error() -> tuple[int, int, int]:
    before = held_bytes()
    with pytest.raises(ZeroDivisionError), kept_memory():
        fresh_pages(1)
        within = held_bytes()
        raise ZeroDivisionError
    return before, within, held_bytes()


def test_blocks_are_used_again_within_and_handed_out_anew_outside() -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:
        within, outside = alone.submit(pages_within_and_outside).result()
    assert within * 20 < outside


def test_what_was_kept_is_given_back_also_after_an_error() -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:
        before, within, after = alone.submit(held_before_within_and_after_an_error).result()
    assert within > before + 3 * BIG and after < before + BIG
