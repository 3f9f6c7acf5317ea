"""Corrected p values: the papers' own examples, and what must hold for any."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolab.core.errors import DataError
from emolab.stats.correction import benjamini_hochberg, holm

ps = st.lists(st.floats(0, 1), min_size=1, max_size=30)
# Benjamini and Hochberg 1995, section 4.1: fifteen hypotheses of a thrombolysis trial
TRIAL = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
    0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.000,
]  # fmt: skip


def test_the_trial_of_benjamini_and_hochberg() -> None:
    """Their procedure rejects four; the stepwise one of Bonferroni's kind rejects three."""
    assert np.count_nonzero(benjamini_hochberg(TRIAL) <= 0.05) == 4
    assert np.count_nonzero(holm(TRIAL) <= 0.05) == 3


def test_four_tests_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])


def test_tests_without_p_do_not_count() -> None:
    assert holm([0.01, math.nan, 0.04]) == pytest.approx([0.02, math.nan, 0.04], nan_ok=True)
    assert benjamini_hochberg([math.nan]) == pytest.approx([math.nan], nan_ok=True)
    assert len(holm([])) == 0


@pytest.mark.parametrize("wrong", [[1.2], [-0.1], [[0.1]]])
def test_what_is_no_p_is_told(wrong: list[float]) -> None:
    with pytest.raises(DataError, match="from 0 to 1"):
        holm(wrong)


@settings(deadline=None)
@given(ps)
def test_corrected_lies_between_raw_and_bonferroni(p: list[float]) -> None:
    strict, lenient = holm(p), benjamini_hochberg(p)
    raw = np.array(p)
    assert (raw <= lenient + 1e-15).all() and (lenient <= strict + 1e-12).all()
    assert (strict <= np.minimum(raw * len(p), 1) + 1e-12).all()


@settings(deadline=None)
@given(ps)
def test_order_of_the_tests_does_not_matter_and_is_kept(p: list[float]) -> None:
    order = np.random.default_rng(len(p)).permutation(len(p))
    for correct in (holm, benjamini_hochberg):
        adjusted = correct(p)
        assert correct(np.array(p)[order]) == pytest.approx(adjusted[order])
        assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()


def test_holm_errs_in_one_family_of_twenty_at_most() -> None:
    generator = np.random.default_rng(0)
    families = generator.random((4000, 8))
    wrong = np.mean([holm(family).min() <= 0.05 for family in families])
    assert wrong == pytest.approx(0.05, abs=0.011)  # three standard errors
