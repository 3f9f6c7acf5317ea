"""Frames from storage are played at their own times, and missing frames are seen from stamps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.core.errors import DeviceError
from emolab.devices.frames import DropEstimate, FrameFile
from tests.fakes import FakeClock


def three_frames() -> Iterator[tuple[float, NDArray]]:
    for number in range(3):
        yield number * 0.5, np.full((2, 2), number, dtype=np.uint8)


def player(clock: FakeClock, loop: bool = False) -> FrameFile:
    return FrameFile('camera "c": f.mkv', three_frames, clock, loop, period_s=0.5)


def taken(frames: FrameFile, n: int, timeout_s: float = 1.0) -> list[tuple[float, int]]:
    out = []
    while len(out) < n:
        frame = frames.take(timeout_s)
        if frame is not None:
            out.append((frame.time_s, int(frame.image[0, 0])))
    return out


def test_frames_come_when_the_file_says():
    clock = FakeClock(10.0)
    frames = player(clock)
    assert frames.open()[0, 0] == 0
    assert taken(frames, 3) == [(10.0, 0), (10.5, 1), (11.0, 2)]
    assert clock.now_s() == 11.0


def test_a_short_wait_returns_nothing_and_loses_nothing():
    frames = player(FakeClock())
    frames.open()
    assert taken(frames, 1) == [(0.0, 0)]
    assert frames.take(0.2) is None
    assert taken(frames, 2, timeout_s=0.2) == [(0.5, 1), (1.0, 2)]


def test_a_late_reader_gets_every_frame_with_the_time_it_was_due():
    clock = FakeClock()
    frames = player(clock)
    frames.open()
    taken(frames, 1)
    clock.advance(5.0)
    late = frames.take(0.1)
    assert late is not None
    assert (late.time_s, late.arrival_s) == (0.5, 5.0)


def test_a_file_that_ended_says_so_and_does_not_begin_again():
    frames = player(FakeClock())
    frames.open()
    taken(frames, 3)
    with pytest.raises(DeviceError, match=r"has ended after 3 frames; .*loop = true"):
        frames.take(1.0)
    with pytest.raises(DeviceError, match="has ended"):
        frames.open()


def test_a_looping_file_goes_on_one_period_later():
    frames = player(FakeClock(), loop=True)
    frames.open()
    assert taken(frames, 5)[3:] == [(1.5, 0), (2.0, 1)]


def test_a_file_closed_before_its_end_is_reopened_at_its_beginning_and_counted():
    frames = player(FakeClock())
    frames.open()
    taken(frames, 2)
    frames.close()
    frames.close()
    frames.open()
    again = frames.take(1.0)
    assert again is not None
    assert again.image[0, 0] == 0
    assert again.tally.reopened == 1


def lost(times_s: NDArray) -> int:
    estimate = DropEstimate()
    return [estimate.see(float(time_s)) for time_s in times_s][-1]


def test_missing_frames_are_counted_exactly_when_the_camera_is_steady():
    rng = np.random.default_rng(1)
    numbers = np.delete(np.arange(300), [40, 100, 101, 102, 200])
    times_s = numbers / 30 + rng.normal(0, 0.001, numbers.size)
    assert lost(times_s) == 5


def test_frames_that_were_only_late_are_not_lost():
    times_s = np.arange(100) / 30
    times_s[50:53] = times_s[53] - np.array([0.003, 0.002, 0.001])  # three held up, then all at once
    assert lost(times_s) == 0


def test_frames_that_a_busy_machine_read_late_and_in_bursts_are_not_lost():
    # as measured at 30 frames a second while four other programs ran, none was lost
    late_ms = [24.7, 33.4, 33.3, 39, 27.5, 60.7, 6.1, 86.3, 27.3, 11.3, 109.5, 87.5, 46.7, 0.9, 0.5, 5.4, 0.9]
    late_ms += [
        1,
        22.6,
        33.1,
        34.4,
        32.3,
        40.4,
        29,
        32.1,
        32.6,
        36.2,
        46.5,
        26.3,
        104.5,
        17.5,
        3.1,
        2.7,
        29.9,
    ]
    times_s = np.cumsum(np.concatenate([np.full(40, 1 / 30), np.array(late_ms) / 1e3, np.full(40, 1 / 30)]))
    assert lost(times_s) == 0


def test_hiccups_of_half_a_second_one_after_the_other_are_no_loss_and_losses_among_them_are_counted():
    # as in two hours beside seventeen other programs: not one of 98,111 was lost, 42 were counted before
    rng = np.random.default_rng(9)
    due_s = np.arange(20_000) / 30
    times_s = due_s + rng.exponential(0.004, due_s.size)
    for begin in rng.integers(100, due_s.size - 100, 300):
        held_s = rng.uniform(0.05, 0.48)
        held = (due_s >= due_s[begin]) & (due_s < due_s[begin] + held_s)
        times_s[held] = due_s[begin] + held_s + np.arange(held.sum()) * rng.uniform(1e-3, 0.02)
    times_s = np.maximum.accumulate(times_s)
    assert lost(times_s) <= 3
    kept = np.ones(due_s.size, bool)
    kept[rng.integers(100, due_s.size - 100, 200)] = False
    missing = int((~kept).sum())
    assert abs(lost(times_s[kept]) - missing) <= 0.03 * missing


def test_frames_that_come_in_pairs_are_not_lost():
    times_s = np.arange(300) / 30
    times_s[100:200:2] = times_s[101:201:2] - 0.001  # the reader woke for every other frame only
    assert lost(times_s) == 0


def test_frames_missing_while_others_are_late_are_counted():
    rng = np.random.default_rng(3)
    numbers = np.delete(np.arange(300), [101, 102, 201])
    arrivals_s = numbers / 30 + rng.normal(0, 0.001, numbers.size)
    held = (numbers > 96) & (numbers < 104)
    arrivals_s[held] = 104 / 30 + np.arange(held.sum()) * 1e-3  # the reader slept: all at once
    assert lost(arrivals_s) == 3


def test_a_camera_that_slows_down_in_dim_light_loses_nothing():
    times_s = np.cumsum(np.concatenate([np.full(100, 1 / 30), np.full(100, 1 / 15)]))
    assert lost(times_s) == 0


def test_the_time_away_between_two_connections_is_no_loss():
    estimate = DropEstimate()
    for time_s in np.arange(20) / 30:
        estimate.see(float(time_s))
    estimate.restart()
    for time_s in 60 + np.arange(20) / 30:
        estimate.see(float(time_s))
    assert estimate.lost == 0
