"""Breath by breath: when each began and peaked, how deep it was, and what a stretch of them says.

    breath = read_breath(values, times_s)           # once for a session
    breath.over(300.0, 330.0)["rsp_rate_mean"]      # breaths a minute in a clip, NaN where none can be told
    breath.good_share(300.0, 330.0)                 # how much of it can be used, 0 to 1

A belt's rising girth is taken as breathing in. The belt's own tests (`body`, `general`) say what cannot be
used: not moved by breath, flat, at or near the converter's end where that is known, without samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emolab.signals import breaths
from emolab.signals.body import breath_findings
from emolab.signals.feature import Feature
from emolab.signals.general import AT_END_ACT, ends
from emolab.signals.measures import Array, evenly
from emolab.signals.samples import Needs, checked
from emolab.signals.window import Window, guess_adc_range, without_strays

LEAST_HZ = 4.0
NEEDS = Needs("breaths", 10.0, LEAST_HZ, "check that the belt is connected and worn")
BLOCK_S = 10.0  # what pre-flight judges at a time
SHORTEST_PIECE_S = 3.0  # between gaps: two breaths of 60 a minute and their turns
SLACK = 1.05  # of the range of rates: 60.4 a minute are not none
ARTEFACT = 6.0  # times the usual breath; a sigh is two to four
SIGH = 2.0  # times the usual depth: Vlemincx 2013, doi:10.1016/j.biopsycho.2012.04.008
PAUSE = 2.0  # times the usual length
COVERED = 0.5  # of a window must be whole breaths

_SPEC = "EmoMusic, features per clip (spec §1.7)"
BREATH_FEATURES: tuple[Feature, ...] = (
    Feature("rsp_rate_mean", "1/min", "breaths a minute, over the time breaths could be told", _SPEC),
    Feature("rsp_rate_sd", "1/min", "SD (ddof 1) of the rates of single breaths", _SPEC),
    Feature("rsp_amp_mean", "a.u.", "mean depth of a breath, in the belt's own unit", _SPEC),
    Feature("rsp_amp_sd", "a.u.", "SD (ddof 1) of the depth of single breaths", is_extra=True),
    Feature("rsp_inhale_s", "s", "mean length of breathing in", is_extra=True),
    Feature("rsp_exhale_s", "s", "mean length of breathing out, with the rest after it", is_extra=True),
    Feature("rsp_ie_ratio", "1", "length of breathing in over breathing out, mean of breaths", is_extra=True),
    Feature(
        "rsp_rmssd", "s", "root mean square of the change of length from breath to breath", is_extra=True
    ),
    Feature("rsp_cv", "1", "SD over mean of the breaths' lengths", is_extra=True),
    Feature("rsp_sigh_count", "1", "breaths twice as deep as usual thereabouts", "", True, True),
    Feature("rsp_pause_count", "1", "breaths twice as long as usual thereabouts", "", True, True),
)


@dataclass(frozen=True)
class Breath:
    """The breaths of a session, `(k,)` each, in order.

    `starts_s`, `peaks_s`, `ends_s`: breathing in begins, ends, and the next breath begins. `depths`: from
    the line between the two beginnings up to the peak. `is_sound`: of a length that breaths have, and no
    artefact; the others count nowhere. `times_s`, `wave`: the smoothed belt on an even grid, NaN where it
    cannot be used.
    """

    starts_s: Array
    peaks_s: Array
    ends_s: Array
    depths: Array
    is_sound: NDArray[np.bool_]
    is_sigh: NDArray[np.bool_]
    is_pause: NDArray[np.bool_]
    times_s: Array
    wave: Array

    def __len__(self) -> int:
        return len(self.starts_s)

    @property
    def rates_per_min(self) -> Array:
        """The rate of each breath, one over its length."""
        return 60.0 / (self.ends_s - self.starts_s)

    def over(self, start_s: float, end_s: float) -> dict[str, float]:
        """Every figure of `BREATH_FEATURES` from `start_s` to `end_s`.

        The mean rate counts breaths, also those cut by the window's edges with the part that is within.
        All others are over breaths that peak within. All are NaN where whole breaths cover less than half
        of the window or there are fewer than two.
        """
        figures = dict.fromkeys((feature.name for feature in BREATH_FEATURES), np.nan)
        within_s = np.minimum(self.ends_s, end_s) - np.maximum(self.starts_s, start_s)
        touched = self.is_sound & (within_s > 0)
        covered_s = float(within_s[touched].sum())
        if touched.sum() < 2 or covered_s < COVERED * (end_s - start_s):
            return figures
        lengths_s = self.ends_s - self.starts_s
        figures["rsp_rate_mean"] = 60.0 * float(np.sum(within_s[touched] / lengths_s[touched])) / covered_s
        chosen = np.flatnonzero(self.is_sound & (self.peaks_s >= start_s) & (self.peaks_s < end_s))
        if not len(chosen):
            return figures
        inhale_s = (self.peaks_s - self.starts_s)[chosen]
        exhale_s = (self.ends_s - self.peaks_s)[chosen]
        figures |= {
            "rsp_rate_sd": _sd(self.rates_per_min[chosen]),
            "rsp_amp_mean": float(self.depths[chosen].mean()),
            "rsp_amp_sd": _sd(self.depths[chosen]),
            "rsp_inhale_s": float(inhale_s.mean()),
            "rsp_exhale_s": float(exhale_s.mean()),
            "rsp_ie_ratio": float(np.mean(inhale_s / exhale_s)),
            "rsp_rmssd": self._changes_s(chosen),
            "rsp_cv": _sd(lengths_s[chosen]) / float(lengths_s[chosen].mean()),
            "rsp_sigh_count": float(self.is_sigh[chosen].sum()),
            "rsp_pause_count": float(self.is_pause[chosen].sum()),
        }
        return figures

    def good_share(self, start_s: float, end_s: float) -> float:
        """How much of a window can be used, 0 to 1: the belt is there, moves with the breath, is not cut."""
        first, last = np.searchsorted(self.times_s, (start_s, end_s))
        wanted = max((end_s - start_s) * breaths.GRID_HZ, 1.0)
        return float(min(np.isfinite(self.wave[first:last]).sum() / wanted, 1.0))

    def phase(self, times_s: ArrayLike) -> Array:
        """Where in its breath each moment is: 0 to ½ breathing in, ½ to 1 out; NaN where none is told."""
        asked_s = np.asarray(times_s, dtype=np.float64)
        if not len(self):
            return np.full(asked_s.shape, np.nan)
        at = np.clip(np.searchsorted(self.starts_s, asked_s, side="right") - 1, 0, len(self) - 1)
        start_s, peak_s, end_s = self.starts_s[at], self.peaks_s[at], self.ends_s[at]
        inhaled = 0.5 * (asked_s - start_s) / (peak_s - start_s)
        exhaled = 0.5 + 0.5 * (asked_s - peak_s) / (end_s - peak_s)
        inside = (asked_s >= start_s) & (asked_s < end_s) & self.is_sound[at]
        return np.where(inside, np.where(asked_s < peak_s, inhaled, exhaled), np.nan)

    def _changes_s(self, chosen: NDArray[np.int64]) -> float:
        """RMS change of length between breaths that follow one another without a hole."""
        lengths_s = (self.ends_s - self.starts_s)[chosen]
        follows = self.starts_s[chosen][1:] - self.ends_s[chosen][:-1] < 1e-6
        changes_s = np.diff(lengths_s)[follows]
        return float(np.sqrt(np.mean(changes_s**2))) if len(changes_s) >= 2 else np.nan


def read_breath(
    values: ArrayLike,
    times_s: ArrayLike,
    *,
    unit: str = "counts",
    adc_range: tuple[float, float] | None = None,
    name: str = "the breathing belt",
) -> Breath:
    """The breaths of a belt, 4 to 60 a minute.

    `values`: `(n,)` in `unit`, rising with breathing in, NaN where a sample is missing. `times_s`: `(n,)`
    seconds, ascending, 4 samples a second or more, irregular as they come. `adc_range`: the converter's
    ends in the same unit. Of counts it is guessed when not given: left out are then `window.strays`, and
    what stays at the top of the smallest converter that can give it.

    Raises `DataError` for less than 10 s, one value throughout, nothing finite, fewer than 4 samples a
    second, or times that do not ascend. A belt that breath does not move gives no breath and no error.
    """
    if adc_range is None and unit == "counts":
        values = without_strays(values)
    values, times_s = checked(values, times_s, name, NEEDS)
    is_guess = adc_range is None and unit == "counts"
    range_ = guess_adc_range(values) if is_guess else adc_range
    grid_s, belt, is_good = breaths.on_grid(values, times_s)
    for start_s, end_s in _unusable(values, times_s, unit, range_, is_guess, name):
        is_good &= (grid_s < start_s) | (grid_s > end_s)
    wave = np.full(len(belt), np.nan)
    rows: list[Array] = []
    for start, stop in _runs(is_good):
        if stop - start < SHORTEST_PIECE_S * breaths.GRID_HZ:
            continue
        wave[start:stop] = breaths.smooth(belt[start:stop])
        rows.append(_cycles(wave[start:stop], float(grid_s[start])))
    found = np.concatenate(rows) if rows else np.zeros((0, 5))
    starts_s, peaks_s, ends_s, depths, swings = np.ascontiguousarray(found.T)
    lengths_s = ends_s - starts_s
    is_sound = (lengths_s * breaths.PER_MIN[1] * SLACK > 60.0) & (
        lengths_s * breaths.PER_MIN[0] < 60.0 * SLACK
    )
    is_sound &= (swings < ARTEFACT * breaths.usual(swings)) & (depths > 0)
    is_sigh = is_sound & (depths > SIGH * breaths.usual(depths))
    is_pause = is_sound & (lengths_s > PAUSE * breaths.usual(lengths_s))
    return Breath(starts_s, peaks_s, ends_s, depths, is_sound, is_sigh, is_pause, grid_s, wave)


def _unusable(
    values: Array,
    times_s: Array,
    unit: str,
    range_: tuple[float, float] | None,
    is_guess: bool,
    name: str,
) -> list[tuple[float, float]]:
    """Stretches `(start, end)` in which the belt's tests find nothing to be read.

    One block that breath does not move is a breath held; two in a row are a belt that hangs loose.
    """
    count = max(int((times_s[-1] - times_s[0]) / BLOCK_S), 1)
    edges_s = times_s[0] + BLOCK_S * np.arange(count + 1)
    edges_s[-1] = times_s[-1] + 1e-9
    places = np.searchsorted(times_s, edges_s)
    is_cut, is_still = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    for block, (start, stop) in enumerate(pairwise(places)):
        if stop - start < LEAST_HZ * breaths.GAP_S:
            is_cut[block] = True
            continue
        even = evenly(values[start:stop], times_s[start:stop], None)
        ends_there = _certain(values[start:stop], range_) if is_guess else range_
        window = Window(name, "respiration", unit, values[start:stop], even, ends_there, is_guess)
        for finding in ends(window):
            is_rail = finding.code == "railed" and finding.value > AT_END_ACT
            is_cut[block] |= is_rail or finding.code in ("near_rail", "flat")
        is_still[block] = any(finding.code == "no_breath" for finding in breath_findings(window))
    padded = np.pad(is_still | is_cut, 1, constant_values=count == 1)
    is_off = is_cut | (is_still & (padded[:-2] | padded[2:]))
    return [(float(edges_s[first]), float(edges_s[last])) for first, last in _runs(is_off)]


def _certain(values: Array, guessed: tuple[float, float] | None) -> tuple[float, float] | None:
    """What of a guessed range holds for these values, None when nothing does.

    The guess is the smallest converter that can give them: what stays at its top is held there, by whatever
    it is. Its bottom tells nothing; values stay there where the converter is a smaller one.
    """
    is_high = guessed is not None and np.median(values) > (guessed[0] + guessed[1]) / 2
    return guessed if is_high else None


def _cycles(wave: Array, start_s: float) -> Array:
    """Rows of start, peak, end in seconds, depth and the larger of both swings."""
    places, is_low = breaths.turns(wave)
    places = places if is_low else places[1:]
    count = max((len(places) - 1) // 2, 0)
    at = places[: 2 * count + 1]
    seconds, heights = start_s + breaths.moment(wave, at) / breaths.GRID_HZ, wave[at]
    starts_s, peaks_s, ends_s = seconds[:-1:2], seconds[1::2], seconds[2::2]
    low, high, after = heights[:-1:2], heights[1::2], heights[2::2]
    share = (peaks_s - starts_s) / np.where(ends_s > starts_s, ends_s - starts_s, 1.0)
    depths = high - (low + share * (after - low))
    return np.stack([starts_s, peaks_s, ends_s, depths, np.maximum(high - low, high - after)], axis=1)


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and one past the last place of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def _sd(values: Array) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else np.nan
