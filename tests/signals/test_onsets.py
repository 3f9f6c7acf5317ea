"""Onsets and delays against made truth: clicks, steps, irregular stimuli, and what is none of them."""

from __future__ import annotations

import numpy as np
import pytest

from emolab.core.errors import DataError
from emolab.signals.onsets import Array, click, clicks, delay, pair, rises

RATE_HZ = 48_000


def irregular(rng: np.random.Generator, count: int = 40) -> Array:
    """Moments 0.8 to 1.6 s apart."""
    return np.cumsum(rng.uniform(0.8, 1.6, count))


def recording(onsets_s: Array, noise: float, rate_hz: int = RATE_HZ, level: float = 3000.0) -> Array:
    """Sound with a click at each moment, also between two samples, in noise."""
    rng = np.random.default_rng(7)
    sound = rng.normal(0, noise, round((onsets_s[-1] + 1) * rate_hz)) if noise else None
    sound = np.zeros(round((onsets_s[-1] + 1) * rate_hz)) if sound is None else sound
    fine = click(rate_hz * 16)
    for onset_s in onsets_s:
        at = round(onset_s * rate_hz * 16)
        first = -(-at // 16)
        part = fine[first * 16 - at :: 16]
        sound[first : first + len(part)] += level * part
    return np.rint(sound)


@pytest.mark.parametrize("noise", [0, 100, 1500])
@pytest.mark.parametrize("rate_hz", [8000, 48_000])
def test_clicks_are_found_within_a_tenth_of_a_millisecond(noise: float, rate_hz: int) -> None:
    onsets_s = irregular(np.random.default_rng(0), 12)
    sound = recording(onsets_s, noise, rate_hz)
    found = clicks(sound, np.arange(len(sound)) / rate_hz, rate_hz)
    assert len(found) == len(onsets_s)
    assert np.abs(found - onsets_s).max() < 1e-4


def test_a_click_with_its_sign_turned_is_the_same_click() -> None:
    onsets_s = irregular(np.random.default_rng(1), 5)
    sound = -recording(onsets_s, 50)
    found = clicks(sound, np.arange(len(sound)) / RATE_HZ, RATE_HZ)
    np.testing.assert_allclose(found, onsets_s, atol=2e-5)


def test_an_echo_is_no_second_click() -> None:
    onsets_s = irregular(np.random.default_rng(2), 8)
    sound = recording(onsets_s, 20)
    late = round(0.025 * RATE_HZ)
    sound[late:] += 0.6 * sound[:-late]
    found = clicks(sound, np.arange(len(sound)) / RATE_HZ, RATE_HZ)
    np.testing.assert_allclose(found, onsets_s, atol=1e-4)


@pytest.mark.parametrize("what", ["noise", "silence", "hum", "steps"])
def test_no_click_is_heard_where_none_is(what: str) -> None:
    times_s = np.arange(5 * RATE_HZ) / RATE_HZ
    sound = {
        "noise": np.random.default_rng(3).normal(0, 300, len(times_s)),
        "silence": np.zeros(len(times_s)),
        "hum": 5000 * np.sin(2 * np.pi * 50 * times_s),
        "steps": 3000.0 * (times_s % 1 < 0.5),
    }[what]
    assert len(clicks(sound, times_s, RATE_HZ)) == 0


def test_a_click_needs_a_rate_that_can_carry_it() -> None:
    with pytest.raises(DataError, match="8000"):
        click(4000)


def exposed(times_s: Array, ons_s: Array, offs_s: Array, exposure_s: float) -> Array:
    """Luminance of frames whose middle is at `times_s`: the white share of each exposure."""
    white = np.zeros(len(times_s))
    for on_s, off_s in zip(ons_s, offs_s, strict=True):
        begin, end = times_s - exposure_s / 2, times_s + exposure_s / 2
        white += np.clip(np.minimum(end, off_s) - np.maximum(begin, on_s), 0, None) / exposure_s
    return white


def test_flashes_are_found_between_the_frames_that_caught_them() -> None:
    rng = np.random.default_rng(4)
    ons_s = irregular(rng)
    offs_s = ons_s + rng.uniform(0.25, 0.5, len(ons_s))
    times_s = np.arange(0, offs_s[-1] + 1, 1 / 30)
    light = 20 + 90 * exposed(times_s, ons_s, offs_s, 1 / 30) + rng.normal(0, 1.0, len(times_s))
    found = rises(light, times_s)
    assert len(found) == len(ons_s)
    assert np.abs(found - ons_s).max() < 3.4e-3  # a tenth of a frame


def test_flashes_of_a_camera_with_a_short_shutter_are_found_to_half_a_frame() -> None:
    rng = np.random.default_rng(5)
    ons_s = irregular(rng)
    times_s = np.arange(0, ons_s[-1] + 1, 1 / 30)
    light = 20 + 9 * exposed(times_s, ons_s, ons_s + 0.3, 1e-4)
    found = rises(light, times_s)
    assert len(found) == len(ons_s)
    assert np.abs(found - ons_s).max() <= 0.51 / 30
    assert abs(np.mean(found - ons_s)) < 3.5e-3  # without a bias: a 30th's uniform error over 40


def test_a_screen_that_brightens_slowly_counts_from_the_middle_of_its_rise() -> None:
    times_s = np.arange(0, 10, 0.004)
    values = np.clip((times_s % 2 - 1.0) / 0.02, 0, 1) * 500
    np.testing.assert_allclose(rises(values, times_s), np.arange(5) * 2 + 1.01, atol=5e-4)


def test_pulses_of_a_trigger_are_found_by_their_beginnings() -> None:
    rng = np.random.default_rng(6)
    ons_s = irregular(rng)
    times_s = np.arange(0, ons_s[-1] + 1, 1 / 255.3)
    values = 100 + 800 * exposed(times_s, ons_s, ons_s + 0.02, 1e-4) + rng.normal(0, 2, len(times_s))
    found = rises(values, times_s)
    assert len(found) == len(ons_s)
    assert np.abs(found - ons_s).max() < 2.1e-3


@pytest.mark.parametrize("values", [np.zeros(500), np.random.default_rng(8).normal(0, 5, 500)])
def test_nothing_rises_in_noise(values: Array) -> None:
    found = rises(values, np.arange(500) / 30)
    assert len(found) == 0


def test_pairs_leave_out_what_was_missed_and_what_was_extra() -> None:
    stimuli_s = np.array([1.0, 2.2, 3.1, 4.6, 5.9])
    answers_s = np.array([0.2, 1.2, 2.4, 3.0, 4.8, 6.1, 6.5])
    assert pair(stimuli_s, answers_s).tolist() == [[0, 1], [1, 2], [3, 4], [4, 5]]
    assert len(pair(stimuli_s, np.empty(0))) == 0


@pytest.mark.parametrize("true_ms", [-40.0, 0.0, 3.5, 137.0, 480.0])
@pytest.mark.parametrize("ppm", [-200.0, 0.0, 200.0])
def test_delay_drift_and_jitter_are_found_although_some_answers_are_wrong(true_ms: float, ppm: float) -> None:
    rng = np.random.default_rng(9)
    stimuli_s = irregular(rng, 50)
    middle_s = stimuli_s.mean()
    answers_s = stimuli_s + true_ms / 1e3 + (stimuli_s - middle_s) * ppm * 1e-6 + rng.normal(0, 5e-4, 50)
    answers_s[10] += 0.020
    answers_s = np.sort(np.concatenate([np.delete(answers_s, [3, 30]), rng.uniform(0, 60, 10)]))
    found = delay(stimuli_s, answers_s)
    assert found is not None
    assert found.given == 50 and 47 <= found.found <= 50
    assert abs(found.offset_ms - true_ms) < 0.3
    assert abs(found.drift_ppm - ppm) < 20


def test_jitter_and_p95_are_those_of_the_answers() -> None:
    rng = np.random.default_rng(10)
    stimuli_s = irregular(rng, 400)
    found = delay(stimuli_s, stimuli_s + 0.1 + rng.normal(0, 2e-3, 400))
    assert found is not None
    assert abs(found.jitter_ms - 2.0) < 0.2
    assert abs(found.p95_ms - 1.96 * 2.0) < 0.5
    assert abs(found.offset_ms - 100.0) < 4 * found.offset_error_ms


def test_what_does_not_answer_has_no_delay() -> None:
    rng = np.random.default_rng(11)
    stimuli_s = irregular(rng)
    assert delay(stimuli_s, np.array([500.0, 501.0, 502.0])) is None
    unrelated = delay(stimuli_s, irregular(rng))
    assert unrelated is None or unrelated.found < 0.3 * unrelated.given
