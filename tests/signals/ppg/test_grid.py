"""Samples at the times they came at, on an even grid; what can give nothing is told."""

from __future__ import annotations

import numpy as np
import pytest

from emolab.core.errors import DataError
from emolab.signals.ppg.grid import GRID_HZ, on_grid


def sine(times_s):
    return np.sin(2 * np.pi * 1.2 * times_s)


@pytest.mark.parametrize("rate_hz", [64.0, 250.0, 255.3, 1000.0])
def test_a_sine_of_any_rate_is_the_same_sine_on_the_grid(rate_hz):
    times_s = 3.7 + np.arange(round(20 * rate_hz)) / rate_hz
    grid = on_grid(sine(times_s), times_s)
    at_s = grid.start_s + np.arange(len(grid.values)) / GRID_HZ
    assert np.abs(grid.values - sine(at_s))[1:].max() < 0.002
    assert grid.is_there.all()
    assert grid.end_s == pytest.approx(times_s[-1], abs=1 / GRID_HZ)


def test_a_boards_whole_milliseconds_are_taken_as_they_are():
    times_s = np.floor(np.arange(5000) / 0.2553) / 1000  # steps of 3 and 4 ms
    grid = on_grid(sine(times_s), times_s)
    at_s = grid.start_s + np.arange(len(grid.values)) / GRID_HZ
    assert np.abs(grid.values - sine(at_s)).max() < 0.002


def test_fast_samples_are_averaged_so_that_noise_above_the_grid_does_not_fold_in():
    times_s = np.arange(20_000) / 1000
    noise = np.random.default_rng(1).standard_normal(20_000)
    assert np.std(on_grid(noise, times_s).values) < 0.6


def test_a_gap_is_masked_and_a_short_one_bridged():
    times_s = np.arange(5000) / 250
    kept = (times_s < 8.0) | (times_s > 10.0)
    kept &= (times_s < 14.0) | (times_s > 14.05)
    grid = on_grid(sine(times_s)[kept], times_s[kept])
    gone_s = np.flatnonzero(~grid.is_there) / GRID_HZ
    assert gone_s[0] == pytest.approx(8.0, abs=0.01)
    assert gone_s[-1] == pytest.approx(10.0, abs=0.01)
    assert len(gone_s) == pytest.approx(2.0 * GRID_HZ, abs=2)


def test_numbers_that_are_none_are_a_gap():
    times_s = np.arange(5000) / 250
    values = sine(times_s)
    values[1000:1500] = np.nan
    values[3000] = np.inf
    grid = on_grid(values, times_s)
    assert np.count_nonzero(~grid.is_there) == pytest.approx(500, abs=2)
    assert np.isfinite(grid.values).all()


def test_a_value_that_stands_still_for_a_second_is_masked():
    times_s = np.arange(5000) / 250
    values = sine(times_s)
    values[2000:2500] = 4.0  # two seconds at the rail
    values[4000:4100] = 4.0  # a top cut off
    gone = ~on_grid(values, times_s).is_there
    assert gone[2000:2499].mean() > 0.99
    assert not gone[4000:4100].any()


TIMES_S = np.arange(2500) / 250


@pytest.mark.parametrize(
    ("values", "times_s", "told"),
    [
        (np.zeros(0), np.zeros(0), "0 values that are numbers"),
        (np.full(2500, np.nan), TIMES_S, "0 values that are numbers"),
        (np.ones(2500), TIMES_S, "flat at 1"),
        (sine(TIMES_S)[:500], TIMES_S[:500], "lasts 2.0 s"),
        (sine(TIMES_S), TIMES_S[::-1], "go back after 9.996 s"),
        (sine(TIMES_S), TIMES_S[:-1], "as many times as values"),
        (np.ones((2, 2500)), TIMES_S, "as many times as values"),
        (sine(TIMES_S), 1000 * TIMES_S, "taken as seconds"),
        (sine(TIMES_S), np.append(TIMES_S[:-1], 1.7e9), "check the times' unit"),
        (sine(TIMES_S), np.zeros(2500), "lasts 0.0 s"),
    ],
)
def test_what_can_give_nothing_is_told(values, times_s, told):
    with pytest.raises(DataError, match=told):
        on_grid(values, times_s)
