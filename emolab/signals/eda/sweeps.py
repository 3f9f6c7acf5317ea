"""cvxEDA's sweeps in time: the Bateman filter run forwards and its adjoint backwards.

The driver p ≥ 0 enters a filter of two states (c, v), from which the phasic part r comes:

    r = c + b p      c' = ρ0 c + v + η p      v' = ρ1 v + θ p

which is M A⁻¹ with both trapezoidal poles ρ kept apart: nothing is divided by δ², so hours at 250 Hz stay
as exact as seconds at 4 Hz.

Time is cut at the spline's knots; between two knots the spline is four coefficients on the same four
curves. A stretch ("span") knows its neighbours only through `knots`: its state where it begins, its
multiplier where it ends and those four. Eight spans are swept side by side (`lanes`).

`samples`: for each group of eight spans and each step in time, `RECORD` floats, eight to a field.
`spans`: for each group `SPAN` floats, eight to a field.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emolab.signals.eda.lanes import WIDE, greater, highest, load, spread, store, total, within

Array = NDArray[np.float64]

jit = njit(cache=True, nogil=True, error_model="numpy")

# a sample's fields: data, driver, its multiplier, residual or innovation, gradient, gains, directions
Y, P, Z, U, GRAD, GAIN_C, GAIN_V, SURE, LEFT, DP, DZ = (WIDE * at for at in range(11))
RECORD = 11 * WIDE

# a span's fields; those of several numbers say how many
BEGIN, DBEGIN = 0, 2 * WIDE  # 2: state where it begins, and its direction
AFTER, DAFTER = 4 * WIDE, 6 * WIDE  # 2: multiplier of the joint at its end
COEF, DCOEF = 8 * WIDE, 12 * WIDE  # 4: of the four curves
END, BACK, PULL = (
    16 * WIDE,
    18 * WIDE,
    20 * WIDE,
)  # 2: state reached; 2: multiplier reached; 4: curves' residual
INFO = 24 * WIDE  # 21: what the span knows of curves and begin, upper triangle of 6 x 6
REACH = 45 * WIDE  # 12: how its end follows from those six
DOUBT = 57 * WIDE  # 3: variance of its end
SLOPE, DRIFT = 60 * WIDE, 66 * WIDE  # 6, 2: gradient and end of the present right side
LENGTH = 68 * WIDE  # 1: samples
SPAN = 69 * WIDE


class Bateman(NamedTuple):
    """The filter's five numbers."""

    rho0: float
    rho1: float
    b: float
    eta: float
    theta: float


@jit
def residual(
    filt: Bateman, curves: Array, samples: Array, spans: Array, group: int, step: float
) -> tuple[float, float, float]:
    """Go `step` along the direction; sums of squared residual, of p and of p z."""
    rho0, rho1, b, eta, theta = filt
    seg, first, count = group * SPAN, group * (len(curves) // 4) * RECORD, len(curves) // 4
    length = load(spans, seg + LENGTH)
    c, v = load(spans, seg + BEGIN), load(spans, seg + BEGIN + 8)
    l0, l1 = load(spans, seg + COEF), load(spans, seg + COEF + 8)
    l2, l3 = load(spans, seg + COEF + 16), load(spans, seg + COEF + 24)
    zero = spread(0.0)
    x0, x1, x2, x3, squares, sum_p, sum_pz = zero, zero, zero, zero, zero, zero, zero
    for i in range(count):
        at = first + i * RECORD
        inside = within(float(i), length)
        p = load(samples, at + P) + step * load(samples, at + DP)
        z = load(samples, at + Z) + step * load(samples, at + DZ)
        store(samples, at + P, p)
        store(samples, at + Z, z)
        b0, b1, b2, b3 = curves[4 * i], curves[4 * i + 1], curves[4 * i + 2], curves[4 * i + 3]
        u = inside * (load(samples, at + Y) - (b0 * l0 + b1 * l1 + b2 * l2 + b3 * l3) - c - b * p)
        store(samples, at + U, u)
        x0, x1, x2, x3 = x0 + b0 * u, x1 + b1 * u, x2 + b2 * u, x3 + b3 * u
        squares = squares + u * u
        sum_p = sum_p + inside * p
        sum_pz = sum_pz + inside * p * z
        c, v = rho0 * c + v + eta * p, rho1 * v + theta * p
    store(spans, seg + END, c)
    store(spans, seg + END + 8, v)
    store(spans, seg + PULL, x0)
    store(spans, seg + PULL + 8, x1)
    store(spans, seg + PULL + 16, x2)
    store(spans, seg + PULL + 24, x3)
    return total(squares), total(sum_p), total(sum_pz)


@jit
def adjoint(filt: Bateman, alpha: float, samples: Array, spans: Array, group: int, count: int) -> float:
    """The residual filtered backwards: what each p would gain. Returns the dual residual's maximum."""
    rho0, rho1, b, eta, theta = filt
    seg, first = group * SPAN, group * count * RECORD
    length = load(spans, seg + LENGTH)
    back_c, back_v = load(spans, seg + AFTER), load(spans, seg + AFTER + 8)
    zero = spread(0.0)
    worst = zero
    for i in range(count - 1, -1, -1):
        at = first + i * RECORD
        u = load(samples, at + U)
        grad = b * u + eta * back_c + theta * back_v
        store(samples, at + GRAD, grad)
        off = within(float(i), length) * (alpha - grad - load(samples, at + Z))
        worst = greater(greater(off, zero - off), worst)
        back_c, back_v = rho0 * back_c + u, back_c + rho1 * back_v
    store(spans, seg + BACK, back_c)
    store(spans, seg + BACK + 8, back_v)
    return highest(worst)
