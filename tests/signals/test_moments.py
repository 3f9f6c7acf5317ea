"""Times of samples, kept small."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from emolab.signals.moments import Moments


@settings(deadline=None)
@given(some.lists(some.integers(0, 700), max_size=6), some.sampled_from([0.0, 1e-3]), some.floats(-1, 4))
def test_times_come_back_however_they_came(sizes: list[int], jitter_s: float, asked_s: float) -> None:
    n = sum(sizes)
    times_s = np.arange(n) / 1000 + np.random.default_rng(n).uniform(0, 0.9 * jitter_s, n)
    times_s[n // 2 :] += 7200.0  # the instrument was away
    moments = Moments()
    for part in np.split(times_s, np.cumsum(sizes)[:-1] if sizes else []):
        moments.append(part)
    assert len(moments) == n
    back_s = moments.at(np.arange(n))
    np.testing.assert_allclose(back_s, times_s, rtol=0, atol=1e-6)
    for side in ("left", "right"):
        for time_s in (asked_s, *back_s[:: max(n // 5, 1)].tolist()):
            assert moments.search(time_s, side) == np.searchsorted(back_s, time_s, side=side)


def test_eight_hours_of_a_steady_clock_take_next_to_nothing() -> None:
    moments = Moments(np.arange(7_200_000) / 250)
    assert moments.nbytes < 1e6
    assert moments.last_s == pytest.approx(28_799.996, abs=1e-6)


def test_an_unsteady_clock_takes_half_of_its_times() -> None:
    times_s = np.arange(100_000) / 250 + np.random.default_rng(1).uniform(0, 3e-4, 100_000)
    assert Moments(times_s).nbytes < 0.52 * times_s.nbytes
