"""Voices, mix and room."""

from __future__ import annotations

import numpy as np
import pytest

from emolab.composer.exact import noise
from emolab.composer.room import reverberate
from emolab.composer.score import Note, Score, Track
from emolab.composer.synth import mix
from emolab.composer.voices import VOICES, Hit, Tone

RATE_HZ = 48_000
PITCHED = [name for name, voice in VOICES.items() if not isinstance(voice, Hit)]


@pytest.mark.parametrize("name", list(VOICES))
def test_every_voice_starts_and_ends_without_a_click_and_never_shouts(name: str) -> None:
    for frequency_hz in (65.0, 440.0, 1760.0):
        wave = VOICES[name].play(frequency_hz, 12_000, 0.9, RATE_HZ)
        assert np.all(np.isfinite(wave))
        assert abs(wave[0]) < 0.1 and abs(wave[-1]) < 0.02
        assert 0.01 < np.max(np.abs(wave)) < 4.0


@pytest.mark.parametrize("name", [name for name in PITCHED if name != "bell"])
def test_every_pitched_voice_is_in_tune(name: str) -> None:
    wave = VOICES[name].play(440.0, RATE_HZ, 0.7, RATE_HZ)[:RATE_HZ]
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    peak_hz = np.fft.rfftfreq(len(wave), 1 / RATE_HZ)[np.argmax(spectrum)]

    # within a quarter of a semitone of the fundamental or one of its low harmonics
    nearest = max(round(peak_hz / 440.0), 1) * 440.0
    assert abs(1200 * np.log2(peak_hz / nearest)) < 25


def test_a_high_note_does_not_fold_back() -> None:
    wave = Tone(0.9, 0.01, 0.05).play(3520.0, RATE_HZ, 1.0, RATE_HZ)[:RATE_HZ]
    spectrum = np.abs(np.fft.rfft(wave * np.blackman(len(wave))))
    spectrum /= spectrum.max()
    harmonic = np.zeros(len(spectrum), bool)
    for multiple in range(1, 7):
        harmonic[3520 * multiple - 20 : 3520 * multiple + 21] = True

    assert np.max(spectrum[~harmonic]) < 10 ** (-50 / 20)


def test_more_force_is_brighter() -> None:
    soft, hard = (VOICES["piano"].play(220.0, RATE_HZ, force, RATE_HZ)[:RATE_HZ] for force in (0.2, 1.0))

    assert centroid_hz(hard) > 1.1 * centroid_hz(soft)


def centroid_hz(wave: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    return float((spectrum * np.fft.rfftfreq(len(wave), 1 / RATE_HZ)).sum() / spectrum.sum())


@pytest.mark.parametrize("decay_s", [0.9, 2.6])
def test_the_room_falls_by_60_db_in_about_its_time_and_is_stable(decay_s: float) -> None:
    impulse = np.zeros(6 * RATE_HZ, np.float32)
    impulse[0] = 1.0
    wet = reverberate(impulse, RATE_HZ, decay_s)
    left_db = 10 * np.log10(np.cumsum((wet[::-1, 0].astype(float)) ** 2)[::-1] + 1e-30)
    fallen = left_db - left_db[0]
    t20_s = 3.0 * (np.argmax(fallen < -25) - np.argmax(fallen < -5)) / RATE_HZ

    # the loops also damp high tones, so the whole falls somewhat sooner
    assert 0.75 * decay_s < t20_s < 1.05 * decay_s


def test_the_room_answers_differently_left_and_right() -> None:
    wet = reverberate(noise(3 * RATE_HZ, 1), RATE_HZ, 1.5)

    assert abs(np.corrcoef(wet[RATE_HZ:].T)[0, 1]) < 0.1


def test_a_note_sounds_when_and_where_the_score_says() -> None:
    note = Note(1.0, 0.3, 69.0, 0.8)
    score = Score(3.0, 60.0, 0, "major", 0.3, (Track("marimba", 1.0, -1.0, 0.0, (note,)),))

    sound = mix(score, RATE_HZ)

    assert sound.shape == (3 * RATE_HZ, 2)
    assert np.all(sound[:RATE_HZ] == 0.0)
    assert np.max(np.abs(sound[RATE_HZ : RATE_HZ + 4800, 0])) > 0.3
    assert np.all(sound[:, 1] == 0.0)
