"""Signals whose faults are known: as a 12-bit board would send them, made from a seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RATE_HZ = 255.3  # what boards of nominally 250 Hz run at
SECONDS = 10.0
ADC = (0.0, 4095.0)


def times_s(seconds: float = SECONDS, rate_hz: float = RATE_HZ) -> Array:
    return np.arange(round(seconds * rate_hz)) / rate_hz


def counts(values: Array, noise: float = 1.0, seed: int = 1) -> Array:
    """Whole numbers of a 12-bit converter, with Gaussian noise."""
    noisy = values + noise * np.random.default_rng(seed).standard_normal(len(values))
    return np.clip(np.rint(noisy), *ADC)


def pulse_wave(at_s: Array, per_min: float = 72.0, height: float = 600.0) -> Array:
    """A pulse with its second hump, round 1800 counts, that wanders with the breath."""
    phase = (at_s * per_min / 60.0) % 1.0
    beat = np.exp(-0.5 * ((phase - 0.25) / 0.08) ** 2) + 0.3 * np.exp(-0.5 * ((phase - 0.55) / 0.09) ** 2)
    return 1800 + height * beat + 40 * np.sin(2 * np.pi * 0.25 * at_s)


def breath(at_s: Array, per_min: float = 15.0, height: float = 30.0, middle: float = 1600.0) -> Array:
    return middle + height * np.sin(2 * np.pi * per_min / 60.0 * at_s)


def skin_us(at_s: Array, level_us: float = 5.0) -> Array:
    """A level that falls slowly, and one response."""
    rise = np.maximum(at_s - 4.0, 0.0)
    return level_us - 0.02 * at_s + 0.4 * (np.exp(-rise / 2.0) - np.exp(-rise / 0.75))


def hum(at_s: Array, mains_hz: float, height: float) -> Array:
    return height * np.sin(2 * np.pi * mains_hz * at_s + 0.3)
