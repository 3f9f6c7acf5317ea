"""Mel-frequency cepstral coefficients of many short signals at once, by librosa's definitions.

Frames centred on multiples of the hop, the ends padded with zeros; periodic Hann window; power spectrum;
Slaney's mel scale (straight below 1 kHz) and triangles of equal area; decibels no lower than 80 below the
signal's highest; DCT-II, orthonormal. Sources: McFee et al. 2015, doi:10.25080/Majora-7b98e3ed-003, with the
documentation of librosa 0.10; Slaney 1998, Auditory Toolbox, technical report 1998-010.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike
from scipy.fft import dct, rfft

from emolab.core.errors import DataError
from emolab.signals.measures import Array

MEL_HZ = 200.0 / 3.0  # a mel below 1 kHz
LOG_FROM_HZ, LOG_FROM_MEL = 1000.0, 15.0
LOG_STEP = np.log(6.4) / 27.0
LEAST_POWER = 1e-10
DEEPEST_DB = 80.0
AT_ONCE = 1 << 20  # samples in frames at a time: they stay in the cache of the processor


def mfcc(
    signals: ArrayLike,
    rate_hz: float,
    count: int = 20,
    *,
    frame: int = 2048,
    hop: int = 512,
    mels: int = 128,
) -> Array:
    """`(k, count, frames)` of `(k, n)`, or `(count, frames)` of `(n,)`; there are 1 + n // hop frames.

    `frame`, `hop`: in samples. Raises `DataError` when there is no sample, or one that is no number, or for
    more coefficients than `mels`.
    """
    waves = np.asarray(signals, dtype=np.float64)
    if waves.ndim not in (1, 2) or not waves.shape[-1]:
        raise DataError(f"coefficients are of (n,) or (k, n) samples, not of {waves.shape}")
    if not np.isfinite(waves).all():
        raise DataError("coefficients need samples that are numbers; cut or bridge the others first")
    if not 0 < count <= mels or hop < 1 or frame < 2:
        raise DataError(f"{count} coefficients of {mels} bands from frames of {frame} each {hop} cannot be")
    rows = np.atleast_2d(waves)
    bank, window = mel_filters(rate_hz, frame, mels).T, hann(frame)
    padded = np.pad(rows, ((0, 0), (frame // 2, frame // 2)))
    frames = sliding_window_view(padded, frame, axis=1)[:, ::hop]
    found = np.empty((len(rows), count, frames.shape[1]))
    step = max(AT_ONCE // (frames.shape[1] * frame), 1)
    for at in range(0, len(rows), step):
        spectrum = rfft(frames[at : at + step] * window)
        power = (spectrum.real**2 + spectrum.imag**2) @ bank
        decibels = 10.0 * np.log10(np.maximum(power, LEAST_POWER))
        decibels = np.maximum(decibels, decibels.max(axis=(1, 2), keepdims=True) - DEEPEST_DB)
        found[at : at + step] = dct(decibels, norm="ortho")[..., :count].transpose(0, 2, 1)
    return found if waves.ndim == 2 else found[0]


def mel(at_hz: ArrayLike) -> Array:
    """Slaney's mel of a frequency."""
    hz = np.asarray(at_hz, dtype=np.float64)
    above = LOG_FROM_MEL + np.log(np.maximum(hz, LOG_FROM_HZ) / LOG_FROM_HZ) / LOG_STEP
    return np.where(hz < LOG_FROM_HZ, hz / MEL_HZ, above)


def mel_hz(at_mel: ArrayLike) -> Array:
    """The frequency of a mel of Slaney's."""
    mels = np.asarray(at_mel, dtype=np.float64)
    above = LOG_FROM_HZ * np.exp(LOG_STEP * np.maximum(mels - LOG_FROM_MEL, 0.0))
    return np.where(mels < LOG_FROM_MEL, mels * MEL_HZ, above)


@lru_cache(maxsize=8)
def mel_filters(rate_hz: float, frame: int, mels: int) -> Array:
    """`(mels, 1 + frame // 2)`: triangles, evenly spaced in mel from 0 to half the rate, area 1 in Hz."""
    edges_hz = mel_hz(np.linspace(0.0, float(mel(rate_hz / 2)), mels + 2))
    at_hz = np.arange(1 + frame // 2) * (rate_hz / frame)
    widths_hz = np.diff(edges_hz)[:, np.newaxis]
    ramps = edges_hz[:, np.newaxis] - at_hz
    rising, falling = -ramps[:-2] / widths_hz[:-1], ramps[2:] / widths_hz[1:]
    triangles = np.maximum(np.minimum(rising, falling), 0.0)
    filters: Array = triangles * (2.0 / (edges_hz[2:] - edges_hz[:-2]))[:, np.newaxis]
    filters.flags.writeable = False
    return filters


def hann(frame: int) -> Array:
    """The periodic Hann window."""
    return np.asarray(0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(frame) / frame), np.float64)
