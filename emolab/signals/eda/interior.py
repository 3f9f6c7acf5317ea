"""cvxEDA's interior point: Mehrotra's predictor and corrector, compiled whole.

At a point (p > 0, z > 0, spline, drift) all residuals are measured afresh, so that rounding in a step is
made good by the next. The point is good enough when its objective is within `tolerance` of the least there
is: the sum of p z plus what each other residual can contribute, against the objective.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emolab.signals.eda import smoother, sweeps
from emolab.signals.eda.knots import System, Tonic, factor, move, rest, solve
from emolab.signals.eda.lanes import WIDE
from emolab.signals.eda.sweeps import (
    AFTER,
    BEGIN,
    COEF,
    DAFTER,
    DBEGIN,
    DCOEF,
    DP,
    DZ,
    LENGTH,
    RECORD,
    SPAN,
    Bateman,
    P,
    Y,
    Z,
    jit,
)  # fmt: skip

Array = NDArray[np.float64]

SOLVED, STOPPED, STALLED = 0, 1, 2
FIRST_P = 20.0  # standard deviations; 10 to 100 are alike, from 1 it takes a third more iterations
FIRST_Z = 1e-3  # standard deviations, if α is not more
ALMOST = 0.995  # of the way to where a p or z would be zero
TO_SPARE = 0.05  # of the tolerance: p z need not be smaller in all, and rounding begins below
PATIENCE = 25  # iterations without a better point
ROUNDING = 3e-14  # of the signal's energy: no objective is told more exactly


class Problem(NamedTuple):
    """All that the signals of a batch have in common."""

    size: int
    filt: Bateman
    tonic: Tonic
    alpha: float
    tolerance: float
    most: int


class Found(NamedTuple):
    """Row by row: `(rows, n)`, `(rows, knots)`, `(rows, 2)` and `(rows,)`."""

    driver: Array
    impulse: Array
    phasic: Array
    tonic: Array
    residual: Array
    spline: Array
    drift: Array
    objective: Array
    gap: Array
    status: NDArray[np.int64]
    iterations: NDArray[np.int64]


@jit
def _begin(problem: Problem, signal: Array, mean: float, scale: float, samples: Array, spans: Array) -> None:
    """Data into lanes; the first point: a steady driver, no spline."""
    period, filt = len(problem.tonic.curves) // 4, problem.filt
    p, z = FIRST_P * scale, max(problem.alpha, FIRST_Z * scale)
    v = filt.theta * p / (1.0 - filt.rho1)
    c = (v + filt.eta * p) / (1.0 - filt.rho0)
    for group in range(len(spans) // SPAN):
        for lane in range(WIDE):
            span = group * WIDE + lane
            length = min(max(problem.size - span * period, 0), period)
            at = group * SPAN + lane
            for field in (BEGIN, AFTER, COEF, COEF + 2 * WIDE):
                spans[at + field] = spans[at + field + WIDE] = 0.0
            if span > 0:
                spans[at + BEGIN], spans[at + BEGIN + WIDE] = c, v
            spans[at + LENGTH] = length
            for i in range(period):
                at = (group * period + i) * RECORD + lane
                samples[at + Y] = signal[span * period + i] - mean if i < length else 0.0
                samples[at + P], samples[at + Z] = p, z
                samples[at + DP] = samples[at + DZ] = 0.0


@jit
def _measure(
    problem: Problem, samples: Array, spans: Array, system: System, step: float, spline: Array, drift: Array
) -> tuple[float, float, float]:
    """Go `step` along the direction in p and z; the objective there, the sum of p z, and how far off."""
    curves = problem.tonic.curves
    squares = sum_p = sum_pz = off = 0.0
    for group in range(len(spans) // SPAN):
        found = sweeps.residual(problem.filt, curves, samples, spans, group, step)
        squares += found[0]
        sum_p += found[1]
        sum_pz += found[2]
        off = max(off, sweeps.adjoint(problem.filt, problem.alpha, samples, spans, group, len(curves) // 4))
    objective = 0.5 * squares + problem.alpha * sum_p + 0.5 * problem.tonic.gamma * (spline * spline).sum()
    further = rest(problem.tonic, spans, system.sides.shape[0], spline, drift)
    return objective, sum_pz, sum_pz + off * sum_p + further


@jit
def _direct(
    problem: Problem, goal: float, order: float, samples: Array, spans: Array, system: System, spline: Array
) -> tuple[float, float, float]:
    """The Newton direction towards p z = goal; the greatest relative fall, and the sums for `_centre`."""
    curves, groups = problem.tonic.curves, len(spans) // SPAN
    period = len(curves) // 4
    for group in range(groups):
        for field in (DBEGIN, DAFTER, DCOEF, DCOEF + 2 * WIDE):
            at = group * SPAN + field
            spans[at : at + 2 * WIDE] = 0.0
        smoother.aim(problem.alpha, goal, order, samples, spans, group, period)
        smoother.forwards(problem.filt, curves, samples, spans, group)
        smoother.slopes(problem.filt, curves, samples, spans, group)
    solve(problem.tonic, spline, spans, system)
    fall = order1 = order2 = 0.0
    for group in range(groups):
        smoother.forwards(problem.filt, curves, samples, spans, group)
        found = smoother.backwards(problem.filt, samples, spans, group, period)
        fall = max(fall, found[0])
        order1 += found[1]
        order2 += found[2]
    return fall, order1, order2


@jit
def _descend(
    problem: Problem, energy: float, samples: Array, spans: Array, system: System, spline: Array, drift: Array
) -> tuple[int, int, float]:
    """From the first point to the best that can be had: `(status, iterations, relative gap)`."""
    curves = problem.tonic.curves
    step, best, since = 0.0, np.inf, 0
    for iteration in range(problem.most + 1):
        objective, sum_pz, off = _measure(problem, samples, spans, system, step, spline, drift)
        against = max(objective, ROUNDING / problem.tolerance * energy)
        gap = off / against
        if gap <= problem.tolerance:
            return SOLVED, iteration, gap
        since = 0 if off < 0.9 * best else since + 1
        best = min(best, off)
        if not np.isfinite(gap) or since >= PATIENCE:
            return STALLED, iteration, gap
        if iteration == problem.most:
            break
        for group in range(len(spans) // SPAN):
            smoother.gains(problem.filt, samples, spans, group, len(curves) // 4)
            smoother.information(problem.filt, curves, samples, spans, group)
        factor(problem.tonic, spans, system)
        fall, order1, order2 = _direct(problem, 0.0, 0.0, samples, spans, system, spline)
        step = min(1.0, 1.0 / fall)
        left = max(1.0 + step * (order1 + step * order2) / sum_pz, 0.0)
        goal = max(left**3 * sum_pz, TO_SPARE * problem.tolerance * against) / problem.size
        fall, order1, order2 = _direct(problem, goal, 1.0, samples, spans, system, spline)
        if not np.isfinite(order1 + order2):
            return STALLED, iteration, gap
        step = min(1.0, ALMOST / fall)
        move(problem.tonic, spans, system, step, spline, drift)
    return STOPPED, problem.most, gap


@jit
def _finish(problem: Problem, signal: Array, samples: Array, row: int, found: Found) -> None:
    """Driver, impulse response and parts in the signal's own order; the objective from them."""
    filt, tonic, count = problem.filt, problem.tonic, problem.size
    period = len(tonic.curves) // 4
    spline, drift = found.spline[row], found.drift[row]
    state, q, q1, q2 = 0.0, 0.0, 0.0, 0.0
    squares = sum_p = 0.0
    for at in range(count):
        span, i = at // period, at % period
        p = samples[((span // WIDE) * period + i) * RECORD + P + span % WIDE]
        state = filt.rho1 * state + p
        q, q1, q2 = filt.rho0 * q + filt.b * state, q, q1
        phasic = q + 2.0 * q1 + q2
        level = drift[0] + drift[1] * ((at + 1.0) / count)
        for m in range(4):
            if 0 <= span - 1 + m < tonic.knots:
                level += spline[span - 1 + m] * tonic.curves[4 * i + m]
        rest_of = signal[at] - phasic - level
        found.driver[row, at], found.impulse[row, at] = p, q
        found.phasic[row, at], found.tonic[row, at], found.residual[row, at] = phasic, level, rest_of
        squares += rest_of * rest_of
        sum_p += p
    found.objective[row] = 0.5 * squares + problem.alpha * sum_p + 0.5 * tonic.gamma * (spline * spline).sum()


@jit
def solve_rows(problem: Problem, signals: Array, first: int, last: int, found: Found) -> None:
    """Solve the rows `first` up to `last` of `signals (rows, n)`; without Python's lock."""
    period = len(problem.tonic.curves) // 4
    count = (problem.size + period - 1) // period
    groups = (count + WIDE - 1) // WIDE
    samples, spans = np.empty(groups * period * RECORD), np.zeros(groups * SPAN)
    system = System(
        np.zeros((count + 1, 6, 12)), np.zeros((count, 5)), np.zeros(problem.tonic.knots), np.zeros(2)
    )
    for row in range(first, last):
        signal = signals[row]
        mean, scale = signal.mean(), signal.std()
        spline, drift = found.spline[row], found.drift[row]
        spline[:] = 0.0
        drift[:] = 0.0
        if scale <= 1e-14 * abs(mean):  # flat
            samples[:] = 0.0
        else:
            _begin(problem, signal, mean, scale, samples, spans)
            energy = 0.5 * problem.size * scale * scale
            told = _descend(problem, energy, samples, spans, system, spline, drift)
            found.status[row], found.iterations[row], found.gap[row] = told
        drift[0] += mean
        _finish(problem, signal, samples, row, found)
