"""Samples as they came, looked at before anything is made of them: what can give nothing is an error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from emolab.core.errors import DataError
from emolab.signals.measures import WHOLE, Array

LARGEST = 1e30  # what is larger, or NaN, is no number that was measured
LONGEST_S = 48 * 3600.0


@dataclass(frozen=True)
class Needs:
    """What it takes to read a kind of signal. `what` needs it: `beats`; `remedy`: of one value throughout."""

    what: str
    shortest_s: float
    slowest_hz: float
    remedy: str


def checked(values: ArrayLike, times_s: ArrayLike, name: str, needs: Needs) -> tuple[Array, Array]:
    """The samples that are numbers and their times, one a moment, `(n,)` each; of two the first stays.

    They are the caller's own arrays where nothing has to be left out.
    Raises `DataError` where `name` can give nothing: not as many times as values, no numbers, times that go
    back, too short or too slow, far too long, or one value throughout.
    """
    samples = np.asarray(values, dtype=np.float64)
    at_s = np.asarray(times_s, dtype=np.float64)
    if samples.ndim != 1 or samples.shape != at_s.shape:
        raise DataError(
            f"{name} needs as many times as values, in one row each, "
            f"not {samples.shape} values at {at_s.shape} times"
        )
    finite = (np.abs(samples) < LARGEST) & np.isfinite(at_s)
    if not finite.all():  # of hours, a copy takes its time
        samples, at_s = samples[finite], at_s[finite]
    if len(samples) < 2:
        raise DataError(f"{name} has {len(samples)} values that are numbers; check its cable and channel")
    steps_s = np.diff(at_s)
    if np.any(steps_s < 0):
        where_s = float(at_s[:-1][steps_s < 0][0])
        raise DataError(f"the times of {name} go back after {where_s:.3f} s; sort its samples by time")
    if not (steps_s > 0).all():
        kept = np.concatenate([[True], steps_s > 0])
        samples, at_s = samples[kept], at_s[kept]
    span_s = float(at_s[-1] - at_s[0])
    if span_s < WHOLE * needs.shortest_s:
        raise DataError(f"{name} lasts {span_s:.1f} s; {needs.what} need {needs.shortest_s:.0f} s or more")
    if span_s > LONGEST_S:
        raise DataError(
            f"{name} spans {span_s / 3600:.0f} h, more than {LONGEST_S / 3600:.0f}; "
            "check the times' unit (seconds) and the clock"
        )
    # no clock is exact, and a step of 0.05 s is a little more in floating point
    if (rate_hz := 1.0 / usual_s(at_s)) < WHOLE * needs.slowest_hz:
        raise DataError(
            f"{name} comes {rate_hz:.3g} times a second; {needs.slowest_hz:.0f} are needed "
            "(times are taken as seconds)"
        )
    if np.ptp(samples) == 0.0:
        raise DataError(f"{name} is flat at {samples[0]:g} throughout; {needs.remedy}")
    return samples, at_s


def usual_s(at_s: Array) -> float:
    """The usual step of ascending times."""
    return float(np.median(np.diff(at_s)))
