"""cvxEDA: skin conductance as tonic level, phasic responses and noise, by convex optimisation.

    y = r + t + e        r = M q, driver p = A q ≥ 0        t = B l + C d
    minimised:  ½ Σ e² + α Σ p + ½ γ Σ l²

A and M are the two polynomials of the Bateman function under the trapezoidal rule, B cubic B-splines
every 10 s, C an offset and a slope. Greco et al. 2016, doi:10.1109/TBME.2015.2474131; the edges (nothing
before the first sample, a last knot within half a spacing of the end) as in their program of 2025, so that
both have the same minimum. Written from the equations; the method is told in `interior`.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emolab.core.errors import ConfigError, DataError

if TYPE_CHECKING:
    from emolab.signals.eda.interior import Problem

Array = NDArray[np.float64]

TAU_SLOW_S, TAU_FAST_S = 2.0, 0.7  # Greco 2016
KNOT_S = 10.0  # Greco 2016
ALPHA, GAMMA = 8e-4, 1e-2  # Greco 2016
LEAST_HZ = 4.0
LEAST_SAMPLES = 8
GREATEST = 1e100  # its squares can still be added up
STATUSES = ("solved", "stopped", "stalled")
PIECES = 4  # of a batch for each core, so that none waits long for another


@dataclass(frozen=True)
class Decomposition:
    """What `cvxeda` found; of a batch, all with one more axis in front.

    `phasic`, `driver`, `tonic`, `residual`: `(n,)`, in the signal's unit (the driver per second);
    phasic + tonic + residual is the signal. `q (n,)`: the driver through the Bateman function's poles.
    `l (knots,)`, `d (2,)`: the spline's coefficients; offset and slope of the drift.
    `status`: 'solved' (objective within `gap`, relative, of the least there is, and `gap` within the
    tolerance), 'stopped' (at the limit of iterations) or 'stalled' (rounding allows nothing better); the
    parts are the last point's in either case, and `gap` tells what that is worth.
    """

    phasic: Array
    driver: Array
    tonic: Array
    residual: Array
    objective: Any  # float, or (rows,)
    status: Any  # str, or (rows,)
    l: Array  # noqa: E741  # as the paper calls it
    d: Array
    q: Array
    gap: Any  # float, or (rows,)
    iterations: Any  # int, or (rows,)

    @property
    def is_solved(self) -> bool:
        """Everything was solved to the tolerance."""
        return bool(np.all(np.asarray(self.status) == STATUSES[0]))


def standardise(signal: ArrayLike) -> Array:
    """The signal less its mean, over its standard deviation (ddof 0); each row of a batch by its own.

    Raises `DataError` for NaN, and for a flat signal, which has no scale.
    """
    values = _checked(signal)
    means, scales = values.mean(axis=-1, keepdims=True), values.std(axis=-1, keepdims=True)
    if np.any(scales <= 1e-14 * np.abs(means)):
        raise DataError("the skin conductance is flat and has no scale; check the electrodes")
    scaled: Array = (values - means) / scales
    return scaled


def cvxeda(
    signal: ArrayLike,
    rate_hz: float,
    *,
    tau_slow_s: float = TAU_SLOW_S,
    tau_fast_s: float = TAU_FAST_S,
    knot_s: float = KNOT_S,
    alpha: float = ALPHA,
    gamma: float = GAMMA,
    tolerance: float = 1e-9,
    max_iterations: int = 100,
    decimate: int = 1,
    workers: int | None = None,
) -> Decomposition:
    """Split skin conductance into phasic and tonic parts and noise.

    `signal`: `(n,)`, or `(rows, n)` for a batch, solved on all cores (`workers` of them); evenly sampled,
    no NaN, at least 8 samples. Standardise it first (`standardise`): α and γ are meant for a standard
    deviation of one. `rate_hz`: at least 4. A signal shorter than a knot's spacing has a knot or two; a
    flat one is all tonic. `decimate`: solve on means of so many samples and draw lines between what is found
    (`objective`, `l` and `d` are then of the means). Not converging is told by the result's `status`, never
    by an exception.
    Raises `DataError` for signals and `ConfigError` for parameters that allow no decomposition.
    The first call on a machine compiles for some seconds. Memory: 130 bytes a sample.
    Source: Greco et al. 2016, doi:10.1109/TBME.2015.2474131.
    """
    values = _checked(signal)
    rows = np.ascontiguousarray(np.atleast_2d(values))
    if decimate < 1 or rows.shape[1] // decimate < LEAST_SAMPLES:
        raise ConfigError(f"{rows.shape[1]} samples cannot be decimated by {decimate}")
    if decimate > 1:
        solved = cvxeda(
            _means(rows, decimate),
            rate_hz / decimate,
            tau_slow_s=tau_slow_s,
            tau_fast_s=tau_fast_s,
            knot_s=knot_s,
            alpha=alpha,
            gamma=gamma / decimate,  # so much fewer are the squares it stands against
            tolerance=tolerance,
            max_iterations=max_iterations,
            workers=workers,
        )
        return _expanded(solved, values, decimate)
    problem = _problem(
        rows.shape[1], rate_hz, (tau_slow_s, tau_fast_s), knot_s, alpha, gamma, tolerance, max_iterations
    )
    found = _solved(problem, rows, workers or os.cpu_count() or 1)
    parts: dict[str, Any] = {**found, "status": np.array(STATUSES)[found["status"]]}
    if values.ndim == 1:
        parts = {name: part[0] for name, part in parts.items()}
    return _typed(parts, values.ndim == 1)


def _checked(signal: ArrayLike) -> Array:
    values = np.asarray(signal, np.float64)
    if values.ndim not in (1, 2) or values.shape[0] == 0:
        raise DataError(f"skin conductance must be (n,) or (rows, n), not {values.shape}")
    if values.shape[-1] < LEAST_SAMPLES:
        raise DataError(
            f"{values.shape[-1]} samples of skin conductance are too few to decompose; "
            f"give {LEAST_SAMPLES} or more"
        )
    if not np.isfinite(values).all():
        raise DataError("the skin conductance has NaN or infinite samples; bridge or cut its gaps first")
    if np.abs(values).max() > GREATEST:
        raise DataError(f"skin conductance of {np.abs(values).max():.0e} is none; check where it comes from")
    return values


def _means(rows: Array, decimate: int) -> Array:
    count = rows.shape[1] // decimate
    means: Array = rows[:, : count * decimate].reshape(len(rows), count, decimate).mean(axis=2)
    return means


def _expanded(solved: Decomposition, values: Array, decimate: int) -> Decomposition:
    """What was found for means, at every sample again: lines through their middles, a step for the driver."""
    at = np.arange(values.shape[-1], dtype=np.float64)
    middles = (np.arange(solved.q.shape[1]) + 0.5) * decimate - 0.5
    held = np.minimum(at.astype(np.int64) // decimate, len(middles) - 1)

    def drawn(part: Array) -> Array:
        lines = np.stack([np.interp(at, middles, row) for row in part])
        return lines.reshape(values.shape)

    phasic, tonic = drawn(solved.phasic), drawn(solved.tonic)
    parts = {**vars(solved), "phasic": phasic, "tonic": tonic, "residual": values - phasic - tonic}
    parts |= {"q": drawn(solved.q), "driver": solved.driver[:, held].reshape(values.shape)}
    if values.ndim == 1:
        parts |= {name: parts[name][0] for name in ("objective", "gap", "status", "iterations", "l", "d")}
    return _typed(parts, values.ndim == 1)


def _typed(parts: dict[str, Any], is_single: bool) -> Decomposition:
    if is_single:
        parts |= {"objective": float(parts["objective"]), "gap": float(parts["gap"])}
        parts |= {"status": str(parts["status"]), "iterations": int(parts["iterations"])}
    return Decomposition(**parts)


def _problem(
    count: int,
    rate_hz: float,
    taus_s: tuple[float, float],
    knot_s: float,
    alpha: float,
    gamma: float,
    tolerance: float,
    most: int,
) -> Problem:
    from emolab.signals.eda.interior import Problem

    step_s = 1.0 / rate_hz if rate_hz > 0.0 else np.inf
    if not rate_hz >= LEAST_HZ or not np.isfinite(rate_hz):
        raise ConfigError(
            f"skin conductance at {rate_hz:g} Hz cannot be decomposed; at least {LEAST_HZ:g} Hz"
        )
    fast_s, slow_s = sorted(taus_s)
    if not step_s / 2.0 < fast_s < slow_s:
        raise ConfigError(
            f"the Bateman function's times {fast_s:g} and {slow_s:g} s must differ and be above half a sample"
        )
    if not (alpha > 0.0 and gamma > 0.0 and tolerance > 0.0 and most >= 0):
        raise ConfigError("alpha, gamma and tolerance must be above zero, max_iterations zero or more")
    period = round(knot_s / step_s)
    if period < 2:
        raise ConfigError(f"knots every {knot_s:g} s are less than two samples apart at {rate_hz:g} Hz")
    return Problem(
        count, _bateman(step_s, slow_s, fast_s), _tonic(count, period, gamma), float(alpha), tolerance, most
    )


def _bateman(step_s: float, slow_s: float, fast_s: float) -> Any:
    """The filter from driver to phasic part, its poles kept apart and its states scaled (`sweeps`)."""
    from emolab.signals.eda.sweeps import Bateman

    slow, fast = step_s / slow_s, step_s / fast_s
    rho0, rho1 = (2.0 - slow) / (2.0 + slow), (2.0 - fast) / (2.0 + fast)
    b = (fast - slow) * step_s / ((fast + 2.0) * (slow + 2.0))
    of_q, of_v = (1.0 + rho0) ** 2 / rho0, b * (rho1 - 1.0 / rho0)  # r less b p, from q and the fast state
    return Bateman(rho0, rho1, b, of_q * b + of_v, of_q * b * rho1 + of_v * (rho1 - rho0))


def _tonic(count: int, period: int, gamma: float) -> Any:
    """Four bumps between two knots, how the drift follows from them, and how many knots there are."""
    from emolab.signals.eda.knots import Tonic

    triangle = np.concatenate([np.arange(1.0, period), np.arange(period, 0.0, -1.0)])
    bump = np.convolve(triangle, triangle)
    bump /= bump.max()
    padded = np.concatenate([np.zeros(2), bump, np.zeros(1)])  # from two periods before its knot
    curves = padded[: 4 * period].reshape(4, period)[::-1].T
    knots_at = np.arange(-1, -(-count // period) + 2) * period
    drift = np.array([np.ones(len(knots_at)), (knots_at + 1.0) / count]) / curves[0].sum()
    knots = -(-(count + period // 2) // period)
    return Tonic(np.ascontiguousarray(curves).ravel(), np.ascontiguousarray(drift), knots, float(gamma))


def _solved(problem: Problem, rows: Array, workers: int) -> dict[str, NDArray[Any]]:
    from emolab.signals.eda.interior import Found, solve_rows

    count, long = rows.shape
    found: dict[str, NDArray[Any]] = {
        **{name: np.empty((count, long)) for name in ("driver", "q", "phasic", "tonic", "residual")},
        "l": np.zeros((count, problem.tonic.knots)),
        "d": np.zeros((count, 2)),
        "objective": np.zeros(count),
        "gap": np.zeros(count),
        "status": np.zeros(count, np.int64),
        "iterations": np.zeros(count, np.int64),
    }
    room = Found(*found.values())
    workers = min(workers, count)
    if workers == 1:
        solve_rows(problem, rows, 0, count, room)
        return found
    edges = np.linspace(0, count, min(PIECES * workers, count) + 1).astype(int)
    with ThreadPoolExecutor(workers) as pool:
        pieces = [
            pool.submit(solve_rows, problem, rows, int(first), int(last), room)
            for first, last in pairwise(edges)
        ]
        for piece in pieces:
            piece.result()
    return found
