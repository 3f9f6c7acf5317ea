"""The body's truth can be found again in what the instruments deliver."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from emolab.devices.simulation.body import PULSE_DELAY_S, SCR_DECAY_S, SCR_RISE_S, SYSTOLE_S, Body, bateman
from emolab.devices.simulation.ease import Ease
from emolab.devices.simulation.responses import RESPONSES, WAITING, traits
from tests.devices.simulated_bench import SimulatedBench, value


def board(seed: int = 1, until_s: float = 90.0, state: str = "less_negative") -> SimulatedBench:
    bench = SimulatedBench("board", seed)
    bench.person.rest(0.0)
    bench.source.open()
    bench.advance(40.0)
    bench.person.hear("clip", state, 40.0, 30.0)
    bench.advance(until_s)
    return bench


def test_an_ease_reaches_its_target_and_its_integral_is_the_area_under_it():
    ease = Ease(70.0)
    ease.toward(10.0, 80.0, 2.0)
    ease.toward(15.0, 60.0, 5.0)
    times_s = np.linspace(0.0, 60.0, 60001)
    values = ease.value(times_s)
    assert values[5000] == 70.0
    assert values[12000] == pytest.approx(80.0 - 10.0 / math.e)  # one time constant on
    assert values[-1] == pytest.approx(60.0, abs=0.01)
    area = np.concatenate([[0.0], np.cumsum((values[1:] + values[:-1]) / 2 * np.diff(times_s))])
    assert np.allclose(ease.integral(times_s), area, atol=1e-4)


def test_a_new_target_forgets_those_set_for_later():
    ease = Ease(1.0)
    ease.toward(20.0, 9.0, 1.0)
    ease.toward(10.0, 3.0, 1.0)
    assert ease.value(np.array([40.0]))[0] == pytest.approx(3.0)


def test_a_response_peaks_at_one_after_one_to_three_seconds():
    elapsed = np.linspace(-1.0, 10.0, 11001)
    shape = bateman(elapsed)
    assert np.all(shape[elapsed <= 0] == 0.0)
    assert shape.max() == pytest.approx(1.0, abs=1e-6)
    assert 1.0 < elapsed[shape.argmax()] < 3.0


@pytest.mark.parametrize(("channel", "site"), [(2, "finger"), (3, "ear")])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_heart_rate_of_a_clip_is_found_in_the_pulse(channel, site, seed):
    bench = board(seed)
    times_s, pulse = value(bench, channel)
    peaks, _ = find_peaks(gaussian_filter1d(pulse, 4), distance=100, prominence=150)
    peaks_s = times_s[peaks]
    truth = bench.person.truth()
    within = (peaks_s >= 40.0) & (peaks_s < 70.0)
    found_bpm = np.mean(60.0 / np.diff(peaks_s[within]))
    assert found_bpm == pytest.approx(truth["clips"][0]["heart_bpm"], abs=0.5)
    # and each beat alone, but for those at the edges
    beats_s = np.array(truth["beats_s"])
    expected_s = beats_s + PULSE_DELAY_S[site] + SYSTOLE_S
    expected_s = expected_s[(expected_s > 1.0) & (expected_s < 89.0)]
    nearest_s = np.abs(peaks_s[:, np.newaxis] - expected_s).min(axis=0)
    assert nearest_s.max() < 0.03
    assert abs(len(peaks_s) - len(beats_s)) <= 2


def test_beats_come_at_the_rate_asked_for_and_vary_with_the_breath():
    body = Body(traits(np.random.default_rng(5)), np.random.default_rng(6))
    times_s = np.arange(0.0, 900.0, 1.0)
    body.reach(times_s)
    beats_s = np.array(body.beats(300.0, 900.0))
    expected_bpm = body.traits.heart_bpm + WAITING.heart_bpm  # nothing else happens to it
    assert len(beats_s) == pytest.approx(599.0 * expected_bpm / 60.0, abs=2)
    between_s = np.diff(beats_s)
    assert 0.015 < between_s.std() < 0.1  # the sdnn of a person at rest, not of a metronome
    # the heart is quickest while the chest is rising
    rising = np.sin(2 * np.pi * body.breath_phase((beats_s[1:] + beats_s[:-1]) / 2))
    assert np.corrcoef(60.0 / between_s, rising)[0, 1] > 0.5


def test_skin_conductance_responses_are_counted_again():
    found, true = 0, 0
    for seed in (1, 2, 3):
        bench = board(seed)
        times_s, conductance_us = value(bench, 0)
        rate_hz = 1.0 / np.median(np.diff(times_s))
        # undoing the response's two time constants leaves one impulse for each onset
        smooth = gaussian_filter1d(conductance_us, 0.25 * rate_hz)
        half = smooth + SCR_DECAY_S * np.gradient(smooth, times_s)
        impulses = half + SCR_RISE_S * np.gradient(half, times_s)
        peaks, _ = find_peaks(impulses - np.median(impulses), height=0.25, distance=int(1.5 * rate_hz))
        onsets_s = np.array([scr["onset_s"] for scr in bench.person.truth()["scrs"]])
        onsets_s = onsets_s[(onsets_s > 1.0) & (onsets_s < 88.0)]
        peaks_s = times_s[peaks]
        peaks_s = peaks_s[(peaks_s > 1.0) & (peaks_s < 88.0)]
        found += int((np.abs(peaks_s[:, np.newaxis] - onsets_s).min(axis=1) < 0.3).sum())
        assert len(peaks_s) == pytest.approx(len(onsets_s), abs=1)
        true += len(onsets_s)
    assert true > 20
    assert found >= 0.95 * true


def test_breaths_are_counted_again():
    bench = board()
    times_s, girth = value(bench, 1)
    peaks, _ = find_peaks(gaussian_filter1d(girth, 25), distance=300, prominence=300)
    inhaled_s = times_s[peaks]
    within = inhaled_s[(inhaled_s >= 40.0) & (inhaled_s < 70.0)]
    found_per_min = 60.0 / np.mean(np.diff(within))
    assert found_per_min == pytest.approx(bench.person.truth()["clips"][0]["breath_per_min"], abs=0.8)
    assert abs(len(inhaled_s) - len(bench.person.truth()["breaths_s"])) <= 1


def test_magnitudes_are_those_of_people():
    for seed in range(5):
        bench = board(seed, state="less_positive")
        clip = bench.person.truth()["clips"][0]
        sizes_us = [scr["amplitude_us"] for scr in bench.person.truth()["scrs"]]
        assert 55 < clip["heart_bpm"] < 100
        assert 10 < clip["breath_per_min"] < 24
        assert 2 < clip["tonic_us"] < 15
        assert 30 < clip["nose_c"] < clip["face_c"] < 37
        assert all(0.1 <= size_us <= 1.0 for size_us in sizes_us)
        samples = bench.delivered().samples
        assert samples.min() > 0 and samples.max() < 4095  # the converter never saturates


@pytest.mark.parametrize("state", [state for state in RESPONSES if state != "neutral"])
def test_a_clip_moves_the_body_in_its_states_direction(state):
    """Three people, each hearing a neutral clip and then this one."""
    expected = RESPONSES[state]
    for seed in range(3):
        bench = SimulatedBench("thermal", seed)
        bench.person.rest(0.0)
        bench.source.open()
        bench.advance(200.0, step_s=50.0)
        bench.person.hear("calm", "neutral", 200.0, 30.0)
        bench.advance(240.0, step_s=40.0)
        bench.person.hear("clip", state, 240.0, 30.0)
        bench.advance(275.0, step_s=35.0)
        before, after = bench.person.truth()["clips"]
        for fact, change in (
            ("heart_bpm", expected.heart_bpm),
            ("breath_per_min", expected.breath_per_min),
            ("face_c", expected.face_c),
            ("nose_c", expected.nose_c),
            ("scr_count", expected.scr_per_min),
        ):
            assert math.copysign(1, after[fact] - before[fact]) == math.copysign(1, change), fact


def test_nothing_moves_before_the_clip_is_felt():
    silent, hearing = board(until_s=40.0), board(until_s=40.0)
    assert np.array_equal(silent.delivered().samples, hearing.delivered().samples)
    quiet, moved = SimulatedBench("board"), SimulatedBench("board")
    for bench in (quiet, moved):
        bench.source.open()
        bench.advance(20.0)
    moved.person.hear("clip", "less_negative", 20.0, 30.0)
    for bench in (quiet, moved):
        bench.advance(40.0)
    times_s = quiet.delivered().times_s
    differs = (quiet.delivered().samples != moved.delivered().samples).any(axis=1)
    first_s = times_s[differs.argmax()]
    assert 20.5 < first_s < 23.0


def test_a_clip_told_too_late_is_felt_from_then_on():
    bench = SimulatedBench("board")
    bench.source.open()
    bench.advance(30.0)
    before = bench.delivered()
    bench.person.hear("clip", "less_negative", 20.0, 30.0)
    clip = bench.person.truth()["clips"][0]
    assert clip["onset_s"] == 20.0
    assert clip["felt_s"] >= 29.9
    bench.advance(40.0)
    assert np.array_equal(bench.delivered().samples[: len(before.samples)], before.samples)


def test_what_it_remembers_grows_by_kilobytes_a_minute():
    body = Body(traits(np.random.default_rng(1)), np.random.default_rng(2))
    for minute in range(60):
        body.pulse(np.arange(minute * 60.0, minute * 60.0 + 60.0, 0.25), "ear")
    held = len(body.beats()) + len(body.breaths()) + 2 * len(body.scrs())
    assert held < 60 * 130
