"""Sounds with known faults, made for the tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 48_000


def tone(
    seconds: float, rate_hz: int = RATE_HZ, amplitude: float = 0.2, channels: int = 2
) -> NDArray[np.float64]:
    """A 997 Hz sine on every channel, `(n, channels)`."""
    wave = amplitude * np.sin(2 * np.pi * 997.0 * np.arange(round(seconds * rate_hz)) / rate_hz)
    return np.repeat(wave[:, np.newaxis], channels, axis=1)
