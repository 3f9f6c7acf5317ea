"""When a simulated instrument takes its samples, and what its own clock says then."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emolab.devices.simulation.faults import Fault

Taken = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]


class Pace:
    """Samples at `rate_hz`, but for the times of a `wrong_rate` or `clock_drift` fault.

    A device whose clock runs fast by some parts per million samples faster by as much, and its
    own stamps say nothing of it. Each time comes from its index in a stretch of constant rate, so
    it is the same however the samples are asked for. `jitter_s`: each is taken up to so much before
    its turn, which the device's own stamps tell; less than a period.
    """

    def __init__(self, rate_hz: float, faults: Sequence[Fault], jitter_s: float = 0.0) -> None:
        self._rate_hz = rate_hz
        self._jitter_s = jitter_s
        self._faults = [fault for fault in faults if fault.kind in ("wrong_rate", "clock_drift")]
        edges = {fault.at_s for fault in self._faults} | {fault.until_s for fault in self._faults}
        self._edges_s = sorted(edge for edge in edges if math.isfinite(edge))
        self._counter = 0
        self._device_s = 0.0
        self._begin(0.0)

    @property
    def next_s(self) -> float:
        """When the next sample is due."""
        return self._start_s + self._taken * self._step_s

    def restart(self, start_s: float) -> None:
        """Go on at `start_s`, counting on from the samples before."""
        self._leave_stretch()
        self._begin(start_s)

    def take(self, until_s: float) -> Taken:
        """The samples due before `until_s`: counters, session times, device microseconds, each `(n,)`."""
        parts: list[Taken] = []
        while True:
            edge_s = next((edge for edge in self._edges_s if edge > self._start_s), math.inf)
            parts.append(self._stretch(min(until_s, edge_s)))
            if until_s <= edge_s:
                break
            next_s = self.next_s
            self._leave_stretch()
            self._begin(next_s)
        if len(parts) == 1:
            return parts[0]
        counters, times_s, device_us = zip(*parts, strict=True)
        return np.concatenate(counters), np.concatenate(times_s), np.concatenate(device_us)

    def _begin(self, start_s: float) -> None:
        rate_hz, ppm = self._rate_hz, 0.0
        for fault in self._faults:
            if fault.covers(start_s):
                rate_hz = fault.rate_hz or rate_hz
                ppm += fault.ppm or 0.0
        self._start_s, self._taken = start_s, 0
        self._device_step_s = 1.0 / rate_hz
        self._step_s = self._device_step_s / (1.0 + ppm * 1e-6)

    def _leave_stretch(self) -> None:
        self._counter += self._taken
        self._device_s += self._taken * self._device_step_s
        self._taken = 0

    def _stretch(self, until_s: float) -> Taken:
        end = max(math.ceil((until_s - self._start_s) / self._step_s), self._taken)
        # the division may be off by a hair: a sample belongs here exactly when its time is before
        while end > self._taken and self._start_s + (end - 1) * self._step_s >= until_s:
            end -= 1
        while self._start_s + end * self._step_s < until_s:
            end += 1
        index = np.arange(self._taken, end, dtype=np.int64)
        self._taken = end
        elapsed = index.astype(np.float64)
        counters = self._counter + index
        early_s = self._jitter_s * lot(counters)
        device_us = np.rint((self._device_s + elapsed * self._device_step_s - early_s) * 1e6).astype(np.int64)
        return counters, self._start_s + elapsed * self._step_s - early_s, device_us


def lot(counters: NDArray[np.int64]) -> NDArray[np.float64]:
    """A number from 0 to below 1 for each sample, spread evenly, the same each time; 0 for the first."""
    return np.asarray((counters * 2654435761 >> 8 & 0xFFFF) / 65536.0)
