"""A stream's times gone through once: as much memory for hours as for minutes, and the same facts."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emolab.core.event import Event
from emolab.core.stream import Chunk, StreamInfo, Tally
from emolab.recording import layout, timeline
from emolab.recording.inspect import inspect
from emolab.recording.reader import Session
from emolab.recording.timeline import Timeline, read_timeline
from emolab.recording.writer import SessionWriter
from tests.recording.made import BOARD
from tests.simulators.clocks import HEADER, SOUND, Device, sound_card, stored

STAMPS_ITSELF = replace(SOUND, instrument={})


def sound(seconds: float, silences: tuple[float, ...] = ()) -> Iterator[Chunk]:
    """Blocks of a card that went away, and came back half a second later, at these times."""
    device = Device(rate_hz=48000.0, drift_ppm=27.0)
    for chunk, truth_s in sound_card(device, seconds):
        away = sum(float(truth_s[0]) > silent_s for silent_s in silences)
        late_s = 0.5 * away
        yield replace(
            chunk,
            times_s=chunk.times_s + late_s,
            arrival_s=chunk.arrival_s + late_s,
            tally=Tally(reopened=away),
        )


def read(path: Path) -> Timeline:
    """The timeline of the only stream."""
    with Session.open(path) as session:
        (stream,) = session.streams.values()
        return read_timeline(stream)


def peak_mb(path: Path, info: StreamInfo, seconds: float) -> float:
    """What ending and inspecting a file of so long a sound takes at most."""
    writer = SessionWriter(path, HEADER)
    writer.open([info])
    for chunk in sound(seconds):
        writer.write(chunk)
    writer.mark(Event(seconds, "session_ended"))
    writer.flush()
    tracemalloc.start()
    try:
        writer.close()
        inspect(path)
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("info", [SOUND, STAMPS_ITSELF], ids=["refined", "as stamped"])
def test_the_end_of_a_long_session_takes_no_more_memory_than_that_of_a_short_one(
    tmp_path: Path, info: StreamInfo
) -> None:
    short_mb, long_mb = (peak_mb(tmp_path / f"{seconds}.h5", info, seconds) for seconds in (25, 100))
    assert long_mb - short_mb < 5  # 3.6 million times more, of 8 bytes each
    assert long_mb < 30


def test_corners_tell_what_all_times_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stored(tmp_path / "s.h5", SOUND, sound(40, silences=(11.0, 11.2, 30.0)))
    told, facts = read(path), inspect(path)
    monkeypatch.setattr(timeline, "ROWS_A_CORNER", 1 << 40)
    every = read(path)
    assert len(told.gaps) == 3
    rows = np.arange(every.marks[-1] + 1)
    told_s, every_s = (np.interp(rows, line.marks, line.marks_s) for line in (told, every))
    np.testing.assert_allclose(told_s, every_s, atol=1e-6)
    for name in vars(told).keys() - {"marks", "marks_s"}:
        one = getattr(told, name)
        np.testing.assert_array_equal(one, getattr(every, name), err_msg=name)
    assert inspect(path) == facts
    assert facts["streams"][0]["refined"]
    assert [gap["missing"] for gap in facts["streams"][0]["gap_list"]] == pytest.approx([24000] * 3, abs=200)


def test_a_stream_that_is_slower_for_a_while_is_looked_at_row_by_row(tmp_path: Path) -> None:
    path = stored(tmp_path / "s.h5", SOUND, sound(10))
    with Session.open(path) as session:
        (stream,) = session.streams.values()
        corners = np.array([0.0, 1000.0, 1100.0, len(stream)])
        times_us = 1e6 / 48000 * np.array([0.0, 1000.0, 1300.0, len(stream) + 200])
        stream.fit = lambda: (corners, times_us, {"by": "row", "rate_hz": 48000.0})  # type: ignore[method-assign]
        leaps = read_timeline(stream).leaps
    assert len(leaps.before_s) == 100
    assert leaps.after_s - leaps.before_s == pytest.approx(3 / 48000)


def test_a_counter_that_was_away_for_a_while_leaps_only_where_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "BLOCK_ROWS", 100)
    counter = np.arange(5000, 5600)
    counter[60:] += 4  # in a block that counts
    counter[130:450] = layout.MISSING
    times_s = np.arange(600) / 250.0
    times_s[320:] += 0.5  # in one that does not
    samples = np.zeros((600, 4), np.uint16)
    chunk = Chunk("board", times_s, samples, 4.0, counter=counter)
    path = stored(tmp_path / "s.h5", BOARD, iter([chunk]))
    leaps = read(path).leaps
    assert leaps.taken.tolist() == [5, 0]
    assert leaps.after_s == pytest.approx(times_s[[60, 320]])
