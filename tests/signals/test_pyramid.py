"""A signal at every zoom: nothing that stands out is lost, nothing is made up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from emolab.core.errors import DataError
from emolab.signals.pyramid import FIRST, SMALL, Pyramid


def signal(n: int, rate_hz: float = 250.0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(n)
    return np.arange(n) / rate_hz, generator.normal(size=n).cumsum().astype(np.float32)


@pytest.mark.parametrize("pixels", [1, 100, 1366, 3840])
def test_a_single_spike_is_seen_at_every_zoom(pixels: int) -> None:
    times_s, values = signal(300_000)
    values[123_457] = 1e6
    pyramid = Pyramid(times_s, values)
    for span_s in (1200.0, 300.0, 10.0, 0.5):
        middle_s = times_s[123_457]
        seen = pyramid.view(middle_s - span_s / 2, middle_s + span_s / 2, pixels)
        assert seen.high.max() == 1e6
        at_s = seen.times_s[int(np.argmax(seen.high))]
        assert at_s <= middle_s <= at_s + max(span_s, 0.01) / pixels * FIRST * 2 + 0.01


@settings(deadline=None)
@given(some.integers(1, 5000), some.integers(1, 400), some.floats(0, 1), some.floats(0, 1))
def test_what_is_seen_is_the_least_and_greatest_of_what_is_there(
    n: int, pixels: int, one: float, other: float
) -> None:
    times_s, values = signal(n)
    from_s, to_s = sorted((one * times_s[-1], other * times_s[-1]))
    seen = Pyramid(times_s, values).view(from_s, to_s, pixels)
    inside = values[(times_s >= from_s) & (times_s <= to_s)]
    if len(inside):
        assert seen.low.min() <= inside.min() and seen.high.max() >= inside.max()
    assert set(seen.low) | set(seen.high) <= set(values)
    assert (seen.low <= seen.high).all()
    assert np.all(np.diff(seen.times_s) > 0)


@settings(deadline=None)
@given(some.integers(2000, 200_000), some.integers(100, 4000))
def test_there_is_a_stretch_for_each_pixel_and_not_many_more(n: int, pixels: int) -> None:
    times_s, values = signal(n)
    seen = Pyramid(times_s, values).view(times_s[0], times_s[-1], pixels)
    assert min(n, pixels) <= len(seen.low) <= max(FIRST * pixels + 2, SMALL)


def test_close_up_every_sample_is_itself() -> None:
    times_s, values = signal(100_000)
    seen = Pyramid(times_s, values).view(100.0, 101.0, 1366)
    assert seen.is_exact
    np.testing.assert_array_equal(seen.low, values[24_999:25_251])


def test_a_hole_is_a_hole_at_every_level_and_samples_beside_it_are_seen() -> None:
    times_s, values = signal(60_000)
    kept = (times_s < 100.0) | (times_s > 140.0)
    pyramid = Pyramid(times_s[kept], values[kept], gap_s=0.1)
    close = pyramid.view(99.9, 140.1, 100_000)
    assert np.isnan(close.low).sum() == 1
    times = close.times_s[np.isnan(close.low)]
    assert 100.0 <= times[0] < 140.0
    whole = pyramid.view(0.0, 240.0, 200)
    assert np.nanmax(whole.high) == values[kept].max() and np.nanmin(whole.low) == values[kept].min()


def test_nan_is_never_the_greatest() -> None:
    times_s, values = signal(10_000)
    values[::7] = np.nan
    seen = Pyramid(times_s, values).view(0.0, 40.0, 100)
    assert not np.isnan(seen.low).any() and seen.high.max() == np.nanmax(values)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_next_to_nothing_is_drawn_as_it_is(n: int) -> None:
    times_s, values = signal(n)
    pyramid = Pyramid(times_s, values)
    assert len(pyramid.view(-1.0, 5.0, 800).low) == n
    low, high = pyramid.range(-1.0, 5.0)
    assert (np.isnan(low) and np.isnan(high)) if not n else low == values.min()


def test_outside_the_recording_there_is_at_most_its_edge() -> None:
    pyramid = Pyramid(*signal(10_000))
    assert len(pyramid.view(100.0, 200.0, 800).low) <= 1
    assert len(pyramid.view(-50.0, -10.0, 800).low) <= 1


def test_levels_take_a_fifth_of_the_samples_at_most() -> None:
    times_s, values = signal(1_000_000)
    assert Pyramid(times_s, values).nbytes < 0.2 * values.nbytes


def test_times_and_values_must_pair() -> None:
    with pytest.raises(DataError, match="3 times but 2 values"):
        Pyramid(np.arange(3.0), np.zeros(2))


@settings(deadline=None)
@given(some.lists(some.integers(0, 3000), min_size=1, max_size=8), some.booleans(), some.integers(1, 300))
def test_what_grows_is_seen_as_if_it_had_been_there_at_once(
    sizes: list[int], is_whole_numbers: bool, pixels: int
) -> None:
    times_s, values = signal(sum(sizes))
    times_s = times_s + 5.0 * np.searchsorted(np.cumsum(sizes), np.arange(len(times_s)), side="right")
    raw = (values * 100).astype(np.int16) if is_whole_numbers else values
    grown = Pyramid(gap_s=1.0, scale=0.5, offset=3.0)
    for part in np.split(np.arange(len(raw)), np.cumsum(sizes)[:-1]):
        grown.append(times_s[part], raw[part])
    whole = Pyramid(times_s, raw, 1.0, scale=0.5, offset=3.0, room=2 * len(raw))
    for from_s, to_s in ((-1.0, 1e5), (3.0, 9.0), (0.0, 0.5 * len(raw) / 250)):
        one, other = grown.view(from_s, to_s, pixels), whole.view(from_s, to_s, pixels)
        for name in ("times_s", "low", "high", "holes_s"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    if len(raw):
        seen = whole.view(-1.0, 1e5, 10**6).low
        np.testing.assert_allclose(seen[~np.isnan(seen)], (raw * 0.5 + 3.0).astype(np.float32))


def test_least_and_greatest_of_stretches_can_be_given() -> None:
    low, high = np.arange(5000, dtype=np.int16), np.arange(5000, dtype=np.int16) + np.int16(7)
    pyramid = Pyramid(scale=-1.0)
    pyramid.append(np.arange(5000.0), low, high)
    close, wide = pyramid.view(10.0, 20.0, 100), pyramid.view(0.0, 5000.0, 10)
    assert not close.is_exact and (close.high - close.low == 7).all()
    assert wide.low.min() == -5006.0 and wide.high.max() == 0.0
