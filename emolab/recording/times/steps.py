"""What both ways to find missing samples speak of: chunks as they came, steps in time, and their cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emolab.recording.times.timing import SHORT_POINTS, Floats, Line

CHUNKS = 12  # the earliest of so many is on time, but for the least delay
LEAST_REACH_S = 0.012  # and of all in so long: a busy machine reads them late together
ROWS_IN_BURSTS = 2  # more in a chunk, on average: the link hands over in bursts
ALIKE = 0.1  # of a period: shorter mean delays tell nothing
EARLY_COST = 3.0  # a row before its time weighs as much as one late by so many times more
STEP_COST = 3.0  # nats to tell a step, on top of telling where it is


class Seen(NamedTuple):
    """Chunks: the last and the first row of each, and when it was in hand; `(n,)` each."""

    rows: NDArray[np.int64]
    first_rows: NDArray[np.int64]
    at_s: Floats

    def middle(self, length_s: float) -> Seen:
        """Those in the middle that span so many seconds."""
        middle_s = (self.at_s[0] + self.at_s[-1]) / 2
        first, last = np.searchsorted(self.at_s, [middle_s - length_s / 2, middle_s + length_s / 2])
        part = slice(int(first), max(int(last), int(first) + 2 * SHORT_POINTS))
        return Seen(self.rows[part], self.first_rows[part], self.at_s[part])

    @property
    def reach(self) -> int:
        """How many chunks hold one that is on time."""
        usual_s = float(np.median(np.diff(self.at_s)))
        return min(max(CHUNKS, int(LEAST_REACH_S / max(usual_s, 1e-4))), len(self.rows))

    @property
    def is_in_bursts(self) -> bool:
        """True when several rows come at once."""
        return float(np.mean(np.diff(self.rows))) > ROWS_IN_BURSTS


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

    @property
    def share(self) -> float:
        """Missing samples, as a share of those that came."""
        return float(self.missing.sum() / (self.line.ticks[-1] - self.line.ticks[0]))

    def at(self, rows: NDArray[np.int64]) -> Floats:
        """Times of `rows`."""
        before_s = np.concatenate([[0.0], np.cumsum(self.seconds)])
        return np.asarray(self.line.at(rows) + before_s[np.searchsorted(self.rows, rows, side="right")])


def cost(late_s: Floats, steps: Any, period_s: float, seen: Seen) -> Any:
    """How ill so many steps explain what was seen, in nats: less is better.

    `late_s`: `(..., n)` the delays they leave; `steps`: `(...)`. The code length of delays that are
    exponential, and of where each step is. That the last row of a burst waits for up to a period is no delay.
    """
    waits_s = period_s if seen.is_in_bursts else 0.0
    mean_s = np.mean(np.maximum(late_s - waits_s, 0) + EARLY_COST * np.maximum(-late_s, 0), axis=-1)
    chunks, told = late_s.shape[-1], np.maximum(steps, 1)
    return chunks * np.log(mean_s + ALIKE * period_s) + told * (STEP_COST + np.log(chunks / told))


def least_ahead(values: Floats, n: int) -> Floats:
    """The least of each value and the `n - 1` after it."""
    least, reach = values.copy(), 1
    while reach < n:
        step = min(reach, n - reach)
        least[:-step] = np.minimum(least[:-step], least[step:])
        reach += step
    return least
