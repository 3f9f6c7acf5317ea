"""How sure a pulse is, stretch by stretch: `emolab.signals.body.pulse`, for all stretches at once.

The same measure as before the session and in the review: the likeness of the wave with itself one beat on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from emolab.signals.body import PULSE_BAND_HZ, PULSE_PART, PULSE_S, SHORTEST_FOR_RHYTHM_S
from emolab.signals.measures import NEARLY, Array, interpolated
from emolab.signals.ppg.grid import Grid

LOOK_HZ = 50.0  # the band judged ends at 5 Hz
HOP_S = 0.5
MOST_MISSING = 0.2  # of a stretch, as in `general.MISSING_ACT`
ROUNDING = 0.3  # of a step of the converter, RMS in the pulse's band: rounding alone makes 1/√12
AT_ONCE = 600  # stretches: 10 minutes at a time keep memory small


@dataclass(frozen=True)
class Sureness:
    """Stretches of 5 s, one starting each half second from `start_s` on.

    `sure` `(k,)`: −1 to 1, 0 where more than a fifth is missing. `beat_s` `(k,)`: length of a beat there,
    0 where there is none. `is_rounding` `(k,)`: what moves there is the converter's steps, and no pulse.
    """

    start_s: float
    sure: Array
    beat_s: Array
    is_rounding: NDArray[np.bool_]

    def moves(self, times_s: Array) -> NDArray[np.bool_]:
        """Which moments lie in a stretch that moves by more than rounding does."""
        found: NDArray[np.bool_] = self._best(times_s, np.where(self.is_rounding, 0.0, 1.0)) > 0
        return found

    def is_good(self, times_s: Array) -> NDArray[np.bool_]:
        """Which moments lie in a stretch whose pulse is sure: one is enough, neighbours may be shaken."""
        found: NDArray[np.bool_] = self._best(times_s, self.sure) >= PULSE_PART
        return found

    def period_s(self, times_s: Array) -> Array:
        """Length of a beat, the median of 15 s around; NaN where no pulse is sure."""
        known = np.where((self.sure >= PULSE_PART) & (self.beat_s > 0), self.beat_s, np.nan)
        if not np.isfinite(known).any():
            return np.full(len(times_s), np.nan)
        at = np.flatnonzero(np.isfinite(known))
        reach = min(7, len(at) - 1)
        padded = np.pad(known[at], reach, mode="edge")
        smooth = np.median(sliding_window_view(padded, 2 * reach + 1), axis=1)
        places_s: Array = self.start_s + at * HOP_S + np.float64(SHORTEST_FOR_RHYTHM_S / 2)
        return interpolated(times_s, places_s, smooth)

    def _best(self, times_s: Array, of: Array) -> Array:
        """The greatest of the stretches that hold each moment."""
        newest = np.floor((times_s - self.start_s) / HOP_S).astype(np.int64)
        held = round(SHORTEST_FOR_RHYTHM_S / HOP_S)
        padded = np.concatenate([np.full(held, of[0]), of, np.full(held, of[-1])])
        best = sliding_window_view(padded, held).max(axis=1)
        return np.asarray(best[np.clip(newest + 1, 0, len(best) - 1)], np.float64)


def sureness(grid: Grid) -> Sureness:
    """How sure the pulse is in every 5 s of a grid."""
    step = round(grid.rate_hz / LOOK_HZ)
    n = len(grid.values) // step
    thin = grid.values[: n * step].reshape(n, step).mean(axis=1)
    there = grid.is_there[: n * step].reshape(n, step).mean(axis=1)
    length = min(round(SHORTEST_FOR_RHYTHM_S * LOOK_HZ), n)
    hop = round(HOP_S * LOOK_HZ)
    stretches = sliding_window_view(thin, length)[::hop]
    missing = 1.0 - sliding_window_view(there, length)[::hop].mean(axis=1)
    parts = []
    for at in range(0, len(stretches), AT_ONCE):
        bands = _bands(stretches[at : at + AT_ONCE], grid.rate_hz / step)
        size = np.sqrt(np.mean(bands**2, axis=1))
        parts.append((*_rhythms(bands, grid.rate_hz / step), size < ROUNDING * grid.finest))
    sure, beat_s, is_rounding = (np.concatenate(part) for part in zip(*parts, strict=True))
    gone = (missing > MOST_MISSING) | is_rounding
    return Sureness(grid.start_s, np.where(gone, 0.0, sure), np.where(gone, 0.0, beat_s), is_rounding)


def pulses(stretches: Array, rate_hz: float) -> tuple[Array, Array]:
    """`emolab.signals.body.pulse` of each row of `(k, n)`: `(how sure (k,), seconds a beat (k,))`."""
    return _rhythms(_bands(stretches, rate_hz), rate_hz)


def _bands(rows: Array, rate_hz: float) -> Array:
    """`measures.band` of each row."""
    n = rows.shape[1]
    at = np.arange(n) - (n - 1) / 2
    level = rows - rows.mean(axis=1, keepdims=True)
    level = level - np.outer(level @ at / float(at @ at), at)
    spectrum = np.fft.rfft(level, axis=1)
    at_hz = np.fft.rfftfreq(n, 1.0 / rate_hz)
    spectrum[:, (at_hz < PULSE_BAND_HZ[0]) | (at_hz > PULSE_BAND_HZ[1])] = 0.0
    return np.asarray(np.fft.irfft(spectrum, n, axis=1), np.float64)


def _rhythms(rows: Array, rate_hz: float) -> tuple[Array, Array]:
    """`measures.rhythm` of each row."""
    k, n = rows.shape
    first, last = max(int(PULSE_S[0] * rate_hz), 1), min(int(PULSE_S[1] * rate_hz) + 1, n // 2)
    if last - first < 3:
        return np.zeros(k), np.zeros(k)
    products = np.fft.irfft(np.abs(np.fft.rfft(rows, 2 * n, axis=1)) ** 2, 2 * n, axis=1)[:, : last + 2]
    energy = np.concatenate([np.zeros((k, 1)), np.cumsum(rows**2, axis=1)], axis=1)
    lags = np.arange(last + 2)
    norm = np.sqrt(energy[:, n - lags] * (energy[:, n:] - energy[:, lags]))
    likeness = np.divide(products, norm, out=np.zeros_like(products), where=norm > 0)
    inner = likeness[:, first : last + 1]
    is_peak = (inner > likeness[:, first - 1 : last]) & (inner >= likeness[:, first + 1 : last + 2])
    peaks = np.where(is_peak, inner, -np.inf)
    highest = peaks.max(axis=1)
    found = np.isfinite(highest)
    nearly = np.where(found, np.minimum(NEARLY * highest, highest), np.inf)
    best = np.argmax(peaks >= nearly[:, np.newaxis], axis=1)
    sure = np.where(found, inner[np.arange(k), best], 0.0)
    return sure, np.where(found, (first + best) / rate_hz, 0.0)
