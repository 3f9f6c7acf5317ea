"""The decomposition solves its own problem: proved by duality, by a dense solver, by what was planted."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.linalg import toeplitz
from scipy.optimize import lsq_linear
from scipy.signal import lfilter

from emolab.core.errors import ConfigError, DataError
from emolab.signals.eda import cvxeda, standardise
from emolab.signals.eda.convex import ALPHA, GAMMA, LEAST_SAMPLES

Array = NDArray[np.float64]


def polynomials(rate_hz: float, slow_s: float = 2.0, fast_s: float = 0.7) -> tuple[Array, Array]:
    """A's and M's coefficients, as the specification writes them."""
    step_s, a1, a0 = 1.0 / rate_hz, 1.0 / fast_s, 1.0 / slow_s
    both = [
        (a1 * step_s + 2) * (a0 * step_s + 2),
        2 * a1 * a0 * step_s**2 - 8,
        (a1 * step_s - 2) * (a0 * step_s - 2),
    ]
    return np.array(both) / ((a1 - a0) * step_s**2), np.array([1.0, 2.0, 1.0])


def tonic_design(count: int, rate_hz: float) -> tuple[Array, Array]:
    """B and C, column by column."""
    period = round(10.0 * rate_hz)
    triangle = period - np.abs(np.arange(-period + 1.0, period))
    bump = np.convolve(triangle, triangle) / (triangle @ triangle)
    knots = np.arange(0, count + period // 2, period)
    off = np.arange(count)[:, None] - knots[None, :] + len(bump) // 2
    spline = np.where((off >= 0) & (off < len(bump)), bump[np.clip(off, 0, len(bump) - 1)], 0.0)
    return spline, np.column_stack([np.ones(count), np.arange(1.0, count + 1) / count])


def objective(signal: Array, rate_hz: float, driver: Array, spline: Array, drift: Array) -> float:
    """½‖M q + B l + C d − y‖² + α Σ p + ½ γ ‖l‖² for any driver, spline and drift."""
    poles, zeros = polynomials(rate_hz)
    bumps, line = tonic_design(len(signal), rate_hz)
    rest = lfilter(zeros, poles, driver) + bumps @ spline + line @ drift - signal
    return float(0.5 * rest @ rest + ALPHA * driver.sum() + 0.5 * GAMMA * spline @ spline)


def least_possible(signal: Array, rate_hz: float, residual: Array) -> float:
    """A bound that no decomposition's objective can be below, made from a residual by duality.

    For each u with Cᵀu = 0 and Kᵀu ≤ α, where K takes driver to phasic: yᵀu − ½‖u‖² − ‖Bᵀu‖² / 2γ.
    """
    poles, zeros = polynomials(rate_hz)
    bumps, line = tonic_design(len(signal), rate_hz)
    u = residual - line @ np.linalg.lstsq(line, residual, rcond=None)[0]
    pull = lfilter(zeros, poles, u[::-1])[::-1].max()
    u = u * min(1.0, ALPHA / pull) if pull > 0 else u
    return float(signal @ u - 0.5 * u @ u - 0.5 / GAMMA * np.sum((bumps.T @ u) ** 2))


def made(
    long_s: float, rate_hz: float, seed: int = 0, noise: float = 0.01
) -> tuple[Array, Array, Array, Array]:
    """Five responses on a slow level: `(signal, phasic, tonic, seconds of the five)`."""
    rng = np.random.default_rng(seed)
    count = round(long_s * rate_hz)
    times_s = np.arange(count) / rate_hz
    at_s = long_s * (np.arange(5) + 0.3 + 0.4 * rng.random(5)) / 5
    driver = np.zeros(count)
    driver[np.round(at_s * rate_hz).astype(int)] = rate_hz * rng.uniform(0.5, 1.5, 5)
    poles, zeros = polynomials(rate_hz)
    phasic = lfilter(zeros, poles, driver)
    tonic = 5.0 + np.sin(2 * np.pi * times_s / 90.0) - 0.01 * times_s
    return phasic + tonic + noise * rng.normal(size=count), phasic, tonic, at_s


def walk(count: int, seed: int) -> Array:
    return standardise(np.cumsum(np.random.default_rng(seed).normal(size=count)))


@pytest.mark.parametrize("rate_hz", [4.0, 25.0, 64.0])
def test_planted_responses_level_and_times_are_found(rate_hz: float) -> None:
    signal, phasic, tonic, at_s = made(60.0, rate_hz)
    found = cvxeda(standardise(signal), rate_hz)
    assert found.status == "solved"
    assert np.corrcoef(found.phasic, phasic)[0, 1] > 0.9
    assert np.corrcoef(found.tonic, tonic)[0, 1] > 0.95
    strong = np.flatnonzero(found.driver > 0.1 * found.driver.max()) / rate_hz
    first_of_each = [float(strong[np.abs(strong - one_s).argmin()]) for one_s in at_s]
    np.testing.assert_allclose(first_of_each, at_s, atol=0.2)
    assert all(np.abs(at_s - one_s).min() <= 0.25 + 1 / rate_hz for one_s in strong)  # and none but those


def test_parts_add_up_and_follow_from_driver_spline_and_drift() -> None:
    signal = standardise(made(95.0, 25.0)[0])
    found = cvxeda(signal, 25.0)
    poles, zeros = polynomials(25.0)
    bumps, line = tonic_design(len(signal), 25.0)
    np.testing.assert_allclose(found.phasic + found.tonic + found.residual, signal, atol=1e-9)
    np.testing.assert_allclose(lfilter(zeros, poles, found.driver), found.phasic, atol=1e-9)
    np.testing.assert_allclose(lfilter([1.0], poles, found.driver), found.q, atol=1e-9)
    np.testing.assert_allclose(bumps @ found.l + line @ found.d, found.tonic, atol=1e-9)
    assert found.objective == pytest.approx(objective(signal, 25.0, found.driver, found.l, found.d), rel=1e-9)


@pytest.mark.parametrize(
    ("count", "rate_hz"),
    [
        (8, 4.0),
        (39, 4.0),
        (40, 4.0),
        (60, 4.0),
        (61, 4.0),
        (333, 10.0),
        (1500, 50.0),
        (5000, 50.0),
        (7001, 250.0),
    ],
)
def test_no_objective_can_be_lower_by_more_than_the_tolerance(count: int, rate_hz: float) -> None:
    signal = walk(count, count)
    found = cvxeda(signal, rate_hz)
    assert found.status == "solved" and found.gap <= 1e-9
    assert found.driver.min() >= 0.0
    bound = least_possible(signal, rate_hz, found.residual)
    assert bound <= found.objective * (1 + 1e-9)
    assert found.objective - bound <= 1e-7 * found.objective  # the bound, too, is made with rounding


def test_a_dense_solver_of_another_kind_finds_the_same_minimum() -> None:
    """SciPy's active-set method for bounded least squares; α Σ p comes as a row, (ε Σ p + α / ε)² / 2."""
    count, rate_hz, epsilon = 90, 4.0, 1e-6
    signal = walk(count, 3)
    poles, zeros = polynomials(rate_hz)
    onto = toeplitz(lfilter(zeros, poles, np.eye(1, count)[0]), np.zeros(count))  # driver to phasic
    bumps, line = tonic_design(count, rate_hz)
    knots = bumps.shape[1]
    ridge = np.sqrt(GAMMA) * np.eye(knots, count + knots + 2, count)
    sparse = epsilon * (np.arange(count + knots + 2) < count)
    matrix = np.vstack([np.hstack([onto, bumps, line]), ridge, sparse])
    wanted = np.concatenate([signal, np.zeros(knots), [-ALPHA / epsilon]])
    low = np.concatenate([np.zeros(count), np.full(knots + 2, -np.inf)])
    dense = lsq_linear(matrix, wanted, (low, np.inf), method="bvls", tol=1e-14, max_iter=5000).x
    least = objective(signal, rate_hz, dense[:count], dense[count:-2], dense[-2:])
    found = cvxeda(signal, rate_hz)
    assert found.objective == pytest.approx(least, rel=1e-6)
    assert found.objective <= least * (1 + 1e-8)
    np.testing.assert_allclose(found.tonic, bumps @ dense[count:-2] + line @ dense[-2:], atol=2e-3)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(LEAST_SAMPLES, 700),
    st.sampled_from([4.0, 5.3, 16.0, 50.0, 128.0]),
    st.sampled_from(["walk", "white", "steps", "spike"]),
    st.sampled_from([1.0, 0.03, 20.0]),
    st.integers(0, 2**32 - 1),
)
def test_whatever_comes_in_the_parts_are_sound(
    count: int, rate_hz: float, kind: str, scale: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    signal = {
        "walk": lambda: np.cumsum(rng.normal(size=count)) / np.sqrt(rate_hz),
        "white": lambda: rng.normal(size=count),
        "steps": lambda: np.round(np.cumsum(rng.normal(size=count)) / 5),
        "spike": lambda: np.eye(1, count, count // 2)[0],
    }[kind]()
    signal = scale * signal + 3.0 * scale
    found = cvxeda(signal, rate_hz)
    assert found.status in ("solved", "stopped", "stalled")
    np.testing.assert_allclose(
        found.phasic + found.tonic + found.residual, signal, atol=1e-9 * max(1.0, np.abs(signal).max())
    )
    assert found.driver.min() >= -1e-6
    bumps, line = tonic_design(count, rate_hz)
    design = np.block(
        [[bumps, line], [np.sqrt(GAMMA) * np.eye(bumps.shape[1]), np.zeros((bumps.shape[1], 2))]]
    )
    level = np.linalg.lstsq(design, np.concatenate([signal, np.zeros(bumps.shape[1])]), rcond=None)[0]
    silent = objective(signal, rate_hz, np.zeros(count), level[:-2], level[-2:])
    assert found.objective <= silent * (1 + 1e-8) + 1e-12 * np.sum(signal**2)


def test_standardised_signals_of_every_rate_and_length_are_solved() -> None:
    for rate_hz in (4.0, 8.0, 50.0, 250.0):
        for long_s in (2.5, 9.99, 10.0, 15.0, 31.0):
            signal, *_ = made(long_s, rate_hz, seed=int(rate_hz))
            assert cvxeda(standardise(signal), rate_hz).status == "solved", (rate_hz, long_s)


def test_20_min_at_250_hz_converge_to_1e_9() -> None:
    signal = standardise(made(1200.0, 250.0)[0])
    found = cvxeda(signal, 250.0)
    assert (found.status, found.gap <= 1e-9) == ("solved", True)
    assert found.iterations <= 40
    bound = least_possible_of_long(signal, 250.0, found.residual)
    assert 0 <= found.objective - bound + 1e-9 * found.objective <= 1e-6 * found.objective


def least_possible_of_long(signal: Array, rate_hz: float, residual: Array) -> float:
    """`least_possible` without a matrix: the spline's columns one after the other."""
    count, period = len(signal), round(10.0 * rate_hz)
    poles, zeros = polynomials(rate_hz)
    line = np.column_stack([np.ones(count), np.arange(1.0, count + 1) / count])
    u = residual - line @ np.linalg.lstsq(line, residual, rcond=None)[0]
    u = u * min(1.0, ALPHA / lfilter(zeros, poles, u[::-1])[::-1].max())
    triangle = period - np.abs(np.arange(-period + 1.0, period))
    bump = np.convolve(triangle, triangle) / (triangle @ triangle)
    padded = np.concatenate([np.zeros(2 * period), u, np.zeros(3 * period)])
    pulls = [bump @ padded[at + 2 : at + 2 + len(bump)] for at in range(0, count + period // 2, period)]
    return float(signal @ u - 0.5 * u @ u - 0.5 / GAMMA * np.sum(np.square(pulls)))


def test_offset_and_slope_are_the_drift_s_alone() -> None:
    signal = standardise(made(60.0, 16.0)[0])
    line = 7.0 - 3.0 * np.arange(1.0, len(signal) + 1) / len(signal)
    plain, tilted = cvxeda(signal, 16.0), cvxeda(signal + line, 16.0)
    assert tilted.objective == pytest.approx(plain.objective, rel=2e-9)
    np.testing.assert_allclose(tilted.d - plain.d, [7.0, -3.0], atol=1e-4)
    np.testing.assert_allclose(tilted.phasic, plain.phasic, atol=1e-4)


def test_scale_is_taken_out_by_standardising_alone() -> None:
    signal, *_ = made(60.0, 16.0)
    microsiemens, counts = cvxeda(standardise(signal), 16.0), cvxeda(standardise(40.0 * signal + 300.0), 16.0)
    np.testing.assert_allclose(counts.phasic, microsiemens.phasic, atol=1e-5)
    raw = cvxeda(40.0 * signal, 16.0)  # here α means forty times less
    assert not np.allclose(raw.phasic / (40.0 * signal.std()), microsiemens.phasic, atol=1e-3)


def test_a_scaled_signal_with_scaled_alpha_is_the_same_problem() -> None:
    signal = standardise(made(40.0, 16.0)[0])
    one, ten = cvxeda(signal, 16.0), cvxeda(10.0 * signal, 16.0, alpha=10.0 * ALPHA)
    assert ten.objective == pytest.approx(100.0 * one.objective, rel=3e-9)
    np.testing.assert_allclose(ten.phasic / 10.0, one.phasic, atol=1e-4)


def test_a_batch_is_its_rows_one_by_one_on_any_number_of_cores() -> None:
    batch = np.stack([standardise(made(30.0, 25.0, seed)[0]) for seed in range(9)])
    batch[4] = 2.0  # flat
    together, alone = cvxeda(batch, 25.0), cvxeda(batch, 25.0, workers=1)
    for name in ("phasic", "driver", "tonic", "residual", "objective", "l", "d", "q", "status", "iterations"):
        np.testing.assert_array_equal(getattr(together, name), getattr(alone, name))
    assert together.phasic.shape == (9, 750) and together.objective.shape == (9,) and together.is_solved
    single = cvxeda(batch[7], 25.0)
    np.testing.assert_array_equal(single.phasic, together.phasic[7])
    assert single.objective == together.objective[7] and single.status == str(together.status[7])


def test_a_limit_of_iterations_is_told_and_the_parts_still_add_up() -> None:
    signal = standardise(made(60.0, 25.0)[0])
    found = cvxeda(signal, 25.0, max_iterations=2)
    assert (found.status, found.iterations, found.is_solved) == ("stopped", 2, False)
    assert found.gap > 1e-9
    np.testing.assert_allclose(found.phasic + found.tonic + found.residual, signal, atol=1e-9)
    assert found.driver.min() >= 0.0


def test_a_tolerance_below_rounding_is_told_as_stalled_with_what_was_reached() -> None:
    signal = walk(600, 1)
    found = cvxeda(signal, 4.0, tolerance=1e-300, max_iterations=500)
    assert found.status in ("stalled", "solved")
    assert found.objective == pytest.approx(cvxeda(signal, 4.0).objective, rel=1e-8)


def test_less_is_left_to_gain_the_tighter_the_tolerance() -> None:
    signal = walk(2000, 5)
    objectives = [cvxeda(signal, 25.0, tolerance=10.0**-digits).objective for digits in (2, 4, 6, 9)]
    assert all(looser >= tighter * (1 - 1e-9) for looser, tighter in pairwise(objectives))
    assert objectives[0] <= objectives[-1] * 1.011


def test_a_flat_signal_is_all_tonic_and_a_line_is_all_drift() -> None:
    flat = cvxeda(np.full(200, 4.2), 4.0)
    assert flat.status == "solved" and flat.objective < 1e-20
    np.testing.assert_array_equal(flat.phasic, 0.0)
    np.testing.assert_allclose(flat.tonic, 4.2, rtol=1e-12)
    line = cvxeda(np.linspace(3.0, 5.0, 200), 4.0)
    assert line.is_solved
    np.testing.assert_allclose(line.phasic, 0.0, atol=1e-6)
    np.testing.assert_allclose(line.tonic, np.linspace(3.0, 5.0, 200), atol=1e-6)


def test_decimated_parts_are_nearly_those_of_all_samples_and_still_add_up() -> None:
    signals = np.stack([standardise(made(60.0, 50.0, seed)[0]) for seed in range(2)])[:, :-3]
    whole, means = cvxeda(signals, 50.0), cvxeda(signals, 50.0, decimate=5)
    assert means.is_solved and means.phasic.shape == means.driver.shape == means.q.shape == signals.shape
    np.testing.assert_allclose(means.phasic + means.tonic + means.residual, signals, atol=1e-9)
    assert np.corrcoef(means.phasic.ravel(), whole.phasic.ravel())[0, 1] > 0.999
    assert np.corrcoef(means.tonic.ravel(), whole.tonic.ravel())[0, 1] > 0.999
    assert means.driver.sum() == pytest.approx(whole.driver.sum(), rel=0.05)
    single = cvxeda(signals[1], 50.0, decimate=5)
    np.testing.assert_array_equal(single.phasic, means.phasic[1])
    assert single.objective == means.objective[1] and single.status == "solved"
    for wrong in (0, 500):
        with pytest.raises(ConfigError, match="decimated"):
            cvxeda(signals, 50.0, decimate=wrong)
    with pytest.raises(ConfigError, match="at least 4 Hz"):
        cvxeda(signals, 50.0, decimate=20)


def test_the_input_is_left_as_it_was_and_may_be_anything_array_like() -> None:
    signal = walk(200, 9)
    before = signal.copy()
    found = cvxeda(signal, 4.0)
    np.testing.assert_array_equal(signal, before)
    np.testing.assert_array_equal(cvxeda(list(signal), 4).phasic, found.phasic)
    strided = np.repeat(signal, 2)[::2]
    np.testing.assert_array_equal(cvxeda(strided, 4.0).phasic, found.phasic)


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        (np.ones(LEAST_SAMPLES - 1), "too few"),
        (np.array([]), "must be|too few"),
        (np.ones((2, 3, 4)), "must be"),
        (np.ones((0, 100)), "must be"),
        (np.array([np.nan] * 20), "NaN"),
        (np.r_[np.arange(20.0), np.inf], "NaN or infinite"),
        (np.r_[np.arange(20.0), np.nan], "NaN"),
        (1e200 * np.arange(20.0), "none"),
    ],
)
def test_signals_that_cannot_be_decomposed_are_told(signal: Array, said: str) -> None:
    with pytest.raises(DataError, match=said):
        cvxeda(signal, 50.0)


@pytest.mark.parametrize("rate_hz", [0.0, -4.0, 3.9, np.nan, np.inf])
def test_a_rate_that_is_too_low_is_told(rate_hz: float) -> None:
    with pytest.raises(ConfigError, match="Hz"):
        cvxeda(np.arange(100.0), rate_hz)


@pytest.mark.parametrize(
    "wrong",
    [
        {"alpha": 0.0},
        {"alpha": np.nan},
        {"gamma": -1.0},
        {"tolerance": 0.0},
        {"max_iterations": -1},
        {"tau_slow_s": 0.7},
        {"tau_fast_s": 0.1},
        {"knot_s": 0.3},
    ],
)
def test_parameters_without_a_meaning_are_told(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        cvxeda(np.arange(100.0), 4.0, **wrong)  # type: ignore[arg-type]


def test_standardising_takes_each_row_by_its_own_and_refuses_what_has_no_scale() -> None:
    rows = standardise(np.array([np.arange(10.0), 5.0 - 3.0 * np.arange(10.0)]))
    np.testing.assert_allclose(rows.mean(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose(rows.std(axis=1), 1.0)
    with pytest.raises(DataError, match="flat"):
        standardise(np.full(100, 3.3))
    with pytest.raises(DataError, match="NaN"):
        standardise(np.r_[np.arange(20.0), np.nan])
