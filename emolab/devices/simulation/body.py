"""The physiology of the simulated participant, as functions of session time.

Heart: an integral pulse frequency modulation model (Mateo & Laguna 2000, doi:10.1109/10.841337):
a beat falls wherever the integral of the heart rate, modulated by breath and by slow waves,
passes a whole number. Breath: the same with the breathing rate. Skin conductance: tonic level and
responses of Bateman's shape, whose onsets are where the integral of their rate passes randomly
spaced levels. Nothing looks ahead: a value at t depends on what was felt before t.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from emolab.devices.simulation.ease import Array, Ease
from emolab.devices.simulation.responses import SETTLING_TAU_S, TAU_S, WAITING, Response, Traits

GRID_S = 0.05  # step at which crossings are looked for; there is at most one a step
SCR_DECAY_S = 2.0
SCR_RISE_S = 0.75  # peak ln(τ1/τ2)·τ1τ2/(τ1−τ2) = 1.18 s after onset; Dawson et al.: 1 to 3 s
SCR_LENGTH_S = 24.0  # by then 0.001 % is left
SCR_RANGE_US = (0.15, 1.0)
PULSE_DELAY_S = {"finger": 0.24, "ear": 0.16, "face": 0.18}  # from the R wave to the foot of the pulse
SYSTOLE_S, SYSTOLE_WIDTH_S = 0.21, 0.07
DICROTE_S, DICROTE_WIDTH_S, DICROTE_RATIO = 0.43, 0.08, 0.32
PULSE_LENGTH_S = 4.0  # two beats and the way to the finger, even of a slow heart
_NOISE_BITS = 18


@lru_cache(maxsize=1)
def _noise_table() -> Array:
    return np.random.default_rng(20260).standard_normal(1 << _NOISE_BITS)


def noise(counters: np.ndarray, salt: int) -> Array:
    """Gaussian noise, sd 1, that depends on the sample's counter alone; `salt` separates channels."""
    return _noise_table()[(counters + salt * 7919) & ((1 << _NOISE_BITS) - 1)]


def bateman(elapsed_s: Array) -> Array:
    """The shape of one skin conductance response, peak 1, 0 before its onset."""
    peak_s = math.log(SCR_DECAY_S / SCR_RISE_S) * SCR_DECAY_S * SCR_RISE_S / (SCR_DECAY_S - SCR_RISE_S)
    peak = math.exp(-peak_s / SCR_DECAY_S) - math.exp(-peak_s / SCR_RISE_S)
    elapsed = np.maximum(elapsed_s, 0.0)
    return (np.exp(-elapsed / SCR_DECAY_S) - np.exp(-elapsed / SCR_RISE_S)) / peak


class Body:
    """One body from time 0 on. Thread-safe: several instruments watch it at once.

    `seen_s` is how far it has been looked at, `frontier_s` the grid point after it. What is felt
    takes effect from the frontier on at the earliest: no sample given could have been different.
    """

    def __init__(self, traits: Traits, rng: np.random.Generator, tau_s: Mapping[str, float] = TAU_S) -> None:
        self.traits = traits
        self.tau_s = tau_s
        self.seen_s = 0.0
        self.frontier_s = 0.0
        self._rng = rng
        self._lock = threading.RLock()
        self._levels = {name: Ease(traits.level(name, WAITING)) for name in TAU_S}
        self._grid = 0  # index of the last grid point looked at
        self._next_scr = rng.uniform(0.2, 1.0)
        self._beats: list[float] = []
        self._breaths: list[float] = []
        self._scr_onsets: list[float] = []
        self._scr_sizes: list[float] = []

    # what happens to it

    def become(self, traits: Traits, rng: np.random.Generator) -> None:
        """Turn, smoothly from now on, into another person who sits there waiting."""
        with self._lock:
            mine = self.traits  # another phase would make the heart jump
            self.traits = replace(traits, phases=mine.phases, sinus_beats=mine.sinus_beats)
            self._rng = rng
            self.feel(WAITING, self.frontier_s)

    def feel(self, response: Response, from_s: float, settling: bool = False) -> float:
        """Head for `response` from `from_s` or the frontier, whichever is later; returns which."""
        with self._lock:
            felt_s = max(from_s, self.frontier_s)
            for name, level in self._levels.items():
                tau_s = SETTLING_TAU_S.get(name, self.tau_s[name]) if settling else self.tau_s[name]
                level.toward(felt_s, self.traits.level(name, response), tau_s)
            return felt_s

    # what can be seen of it

    def level(self, quantity: str, times_s: Array) -> Array:
        """A field of `Response` at each of `times_s`, as it stands in this body."""
        self.reach(times_s)
        return self._levels[quantity].value(times_s)

    def breath_phase(self, times_s: Array) -> Array:
        """Breaths since the start; inhaling in the first part of each whole number."""
        wander = 0.15 * np.sin(2 * np.pi * 0.02 * times_s + self.traits.phases[0])
        return self._levels["breath_per_min"].integral(times_s) / 60.0 + wander + 1.0

    def respiration(self, times_s: Array) -> Array:
        """Girth of the chest, about −1..1, times the depth of breath."""
        self.reach(times_s)
        turn = 2 * np.pi * self.breath_phase(times_s)
        # the bent phase makes inhaling shorter than exhaling
        return -self._levels["depth_ratio"].value(times_s) * np.cos(turn + 0.4 * np.sin(turn))

    def pulse(self, times_s: Array, site: str) -> Array:
        """Blood volume pulse at `finger`, `ear` or `face`: 0 at the foot, about 1 at the systole."""
        self.reach(times_s)
        with self._lock:
            first = bisect_left(self._beats, float(times_s[0]) - PULSE_LENGTH_S)
            arrivals = np.array(self._beats[first:]) + PULSE_DELAY_S[site]
        wave = np.zeros(len(times_s))
        if not len(arrivals):
            return wave
        newest = np.searchsorted(arrivals, times_s, side="right") - 1
        for back in (0, 1):  # the beat before may not have died down yet
            index = newest - back
            elapsed = times_s - arrivals[np.maximum(index, 0)]
            beat = np.exp(-0.5 * ((elapsed - SYSTOLE_S) / SYSTOLE_WIDTH_S) ** 2)
            beat += DICROTE_RATIO * np.exp(-0.5 * ((elapsed - DICROTE_S) / DICROTE_WIDTH_S) ** 2)
            wave += np.where(index >= 0, beat, 0.0)
        return wave * self._levels["pulse_ratio"].value(times_s)

    def conductance(self, times_s: Array) -> Array:
        """Skin conductance in µS: tonic level and responses."""
        self.reach(times_s)
        total = self.tonic(times_s)
        with self._lock:
            first = bisect_left(self._scr_onsets, float(times_s[0]) - SCR_LENGTH_S)
            recent = list(zip(self._scr_onsets[first:], self._scr_sizes[first:], strict=True))
        for onset_s, size_us in recent:
            elapsed = times_s - onset_s
            total += np.where(elapsed < SCR_LENGTH_S, size_us * bateman(elapsed), 0.0)
        return total

    def tonic(self, times_s: Array) -> Array:
        """Tonic level in µS, with its slow drift."""
        drift = 0.12 * np.sin(2 * np.pi * times_s / 310.0 + self.traits.phases[1])
        return self.level("tonic_us", times_s) + drift

    # what is known of it afterwards

    def beats(self, start_s: float = 0.0, end_s: float = math.inf) -> list[float]:
        """R waves in `[start_s, end_s)`, as far as the body has been looked at."""
        return self._within(self._beats, start_s, end_s)

    def breaths(self, start_s: float = 0.0, end_s: float = math.inf) -> list[float]:
        """Moments at which an inhalation begins, in `[start_s, end_s)`."""
        return self._within(self._breaths, start_s, end_s)

    def scrs(self, start_s: float = 0.0, end_s: float = math.inf) -> list[tuple[float, float]]:
        """Skin conductance responses whose onset is in `[start_s, end_s)`: `(onset_s, amplitude_us)`."""
        with self._lock:
            pairs = list(zip(self._scr_onsets, self._scr_sizes, strict=True))
        end_s = min(end_s, math.nextafter(self.seen_s, math.inf))
        return [pair for pair in pairs if start_s <= pair[0] < end_s]

    def _within(self, moments: list[float], start_s: float, end_s: float) -> list[float]:
        with self._lock:
            end_s = min(end_s, math.nextafter(self.seen_s, math.inf))
            return [moment for moment in moments if start_s <= moment < end_s]

    def reach(self, times_s: Array) -> None:
        """Make the events up to the last of `times_s` happen."""
        until_s = float(times_s[-1])
        if until_s <= self.seen_s:
            return
        with self._lock:
            last = math.floor(until_s / GRID_S) + 1
            if last > self._grid:
                grid_s = np.arange(self._grid, last + 1, dtype=np.float64) * GRID_S
                self._beats += _whole_crossings(self._heart_phase, grid_s)
                self._breaths += _whole_crossings(self.breath_phase, grid_s)
                self._respond(grid_s)
                self._grid = last
                self.frontier_s = float(grid_s[-1])
            self.seen_s = max(self.seen_s, until_s)

    def _heart_phase(self, times_s: Array) -> Array:
        """Beats since the start. The derivative is the heart rate; see the module's first lines."""
        traits = self.traits
        sinus = -traits.sinus_beats * np.cos(2 * np.pi * self.breath_phase(times_s))
        mayer = 0.02 * np.sin(2 * np.pi * 0.1 * times_s + traits.phases[2])  # blood pressure waves
        slow = 0.25 * np.sin(2 * np.pi * 0.008 * times_s + traits.phases[3])
        start = traits.phases[4] / (2 * np.pi) + 1.0
        return self._levels["heart_bpm"].integral(times_s) / 60.0 + sinus + mayer + slow + start

    def _respond(self, grid_s: Array) -> None:
        aroused = self._levels["scr_per_min"].integral(grid_s) / 60.0
        while self._next_scr < aroused[-1]:
            onset_s = float(np.interp(self._next_scr, aroused, grid_s))
            size_us = float(self.traits.scr_us * np.exp(self._rng.normal(0.0, 0.45)))
            self._scr_onsets.append(onset_s)
            self._scr_sizes.append(min(max(size_us, SCR_RANGE_US[0]), SCR_RANGE_US[1]))
            self._next_scr += self._rng.uniform(0.6, 1.4)  # hardly ever two at once, unlike Poisson's


def _whole_crossings(phase: Callable[[Array], Array], grid_s: Array) -> list[float]:
    """Where `phase`, which rises, passes whole numbers between the grid points."""
    values = phase(grid_s)
    whole = np.floor(values)
    before = np.flatnonzero(whole[1:] > whole[:-1])
    if not len(before):
        return []
    slope = (values[before + 1] - values[before]) / GRID_S
    moments = grid_s[before] + (whole[before + 1] - values[before]) / slope
    moments += (whole[before + 1] - phase(moments)) / slope  # one step of Newton's: microseconds
    return [float(moment) for moment in moments]
