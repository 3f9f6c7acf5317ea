"""When each sample of a sound card was taken, from the rough stamps of its callbacks.

A card counts its samples with a crystal that is steady to some 100 parts per million; the stamp
of a single callback may be wrong by milliseconds. So time is a straight line over the sample
count, fitted to the stamps of the last five minutes, with the nominal rate as what is believed
before enough of them have come. Successive blocks join without a seam as long as nothing is lost.
Stamps that are no longer new are kept as one mean a second, so that the fit stays cheap.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

WINDOW_S = 300.0  # PulseAudio's stamps wander by a millisecond over tens of seconds
NEW_STAMPS = 40
MEAN_OF = 10
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
        self._means: deque[tuple[float, float]] = deque()  # (count, stamp) of older stamps, MEAN_OF each
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
        self._thin_out()
        self._fit()
        start_s, end_s = self._time_of(self._count), self._time_of(self._count + frames)
        if self._joint_s is not None and (abs(start_s - self._joint_s) < SEAM_S or start_s < self._joint_s):
            start_s = self._joint_s
            end_s = max(end_s, start_s + 0.5 * frames * self._nominal_s)
        self._joint_s = end_s
        self._count += frames
        return np.linspace(start_s, end_s, frames, endpoint=False, dtype=np.float64)

    def _thin_out(self) -> None:
        """Replace the oldest of the new stamps by their mean, and forget what is past the window."""
        if len(self._counts) > NEW_STAMPS + MEAN_OF:
            counts = [self._counts.popleft() for _ in range(MEAN_OF)]
            stamps_s = [self._stamps_s.popleft() for _ in range(MEAN_OF)]
            late_s = np.array(stamps_s) - np.array(counts) * self._period_s
            middle = float(np.mean(counts))
            self._means.append((middle, middle * self._period_s + float(np.median(late_s))))
        while self._means and self._stamps_s[-1] - self._means[0][1] > WINDOW_S:
            self._means.popleft()

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
            self._means.clear()

    def _fit(self) -> None:
        """The line through the stamps; those off by more than three times the usual count no more."""
        older = np.array(self._means, dtype=np.float64).reshape(-1, 2)
        counts = np.concatenate([older[:, 0], np.array(self._counts, dtype=np.float64)]) - self._count
        stamps_s = np.concatenate([older[:, 1], np.array(self._stamps_s)])
        weights = np.concatenate([np.full(len(older), MEAN_OF), np.ones(len(self._counts))])
        deviations_s = stamps_s - stamps_s[-1] - counts * self._nominal_s
        off_s = np.abs(deviations_s - np.median(deviations_s))
        kept = off_s <= max(3 * float(np.median(off_s)), 4 * STAMP_NOISE_S)
        counts, deviations_s, weights = counts[kept], deviations_s[kept], weights[kept]
        middle, mean_s = np.average(counts, weights=weights), np.average(deviations_s, weights=weights)
        belief = (STAMP_NOISE_S / (BELIEF_PPM * 1e-6 * self._nominal_s)) ** 2
        spread = counts - middle
        slope_s = float((weights * spread) @ (deviations_s - mean_s))
        slope_s /= float((weights * spread) @ spread) + belief
        self._period_s = self._nominal_s + slope_s
        self._level_s = stamps_s[-1] + float(mean_s - slope_s * middle)
        self._level_count = self._count

    def _time_of(self, count: int) -> float:
        return self._level_s + (count - self._level_count) * self._period_s
