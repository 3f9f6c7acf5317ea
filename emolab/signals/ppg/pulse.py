"""A pulse wave read once for a whole session: its beats, and what any window of them says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emolab.signals.feature import Feature
from emolab.signals.measures import Array
from emolab.signals.ppg.beats import averaged, band_passed, between_samples, systolic_peaks
from emolab.signals.ppg.grid import on_grid
from emolab.signals.ppg.intervals import OWN, intervals
from emolab.signals.ppg.shape import is_inverted, shapes
from emolab.signals.ppg.sureness import HOP_S, sureness
from emolab.signals.ppg.variability import LEAST_BEATS, RATE_FEATURES, variability

PULSE_FEATURES = (
    *RATE_FEATURES,
    Feature("pulse_amp_mean", "sensor's unit", "mean height of the pulse, from foot to peak", "", True),
    Feature("pulse_beats", "", "beats whose interval counts", "", True, True),
)


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
    is_there = grid.is_there & sure.moves(at_s)
    good = is_there & sure.is_good(at_s)
    turned = is_inverted(wave, good, grid.rate_hz)
    if turned:
        wave = -wave
    smooth = averaged(wave, grid.rate_hz)
    rows = systolic_peaks(smooth, grid.rate_hz, sure.period_s(at_s))
    rows = rows[is_there[rows]]
    beats_s = grid.start_s + between_samples(smooth, rows) / grid.rate_hz
    look = shapes(wave, rows, grid.rate_hz)
    good |= is_there & look.plain_stretches(rows, grid.rate_hz, len(good))
    fine = good[rows] & look.fine
    told = intervals(beats_s, _seen(rows, good), fine)
    return Pulse(
        beats_s=beats_s[told.kept],
        rr_ms=told.rr_ms,
        verdict=told.verdict,
        heights=np.where(fine, look.heights, np.nan)[told.kept],
        sure_s=sure.start_s + HOP_S * np.arange(len(sure.sure), dtype=np.float64),
        sure=sure.sure,
        is_inverted=turned,
        start_s=grid.start_s,
        end_s=grid.end_s,
        _good=good,
        _rate_hz=grid.rate_hz,
    )


def _seen(rows: NDArray[np.int64], good: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which beats follow the one before with nothing but good signal between."""
    spoiled = np.concatenate([[0], np.cumsum(~good)])
    return np.append(False, spoiled[rows[1:]] == spoiled[rows[:-1]])[: len(rows)]
