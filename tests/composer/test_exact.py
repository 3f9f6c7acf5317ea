from __future__ import annotations

import numpy as np
import pytest

from emolab.composer import exact


def test_sine_and_cosine_are_right_far_below_one_step_of_16_bits() -> None:
    turns = np.linspace(-3.0, 5000.0, 200_001)

    np.testing.assert_allclose(exact.sine(turns), np.sin(2 * np.pi * turns), atol=4e-7)
    np.testing.assert_allclose(exact.cosine(turns), np.cos(2 * np.pi * turns), atol=4e-7)


@pytest.mark.parametrize("samples", [1, 2, 3, 1000, 1025])
def test_decay_is_the_exponential(samples: int) -> None:
    np.testing.assert_allclose(exact.decay(samples, 300.0), np.exp(-np.arange(samples) / 300.0), rtol=1e-6)


def test_pitches_are_equal_tempered() -> None:
    assert exact.pitch_hz(69) == 440.0
    assert exact.pitch_hz(60) == pytest.approx(261.6256, abs=1e-4)
    assert exact.pitch_hz(69.5) == pytest.approx(440.0 * 2 ** (1 / 24))
    assert exact.from_db(-20.0) == pytest.approx(0.1)


def test_noise_is_white_and_settled_by_its_seed() -> None:
    noise = exact.noise(100_000, 5)

    assert abs(noise.mean()) < 0.01
    assert noise.std() == pytest.approx(1 / np.sqrt(3), abs=0.01)
    assert noise.min() >= -1.0 and noise.max() < 1.0
    np.testing.assert_array_equal(noise, exact.noise(100_000, 5))
    assert not np.array_equal(noise, exact.noise(100_000, 6))
    # the very numbers: they must never change, or every clip with a drum does
    assert (noise[:3] * 8388608).tolist() == [5117099.0, 5166389.0, 257120.0]


def test_smoothing_keeps_the_slow_and_loses_the_fast() -> None:
    constant = np.full(1000, 0.5, np.float32)
    fast = np.tile(np.array([1, -1], np.float32), 500)

    np.testing.assert_allclose(exact.smooth(constant, 8)[8:], 0.5, atol=1e-6)
    np.testing.assert_allclose(exact.smooth(fast, 8)[8:], 0.0, atol=1e-6)


def test_ease_goes_from_nothing_to_all() -> None:
    step = exact.ease(100)

    assert 0.0 < step[0] < 0.001 and 0.999 < step[-1] < 1.0
    np.testing.assert_allclose(step + step[::-1], 1.0, atol=1e-6)
