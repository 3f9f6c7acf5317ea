"""Sample times from rough stamps, against cards whose crystals, delays and losses are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.devices.audio_clock import AudioClock

BLOCK = 2400


def run(
    seconds: float,
    rate_hz: float = 48000.0,
    noise_s: float = 0.3e-3,
    lost_at: int = -1,
    lost: int = 0,
    **how: bool,
) -> tuple[AudioClock, NDArray, NDArray]:
    """A clock fed by a card of true rate `rate_hz`; its times and the true ones."""
    rng = np.random.default_rng(7)
    clock = AudioClock(48000)
    count, times_s, truth_s = 0, [], []
    for block in range(int(seconds * rate_hz / BLOCK)):
        if block == lost_at:
            count += lost
        stamp_s = 3.0 + count / rate_hz + rng.normal(0, noise_s)
        times_s.append(
            clock.see(BLOCK, stamp_s, is_flagged=block == lost_at and how.get("is_flagged", False))
        )
        truth_s.append(3.0 + (count + np.arange(BLOCK)) / rate_hz)
        count += BLOCK
    return clock, np.concatenate(times_s), np.concatenate(truth_s)


@pytest.mark.parametrize("ppm", [-150, 0, 80])
def test_a_crystal_that_is_off_is_found_out(ppm: float):
    clock, times_s, truth_s = run(60, rate_hz=48000 * (1 + ppm * 1e-6))
    assert (clock.rate_hz / 48000 - 1) * 1e6 == pytest.approx(ppm, abs=8)
    assert np.abs(times_s - truth_s)[48000:].max() < 0.4e-3


def test_times_are_smooth_where_stamps_are_not():
    _, times_s, _ = run(30, noise_s=1e-3)
    steps = np.diff(times_s)[48000:] * 48000
    assert steps.min() > 0.99
    assert steps.max() < 1.01


def test_a_loss_the_driver_reports_is_placed_and_counted():
    clock, times_s, truth_s = run(30, lost_at=300, lost=5000, is_flagged=True)
    assert clock.lost == pytest.approx(5000, abs=60)
    assert np.abs(times_s - truth_s)[48000:].max() < 2e-3


def test_a_loss_nobody_reports_is_found_by_three_stamps():
    clock, times_s, truth_s = run(30, lost_at=300, lost=5000)
    assert clock.lost == pytest.approx(5000, abs=60)
    wrong = np.abs(times_s - truth_s) > 2e-3
    assert 0 < wrong.sum() <= 2 * BLOCK
    assert np.all(np.diff(times_s) > 0)


def test_one_late_callback_is_not_taken_for_a_loss():
    clock = AudioClock(48000)
    times_s = []
    for block in range(200):
        late_s = 0.15 if block == 100 else 0.0
        times_s.append(clock.see(BLOCK, block * BLOCK / 48000 + late_s))
    assert clock.lost == 0
    np.testing.assert_allclose(np.concatenate(times_s), np.arange(200 * BLOCK) / 48000, atol=1e-3)


def test_stamps_that_jump_back_never_turn_time_round():
    clock = AudioClock(48000)
    jump_s = [0.0 if block < 100 else -0.1 for block in range(200)]
    times_s = [clock.see(BLOCK, block * BLOCK / 48000 + jump_s[block]) for block in range(200)]
    assert np.all(np.diff(np.concatenate(times_s)) > 0)
    assert clock.lost == 0
