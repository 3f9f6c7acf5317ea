"""A signal of any length drawn in the time a second takes: least and greatest of ever longer stretches.

Level k holds the least and the greatest of each 4^k samples; a view takes the coarsest level that still
has a stretch or more for each pixel, so every spike is seen at every zoom. All levels together take two
thirds of the memory of the samples themselves. Where samples are missing there is a hole, at every
level that can show it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError

STEP = 4
SMALL = 512  # a level with fewer stretches than this has none above it
Values = NDArray[np.float32]
Times = NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """What to draw: for each stretch its begin, its least and its greatest value, all `(m,)`.

    Where `low` is NaN nothing was recorded. `is_exact`: each stretch is one sample, and `low` and
    `high` are the same. `holes_s`: `(k, 2)` last sample before and first after each hole in sight, which
    stretches wider than a hole cannot show.
    """

    times_s: Times
    low: Values
    high: Values
    is_exact: bool
    holes_s: Times = field(default_factory=lambda: np.zeros((0, 2)))


class Pyramid:
    """One signal; `times_s` `(n,)` in order, `values` `(n,)`. NaN in `values` is a hole.

    Where two times lie further apart than `gap_s`, there is a hole too. Raises `DataError` when the
    two differ in length.
    """

    def __init__(self, times_s: Times, values: NDArray[np.floating] | Values, gap_s: float = np.inf) -> None:
        if len(times_s) != len(values):
            raise DataError(f"{len(times_s)} times but {len(values)} values; a signal has one for each")
        times_s, exact = np.asarray(times_s, np.float64), np.asarray(values, np.float32)
        self.holes_s = np.zeros((0, 2))
        if len(times_s) and gap_s < np.inf:
            holes = np.flatnonzero(np.diff(times_s) > gap_s)
            self.holes_s = np.stack([times_s[holes], times_s[holes + 1]], axis=1)
            if len(holes):  # a sample that is none, right after the last before the gap
                times_s = np.insert(times_s, holes + 1, times_s[holes] + gap_s / 2)
                exact = np.insert(exact, holes + 1, np.float32(np.nan))
        self.times_s, self.values = times_s, exact
        self._levels: list[tuple[Values, Values]] = []
        low = high = exact
        while len(low) > SMALL:
            low, high = _coarser(low, np.fmin), _coarser(high, np.fmax)
            self._levels.append((low, high))

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def nbytes(self) -> int:
        """Memory of the levels, beyond that of the samples."""
        return sum(low.nbytes + high.nbytes for low, high in self._levels)

    def view(self, from_s: float, to_s: float, pixels: int) -> View:
        """What is seen from `from_s` to `to_s` on so many pixels; a stretch beyond either edge comes along.

        At least one stretch a pixel where there are samples enough; at most `STEP` for each, and two,
        or `SMALL` in all.
        """
        start, stop = np.searchsorted(self.times_s, (from_s, to_s)).tolist()
        start, stop = max(start - 1, 0), min(stop + 1, len(self))
        level = 0
        while level < len(self._levels) and (stop - start) // STEP ** (level + 1) >= max(pixels, 1):
            level += 1
        if not level:
            part = self.values[start:stop]
            return View(self.times_s[start:stop], part, part, True)
        width = STEP**level
        first, last = start // width, -(-stop // width)
        low, high = self._levels[level - 1]
        times_s = self.times_s[first * width : last * width : width]
        seen = slice(*np.searchsorted(self.holes_s[:, 0], (from_s, to_s)))
        after = max(seen.start - 1, 0)  # one may have begun before
        return View(times_s, low[first:last], high[first:last], False, self.holes_s[after : seen.stop])

    def range(self, from_s: float, to_s: float) -> tuple[float, float]:
        """Least and greatest value from `from_s` to `to_s`; NaN twice when nothing was recorded there."""
        seen = self.view(from_s, to_s, SMALL)
        if not len(seen.low) or np.isnan(seen.low).all():
            return np.nan, np.nan
        return float(np.nanmin(seen.low)), float(np.nanmax(seen.high))


def _coarser(values: Values, least: np.ufunc) -> Values:
    """The least (or greatest) of each `STEP` values; NaN only where all are."""
    whole = len(values) // STEP * STEP
    rows = values[:whole].reshape(-1, STEP)
    found = least(least(rows[:, 0], rows[:, 1]), least(rows[:, 2], rows[:, 3]))
    if whole < len(values):
        found = np.append(found, least.reduce(values[whole:]))
    return np.asarray(found, np.float32)
