"""How a device keeps time, told while it runs: its true rate, its drift, the jitter of its stamps.

The same fit as after the session (`recording.times.timing`), on the last minutes and straight. Nothing
recorded depends on it.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from emolab.core.stream import Chunk, StreamInfo
from emolab.recording.times.timing import fit_straight
from emolab.session.snapshot import Timekeeping

BLOCK_S = 1.0  # of each only the earliest sight is kept
SPAN_S = 300.0
FIT_EACH_S = 5.0
LEAST_S = 10.0  # below that a burst or two decide
JUMP_S = 2.0  # a pause so long, or a count that goes back: the device began anew


class LiveClock:
    """Takes each chunk of one stream, in its pump's thread; `found` may be read from any."""

    def __init__(self, info: StreamInfo) -> None:
        self.found: Timekeeping | None = None
        self._period_s = 1.0 / info.nominal_rate_hz if info.nominal_rate_hz else 0.0
        self._is_stamped_by_us = info.instrument.get("stamped_by") == "arrival"
        self._rows = self._number = self._first_number = 0
        self._sights: deque[tuple[int, float]] = deque()
        self._errors_s: list[float] = []
        self._line: tuple[float, float, float] | None = None
        self._ticks = self._first_ticks = -1
        self._seen_s = self._block_s = self._fit_at_s = -math.inf
        self._least_s = math.inf

    def take(self, chunk: Chunk) -> None:
        """Note when the last sample of the chunk was seen, and fit anew when it is time to."""
        if not self._period_s:
            return
        self._rows += len(chunk)
        self._number = self._rows if chunk.counter is None else int(chunk.counter[-1])
        ticks, tick_s = self._count(chunk)
        stamp_s = float(chunk.times_s[-1])
        seen_s = chunk.arrival_s if self._is_stamped_by_us else stamp_s
        if ticks <= self._ticks or not 0 <= seen_s - self._seen_s < JUMP_S:
            self._begin()
            self._first_ticks, self._first_number = ticks, self._number
            self._fit_at_s = seen_s + LEAST_S
        self._ticks, self._seen_s = ticks, seen_s
        late_s = seen_s - (ticks - self._first_ticks) * tick_s
        if self._line is not None:
            start, start_s, slope_s = self._line
            self._errors_s.append(stamp_s - start_s - (ticks - start) * slope_s)
        if self._sights and seen_s < self._block_s + BLOCK_S:
            if late_s < self._least_s:
                self._sights[-1], self._least_s = (ticks, seen_s), late_s
        else:
            self._sights.append((ticks, seen_s))
            self._block_s, self._least_s = seen_s, late_s
            while self._sights[0][1] < seen_s - SPAN_S:
                self._sights.popleft()
        if seen_s >= self._fit_at_s:
            self._fit(chunk, tick_s)
            self._fit_at_s = seen_s + FIT_EACH_S

    def _count(self, chunk: Chunk) -> tuple[int, float]:
        """What the device counts, and how long a count lasts by its own word."""
        if chunk.device_us is not None:
            return int(chunk.device_us[-1]), 1e-6
        if chunk.counter is not None:
            return self._number, self._period_s
        return self._rows, self._period_s

    def _fit(self, chunk: Chunk, tick_s: float) -> None:
        ticks, seen_s = np.array(self._sights).T
        line = fit_straight(ticks, seen_s, tick_s)
        slope_s = line.period_s
        errors_s = np.array(self._errors_s)
        self._errors_s.clear()
        self._line = (float(line.ticks[0]), float(line.times_s[0]), slope_s)
        has_clock = chunk.device_us is not None
        a_row = self._ticks_a_row() if has_clock else 1.0
        if len(errors_s) and a_row and math.isfinite(slope_s) and slope_s > 0:
            self.found = Timekeeping(
                rate_hz=1.0 / (slope_s * a_row),
                drift_ppm=(tick_s / slope_s - 1) * 1e6 if has_clock else None,
                jitter_ms=float(np.std(errors_s)) * 1e3,
                over_s=float(seen_s[-1] - seen_s[0]),
            )

    def _ticks_a_row(self) -> float:
        """Microseconds of the device's clock from one sample to the next, since it began."""
        samples = self._number - self._first_number
        return (self._ticks - self._first_ticks) / samples if samples > 0 else 0.0

    def _begin(self) -> None:
        self.found = self._line = None
        self._sights.clear()
        self._errors_s.clear()
        self._ticks = self._first_ticks = -1
        self._seen_s = self._block_s = self._fit_at_s = -math.inf
        self._least_s = math.inf
