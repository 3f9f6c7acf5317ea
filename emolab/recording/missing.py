"""Where a device that counts nothing skipped a beat: arrays in, arrays out.

Rows of a board without counter or clock come evenly, except where a line was lost or the board
paused: from there on every row is late, for good. A row that was merely handed over late is made
up for by the next ones. So at each chunk the earliest of the chunks that follow is compared with the
earliest of those before it; where the former is later by more than half a sample, rows are missing.

A board with a crystal loses whole samples. Once its period is known to some parts per million
(from half a minute; then from stretches twice as long, again and again), how many are missing is the
number of periods that all that follows is late by, and its rows lie on one straight line. A board
that paces itself by waiting pauses by any amount; its steps are kept as measured. Which
of both a board is, its delays tell: those that are left are shorter when it was taken for what it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emolab.recording.timing import CRYSTAL_S, SHORT_POINTS, SHORT_S, Floats, Line, fit_line

STEP = 0.6  # of a sample's period: the least step that counts
SURE = 4.0  # and so many times its error
EARLY = (0.25, 0.2, 0.15, 0.1, 0.1)  # of a period: so far a row may be before its line, round by round
ALIKE = 0.1  # of a period: shorter delays tell nothing
TRAP = 0.005  # of a period
TRAP_SHARE = 0.005
LEAST_REACH_S = 0.012
LOCAL_S = 10.0  # the rate is first sought in stretches of this length
FINEST_S = 4.0  # a board that paces itself changes its rate within so much
TRIAL_S = 32.0  # of a stretch this long all ways are tried
FIRST_S = 8.0  # so long a stretch is unwrapped with a period that is right to some 150 ppm
PRICE = 3.0  # what telling a step costs (nats), on top of telling where it is
SCAN = (0.86, 1.005, 150e-6)  # of the mean interval
BANDS = 14
SURE_CHUNKS = 3
CHUNKS = 12
ROUNDS = 4
DOUBT = 300.0  # periods whose badness is within so much of the best may be true as well
WIDER = 1.2
VAGUE = 0.2  # of what was found: when others differ by more, it may be anything up to the most sought
UNSURE = 0.01  # of the steps' sizes may be one off
DOUBTFUL = 2  # chunks after a step


class _Way(NamedTuple):
    """A way to look for steps.

    `span`, `quantile`: the rate is first taken to be so low a quantile of the slopes over so many
    chunks. `chunks`: so many are looked at on either side of a step.
    """

    span: int
    quantile: float
    chunks: int


WAYS = (_Way(1, 0.5, 4), _Way(12, 0.3, 4), _Way(12, 0.3, CHUNKS), _Way(48, 0.5, CHUNKS))


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


@dataclass(frozen=True)
class Steps:
    """Rows before which time is missing.

    `rows`: `(m,)` the first row after each; `seconds`: what is missing there beyond the ordinary
    interval. `noise_s`: the error of a step's size. `is_whole`: True when they are multiples of
    the period. `line`: the rows less what is missing. `bounds`: how many samples are missing at
    least and at most.
    """

    rows: NDArray[np.int64]
    seconds: Floats
    noise_s: float
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
    `period_s`: a sample's, within a tenth; it stands where there is too little to learn it from.
    """
    seen = _Seen(rows, first_rows, seen_s)
    if len(rows) < 4 * SHORT_POINTS or seen_s[-1] - seen_s[0] < SHORT_S:
        line = fit_line(rows, seen_s, period_s, is_late=True)
        return Steps(np.zeros(0, np.int64), np.zeros(0), 0.0, True, line)
    trial = seen.middle(TRIAL_S)
    ways = [way for way in WAYS if way.span < len(trial.rows) // 4]
    tried = sorted(((_settle(trial, way), way) for way in ways), key=lambda told: _badness(told[0], trial))
    free = _settle(seen, tried[0][1])
    guesses = {steps.line.period_s for steps, _ in tried} | set(_likely_periods(seen.middle(FIRST_S)))
    unwrapped = [_unwrap_ever_more(trial, guess_s, FIRST_S) for guess_s in guesses]
    told = np.array([_badness(steps, trial) for steps in unwrapped])
    best = unwrapped[int(np.argmin(told + [_is_trap(steps, trial) * 10 * DOUBT for steps in unwrapped]))]
    whole = _unwrap_ever_more(seen, best.line.period_s, 2 * TRIAL_S)
    if _badness(free, seen) < _badness(whole, seen):
        # whether it paused or a line was lost nobody can tell
        return replace(free, bounds=(0, int(np.ceil(free.seconds / free.line.period_s).sum())))
    limit = _badness(best, trial) + DOUBT
    shares = [_share(steps) for steps, badness in zip(unwrapped, told, strict=True) if badness < limit]
    return replace(whole, bounds=_bounds(whole, seen, _share(best) - min(shares), max(shares) - _share(best)))


def _is_trap(steps: Steps, seen: _Seen) -> bool:
    """True when bursts come at multiples of the period: with enough samples missing that fits anything."""
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


def _likely_periods(seen: _Seen) -> list[float]:
    """In each band the period that leaves the shortest delays when whole samples are missing.

    Nothing is fitted: many are tried, from the mean interval down to that with a seventh missing.
    """
    elapsed_s = seen.at_s - seen.at_s[0]
    rows = seen.rows - seen.rows[0]
    reach = _reach(seen, CHUNKS)
    found = []
    for period_s in elapsed_s[-1] / rows[-1] * np.arange(*SCAN):
        late_s = elapsed_s - period_s * rows
        late_s -= late_s[:reach].min()
        counts = np.minimum.accumulate(np.floor(late_s / period_s + EARLY[0])[::-1])[::-1]
        late_s -= period_s * counts
        mean_s = float(np.mean(np.abs(late_s - np.quantile(late_s, 0.02)))) + ALIKE * period_s
        told = max(int(np.count_nonzero(np.diff(counts))), 1)
        found.append(
            (len(rows) * float(np.log(mean_s)) + told * (PRICE + float(np.log(len(rows) / told))), period_s)
        )
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


def _badness(steps: Steps, seen: _Seen) -> float:
    """How ill the steps explain what was seen: exponential delays, and the cost of telling each step."""
    late_s = seen.at_s - steps.at(seen.rows)
    mean_s = float(np.mean(np.where(late_s > 0, late_s, -3 * late_s))) + ALIKE * steps.line.period_s
    told, chunks = max(len(steps.rows), 1), len(seen.rows)
    each = float(np.log(chunks / told)) + PRICE + (0.0 if steps.is_whole else 2.0)
    return chunks * float(np.log(mean_s)) + each * told + 0.5 * float(np.log(chunks)) * len(steps.line.ticks)


def _first_slopes(seen: _Seen, way: _Way) -> Floats:
    """Seconds a row at each chunk, from stretches of `LOCAL_S`."""
    slopes = (seen.at_s[way.span :] - seen.at_s[: -way.span]) / (
        seen.rows[way.span :] - seen.rows[: -way.span]
    )
    pieces = max(1, round((seen.at_s[-1] - seen.at_s[0]) / LOCAL_S))
    edges = np.linspace(0, len(slopes), pieces + 1).astype(int)
    local = [float(np.quantile(slopes[a:b], way.quantile)) for a, b in pairwise(edges)]
    middles = (edges[1:] + edges[:-1]) / 2 + way.span / 2
    return np.interp(np.arange(len(seen.rows)), middles, local)


def _settle(seen: _Seen, way: _Way) -> Steps:
    """Steps of any size and the rate, each found anew with the other."""
    slopes_s = _first_slopes(seen, way)
    base_s = np.concatenate([[0.0], np.cumsum(np.diff(seen.rows) * (slopes_s[1:] + slopes_s[:-1]) / 2)])
    period_s = float(np.median(slopes_s))
    found: Steps | None = None
    for _ in range(ROUNDS):
        at, sizes_s, noise_s = _steps_in(seen.at_s - base_s, period_s, _reach(seen, way.chunks))
        found = _laid(seen, at, sizes_s, noise_s, period_s, False)
        period_s, base_s = found.line.period_s, found.line.at(seen.rows)
    assert found is not None
    return found


def _unwrap(seen: _Seen, period_s: float) -> Steps:
    """Whole steps of a board whose period is known well enough for so long a stretch."""
    base_s = period_s * (seen.rows - seen.rows[0])
    reach = _reach(seen, CHUNKS)
    base_s = base_s + float(np.min((seen.at_s - base_s)[:reach]))
    found: Steps | None = None
    for early in EARLY:
        late_s = seen.at_s - base_s
        after = _least_ahead(late_s, reach)
        counts = np.floor(after / period_s + early)
        counts[-SURE_CHUNKS:] = counts[-SURE_CHUNKS]  # what is late at the end may yet be made up for
        counts = np.minimum.accumulate(counts[::-1])[::-1]  # what later is on time was not missing before
        taken = np.diff(counts, prepend=0.0)
        at = np.flatnonzero(taken > 0)
        found = _laid(seen, at, taken[at] * period_s, _noise_s(late_s, after, reach), period_s, True)
        period_s, base_s = found.line.period_s, found.line.at(seen.rows)
    assert found is not None
    return found


def _laid(
    seen: _Seen, at: NDArray[np.intp], sizes_s: Floats, noise_s: float, period_s: float, is_whole: bool
) -> Steps:
    """The steps before chunks `at`, and the line through the rest."""
    step_s = np.zeros(len(seen.rows))
    np.add.at(step_s, at, sizes_s)
    sure = np.ones(len(seen.rows), np.bool_)
    for doubt in range(DOUBTFUL):  # a step may be laid a chunk too soon: these would be before their time
        sure[np.minimum(at + doubt, len(sure) - 1)] = False
    if sure.sum() < 2 * SHORT_POINTS:
        sure[:] = True
    line = fit_line(
        seen.rows[sure],
        (seen.at_s - np.cumsum(step_s))[sure],
        period_s,
        is_late=True,
        finest_s=CRYSTAL_S if is_whole else FINEST_S,
    )
    return Steps(seen.first_rows[at], sizes_s, noise_s, is_whole, line)


def _steps_in(late_s: Floats, period_s: float, chunks: int) -> tuple[NDArray[np.intp], Floats, float]:
    """Chunks at which lateness rises for good, by how much, and the error of that."""
    after = _least_ahead(late_s, chunks)
    before = np.concatenate([[late_s[0]], _least_ahead(late_s[::-1], chunks)[::-1][:-1]])
    noise_s = _noise_s(late_s, after, chunks)
    least_s = max(STEP * period_s, SURE * noise_s)
    at: list[int] = []
    sizes_s: list[float] = []
    since = 0
    for k in np.flatnonzero(after - before > least_s).tolist():
        if k <= since or k + chunks > len(late_s):
            continue
        if after[k] - late_s[max(since, k - chunks) : k].min() < least_s:
            continue
        # what is flagged first may be a late chunk before the step: the step is where it is full
        ahead = after[k : k + chunks]
        if ahead.max() - ahead[0] < period_s:
            k += int(np.argmax(ahead > ahead.max() - 0.15 * period_s))
        at.append(k)
        sizes_s.append(float(after[k] - late_s[max(since, k - chunks) : k].min()))
        since = k
    return np.array(at, np.intp), np.array(sizes_s), noise_s


def _reach(seen: _Seen, chunks: int) -> int:
    """So many chunks, or more where they come in quick succession."""
    usual_s = float(np.median(np.diff(seen.at_s)))
    return min(max(chunks, int(LEAST_REACH_S / max(usual_s, 1e-4))), len(seen.rows))


def _noise_s(late_s: Floats, after: Floats, chunks: int) -> float:
    """The least of n delays scatters by an n-th of what one does; steps do not come into this."""
    return 2 * float(np.median(late_s - after)) / (chunks + 1)


def _least_ahead(values: Floats, n: int) -> Floats:
    """The least of each value and the `n - 1` after it."""
    least, reach = values.copy(), 1
    while reach < n:
        step = min(reach, n - reach)
        least[:-step] = np.minimum(least[:-step], least[step:])
        reach += step
    return least
