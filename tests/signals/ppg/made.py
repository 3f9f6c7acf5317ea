"""Pulse waves whose beats are known: each a systole and its echo, in wander, noise and movement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Wave:
    """`values` `(n,)` at `times_s` `(n,)`; `peaks_s`: when the systoles were highest."""

    times_s: Array
    values: Array
    peaks_s: Array

    @property
    def bpm(self) -> float:
        return float(np.mean(60.0 / np.diff(self.peaks_s)))


def beat_times(
    bpm: float, seconds: float, sd_ms: float = 0.0, breath_ms: float = 0.0, seed: int = 1
) -> Array:
    """Systolic peaks at a rate, with Gaussian variation and a breath of 15 a minute."""
    rng = np.random.default_rng(seed)
    rr_s = 60.0 / bpm
    count = int(1.5 * seconds / rr_s) + 4
    at_s = rr_s * np.arange(count)
    change_ms = sd_ms * rng.standard_normal(count) + breath_ms * np.sin(2 * np.pi * 0.25 * at_s)
    peaks_s = 0.4 * rr_s + np.cumsum(np.append(0.0, rr_s + change_ms[1:] / 1e3))
    return peaks_s[peaks_s < seconds - 0.05]


def wave(
    peaks_s: Array,
    seconds: float,
    rate_hz: float = 250.0,
    *,
    echo: float = 0.35,
    wander: float = 0.3,
    height: float = 1.0,
) -> Wave:
    """A systole of Gaussian shape, steeper before than after, and an echo, for each beat.

    `echo`: height of the reflected wave. `wander`: of the baseline, with the breath.
    """
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    values = wander * np.sin(2 * np.pi * 0.22 * times_s) + 0.5 * wander * np.sin(
        2 * np.pi * 0.05 * times_s + 1
    )
    padded = np.concatenate([[peaks_s[0] - 1.0], peaks_s, [peaks_s[-1] + 1.0]])
    rr_s = np.minimum(np.diff(padded)[1:], 1.2)
    for peak_s, long_s in zip(peaks_s, rr_s, strict=True):
        stretch = np.sqrt(long_s / 0.8)
        near = slice(*np.searchsorted(times_s, (peak_s - 0.6, peak_s + 1.6)))
        away_s = times_s[near] - peak_s
        width_s = np.where(away_s < 0, 0.07, 0.11) * stretch
        values[near] += height * np.exp(-0.5 * (away_s / width_s) ** 2)
        values[near] += height * echo * np.exp(-0.5 * ((away_s - 0.27 * stretch) / (0.08 * stretch)) ** 2)
    return Wave(times_s, values, peaks_s)


def noisy(made: Wave, snr_db: float, seed: int = 1) -> Wave:
    """The wave with white noise, the pulse's variance over the noise's as told."""
    scale = np.std(made.values) * 10 ** (-snr_db / 20)
    noise = scale * np.random.default_rng(seed).standard_normal(len(made.values))
    return Wave(made.times_s, made.values + noise, made.peaks_s)


def shaken(made: Wave, share: float, times_as_high: float = 3.0, seed: int = 1) -> tuple[Wave, Array]:
    """The wave with movements of 1 to 4 s, slow noise many times as high; and `(k, 2)` from when to when."""
    rng = np.random.default_rng(seed)
    values = made.values.copy()
    seconds = float(made.times_s[-1])
    moved: list[tuple[float, float]] = []
    while sum(end - start for start, end in moved) < share * seconds:
        start_s = rng.uniform(0, seconds - 4)
        end_s = start_s + rng.uniform(1, 4)
        if any(start_s < end + 2 and start < end_s + 2 for start, end in moved):
            if len(moved) * 8 > seconds:
                break
            continue
        moved.append((start_s, end_s))
        at = np.flatnonzero((made.times_s >= start_s) & (made.times_s < end_s))
        walk = np.cumsum(rng.standard_normal(len(at)))
        walk -= np.linspace(walk[0], walk[-1], len(at))
        values[at] += times_as_high * np.std(made.values) * walk / max(np.std(walk), 1e-9)
    return Wave(made.times_s, values, made.peaks_s), np.array(sorted(moved))


def matched(found_s: Array, true_s: Array, within_s: float = 0.1) -> tuple[int, int, int]:
    """`(hits, missed, false)` of found beats, each truth matched by one."""
    hits = 0
    at = 0
    for truth_s in true_s:
        while at < len(found_s) and found_s[at] < truth_s - within_s:
            at += 1
        if at < len(found_s) and abs(found_s[at] - truth_s) <= within_s:
            hits += 1
            at += 1
    return hits, len(true_s) - hits, len(found_s) - hits


def f1(found_s: Array, true_s: Array, within_s: float = 0.1) -> float:
    hits, missed, false = matched(found_s, true_s, within_s)
    return 2 * hits / max(2 * hits + missed + false, 1)
