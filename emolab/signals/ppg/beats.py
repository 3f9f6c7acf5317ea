"""Systolic peaks, by two moving averages.

Elgendi et al. 2013, doi:10.1371/journal.pone.0076585: the wave, without its negative half and squared, is
averaged over a systole and over a beat. Where the short average exceeds the long one there is a systole; its
peak is the highest point of the wave there. The offset follows the signal's own strength piece by piece,
where the paper takes one of the whole recording, which a single shake of the hand would spoil.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter, percentile_filter, uniform_filter1d
from scipy.signal import butter, sosfiltfilt

from emolab.signals.measures import Array

Rows = NDArray[np.int64]

BAND_HZ = (0.5, 8.0)  # spec 01 §1.7, Elgendi 2013
SYSTOLE_S = 0.111  # Elgendi 2013, W1
BEAT_S = 0.667  # Elgendi 2013, W2
OFFSET = 0.02  # Elgendi 2013, beta
SQUARE_HZ = 60.0  # the squared wave ends at 16 Hz
PIECE_S = 6.0
PIECES = 9  # the strength is the median of so many pieces round about
SHORTEST_S = 0.3  # spec 01 §1.7: 300 ms
SECOND_WITHIN = 0.7  # of a beat: the reflected wave arrives by then
SECOND_HEIGHT = 0.65  # of the systole's height, and of the usual one: a movement's peak hides no beat
ROUND = 15  # peaks, of which the usual height is the third quartile: every second may be an echo


def band_passed(values: Array, rate_hz: float) -> Array:
    """The pulse's band, 0.5 to 8 Hz, with no delay; same length."""
    sections = butter(2, BAND_HZ, "bandpass", fs=rate_hz, output="sos")
    level = values - values.mean()
    padding = min(round(2 * rate_hz), len(values) - 1)
    return np.asarray(sosfiltfilt(sections, level, padtype="even", padlen=padding), np.float64)


def averaged(wave: Array, rate_hz: float) -> Array:
    """The wave averaged over a systole: noise and tops that are cut off then move its peaks less."""
    return np.asarray(uniform_filter1d(wave, max(round(SYSTOLE_S * rate_hz), 1)), np.float64)


def systolic_peaks(wave: Array, rate_hz: float, beat_s: Array | None = None) -> Rows:
    """Rows of the systolic peaks of an upright, band-passed, averaged wave, at least 0.3 s apart.

    `beat_s`: how long a beat is thought to be at each row, NaN where nobody knows; a lower peak that follows
    or precedes a higher one within 0.7 of it is the reflected wave.
    """
    step = max(int(rate_hz / SQUARE_HZ), 1)
    thin_hz = rate_hz / step
    squared = np.square(np.maximum(wave[::step], 0.0))
    systole = uniform_filter1d(squared, max(round(SYSTOLE_S * thin_hz), 1), mode="nearest")
    beat = uniform_filter1d(squared, max(round(BEAT_S * thin_hz), 1), mode="nearest")
    beat += OFFSET * _strength(squared, thin_hz)
    rows = _highest_in_blocks(wave, systole > beat, step, round(SYSTOLE_S * thin_hz))
    rows = _apart(wave, rows, np.full(len(rows), SHORTEST_S * rate_hz), 1.0)
    if beat_s is not None and len(rows):
        reach = np.nan_to_num(SECOND_WITHIN * beat_s[rows], nan=SHORTEST_S) * rate_hz
        is_low = wave[rows] < SECOND_HEIGHT * percentile_filter(wave[rows], 75, ROUND, mode="nearest")
        rows = _apart(wave, rows, np.where(is_low, reach, 0.0), SECOND_HEIGHT)
    return rows


def _strength(squared: Array, rate_hz: float) -> Array:
    """Mean square of the wave round about each row, as the median of pieces."""
    size = min(round(PIECE_S * rate_hz), len(squared))
    means = squared[: len(squared) // size * size].reshape(-1, size).mean(axis=1)
    means = median_filter(means, min(PIECES, len(means)), mode="nearest")
    middle = (np.arange(len(means)) + 0.5) * size
    return np.asarray(np.interp(np.arange(len(squared)), middle, means), np.float64)


def _highest_in_blocks(wave: Array, inside: NDArray[np.bool_], step: int, shortest: int) -> Rows:
    """The highest local maximum in each run of True that is long enough; one flag for every `step` rows."""
    edges = np.flatnonzero(np.diff(inside.astype(np.int8), prepend=0, append=0))
    starts, ends = edges[::2], edges[1::2]
    long = ends - starts >= shortest
    starts, ends = step * starts[long], step * ends[long]
    maxima = 1 + np.flatnonzero((wave[1:-1] > wave[:-2]) & (wave[1:-1] >= wave[2:]))
    if not len(starts) or not len(maxima):
        return np.zeros(0, np.int64)
    block = np.searchsorted(starts, maxima, side="right") - 1
    within = (block >= 0) & (maxima < ends[np.maximum(block, 0)])
    maxima, block = maxima[within], block[within]
    order = np.lexsort((-wave[maxima], block))
    first = np.diff(block[order], prepend=-1) > 0
    return np.asarray(maxima[order][first], np.int64)


def _apart(wave: Array, rows: Rows, reach: Array, ratio: float) -> Rows:
    """The rows without those lower than `ratio` of another that lies within their `reach`."""
    apart = np.diff(rows)
    if not np.any(apart < np.maximum(reach[1:], reach[:-1])):
        return rows
    kept: list[int] = []
    heights = wave[rows]
    for at in range(len(rows)):
        while (
            kept and rows[at] - rows[last := kept[-1]] < reach[last] and heights[last] < ratio * heights[at]
        ):
            kept.pop()
        is_near = kept and rows[at] - rows[kept[-1]] < reach[at]
        if not is_near or heights[at] > ratio * heights[kept[-1]]:
            kept.append(at)
    return rows[kept]


def between_samples(wave: Array, rows: Rows) -> Array:
    """Where the parabola through each peak and its neighbours is highest, in rows."""
    before, top, after = wave[rows - 1], wave[rows], wave[rows + 1]
    bend = before - 2.0 * top + after
    shift = np.divide(0.5 * (before - after), bend, out=np.zeros(len(rows)), where=bend < 0)
    return rows + np.clip(shift, -0.5, 0.5)
