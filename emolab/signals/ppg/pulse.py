"""A pulse wave read once for a whole session: its beats, and what any window of them says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from emolab.signals.feature import Feature
from emolab.signals.measures import Array
from emolab.signals.ppg.beats import band_passed, between_samples, systolic_peaks
from emolab.signals.ppg.grid import Grid, on_grid
from emolab.signals.ppg.intervals import OWN, intervals
from emolab.signals.ppg.sureness import Sureness, sureness
from emolab.signals.ppg.variability import LEAST_BEATS, RATE_FEATURES, variability

PULSE_FEATURES = (
    *RATE_FEATURES,
    Feature("pulse_amp_mean", "sensor's unit", "mean height of the pulse, from foot to peak", "", True),
    Feature("pulse_beats", "", "beats whose interval counts", "", True),
)

SHAPE_S = (-0.15, 0.25)  # what of a beat is compared, round its peak
SHAPE_POINTS = 24
SHAPE_BEATS = 15  # whose median is the usual shape
ALIKE = 0.7
HEIGHT_RATIO = 3.0  # above or below the usual height: moved
UPSIDE_DOWN = -0.25
THIN = 5  # 50 a second show what lies below 8 Hz


@dataclass(frozen=True)
class Pulse:
    """The beats of a session.

    `beats_s` `(m,)`: systolic peaks, without beats too many; `rr_ms` `(m,)`: since the beat before, NaN for
    the first; `verdict` `(m,)`: index to `intervals.VERDICTS`, 0 for those that count; `heights` `(m,)`: from
    foot to peak in the sensor's unit, NaN where not seen. `sure`: how sure a pulse is, −1 to 1, in the 5 s
    from each of `sure_s`. `is_inverted`: the wave stood on its head and was turned.
    """

    beats_s: Array
    rr_ms: Array
    verdict: NDArray[np.int8]
    heights: Array
    sure_s: Array
    sure: Array
    is_inverted: bool
    start_s: float
    end_s: float
    _good: NDArray[np.bool_]
    _rate_hz: float

    @property
    def own(self) -> NDArray[np.bool_]:
        """`(m,)`: which intervals count."""
        return np.asarray(self.verdict == OWN, np.bool_)

    def over(self, start_s: float, end_s: float) -> dict[str, float]:
        """Every one of `PULSE_FEATURES` from the beats in `[start_s, end_s)`, NaN where it cannot be told.

        Ten beats at least whose intervals count; see `variability` for the bands' own rules.
        """
        first, last = np.searchsorted(self.beats_s, (start_s, end_s))
        own = self.own[first:last].copy()
        own[:1] = False  # began before the window
        found = variability(self.beats_s[first:last], self.rr_ms[first:last], own)
        heights = self.heights[first:last][own]
        enough = own.sum() >= LEAST_BEATS - 1
        found["pulse_amp_mean"] = float(np.nanmean(heights)) if enough else np.nan
        found["pulse_beats"] = float(own.sum())
        return found

    def good_share(self, start_s: float, end_s: float) -> float:
        """Share of `[start_s, end_s)`, 0 to 1, where a pulse is seen and is sure."""
        if not end_s > start_s:
            return 0.0
        first, last = (round((at_s - self.start_s) * self._rate_hz) for at_s in (start_s, end_s))
        wanted = max(last - first, 1)
        first, last = max(first, 0), max(min(last, len(self._good)), 0)
        return float(self._good[first:last].sum()) / wanted if last > first else 0.0


def read_pulse(values: ArrayLike, times_s: ArrayLike) -> Pulse:
    """The beats of a pulse wave, from any sensor, in any unit, either way up.

    `values` `(n,)`, NaN where missing; `times_s` `(n,)` seconds, ascending, irregular, with gaps. 20 samples
    a second or more, 5 s or more. Gaps, values that stand still and movements are masked: their beats are not
    counted. Raises `DataError` when nothing can come of it.
    Source: spec 01 §1.7; `beats`, `intervals`, `sureness`, `variability` name the papers.
    """
    grid = on_grid(values, times_s)
    wave = band_passed(grid.values, grid.rate_hz)
    sure = sureness(grid)
    at_s = grid.start_s + np.arange(len(wave)) / grid.rate_hz
    good = grid.is_there & sure.is_good(at_s)
    is_inverted = _is_inverted(wave, good if good.any() else grid.is_there)
    if is_inverted:
        wave = -wave
    rows = systolic_peaks(wave, grid.rate_hz, sure.period_s(at_s))
    rows = rows[grid.is_there[rows]]
    beats_s = grid.start_s + between_samples(wave, rows) / grid.rate_hz
    heights = _heights(wave, rows)
    fine = good[rows] & _usual(wave, rows, heights, grid.rate_hz)
    told = intervals(beats_s, _joined(rows, fine, good))
    return Pulse(
        beats_s=beats_s[told.kept],
        rr_ms=told.rr_ms,
        verdict=told.verdict,
        heights=np.where(fine, heights, np.nan)[told.kept],
        sure_s=sure.start_s + np.arange(len(sure.sure)) * 1.0,
        sure=sure.sure,
        is_inverted=is_inverted,
        start_s=grid.start_s,
        end_s=grid.end_s,
        _good=good,
        _rate_hz=grid.rate_hz,
    )


def _is_inverted(wave: Array, good: NDArray[np.bool_]) -> bool:
    """Whether the systoles point down: they are the steep and narrow part of the wave."""
    thin, seen = wave[::THIN], good[::THIN]
    return bool(_skewness(thin[seen]) + _skewness(np.diff(thin)[seen[1:]]) < UPSIDE_DOWN)


def _skewness(values: Array) -> float:
    """Third standardised moment of what lies between the 1st and the 99th percentile."""
    low, high = np.percentile(values, (1, 99))
    inner = values[(values >= low) & (values <= high)]
    away = inner - inner.mean()
    spread = np.mean(away**2)
    return float(np.mean(away**3) / spread**1.5) if spread > 0 else 0.0


def _heights(wave: Array, rows: NDArray[np.int64]) -> Array:
    """From the lowest point since the beat before to the peak; NaN for the first."""
    if len(rows) < 2:
        return np.full(len(rows), np.nan)
    feet = np.minimum.reduceat(wave, rows)[:-1]
    return np.append(np.nan, wave[rows[1:]] - feet)


def _usual(wave: Array, rows: NDArray[np.int64], heights: Array, rate_hz: float) -> NDArray[np.bool_]:
    """Which beats are as high as those round about, and of their shape."""
    if len(rows) < 3:
        return np.ones(len(rows), dtype=bool)
    size = min(SHAPE_BEATS, len(rows))
    first = np.clip(np.arange(len(rows)) - size // 2, 0, len(rows) - size)
    at = np.rint(np.linspace(*SHAPE_S, SHAPE_POINTS) * rate_hz).astype(np.int64)
    shapes = wave[np.clip(rows[:, np.newaxis] + at, 0, len(wave) - 1)]
    shapes = shapes - shapes.mean(axis=1, keepdims=True)
    shapes /= np.maximum(np.sqrt((shapes**2).sum(axis=1, keepdims=True)), np.finfo(np.float64).tiny)
    usual = np.median(sliding_window_view(shapes, size, axis=0)[first], axis=2)
    likeness = (usual * shapes).sum(axis=1) / np.maximum(np.sqrt((usual**2).sum(axis=1)), 1e-12)
    tall = np.where(np.isnan(heights), np.nanmedian(heights), heights)
    ratio = tall / np.median(sliding_window_view(tall, size)[first], axis=1)
    return np.asarray((likeness >= ALIKE) & (ratio < HEIGHT_RATIO) & (ratio > 1 / HEIGHT_RATIO), np.bool_)


def _joined(rows: NDArray[np.int64], fine: NDArray[np.bool_], good: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which beats follow the one before with nothing but good signal between, both of them fine."""
    spoiled = np.concatenate([[0], np.cumsum(~good)])
    whole = spoiled[rows[1:]] == spoiled[rows[:-1]]
    return np.append(False, whole & fine[1:] & fine[:-1])[: len(rows)]
