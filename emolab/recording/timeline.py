"""The times of a recorded stream gone through once: where it fell silent, and where samples may be missing.

They are read in blocks; what is kept of them does not grow with the stream. Refined times of a stream that
counts nothing are even between their corners, which then tell everything: hours of sound take no time at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from emolab.recording import layout
from emolab.recording.reader import RecordedStream

GAP_FLOOR_S = 0.02  # below that a step is the machine's jitter
STEP = 1.5  # periods: where times were refined, a longer interval lacks a sample
NEARLY = 0.8  # of that: noted, for the rate may yet turn out higher than the fit's
MANY = 500_000  # times beyond this number are thinned for the rate
BLOCK_ROWS = 1 << 18  # read together: 2 MB a column
ROWS_A_CORNER = 64  # where times have more, the corners alone are looked at

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_known: WeakKeyDictionary[RecordedStream, tuple[int, Timeline]] = WeakKeyDictionary()


class Leaps(NamedTuple):
    """Intervals between two rows in which samples may be missing, in order, `(m,)` each.

    `taken`: by how much the device's counter went on there, 0 where it does not tell.
    """

    before_s: Floats
    after_s: Floats
    taken: Ints


@dataclass(frozen=True)
class Timeline:
    """A stream's times, thinned where they are many: `rows`, `times_s` `(m,)`; `gaps`: rows of all.

    `silent_s`: when it fell silent, before each gap. `ends_s`: of each chunk's last row. `marks`, `marks_s`:
    rows, the first and the last among them, between which no step is longer than 20 ms, or all are the same.
    """

    rows: NDArray[np.intp]
    times_s: Floats
    gaps: NDArray[np.intp]
    silent_s: Floats
    ends_s: Floats
    first_s: float | None
    last_s: float | None
    leaps: Leaps
    marks: NDArray[np.intp]
    marks_s: Floats
    is_ascending: bool


def read_timeline(stream: RecordedStream) -> Timeline:
    """The timeline of the best times there are; read once, as long as nothing is added to `stream`."""
    count, line = _known.get(stream, (-1, None))
    if line is None or count != len(stream):
        count, line = len(stream), _of_corners(stream) or _of_blocks(stream)
        _known[stream] = count, line
    return line


def find_gaps(times_s: Floats) -> NDArray[np.intp]:
    """Rows before which time jumped by more than three samples, and was not caught up with within 0.25 s."""
    steps_s = np.diff(times_s)
    if len(steps_s) < 2 or steps_s.max() <= GAP_FLOOR_S:
        return np.zeros(0, np.intp)
    usual_s = float(np.median(steps_s))
    jumps = np.flatnonzero(steps_s > max(3 * usual_s, GAP_FLOOR_S))
    return _never_caught_up(jumps, steps_s[jumps], usual_s, len(times_s), lambda rows: times_s[rows]) + 1


def _never_caught_up(
    jumps: NDArray[np.intp], steps_s: Floats, usual_s: float, count: int, at: Callable[[Any], Floats]
) -> NDArray[np.intp]:
    """Those of the `jumps` after which the following rows stay late. `at`: times of some of `count` rows."""
    ahead = np.minimum(jumps + _caught_up_rows(usual_s), count - 1)
    return jumps[at(ahead) - at(jumps) - (ahead - jumps) * usual_s > (steps_s - usual_s) / 2]


def _caught_up_rows(usual_s: float) -> int:
    return 2 + int(0.25 / max(usual_s, 1e-5))


def _ends(stream: RecordedStream) -> NDArray[np.int64]:
    """The last row of each chunk."""
    starts = stream.arrivals()[0]
    ends = np.append(starts[1:], len(stream))[: len(starts)] - 1
    return ends[ends < len(stream)]


def _steep_s(stream: RecordedStream, facts: dict[str, Any]) -> float:
    """Refined times: a step so long may lack a sample."""
    rate_hz = float(facts.get("rate_hz") or stream.info.nominal_rate_hz or 1.0)
    return NEARLY * STEP / rate_hz


# even between corners


def _of_corners(stream: RecordedStream) -> Timeline | None:
    """The timeline from the corners of the refined times, or None where all times have to be looked at."""
    ticks, times_us, facts = stream.fit()
    count = len(stream)
    is_even = 0 < len(ticks) <= count // ROWS_A_CORNER and facts["by"] == "row"
    if not is_even or stream.columns.is_used("counter"):
        return None

    def at(rows: Any) -> Floats:
        return np.interp(rows, ticks, times_us) / 1e6

    whole = np.concatenate([[0.0, count - 1], np.floor(ticks), np.ceil(ticks)])
    turns = np.unique(np.clip(whole, 0, count - 1)).astype(np.intp)
    taken = np.diff(turns)
    steps_s = np.diff(at(turns)) / taken
    is_steep = steps_s > min(_steep_s(stream, facts), GAP_FLOOR_S)
    if (taken[is_steep] > 1).any():  # slower for a while
        return None
    usual_s = _weighted_median(steps_s, taken)
    is_jump = steps_s > max(3 * usual_s, GAP_FLOOR_S)
    gaps = _never_caught_up(turns[:-1][is_jump], steps_s[is_jump], usual_s, count, at) + 1
    rows = np.arange(0, count, max(1, count // MANY))
    leaps = turns[:-1][is_steep]
    return Timeline(
        rows, at(rows), gaps, at(gaps - 1), at(_ends(stream)), float(at(0)), float(at(count - 1)),
        Leaps(at(leaps), at(leaps + 1), np.zeros(len(leaps), np.int64)),
        turns, at(turns), bool((steps_s >= 0).all()),
    )  # fmt: skip


def _weighted_median(values: Floats, weights: NDArray[np.intp]) -> float:
    order = np.argsort(values)
    upto = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(upto, upto[-1] / 2)]])


# block by block


class _Block(NamedTuple):
    """Some rows of a stream, and the one before them: from row `first` on. `counter`: where each has one."""

    first: int
    times_s: Floats
    counter: Ints | None


def _of_blocks(stream: RecordedStream) -> Timeline:
    thin = max(1, len(stream) // MANY)
    is_refined = len(stream.fit()[0]) > 0
    steep_s = _steep_s(stream, stream.fit()[2]) if is_refined else np.inf
    ends = _ends(stream)
    kept, ends_s, begins, is_counted = [], [], [], []
    search, marks, leaps = _GapSearch(len(stream)), _Marks(), _Noted()
    start, last_s = 0, None
    for block in _blocks(stream):
        new_s = block.times_s[start - block.first :]
        kept.append(new_s[-start % thin :: thin].copy())  # a view would keep the whole block
        ends_s.append(
            new_s[ends[np.searchsorted(ends, start) : np.searchsorted(ends, start + len(new_s))] - start]
        )
        search.take(start, new_s)
        marks.take(block)
        leaps.take(block, steep_s)
        begins.append(start)
        is_counted.append(block.counter is not None)
        start, last_s = start + len(new_s), float(new_s[-1])
    gaps, silent_s, after_s = search.found()
    if not is_refined and len(gaps):  # where nothing counts, a gap is all there is to tell by
        is_told = ~np.array(is_counted)[np.searchsorted(begins, gaps, side="right") - 1]
        leaps.add(gaps[is_told] - 1, silent_s[is_told], after_s[is_told])
    return Timeline(
        np.arange(0, len(stream), thin), _joined(kept), gaps, silent_s, _joined(ends_s),
        float(kept[0][0]) if kept else None, last_s, leaps.in_order(), *marks.found(),
    )  # fmt: skip


def _blocks(stream: RecordedStream) -> Iterator[_Block]:
    has_counter = stream.columns.is_used("counter")
    before_s, before, start = np.zeros(0), np.zeros(0, np.int64), 0
    for piece_s in stream.time_slices_s(BLOCK_ROWS):
        times_s = np.concatenate([before_s, piece_s])
        counter = None
        if has_counter and (told := stream.counter(start, start + len(piece_s))) is not None:
            counter = np.concatenate([before, told])
            before = told[-1:]
            if len(counter) < len(times_s) or (counter == layout.MISSING).any():
                counter = None
        else:
            before = before[:0]
        yield _Block(start - len(before_s), times_s, counter)
        before_s = piece_s[-1:].copy()
        start += len(piece_s)


class _GapSearch:
    """Finds gaps in times that come in blocks: one at a seam is judged by what follows."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._held = np.zeros(0)
        self._rows: list[NDArray[np.intp]] = []
        self._before_s: list[Floats] = []
        self._after_s: list[Floats] = []

    def take(self, start: int, times_s: Floats) -> None:
        """The times of the rows from `start` on."""
        first = start - len(self._held)
        held = np.concatenate([self._held, times_s])
        steps_s = np.diff(held)
        overlap = 0
        if len(steps_s) and steps_s.max() > GAP_FLOOR_S:
            if start + len(times_s) < self._count:
                overlap = min(_caught_up_rows(float(np.median(steps_s))) + 1, len(held) - 1)
            sure = len(held) - overlap  # before this row there is enough to judge by
            found = find_gaps(held)
            found = found[found < sure]
            self._rows.append(found + first)
            self._before_s.append(held[found - 1])
            self._after_s.append(held[found])
        self._held = held[len(held) - overlap - 1 :].copy()

    def found(self) -> tuple[NDArray[np.intp], Floats, Floats]:
        """Rows after the gaps, the times before them and theirs."""
        rows = np.concatenate([np.zeros(0, np.intp), *self._rows])
        return rows, _joined(self._before_s), _joined(self._after_s)


class _Marks:
    """Each block's first and last row, and those before and after a hole."""

    def __init__(self) -> None:
        self._rows = [np.zeros(0, np.intp)]
        self._times_s = [np.zeros(0)]
        self._is_ascending = True

    def take(self, block: _Block) -> None:
        """The next block."""
        steps_s = np.diff(block.times_s)
        holes = np.flatnonzero(steps_s > GAP_FLOOR_S)
        rows = np.unique(np.concatenate([[0, len(block.times_s) - 1], holes, holes + 1]))
        self._rows.append(rows + block.first)
        self._times_s.append(block.times_s[rows])
        self._is_ascending &= not len(steps_s) or bool(steps_s.min() >= 0)

    def found(self) -> tuple[NDArray[np.intp], Floats, bool]:
        """Rows, their times, and whether none is earlier than the one before it."""
        rows, first = np.unique(np.concatenate(self._rows), return_index=True)
        return rows, np.concatenate(self._times_s)[first], self._is_ascending


class _Noted:
    """Leaps as they are found, in whatever order."""

    def __init__(self) -> None:
        self._parts: list[tuple[NDArray[np.intp], Floats, Floats, Ints]] = []

    def take(self, block: _Block, steep_s: float) -> None:
        """Note where the counter leapt, and steps longer than `steep_s`."""
        steps_s = np.diff(block.times_s)
        if block.counter is None:
            at = np.flatnonzero(steps_s > steep_s)
            taken = np.zeros(len(at), np.int64)
        else:
            every = np.diff(block.counter)
            at = np.flatnonzero((every > 1) | (steps_s > steep_s))
            taken = np.maximum(every[at], 0)
        self.add(at + block.first, block.times_s[at], block.times_s[at + 1], taken)

    def add(
        self, rows: NDArray[np.intp], before_s: Floats, after_s: Floats, taken: Ints | None = None
    ) -> None:
        """Note those after these rows."""
        if len(rows):
            told = np.zeros(len(rows), np.int64) if taken is None else taken
            self._parts.append((rows, before_s, after_s, told))

    def in_order(self) -> Leaps:
        """All of them, by row."""
        if not self._parts:
            return Leaps(np.zeros(0), np.zeros(0), np.zeros(0, np.int64))
        rows, before_s, after_s, taken = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        order = np.argsort(rows, kind="stable")
        return Leaps(before_s[order], after_s[order], taken[order])


def _joined(parts: list[Floats]) -> Floats:
    return np.concatenate([np.zeros(0), *parts])
