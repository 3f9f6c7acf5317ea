"""Swarms: no point lies on another while there is room."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolab.plots.swarm import spread

heights = st.lists(st.floats(0, 150), max_size=60).map(lambda values: np.array(values, float))


@settings(max_examples=30, deadline=None)
@given(heights, st.floats(2, 6), st.floats(10, 60))
def test_points_do_not_touch_and_stay_in_their_slot(y: np.ndarray, diameter: float, half: float) -> None:
    found = spread(y, diameter, half)
    assert found.diameter_pt <= diameter
    assert (np.abs(found.x_pt) <= half - found.diameter_pt / 2 + 1e-6).all()
    if found.is_free:
        apart = np.hypot(np.subtract.outer(found.x_pt, found.x_pt), np.subtract.outer(y, y))
        apart[np.diag_indices(len(y))] = np.inf
        assert (apart >= found.diameter_pt - 1e-6).all()


def test_lone_points_stay_in_the_middle() -> None:
    assert (spread(np.arange(0, 100, 5.0), 4, 20).x_pt == 0).all()


def test_points_of_one_height_stand_side_by_side() -> None:
    found = spread(np.full(5, 3.0), 4, 20)
    assert sorted(found.x_pt) == pytest.approx([-8, -4, 0, 4, 8])


def test_crowd_shrinks_and_at_last_is_pressed() -> None:
    crowd = np.repeat(np.arange(10.0), 10)
    assert spread(crowd, 4, 30).diameter_pt < 4 and spread(crowd, 4, 30).is_free
    pressed = spread(np.zeros(400), 4, 30)
    assert not pressed.is_free and np.abs(pressed.x_pt).max() <= 30


def test_counts_of_a_thousand_clips_are_placed() -> None:
    """Whole numbers, as of skin responses: many points of one height."""
    y = 15.0 * np.random.default_rng(0).poisson(2, 1000)
    assert np.abs(spread(y, 4, 30).x_pt).max() <= 30


def test_nothing_is_a_swarm_too() -> None:
    assert len(spread(np.zeros(0), 4, 20).x_pt) == 0
