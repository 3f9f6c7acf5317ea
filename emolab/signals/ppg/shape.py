"""What beats look like: which way up, how high, and how much like those round about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from emolab.signals.measures import Array

Flags = NDArray[np.bool_]
Rows = NDArray[np.int64]

SHAPE_S = (-0.15, 0.25)  # what of a beat is compared, round its peak
SHAPE_POINTS = 24
SHAPE_BEATS = 15  # whose median is the usual shape
ALIKE = 0.7
HEIGHTS = (0.2, 3.0)  # of the usual one: a movement is higher, noise where the pulse is lost lower
# a heart that is far from even makes a wave unlike itself one beat on; its beats tell it from noise
PLAINLY_ALIKE = 0.9
PLAIN_HEIGHTS = (0.5, 2.0)
PLAIN_BEATS = 6  # in a row
LONGEST_S = 2.0  # spec 01 §1.7
# leans of wave and slope: finger and ear −.2 to 1.5 and .3 to 1.9 (24 recordings of PhysioKit, NeuroKit's);
# wrist −.9 to .2 and 0 to 1.8 (954 trials of HKU956), with the sum below its limit in 25 noisy trials
SLOPE_WEIGHT = 2.0
UPSIDE_DOWN = -0.25
PIECE_S = 5.0
THIN = 5  # 50 a second show what lies below 8 Hz


def is_inverted(wave: Array, good: Flags, rate_hz: float) -> bool:
    """Whether systoles point down in the good part of a band-passed wave.

    Blood comes faster than it goes, whatever the sensor: slopes lean to the steeper side. The wave itself
    leans to its narrow side, which is the systole's but for wristbands that filter. The median of pieces is
    asked, so that a movement has one voice however large it is.
    """
    size = min(round(PIECE_S * rate_hz / THIN), len(wave) // THIN)
    pieces = wave[::THIN][: len(wave) // THIN // size * size].reshape(-1, size)
    seen = good[::THIN][: pieces.size].reshape(-1, size).mean(axis=1) > 0.5
    if not seen.any():
        return False
    lean = _skewness(pieces[seen]) + SLOPE_WEIGHT * _skewness(np.diff(pieces[seen], axis=1))
    return bool(np.median(lean) < UPSIDE_DOWN)


def _skewness(rows: Array) -> Array:
    """Third standardised moment of each row; 0 where it is level."""
    away = rows - rows.mean(axis=1, keepdims=True)
    spread = np.mean(away**2, axis=1)
    third = np.mean(away**3, axis=1)
    return np.asarray(np.divide(third, spread**1.5, out=np.zeros_like(third), where=spread > 0), np.float64)


@dataclass(frozen=True)
class Shapes:
    """`heights` `(m,)` from foot to peak, NaN for the first; how they compare with the 15 round about."""

    heights: Array
    ratio: Array
    likeness: Array

    @property
    def fine(self) -> Flags:
        """Which beats may be one's own."""
        return _within(self.ratio, HEIGHTS) & (self.likeness >= ALIKE)

    def plain_stretches(self, rows: Rows, rate_hz: float, n: int) -> Flags:
        """`(n,)`: the rows between beats that follow one another, each plainly a beat."""
        plain = _within(self.ratio, PLAIN_HEIGHTS) & (self.likeness >= PLAINLY_ALIKE)
        near = np.diff(rows, prepend=-n) < LONGEST_S * rate_hz
        starts = np.flatnonzero(plain & ~(near & np.append(False, plain[:-1])))
        follows = plain & near & np.append(False, plain[:-1])
        ends = np.flatnonzero(plain & ~np.append(follows[1:], False))
        long = ends - starts >= PLAIN_BEATS - 1
        change = np.zeros(n + 1, dtype=np.int64)
        change[rows[starts[long]]] += 1
        change[rows[ends[long]] + 1] -= 1
        return np.asarray(np.cumsum(change[:-1]) > 0, np.bool_)


def _within(ratio: Array, limits: tuple[float, float]) -> Flags:
    return np.asarray((ratio > limits[0]) & (ratio < limits[1]), np.bool_)


def shapes(wave: Array, rows: Rows, rate_hz: float) -> Shapes:
    """What the beats that peak at `rows` of an upright, band-passed wave look like."""
    if len(rows) < 3:
        return Shapes(np.full(len(rows), np.nan), np.ones(len(rows)), np.ones(len(rows)))
    heights = np.append(np.nan, wave[rows[1:]] - np.minimum.reduceat(wave, rows)[:-1])
    size = min(SHAPE_BEATS, len(rows))
    first = np.clip(np.arange(len(rows)) - size // 2, 0, len(rows) - size)
    at = np.rint(np.linspace(*SHAPE_S, SHAPE_POINTS) * rate_hz).astype(np.int64)
    beats = wave[np.clip(rows[:, np.newaxis] + at, 0, len(wave) - 1)]
    beats = beats - beats.mean(axis=1, keepdims=True)
    beats /= np.maximum(np.sqrt((beats**2).sum(axis=1, keepdims=True)), np.finfo(np.float64).tiny)
    usual = np.median(sliding_window_view(beats, size, axis=0), axis=2)[first]
    likeness = (usual * beats).sum(axis=1) / np.maximum(np.sqrt((usual**2).sum(axis=1)), 1e-12)
    filled = np.append(np.median(heights[1:]), heights[1:])
    ratio = filled / np.median(sliding_window_view(filled, size), axis=1)[first]
    return Shapes(heights, ratio, likeness)
