"""Many samples as the few points a plot has columns for, losing no peak."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GAP_STEPS = 5.0  # a pause this many usual steps long is drawn as a gap
GAP_LEAST_S = 0.25


def envelope(
    times_s: NDArray[np.float64], values: NDArray, span_s: float, columns: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest value in each of `columns` equal parts of `span_s`.

    `times_s`, `values`: `(n,)`, ascending times. The parts lie at fixed moments, not at fixed
    distances from the newest sample, so a peak keeps its height while the plot scrolls. Returns
    `(x, y)` to be joined by lines; NaN in `y` where samples are missing. Few samples come back
    as they are.
    """
    values = values.astype(np.float64)
    if len(times_s) < 2:
        return times_s, values
    times_s, values = _with_gaps(times_s, values)
    if len(times_s) <= 2 * columns:
        return times_s, values
    part = np.floor(times_s / (span_s / columns)).astype(np.int64)
    starts = np.flatnonzero(np.diff(part, prepend=part[0] - 1))
    x = np.repeat(times_s[starts], 2)
    y = np.empty(len(x))
    y[0::2] = np.minimum.reduceat(values, starts)
    y[1::2] = np.maximum.reduceat(values, starts)
    return x, y


def _with_gaps(
    times_s: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    steps = np.diff(times_s)
    limit_s = max(GAP_STEPS * float(np.median(steps)), GAP_LEAST_S)
    before = np.flatnonzero(steps > limit_s)
    if len(before) == 0:
        return times_s, values
    middles = times_s[before] + steps[before] / 2
    return np.insert(times_s, before + 1, middles), np.insert(values, before + 1, np.nan)
