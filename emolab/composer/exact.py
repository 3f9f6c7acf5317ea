"""Waveforms that come out bit for bit the same on every machine.

Sine, exponential and power functions of libm and of numpy's vector code differ in the last bit
between processors and versions, so the composer calls none of them. Arrays here are made with
+ − × ÷ √ and rounding alone, one numpy operation at a time: IEEE 754 fixes the result of each, and
separate operations are never fused. Single numbers go through `decimal`, noise through the raw output
of PCG64, chance through `random.Random.random`; all three are documented to stay as they are.
"""

from __future__ import annotations

from decimal import Context, Decimal

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float32]

_CONTEXT = Context(prec=30)
_TWO_PI = 6.283185307179586
# Taylor series of sin(2πz) in z², good to 6e-8 for |z| ≤ 1/4: far below one step of 16 bits
_SINE = (
    _TWO_PI,
    -(_TWO_PI**3) / 6.0,
    _TWO_PI**5 / 120.0,
    -(_TWO_PI**7) / 5040.0,
    _TWO_PI**9 / 362880.0,
    -(_TWO_PI**11) / 39916800.0,
)


def power(base: float, exponent: float) -> float:
    """`base` to the `exponent`, rounded from 30 digits."""
    return float(_CONTEXT.power(Decimal(base), Decimal(exponent)))


def from_db(level_db: float) -> float:
    """The amplitude factor of a level in decibels."""
    return power(10.0, level_db / 20.0)


def pitch_hz(pitch: float) -> float:
    """The frequency of a MIDI pitch (69 is 440 Hz, equal temperament, fractions are cents)."""
    return 440.0 * power(2.0, (pitch - 69.0) / 12.0)


def cosine(turns: NDArray[np.floating]) -> Wave:
    """cos(2π·turns), float32, the shape of `turns`."""
    offset = turns - np.rint(turns)
    np.abs(offset, out=offset)
    z = np.subtract(0.25, offset, out=offset).astype(np.float32)
    square = z * z
    series = square * np.float32(_SINE[-1])
    for coefficient in _SINE[-2:0:-1]:
        series += np.float32(coefficient)
        series *= square
    series += np.float32(_SINE[0])
    series *= z
    return series


def sine(turns: NDArray[np.floating]) -> Wave:
    """sin(2π·turns), float32, the shape of `turns`."""
    return cosine(turns - 0.25)


def decay(samples: int, tau_samples: float) -> Wave:
    """`samples` values of exp(−n / tau), by doubling: multiplications only."""
    curve = np.ones(samples)
    factor = float(_CONTEXT.exp(Decimal(-1.0 / tau_samples)))
    filled = 1
    while filled < samples:
        more = min(filled, samples - filled)
        np.multiply(curve[:more], factor, out=curve[filled : filled + more])
        factor *= factor
        filled += more
    return curve.astype(np.float32)


def ease(samples: int) -> Wave:
    """A smooth step from 0 to 1 in `samples` values (3x² − 2x³)."""
    x = (np.arange(samples) + 0.5) / max(samples, 1)
    return (x * x * (3.0 - 2.0 * x)).astype(np.float32)


def noise(samples: int, seed: int) -> Wave:
    """White noise, even over −1..1, always the same for a seed."""
    raw = np.random.PCG64(seed).random_raw(samples)
    return ((raw >> np.uint64(40)).astype(np.float64) / 8388608.0 - 1.0).astype(np.float32)


def smooth(wave: Wave, width: int) -> Wave:
    """A moving average over `width` samples, same length: the low-pass that needs no filter code."""
    if width < 2:
        return wave
    total = np.concatenate([np.zeros(width), np.cumsum(wave, dtype=np.float64)])
    return ((total[width:] - total[:-width]) / width).astype(np.float32)
