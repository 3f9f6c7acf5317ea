"""What every statistic asks of the tidy table, and an estimate with its interval.

The table has one row per (participant, session, clip): `participant` str, `state_reported` (a key of
`core.label.STATE_KEYS` or None), and a column per feature, NaN where it could not be measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from emolab.core.errors import DataError
from emolab.core.label import STATE_KEYS

Floats = NDArray[np.float64]

RESAMPLES = 2000
COVERAGE = 0.95
REFERENCE = "neutral"
LEAST_UNITS = 6  # of fewer no resample reaches beyond them: of five, means hold the truth in 91 % at best


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval; `low`, `high` NaN where there is none."""

    value: float
    low: float
    high: float


NOTHING = Estimate(math.nan, math.nan, math.nan)


def need(table: pd.DataFrame, columns: Iterable[str]) -> None:
    """Raise `DataError` unless the table has these columns, and states that are states."""
    columns = list(columns)
    absent = [name for name in columns if name not in table.columns]
    if absent:
        there = ", ".join(map(str, table.columns))
        raise DataError(f"the table has no column {', '.join(map(repr, absent))}; it has {there}")
    for name in columns:
        if name.startswith("state_"):
            strange = sorted({str(key) for key in table[name].dropna()} - set(STATE_KEYS))
            if strange:
                raise DataError(
                    f"column {name!r} holds {strange[0]!r}; the states are {', '.join(STATE_KEYS)}"
                )


def numbers(table: pd.DataFrame, column: str) -> Floats:
    """A column as float64 with NaN where there is no finite number."""
    try:
        values = table[column].to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise DataError(f"column {column!r} holds something that is no number") from None
    return np.where(np.isfinite(values), values, np.nan)


def wilson(share: float, of: float) -> Estimate:
    """A share of `of` with Wilson's 95 % interval. Source: 1927, doi:10.1080/01621459.1927.10502953."""
    z = float(stats.norm.ppf((1 + COVERAGE) / 2))
    middle = (share + z**2 / (2 * of)) / (1 + z**2 / of)
    reach = z / (1 + z**2 / of) * math.sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    return Estimate(share, min(max(middle - reach, 0.0), share), max(min(middle + reach, 1.0), share))


def resampled(figure: Callable[[NDArray[np.intp]], Floats], units: int, seed: int) -> tuple[float, float]:
    """The bootstrap interval of a figure of `units` units that were drawn independently.

    `figure`: from indices `(resamples, units)` to the figure of each resample `(resamples,)`. NaN of fewer
    than `LEAST_UNITS`; of more see `tail_of`.
    """
    if units < LEAST_UNITS:
        return math.nan, math.nan
    drawn = np.random.default_rng(seed).integers(0, units, (RESAMPLES, units))
    figures = figure(drawn)
    figures = figures[np.isfinite(figures)]
    if len(figures) < RESAMPLES // 2:
        return math.nan, math.nan
    tail = 100 * tail_of(units)
    low, high = np.percentile(figures, [tail, 100 - tail])
    return float(low), float(high)


def tail_of(units: int) -> float:
    """The share of resamples of so many units beyond either end of the interval.

    That of Student's t in place of the normal's, so that few units give no interval that is too narrow
    (Hesterberg 2015, "expanded percentile", doi:10.1080/00031305.2015.1089789).
    """
    beyond = math.sqrt(units / (units - 1)) * stats.t.ppf((1 - COVERAGE) / 2, units - 1)
    return float(stats.norm.cdf(beyond))
