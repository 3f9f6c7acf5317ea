"""The samples that a board with a crystal lost, when nothing counted them.

It loses whole samples. Once its period is known to some parts per million, how many are missing is
the number of periods that all that follows is late by, and its rows lie on one straight line.
So the period is tried: a thousand in a few seconds (`likely_periods`), and the likely ones, and those
beside them, in stretches twice as long, again and again (`missing`). With each (`unwrap`) two questions
take turns: where do steps have to be for no row to be early, and which line touches the rows less those
steps from below.

Limits. Which row of a burst was lost, nobody saw: the step is laid in its middle, and some rows of it are
one period off. Where bursts hold the same number of rows for many seconds (250 Hz, every 16 ms), arrivals
tell the period to a part of `period / duration` only (67 ppm in a minute, 3 in twenty), and a sample
lost now and then looks like a slower board. Then hardly anything is believed to be missing (`trap`), and
of 1 % and more lost the rate may be off by 0.5 % (of 10 %, and 251.3 Hz still, by 1 %); the interval of
what is missing begins at none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emolab.recording.times.steps import Seen, Steps, cost, least_ahead
from emolab.recording.times.timing import SHORT_POINTS, Floats, fit_line, fit_straight

LEAST, MOST, EACH = 0.8, 1.005, 150e-6  # periods tried, of the mean interval: up to a fifth missing
FIRST_S = 8.0  # so long a stretch is unwrapped with a period that is right to some 150 ppm
STRAIGHT_S = 80.0  # no crystal's rate changes noticeably in so long
BANDS, LIKELY = 64, 2  # so many of each of them are likely
FIRST_PHASES = np.arange(0.0, 1.0, 0.125)  # of a period: the first rows may have been so late
EARLY = 0.25  # of a period: so far a row may be before its line while that is a guess
ROUNDS = (0.2, 0.1, 0.1)  # and then
PHASES = np.arange(0.0, 1.0, 0.2)  # of a period: so much later the rows may have been due
DOUBTFUL = 2  # chunks after a step that may belong before it
GAP = 3  # samples missing in a chunk
AT_END = 3  # chunks that may be late, and nothing follows to tell
TRAP_SHARE = 0.003  # less is believed
NEARLY = 0.025  # of a period: bursts that are in step, perhaps
TRAP, TRAPPED = 0.005, 1.5  # of a period; nats a chunk: more than delays can tell
MAKES_UP, BEATING = 0.1, 0.5  # to such a part; nats a chunk: about what the delays of rows in step look worse


def likely_periods(seen: Seen) -> list[float]:
    """In each band of periods the two that explain the chunks best; nothing is fitted."""
    seen = seen.middle(FIRST_S)
    elapsed_s = seen.at_s - seen.at_s[0]
    rows = seen.rows - seen.rows[0]
    reach, found = seen.reach, []
    for period_s in elapsed_s[-1] / rows[-1] * np.arange(LEAST, MOST, EACH):
        late_s = elapsed_s - period_s * rows
        late_s = late_s - late_s[:reach].min() - period_s * FIRST_PHASES[:, None]
        counts = _only_growing(np.floor(late_s / period_s + EARLY))
        steps = np.count_nonzero(np.diff(counts), axis=-1)
        found.append((float(cost(late_s - period_s * counts, steps, period_s, seen).min()), float(period_s)))
    bands = np.array_split(np.arange(len(found)), BANDS)
    return [period_s for band in bands for _, period_s in sorted(found[i] for i in band)[:LIKELY]]


def trap(steps: Steps, seen: Seen) -> float:
    """What a period is to cost more, in nats, that explains bursts too easily.

    Where bursts come at multiples of it, any number may be missing. And where most hold as many rows,
    those missing may only make up for a period that is too short.
    """
    if not seen.is_in_bursts or steps.share < TRAP_SHARE:
        return 0.0
    if is_in_step(steps, seen):
        return TRAPPED * len(seen.rows)
    beat = _rows_a_burst(steps, seen) - float(np.median(np.diff(seen.rows)))  # rows too many in each burst
    makes_up = steps.missing.sum() / len(seen.rows)
    return BEATING * len(seen.rows) if abs(makes_up - beat) < MAKES_UP * abs(beat) else 0.0


def is_in_step(steps: Steps, seen: Seen, within: float = TRAP) -> bool:
    """True when bursts come at multiples of the period, but for so small a part of it."""
    burst = _rows_a_burst(steps, seen)
    return seen.is_in_bursts and abs(burst - round(burst)) < within


def _rows_a_burst(steps: Steps, seen: Seen) -> float:
    return float(np.median(np.diff(seen.at_s))) / steps.line.period_s


def unwrap(seen: Seen, period_s: float, is_last: bool = False) -> Steps:
    """Whole steps of a board whose period is known well enough for so long a stretch.

    `is_last`: True to take the time for the best line.
    """
    is_rough = not is_last and seen.at_s[-1] - seen.at_s[0] < STRAIGHT_S
    base_s = period_s * (seen.rows - seen.rows[0])
    base_s = base_s + float(np.min((seen.at_s - base_s)[: seen.reach]))
    for early in ROUNDS:
        counts = _best_counts(seen, base_s, period_s, early)
        taken = np.diff(counts, prepend=counts[:1])
        at = np.flatnonzero(taken > 0)
        sure = np.ones(len(seen.rows), np.bool_)
        for doubt in range(DOUBTFUL):  # a step laid a chunk too soon would put rows before their time
            sure[np.minimum(at + doubt, len(sure) - 1)] = False
        if sure.sum() < 2 * SHORT_POINTS:
            sure[:] = True
        even_s = seen.at_s - np.cumsum(taken) * period_s
        if is_rough:
            line = fit_straight(seen.rows[sure], even_s[sure], period_s)
        else:
            line = fit_line(seen.rows[sure], even_s[sure], period_s, is_late=True)
        steps_s = taken[at] * period_s
        period_s, base_s = line.period_s, line.at(seen.rows)
    return Steps(_likeliest_rows(seen, at, taken), steps_s, True, line)


def _likeliest_rows(seen: Seen, at: NDArray[np.intp], taken: Floats) -> NDArray[np.int64]:
    """Before which row of its chunk each step is: nobody saw, but the middle one is the least wrong.

    Many that are missing at once are one gap: from after the rows of the chunk before up to those of this.
    """
    first, last = seen.first_rows[at], seen.rows[at]
    after = np.append(taken, 0.0)[at + 1]
    middle = first + (last - first + 1) // 2
    return np.where(taken[at] >= GAP, first, np.where(after >= GAP, last, middle))


def _best_counts(seen: Seen, base_s: Floats, period_s: float, early: float) -> NDArray[np.float64]:
    """How many samples are missing by each chunk, `(n,)`.

    `base_s`: when its row was due, or a part of a period later: steps that were laid too soon put
    the next rows before their time, and a line that touched those is too low.
    """
    best, least = np.zeros(0), np.inf
    for phase in PHASES:
        late_s = seen.at_s - base_s - phase * period_s
        counts = np.floor(least_ahead(late_s, seen.reach) / period_s + early)
        counts[-AT_END:] = counts[-AT_END]  # what is late at the end may yet be made up for
        counts = _only_growing(counts)
        steps = int(np.count_nonzero(np.diff(counts)))
        told = cost(late_s - counts * period_s, steps, period_s, seen)
        if told < least:
            best, least = counts, told
    return best


def _only_growing(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """What later is on time was not missing before."""
    return np.minimum.accumulate(counts[..., ::-1], axis=-1)[..., ::-1]
