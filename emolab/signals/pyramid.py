"""A signal of any length drawn in the time a second takes: least and greatest of ever longer stretches.

The first level holds the least and the greatest of each 16 samples, each further one of four stretches of
the one below; a view takes the coarsest that still has a stretch or more for each pixel, so every spike is
seen at every zoom. Samples stay the integers they were recorded as, all levels together take a sixth more.
Where samples are missing there is a hole, at every level that can show it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.signals.moments import Moments

FIRST = 16  # samples in a stretch of the first level
STEP = 4
SMALL = 512  # a level with fewer stretches than this has none above it
Values = NDArray[np.float32]
Times = NDArray[np.float64]
Raw = NDArray[Any]


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


class _Kept(NamedTuple):
    """All that is known at one moment, replaced as a whole: another thread may be drawing."""

    rows: int
    levels: tuple[tuple[Raw, Raw], ...]  # least and greatest; the first is the samples, with room to grow
    holes: NDArray[np.int64]  # first row after each
    holes_s: Times


class Pyramid:
    """One signal; `times_s` `(n,)` in order, `values` `(n,)`. NaN in `values` is a hole.

    Where two times lie further apart than `gap_s`, there is a hole too. What is seen is `values * scale +
    offset`. `append` adds more. `room`: how many there will be, as far as known. `moments`: times that
    several signals share; whoever shares them appends to them, before. Raises `DataError` when times and
    values differ in length.
    """

    def __init__(
        self,
        times_s: Times | None = None,
        values: Raw | None = None,
        gap_s: float = np.inf,
        *,
        scale: float = 1.0,
        offset: float = 0.0,
        room: int = 0,
        moments: Moments | None = None,
    ) -> None:
        self._gap_s, self._scale, self._offset, self._room = gap_s, scale, offset, room
        self._shares = moments is not None
        self.moments = moments if moments is not None else Moments()
        self._kept = _Kept(0, (), np.zeros(0, np.int64), np.zeros((0, 2)))
        if times_s is not None and values is not None:
            self.append(times_s, values)

    def __len__(self) -> int:
        return self._kept.rows

    @property
    def nbytes(self) -> int:
        """Memory of the levels, beyond that of the samples."""
        return sum(low.nbytes + high.nbytes for low, high in self._kept.levels[1:])

    def append(self, times_s: Times, values: Raw, high: Raw | None = None) -> None:
        """More of it. `high`: the greatest where `values` are the least of stretches, from the first on."""
        if len(times_s) != len(values):
            raise DataError(f"{len(times_s)} times but {len(values)} values; a signal has one for each")
        kept = self._kept
        times_s, values = np.asarray(times_s, np.float64), np.asarray(values)
        if values.dtype.kind not in "iu" or values.dtype.itemsize > 4:
            values, high = values.astype(np.float32), None if high is None else high.astype(np.float32)
        if not len(values):
            return
        before_s = self.moments.at(np.array([kept.rows - 1])) if kept.rows else times_s[:1]
        edges_s = np.concatenate([before_s, times_s])
        found = np.flatnonzero(np.diff(edges_s) > self._gap_s)
        holes = np.concatenate([kept.holes, kept.rows + found])
        holes_s = np.concatenate([kept.holes_s, np.stack([edges_s[found], edges_s[found + 1]], axis=1)])
        if not self._shares:
            self.moments.append(times_s)
        count = kept.rows + len(values)
        levels = [_with(kept.levels, 0, kept.rows, (values, values if high is None else high), self._room)]
        start, width, size = kept.rows, 1, count
        while size > SMALL:
            step = FIRST if width == 1 else STEP
            start = start // step if len(levels) < len(kept.levels) else 0
            width *= step
            below = [part[start * step : size] for part in levels[-1]]
            size = -(-size // step)
            new = _coarser(below[0], _least, step), _coarser(below[1], _greatest, step)
            levels.append(_with(kept.levels, len(levels), start, new, -(-self._room // width)))
        self._kept = _Kept(count, tuple(levels), holes, holes_s)

    def view(self, from_s: float, to_s: float, pixels: int) -> View:
        """What is seen from `from_s` to `to_s` on so many pixels; a stretch beyond either edge comes along.

        At least one stretch a pixel where there are samples enough; at most `FIRST` for each, and two,
        or `SMALL` in all.
        """
        kept = self._kept
        start, stop = (min(self.moments.search(edge_s), kept.rows) for edge_s in (from_s, to_s))
        start, stop = max(start - 1, 0), min(stop + 1, kept.rows)
        level, width = 0, 1
        while level + 1 < len(kept.levels) and (stop - start) // (width * (STEP if level else FIRST)) >= max(
            pixels, 1
        ):
            width *= STEP if level else FIRST
            level += 1
        first, last = start // width, -(-stop // width)
        times_s = self.moments.at(np.arange(first * width, min(last * width, kept.rows), width))
        if not kept.levels:
            return View(times_s, np.zeros(0, np.float32), np.zeros(0, np.float32), True)
        low, high = (self._in_unit(part[first:last]) for part in kept.levels[level])
        if self._scale < 0:
            low, high = high, low
        is_exact = not level and kept.levels[0][0] is kept.levels[0][1]
        if level:
            seen = slice(*np.searchsorted(kept.holes_s[:, 0], (from_s, to_s)))
            after = max(seen.start - 1, 0)  # one may have begun before
            return View(times_s, low, high, False, kept.holes_s[after : seen.stop])
        inside = slice(*np.searchsorted(kept.holes, (start + 1, stop)))
        if inside.stop > inside.start:  # a sample that is none, right after the last before each hole
            places = kept.holes[inside] - start
            times_s = np.insert(times_s, places, times_s[places - 1] + self._gap_s / 2)
            low, high = (np.insert(part, places, np.float32(np.nan)) for part in (low, high))
        return View(times_s, low, low if is_exact else high, is_exact)

    def value_at(self, time_s: float) -> float:
        """The newest sample not after a moment, NaN before the first and in a hole."""
        kept = self._kept
        row = min(self.moments.search(time_s, "right"), kept.rows) - 1
        if row < 0:
            return np.nan
        at = int(np.searchsorted(kept.holes, row + 1))
        if (
            at < len(kept.holes)
            and kept.holes[at] == row + 1
            and time_s > kept.holes_s[at, 0] + self._gap_s / 2
        ):
            return np.nan
        return float(self._in_unit(kept.levels[0][1][row : row + 1])[0])

    def range(self, from_s: float, to_s: float) -> tuple[float, float]:
        """Least and greatest value from `from_s` to `to_s`; NaN twice when nothing was recorded there."""
        seen = self.view(from_s, to_s, SMALL)
        if not len(seen.low) or np.isnan(seen.low).all():
            return np.nan, np.nan
        return float(np.nanmin(seen.low)), float(np.nanmax(seen.high))

    def _in_unit(self, part: Raw) -> Values:
        if self._scale == 1.0 and not self._offset:
            return part.astype(np.float32)
        return np.asarray(part * self._scale + self._offset, np.float32)


def _with(
    levels: tuple[tuple[Raw, Raw], ...], level: int, start: int, new: tuple[Raw, Raw], room: int
) -> tuple[Raw, Raw]:
    """A level with `new` from `start` on; it grows by a quarter more than it must."""
    ends = start + len(new[0])
    if level >= len(levels):
        old: tuple[Raw, Raw] | None = None
    else:
        old = levels[level]
    is_one = new[0] is new[1]
    if old is None or len(old[0]) < ends:
        size = max(ends if old is None else ends + ends // 4, room)
        grown = [np.empty(size, part.dtype) for part in (new[:1] if is_one else new)]
        for place, part in enumerate(grown):
            if old is not None:
                part[:start] = old[place][:start]
        old = grown[0], grown[-1]
    for part, more in zip(old, new, strict=True):
        part[start:ends] = more
    return old


def _least(one: Raw, other: Raw) -> Raw:
    least: Raw = (np.fmin if one.dtype.kind == "f" else np.minimum)(one, other)
    return least


def _greatest(one: Raw, other: Raw) -> Raw:
    greatest: Raw = (np.fmax if one.dtype.kind == "f" else np.maximum)(one, other)
    return greatest


def _coarser(values: Raw, pick: Any, step: int) -> Raw:
    """The least (or greatest) of each `step` values, a power of two; NaN only where all are."""
    whole = len(values) // step * step
    found = values[:whole]
    for _ in range(step.bit_length() - 1):
        found = pick(found[0::2], found[1::2])
    if whole < len(values):
        rest = values[whole:]
        while len(rest) > 1:
            rest = pick(rest[: -(len(rest) // 2)], rest[len(rest) // 2 :])
        found = np.append(found, rest)
    return found
