"""Where a device that counts nothing skipped a beat: arrays in, arrays out.

Rows of a board without counter or clock come evenly, except where a line was lost or the board
paused: from there on every row is late, for good. A row that was merely handed over late is made
up for by the next ones.

A board with a crystal loses whole samples (`crystal`); one that paces itself by waiting follows no
period (`paced`). Which of both a board is, its delays tell: those left over are shorter when it is
taken for what it is, by more than the freedom of following it explains.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emolab.recording.times.crystal import (
    AT_END,
    FIRST_S,
    LEAST,
    NEARLY,
    is_in_step,
    likely_periods,
    trap,
    unwrap,
)
from emolab.recording.times.paced import follow
from emolab.recording.times.steps import CHUNKS, Seen, Steps, cost
from emolab.recording.times.timing import SHORT_S, Floats, fit_line

# what following a board costs, a chunk, in bursts and else: measured, half way between boards of both kinds
FREEDOM_IN_BURSTS, FREEDOM = 0.24, 0.68
TRIAL_S = 32.0  # how much may be missing, stretches up to this long tell
DOUBT = 300.0  # nats: periods that cost so little more than the best may be true as well
POLISHED = {16.0: 32, 32.0: 4, 64.0: 4}  # in stretches so long, so many: longer ones start close enough
BESIDE, FINER = 0.5, 3  # of a period over the stretch, and so often half of it
CLEARLY = 1e-6  # nats
WIDER = 1.2  # the share missing over all may differ from that of the trial by so much
VAGUE = 0.2  # of what was found: when others differ by more, it may be anything up to the most sought
UNSURE = 0.01  # of the steps' sizes may be one off


def find_steps(
    rows: NDArray[np.int64], first_rows: NDArray[np.int64], seen_s: Floats, period_s: float
) -> Steps:
    """The steps in rows that were handed over in chunks.

    `rows`, `first_rows`: the last and first row of each chunk, `(n,)`; `seen_s`: when it was in hand.
    `period_s`: a sample's, roughly; it stands where there is too little to learn it from.
    """
    seen = Seen(rows, first_rows, seen_s)
    if len(rows) < 4 * CHUNKS or seen_s[-1] - seen_s[0] < SHORT_S:
        return Steps(np.zeros(0, np.int64), np.zeros(0), True, fit_line(rows, seen_s, period_s, is_late=True))
    followed = follow(seen)
    whole, below, above = _likeliest(seen)
    low, high = _bounds(whole, seen, below, above)
    if is_in_step(whole, seen, NEARLY):
        low = 0  # a board a little slower would look the same
    high = min(high, max(_most(followed, seen), int(1.1 * whole.missing.sum()) + 2))
    if _badness(whole, seen) < _badness(followed, seen):
        return replace(whole, bounds=(low, high))
    # whether it paused or a line was lost nobody can tell; and in bursts, not even single steps
    paused = int(np.ceil(followed.seconds / followed.line.period_s).sum())
    return replace(followed, bounds=(0, max(paused, high) if seen.is_in_bursts else paused))


def _likeliest(seen: Seen) -> tuple[Steps, float, float]:
    """The steps by the likeliest period, and by how much less and more may be missing (a share of all rows).

    Of the periods tried each round keeps the better half, and judges it by a stretch twice as long.
    """
    length_s, periods_s = FIRST_S, likely_periods(seen)
    below = above = 0.0
    while True:
        part = seen.middle(length_s)
        tried = [unwrap(part, period_s) for period_s in periods_s]
        told = [_badness(steps, part) + trap(steps, part) for steps in tried]
        for i in np.argsort(told)[: POLISHED.get(length_s, 0) if seen.is_in_bursts else 0]:
            tried[i], told[i] = _polished(tried[i], told[i], part)
        order = np.argsort(told)
        best = tried[order[0]]
        if length_s <= TRIAL_S:
            shares = [tried[i].share for i in order if _badness(tried[i], part) < told[order[0]] + DOUBT]
            below, above = best.share - min(shares), max(shares) - best.share
        if len(part.rows) == len(seen.rows):
            return unwrap(seen, best.line.period_s, is_last=True), below, above
        periods_s = [tried[i].line.period_s for i in order[: (len(order) + 1) // 2]]
        length_s *= 2


def _polished(steps: Steps, told: float, part: Seen) -> tuple[Steps, float]:
    """The best of the periods beside it: a line through wrong steps holds on to them, some 100 ppm off."""
    beside = BESIDE * steps.line.period_s / float(part.at_s[-1] - part.at_s[0])
    for _ in range(FINER):
        is_best = False
        while not is_best:
            is_best = True
            for change in (-beside, beside):
                other = unwrap(part, steps.line.period_s * (1 + change))
                other_told = _badness(other, part) + trap(other, part)
                if other_told < told - CLEARLY:
                    steps, told, is_best = other, other_told, False
        beside /= 2
    return steps, told


def _badness(steps: Steps, seen: Seen) -> float:
    """How ill the steps explain what was seen, the freedom their line takes included."""
    told = cost(seen.at_s - steps.at(seen.rows), len(steps.rows), steps.line.period_s, seen)
    if steps.is_whole:
        return told + 0.5 * float(np.log(len(seen.rows))) * len(steps.line.ticks)
    return told + (FREEDOM_IN_BURSTS if seen.is_in_bursts else FREEDOM) * len(seen.rows)


def _bounds(whole: Steps, seen: Seen, below: float, above: float) -> tuple[int, int]:
    """How many are missing at least and at most, when periods that lack so much less or more may be true."""
    count, rows = int(whole.missing.sum()), int(seen.rows[-1] - seen.first_rows[0] + 1)
    at_end = int(seen.rows[-1] - seen.rows[-AT_END])
    slack = UNSURE * len(whole.rows) + (1 if count else 0)
    if rows * (below + above) > VAGUE * max(count, 10):
        above = max(above, 1 / LEAST - 1)
    low = count - WIDER * rows * below - slack
    high = count + WIDER * rows * above + slack + 2 * at_end * count / rows
    return max(int(np.floor(low)), 0), int(np.ceil(high))


def _most(followed: Steps, seen: Seen) -> int:
    """More cannot be missing: thrice as many as if the board's fastest second had lost nothing."""
    times_s = followed.at(seen.rows)
    seconds_s = np.arange(times_s[0], times_s[-1], 1.0)
    taken = np.diff(np.interp(seconds_s, times_s, seen.rows))
    return int(3 * (seen.rows[-1] - seen.rows[0]) * (taken.max() / np.mean(taken) - 1)) + 2
