"""Where a device that counts nothing skipped a beat: arrays in, arrays out.

Rows of a board without counter or clock come evenly, except where a line was lost or the board
paused: from there on every row is late, for good. A row that was merely handed over late is made
up for by the next ones.

A board with a crystal loses whole samples. Once its period is known to some parts per million, how
many are missing is the number of periods that all that follows is late by, and its rows lie on one
straight line. The period is found by trying: first many in a few seconds, then the likely ones in
stretches twice as long, again and again. A board that paces itself by waiting (PhysioKit's sketch)
has no such period: it is followed by the earliest of each dozen chunks, steps and all. Which of both
a board is, its delays tell: those left over are shorter when it is taken for what it is.

Trap: when bursts come at multiples of the period tried, with enough samples missing that fits
anything. Such a period is believed only if hardly anything is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emolab.recording.timing import SHORT_POINTS, SHORT_S, Floats, Line, fit_line

STEP = 0.6  # of a sample's period: the least step that counts where the board paces itself
SURE = 4.0  # and so many times its error
EARLY = (0.25, 0.2, 0.15, 0.1, 0.1)  # of a period: so far a row may be before its line, round by round
ALIKE = 0.1  # of a period: shorter delays tell nothing
CHUNKS = 12  # the earliest of so many is on time, but for the least delay
LEAST_REACH_S = 0.012
LOCAL_S = 10.0  # a board that paces itself keeps its rate so long, roughly
CORNER_S = 0.05  # and is followed from one corner to the next so much later
FIRST_S = 8.0  # so long a stretch is unwrapped with a period that is right to some 150 ppm
TRIAL_S = 32.0  # of a stretch this long all likely periods are tried
SCAN = (0.86, 1.005, 150e-6)  # of the mean interval
BANDS = 14  # in each of them one period is likely
PRICE = 3.0  # what telling a step costs (nats), on top of telling where it is
FREEDOM = 0.68  # what following a board costs, a chunk: measured, half way between boards of either kind
ROWS_IN_BURSTS = 2
DOUBTFUL = 2  # chunks after a step that may belong before it
SURE_CHUNKS = 3  # at the end
DOUBT = 300.0  # periods whose badness is within so much of the best may be true as well
WIDER = 1.2
VAGUE = 0.2  # of what was found: when others differ by more, it may be anything up to the most sought
UNSURE = 0.01  # of the steps' sizes may be one off
TRAP = 0.005  # of a period
TRAP_SHARE = 0.005


class _Seen(NamedTuple):
    """Chunks: the last and the first row of each, and when it was in hand."""

    rows: NDArray[np.int64]
    first_rows: NDArray[np.int64]
    at_s: Floats

    def middle(self, length_s: float) -> _Seen:
        """Those in the middle that span so many seconds."""
        middle_s = (self.at_s[0] + self.at_s[-1]) / 2
        first, last = np.searchsorted(self.at_s, [middle_s - length_s / 2, middle_s + length_s / 2])
        part = slice(int(first), max(int(last), int(first) + 2 * SHORT_POINTS))
        return _Seen(self.rows[part], self.first_rows[part], self.at_s[part])

    @property
    def reach(self) -> int:
        """`CHUNKS`, or more where they come in quick succession."""
        usual_s = float(np.median(np.diff(self.at_s)))
        return min(max(CHUNKS, int(LEAST_REACH_S / max(usual_s, 1e-4))), len(self.rows))


@dataclass(frozen=True)
class Steps:
    """Rows before which time is missing.

    `rows`: `(m,)` the first row after each; `seconds`: what is missing there beyond the ordinary
    interval. `is_whole`: True when they are multiples of the period. `line`: the rows less what
    is missing. `bounds`: how many samples are missing at least and at most.
    """

    rows: NDArray[np.int64]
    seconds: Floats
    is_whole: bool
    line: Line
    bounds: tuple[int, int] = (0, 0)

    @property
    def missing(self) -> NDArray[np.int64]:
        """Samples that would have filled each step, `(m,)`."""
        return np.maximum(np.rint(self.seconds / self.line.period_s), 0).astype(np.int64)

    def at(self, rows: NDArray[np.int64]) -> Floats:
        """Times of `rows`."""
        before_s = np.concatenate([[0.0], np.cumsum(self.seconds)])
        return np.asarray(self.line.at(rows) + before_s[np.searchsorted(self.rows, rows, side="right")])


def find_steps(
    rows: NDArray[np.int64], first_rows: NDArray[np.int64], seen_s: Floats, period_s: float
) -> Steps:
    """The steps in rows that were handed over in chunks.

    `rows`, `first_rows`: the last and first row of each chunk, `(n,)`; `seen_s`: when it was in hand.
    `period_s`: a sample's, roughly; it stands where there is too little to learn it from.
    """
    seen = _Seen(rows, first_rows, seen_s)
    if len(rows) < 4 * CHUNKS or seen_s[-1] - seen_s[0] < SHORT_S:
        return Steps(np.zeros(0, np.int64), np.zeros(0), True, fit_line(rows, seen_s, period_s, is_late=True))
    followed = _follow(seen)
    trial = seen.middle(TRIAL_S)
    tried = [_unwrap_ever_more(trial, guess_s, FIRST_S) for guess_s in _likely_periods(seen.middle(FIRST_S))]
    told = np.array([_badness(steps, trial) for steps in tried])
    best = tried[int(np.argmin(told + [10 * DOUBT * _is_trap(steps, trial) for steps in tried]))]
    whole = _unwrap_ever_more(seen, best.line.period_s, 2 * TRIAL_S)
    limit = _badness(best, trial) + DOUBT
    shares = [_share(steps) for steps, badness in zip(tried, told, strict=True) if badness < limit]
    below, above = _share(best) - min(shares), max(shares) - _share(best)
    low, high = _bounds(whole, seen, below, above)
    high = min(high, max(_most(followed, seen), int(1.1 * whole.missing.sum()) + 2))
    if _badness(whole, seen) < _badness(followed, seen):
        return replace(whole, bounds=(low, high))
    # whether it paused or a line was lost nobody can tell; and in bursts, not even single steps
    paused = int(np.ceil(followed.seconds / followed.line.period_s).sum())
    in_bursts = np.mean(np.diff(rows)) > ROWS_IN_BURSTS
    return replace(followed, bounds=(0, max(paused, high) if in_bursts else paused))


def _follow(seen: _Seen) -> Steps:
    """The earliest of each dozen chunks, however the rate changes; jumps are steps."""
    base_s = _local_base_s(seen)
    late_s = seen.at_s - base_s
    reach = seen.reach
    after = _least_ahead(late_s, reach)
    # of all dozens a chunk is in, the one whose earliest is latest: a jump stays a jump
    least_s = -_least_ahead(-after[::-1], reach)[::-1]
    noise_s = 2 * float(np.median(late_s - after)) / (reach + 1)  # the least of n scatters by an n-th of one
    period_s = float(np.median(np.diff(base_s) / np.diff(seen.rows)))
    jumps_s = np.diff(least_s, prepend=least_s[:1])
    at = np.flatnonzero(jumps_s > max(STEP * period_s, SURE * noise_s))
    steps_s = np.zeros(len(seen.rows))
    steps_s[at] = jumps_s[at]
    even_s = base_s + least_s - np.cumsum(steps_s)
    corner = np.unique(np.floor((seen.at_s - seen.at_s[0]) / CORNER_S), return_index=True)[1]
    corner = np.union1d(corner, [0, len(seen.rows) - 1])
    line = Line(seen.rows[corner].astype(np.float64), even_s[corner], late_s - least_s)
    return Steps(seen.first_rows[at], jumps_s[at], False, line)


def _local_base_s(seen: _Seen) -> Floats:
    """Times of the rows by the local rate, as the median of slopes tells it."""
    span = min(4 * CHUNKS, len(seen.rows) // 2)
    slopes = (seen.at_s[span:] - seen.at_s[:-span]) / (seen.rows[span:] - seen.rows[:-span])
    pieces = max(1, round((seen.at_s[-1] - seen.at_s[0]) / LOCAL_S))
    edges = np.linspace(0, len(slopes), pieces + 1).astype(int)
    middles = (edges[1:] + edges[:-1]) / 2 + span / 2
    local = np.interp(
        np.arange(len(seen.rows)), middles, [np.median(slopes[first:stop]) for first, stop in pairwise(edges)]
    )
    return np.concatenate([[0.0], np.cumsum(np.diff(seen.rows) * (local[1:] + local[:-1]) / 2)])


def _likely_periods(seen: _Seen) -> list[float]:
    """In each band the period that leaves the shortest delays when whole samples are missing.

    Nothing is fitted: many are tried, from the mean interval down to that with a seventh missing.
    """
    elapsed_s = seen.at_s - seen.at_s[0]
    rows = seen.rows - seen.rows[0]
    reach = seen.reach
    found = []
    for period_s in elapsed_s[-1] / rows[-1] * np.arange(*SCAN):
        late_s = elapsed_s - period_s * rows
        late_s -= late_s[:reach].min()
        counts = np.minimum.accumulate(np.floor(late_s / period_s + EARLY[0])[::-1])[::-1]
        late_s -= period_s * counts
        mean_s = float(np.mean(np.abs(late_s - np.quantile(late_s, 0.02)))) + ALIKE * period_s
        told = max(int(np.count_nonzero(np.diff(counts))), 1)
        badness = len(rows) * float(np.log(mean_s)) + told * (PRICE + float(np.log(len(rows) / told)))
        found.append((badness, float(period_s)))
    bands = np.array_split(np.arange(len(found)), BANDS)
    return [min(found[i] for i in band)[1] for band in bands]


def _unwrap_ever_more(seen: _Seen, period_s: float, length_s: float) -> Steps:
    """Whole steps, the period learnt from a short stretch, then from ones twice as long."""
    while True:
        part = seen.middle(length_s)
        found = _unwrap(part, period_s)
        if len(part.rows) == len(seen.rows):
            return found
        period_s = found.line.period_s
        length_s *= 2


def _unwrap(seen: _Seen, period_s: float) -> Steps:
    """Whole steps of a board whose period is known well enough for so long a stretch."""
    reach = seen.reach
    base_s = period_s * (seen.rows - seen.rows[0])
    base_s = base_s + float(np.min((seen.at_s - base_s)[:reach]))
    found: Steps | None = None
    for early in EARLY:
        after = _least_ahead(seen.at_s - base_s, reach)
        counts = np.floor(after / period_s + early)
        counts[-SURE_CHUNKS:] = counts[-SURE_CHUNKS]  # what is late at the end may yet be made up for
        counts = np.minimum.accumulate(counts[::-1])[::-1]  # what later is on time was not missing before
        taken = np.diff(counts, prepend=0.0)
        at = np.flatnonzero(taken > 0)
        sure = np.ones(len(seen.rows), np.bool_)
        for doubt in range(DOUBTFUL):  # a step laid a chunk too soon would put rows before their time
            sure[np.minimum(at + doubt, len(sure) - 1)] = False
        if sure.sum() < 2 * SHORT_POINTS:
            sure[:] = True
        even_s = seen.at_s - np.cumsum(taken) * period_s
        line = fit_line(seen.rows[sure], even_s[sure], period_s, is_late=True)
        found = Steps(seen.first_rows[at], taken[at] * period_s, True, line)
        period_s, base_s = line.period_s, line.at(seen.rows)
    assert found is not None
    return found


def _badness(steps: Steps, seen: _Seen) -> float:
    """How ill the steps explain what was seen: exponential delays, and the cost of telling each step."""
    late_s = seen.at_s - steps.at(seen.rows)
    mean_s = float(np.mean(np.where(late_s > 0, late_s, -3 * late_s))) + ALIKE * steps.line.period_s
    told, chunks = max(len(steps.rows), 1), len(seen.rows)
    each = PRICE + float(np.log(chunks / told))
    rest = 0.5 * float(np.log(chunks)) * len(steps.line.ticks) if steps.is_whole else FREEDOM * chunks
    return chunks * float(np.log(mean_s)) + each * told + rest


def _is_trap(steps: Steps, seen: _Seen) -> bool:
    """True when bursts come at multiples of the period, and much is missing."""
    burst = float(np.median(np.diff(seen.at_s))) / steps.line.period_s
    return _share(steps) > TRAP_SHARE and burst > 1.5 and abs(burst - round(burst)) < TRAP


def _share(steps: Steps) -> float:
    """Missing samples, as a share of those that came."""
    first, last = steps.line.ticks[[0, -1]]
    return float(steps.missing.sum() / (last - first))


def _bounds(whole: Steps, seen: _Seen, below: float, above: float) -> tuple[int, int]:
    """How many are missing at least and at most, when periods that lack so much less or more may be true."""
    count, rows = int(whole.missing.sum()), int(seen.rows[-1] - seen.first_rows[0] + 1)
    at_end = int(seen.rows[-1] - seen.rows[-SURE_CHUNKS])
    slack = UNSURE * len(whole.rows) + (1 if count else 0)
    if rows * (below + above) > VAGUE * max(count, 10):
        above = max(above, 1 / SCAN[0] - 1)
    low = count - WIDER * rows * below - slack
    high = count + WIDER * rows * above + slack + 2 * at_end * count / rows
    return max(int(np.floor(low)), 0), int(np.ceil(high))


def _most(followed: Steps, seen: _Seen) -> int:
    """More cannot be missing: thrice as many as if the board's fastest second had lost nothing."""
    times_s = followed.at(seen.rows)
    seconds_s = np.arange(times_s[0], times_s[-1], 1.0)
    taken = np.diff(np.interp(seconds_s, times_s, seen.rows))
    return int(3 * (seen.rows[-1] - seen.rows[0]) * (taken.max() / np.mean(taken) - 1)) + 2


def _least_ahead(values: Floats, n: int) -> Floats:
    """The least of each value and the `n - 1` after it."""
    least, reach = values.copy(), 1
    while reach < n:
        step = min(reach, n - reach)
        least[:-step] = np.minimum(least[:-step], least[step:])
        reach += step
    return least
