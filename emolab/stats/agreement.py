"""How far raters agree, each figure with a 95 % interval.

Intervals are percentiles of a bootstrap over units, or over whole groups of them where units of one
participant hang together (`groups`), none of fewer than `LEAST_UNITS`; those of the intraclass correlation
follow from F as in Shrout and Fleiss. A figure is NaN where it is not defined, such as when everybody always
says the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from emolab.core.errors import DataError
from emolab.stats.table import COVERAGE, LEAST_UNITS, RESAMPLES, Floats, tail_of

Weights = Literal["none", "linear", "quadratic"]
Level = Literal["nominal", "ordinal", "interval"]
Form = Literal["1,1", "2,1", "3,1", "1,k", "2,k", "3,k"]  # of an intraclass correlation

ROUNDING = 1e-12  # of the ratings: what lies less apart is alike


@dataclass(frozen=True)
class Agreement:
    """A coefficient, its interval and of how many units it comes; `low`, `high` NaN when undefined."""

    value: float
    low: float
    high: float
    units: int


def cohen(
    first: ArrayLike,
    second: ArrayLike,
    categories: int,
    weights: Weights = "none",
    groups: ArrayLike | None = None,
    seed: int = 0,
) -> Agreement:
    """Cohen's kappa of two raters; `linear` and `quadratic` weigh by how far apart categories are.

    `first`, `second`: `(n,)` categories 0 … `categories` − 1, in their order. Source: Cohen 1960,
    doi:10.1177/001316446002000104; 1968, doi:10.1037/h0026256. Raises `DataError` for other shapes.
    """
    one, two = _codes(first, categories), _codes(second, categories)
    if len(one) != len(two):
        raise DataError(f"{len(one)} and {len(two)} judgements; both raters must judge the same units")
    apart = np.abs(np.subtract.outer(np.arange(categories), np.arange(categories))).astype(float)
    cost = {"none": (apart > 0).astype(float), "linear": apart, "quadratic": apart**2}[weights]
    tables = np.zeros((len(one), categories, categories))
    tables[np.arange(len(one)), one, two] = 1

    def kappa(counts: Floats) -> float:
        table = np.tensordot(counts, tables, 1)
        expected = float(np.sum(cost * np.outer(table.sum(1), table.sum(0)))) / max(table.sum(), 1)
        return 1 - float(np.sum(cost * table)) / expected if expected > 0 else math.nan

    return _with_interval(kappa, len(one), groups, seed)


def fleiss(
    counts: ArrayLike,
    groups: ArrayLike | None = None,
    seed: int = 0,
) -> Agreement:
    """Fleiss' kappa of several raters, who need not be the same for each unit.

    `counts`: `(n, k)`, how many raters put unit i into category j; as many raters for each unit, two
    at least. Source: Fleiss 1971, doi:10.1037/h0031619.
    """
    table = np.asarray(counts, np.float64)
    if table.ndim != 2 or not len(table) or (table < 0).any():
        raise DataError("Fleiss' kappa needs a table of counts: a row a unit, a column a category")
    raters = table.sum(1)
    if raters.min() < 2 or raters.min() != raters.max():
        raise DataError("Fleiss' kappa needs equally many raters for each unit, two at least")
    alike = (np.sum(table**2, 1) - raters) / (raters * (raters - 1))

    def kappa(weight: Floats) -> float:
        share = weight @ table / (weight.sum() * raters[0])
        expected = float(np.sum(share**2))
        observed = float(weight @ alike / weight.sum())
        return (observed - expected) / (1 - expected) if expected < 1 else math.nan

    return _with_interval(kappa, len(table), groups, seed)


def krippendorff(
    ratings: ArrayLike,
    level: Level = "nominal",
    groups: ArrayLike | None = None,
    seed: int = 0,
) -> Agreement:
    """Krippendorff's alpha of any number of raters, with judgements missing or not.

    `ratings`: `(raters, units)`, NaN where a rater did not judge. Units judged by one rater alone
    tell nothing and are left out. Source: Krippendorff 2011, "Computing Krippendorff's
    Alpha-Reliability".
    """
    table = np.asarray(ratings, np.float64)
    if table.ndim != 2:
        raise DataError("Krippendorff's alpha needs a table: a row a rater, a column a unit")
    kept = np.sum(~np.isnan(table), 0) >= 2
    table = table[:, kept]
    if groups is not None:
        groups = np.asarray(groups)[kept]
    values, codes = np.unique(table[~np.isnan(table)], return_inverse=True)
    placed = np.full(table.shape, -1)
    placed[~np.isnan(table)] = codes
    each = (
        np.stack([_coincidences(unit, len(values)) for unit in placed.T])
        if table.size
        else np.zeros((0, 1, 1))
    )

    def alpha(weight: Floats) -> float:
        together = np.tensordot(weight, each, 1)
        totals = together.sum(1)
        if totals.sum() <= 1:
            return math.nan
        cost = _distances(values, totals, level)
        expected = float(np.sum(cost * (np.outer(totals, totals) - np.diag(totals)))) / (totals.sum() - 1)
        return 1 - float(np.sum(cost * together)) / expected if expected > 0 else math.nan

    return _with_interval(alpha, len(each), groups, seed)


def intraclass(
    ratings: ArrayLike,
    form: Form = "2,1",
) -> Agreement:
    """Intraclass correlation of a complete table, by the names of Shrout and Fleiss.

    `ratings`: `(n units, k raters)`. `1`: each unit has raters of its own. `2`: the same raters, a
    sample of many; they must agree. `3`: just these raters; they need only be consistent. `,k`: of
    the mean over the raters. Source: Shrout and Fleiss 1979, doi:10.1037/0033-2909.86.2.420.
    """
    table = np.asarray(ratings, np.float64)
    if table.ndim != 2 or min(table.shape, default=0) < 2 or not np.isfinite(table).all():
        raise DataError("an intraclass correlation needs a full table of two units and two raters at least")
    n, k = table.shape
    grand = table.mean()
    between = k * float(np.sum((table.mean(1) - grand) ** 2)) / (n - 1)
    raters = n * float(np.sum((table.mean(0) - grand) ** 2)) / (k - 1)
    within = float(np.sum((table - table.mean(1, keepdims=True)) ** 2)) / (n * (k - 1))
    error = (within * n * (k - 1) - raters * (k - 1)) / ((n - 1) * (k - 1))
    # what rounding leaves of none is none
    least = (ROUNDING * float(np.abs(table).max())) ** 2
    between, raters, within = (0.0 if one <= least else one for one in (between, raters, within))
    error = 0.0 if error <= max(least, ROUNDING * within) else error
    match form[0]:
        case "1":
            single = _ratio(between - within, between + (k - 1) * within)
            bounds = _bounds(_ratio(between, within), n - 1, n * (k - 1), k)
        case "3":
            single = _ratio(between - error, between + (k - 1) * error)
            bounds = _bounds(_ratio(between, error), n - 1, (n - 1) * (k - 1), k)
        case _:
            single = _ratio(between - error, between + (k - 1) * error + k * (raters - error) / n)
            bounds = _bounds_two_way(between, raters, error, n, k, single)
    of_mean = form.endswith("k")
    value, low, high = (_spearman_brown(one, k) if of_mean else one for one in (single, *bounds))
    return Agreement(value, low, high, n)


def _codes(values: ArrayLike, categories: int) -> NDArray[np.int64]:
    codes = np.asarray(values)
    if codes.ndim != 1 or not np.issubdtype(codes.dtype, np.integer):
        raise DataError("judgements must be one row of whole numbers, one for each category")
    if len(codes) and not (codes.min() >= 0 and codes.max() < categories):
        raise DataError(f"a judgement is outside the {categories} categories")
    return codes.astype(np.int64)


def _coincidences(unit: NDArray[np.int64], values: int) -> Floats:
    """How often two values were given together to one unit, each judgement weighing one in all."""
    counts = np.bincount(unit[unit >= 0], minlength=values).astype(float)
    pairs = np.outer(counts, counts) - np.diag(counts)
    return pairs / (counts.sum() - 1)


def _distances(values: Floats, totals: Floats, level: Level) -> Floats:
    if level == "nominal":
        return 1 - np.eye(len(values))
    if level == "interval":
        return np.subtract.outer(values, values) ** 2
    ranks = np.cumsum(totals) - totals / 2
    return np.subtract.outer(ranks, ranks) ** 2


def _with_interval(
    figure: Callable[[Floats], float], units: int, groups: ArrayLike | None, seed: int
) -> Agreement:
    """The figure with each unit weighing once, and over resamples."""
    if not units:
        return Agreement(math.nan, math.nan, math.nan, 0)
    codes = np.arange(units) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    if len(codes) != units:
        raise DataError(f"{len(codes)} groups for {units} units; name the group of each unit")
    value = figure(np.ones(units))
    count = int(codes.max()) + 1
    if count < LEAST_UNITS or math.isnan(value):
        return Agreement(value, math.nan, math.nan, units)
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(count, np.full(count, 1 / count), RESAMPLES).astype(float)
    figures = np.array([figure(weight[codes]) for weight in drawn])
    figures = figures[~np.isnan(figures)]
    tail = 100 * tail_of(count)
    low, high = np.percentile(figures, [tail, 100 - tail]) if len(figures) else (math.nan, math.nan)
    return Agreement(value, float(low), float(high), units)


def _spearman_brown(single: float, k: int) -> float:
    """The correlation of the mean of `k` raters, from that of one."""
    return _ratio(k * single, 1 + (k - 1) * single)


def _ratio(above: float, below: float) -> float:
    return above / below if below else math.nan


def _bounds(ratio: float, above: int, below: int, k: int) -> tuple[float, float]:
    """From the interval of F to that of the correlation of one rater."""
    tail = 1 - (1 - COVERAGE) / 2
    low = ratio / stats.f.ppf(tail, above, below)
    high = ratio * stats.f.ppf(tail, below, above)
    return _ratio(low - 1, low + k - 1), _ratio(high - 1, high + k - 1)


def _bounds_two_way(
    between: float, raters: float, error: float, n: int, k: int, single: float
) -> tuple[float, float]:
    """The same where the raters are a sample, too (Satterthwaite's degrees of freedom)."""
    if not error or math.isnan(single):
        return math.nan, math.nan
    tail = 1 - (1 - COVERAGE) / 2
    ratio = raters / error
    weight = n * (1 + (k - 1) * single) - k * single
    freedom = (k - 1) * (n - 1) * (k * single * ratio + weight) ** 2
    freedom /= (n - 1) * (k * single * ratio) ** 2 + weight**2
    low_f = stats.f.ppf(tail, n - 1, freedom)
    high_f = stats.f.ppf(tail, freedom, n - 1)
    spread = k * raters + (k * n - k - n) * error
    low = n * (between - low_f * error) / (low_f * spread + n * between)
    high = n * (high_f * between - error) / (spread + n * high_f * between)
    return low, high
