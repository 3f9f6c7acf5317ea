"""When each sample of a sound card was taken, from the rough stamps of its callbacks.

A card counts its samples with a crystal that is steady to some 100 parts per million; the stamp
of a single callback may be wrong by milliseconds. So time is a straight line over the sample
count, fitted to the stamps of the last minute, with the nominal rate as what is believed
before enough of them have come. Successive blocks join without a seam as long as nothing is lost.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

WINDOW_S = 60.0
BELIEF_PPM = 100.0  # how far a card's crystal may be off: the standard deviation of the prior
STAMP_NOISE_S = 2e-3  # PulseAudio's wander so much over some seconds while it also plays
SEAM_S = 2e-3  # a correction smaller than this is drawn out over one block
FLAGGED_GAP_S = 2e-3  # where the driver itself reports lost samples
SILENT_GAP_S = 20e-3  # where it does not: three stamps in a row must agree
WITNESSES = 3


class AudioClock:
    """Turns blocks of `frames` samples, each with the stamp of its first sample, into sample times."""

    def __init__(self, nominal_rate_hz: float) -> None:
        self._nominal_s = 1.0 / nominal_rate_hz
        self._counts: deque[int] = deque()
        self._stamps_s: deque[float] = deque()
        self._count = 0  # samples taken by the card, those lost included
        self._joint_s: float | None = None  # where the next block begins if nothing is lost
        self._odd_s: list[float] = []
        self._level_s = 0.0
        self._level_count = 0
        self._period_s = self._nominal_s
        self.lost = 0

    @property
    def rate_hz(self) -> float:
        """Samples a second as measured."""
        return 1.0 / self._period_s

    def see(self, frames: int, stamp_s: float, is_flagged: bool = False) -> NDArray[np.float64]:
        """Times of a block's samples, `(frames,)`, strictly increasing.

        `stamp_s`: capture time of its first sample, roughly. `is_flagged`: the driver says that
        samples were thrown away before this block.
        """
        if self._stamps_s:
            self._look_for_gap(stamp_s, is_flagged)
        self._counts.append(self._count)
        self._stamps_s.append(stamp_s)
        while self._stamps_s[-1] - self._stamps_s[0] > WINDOW_S:
            self._counts.popleft()
            self._stamps_s.popleft()
        self._fit()
        start_s, end_s = self._time_of(self._count), self._time_of(self._count + frames)
        if self._joint_s is not None and (abs(start_s - self._joint_s) < SEAM_S or start_s < self._joint_s):
            start_s = self._joint_s
            end_s = max(end_s, start_s + 0.5 * frames * self._nominal_s)
        self._joint_s = end_s
        self._count += frames
        return np.linspace(start_s, end_s, frames, endpoint=False, dtype=np.float64)

    def _look_for_gap(self, stamp_s: float, is_flagged: bool) -> None:
        """Count samples that are missing between the last block and this one."""
        late_s = stamp_s - self._time_of(self._count)
        if is_flagged and late_s > FLAGGED_GAP_S:
            self._jump(late_s)
        elif abs(late_s) > SILENT_GAP_S:
            self._odd_s.append(late_s)
            if len(self._odd_s) == WITNESSES:
                for _ in range(WITNESSES - 1):  # they were already taken in where they did not belong
                    self._counts.pop()
                    self._stamps_s.pop()
                self._jump(float(np.median(self._odd_s)))
        else:
            self._odd_s.clear()

    def _jump(self, late_s: float) -> None:
        self._odd_s.clear()
        missing = round(late_s / self._period_s)
        if missing > 0:
            self.lost += missing
            self._count += missing
        else:  # earlier than the line allows: the stamps themselves have moved; begin a new line
            self._counts.clear()
            self._stamps_s.clear()

    def _fit(self) -> None:
        """The line through the stamps; those off by more than three times the usual count no more."""
        counts = np.array(self._counts, dtype=np.float64) - self._count
        stamps_s = np.array(self._stamps_s)
        deviations_s = stamps_s - stamps_s[-1] - counts * self._nominal_s
        off_s = np.abs(deviations_s - np.median(deviations_s))
        kept = off_s <= max(3 * float(np.median(off_s)), 4 * STAMP_NOISE_S)
        counts, deviations_s = counts[kept], deviations_s[kept]
        middle, mean_s = counts.mean(), deviations_s.mean()
        belief = (STAMP_NOISE_S / (BELIEF_PPM * 1e-6 * self._nominal_s)) ** 2
        spread = counts - middle
        slope_s = float(spread @ (deviations_s - mean_s)) / (float(spread @ spread) + belief)
        self._period_s = self._nominal_s + slope_s
        self._level_s = stamps_s[-1] + float(mean_s - slope_s * middle)
        self._level_count = self._count

    def _time_of(self, count: int) -> float:
        return self._level_s + (count - self._level_count) * self._period_s
