"""Sound without a break: where each stretch of it begins, and the rate within stretches.

A stretch ends where time goes on by more than one and a half samples, or as much back: the microphone was
away, or its driver lost some. Not so where the next quarter second makes up for it: that stamp was late, and
nothing is missing. Times are read in blocks; hours of sound take no more memory than minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from emolab.recording.reader import RecordedStream

STEP = 1.5  # samples
CATCHES_UP_S = 0.25
USUAL_HZ = 48_000.0  # where no rate is announced
BLOCK_ROWS = 1 << 18  # read together: 2 MB


@dataclass(frozen=True)
class Stretch:
    """Samples without a break: the number of the first, how many, and the times of the first and the last."""

    first_sample: int
    samples: int
    first_s: float
    last_s: float


def find_stretches(stream: RecordedStream) -> list[Stretch]:
    """The stretches of a stream by its best times, in order; `RecordingError` where these are damaged."""
    ahead = 1 + int(CATCHES_UP_S * (stream.info.nominal_rate_hz or USUAL_HZ))
    found: list[Stretch] = []
    held, row, period_s = np.zeros(0), 0, 0.0  # times from `row` on, of which the next step is judged next
    first, first_s = 0, 0.0
    for piece_s in stream.time_slices_s(max(BLOCK_ROWS, 4 * ahead)):
        held = np.concatenate([held, piece_s])
        if not period_s:
            period_s, first_s = _period_s(held, stream.info.nominal_rate_hz or USUAL_HZ), float(held[0])
        sure = len(held) - (1 if row + len(held) == len(stream) else ahead)
        for at in _breaks(held, sure, ahead, period_s).tolist():
            found.append(Stretch(first, row + at + 1 - first, first_s, float(held[at])))
            first, first_s = row + at + 1, float(held[at + 1])
        held, row = held[sure:].copy(), row + sure
    if len(held):
        found.append(Stretch(first, len(stream) - first, first_s, float(held[-1])))
    return found


def mean_rate_hz(stretches: Sequence[Stretch]) -> float | None:
    """Samples a second within stretches, whatever lies between them; None where none has two."""
    steps = sum(one.samples - 1 for one in stretches)
    seconds = sum(one.last_s - one.first_s for one in stretches)
    return steps / seconds if steps and seconds > 0 else None


def away_s(stretches: Sequence[Stretch], rate_hz: float) -> float:
    """How many seconds are missing between stretches."""
    return sum(max(after.first_s - before.last_s - 1 / rate_hz, 0.0) for before, after in pairwise(stretches))


def _period_s(times_s: NDArray[np.float64], rate_hz: float) -> float:
    """From one sample to the next, as a rule; `rate_hz`: as announced, where the times do not tell."""
    steps_s = np.diff(times_s)
    usual_s = float(np.median(steps_s)) if len(steps_s) else 0.0
    if usual_s <= 0:
        return 1 / rate_hz
    return float(steps_s[np.abs(steps_s - usual_s) <= usual_s / 2].mean())


def _breaks(times_s: NDArray[np.float64], sure: int, ahead: int, period_s: float) -> NDArray[np.intp]:
    """The rows, of the first `sure`, after which time has jumped for good: still after so many rows."""
    beyond_s = np.diff(times_s[: sure + 1]) - period_s
    odd = np.flatnonzero(np.abs(beyond_s + period_s) > STEP * period_s)
    then = np.minimum(odd + ahead, len(times_s) - 1)
    strayed_s = times_s[then] - times_s[odd] - (then - odd) * period_s
    return odd[strayed_s / beyond_s[odd] > 0.5]
