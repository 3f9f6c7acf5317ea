"""The arithmetic under the judgements finds what was put in."""

from __future__ import annotations

import numpy as np
import pytest

from emolab.signals.finding import Finding, Quality, worst
from emolab.signals.measures import band, detrended, evenly, line, longest_run, power_spectrum, rhythm, rms


def test_a_line_is_measured_in_noise_and_outside_the_spectrum_there_is_none() -> None:
    at_s = np.arange(2500) / 250.0
    values = 3.0 * np.sin(2 * np.pi * 50 * at_s) + np.random.default_rng(4).standard_normal(len(at_s))
    at_hz, power = power_spectrum(values, 250.0)
    mean_square, above = line(at_hz, power, 50.0)
    assert mean_square == pytest.approx(4.5, rel=0.05) and above > 100
    assert line(at_hz, power, 60.0)[1] < 3
    assert line(at_hz, power, 150.0) == (0.0, 0.0)


def test_the_spectrum_sums_to_the_variance() -> None:
    values = np.random.default_rng(5).standard_normal(4000)
    assert power_spectrum(values, 100.0)[1].sum() == pytest.approx(values.var(), rel=0.05)


def test_a_band_keeps_what_is_in_it() -> None:
    at_s = np.arange(1000) / 100.0
    slow, fast = np.sin(2 * np.pi * 1.0 * at_s), np.sin(2 * np.pi * 20.0 * at_s)
    assert rms(band(slow + fast, 100.0, 0.5, 5.0) - slow) < 0.03
    assert rms(detrended(3.0 + 0.2 * at_s)) < 1e-9


def test_rhythm_finds_the_period_and_none_in_a_ramp() -> None:
    at_s = np.arange(1000) / 100.0
    likeness, period_s = rhythm(np.sin(2 * np.pi * at_s / 0.8), 100.0, 0.33, 1.5)
    assert likeness > 0.99 and period_s == pytest.approx(0.8, abs=0.011)
    assert rhythm(np.zeros(1000), 100.0, 0.33, 1.5) == (0.0, 0.0)
    assert rhythm(np.ones(3), 100.0, 0.33, 1.5) == (0.0, 0.0)


def test_gaps_are_bridged_and_counted_and_the_rate_is_true() -> None:
    at_s = np.arange(1000) / 254.9
    keep = (at_s < 1.0) | (at_s >= 1.5)
    grid = evenly(2.0 * at_s[keep], at_s[keep], None)
    assert grid.rate_hz == pytest.approx(254.9, rel=1e-3)
    assert grid.missing == pytest.approx(0.5 / at_s[-1], abs=0.005)
    assert np.allclose(grid.values, np.linspace(0, 2 * at_s[-1], len(grid.values)), atol=0.02)


def test_times_that_stand_still_do_not_divide_by_zero() -> None:
    grid = evenly(np.array([1.0, 2.0, np.nan]), np.zeros(3), 10.0)
    assert list(grid.values) == [1.0, 2.0] and grid.missing == pytest.approx(1 / 3)


def test_runs_and_levels() -> None:
    assert longest_run(np.array([0, 1, 1, 0, 1, 1, 1], dtype=bool)) == 3
    assert longest_run(np.zeros(0, dtype=bool)) == 0
    amber, red = Finding("a", "look", "a", "b.", 0.0), Finding("r", "act", "r", "b.", 0.0)
    assert Quality.of([amber, red]).codes == ("r", "a") and Quality.of([amber, red]).level == "act"
    assert worst(["well", "look"]) == "look" and worst([]) == "well"
