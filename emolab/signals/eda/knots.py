"""cvxEDA's system at the spline's knots: what is left of a Newton step when the spans are swept.

A span between two knots tells (`smoother.information`) how its residual and its end depend on six numbers:
four coefficients of the spline's curves and the filter's state where it begins. Left are the states at
the joints, their multipliers, the spline's coefficients and the drift, in a quasi-definite matrix that
is eliminated span by span with a front of twelve:

    0, 1   state where the span begins      4 .. 7    the four coefficients that reach into it
    2, 3   multiplier of its end            8, 9      the drift
                                            10, 11    state where the next one begins

The first five are finished with the span and leave. States and coefficients have positive pivots,
multipliers negative ones, whatever the data; a pivot that rounding has eaten up is held at `LEAST` of
its diagonal. The drift, being in the span of the four curves, reaches them through `drift`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emolab.signals.eda.lanes import WIDE
from emolab.signals.eda.sweeps import (
    AFTER,
    BACK,
    BEGIN,
    COEF,
    DAFTER,
    DBEGIN,
    DCOEF,
    DOUBT,
    DRIFT,
    END,
    INFO,
    PULL,
    REACH,
    SLOPE,
    SPAN,
    jit,
)  # fmt: skip

Array = NDArray[np.float64]

FRONT = 12
LEAVE = 5
LEAST = 1e-15
PLACES = np.array([[4, 8, 9], [5, 8, 9], [6, 8, 9], [7, 8, 9], [0, 0, 0], [1, 1, 1]])  # of a span's six


class Tonic(NamedTuple):
    """Spline and drift. `curves`: `(4 k,)`, the four bumps between two knots, sample by sample.

    `drift`: `(2, spans + 3)`, offset and slope as coefficients of the bumps at the knots -1, 0, 1, ...;
    `knots`: how many of those have a coefficient of their own.
    """

    curves: Array
    drift: Array
    knots: int
    gamma: float


class System(NamedTuple):
    """Room for `factors (spans + 1, 6, 12)`, `sides (spans, 5)` and the directions of spline and drift."""

    factors: Array
    sides: Array
    dspline: Array
    ddrift: Array


@jit
def place_of(span: int, field: int) -> int:
    """Where a span's field lies in `spans`; the field's next number is `WIDE` further."""
    return (span // WIDE) * SPAN + field + span % WIDE


@jit
def _shares(tonic: Tonic, span: int, shares: Array) -> None:
    """`(6, 3)`: how the span's six numbers follow from the front's, at `PLACES`."""
    shares[:] = 0.0
    for m in range(4):
        shares[m, 0] = 1.0 if 0 <= span - 1 + m < tonic.knots else 0.0
        shares[m, 1], shares[m, 2] = tonic.drift[0, span + m], tonic.drift[1, span + m]
    shares[4, 0] = shares[5, 0] = 1.0 if span > 0 else 0.0  # the filter is at rest where the signal begins


@jit
def _enter(spans: Array, span: int, is_last: bool, shares: Array, front: Array) -> None:
    """Add to the front what the span tells."""
    number = span_at = 0
    for a in range(6):
        for c in range(a, 6):
            known = spans[place_of(span, INFO + WIDE * number)]
            number += 1
            for i in range(3):
                for j in range(3):
                    told = known * shares[a, i] * shares[c, j]
                    front[PLACES[a, i], PLACES[c, j]] += told
                    if a != c:
                        front[PLACES[c, j], PLACES[a, i]] += told
    if span == 0:
        front[0, 0] = front[1, 1] = 1.0
    if is_last:
        front[2, 2] = front[3, 3] = -1.0
        return
    for r in range(2):
        for a in range(6):
            for i in range(3):
                reach = shares[a, i] * spans[place_of(span, REACH + WIDE * (6 * r + a))]
                front[2 + r, PLACES[a, i]] -= reach
                front[PLACES[a, i], 2 + r] -= reach
        front[2 + r, 10 + r] = front[10 + r, 2 + r] = 1.0
    span_at = place_of(span, DOUBT)
    front[2, 2] = -spans[span_at]
    front[2, 3] = front[3, 2] = -spans[span_at + WIDE]
    front[3, 3] = -spans[span_at + 2 * WIDE]


@jit
def _eliminate(front: Array, first: int, last: int, kept: Array) -> None:
    """Take the front's rows `first` up to `last` out; `kept` gets 1 / pivot and the multipliers."""
    least = np.empty(FRONT)
    for q in range(first, last):
        least[q] = max(LEAST * abs(front[q, q]), 1e-300)
    for q in range(first, last):
        sign = -1.0 if q == 2 or q == 3 else 1.0
        inverse = sign / max(sign * front[q, q], least[q])
        kept[q - first, q] = inverse
        for c in range(q + 1, FRONT):
            kept[q - first, c] = inverse * front[q, c]
        for r in range(q + 1, FRONT):
            for c in range(q + 1, FRONT):
                front[r, c] -= kept[q - first, r] * front[q, c]


@jit
def factor(tonic: Tonic, spans: Array, system: System) -> None:
    """Factorise the system of all knots; `system.factors` keeps it."""
    count = system.sides.shape[0]
    shares = np.empty((6, 3))
    front, moved = np.zeros((FRONT, FRONT)), np.zeros((FRONT, FRONT))
    for m in range(4):
        front[4 + m, 4 + m] = tonic.gamma if 0 <= m - 1 < tonic.knots else 1.0
    for span in range(count):
        _shares(tonic, span, shares)
        _enter(spans, span, span == count - 1, shares, front)
        _eliminate(front, 0, LEAVE, system.factors[span])
        moved[:] = 0.0
        for a in range(LEAVE, FRONT):
            for c in range(LEAVE, FRONT):
                moved[_moved(a), _moved(c)] = front[a, c]
        moved[7, 7] = tonic.gamma if span + 3 < tonic.knots else 1.0
        front, moved = moved, front
    _eliminate(front, 4, 10, system.factors[count])


@jit
def _moved(at: int) -> int:
    """Where a number of the front stands at the next span."""
    return at - 10 if at >= 10 else at if at >= 8 else at - 1


@jit
def _side(
    tonic: Tonic, spline: Array, spans: Array, span: int, is_last: bool, shares: Array, side: Array
) -> None:
    """Add to the right side what the span's residuals and slopes tell."""
    side[2] = side[3] = side[10] = side[11] = 0.0
    for a in range(6):
        told = -spans[place_of(span, SLOPE + WIDE * a)]
        if a < 4:
            told += spans[place_of(span, PULL + WIDE * a)]
        elif span > 0:
            told += (
                spans[place_of(span, BACK + WIDE * (a - 4))]
                - spans[place_of(span - 1, AFTER + WIDE * (a - 4))]
            )
        for i in range(3):
            side[PLACES[a, i]] += shares[a, i] * told
    if span == 0:
        side[0] = side[1] = 0.0
    if not is_last:
        for r in range(2):
            side[2 + r] = (
                spans[place_of(span, END + WIDE * r)]
                - spans[place_of(span + 1, BEGIN + WIDE * r)]
                + spans[place_of(span, DRIFT + WIDE * r)]
            )


@jit
def solve(tonic: Tonic, spline: Array, spans: Array, system: System) -> None:
    """The directions of spline and drift, and in each span those of its begin, multiplier and curves."""
    count = system.sides.shape[0]
    factors, sides = system.factors, system.sides
    shares, side = np.empty((6, 3)), np.zeros(FRONT)
    for m in range(1, min(4, tonic.knots + 1)):
        side[4 + m] = -tonic.gamma * spline[m - 1]
    for span in range(count):
        _shares(tonic, span, shares)
        _side(tonic, spline, spans, span, span == count - 1, shares, side)
        for q in range(LEAVE):
            sides[span, q] = side[q] * factors[span, q, q]
            for c in range(q + 1, FRONT):
                side[c] -= factors[span, q, c] * side[q]
        for at in range(LEAVE, FRONT):
            side[_moved(at)] = side[at]
        side[7] = -tonic.gamma * spline[span + 3] if span + 3 < tonic.knots else 0.0
    last = factors[count]
    for q in range(4, 10):
        for c in range(q + 1, 10):
            side[c] -= last[q - 4, c] * side[q]
        side[q] *= last[q - 4, q]
    for q in range(9, 3, -1):
        for c in range(q + 1, 10):
            side[q] -= last[q - 4, c] * side[c]
    _unfold(tonic, spans, system, side)


@jit
def _unfold(tonic: Tonic, spans: Array, system: System, side: Array) -> None:
    """From the last front back to the first span."""
    count = system.sides.shape[0]
    factors, shares = system.factors, np.empty((6, 3))
    system.ddrift[0], system.ddrift[1] = side[8], side[9]
    for m in range(4):
        if 0 <= count - 1 + m < tonic.knots:
            system.dspline[count - 1 + m] = side[4 + m]
    side[0] = side[1] = 0.0
    for span in range(count - 1, -1, -1):
        _shares(tonic, span, shares)
        side[10], side[11] = side[0], side[1]
        side[7], side[6], side[5] = side[6], side[5], side[4]
        for q in range(LEAVE - 1, -1, -1):
            found = system.sides[span, q]
            for c in range(q + 1, FRONT):
                found -= factors[span, q, c] * side[c]
            side[q] = found
        if 0 <= span - 1 < tonic.knots:
            system.dspline[span - 1] = side[4]
        for r in range(2):
            spans[place_of(span, DBEGIN + WIDE * r)] = side[r]
            spans[place_of(span, DAFTER + WIDE * r)] = side[2 + r]
        for m in range(4):
            found = 0.0
            for i in range(3):
                found += shares[m, i] * side[PLACES[m, i]]
            spans[place_of(span, DCOEF + WIDE * m)] = found


@jit
def move(tonic: Tonic, spans: Array, system: System, step: float, spline: Array, drift: Array) -> None:
    """Go `step` along the direction, in all but p and z."""
    for knot in range(tonic.knots):
        spline[knot] += step * system.dspline[knot]
    for m in range(2):
        drift[m] += step * system.ddrift[m]
    for span in range(system.sides.shape[0]):
        for r in range(2):
            spans[place_of(span, BEGIN + WIDE * r)] += step * spans[place_of(span, DBEGIN + WIDE * r)]
            spans[place_of(span, AFTER + WIDE * r)] += step * spans[place_of(span, DAFTER + WIDE * r)]
        for m in range(4):
            coef = drift[0] * tonic.drift[0, span + m] + drift[1] * tonic.drift[1, span + m]
            if 0 <= span - 1 + m < tonic.knots:
                coef += spline[span - 1 + m]
            spans[place_of(span, COEF + WIDE * m)] = coef


@jit
def rest(tonic: Tonic, spans: Array, count: int, spline: Array, drift: Array) -> float:
    """How much the objective may be off for the residuals of joints, spline and drift."""
    found, offset, slope = 0.0, 0.0, 0.0
    pulls = -tonic.gamma * spline
    for span in range(count):
        for m in range(4):
            pull = spans[place_of(span, PULL + WIDE * m)]
            offset += tonic.drift[0, span + m] * pull
            slope += tonic.drift[1, span + m] * pull
            if 0 <= span - 1 + m < tonic.knots:
                pulls[span - 1 + m] += pull
        for r in range(2):
            after = spans[place_of(span, AFTER + WIDE * r)]
            if span < count - 1:
                begin = spans[place_of(span + 1, BEGIN + WIDE * r)]
                found += abs(after * (spans[place_of(span, END + WIDE * r)] - begin))
                found += abs(begin * (after - spans[place_of(span + 1, BACK + WIDE * r)]))
    return found + abs(offset * drift[0]) + abs(slope * drift[1]) + np.abs(pulls * spline).sum()
