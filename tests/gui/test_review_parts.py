"""The parts of the review that are rules over values: the span, the pixels of a curve, the ruler."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from emolab.gui.review import raster
from emolab.gui.review.ruler import moment
from emolab.gui.review.span import Span
from emolab.signals.pyramid import Pyramid, View

GROUND, INK = 10, (200, 100, 50)


def painted(view: View, from_s: float, to_s: float, width: int, height: int = 60) -> np.ndarray:
    """Where something was drawn: `(height, width)`, how much."""
    low, high = raster.columns(view, from_s, to_s, width)
    limits = raster.limits_of(low, high)
    pixels = np.full((height, width, 4), GROUND, np.uint8)
    if limits is not None:
        raster.paint(pixels, low, high, limits, INK)
    return (pixels[..., 2].astype(float) - GROUND) / (INK[0] - GROUND)


@given(some.integers(0, 299_999))
def test_a_spike_of_one_sample_is_seen_at_every_zoom(at: int) -> None:
    values = np.zeros(300_000, np.float32)
    values[at] = 1.0
    pyramid = Pyramid(np.arange(300_000) / 250, values)
    seen = painted(pyramid.view(0.0, 1200.0, 1000), 0.0, 1200.0, 1000)
    columns = np.flatnonzero(seen[:20].max(axis=0) > 0.9)
    assert len(columns) >= 1 and abs(columns.mean() - at / 300) < 6


def test_the_columns_hold_what_the_samples_between_two_edges_hold() -> None:
    rng = np.random.default_rng(3)
    times_s = np.sort(rng.uniform(0, 10, 5000))
    values = rng.normal(size=5000).astype(np.float32)
    low, high = raster.columns(View(times_s, values, values, True), 2.0, 7.0, 100)
    edges_s = np.linspace(2.0, 7.0, 101)
    for at in range(100):
        inside = values[(times_s >= edges_s[at]) & (times_s < edges_s[at + 1])]
        ends = np.interp(edges_s[at : at + 2], times_s, values)
        assert low[at] == pytest.approx(min([*inside, *ends]), rel=1e-5)
        assert high[at] == pytest.approx(max([*inside, *ends]), rel=1e-5)


def test_between_few_samples_the_curve_is_a_straight_line() -> None:
    values = np.array([0.0, 10.0], np.float32)
    low, high = raster.columns(View(np.array([0.0, 10.0]), values, values, True), 0.0, 10.0, 20)
    np.testing.assert_allclose(low, np.arange(20) / 2, atol=1e-5)
    np.testing.assert_allclose(high, np.arange(1, 21) / 2, atol=1e-5)


def test_nothing_is_drawn_where_nothing_was_recorded() -> None:
    times_s = np.concatenate([np.arange(0, 4, 0.004), np.arange(6, 10, 0.004)])
    pyramid = Pyramid(times_s, np.sin(times_s), gap_s=0.02)
    seen = painted(pyramid.view(0.0, 10.0, 200), 0.0, 10.0, 200)
    drawn = seen.max(axis=0) > 0.2
    assert drawn[:79].all() and not drawn[82:119].any() and drawn[122:].all()
    assert not painted(pyramid.view(4.5, 5.5, 200), 4.5, 5.5, 200).any()


def test_a_flat_curve_is_a_line_as_thick_as_any() -> None:
    flat = Pyramid(np.arange(1000) / 100, np.full(1000, 7.5))
    seen = painted(flat.view(0.0, 9.9, 300), 0.0, 9.9, 300)
    np.testing.assert_allclose(seen.sum(axis=0), raster.THIN_PX, atol=0.05)


@given(
    some.lists(
        some.tuples(some.sampled_from(["zoom", "pan", "show"]), some.floats(-50, 50), some.floats(0, 100)),
        max_size=30,
    )
)
def test_what_is_shown_always_lies_inside_the_recording(moves: list[tuple[str, float, float]]) -> None:
    span = Span(0.0, 100.0)
    for what, by, at_s in moves:
        if what == "zoom":
            span.zoom(by / 10, at_s)
        elif what == "pan":
            span.pan(by)
        else:
            span.show(at_s, at_s + by)
        assert 0.0 <= span.from_s < span.to_s <= 100.0


def test_zooming_leaves_the_moment_at_the_pointer_where_it_is() -> None:
    span = Span(0.0, 100.0)
    span.show(20.0, 60.0)
    share = (30.0 - span.from_s) / span.width_s
    span.zoom(3, 30.0)
    assert (30.0 - span.from_s) / span.width_s == pytest.approx(share)
    assert span.width_s == pytest.approx(40 / 1.25**3)


def test_a_cursor_that_plays_turns_the_page() -> None:
    span = Span(0.0, 100.0)
    span.show(10.0, 20.0)
    span.set_cursor(19.5, follows=True)
    assert span.from_s == pytest.approx(19.5 - 0.8) and span.width_s == pytest.approx(10.0)


def test_moments_are_told_as_exactly_as_the_step_asks() -> None:
    assert moment(462.318, 0.001) == "07:42.318" and moment(462.318) == "07:42"
    assert moment(3723.0) == "1:02:03" and moment(-0.5, 0.1) == "−00:00.5"
    assert moment(59.9996, 0.001) == "01:00.000"


@given(some.integers(0, 10_000), some.floats(0.5, 4.0))
def test_a_pixel_takes_as_much_ink_as_the_curve_covers_of_it(seed: int, thin_px: float) -> None:
    rng = np.random.default_rng(seed)
    low = rng.uniform(-1.0, 1.0, 40).astype(np.float32)
    high = low + rng.choice([0.0, 0.01, 0.7], 40).astype(np.float32)
    low[rng.integers(0, 40, 5)] = np.nan
    pixels = np.full((30, 40, 4), GROUND, np.uint8)
    raster.paint(pixels, low, high, (-1.2, 2.0), INK, thin_px)
    top, bottom = (29 * (2.0 - end) / 3.2 + 0.5 for end in (high, low))
    pad = np.maximum((thin_px - (bottom - top)) / 2, 0)
    rows = np.arange(30)[:, None]
    cover = np.clip(np.minimum(bottom + pad, rows + 1) - np.maximum(top - pad, rows), 0, 1)
    wanted = GROUND + np.nan_to_num(cover * ~np.isnan(low))[..., None] * (np.array(INK[::-1]) - GROUND)
    assert np.abs(pixels[..., :3] - wanted).max() < 1.1
