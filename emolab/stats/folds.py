"""Is one classifier better than another? Tests of paired figures, fold by fold or row by row.

    found = paired([0.52, 0.49, …], [0.47, 0.50, …], test_share=0.1)      # folds of the same split
    found.difference, found.p
    mcnemar(one_is_right, other_is_right)

Folds share most of their training rows, so that their figures vary less than those of fresh data would, and
the common t test finds differences where there are none. The corrected one widens the interval for that
(Nadeau and Bengio 2003, doi:10.1023/A:1024068626366).
Wilcoxon's test and that of turned signs stand beside it; they do not know of the overlap either.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from emolab.core.errors import DataError
from emolab.stats.table import COVERAGE, NOTHING, Estimate

EXACT_FOLDS = 16  # up to which all ways to turn signs are counted
DRAWS = 20_000


@dataclass(frozen=True)
class Paired:
    """First less second, over `folds`. `difference`: mean with the corrected interval; so `t`, `df`, `p`.

    `p_wilcoxon`: of signed ranks; `p_signs`: of all ways to turn the differences' signs. `better`: in
    how many folds the first was better, the second was, and neither.
    """

    folds: int
    difference: Estimate
    t: float
    df: int
    p: float
    p_wilcoxon: float
    p_signs: float
    better: tuple[int, int, int]


def paired(one: ArrayLike, other: ArrayLike, test_share: float, seed: int = 0) -> Paired:
    """Compare the figures of the same folds, `(k,)` each; folds where either is NaN are left out.

    `test_share`: tested rows by those learnt from and tested together, of one fold: 0.1 for ten folds. Fewer
    than two folds, or all differences alike, give no t: its p is NaN, or 1 where nothing differs. Raises
    `DataError` when the folds are not the same number.
    """
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise DataError(f"folds are compared in pairs; {first.shape} and {second.shape} are none")
    if not 0 < test_share < 1:
        raise DataError(f"the share of tested rows must lie between 0 and 1, not {test_share:g}")
    if np.isinf(first).any() or np.isinf(second).any():
        raise DataError("the figure of a fold is infinite")
    difference = (first - second)[~np.isnan(first - second)]
    difference = np.where(np.abs(difference) < 1e-12, 0.0, difference)
    if not len(difference):
        return Paired(0, NOTHING, math.nan, 0, math.nan, math.nan, math.nan, (0, 0, 0))
    t, p, interval = _corrected(difference, test_share)
    return Paired(
        folds=len(difference),
        difference=interval,
        t=t,
        df=len(difference) - 1,
        p=p,
        p_wilcoxon=_wilcoxon(difference),
        p_signs=sign_flips(difference, seed),
        better=(int((difference > 0).sum()), int((difference < 0).sum()), int((difference == 0).sum())),
    )


def sign_flips(differences: ArrayLike, seed: int = 0) -> float:
    """Two-sided p of a mean, among all ways to turn the signs of the differences, or 20,000 drawn ones."""
    values = np.asarray(differences, np.float64)
    k = len(values)
    if k <= EXACT_FOLDS:
        signs = 1 - 2 * ((np.arange(2**k)[:, None] >> np.arange(k)) & 1)
        means = np.abs(signs @ values)
        return float(np.mean(means >= abs(values.sum()) - 1e-12 * np.abs(values).sum()))
    drawn = np.random.default_rng(seed).choice([-1.0, 1.0], (DRAWS, k)) @ values
    more = np.count_nonzero(np.abs(drawn) >= abs(values.sum()) - 1e-12 * np.abs(values).sum())
    return float((more + 1) / (DRAWS + 1))


def mcnemar(one_is_right: ArrayLike, other_is_right: ArrayLike) -> float:
    """Two-sided exact p that two classifiers are right equally often on the same rows (McNemar 1947).

    Each row is taken for independent, also those of one participant, so that p is rather too small.
    """
    first: NDArray[np.bool_] = np.asarray(one_is_right, np.bool_)
    second: NDArray[np.bool_] = np.asarray(other_is_right, np.bool_)
    if first.shape != second.shape or first.ndim != 1:
        raise DataError(f"rows are compared in pairs; {first.shape} and {second.shape} are none")
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    if not only_first + only_second:
        return 1.0
    return float(stats.binomtest(only_first, only_first + only_second).pvalue)


def _corrected(difference: NDArray[np.float64], test_share: float) -> tuple[float, float, Estimate]:
    """t, p, and the mean with its interval."""
    k = len(difference)
    if k < 2:
        return math.nan, math.nan, Estimate(float(difference[0]), math.nan, math.nan)
    mean, variance = float(difference.mean()), float(difference.var(ddof=1))
    error = math.sqrt((1 / k + test_share / (1 - test_share)) * variance)
    if error <= 1e-12 * abs(mean) or not variance:
        alike = math.nan if mean else 1.0
        return (math.nan if mean else 0.0), alike, Estimate(mean, math.nan, math.nan)
    reach = float(stats.t.ppf((1 + COVERAGE) / 2, k - 1)) * error
    t = mean / error
    return t, float(2 * stats.t.sf(abs(t), k - 1)), Estimate(mean, mean - reach, mean + reach)


def _wilcoxon(difference: NDArray[np.float64]) -> float:
    if len(difference) < 2:
        return math.nan
    if not difference.any():
        return 1.0
    return float(stats.wilcoxon(difference, zero_method="wilcox").pvalue)
