"""Bursts of a known driver are found again: when, how high, how fast they fall."""

from __future__ import annotations

import numpy as np
import pytest

from emolab.signals.eda.responses import LEAST_US, bateman, responses
from tests.signals.made import Array

RATE_HZ = 10.0
N = 600
TOP = float(bateman(np.arange(0, 15, 0.001)).max())


def driver(*bursts: tuple[float, float]) -> Array:
    """Bursts `(at_s, amplitude)` of one sample."""
    made = np.zeros(N)
    for at_s, amplitude in bursts:
        made[round(at_s * RATE_HZ)] += amplitude / TOP * RATE_HZ
    return made


def phasic(made: Array) -> Array:
    return np.convolve(made, bateman(np.arange(N) / RATE_HZ))[:N] / RATE_HZ


def test_each_burst_is_a_response_with_its_time_and_amplitude() -> None:
    made = driver((10.0, 0.5), (20.0, 1.0), (45.0, 0.1))
    found = responses(made, phasic(made), RATE_HZ, start_s=100.0, least=LEAST_US)
    np.testing.assert_allclose(found.onsets_s, [110.0, 120.0, 145.0], atol=0.06)
    np.testing.assert_allclose(found.amplitudes, [0.5, 1.0, 0.1], rtol=0.01)
    np.testing.assert_allclose(found.rises_s, 1.13, atol=0.08)  # ln(τ0/τ1) τ0 τ1 / (τ0 − τ1)
    fine_s = np.arange(0, 15, 0.001)
    fallen_s = fine_s[(fine_s > 1.13) & (bateman(fine_s) < TOP / 2)][0] - 1.13
    np.testing.assert_allclose(found.recovery_s, fallen_s, atol=0.06)


def test_responses_that_ride_on_one_another_keep_their_own_amplitudes() -> None:
    made = driver((20.0, 0.5), (22.0, 0.5), (24.0, 0.2))
    found = responses(made, phasic(made), RATE_HZ, least=LEAST_US)
    np.testing.assert_allclose(found.onsets_s, [20.0, 22.0, 24.0], atol=0.06)
    np.testing.assert_allclose(found.amplitudes, [0.5, 0.5, 0.2], rtol=0.02)
    assert np.isnan(found.recovery_s[:2]).all() and np.isfinite(found.recovery_s[2])


def test_neighbouring_samples_are_one_burst() -> None:
    made = driver((20.0, 0.2), (20.1, 0.3), (20.2, 0.1))
    found = responses(made, phasic(made), RATE_HZ, least=LEAST_US)
    assert len(found) == 1
    assert found.amplitudes[0] == pytest.approx(0.6, rel=0.02)
    assert 19.9 <= found.onsets_s[0] <= 20.1
    smoothed = responses(made, phasic(made), RATE_HZ, least=LEAST_US, smoothed_s=0.1)
    assert smoothed.onsets_s[0] - found.onsets_s[0] == pytest.approx(0.128, abs=0.001)


def test_what_is_smaller_than_the_least_does_not_count() -> None:
    made = driver((20.0, 0.049), (30.0, 0.051))
    found = responses(made, phasic(made), RATE_HZ, least=LEAST_US)
    np.testing.assert_allclose(found.onsets_s, [30.0], atol=0.06)
    relative = responses(driver((20.0, 0.05), (30.0, 1.0), (40.0, 0.2)), np.zeros(N), RATE_HZ)
    np.testing.assert_allclose(relative.onsets_s, [30.0, 40.0], atol=0.06)


def test_a_still_driver_has_no_responses() -> None:
    for made in (np.zeros(N), np.full(N, 0.1), np.zeros(2)):
        assert len(responses(made, np.zeros(len(made)), RATE_HZ, least=LEAST_US)) == 0


@pytest.mark.parametrize("seed", range(5))
def test_noise_under_the_bursts_adds_none(seed: int) -> None:
    rng = np.random.default_rng(seed)
    at_s = np.cumsum(rng.uniform(3.0, 6.0, 12))
    made = driver(*((float(moment), float(rng.uniform(0.15, 1.0))) for moment in at_s))
    made += np.abs(rng.normal(0.0, 0.004, N))
    found = responses(made, phasic(made), RATE_HZ, least=LEAST_US)
    np.testing.assert_allclose(found.onsets_s, at_s, atol=0.15)
