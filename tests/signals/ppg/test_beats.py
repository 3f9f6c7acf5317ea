"""Systolic peaks are found, one for each beat, to a fraction of a sample."""

from __future__ import annotations

import numpy as np
import pytest

from emolab.signals.ppg import read_pulse
from emolab.signals.ppg.beats import band_passed, between_samples, systolic_peaks
from tests.signals.ppg.made import beat_times, f1, matched, noisy, shaken, wave


def test_the_band_is_kept_and_the_rest_taken_away_without_delay():
    times_s = np.arange(15_000) / 250
    inside = np.sin(2 * np.pi * 2.0 * times_s)
    passed = band_passed(inside + 5.0 + np.sin(2 * np.pi * 0.05 * times_s), 250.0)[2500:-2500]
    assert np.abs(passed - inside[2500:-2500]).max() < 0.05
    hum = band_passed(np.sin(2 * np.pi * 50.0 * times_s), 250.0)[2500:-2500]
    assert np.abs(hum).max() < 0.001


def test_a_parabola_is_found_at_its_top():
    rows = np.array([10, 20])
    at = np.arange(31.0)
    values = np.where(at < 15, -((at - 10.3) ** 2), -((at - 19.8) ** 2))
    assert between_samples(values, rows) == pytest.approx([10.3, 19.8])


@pytest.mark.parametrize("bpm", [40, 50, 60, 72, 90, 110, 130, 150, 180])
@pytest.mark.parametrize("echo", [0.0, 0.35, 0.6])
@pytest.mark.parametrize("rate_hz", [64.0, 250.0, 1000.0])
def test_every_beat_is_found_and_no_echo(bpm, echo, rate_hz):
    peaks_s = beat_times(bpm, 60, sd_ms=0.02 * 60e3 / bpm)
    made = wave(peaks_s, 60, rate_hz, echo=echo)
    read = read_pulse(made.values, made.times_s)
    _, missed, false = matched(read.beats_s, peaks_s, 0.05)
    assert (missed <= 1) and false == 0  # one that the end cuts off
    assert np.abs(read.over(0, 60)["hr_mean"] - made.bpm) < 0.2


def test_beats_lie_on_their_truth_to_milliseconds():
    peaks_s = beat_times(65, 120, sd_ms=30)
    made = wave(peaks_s, 120, 250.0, echo=0.2, wander=0.0)
    read = read_pulse(made.values, made.times_s)
    assert len(read.beats_s) == len(peaks_s)
    off_s = read.beats_s - peaks_s
    assert np.std(off_s[1:-1]) < 0.004  # the samples lie 4 ms apart


@pytest.mark.parametrize(("snr_db", "least"), [(20, 0.995), (10, 0.995), (5, 0.995), (0, 0.99)])
def test_noise_hides_few_beats(snr_db, least):
    scores = []
    for seed, bpm in enumerate((50, 75, 120)):
        peaks_s = beat_times(bpm, 90, sd_ms=20, seed=seed)
        made = noisy(wave(peaks_s, 90), snr_db, seed)
        scores.append(f1(read_pulse(made.values, made.times_s).beats_s, peaks_s))
    assert np.mean(scores) >= least


def test_tops_that_are_cut_off_are_still_beats():
    peaks_s = beat_times(66, 60, sd_ms=20)
    made = wave(peaks_s, 60, wander=0.1)
    read = read_pulse(np.minimum(made.values, 0.75), made.times_s)
    assert f1(read.beats_s, peaks_s) > 0.99
    assert read.over(0, 60)["hr_mean"] == pytest.approx(made.bpm, abs=0.2)


def test_a_strong_wander_of_the_baseline_is_no_beat():
    peaks_s = beat_times(58, 90, sd_ms=20)
    made = wave(peaks_s, 90, wander=8.0)
    assert f1(read_pulse(made.values, made.times_s).beats_s, peaks_s) > 0.98


def test_a_pulse_that_weakens_to_a_fifth_keeps_its_beats():
    peaks_s = beat_times(70, 180, sd_ms=20)
    made = wave(peaks_s, 180, wander=0.0)
    weaker = made.values * np.interp(made.times_s, [0, 80, 100, 180], [1.0, 1.0, 0.2, 0.2])
    read = read_pulse(weaker, made.times_s)
    assert f1(read.beats_s, peaks_s) > 0.995
    assert read.own.mean() > 0.98


def test_one_shake_of_the_hand_hides_no_beat_elsewhere():
    peaks_s = beat_times(70, 120, sd_ms=20)
    made = wave(peaks_s, 120)
    values = made.values.copy()
    at = (made.times_s > 60) & (made.times_s < 63)
    values[at] += 100 * np.sin(2 * np.pi * 0.9 * made.times_s[at])
    read = read_pulse(values, made.times_s)
    off = (peaks_s < 57) | (peaks_s > 66)
    found_off = (read.beats_s < 57) | (read.beats_s > 66)
    assert f1(read.beats_s[found_off], peaks_s[off]) > 0.99


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_movements_are_masked_and_the_rate_stays(share):
    for seed in range(4):
        peaks_s = beat_times(62 + 9 * seed, 180, sd_ms=20, seed=seed)
        made, moved = shaken(noisy(wave(peaks_s, 180), 20, seed), share, 4.0, seed)
        read = read_pulse(made.values, made.times_s)
        assert read.over(0, 180)["hr_mean"] == pytest.approx(made.bpm, abs=0.6)
        counted_s = read.beats_s[read.own]
        inside = np.zeros(len(counted_s), bool)
        for start_s, end_s in moved:
            inside |= (counted_s > start_s + 0.5) & (counted_s < end_s - 0.5)
        hits, _, false = matched(counted_s[~inside], peaks_s)
        assert false <= 0.02 * hits
        assert read.good_share(0, 180) < 1 - share / 4


def test_silence_has_no_beats():
    assert len(systolic_peaks(np.zeros(5000), 250.0)) == 0
    assert len(systolic_peaks(np.zeros(5000), 250.0, np.full(5000, np.nan))) == 0
