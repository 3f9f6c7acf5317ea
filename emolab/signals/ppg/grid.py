"""Samples as they came, at times as they came, on an even grid; what was not there is masked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emolab.signals.measures import GAP_STEPS, Array, interpolated
from emolab.signals.samples import Needs, checked, usual_s

GRID_HZ = 250.0  # spec 01 §1.7
# three beats at 40 a minute; the pulse band reaches to 8 Hz
NEEDS = Needs("beats", 5.0, 20.0, "check that the sensor touches skin")
BRIDGED_S = 0.1  # half a systole: a straight line over it moves no peak
STILL_S = 1.0  # the same value for so long: a rail, a plug pulled, no pulse
STILL_SHARE = 1e-9  # of the swing: rounding of a flat line is flat


@dataclass(frozen=True)
class Grid:
    """`values` `(n,)` each 1/`rate_hz` from `start_s` on, bridged by lines where `is_there` is False.

    `finest`: the least by which samples that differ do, a step of the converter; 0 where nobody knows.
    """

    start_s: float
    values: Array
    is_there: NDArray[np.bool_]
    rate_hz: float = GRID_HZ
    finest: float = 0.0

    @property
    def end_s(self) -> float:
        """Time of the last value."""
        return self.start_s + (len(self.values) - 1) / self.rate_hz


def on_grid(values: ArrayLike, times_s: ArrayLike) -> Grid:
    """Values `(n,)`, NaN where missing, at ascending `times_s` `(n,)`, at 250 a second.

    Gaps up to 0.1 s are bridged by straight lines; longer ones, and values that stand still for a second,
    are bridged and masked. Samples that come faster than the grid are averaged.
    Raises `DataError` when nothing can come of it: see `samples.checked`.
    """
    samples, at_s = checked(values, times_s, "the pulse", NEEDS)
    step_s = usual_s(at_s)
    absent = _gaps(at_s, max(BRIDGED_S, GAP_STEPS * step_s)) + _still(samples, at_s)
    finest = _finest(samples)
    start_s = float(at_s[0])
    n = int((at_s[-1] - start_s) * GRID_HZ) + 1
    if step_s < 0.7 / GRID_HZ:
        samples, at_s = _averaged(samples, at_s)
    even = interpolated(start_s + np.arange(n) / GRID_HZ, at_s, samples)
    is_there = np.ones(n, dtype=bool)
    for from_s, to_s in absent:
        is_there[int((from_s - start_s) * GRID_HZ) + 1 : int(np.ceil((to_s - start_s) * GRID_HZ))] = False
    return Grid(start_s, even, is_there, finest=finest)


def _gaps(at_s: Array, longest_s: float) -> list[tuple[float, float]]:
    """From when to when nothing came."""
    before = np.flatnonzero(np.diff(at_s) > longest_s)
    return list(zip(at_s[before].tolist(), at_s[before + 1].tolist(), strict=True))


def _still(samples: Array, at_s: Array) -> list[tuple[float, float]]:
    """From when to when the value did not change at all."""
    tiny = STILL_SHARE * float(np.ptp(samples))
    moves = np.flatnonzero(np.abs(np.diff(samples)) > tiny)
    edges = np.concatenate([[0], moves + 1, [len(samples)]])
    first, last = edges[:-1], edges[1:] - 1
    long = at_s[last] - at_s[first] >= STILL_S
    return list(zip(at_s[first[long]].tolist(), at_s[last[long]].tolist(), strict=True))


def _finest(samples: Array) -> float:
    steps = np.abs(np.diff(samples))
    rounding = STILL_SHARE * float(np.ptp(samples))
    return max(float(np.min(steps, where=steps > rounding, initial=np.inf)), rounding)


def _averaged(samples: Array, at_s: Array) -> tuple[Array, Array]:
    """One value for each grid step that has samples: their mean, at their mean time."""
    step = ((at_s - at_s[0]) * GRID_HZ).astype(np.int64)
    first = np.flatnonzero(np.diff(step, prepend=-1))
    count = np.diff(first, append=len(step))
    mean_s = at_s[0] + np.add.reduceat(at_s - at_s[0], first) / count
    return np.add.reduceat(samples, first) / count, mean_s
