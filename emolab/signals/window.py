"""A few seconds of one channel, as the judgements look at them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emolab.signals.measures import Array, Evenly

CONVERTER_BITS = (10, 12, 14, 16, 24)
TOPS = tuple((1 << bits) - 1.0 for bits in CONVERTER_BITS)
USUAL = 0.99  # of the counts tell what is usual
STRAY = 4.0  # times what is usual: the step between converters; so far no skin or breath goes so briefly


@dataclass(frozen=True)
class Window:
    """What the tests look at.

    `range_`: the converter's ends in the values' unit; `is_guess`: not told. `share`: how
    much of it can be used, 0 to 1, where `usable` read it. `is_falling`: values are known to fall when
    skin conductance rises.
    """

    name: str
    kind: str
    unit: str
    values: Array  # finite ones, in order
    even: Evenly
    range_: tuple[float, float] | None
    is_guess: bool
    share: float | None = None
    is_falling: bool = False

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.even.values) / self.even.rate_hz if self.even.rate_hz else 0.0

    def swing(self) -> float:
        """From the 5th to the 95th percentile."""
        low, high = np.percentile(self.values, (5, 95))
        return float(high - low)


def guess_adc_range(values: ArrayLike) -> tuple[float, float] | None:
    """The range of the smallest usual converter that holds the values; None when they are no counts.

    `strays` do not count: one garbled line must not make another converter of it.
    """
    every = np.asarray(values, dtype=np.float64)
    every = every[np.isfinite(every) & ~strays(every)]
    if not _are_counts(every):
        return None
    return next(((0.0, top) for top in TOPS if every.max() <= top), None)


def strays(values: ArrayLike) -> NDArray[np.bool_]:
    """Which counts no signal made: one in a hundred at most, far beyond all others.

    A board's line that lost some of its bytes and was spliced to the next reads as such a number. What the
    smallest usual converter can give is none; of values that are no counts nothing is said.
    """
    every = np.asarray(values, dtype=np.float64)
    finite = every[np.isfinite(every)]
    if not len(finite) or float(finite.max()) <= TOPS[0] or not _are_counts(finite):
        return np.zeros(every.shape, dtype=bool)
    at = int(USUAL * (len(finite) - 1))
    reach = STRAY * float(np.partition(finite, at)[at])
    return np.asarray(np.isfinite(every) & (every > max(reach, TOPS[0])))


def without_strays(values: ArrayLike) -> Array:
    """The values, NaN where they are `strays`; their own array where there is none."""
    every = np.asarray(values, dtype=np.float64)
    stray = strays(every)
    return np.where(stray, np.nan, every) if stray.any() else every


def _are_counts(finite: Array) -> bool:
    return bool(len(finite)) and finite.min() >= 0 and not np.any(finite != np.rint(finite))
