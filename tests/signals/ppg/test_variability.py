"""Figures of intervals whose figures are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from emolab.signals.ppg.variability import RATE_FEATURES, variability


def told(rr_ms, own=None):
    rr_ms = np.asarray(rr_ms, np.float64)
    beats_s = np.append(0.0, np.cumsum(rr_ms)) / 1e3
    flags = np.ones(len(beats_s), bool) if own is None else np.append(False, own)
    return variability(beats_s, np.append(np.nan, rr_ms), flags)


def modulated(at_hz, sd_ms, seconds, rr_ms=800.0):
    """Intervals that follow a sine in time."""
    beats_s, rr = [0.0], []
    while beats_s[-1] < seconds:
        rr.append(rr_ms + math.sqrt(2) * sd_ms * math.sin(2 * math.pi * at_hz * beats_s[-1]))
        beats_s.append(beats_s[-1] + rr[-1] / 1e3)
    return rr


def test_figures_in_time_are_those_worked_out_by_hand():
    rr_ms = [800, 860, 800, 860, 800, 860, 800, 860, 800, 860, 800]
    found = told(rr_ms)
    assert found["rr_mean"] == pytest.approx(np.mean(rr_ms))
    assert found["rr_sd"] == pytest.approx(np.std(rr_ms, ddof=1))
    assert found["hr_mean"] == pytest.approx(np.mean(6e4 / np.array(rr_ms)))
    assert found["hr_var"] == pytest.approx(np.var(6e4 / np.array(rr_ms), ddof=1))
    assert found["hrv_rmssd"] == pytest.approx(60.0)
    assert found["hrv_pnn50"] == 100.0
    assert found["hrv_sd1"] == pytest.approx(np.std([60, -60] * 5, ddof=1) / math.sqrt(2))
    assert found["hrv_sd2"] == pytest.approx(0.0, abs=1e-9)
    assert math.isnan(found["hrv_hf"]) and math.isnan(found["hrv_lf"])
    assert list(found) == [feature.name for feature in RATE_FEATURES]


@pytest.mark.parametrize(("count", "is_told"), [(8, False), (9, True)])
def test_ten_beats_are_needed(count, is_told):
    assert all(math.isnan(value) for value in told([800.0] * count).values()) is not is_told


def test_changes_over_a_hole_are_none():
    rr_ms = [800.0] * 10 + [1200.0] + [900.0] * 10
    own = np.array([True] * 10 + [False] + [True] * 10)
    found = told(rr_ms, own)
    assert found["hrv_rmssd"] == 0.0 and found["hrv_pnn50"] == 0.0
    assert found["rr_mean"] == pytest.approx(850.0)


@pytest.mark.parametrize(("at_hz", "band"), [(0.1, "hrv_lf"), (0.25, "hrv_hf")])
def test_a_sine_of_the_intervals_is_power_in_its_band(at_hz, band):
    found = told(modulated(at_hz, 30.0, 300))
    other = {"hrv_lf": "hrv_hf", "hrv_hf": "hrv_lf"}[band]
    assert found[band] == pytest.approx(900.0, rel=0.1)
    assert found[other] < 30.0
    assert found["hrv_lf_hf"] == pytest.approx(found["hrv_lf"] / found["hrv_hf"])


def test_few_holes_leave_the_power_as_it_was_and_with_more_none_is_told():
    rr_ms = modulated(0.25, 30.0, 300)
    own = np.random.default_rng(2).random(len(rr_ms)) > 0.04
    assert told(rr_ms, own)["hrv_hf"] == pytest.approx(900.0, rel=0.1)
    own = np.random.default_rng(2).random(len(rr_ms)) > 0.1
    assert math.isnan(told(rr_ms, own)["hrv_hf"]) and math.isnan(told(rr_ms, own)["hrv_lf"])


@pytest.mark.parametrize("seed", range(5))
def test_what_is_told_with_holes_has_little_of_the_low_frequencies_in_the_high(seed):
    rr_ms = np.array(modulated(0.1, 30.0, 300))
    own = np.ones(len(rr_ms), bool)
    own[np.random.default_rng(seed).choice(len(rr_ms), len(rr_ms) // 25, replace=False)] = False
    assert told(rr_ms, own)["hrv_hf"] < 0.12 * 900.0


def test_an_hour_is_the_mean_of_its_pieces():
    calm, lively = modulated(0.25, 10.0, 1800), modulated(0.25, 40.0, 1800)
    assert told(calm + lively)["hrv_hf"] == pytest.approx((100 + 1600) / 2, rel=0.1)
    assert told(lively)["hrv_hf"] == pytest.approx(told(lively[:375])["hrv_hf"], rel=0.05)


@pytest.mark.parametrize(("seconds", "hf", "lf"), [(30, False, False), (60, True, False), (120, True, True)])
def test_a_band_needs_its_time(seconds, hf, lf):
    found = told(modulated(0.25, 30.0, seconds - 1.0))
    assert [math.isfinite(found[name]) for name in ("hrv_hf", "hrv_lf", "hrv_lf_hf")] == [hf, lf, lf]


def test_nothing_is_told_of_nothing():
    none = np.zeros(0)
    assert all(math.isnan(value) for value in variability(none, none, none.astype(bool)).values())
