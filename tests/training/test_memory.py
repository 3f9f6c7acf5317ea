"""A step's memory is kept for the next, and given back at the end."""

from __future__ import annotations

import resource
import sys
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


def test_blocks_are_used_again_within_and_handed_out_anew_outside() -> None:
    with kept_memory():
        fresh_pages(1)
        within = fresh_pages(4)
    outside = fresh_pages(4)
    assert within * 20 < outside


def test_what_was_kept_is_given_back_also_after_an_error() -> None:
    before = held_bytes()
    with pytest.raises(ZeroDivisionError), kept_memory():
        fresh_pages(1)
        assert held_bytes() > before + 3 * BIG
        raise ZeroDivisionError
    assert held_bytes() < before + BIG
