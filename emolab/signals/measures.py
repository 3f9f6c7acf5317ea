"""The arithmetic under the judgements, on short windows of evenly sampled values.

Bands are cut in the spectrum: windows of seconds need no running filter, and NumPy alone does it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NEARLY = 0.9
WHOLE = 0.95  # a window of ten seconds delivers a little less than ten
GAP_STEPS = 2.5  # boards stamp in whole milliseconds: steps of 3, 4 and sometimes 8 ms are no gap

AT_ONCE = 1 << 16  # a millisecond of reckoning


def interpolated(at: Array, places: Array, values: Array) -> Array:
    """`np.interp`, a piece at a time: over hours of a signal it would let no other thread in for 0.1 s."""
    found = np.empty(len(at))
    for start in range(0, len(at), AT_ONCE):
        found[start : start + AT_ONCE] = np.interp(at[start : start + AT_ONCE], places, values)
    return found


@dataclass(frozen=True)
class Evenly:
    """Values on an even grid. `missing`: share of the window without samples, 0 to 1."""

    values: Array
    rate_hz: float
    missing: float = 0.0


def evenly(values: Array, times_s: Array | None, rate_hz: float | None) -> Evenly:
    """The finite values on an even grid: gaps and NaN are bridged by straight lines, and counted.

    `values`, `times_s`: `(n,)`, n ≥ 2. Without times the values are taken as even at `rate_hz`.
    """
    finite = np.isfinite(values)
    if times_s is None:
        times_s = np.arange(len(values)) / (rate_hz or 1.0)
    steps_s = np.diff(times_s)
    usual_s = float(np.median(steps_s))
    gaps_s = steps_s[steps_s > GAP_STEPS * usual_s]
    span_s = float(times_s[-1] - times_s[0])
    if usual_s <= 0.0 or span_s <= 0.0 or finite.sum() < 2:
        return Evenly(values[finite], rate_hz or 0.0, float(np.mean(~finite)))
    true_hz = (len(values) - 1 - len(gaps_s)) / max(span_s - float(gaps_s.sum()), usual_s)
    absent = float(np.sum(gaps_s - usual_s)) / span_s
    missing = absent + (1.0 - absent) * float(np.mean(~finite))
    if not len(gaps_s) and finite.all():
        return Evenly(values, true_hz)
    grid_s = times_s[0] + np.arange(round(span_s * true_hz) + 1) / true_hz
    return Evenly(np.interp(grid_s, times_s[finite], values[finite]), true_hz, missing)


def detrended(values: Array) -> Array:
    """The values less their straight line."""
    at = np.arange(len(values)) - (len(values) - 1) / 2
    mean = values.mean()
    slope = (at @ (values - mean)) / max(float(at @ at), 1.0)
    return values - mean - slope * at


def band(values: Array, rate_hz: float, low_hz: float, high_hz: float) -> Array:
    """The part of the values between two frequencies, straight line removed first; same length."""
    spectrum = np.fft.rfft(detrended(values))
    at_hz = np.fft.rfftfreq(len(values), 1.0 / rate_hz)
    spectrum[(at_hz < low_hz) | (at_hz > high_hz)] = 0.0
    part: Array = np.fft.irfft(spectrum, len(values))
    return part


def rms(values: Array) -> float:
    """Root of the mean square; 0 for none."""
    return float(np.sqrt(np.mean(values**2))) if len(values) else 0.0


def power_spectrum(values: Array, rate_hz: float) -> tuple[Array, Array]:
    """`(frequencies, power)`: mean square in each bin under a Hann window; the bins sum to the variance."""
    window = np.hanning(len(values))
    spectrum = np.abs(np.fft.rfft(detrended(values) * window)) ** 2
    spectrum[1:-1] *= 2.0
    power: Array = spectrum / (len(values) * float(window @ window))
    return np.asarray(np.fft.rfftfreq(len(values), 1.0 / rate_hz), np.float64), power


def line(
    at_hz: Array, power: Array, line_hz: float, width_hz: float = 1.0, round_hz: float = 5.0
) -> tuple[float, float]:
    """A sine in noise: `(its mean square, how often it exceeds its neighbourhood's)`.

    The neighbourhood reaches `round_hz` to both sides, the line `width_hz`. `(0, 0)` outside the
    spectrum.
    """
    off_hz = np.abs(at_hz - line_hz)
    inside, near = off_hz <= width_hz, (off_hz > width_hz) & (off_hz <= round_hz)
    if not inside.any() or not near.any() or line_hz + width_hz > at_hz[-1]:
        return 0.0, 0.0
    expected = float(np.median(power[near])) / np.log(2) * int(inside.sum())  # median to mean of χ²
    found = float(power[inside].sum())
    return max(found - expected, 0.0), found / expected if expected > 0.0 else 0.0


def longest_run(flags: NDArray[np.bool_]) -> int:
    """The length of the longest unbroken run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return int(np.max(edges[1::2] - edges[::2], initial=0))


def rhythm(values: Array, rate_hz: float, shortest_s: float, longest_s: float) -> tuple[float, float]:
    """How alike the values are to themselves one period on: `(likeness −1..1, period in seconds)`.

    The highest peak of the autocorrelation between two periods, or the first that is nearly as high,
    each lag normed by the energy of the parts that overlap there. `(0, 0)` when it has no peak.
    """
    n = len(values)
    first, last = max(int(shortest_s * rate_hz), 1), min(int(longest_s * rate_hz) + 1, n // 2)
    if last - first < 3:
        return 0.0, 0.0
    spectrum = np.fft.rfft(values, 2 * n)
    products = np.fft.irfft(np.abs(spectrum) ** 2, 2 * n)[: last + 2]
    energy = np.concatenate([[0.0], np.cumsum(values**2)])
    lags = np.arange(last + 2)
    norm = np.sqrt(energy[n - lags] * (energy[n] - energy[lags]))
    likeness = np.divide(products, norm, out=np.zeros_like(products), where=norm > 0)
    inner = likeness[first : last + 1]
    is_peak = (inner > likeness[first - 1 : last]) & (inner >= likeness[first + 1 : last + 2])
    if not is_peak.any():
        return 0.0, 0.0
    peaks = np.where(is_peak, inner, -np.inf)
    best = int(np.argmax(peaks >= min(NEARLY * peaks.max(), peaks.max())))  # two beats are as alike as one
    return float(inner[best]), (first + best) / rate_hz
