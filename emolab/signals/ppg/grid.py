"""Samples as they came, at times as they came, on an even grid; what was not there is masked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emolab.core.errors import DataError
from emolab.signals.measures import GAP_STEPS, WHOLE, Array

GRID_HZ = 250.0  # spec 01 §1.7
SLOWEST_HZ = 20.0  # the pulse band reaches to 8 Hz
SHORTEST_S = 5.0  # three beats at 40 a minute
LONGEST_S = 48 * 3600.0
BRIDGED_S = 0.1  # half a systole: a straight line over it moves no peak
STILL_S = 1.0  # the same value for so long: a rail, a plug pulled, no pulse
STILL_SHARE = 1e-9  # of the swing: rounding of a flat line is flat


@dataclass(frozen=True)
class Grid:
    """`values` `(n,)` each 1/`rate_hz` from `start_s` on, bridged by lines where `is_there` is False."""

    start_s: float
    values: Array
    is_there: NDArray[np.bool_]
    rate_hz: float = GRID_HZ

    @property
    def end_s(self) -> float:
        """Time of the last value."""
        return self.start_s + (len(self.values) - 1) / self.rate_hz


def on_grid(values: ArrayLike, times_s: ArrayLike) -> Grid:
    """Values `(n,)`, NaN where missing, at ascending `times_s` `(n,)`, at 250 a second.

    Gaps up to 0.1 s are bridged by straight lines; longer ones, and values that stand still for a second,
    are bridged and masked. Samples that come faster than the grid are averaged.
    Raises `DataError` when nothing can come of it: see `_checked`.
    """
    samples, at_s = _checked(values, times_s)
    steps_s = np.diff(at_s)
    usual_s = float(np.median(steps_s[steps_s > 0]))
    absent = _gaps(at_s, steps_s, max(BRIDGED_S, GAP_STEPS * usual_s)) + _still(samples, at_s)
    start_s = float(at_s[0])
    n = int((at_s[-1] - start_s) * GRID_HZ) + 1
    if usual_s < 0.7 / GRID_HZ:
        samples, at_s = _averaged(samples, at_s)
    even = np.interp(start_s + np.arange(n) / GRID_HZ, at_s, samples)
    is_there = np.ones(n, dtype=bool)
    for from_s, to_s in absent:
        is_there[int((from_s - start_s) * GRID_HZ) + 1 : int(np.ceil((to_s - start_s) * GRID_HZ))] = False
    return Grid(start_s, even, is_there)


def _checked(values: ArrayLike, times_s: ArrayLike) -> tuple[Array, Array]:
    """The finite samples and their times, or `DataError`."""
    samples = np.asarray(values, dtype=np.float64)
    at_s = np.asarray(times_s, dtype=np.float64)
    if samples.ndim != 1 or samples.shape != at_s.shape:
        raise DataError(
            f"the pulse needs as many times as values, in one row each, "
            f"not {samples.shape} values at {at_s.shape} times"
        )
    finite = np.isfinite(samples) & np.isfinite(at_s)
    samples, at_s = samples[finite], at_s[finite]
    if len(samples) < 2:
        raise DataError(f"the pulse has {len(samples)} values that are numbers; check its cable and channel")
    steps_s = np.diff(at_s)
    if np.any(steps_s < 0):
        where_s = float(at_s[:-1][steps_s < 0][0])
        raise DataError(f"the pulse's times go back after {where_s:.3f} s; sort its samples by time")
    span_s = float(at_s[-1] - at_s[0])
    if span_s < WHOLE * SHORTEST_S:
        raise DataError(f"the pulse lasts {span_s:.1f} s; beats need {SHORTEST_S:.0f} s or more")
    if span_s > LONGEST_S:
        raise DataError(
            f"the pulse spans {span_s / 3600:.0f} h, more than {LONGEST_S / 3600:.0f}; "
            "check the times' unit (seconds) and the clock"
        )
    rate_hz = 1.0 / float(np.median(steps_s[steps_s > 0]))
    if rate_hz < SLOWEST_HZ:
        raise DataError(
            f"the pulse comes {rate_hz:.3g} times a second; "
            f"{SLOWEST_HZ:.0f} are needed (times are taken as seconds)"
        )
    if np.ptp(samples) == 0.0:
        raise DataError(f"the pulse is flat at {samples[0]:g} throughout; check that the sensor touches skin")
    return samples, at_s


def _gaps(at_s: Array, steps_s: Array, longest_s: float) -> list[tuple[float, float]]:
    """From when to when nothing came."""
    before = np.flatnonzero(steps_s > longest_s)
    return list(zip(at_s[before].tolist(), at_s[before + 1].tolist(), strict=True))


def _still(samples: Array, at_s: Array) -> list[tuple[float, float]]:
    """From when to when the value did not change at all."""
    tiny = STILL_SHARE * float(np.ptp(samples))
    moves = np.flatnonzero(np.abs(np.diff(samples)) > tiny)
    edges = np.concatenate([[0], moves + 1, [len(samples)]])
    first, last = edges[:-1], edges[1:] - 1
    long = at_s[last] - at_s[first] >= STILL_S
    return list(zip(at_s[first[long]].tolist(), at_s[last[long]].tolist(), strict=True))


def _averaged(samples: Array, at_s: Array) -> tuple[Array, Array]:
    """One value for each grid step that has samples: their mean, at their mean time."""
    step = ((at_s - at_s[0]) * GRID_HZ).astype(np.int64)
    first = np.flatnonzero(np.diff(step, prepend=-1))
    count = np.diff(first, append=len(step))
    mean_s = at_s[0] + np.add.reduceat(at_s - at_s[0], first) / count
    return np.add.reduceat(samples, first) / count, mean_s
