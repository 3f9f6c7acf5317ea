"""p values of several tests at once, corrected; tests that gave no p (NaN) stay NaN and do not count."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emolab.core.errors import DataError


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p that keep the chance of any false finding under the level. Source: Holm 1979."""
    values, order, adjusted = _sorted(p)
    steps = values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p that keep the share of false among the findings under the level.

    For tests that are independent or positively dependent. Source: Benjamini and Hochberg 1995,
    doi:10.1111/j.2517-6161.1995.tb02031.x.
    """
    values, order, adjusted = _sorted(p)
    steps = values[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1)
    return adjusted


def _sorted(p: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.float64]]:
    """The values, the indices of those that are numbers from least to greatest, and room for the result."""
    values = np.asarray(p, np.float64)
    if values.ndim != 1 or np.any((values < 0) | (values > 1)):
        raise DataError("p values must be one row of numbers from 0 to 1, or NaN")
    order = np.argsort(values, kind="stable")
    return values, order[: np.count_nonzero(~np.isnan(values))], np.full(len(values), np.nan)
