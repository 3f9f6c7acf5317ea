"""The 128 hand-crafted figures of skin conductance (spec 03 §3.3; their basis: Shukla et al. 2021,
doi:10.1109/TAFFC.2019.2901673), of thousands of windows at once.

    rows = hand_crafted(windows, 50.0)              # (k, n) raw conductance, (k, 128), columns EDA_FEATURES
    rows = features_of_phasic(phasic, 50.0)         # where it was decomposed already

Two variants. `reference` is what the list means. `authors` is what their programs do: the mean of falling
gradients is the negated mean of all, the spectrum is two-sided and its integral goes over frequencies out of
order, and MFCC frames last 41 s. The list has the area twice, among responses and in time, and so have we.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import fft, rfft
from scipy.signal import butter, sosfiltfilt

from emolab.core.errors import DataError
from emolab.signals.eda.convex import cvxeda
from emolab.signals.eda.responses import LEAST_SHARE
from emolab.signals.feature import Feature
from emolab.signals.measures import Array
from emolab.signals.mfcc import mfcc

Variant = Literal["reference", "authors"]
SHORTEST_S = 10.0  # one cycle of the lowest band
LOW_PASS_HZ = 3.0  # as NeuroKit's, which the authors used
BANDS_HZ = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
COEFFICIENTS = 20
FRAMES = {"reference": (256, 128), "authors": (2048, 512)}  # samples, and from one to the next
ROUNDING = 1e-13  # of the mean: what varies by less does not vary
AT_ONCE = 1 << 19  # samples at a time

_SPEC = "spec 03 §3.3"


def _names() -> Iterator[Feature]:
    scr = {
        "scr_count": ("1", "peaks"),
        "scr_amp_mean": ("1", "mean height of a peak over the trough before it"),
        "scr_rise_mean": ("s", "mean time from trough to peak"),
        "scr_amp_sum": ("1", "heights of all peaks together"),
        "scr_rise_sum": ("s", "times from trough to peak together"),
        "scr_area": ("s", "area under the phasic part"),
    }
    time = {
        "time_area": ("s", "area under the phasic part"),
        "time_mean": ("1", "mean"),
        "time_sd": ("1", "standard deviation (ddof 0)"),
        "time_kurtosis": ("1", "excess kurtosis"),
        "time_skewness": ("1", "skewness"),
        "time_gradient_mean": ("1", "mean change from sample to sample"),
        "time_fall_mean": ("1", "mean of the changes downwards, rises counted as 0"),
    }
    spectrum = {
        "freq_area": ("Hz", "area under the amplitude spectrum"),
        "freq_mean": ("1", "mean of the amplitude spectrum"),
        "freq_sd": ("1", "standard deviation of the amplitude spectrum"),
        "freq_range": ("1", "from its least to its greatest"),
        "freq_kurtosis": ("1", "its excess kurtosis"),
        "freq_skewness": ("1", "its skewness"),
        "band_energy": ("1", "squared amplitudes from 0 to 0.5 Hz together"),
    }
    for low_hz, high_hz in pairwise(BANDS_HZ):
        name = f"band_{round(10 * low_hz)}_{round(10 * high_hz)}_dhz"
        spectrum[name] = ("1", f"squared amplitudes from {low_hz:g} to {high_hz:g} Hz together")
    spectrum |= {
        "band_min": ("1", "the least of the five bands"),
        "band_max": ("1", "the greatest of the five bands"),
        "band_variance": ("1", "variance of the five bands (ddof 0)"),
    }
    for name, (unit, what) in (scr | time | spectrum).items():
        yield Feature(name, unit, what, _SPEC, True)
    for number in range(1, COEFFICIENTS + 1):
        for measure in ("mean", "sd", "median", "kurtosis", "skewness"):
            what = f"{measure} of mel-frequency cepstral coefficient {number}"
            yield Feature(f"mfcc_{number:02d}_{measure}", "1", what, _SPEC, True)


EDA_FEATURES: tuple[Feature, ...] = tuple(_names())


def hand_crafted(windows: ArrayLike, rate_hz: float = 50.0, variant: Variant = "reference") -> Array:
    """`(k, 128)` of raw conductance `(k, n)` in any unit, or `(128,)` of `(n,)`.

    Each window is scaled to 0..1, low-passed at 3 Hz (Butterworth, 4th order, no delay), and decomposed by
    cvxEDA. A window that does not move has a phasic part of zeros.
    Raises `DataError` for windows under 10 s or with samples that are no numbers, `ConfigError` below 4 Hz.
    """
    rows = _checked(windows, rate_hz)
    found = features_of_phasic(phasic_of(rows, rate_hz), rate_hz, variant)
    return found if np.ndim(windows) == 2 else found[0]


def phasic_of(windows: ArrayLike, rate_hz: float) -> Array:
    """`(k, n)`: the phasic part of each window scaled to 0..1."""
    rows = _checked(windows, rate_hz)
    low, span = rows.min(axis=1, keepdims=True), np.ptp(rows, axis=1, keepdims=True)
    scaled = np.divide(rows - low, span, out=np.zeros_like(rows), where=span > 0.0)
    if rate_hz > 2.0 * LOW_PASS_HZ:
        scaled = sosfiltfilt(butter(4, LOW_PASS_HZ, fs=rate_hz, output="sos"), scaled, axis=1)
    spread = scaled.std(axis=1, keepdims=True)
    moves = spread[:, 0] > 1e-9
    phasic = np.zeros_like(scaled)
    if moves.any():
        level = scaled[moves].mean(axis=1, keepdims=True)
        phasic[moves] = cvxeda((scaled[moves] - level) / spread[moves], rate_hz).phasic * spread[moves]
    return phasic


def features_of_phasic(phasic: ArrayLike, rate_hz: float = 50.0, variant: Variant = "reference") -> Array:
    """`(k, 128)` of phasic parts `(k, n)`, or `(128,)` of `(n,)`. Always finite: what cannot be told is 0.

    A peak counts from a tenth of its window's highest on. Raises `DataError` as `hand_crafted`.
    """
    if variant not in FRAMES:
        raise DataError(f"there is no variant {variant!r} of the features; take {' or '.join(FRAMES)}")
    rows = _checked(phasic, rate_hz)
    step = max(AT_ONCE // rows.shape[1], 1)
    found = np.concatenate(
        [_features(rows[at : at + step], rate_hz, variant) for at in range(0, len(rows), step)]
    )
    return found if np.ndim(phasic) == 2 else found[0]


def _checked(windows: ArrayLike, rate_hz: float) -> Array:
    rows = np.atleast_2d(np.asarray(windows, dtype=np.float64))
    if rows.ndim != 2 or not len(rows):
        raise DataError(f"features are of (n,) or (k, n) samples, not of {rows.shape}")
    if not rate_hz > 0.0 or rows.shape[1] < SHORTEST_S * rate_hz:
        raise DataError(
            f"{rows.shape[1]} samples at {rate_hz:g} Hz are too few; the lowest band needs {SHORTEST_S:.0f} s"
        )
    if not np.isfinite(rows).all():
        raise DataError("features need samples that are numbers; leave windows with gaps out")
    return rows


def _features(rows: Array, rate_hz: float, variant: Variant) -> Array:
    frame, hop = FRAMES[variant]
    cepstrum = mfcc(rows, rate_hz, COEFFICIENTS, frame=frame, hop=hop)
    skewness, kurtosis = _shape(cepstrum)
    measures = (cepstrum.mean(-1), cepstrum.std(-1), np.median(cepstrum, -1), kurtosis, skewness)
    columns = [
        *_scr(rows, rate_hz),
        *_time(rows, rate_hz, variant),
        *_spectrum(rows, rate_hz, variant),
    ]
    return np.hstack([np.stack(columns, axis=1), np.stack(measures, axis=2).reshape(len(rows), -1)])


def _time(rows: Array, rate_hz: float, variant: Variant) -> tuple[Array, ...]:
    skewness, kurtosis = _shape(rows)
    gradient = np.gradient(rows, axis=1)
    mean = gradient.mean(axis=1)
    fall = -mean if variant == "authors" else np.minimum(gradient, 0.0).mean(axis=1)
    return _area(rows, rate_hz), rows.mean(axis=1), rows.std(axis=1), kurtosis, skewness, mean, fall


def _spectrum(rows: Array, rate_hz: float, variant: Variant) -> tuple[Array, ...]:
    """The frequency group, then the bands."""
    n = rows.shape[1]
    half = np.abs(rfft(rows, axis=1))
    at_hz = np.fft.rfftfreq(n, 1.0 / rate_hz)
    whole, axis_hz = half, at_hz
    if variant == "authors":
        whole, axis_hz = np.abs(fft(rows, axis=1)), np.fft.fftfreq(n, 1.0 / rate_hz)
    skewness, kurtosis = _shape(whole)
    area = np.trapezoid(whole, axis_hz, axis=1)
    of_all = (area, whole.mean(axis=1), whole.std(axis=1), np.ptp(whole, axis=1), kurtosis, skewness)
    power = half**2
    edges = np.searchsorted(at_hz, np.array(BANDS_HZ) - 1e-9)
    edges[-1] = np.searchsorted(at_hz, BANDS_HZ[-1] + 1e-9)  # the last band has both its ends
    bands = np.stack([power[:, low:high].sum(axis=1) for low, high in pairwise(edges)])
    return *of_all, bands.sum(axis=0), *bands, bands.min(axis=0), bands.max(axis=0), bands.var(axis=0)


def _scr(rows: Array, rate_hz: float) -> tuple[Array, ...]:
    k = len(rows)
    row, onset, peak = peaks(rows)
    height, rise_s = rows[row, peak] - rows[row, onset], (peak - onset) / rate_hz
    count = np.bincount(row, minlength=k).astype(np.float64)
    heights, rises_s = (np.bincount(row, of, k).astype(np.float64) for of in (height, rise_s))
    some = np.maximum(count, 1.0)
    return count, heights / some, rises_s / some, heights, rises_s, _area(rows, rate_hz)


def _area(rows: Array, rate_hz: float) -> Array:
    return np.asarray(np.trapezoid(rows, dx=1.0 / rate_hz, axis=1), np.float64)


def peaks(rows: Array) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Peaks of `(k, n)`, from row to row in order: `(row, trough before, peak)`.

    A plateau's first sample is the peak, a trough's last one the onset. Peaks under a tenth of their row's
    highest are none.
    """
    k, n = rows.shape
    sign = np.sign(np.diff(rows, axis=1)).astype(np.int8)
    # a plateau goes on as what led to it
    last = np.maximum.accumulate(np.where(sign != 0, np.arange(n - 1), 0), axis=1)
    sign = np.take_along_axis(sign, last, axis=1)
    row, at = np.nonzero(sign[:, 1:] != sign[:, :-1])
    is_top = sign[row, at] > 0
    turn = np.where(is_top, last[row, at] + 1, at + 1)
    before = np.where((np.arange(len(row)) > 0) & (row == np.roll(row, 1)), np.roll(turn, 1), 0)
    row, onset, peak = row[is_top], before[is_top], turn[is_top]
    height = rows[row, peak] - rows[row, onset]
    highest = np.zeros(k)
    np.maximum.at(highest, row, height)
    kept = (height >= LEAST_SHARE * highest[row]) & (height > 0.0)
    return row[kept], onset[kept], peak[kept]


def _shape(values: Array) -> tuple[Array, Array]:
    """Skewness and excess kurtosis along the last axis; 0 where nothing varies."""
    mean = values.mean(axis=-1, keepdims=True)
    away = values - mean
    largest = np.abs(away).max(axis=-1, keepdims=True)
    still = largest <= ROUNDING * np.abs(mean)
    away = np.where(still, 0.0, away / np.where(still, 1.0, largest))  # neither depends on the scale
    still, square = still[..., 0], away**2
    spread = np.where(still, 1.0, square.mean(axis=-1))
    skewness = (square * away).mean(axis=-1) / spread**1.5
    kurtosis = np.where(still, 0.0, (square * square).mean(axis=-1) / spread**2 - 3.0)
    return skewness, kurtosis
