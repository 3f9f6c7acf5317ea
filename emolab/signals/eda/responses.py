"""Skin conductance responses: when each began and peaked, how high it was, how fast it fell again.

They are read from the driver that a decomposition found: neighbours that ride on one another are taken apart,
as in Benedek & Kaernbach 2010, doi:10.1016/j.jneumeth.2010.04.028.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from emolab.signals.measures import Array

TAU_S = (2.0, 0.7)  # of cvxEDA's Bateman shape, Greco 2016, doi:10.1109/TBME.2015.2474131
LEAST_US = 0.05  # Boucsein 2012, doi:10.1007/978-1-4614-1126-0: 0.01 to 0.05 µS
LEAST_SHARE = 0.1  # of the largest, where µS are not known: Kim 2004, doi:10.1007/BF02344719
LARGEST = 0.95  # quantile: one artefact is not the largest
ABOVE_NOISE = 3.0  # times the residual's SD
DRIVER_S = 0.25  # SD of the smoothing before the driver is taken apart: one burst of a nerve, Benedek 2010
VALLEY = 0.6  # of the lower of two neighbours: less deep, and they are one
BEGUN = 0.1  # of a burst has come when its response begins
TOO_EARLY = 1.2816  # SDs by which a Gaussian brings that tenth forward
SKIRT = 0.15  # of the top of a burst: what is lower round it belongs to none
LENGTH_S = 15.0  # 99.9 % of a response
LONGEST_RISE_S = 3.0  # Dawson, Schell & Filion 2007: 1 to 3 s; what rises longer is level
LONGEST_RECOVERY_S = 15.0


@dataclass(frozen=True)
class Responses:
    """`(m,)` each, in order of their onsets.

    `amplitudes`: from where the others would have left it to its peak, in the signal's unit. `recovery_s`:
    from the peak until half of the amplitude is gone, NaN where the next one began before.
    """

    onsets_s: Array
    peaks_s: Array
    amplitudes: Array
    recovery_s: Array

    def __len__(self) -> int:
        return len(self.onsets_s)

    @property
    def rises_s(self) -> Array:
        """From onset to peak."""
        return self.peaks_s - self.onsets_s

    @classmethod
    def none(cls) -> Responses:
        """No response at all."""
        return cls(*(np.zeros(0) for _ in range(4)))

    def chosen(self, which: NDArray[np.bool_]) -> Responses:
        """Some of them."""
        every = (self.onsets_s, self.peaks_s, self.amplitudes, self.recovery_s)
        return Responses(*(column[which] for column in every))


def responses(
    driver: Array,
    phasic: Array,
    rate_hz: float,
    start_s: float = 0.0,
    least: float | None = None,
    smoothed_s: float = 0.0,
) -> Responses:
    """Responses from the driver and the phasic part of a decomposition, `(n,)` each, evenly sampled.

    `least`: smallest amplitude that counts, in the phasic part's unit; a tenth of the largest when None.
    `smoothed_s`: SD of the Gaussian that had smoothed the signal.
    """
    smooth = gaussian_filter1d(driver, DRIVER_S * rate_hz, mode="constant")
    bursts = _bursts(smooth)
    if not bursts:
        return Responses.none()
    shape = bateman(np.arange(round(LENGTH_S * rate_hz)) / rate_hz)
    rows = [_one(driver[first:stop], shape, rate_hz, first) for first, stop in bursts]
    onsets, peaks, amplitudes = np.array(rows).reshape(-1, 3).T
    onsets += TOO_EARLY * smoothed_s * rate_hz
    is_fast = (peaks > onsets) & (peaks - onsets <= LONGEST_RISE_S * rate_hz)
    if least is None:
        least = LEAST_SHARE * float(np.quantile(amplitudes, LARGEST))
    kept = is_fast & (amplitudes >= max(least, np.finfo(np.float64).tiny))
    onsets, peaks, amplitudes = onsets[kept], peaks[kept], amplitudes[kept]
    recovery_s = _recoveries(phasic, onsets, peaks, amplitudes, rate_hz)
    return Responses(start_s + onsets / rate_hz, start_s + peaks / rate_hz, amplitudes, recovery_s)


def bateman(elapsed_s: Array) -> Array:
    """What one burst of area 1 in the driver makes of the phasic part."""
    return np.asarray(np.exp(-elapsed_s / TAU_S[0]) - np.exp(-elapsed_s / TAU_S[1]), np.float64)


def _bursts(smooth: Array) -> list[tuple[int, int]]:
    """First and one past the last sample of each burst of a driver, with valleys deep enough between."""
    is_peak = (smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:])
    tops = np.flatnonzero(is_peak) + 1
    tops = tops[smooth[tops] > 0.0]
    if not len(tops):
        return []
    kept: list[int] = []  # peaks
    lows: list[int] = []  # the valley before each but the first
    for top in tops.tolist():
        while kept:
            low = kept[-1] + int(np.argmin(smooth[kept[-1] : top + 1]))
            if smooth[low] < VALLEY * min(smooth[kept[-1]], smooth[top]):
                lows.append(low)
                kept.append(top)
                break
            if smooth[top] <= smooth[kept[-1]]:
                break
            kept.pop()
            if lows:
                lows.pop()
        if not kept:
            kept.append(top)
    return [
        _without_skirts(smooth, top, first, stop)
        for top, first, stop in zip(kept, [0, *lows], [*lows, len(smooth)], strict=True)
    ]


def _without_skirts(smooth: Array, top: int, first: int, stop: int) -> tuple[int, int]:
    """What of `first` to `stop` hangs together with the burst's top."""
    low = smooth[first:stop] < SKIRT * smooth[top]
    before, after = np.flatnonzero(low[: top - first]), np.flatnonzero(low[top - first :])
    return (
        first + int(before[-1]) + 1 if len(before) else first,
        top + int(after[0]) if len(after) else stop,
    )


def _one(driver: Array, shape: Array, rate_hz: float, first: int) -> tuple[float, float, float]:
    """Onset and peak in samples from the recording's begin, and amplitude, of one burst's own response."""
    driver = np.maximum(driver, 0.0)
    come = np.concatenate([[0.0], np.cumsum(driver)])
    at = first + float(np.interp(BEGUN * come[-1], come, np.arange(len(come)) - 0.5))
    own = np.convolve(driver, shape) / rate_hz
    top = int(np.argmax(own))
    if 0 < top < len(own) - 1:
        left, middle, right = own[top - 1 : top + 2]
        bend = left - 2.0 * middle + right
        shift = 0.5 * (left - right) / bend if bend < 0.0 else 0.0
        return at, first + top + shift, float(middle - 0.25 * (left - right) * shift)
    return at, float(first + top), float(own[top])


def _recoveries(phasic: Array, onsets: Array, peaks: Array, amplitudes: Array, rate_hz: float) -> Array:
    """Seconds from each peak until the phasic part has lost half of the amplitude."""
    found = np.full(len(peaks), np.nan)
    for number, (peak, amplitude) in enumerate(zip(peaks, amplitudes, strict=True)):
        after = onsets[number + 1] if number + 1 < len(onsets) else np.inf
        stop = int(min(after, peak + LONGEST_RECOVERY_S * rate_hz, len(phasic) - 1))
        at = round(float(peak))
        half = phasic[min(at, len(phasic) - 1)] - 0.5 * amplitude
        below = np.flatnonzero(phasic[at : stop + 1] <= half)
        if len(below) and below[0] > 0:
            row = at + int(below[0])
            share = (phasic[row - 1] - half) / (phasic[row - 1] - phasic[row])
            found[number] = (row - 1 + share - peak) / rate_hz
    return found
