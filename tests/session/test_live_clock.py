"""True rate, drift and jitter of devices whose truth is known, told while they run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emolab.core.stream import Channel, Chunk, StreamInfo
from emolab.session.live_clock import LEAST_S, LiveClock
from tests.simulators.clocks import Device, counting_board, plain_board, serial_info


@pytest.mark.parametrize("drift_ppm", [-200.0, 0.0, 120.0])
def test_a_boards_drift_is_told_while_it_runs(drift_ppm: float) -> None:
    device = Device(rate_hz=275.0, drift_ppm=drift_ppm, loss=0.01)
    truth_s = device.captured(120)
    clock = LiveClock(serial_info(250.0))
    for chunk in counting_board(device, truth_s, device.kept(len(truth_s))):
        clock.take(chunk)
    assert clock.found is not None and clock.found.drift_ppm is not None
    assert clock.found.drift_ppm == pytest.approx(drift_ppm, abs=20)
    assert clock.found.rate_hz == pytest.approx(275.0 * (1 + drift_ppm * 1e-6), abs=0.01)
    assert clock.found.over_s == pytest.approx(120, abs=8)
    assert clock.found.jitter_ms < 5


def test_a_board_without_a_clock_has_a_true_rate_and_no_drift() -> None:
    device = Device(rate_hz=259.3)
    truth_s = device.captured(60)
    clock = LiveClock(serial_info(250.0))
    for chunk in plain_board(device, truth_s, truth_s > 0):
        clock.take(chunk)
    assert clock.found is not None and clock.found.drift_ppm is None
    assert clock.found.rate_hz == pytest.approx(259.3, rel=2e-4)


def test_nothing_is_claimed_of_the_first_seconds_and_after_a_reset() -> None:
    device = Device(rate_hz=275.0)
    truth_s = device.captured(60)
    chunks = list(counting_board(device, truth_s, truth_s > 0))
    clock = LiveClock(serial_info(250.0))
    seen = []
    for chunk in chunks:
        clock.take(chunk)
        seen.append((chunk.arrival_s - chunks[0].arrival_s, clock.found))
    assert all(found is None for passed_s, found in seen if passed_s < LEAST_S - 0.1)
    first = chunks[0]
    assert first.device_us is not None
    clock.take(replace(first, arrival_s=chunks[-1].arrival_s + 0.1))  # booted: its counts begin anew
    assert clock.found is None


def test_a_cameras_rate_is_that_of_its_own_stamps() -> None:
    info = StreamInfo("face", (Channel("rgb", "rgb"),), 30.0, "uint8", (4, 4, 3))
    taken_s = 2.0 + np.arange(900) / 29.94
    clock = LiveClock(info)
    for at_s in taken_s:
        clock.take(Chunk("face", np.array([at_s]), np.zeros((1, 4, 4, 3), np.uint8), at_s + 0.04))
    assert clock.found is not None
    assert clock.found.rate_hz == pytest.approx(29.94, abs=0.005) and clock.found.jitter_ms < 0.01


def test_what_has_no_rate_has_no_clock() -> None:
    clock = LiveClock(replace(serial_info(250.0), nominal_rate_hz=None))
    for k in range(100):
        clock.take(Chunk("board", np.array([float(k)]), np.zeros((1, 1), np.uint16), float(k)))
    assert clock.found is None
