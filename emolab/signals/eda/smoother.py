"""A Newton step of cvxEDA's interior point, between the knots: a Kalman filter and its smoother.

The step is a least-squares problem in which the change of each p has variance ω = p / z and that of the
residual has variance 1: the filter goes forwards, the smoother comes back. ω runs from 1e-14 to 1e14;
the filter's covariance is therefore written as a sum of positive terms, so that it cannot break down, and
whatever cancels where ω is large is computed without its difference: for each sample are kept

    SURE = 1 / f, f = 1 + P11 + b² ω      LEFT = (1 + P11) / f      GAIN = g − b K, g = (η, θ)

of which GAIN is small where the gain K comes near to g / b.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.signals.eda.lanes import WIDE, greater, highest, load, spread, store, total, within
from emolab.signals.eda.sweeps import (
    DAFTER,
    DBEGIN,
    DCOEF,
    DOUBT,
    DP,
    DRIFT,
    DZ,
    GAIN_C,
    GAIN_V,
    GRAD,
    INFO,
    LEFT,
    LENGTH,
    REACH,
    RECORD,
    SLOPE,
    SPAN,
    SURE,
    Bateman,
    P,
    U,
    Z,
    jit,
)

Array = NDArray[np.float64]


@jit
def gains(filt: Bateman, samples: Array, spans: Array, group: int, count: int) -> None:
    """The filter's gains for ω = p / z, from a state known where the span begins."""
    rho0, rho1, b, eta, theta = filt
    seg, first = group * SPAN, group * count * RECORD
    length = load(spans, seg + LENGTH)
    ge, gt = eta / b, theta / b
    n11, n21 = rho0 - ge, -gt
    p11, p12, p22 = spread(0.0), spread(0.0), spread(0.0)
    for i in range(count):
        at = first + i * RECORD
        inside = within(float(i), length)
        free = b * b * inside * load(samples, at + P) / load(samples, at + Z)
        known = 1.0 + p11
        sure = 1.0 / (known + free)
        left = known * sure
        a1, a2 = rho0 * p11 + p12, rho0 * p12 + p22
        store(samples, at + SURE, inside * sure)
        store(samples, at + LEFT, left)
        store(samples, at + GAIN_C, eta * left - b * sure * a1)
        store(samples, at + GAIN_V, theta * left - b * sure * rho1 * p12)
        det = p11 * p22 - p12 * p12
        m1, m2 = n11 * p11 + p12, n11 * p12 + p22
        m3, m4 = n21 * p11 + rho1 * p12, n21 * p12 + rho1 * p22
        p11 = sure * (rho0 * a1 + a2 + det + free * (n11 * m1 + m2 + ge * ge))
        p12 = sure * (rho1 * (a2 + det) + free * (n21 * m1 + rho1 * m2 + ge * gt))
        p22 = sure * (rho1 * rho1 * (p22 + det) + free * (n21 * m3 + rho1 * m4 + gt * gt))
    store(spans, seg + DOUBT, p11)
    store(spans, seg + DOUBT + 8, p12)
    store(spans, seg + DOUBT + 16, p22)


@jit
def _gained(gain: Any, state: Any, innovation: Any, rho0: float, rho1: float) -> Any:
    """One step of the filter for a curve: nothing comes in but the innovation."""
    c, v = state
    return rho0 * c + v + gain[0] * innovation, rho1 * v + gain[1] * innovation


@jit
def information(filt: Bateman, curves: Array, samples: Array, spans: Array, group: int) -> None:
    """What the span tells of its four curves and its begin, and how its end follows from them."""
    rho0, rho1, b, eta, theta = filt
    seg, first, count = group * SPAN, group * (len(curves) // 4) * RECORD, len(curves) // 4
    length = load(spans, seg + LENGTH)
    zero, one, inverse = spread(0.0), spread(1.0), 1.0 / b
    t0, t1, t2, t3, t4, t5 = (zero, zero), (zero, zero), (zero, zero), (zero, zero), (one, zero), (zero, one)
    s00, s01, s02, s03, s04, s05 = zero, zero, zero, zero, zero, zero
    s11, s12, s13, s14, s15 = zero, zero, zero, zero, zero
    s22, s23, s24, s25, s33, s34, s35 = zero, zero, zero, zero, zero, zero, zero
    s44, s45, s55 = zero, zero, zero
    for i in range(count):
        at = first + i * RECORD
        inside, sure = within(float(i), length), load(samples, at + SURE)
        gain = (
            inside * inverse * (eta - load(samples, at + GAIN_C)),
            inside * inverse * (theta - load(samples, at + GAIN_V)),
        )
        e0, e1 = zero - curves[4 * i] - t0[0], zero - curves[4 * i + 1] - t1[0]
        e2, e3 = zero - curves[4 * i + 2] - t2[0], zero - curves[4 * i + 3] - t3[0]
        e4, e5 = zero - t4[0], zero - t5[0]
        t0, t1 = _gained(gain, t0, e0, rho0, rho1), _gained(gain, t1, e1, rho0, rho1)
        t2, t3 = _gained(gain, t2, e2, rho0, rho1), _gained(gain, t3, e3, rho0, rho1)
        t4, t5 = _gained(gain, t4, e4, rho0, rho1), _gained(gain, t5, e5, rho0, rho1)
        w = e0 * sure
        s00, s01, s02 = s00 + w * e0, s01 + w * e1, s02 + w * e2
        s03, s04, s05 = s03 + w * e3, s04 + w * e4, s05 + w * e5
        w = e1 * sure
        s11, s12, s13, s14, s15 = s11 + w * e1, s12 + w * e2, s13 + w * e3, s14 + w * e4, s15 + w * e5
        w = e2 * sure
        s22, s23, s24, s25 = s22 + w * e2, s23 + w * e3, s24 + w * e4, s25 + w * e5
        w = e3 * sure
        s33, s34, s35 = s33 + w * e3, s34 + w * e4, s35 + w * e5
        w = e4 * sure
        s44, s45, s55 = s44 + w * e4, s45 + w * e5, s55 + e5 * sure * e5
    known = (s00, s01, s02, s03, s04, s05, s11, s12, s13, s14, s15, s22, s23, s24, s25, s33, s34, s35)
    for number, value in enumerate((*known, s44, s45, s55)):
        store(spans, seg + INFO + WIDE * number, value)
    ends = (t0[0], t1[0], t2[0], t3[0], t4[0], t5[0], t0[1], t1[1], t2[1], t3[1], t4[1], t5[1])
    for number, value in enumerate(ends):
        store(spans, seg + REACH + WIDE * number, value)


@jit
def aim(
    alpha: float, goal: float, order: float, samples: Array, spans: Array, group: int, count: int
) -> None:
    """What each p should become on its own: p z = `goal`, less `order` times the direction's second order."""
    length = load(spans, group * SPAN + LENGTH)
    for i in range(count):
        at = (group * count + i) * RECORD
        inside = within(float(i), length)
        p, z = load(samples, at + P), load(samples, at + Z)
        wanted = inside * (goal - order * load(samples, at + DP) * load(samples, at + DZ))
        store(samples, at + DZ, wanted)
        store(samples, at + DP, (inside * p * (load(samples, at + GRAD) - alpha) + wanted) / z)


@jit
def forwards(filt: Bateman, curves: Array, samples: Array, spans: Array, group: int) -> None:
    """The Kalman filter with the span's begin and curves given; leaves the innovations and the end."""
    rho0, rho1, b, eta, theta = filt
    seg, first, count = group * SPAN, group * (len(curves) // 4) * RECORD, len(curves) // 4
    length = load(spans, seg + LENGTH)
    c, v = load(spans, seg + DBEGIN), load(spans, seg + DBEGIN + 8)
    l0, l1 = load(spans, seg + DCOEF), load(spans, seg + DCOEF + 8)
    l2, l3 = load(spans, seg + DCOEF + 16), load(spans, seg + DCOEF + 24)
    zero, inverse = spread(0.0), 1.0 / b
    for i in range(count):
        at = first + i * RECORD
        b0, b1, b2, b3 = curves[4 * i], curves[4 * i + 1], curves[4 * i + 2], curves[4 * i + 3]
        gain_c, gain_v, own = load(samples, at + GAIN_C), load(samples, at + GAIN_V), load(samples, at + DP)
        e = zero - (b0 * l0 + b1 * l1 + b2 * l2 + b3 * l3) - c
        store(samples, at + U, e)
        e = within(float(i), length) * inverse * e
        c, v = (
            rho0 * c + v + gain_c * own + (eta - gain_c) * e,
            rho1 * v + gain_v * own + (theta - gain_v) * e,
        )
    store(spans, seg + DRIFT, c)
    store(spans, seg + DRIFT + 8, v)


@jit
def slopes(filt: Bateman, curves: Array, samples: Array, spans: Array, group: int) -> None:
    """The smoother after `forwards` with begin, curves and multiplier zero: the knots' right side."""
    rho0, rho1, b, eta, theta = filt
    seg, first, count = group * SPAN, group * (len(curves) // 4) * RECORD, len(curves) // 4
    length = load(spans, seg + LENGTH)
    zero, inverse = spread(0.0), 1.0 / b
    back_c, back_v, x0, x1, x2, x3 = zero, zero, zero, zero, zero, zero
    for i in range(count - 1, -1, -1):
        at = first + i * RECORD
        gain_c, gain_v = load(samples, at + GAIN_C), load(samples, at + GAIN_V)
        pull = (eta - gain_c) * back_c + (theta - gain_v) * back_v
        du = (load(samples, at + U) - b * load(samples, at + DP)) * load(samples, at + SURE)
        du = du - within(float(i), length) * inverse * pull
        x0, x1 = x0 - curves[4 * i] * du, x1 - curves[4 * i + 1] * du
        x2, x3 = x2 - curves[4 * i + 2] * du, x3 - curves[4 * i + 3] * du
        back_c, back_v = rho0 * back_c + du, back_c + rho1 * back_v
    for number, value in enumerate((x0, x1, x2, x3, zero - back_c, zero - back_v)):
        store(spans, seg + SLOPE + WIDE * number, value)


@jit
def backwards(
    filt: Bateman, samples: Array, spans: Array, group: int, count: int
) -> tuple[float, float, float]:
    """The smoother after `forwards`: the directions of p and z.

    Returns the greatest relative fall of a p or z, and the sums of p dz + z dp and of dp dz.
    """
    rho0, rho1, b, eta, theta = filt
    seg, first = group * SPAN, group * count * RECORD
    length = load(spans, seg + LENGTH)
    back_c, back_v = load(spans, seg + DAFTER), load(spans, seg + DAFTER + 8)
    zero, inverse = spread(0.0), 1.0 / b
    worst, order1, order2 = zero, zero, zero
    for i in range(count - 1, -1, -1):
        at = first + i * RECORD
        inside = within(float(i), length)
        p, z, own, e = (
            load(samples, at + P),
            load(samples, at + Z),
            load(samples, at + DP),
            load(samples, at + U),
        )
        gain_c, gain_v, sure = (
            load(samples, at + GAIN_C),
            load(samples, at + GAIN_V),
            load(samples, at + SURE),
        )
        pull = (eta - gain_c) * back_c + (theta - gain_v) * back_v
        du = (e - b * own) * sure - inside * inverse * pull
        dp = load(samples, at + LEFT) * own + inside * p / z * (
            b * sure * e + gain_c * back_c + gain_v * back_v
        )
        dz = load(samples, at + DZ) / p - inside * z * (1.0 + dp / p)
        worst = greater(zero - dp / p, greater(zero - dz / z, worst))
        order1 = order1 + dp * z + p * dz
        order2 = order2 + dp * dz
        store(samples, at + DP, dp)
        store(samples, at + DZ, dz)
        back_c, back_v = rho0 * back_c + du, back_c + rho1 * back_v
    return highest(worst), total(order1), total(order2)
