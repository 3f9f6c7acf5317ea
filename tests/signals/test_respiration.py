"""Breaths are counted, timed and measured as they were made; what is no breath gives no number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emolab.core.errors import DataError
from emolab.devices.simulation.body import Body
from emolab.devices.simulation.responses import RESPONSES, traits
from emolab.signals.quality import judge
from emolab.signals.respiration import BREATH_FEATURES, Breath, read_breath
from tests.signals.made import ADC, RATE_HZ, Array, counts

T = np.arange(0.0, 120.0, 1 / 100)


def belt(per_min: float | Array, height: float = 300.0, times_s: Array = T, noise: float = 3.0) -> Array:
    """Counts of a belt; `per_min` may change from sample to sample."""
    rates = np.broadcast_to(np.asarray(per_min, np.float64), times_s.shape) / 60.0
    phase = np.concatenate([[0.0], np.cumsum((rates[1:] + rates[:-1]) / 2 * np.diff(times_s))])
    return counts(2000.0 - height * np.cos(2 * np.pi * phase), noise)


@pytest.mark.parametrize("per_min", [4, 5, 6, 10, 15, 20, 30, 45, 60])
@pytest.mark.parametrize("rate_hz", [25, 250, 1000])
def test_a_sine_is_counted_from_4_to_60_a_minute(per_min: float, rate_hz: float) -> None:
    times_s = np.arange(0.0, 90.0, 1 / rate_hz)
    breath = read_breath(belt(per_min, times_s=times_s), times_s, adc_range=ADC)
    figures = breath.over(20.0, 70.0)
    assert figures["rsp_rate_mean"] == pytest.approx(per_min, abs=0.1)
    assert figures["rsp_amp_mean"] == pytest.approx(600.0, rel=0.06)
    assert breath.good_share(0.0, 90.0) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_the_simulated_participants_breath_is_told_to_a_fifth_of_a_breath(seed: int) -> None:
    rng = np.random.default_rng(seed)
    body, times_s, parts = Body(traits(rng), rng), np.arange(0.0, 360.0, 1 / RATE_HZ), []
    for number, start_s in enumerate(np.arange(0.0, 360.0, 30.0)):
        body.feel(RESPONSES[list(RESPONSES)[number % 5]], float(start_s))
        parts.append(body.respiration(times_s[(times_s >= start_s) & (times_s < start_s + 30.0)]))
    values = counts(2048 + 900 * np.concatenate(parts), 3.0)
    breath = read_breath(values, times_s, adc_range=ADC)
    for start_s in np.arange(0.0, 360.0, 30.0):
        truth = 2 * float(np.diff(body.breath_phase(np.array([start_s, start_s + 30.0])))[0])
        assert breath.over(start_s, start_s + 30.0)["rsp_rate_mean"] == pytest.approx(truth, abs=0.2)
    begun_s = np.array(body.breaths(5.0, 355.0))
    assert np.abs(breath.starts_s[:, None] - begun_s).min(axis=0).max() < 0.05


def test_a_rate_that_changes_has_its_spread_and_one_that_does_not_has_none() -> None:
    steady = read_breath(belt(15.0), T).over(30.0, 90.0)
    wandering = read_breath(belt(15.0 + 3.0 * np.sin(2 * np.pi * T / 40.0)), T).over(30.0, 90.0)
    assert steady["rsp_rate_sd"] < 0.15 and steady["rsp_cv"] < 0.01
    assert wandering["rsp_rate_sd"] == pytest.approx(3 / np.sqrt(2), abs=0.5)


def test_breathing_in_and_out_are_timed_apart() -> None:
    phase = (T * 12 / 60) % 1.0  # five seconds a breath, of which two in
    wave = np.where(
        phase < 0.4, 0.5 - 0.5 * np.cos(np.pi * phase / 0.4), 0.5 + 0.5 * np.cos(np.pi * (phase - 0.4) / 0.6)
    )
    breath = read_breath(counts(1500 + 800 * wave), T)
    figures = breath.over(20.0, 100.0)
    assert figures["rsp_inhale_s"] == pytest.approx(2.0, abs=0.08)
    assert figures["rsp_exhale_s"] == pytest.approx(3.0, abs=0.08)
    assert figures["rsp_ie_ratio"] == pytest.approx(2 / 3, abs=0.05)
    assert breath.phase([60.0, 61.0, 62.0, 63.5]) == pytest.approx([0.0, 0.25, 0.5, 0.75], abs=0.03)


def test_a_sigh_is_one_deep_breath_and_costs_none_around_it() -> None:
    wave = 300.0 * np.ones(len(T))
    wave[(T > 60.0) & (T <= 64.0)] = 900.0
    breath = read_breath(counts(1200.0 - wave * np.cos(2 * np.pi * T / 4.0) + wave), T)
    assert breath.over(30.0, 90.0)["rsp_rate_mean"] == pytest.approx(15.0, abs=0.2)
    assert breath.is_sigh.sum() == 1
    assert breath.over(30.0, 90.0)["rsp_sigh_count"] == 1.0
    assert breath.over(65.0, 90.0)["rsp_amp_mean"] == pytest.approx(600.0, rel=0.03)


def test_a_held_breath_is_a_pause_and_no_loose_belt() -> None:
    values = belt(15.0, noise=0.0)
    held = np.clip(T, 0, 60) + np.clip(T - 69.0, 0, None)  # nine seconds at the end of breathing out
    breath = read_breath(counts(np.interp(held, T, values), 3.0), T)
    assert breath.good_share(0.0, 120.0) == pytest.approx(1.0, abs=0.01)
    assert breath.over(0.0, 120.0)["rsp_pause_count"] == 1.0
    assert len(breath) == pytest.approx(27, abs=1)
    assert breath.over(80.0, 110.0)["rsp_rate_mean"] == pytest.approx(15.0, abs=0.2)


def test_a_drift_and_a_change_of_posture_change_no_rate() -> None:
    values = belt(15.0) + 500.0 * (T > 60.0) + 2.0 * T
    figures = read_breath(values, T).over(30.0, 90.0)
    assert figures["rsp_rate_mean"] == pytest.approx(15.0, abs=0.3)


def test_rate_and_phase_know_nothing_of_unit_and_offset() -> None:
    values = belt(13.0)
    one, other = read_breath(values, T, unit="V"), read_breath(values * 0.002 - 3.0, T, unit="V")
    np.testing.assert_allclose(one.starts_s, other.starts_s, atol=1e-9)
    np.testing.assert_allclose(one.depths * 0.002, other.depths, rtol=1e-9)


@pytest.mark.parametrize("snr_db,error", [(20, 0.1), (10, 0.2), (5, 0.4)])
def test_noise_costs_little(snr_db: float, error: float) -> None:
    noise = 300.0 * np.sqrt(0.5 / 10 ** (snr_db / 10))
    worst = max(
        abs(read_breath(values, T).over(30.0, 90.0)["rsp_rate_mean"] - 15.0)
        for values in (
            belt(15.0) + noise * np.random.default_rng(seed).standard_normal(len(T)) for seed in range(5)
        )
    )
    assert worst < error


def test_jittered_times_tell_the_rate_where_a_nominal_rate_would_lie() -> None:
    rng = np.random.default_rng(4)
    times_s = np.cumsum(rng.choice([0.003, 0.004], 30_000))  # a board of nominally 250 Hz, in ms
    values = belt(15.0, times_s=times_s)
    assert read_breath(values, times_s).over(20.0, 80.0)["rsp_rate_mean"] == pytest.approx(15.0, abs=0.05)


def test_a_gap_is_masked_and_no_breath_crosses_it() -> None:
    kept = (T < 50.0) | (T > 70.0)
    breath = read_breath(belt(15.0)[kept], T[kept])
    assert breath.good_share(50.0, 70.0) < 0.05
    assert np.isnan(breath.over(50.0, 70.0)["rsp_rate_mean"])
    assert np.isnan(breath.wave[(breath.times_s > 50.1) & (breath.times_s < 69.9)]).all()
    assert not np.any((breath.starts_s < 52.0) & (breath.ends_s > 68.0))
    assert breath.good_share(40.0, 80.0) == pytest.approx(0.5, abs=0.02)
    assert breath.over(75.0, 105.0)["rsp_rate_mean"] == pytest.approx(15.0, abs=0.2)


def test_missing_numbers_are_a_gap_as_well() -> None:
    values = belt(15.0)
    values[3000:4000] = np.nan
    values[9000] = np.inf
    breath = read_breath(values, T)
    assert breath.good_share(30.0, 40.0) < 0.05
    assert breath.good_share(80.0, 100.0) == pytest.approx(1.0, abs=0.01)
    assert breath.over(60.0, 90.0)["rsp_rate_mean"] == pytest.approx(15.0, abs=0.2)


def _is_nothing(breath: Breath) -> bool:
    figures = breath.over(10.0, 100.0)
    assert list(figures) == [feature.name for feature in BREATH_FEATURES]
    return all(np.isnan(value) for value in figures.values()) and breath.good_share(0.0, 120.0) == 0.0


def test_a_dead_or_railed_belt_gives_no_number_and_preflight_says_the_same() -> None:
    dead = counts(np.full(len(T), 2000.0), noise=5.0)
    near = counts(np.full(len(T), 4050.0), noise=3.0)
    railed = np.where(np.arange(len(T)) % 50 == 0, 4094.0, 4095.0)
    for values, code in ((dead, "no_breath"), (near, "near_rail"), (railed, "railed")):
        assert _is_nothing(read_breath(values, T, adc_range=ADC))
        assert code in judge(values[:1000], T[:1000], kind="respiration", adc_range=ADC).codes


@pytest.mark.parametrize("garbled", [4200.0, 49498.0, 60000.0])
def test_a_garbled_line_spoils_a_breath_and_no_session(garbled: float) -> None:
    values = np.rint(600.0 - 200.0 * np.cos(2 * np.pi * T / 4.0))
    clean = read_breath(values, T).over(0.0, 120.0)
    values[5003] = garbled
    breath = read_breath(values, T)
    assert breath.good_share(0.0, 120.0) == pytest.approx(1.0, abs=0.01)
    figures = breath.over(0.0, 120.0)
    assert figures["rsp_rate_mean"] == pytest.approx(15.0, abs=0.05)
    assert all(figures[name] == pytest.approx(clean[name], rel=0.02, abs=0.02) for name in clean)
    judged = judge(values[4500:5500], T[4500:5500], kind="respiration")
    assert judged.level == "well" and judged.share == pytest.approx(1.0, abs=0.01)


def test_a_guess_of_the_converter_takes_no_breath_away() -> None:
    wave = -np.cos(2 * np.pi * T / 4.0)
    for values in (np.rint(200_000.0 + 20_000.0 * wave), np.rint(30.0 + 20.0 * wave)):
        breath = read_breath(values, T)
        assert breath.good_share(0.0, 120.0) == pytest.approx(1.0, abs=0.01)
        assert np.isfinite(breath.over(20.0, 100.0)["rsp_rate_mean"])
        judged = judge(values[:1000], T[:1000], kind="respiration")
        assert judged.level == "look" and judged.codes == ("near_rail",)
        assert judged.share == pytest.approx(1.0, abs=0.01)


def test_a_belt_that_comes_loose_counts_up_to_then() -> None:
    values = belt(15.0)
    values[6000:] = counts(np.full(6000, 2000.0), noise=5.0)
    breath = read_breath(values, T, adc_range=ADC)
    assert breath.good_share(0.0, 60.0) > 0.95
    assert breath.good_share(60.0, 120.0) < 0.05
    assert breath.over(20.0, 50.0)["rsp_rate_mean"] == pytest.approx(15.0, abs=0.2)


@pytest.mark.parametrize(
    "values,times_s,says",
    [
        (np.zeros(0), np.zeros(0), "0 values that are numbers"),
        (belt(15.0)[:500], T[:500], "10 s"),
        (np.full(len(T), np.nan), T, "0 values that are numbers"),
        (np.full(len(T), 7.0), T, "flat at 7 throughout"),
        (belt(15.0), T[::-1], "go back after"),
        (belt(15.0), T[:-1], "as many times as values"),
        (belt(15.0)[::50], T[::50], "4 are needed"),
        (belt(15.0), np.append(T[:-1], 1.7e9), "check the times' unit"),
    ],
)
def test_what_can_give_nothing_says_why(values: Array, times_s: Array, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read_breath(values, times_s)


@settings(max_examples=60, deadline=None)
@given(
    values=arrays(np.float64, 800, elements=st.floats(width=32)),
    steps_s=arrays(np.float64, 800, elements=st.floats(0.0, 0.3)),
)
def test_whatever_comes_gives_figures_or_a_told_error(values: Array, steps_s: Array) -> None:
    times_s = np.cumsum(steps_s)
    try:
        breath = read_breath(values, times_s, unit="V")
    except DataError:
        return
    figures = breath.over(0.0, float(times_s[-1]))
    assert set(figures) == {feature.name for feature in BREATH_FEATURES}
    assert 0.0 <= breath.good_share(0.0, float(times_s[-1])) <= 1.0
    assert np.isnan(figures["rsp_rate_mean"]) or 3.5 < figures["rsp_rate_mean"] < 70.0


def test_a_sample_without_a_time_or_beyond_any_sensor_is_missing() -> None:
    values = belt(15.0)
    values[::500] = 1e300
    breath = read_breath(values, np.where(np.arange(len(T)) % 700 == 3, np.nan, T), adc_range=ADC)
    assert breath.over(20.0, 100.0)["rsp_rate_mean"] == pytest.approx(15.0, abs=0.2)
