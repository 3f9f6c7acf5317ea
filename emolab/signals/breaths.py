"""Where breaths begin, peak and end: the arithmetic under `respiration`.

A zigzag finds them: a turn counts as soon as the belt has gone back from it by a share of what a breath
moves thereabouts. It knows no baseline, so a sigh or a change of posture costs nothing around it, and it
is the same whatever the belt's unit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from emolab.signals.measures import Array

GRID_HZ = 25.0
GAP_S = 0.5  # a straight line over less changes no breath of 60 a minute
PER_MIN = (4.0, 60.0)
SMOOTH_HZ = 1.5
LEVEL_S, SWING_S = 15.0, 40.0  # the longest breath; long enough that one held breath is a minority
FIRST_SHARE = 0.25  # of the belt's swing thereabouts
SHARE = 0.3  # of the usual breath thereabouts; Khodadad 2018, doi:10.1088/1361-6579/aad7e6
NEAR_TURNS = 11  # whose median is what is usual


def on_grid(values: Array, times_s: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    """`(times, values, is there)` on an even grid of `GRID_HZ`, each value the mean over its step.

    `values`, `times_s`: `(n,)`, finite, ascending. What lies in a gap is bridged, and is not there.
    """
    grid_s = times_s[0] + np.arange(int((times_s[-1] - times_s[0]) * GRID_HZ) + 1) / GRID_HZ
    steps_s = np.diff(times_s)
    area = np.concatenate([[0.0], np.cumsum((values[1:] + values[:-1]) / 2 * steps_s)])
    edges_s = np.concatenate([grid_s - 0.5 / GRID_HZ, grid_s[-1:] + 0.5 / GRID_HZ])
    edges_s = np.clip(edges_s, times_s[0], times_s[-1])
    before = np.clip(np.searchsorted(times_s, edges_s, side="right") - 1, 0, len(steps_s) - 1)
    within_s = edges_s - times_s[before]
    slope = (values[before + 1] - values[before]) / steps_s[before]
    upto = area[before] + within_s * (values[before] + 0.5 * slope * within_s)
    is_there = np.ones(len(grid_s), dtype=bool)
    for gap in np.flatnonzero(steps_s > GAP_S):
        is_there[
            np.searchsorted(grid_s, times_s[gap], "right") : np.searchsorted(grid_s, times_s[gap + 1])
        ] = False
    return grid_s, np.diff(upto) / np.diff(edges_s), is_there


def smooth(values: Array) -> Array:
    """The values on the grid without what is faster than any breath; nothing is delayed."""
    sections = signal.butter(4, SMOOTH_HZ, fs=GRID_HZ, output="sos")
    smoothed: Array = signal.sosfiltfilt(sections, values, padlen=min(len(values) - 1, round(2 * GRID_HZ)))
    return smoothed


def turns(smoothed: Array) -> tuple[NDArray[np.int64], bool]:
    """Places on the grid where the belt turns, least and greatest in turn, and whether the first is least."""
    places = _extrema(smoothed)
    if len(places) < 2:
        return places[:0], True
    found = _zigzag(smoothed, places, FIRST_SHARE * _swing(smoothed)[places])
    if len(found) < 3:
        return found, len(found) > 1 and bool(smoothed[found[0]] < smoothed[found[1]])
    usual = ndimage.median_filter(np.abs(np.diff(smoothed[found])), NEAR_TURNS, mode="nearest")
    middles = (found[1:] + found[:-1]) / 2
    found = _zigzag(smoothed, places, SHARE * np.interp(places, middles, usual))
    return found, len(found) > 1 and bool(smoothed[found[0]] < smoothed[found[1]])


def moment(smoothed: Array, places: NDArray[np.int64]) -> Array:
    """Where between the grid's points the parabola through each turn and its neighbours has its top."""
    inner = np.clip(places, 1, len(smoothed) - 2)
    left, middle, right = smoothed[inner - 1], smoothed[inner], smoothed[inner + 1]
    bend = left - 2 * middle + right
    shift = np.divide(left - right, 2 * bend, out=np.zeros_like(bend), where=bend != 0)
    return np.asarray(places + np.clip(shift, -0.5, 0.5))


def usual(values: Array, size: int = NEAR_TURNS) -> Array:
    """The median of the values about each."""
    return np.asarray(ndimage.median_filter(values, size, mode="nearest")) if len(values) else values


def _extrema(values: Array) -> NDArray[np.int64]:
    """Places where the values turn, and both ends."""
    steps = np.sign(np.diff(values))
    moving = np.flatnonzero(steps)
    turning = moving[1:][np.diff(steps[moving]) != 0]  # the first step of the new direction
    return np.concatenate([[0], turning, [len(values) - 1]]).astype(np.int64)


def _swing(values: Array) -> Array:
    """How far the belt moves about each point: from the 10th to the 90th percentile, its level removed."""
    level = ndimage.uniform_filter1d(values, min(round(LEVEL_S * GRID_HZ), len(values)), mode="nearest")
    rest = (values - level)[:: max(round(GRID_HZ / 5), 1)]
    step, size = 25, round(SWING_S * 5)
    centres = np.arange(0, len(rest), step)
    spans = [rest[max(at - size // 2, 0) : at + size // 2] for at in centres]
    swings = np.array([np.subtract(*np.percentile(span, (90, 10))) for span in spans])
    return np.interp(np.arange(len(values)), centres * round(GRID_HZ / 5), swings)


def _zigzag(values: Array, places: NDArray[np.int64], reach: Array) -> NDArray[np.int64]:
    """Those turns from which the values go back by `reach` `(k,)` before they go beyond."""
    heights, backs = values[places].tolist(), reach.tolist()
    low = high = 0
    rising = 0
    kept: list[int] = []
    for at, height in enumerate(heights):
        if rising >= 0 and height > heights[high]:
            high = at
        if rising <= 0 and height < heights[low]:
            low = at
        if rising >= 0 and heights[high] - height > backs[at]:
            kept.append(high)
            rising, low = -1, at
        elif rising <= 0 and height - heights[low] > backs[at]:
            kept.append(low)
            rising, high = 1, at
    found = places[np.array(kept, dtype=np.int64)]
    return found[(found > 0) & (found < len(values) - 1)]  # an end of the signal is no turn
