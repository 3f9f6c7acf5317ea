"""Separation is found where there is some, and only there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolab.stats.likelihood import is_finite
from emolab.stats.separation import separated

values = st.lists(st.integers(0, 8), min_size=2, max_size=12)


def design(*states: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """One predictor and the constant; each list holds the values of a state, the reference first."""
    x = np.concatenate([np.array(one, float) for one in states])
    codes = np.repeat(np.arange(len(states)), [len(one) for one in states])
    return np.column_stack([x, np.ones(len(x))]), codes


@settings(max_examples=80, deadline=None)
@given(values, values)
def test_two_states_are_separated_when_their_ranges_do_not_overlap(one: list[int], other: list[int]) -> None:
    same = len(set(one + other)) == 1
    apart = not same and (max(one) <= min(other) or max(other) <= min(one))
    x, codes = design(one, other)
    assert separated(x, codes, 2) == ([1] if apart else [])


@settings(max_examples=25, deadline=None)
@given(values, values, values)
def test_newton_calls_finite_only_what_is_not_separated(a: list[int], b: list[int], c: list[int]) -> None:
    x, codes = design(a, b, c)
    if np.linalg.matrix_rank(x) == 2 and is_finite(x, codes, 3):
        assert separated(x, codes, 3) == []


@pytest.mark.parametrize("far", [[20, 21], [9, 12]])
def test_only_the_state_that_lies_apart_is_named(far: list[int]) -> None:
    assert separated(*design([1, 5, 9], [2, 4, 8], far), 3) == [2]
    assert separated(*design([1, 5, 9], far, [2, 4, 8]), 3) == [1]


def test_reference_that_lies_apart_separates_all() -> None:
    assert separated(*design([20, 21, 22], [1, 5, 9], [2, 4, 8]), 3) == [1, 2]


def test_separation_by_two_predictors_together_is_found() -> None:
    """Neither alone tells the states apart, their sum does."""
    generator = np.random.default_rng(0)
    both = generator.uniform(-1, 1, (60, 2))
    codes = (both.sum(1) > 0).astype(np.intp)
    x = np.column_stack([both, np.ones(60)])
    assert separated(x, codes, 2) == [1]
    assert separated(x[:, [0, 2]], codes, 2) == [] and separated(x[:, [1, 2]], codes, 2) == []
