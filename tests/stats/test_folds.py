"""Paired tests over folds: reckoned by hand, and honest about folds that share their training rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from emolab.core.errors import DataError
from emolab.stats.folds import mcnemar, paired, sign_flips

ONE = [0.52, 0.55, 0.49, 0.61, 0.50, 0.57, 0.53, 0.48, 0.60, 0.54]
OTHER = [0.50, 0.51, 0.50, 0.54, 0.47, 0.55, 0.49, 0.50, 0.53, 0.51]


def test_the_corrected_t_is_the_common_one_with_a_wider_error() -> None:
    found = paired(ONE, OTHER, 0.1)
    common = stats.ttest_rel(ONE, OTHER)
    wider = math.sqrt((1 / 10 + 1 / 9) / (1 / 10))  # ten folds: tested by learnt from is 1 to 9
    assert found.t == pytest.approx(common.statistic / wider)
    assert found.p == pytest.approx(2 * stats.t.sf(common.statistic / wider, 9))
    assert found.difference.value == pytest.approx(0.029)
    reach = stats.t.ppf(0.975, 9) * wider * stats.sem(np.subtract(ONE, OTHER))
    assert (found.difference.low, found.difference.high) == pytest.approx((0.029 - reach, 0.029 + reach))
    assert found.df == 9 and found.folds == 10 and found.better == (8, 2, 0)


def test_p_and_interval_agree() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        found = paired(rng.normal(0.1, 0.2, 8), rng.normal(0, 0.2, 8), 0.125)
        assert (found.p < 0.05) == (found.difference.low > 0 or found.difference.high < 0)


def test_turned_round_it_says_the_opposite() -> None:
    there, back = paired(ONE, OTHER, 0.1), paired(OTHER, ONE, 0.1)
    assert back.difference.value == -there.difference.value and back.better == (2, 8, 0)
    assert (there.p, there.p_signs, there.p_wilcoxon) == pytest.approx(
        (back.p, back.p_signs, back.p_wilcoxon)
    )


def test_two_that_know_nothing_seldom_differ_over_folds_that_overlap() -> None:
    """A model is its training mean; its figure in a fold is how near that lies to the tested rows."""
    rng, corrected, common = np.random.default_rng(1), [], []
    for _ in range(300):
        label, one, other = rng.normal(size=60), rng.normal(size=60), rng.normal(size=60)
        figures = []
        for figure in (one, other):
            values = []
            for k in range(10):
                test = np.arange(60) % 10 == k
                slope = (figure[~test] @ label[~test]) / (figure[~test] @ figure[~test])
                values.append(-np.mean((label[test] - slope * figure[test]) ** 2))
            figures.append(values)
        corrected.append(paired(*figures, 0.1).p)
        common.append(stats.ttest_rel(*figures).pvalue)
    assert np.mean(np.array(corrected) < 0.05) <= 0.05
    assert np.mean(np.array(corrected) < 0.05) <= np.mean(np.array(common) < 0.05)


def test_signs_are_turned_in_all_ways() -> None:
    assert sign_flips([1.0, 2.0, 3.0]) == 2 / 8  # all one way, or all the other
    assert sign_flips([1.0, -1.0]) == 1
    many = np.full(20, 0.1)
    assert sign_flips(many) == pytest.approx(1 / 20_001)
    rng = np.random.default_rng(0)
    mixed = rng.normal(0.1, 0.3, 16)
    drawn = rng.choice([-1, 1], (100_000, 16)) @ mixed
    assert sign_flips(mixed) == pytest.approx((np.abs(drawn) >= abs(mixed.sum())).mean(), abs=0.01)


def test_the_same_twice_does_not_differ() -> None:
    found = paired(ONE, ONE, 0.1)
    assert (found.difference.value, found.p, found.p_wilcoxon, found.p_signs) == (0, 1, 1, 1)
    assert found.better == (0, 0, 10)


def test_differences_all_alike_have_no_t() -> None:
    found = paired([0.75, 0.5, 0.25], [0.5, 0.25, 0.0], 1 / 3)
    assert found.difference.value == 0.25 and math.isnan(found.p) and math.isnan(found.difference.low)
    assert found.p_signs == 0.25


def test_folds_that_were_skipped_are_left_out_in_pairs() -> None:
    found = paired([0.5, math.nan, 0.6, 0.7], [0.4, 0.1, math.nan, 0.8], 0.25)
    assert found.folds == 2 and found.better == (1, 1, 0)
    none = paired([math.nan], [0.5], 0.1)
    assert none.folds == 0 and math.isnan(none.p) and math.isnan(none.difference.value)
    lone = paired([0.5], [0.25], 0.1)
    assert lone.difference.value == 0.25 and math.isnan(lone.p)


def test_what_is_not_paired_is_refused() -> None:
    with pytest.raises(DataError, match=r"in pairs; \(3,\) and \(2,\)"):
        paired([1, 2, 3], [1, 2], 0.1)
    with pytest.raises(DataError, match="between 0 and 1, not 10"):
        paired([1, 2], [1, 2], 10)
    with pytest.raises(DataError, match="infinite"):
        paired([1, math.inf], [1, 2], 0.1)
    with pytest.raises(DataError, match="in pairs"):
        mcnemar([True], [True, False])


def test_rows_that_both_get_right_or_wrong_say_nothing() -> None:
    # both 1, 1 against 7, neither 12: table 1 of Fagerland et al. 2013, doi:10.1186/1471-2288-13-91
    one, other = np.array([1] + [1] + [0] * 7 + [0] * 12), np.array([1] + [0] + [1] * 7 + [0] * 12)
    assert mcnemar(one, other) == pytest.approx(2 * 9 / 256)
    assert mcnemar(one, one) == 1
