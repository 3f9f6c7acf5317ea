"""Rings: what one process writes another reads, and overwritten rows are never shown."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from emolab.core.ring import FrameSlot, SampleRing


def test_reader_sees_what_the_writer_wrote(tmp_path: Path) -> None:
    ring = SampleRing.create(tmp_path / "board.ring", ("gsr", "ppg"), capacity=10)
    reader = SampleRing.attach(tmp_path / "board.ring")
    ring.write(np.arange(3.0), np.array([[1, 2], [3, 4], [5, 6]]))
    times_s, values = reader.newest(2)
    assert reader.channels == ("gsr", "ppg")
    assert times_s.tolist() == [1.0, 2.0]
    assert values.tolist() == [[3, 4], [5, 6]]


def test_only_the_newest_rows_are_kept_in_order(tmp_path: Path) -> None:
    ring = SampleRing.create(tmp_path / "r", ("x",), capacity=10)
    for start in range(0, 37, 4):
        times = np.arange(start, start + 4, dtype=float)
        ring.write(times, times[:, None] * 10)
    times_s, values = ring.newest(100)
    assert times_s.tolist() == list(range(30, 40))
    assert np.array_equal(values[:, 0], times_s * 10)


def test_a_chunk_longer_than_the_ring_leaves_its_end(tmp_path: Path) -> None:
    ring = SampleRing.create(tmp_path / "r", ("x",), capacity=4)
    ring.write(np.arange(11.0), np.arange(11.0)[:, None])
    assert ring.newest(9)[0].tolist() == [7, 8, 9, 10]
    assert ring.written == 11


def test_rows_being_overwritten_are_left_out(tmp_path: Path) -> None:
    ring = SampleRing.create(tmp_path / "r", ("x",), capacity=4)
    ring.write(np.arange(4.0), np.zeros((4, 1)))
    ring._mapped.counters[1] = 6  # the writer has announced rows 4 and 5 and not finished them
    assert ring.newest(4)[0].tolist() == [2, 3]


def test_frame_slot_gives_nothing_before_the_first_frame_and_none_half_written(tmp_path: Path) -> None:
    slot = FrameSlot.create(tmp_path / "f", (2, 3), "uint16", scale=0.01, offset=-273.15)
    reader = FrameSlot.attach(tmp_path / "f")
    assert reader.read() is None
    slot.write(1.5, np.full((2, 3), 30_700, np.uint16))
    time_s, frame = reader.read() or (0, np.zeros(0))
    assert time_s == 1.5
    assert np.allclose(frame * reader.scale + reader.offset, 33.85)
    slot._mapped.counters[0] += 1  # a write has begun
    assert reader.read() is None


def test_a_slot_goes_on_after_a_frame_that_did_not_fit(tmp_path: Path) -> None:
    slot = FrameSlot.create(tmp_path / "s", (2, 2))
    with pytest.raises(ValueError, match="broadcast"):
        slot.write(1.0, np.zeros((3, 3), np.uint8))
    assert slot.read() is None
    slot.write(2.0, np.ones((2, 2), np.uint8))
    shown = slot.read()
    assert shown is not None and shown[0] == 2.0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a ring is kept in memory on Linux alone")
def test_a_ring_has_its_memory_from_the_beginning(tmp_path: Path) -> None:
    ring = SampleRing.create(tmp_path / "r", ("x",), capacity=100_000)
    there = ring.path.stat()
    assert there.st_blocks * 512 >= there.st_size  # or a full memory would end the engine in mid-session
