"""A sender's clock laid onto the recorder's: what to add to each stamp of an XDF stream.

LabRecorder measures the difference of the two clocks every five seconds, mostly to a fraction of a
millisecond. A line through the differences (Huber's loss, so that a measurement that went astray pulls
little) gives what to add to a stamp. Where the sender's clock was set back or started anew, because its
computer was restarted in mid-recording, the differences leap: each stretch between has its own line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAP_S = 1.0  # two clocks do not part by so much within five seconds
HUBER_S = 1e-4
ROUNDS = 100

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """One stretch: `first_s`, `last_s` of its measurements on the sender's clock; add `at(stamps)`."""

    first_s: float
    last_s: float
    level_s: float  # at `first_s`
    slope: float

    def at(self, stamps_s: Floats) -> Floats:
        """What to add to stamps."""
        with np.errstate(invalid="ignore", over="ignore"):  # stamps that are no times stay none
            return np.asarray(self.level_s + self.slope * (stamps_s - self.first_s))


class SenderClock:
    """The clock of one stream; give it the stamps in the file's order. `resets`: how often it began anew."""

    def __init__(self, offsets: Sequence[tuple[float, float]]) -> None:
        table = np.array(offsets, np.float64).reshape(-1, 2)
        leaps = _leaps(table)
        self.lines = [_line(part) for part in np.split(table, leaps)] if len(table) else []
        self.resets = len(leaps)
        self._here = 0

    def stretches(self, stamps_s: Floats) -> Iterator[tuple[slice, int, Floats]]:
        """Which of the stamps, how often the clock had begun anew by then, and their times on the recorder's.

        As they are where nothing was measured.
        """
        at = 0
        while at < len(stamps_s):
            if not self.lines:
                yield slice(at, None), 0, stamps_s
                return
            here, stop = self._here, len(stamps_s)
            if here + 1 < len(self.lines):
                rest, last_s, next_s = stamps_s[at:], self.lines[here].last_s, self.lines[here + 1].first_s
                is_over = np.abs(rest - next_s) < np.abs(rest - last_s)
                if is_over.any():
                    stop = at + int(is_over.argmax())
                    self._here += 1
            if stop > at:
                part = stamps_s[at:stop]
                yield slice(at, stop), here, part + self.lines[here].at(part)
            at = stop

    def onto_recorder(self, stamps_s: Floats) -> Floats:
        """The times of stamps on the recorder's clock."""
        parts = [times_s for _, _, times_s in self.stretches(stamps_s)]
        return np.concatenate(parts) if parts else stamps_s


def _leaps(table: Floats) -> list[int]:
    """Rows at which the sender's clock had begun anew: it went back, or the difference leapt and stayed."""
    found = []
    for row in range(1, len(table)):
        if table[row, 0] < table[row - 1, 0]:
            found.append(row)
        elif abs(table[row, 1] - table[row - 1, 1]) > LEAP_S:
            stays = row + 1 < len(table) and abs(table[row + 1, 1] - table[row, 1]) <= LEAP_S
            came = row < 2 or abs(table[row - 1, 1] - table[row - 2, 1]) <= LEAP_S
            if stays and came:
                found.append(row)
    return found


def _line(table: Floats) -> Line:
    times_s, values_s = table[:, 0], table[:, 1]
    first_s, last_s = float(times_s[0]), float(times_s[-1])
    if last_s == first_s or np.ptp(values_s) == 0:
        return Line(first_s, last_s, float(np.median(values_s)), 0.0)
    since_s = times_s - first_s
    design = np.column_stack([np.ones_like(since_s), since_s])
    weights = np.ones_like(since_s)
    middle_s = float(np.median(values_s))
    found = np.array([middle_s, 0.0])
    for _ in range(ROUNDS):  # least squares again and again, each time less for what lies apart
        root = np.sqrt(weights)
        before, found = found, np.linalg.lstsq(design * root[:, None], (values_s - middle_s) * root)[0]
        away_s = np.abs(values_s - middle_s - design @ found)
        weights = np.minimum(1.0, HUBER_S / np.maximum(away_s, 1e-12))
        if np.abs(design @ (found - before)).max() < 1e-9:
            break
    return Line(first_s, last_s, float(found[0]) + middle_s, float(found[1]))
