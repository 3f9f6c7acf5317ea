"""Coefficients are what librosa's documentation says they are, computed again the slow way."""

from __future__ import annotations

import math

import numpy as np
import pytest

from emolab.core.errors import DataError
from emolab.signals.mfcc import hann, mel, mel_filters, mel_hz, mfcc
from tests.signals.made import Array


def slowly(wave: Array, rate_hz: float, count: int, frame: int, hop: int, mels: int) -> Array:
    """Each formula by itself, without an FFT, a filter matrix or a library's DCT."""
    padded = np.concatenate([np.zeros(frame // 2), wave, np.zeros(frame // 2)])
    starts = range(0, len(padded) - frame + 1, hop)
    bins = frame // 2 + 1
    at = np.arange(frame)
    turn = np.exp(-2j * math.pi * np.outer(np.arange(bins), at) / frame)
    window = np.array([math.sin(math.pi * n / frame) ** 2 for n in at])
    power = np.array([np.abs(turn @ (window * padded[s : s + frame])) ** 2 for s in starts])

    def to_mel(hz: float) -> float:
        return 3 * hz / 200 if hz < 1000 else 15 + 27 * math.log(hz / 1000) / math.log(6.4)

    def to_hz(m: float) -> float:
        return 200 * m / 3 if m < 15 else 1000 * 6.4 ** ((m - 15) / 27)

    edges = [to_hz(to_mel(rate_hz / 2) * j / (mels + 1)) for j in range(mels + 2)]
    bands = np.zeros((len(power), mels))
    for j in range(mels):
        low, middle, high = edges[j : j + 3]
        for k in range(bins):
            hz = k * rate_hz / frame
            if low < hz <= middle:
                weight = (hz - low) / (middle - low)
            elif middle < hz < high:
                weight = (high - hz) / (high - middle)
            else:
                continue
            bands[:, j] += 2 / (high - low) * weight * power[:, k]
    decibels = 10 * np.log10(np.maximum(bands, 1e-10))
    decibels = np.maximum(decibels, decibels.max() - 80)
    found = np.empty((count, len(power)))
    for c in range(count):
        scale = math.sqrt((1 if c == 0 else 2) / mels)
        basis = np.array([math.cos(math.pi * c * (2 * j + 1) / (2 * mels)) for j in range(mels)])
        found[c] = scale * decibels @ basis
    return found


@pytest.mark.parametrize(
    ("rate_hz", "n", "frame", "hop"),
    [(50.0, 1500, 256, 128), (50.0, 1500, 2048, 512), (16_000.0, 700, 128, 50)],
)
def test_they_are_those_of_the_formulas(rate_hz: float, n: int, frame: int, hop: int) -> None:
    wave = np.random.default_rng(n).normal(size=n) + np.sin(np.arange(n) / 20)
    found = mfcc(wave, rate_hz, 20, frame=frame, hop=hop, mels=40)
    assert found.shape == (20, 1 + n // hop)
    np.testing.assert_allclose(found, slowly(wave, rate_hz, 20, frame, hop, 40), atol=1e-8)


def test_a_batch_is_its_rows() -> None:
    waves = np.random.default_rng(1).normal(size=(7, 300)) * np.logspace(-3, 3, 7)[:, np.newaxis]
    every = mfcc(waves, 50.0, 13, frame=64, hop=16, mels=30)
    for row, wave in zip(every, waves, strict=True):
        np.testing.assert_allclose(row, mfcc(wave, 50.0, 13, frame=64, hop=16, mels=30), atol=1e-9)


def test_mel_and_back() -> None:
    np.testing.assert_allclose(mel([110, 220, 440]), [1.65, 3.3, 6.6])  # librosa's own examples
    np.testing.assert_allclose(mel_hz([1, 2, 3]), [200 / 3, 400 / 3, 200])
    at_hz = np.linspace(0, 20_000, 300)
    np.testing.assert_allclose(mel_hz(mel(at_hz)), at_hz, atol=1e-8)
    assert np.all(np.diff(mel(at_hz)) > 0)


def test_triangles_have_equal_area_and_the_window_is_periodic() -> None:
    filters = mel_filters(16_000.0, 16_384, 20)
    np.testing.assert_allclose(filters.sum(axis=1) * 16_000 / 16_384, 1.0, rtol=0.01)
    np.testing.assert_allclose(hann(8)[1:], hann(8)[1:][::-1])
    assert hann(8)[0] == 0.0 and hann(8)[4] == 1.0


def test_silence_is_the_floor_and_the_loudest_sets_the_depth() -> None:
    silent = mfcc(np.zeros(1500), 50.0, 20, frame=256, hop=128)
    np.testing.assert_allclose(silent[0], -100.0 * math.sqrt(128))
    np.testing.assert_allclose(silent[1:], 0.0, atol=1e-9)
    click = np.zeros(1500)
    click[0] = 1e3
    assert mfcc(click, 50.0, 1, frame=256, hop=128, mels=1)[0].min() > -80 + 30 - 1e-6


@pytest.mark.parametrize(
    "bad", [np.zeros(0), np.zeros((2, 2, 2)), np.array([1.0, np.nan]), np.array([np.inf, 0.0])]
)
def test_what_is_no_signal_is_refused(bad: Array) -> None:
    with pytest.raises(DataError, match="coefficients"):
        mfcc(bad, 50.0)


def test_more_coefficients_than_bands_are_refused() -> None:
    with pytest.raises(DataError, match="21 coefficients of 20 bands"):
        mfcc(np.ones(100), 50.0, 21, mels=20)
