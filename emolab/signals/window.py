"""A few seconds of one channel, as the judgements look at them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from emolab.signals.measures import Array, Evenly

CONVERTER_BITS = (10, 12, 14, 16, 24)


@dataclass(frozen=True)
class Window:
    """What the tests look at.

    `range_`: the converter's ends in the values' unit; `is_guess`: not told. `share`: how
    much of it can be used, 0 to 1, where `usable` read it.
    """

    name: str
    kind: str
    unit: str
    values: Array  # finite ones, in order
    even: Evenly
    range_: tuple[float, float] | None
    is_guess: bool
    share: float | None = None

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.even.values) / self.even.rate_hz if self.even.rate_hz else 0.0

    def swing(self) -> float:
        """From the 5th to the 95th percentile."""
        low, high = np.percentile(self.values, (5, 95))
        return float(high - low)


def guess_adc_range(values: ArrayLike) -> tuple[float, float] | None:
    """The range of the smallest usual converter that holds the values; None when they are no counts."""
    every = np.asarray(values, dtype=np.float64)
    every = every[np.isfinite(every)]
    if not len(every) or every.min() < 0 or np.any(every != np.rint(every)):
        return None
    tops = [(1 << bits) - 1.0 for bits in CONVERTER_BITS]
    return next(((0.0, top) for top in tops if every.max() <= top), None)
