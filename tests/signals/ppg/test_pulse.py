"""A pulse read once, asked for any window: figures against truth, faults as masks, nothing by surprise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emolab.core.errors import DataError
from emolab.devices.simulation.body import PULSE_DELAY_S, SYSTOLE_S, Body
from emolab.devices.simulation.responses import RESPONSES, traits
from emolab.signals.ppg import PULSE_FEATURES, read_pulse
from tests.devices.simulated_bench import SimulatedBench, value
from tests.signals.ppg.made import beat_times, wave

NAMES = [feature.name for feature in PULSE_FEATURES]
MADE = wave(beat_times(68, 120, sd_ms=25, breath_ms=30), 120)
READ = read_pulse(MADE.values, MADE.times_s)


def apart(one, other, but=()):
    """The greatest difference of two sets of figures, relative; NaN must meet NaN."""
    assert list(one) == list(other) == NAMES
    names = [name for name in NAMES if name not in but]
    assert [math.isnan(one[name]) for name in names] == [math.isnan(other[name]) for name in names]
    known = [name for name in names if math.isfinite(one[name])]
    return max((abs(one[name] - other[name]) / max(abs(one[name]), 1e-3) for name in known), default=0.0)


def test_a_sine_with_harmonics_gives_its_rate():
    """Spec 01 §1.9."""
    at_s = np.arange(7500) / 250
    turn = 2 * np.pi * 1.2 * at_s
    values = np.sin(turn) + 0.4 * np.sin(2 * turn + 0.5) + 0.15 * np.sin(3 * turn + 1.0)
    found = read_pulse(values, at_s).over(0.0, 30.0)
    assert found["hr_mean"] == pytest.approx(72.0, abs=0.5)
    assert found["rr_mean"] == pytest.approx(833.3, abs=5.0)
    assert found["rr_sd"] < 5.0


@pytest.mark.parametrize("bpm", [50, 70, 90, 110, 130])
def test_the_rate_is_right_to_a_fifth_of_a_beat(bpm):
    made = wave(beat_times(bpm, 120, sd_ms=0.03 * 60e3 / bpm), 120)
    assert read_pulse(made.values, made.times_s).over(0, 120)["hr_mean"] == pytest.approx(made.bpm, abs=0.2)


def test_variability_is_that_of_the_beats():
    rr_ms = 1e3 * np.diff(MADE.peaks_s)
    found = READ.over(0, 120)
    assert found["rr_sd"] == pytest.approx(rr_ms.std(ddof=1), abs=2.0)
    assert found["hrv_rmssd"] == pytest.approx(np.sqrt(np.mean(np.diff(rr_ms) ** 2)), abs=3.0)
    assert found["pulse_beats"] == len(rr_ms)
    assert found["pulse_amp_mean"] == pytest.approx(1.1, abs=0.2)
    assert all(math.isfinite(value) for value in found.values())


@pytest.mark.parametrize("site", ["finger", "ear"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_simulated_participants_rate_is_found_again(site, seed):
    body = Body(traits(np.random.default_rng(seed)), np.random.default_rng(seed + 100))
    times_s = np.arange(0, 300, 1 / 255.3)
    body.reach(times_s[:25_000])
    body.feel(RESPONSES["less_negative"], 100.0)
    body.reach(times_s[:51_000])
    body.feel(RESPONSES["most_positive"], 200.0)
    read = read_pulse(body.pulse(times_s, site), times_s)
    assert not read.is_inverted
    delay_s = PULSE_DELAY_S[site] + SYSTOLE_S
    for start_s in np.arange(5.0, 260.0, 15.0):
        rr_s = np.diff(body.beats(start_s, start_s + 30.0))
        assert read.over(start_s, start_s + 30)["hr_mean"] == pytest.approx(np.mean(60 / rr_s), abs=0.5)
        then = read.over(start_s + delay_s, start_s + delay_s + 30)
        assert then["hr_mean"] == pytest.approx(np.mean(60 / rr_s), abs=0.02)
        assert then["rr_sd"] == pytest.approx(1e3 * rr_s.std(ddof=1), abs=0.5)


@pytest.mark.parametrize("channel", [2, 3])
def test_the_simulated_boards_counts_give_the_clips_rate(channel):
    """Twelve bits, noise, whole milliseconds: what a session of the demo records."""
    bench = SimulatedBench("board", 3)
    bench.person.rest(0.0)
    bench.source.open()
    bench.advance(40.0)
    bench.person.hear("clip", "less_negative", 40.0, 30.0)
    bench.advance(80.0)
    times_s, counts = value(bench, channel)
    read = read_pulse(counts, times_s)
    assert read.good_share(0, 80) > 0.99
    found = read.over(40.0, 70.0)["hr_mean"]
    assert found == pytest.approx(bench.person.truth()["clips"][0]["heart_bpm"], abs=0.5)


def test_fewer_than_ten_beats_give_no_figures():
    found = READ.over(10.0, 17.0)
    assert found["pulse_beats"] == 7
    assert all(math.isnan(found[name]) for name in NAMES if name != "pulse_beats")


@pytest.mark.parametrize("window", [(-50.0, -10.0), (130.0, 160.0), (40.0, 40.0), (50.0, 40.0)])
def test_a_window_without_signal_is_nan_and_not_good(window):
    found = READ.over(*window)
    assert found.pop("pulse_beats") == 0
    assert all(math.isnan(value) for value in found.values())
    assert READ.good_share(*window) == 0.0


def test_a_window_that_reaches_over_the_end_is_good_as_far_as_it_goes():
    assert READ.good_share(0.0, 120.0) == pytest.approx(1.0, abs=0.001)
    assert READ.good_share(60.0, 180.0) == pytest.approx(0.5, abs=0.001)


def test_a_wave_on_its_head_is_turned_and_said():
    turned = read_pulse(-MADE.values, MADE.times_s)
    assert turned.is_inverted and not READ.is_inverted
    assert apart(READ.over(0, 120), turned.over(0, 120)) < 1e-9


def test_a_wristbands_broad_tops_do_not_turn_it():
    at_s = np.arange(10_000) / 64
    turn = 2 * np.pi * 1.1 * at_s
    values = np.sin(turn) + 0.3 * np.sin(2 * turn) + 0.15 * np.cos(2 * turn)  # narrow feet, steep rises
    assert not read_pulse(values, at_s).is_inverted
    assert read_pulse(-values, at_s).is_inverted


def test_a_gap_breaks_one_interval_and_counts_as_missing():
    kept = (MADE.times_s < 50) | (MADE.times_s > 56)
    read = read_pulse(MADE.values[kept], MADE.times_s[kept])
    assert read.good_share(0, 120) == pytest.approx(0.95, abs=0.01)
    assert not np.any((read.beats_s > 50.01) & (read.beats_s < 55.99))
    rr_ms = read.rr_ms[read.own]
    assert rr_ms.max() < 1100 and len(rr_ms) > 0.9 * len(MADE.peaks_s)


def test_a_sensor_that_hangs_in_the_air_for_a_while_is_masked():
    values = MADE.values.copy()
    at = (MADE.times_s > 40) & (MADE.times_s < 60)
    values[at] = 30 + 0.5 * np.random.default_rng(1).standard_normal(at.sum())
    read = read_pulse(values, MADE.times_s)
    assert read.good_share(42, 58) < 0.1
    assert math.isnan(read.over(42, 58)["hr_mean"])
    found = read.over(62, 120)
    assert found["hr_mean"] == pytest.approx(READ.over(62, 120)["hr_mean"], abs=0.2)


def test_noise_alone_gives_no_figures():
    values = np.random.default_rng(4).standard_normal(30_000)
    read = read_pulse(values, np.arange(30_000) / 250)
    assert read.good_share(0, 120) < 0.1
    assert all(math.isnan(read.over(start, start + 30)["hr_mean"]) for start in range(0, 90, 10))


def test_a_line_with_one_spike_gives_no_figures():
    values = np.zeros(5000)
    values[2500] = 1.0
    read = read_pulse(values, np.arange(5000) / 250)
    assert read.good_share(0, 20) == 0.0
    assert math.isnan(read.over(0, 20)["hr_mean"])


@pytest.mark.parametrize(
    "level",
    [
        lambda s: s,  # rounding of floats
        lambda s: 500 + 3 * s,
        lambda s: np.floor(2.5 * s),  # a converter's steps
        lambda s: np.rint(2000 + 400 * np.exp(-s / 30)),
        lambda s: np.rint(500 + 100 * np.sin(2 * np.pi * 0.05 * s)),
        lambda s: 500 + 50 * np.sin(2 * np.pi * 50 * s + 0.3),  # mains at a finger that is not there
        lambda s: 500.0 + np.arange(len(s)) % 2,
    ],
)
@pytest.mark.parametrize("rate_hz", [100, 250])
def test_rounding_of_what_drifts_is_no_pulse(level, rate_hz):
    """A sensor on the table drifts; the steps of its converter come evenly, and have the shape of beats."""
    at_s = np.arange(120 * rate_hz) / rate_hz
    read = read_pulse(level(at_s), at_s)
    assert read.good_share(0, 120) < 0.05
    assert math.isnan(read.over(0, 120)["hr_mean"])


@pytest.mark.parametrize("steps", [1.5, 3.0, 10.0])
def test_a_pulse_of_few_steps_of_the_converter_is_one(steps):
    made = wave(beat_times(68, 120, sd_ms=25), 120)
    counts = np.rint(500 + steps * made.values)
    read = read_pulse(counts, made.times_s)
    assert read.over(0, 120)["hr_mean"] == pytest.approx(made.bpm, abs=0.5)


@pytest.mark.parametrize("far", [1e300, -1e300, np.inf])
def test_what_no_sensor_reads_is_missing(far):
    values = MADE.values.copy()
    values[::500] = far
    assert read_pulse(values, MADE.times_s).over(0, 120)["hr_mean"] == pytest.approx(MADE.bpm, abs=0.5)


def test_a_heart_far_from_even_is_counted_all_the_same():
    peaks_s = beat_times(75, 180, sd_ms=30, breath_ms=150)
    made = wave(peaks_s, 180)
    read = read_pulse(made.values, made.times_s)
    assert read.good_share(0, 180) > 0.97
    rr_ms = 1e3 * np.diff(peaks_s)
    assert read.over(0, 180)["rr_sd"] == pytest.approx(rr_ms.std(ddof=1), rel=0.03)


def test_a_bad_signal_is_told():
    with pytest.raises(DataError, match="flat"):
        read_pulse(np.ones(5000), np.arange(5000) / 250)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(1e-4, 1e5), st.floats(-1e4, 1e4), st.floats(-1e3, 1e6))
def test_unit_offset_and_clock_change_nothing_but_the_height(scale, offset, shift_s):
    read = read_pulse(scale * (MADE.values + offset), MADE.times_s + shift_s)
    found = read.over(shift_s, 120 + shift_s)
    assert apart(READ.over(0, 120), found, but=["pulse_amp_mean"]) < 0.01
    assert found["pulse_amp_mean"] == pytest.approx(scale * READ.over(0, 120)["pulse_amp_mean"], rel=0.01)


@pytest.mark.parametrize("rate_hz", [64.0, 100.0, 255.3, 500.0, 1000.0])
def test_the_sensors_rate_changes_little(rate_hz):
    made = wave(MADE.peaks_s, 120, rate_hz)
    found, usual = read_pulse(made.values, made.times_s).over(5, 115), READ.over(5, 115)
    assert found["hr_mean"] == pytest.approx(usual["hr_mean"], abs=0.02)
    assert found["rr_sd"] == pytest.approx(usual["rr_sd"], abs=0.6)
    assert found["hrv_rmssd"] == pytest.approx(usual["hrv_rmssd"], abs=1.5)
    assert found["pulse_amp_mean"] == pytest.approx(usual["pulse_amp_mean"], rel=0.02)


def test_unsteady_times_are_taken_as_they_are():
    rng = np.random.default_rng(8)
    times_s = np.sort(rng.uniform(0, 120, 30_000))
    values = np.interp(times_s, MADE.times_s, MADE.values)
    found = read_pulse(values, times_s).over(5, 115)
    assert found["hr_mean"] == pytest.approx(READ.over(5, 115)["hr_mean"], abs=0.05)


def test_a_part_read_alone_says_what_the_whole_says():
    part = (MADE.times_s >= 30) & (MADE.times_s < 90)
    found = read_pulse(MADE.values[part], MADE.times_s[part]).over(32, 88)
    assert apart(READ.over(32, 88), found) < 0.05


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_comes_is_figures_or_a_told_error(data):
    n = data.draw(st.integers(0, 60))
    kinds = st.floats(allow_nan=True, allow_infinity=True, min_value=None, width=32)
    knots = np.array(data.draw(st.lists(kinds, min_size=n, max_size=n)), np.float64)
    steps_s = np.array(data.draw(st.lists(st.floats(0, 0.5), min_size=n, max_size=n)))
    reps = data.draw(st.integers(1, 40))
    values, times_s = np.repeat(knots, reps), np.cumsum(np.repeat(steps_s, reps) / reps)
    try:
        read = read_pulse(values, times_s)
    except DataError as error:
        assert str(error)
        return
    found = read.over(read.start_s, read.end_s)
    assert list(found) == NAMES
    assert math.isnan(found["hr_mean"]) or 30 <= found["hr_mean"] <= 200
    assert 0.0 <= read.good_share(read.start_s, read.end_s) <= 1.0


def test_names_are_those_of_the_paper_first_and_told_in_words():
    assert NAMES[:4] == ["hr_mean", "hr_var", "rr_mean", "rr_sd"]
    assert [feature.is_extra for feature in PULSE_FEATURES] == [False] * 4 + [True] * (len(NAMES) - 4)
    assert len(set(NAMES)) == len(NAMES)
    assert all(feature.what for feature in PULSE_FEATURES)
