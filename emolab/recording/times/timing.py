"""A device's clock laid onto the session's, after the fact: arrays in, arrays out.

A device counts evenly (samples, or its own microseconds); each count was seen once, some time
after it happened. Where that time is a delay that varies (USB hands over in bursts, the machine is busy),
no count is seen early, so the true line touches what was seen from below: of each quarter of a
second only the earliest sight is kept, and the line goes under nine tenths of those. Where
the time seen was measured by the device's driver (sound), errors fall to both sides and the line goes
through the middle. Either way it is the sum of absolute errors, weighted by side, that is made
least (quantile regression, Koenker and Bassett 1978), so outliers have no pull.

The line is straight, unless a polyline leaves a fifth less error and deserves its knots by the
Bayesian information criterion: crystals warm up over minutes, boards that pace themselves by
waiting change their rate each second.

A delay that never varies cannot be seen: what remains of it is in every time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BLOCK_S = 0.25
UNDER = 0.1  # the share of earliest sights that the line may leave below it
TOUCHES = 0.02  # then it is lowered until only so many are below
SPACINGS_S = (60.0, 15.0, 4.0, 1.0)  # between knots, tried in this order
CRYSTAL_S = 60.0  # a crystal's rate needs no closer ones
CRYSTAL_TURN = 50e-6  # and does not change by more from one piece to the next (a resonator warming up)
POINTS_A_KNOT = 4
GAIN = 0.8  # finer knots must leave less than this share of the error
FLOOR_S = 3e-6  # errors below that are the rounding of stamps
SHORT_S = 2.0  # less tells an offset, no rate
SHORT_POINTS = 8


@dataclass(frozen=True)
class Line:
    """Session time against a device's count, straight between knots.

    `ticks`, `times_s`: `(k,)`, k >= 2. `error_s`: `(m,)`, how far what was seen lies above it,
    where it is seen on both sides below too; late sights that were passed over are not among them.
    """

    ticks: Floats
    times_s: Floats
    error_s: Floats

    def at(self, ticks: Floats | NDArray[np.int64]) -> Floats:
        """Times of `ticks`, `(n,)`; beyond its ends the line goes on straight."""
        times_s = np.interp(ticks, self.ticks, self.times_s)
        first, last = self.slopes[[0, -1]]
        before, after = np.minimum(ticks - self.ticks[0], 0), np.maximum(ticks - self.ticks[-1], 0)
        return np.asarray(times_s + first * before + last * after, np.float64)

    @property
    def slopes(self) -> Floats:
        """Seconds a tick between the knots, `(k - 1,)`."""
        return np.diff(self.times_s) / np.diff(self.ticks)

    @property
    def period_s(self) -> float:
        """Seconds a tick over all."""
        return float((self.times_s[-1] - self.times_s[0]) / (self.ticks[-1] - self.ticks[0]))


def fit_line(
    ticks: Floats | NDArray[np.int64],
    seen_s: Floats,
    period_s: float,
    *,
    is_late: bool,
    finest_s: float = CRYSTAL_S,
) -> Line:
    """The line through counts `ticks` `(n,)`, increasing, that were seen at `seen_s`.

    `period_s`: seconds a tick, within some per cent; it stands where there is too little to learn
    it from. `is_late`: True when nothing was seen before it happened. `finest_s`: knots no closer
    than this.
    """
    start, origin_s = float(ticks[0]), float(seen_s[0])
    x = (np.asarray(ticks, np.float64) - start) * period_s
    y = seen_s - origin_s - x
    if x[-1] < SHORT_S or len(x) < SHORT_POINTS:
        level_s = float(np.min(y) if is_late else np.median(y))
        end_s = max(x[-1], period_s)
        return Line(
            start + np.array([0.0, end_s]) / period_s,
            origin_s + level_s + np.array([0.0, end_s]),
            y - level_s,
        )
    share = UNDER if is_late else 0.5
    kept = np.arange(len(x))
    knots, heights = np.array([0.0, x[-1]]), np.zeros(2)
    for finest in (np.inf, np.inf, finest_s, finest_s) if is_late else (finest_s,):
        if is_late:
            kept = _earliest(x, y - np.interp(x, knots, heights))
        knots, heights = _best_polyline(x[kept], y[kept], share, finest)
    error_s = y[kept] - np.interp(x[kept], knots, heights)
    if is_late:
        lower_s = float(np.quantile(error_s, TOUCHES))
        heights, error_s = heights + lower_s, error_s - lower_s
    return Line(start + knots / period_s, origin_s + heights + knots, error_s)


def fit_straight(ticks: Floats | NDArray[np.int64], seen_s: Floats, period_s: float) -> Line:
    """A straight line under late sights, thirty times as fast as `fit_line` and for short stretches.

    Through the earliest sights goes the median slope between those half a stretch apart and more
    (Theil 1950; Sen 1968). Arguments as those of `fit_line`.
    """
    start, origin_s = float(ticks[0]), float(seen_s[0])
    x = (np.asarray(ticks, np.float64) - start) * period_s
    y = seen_s - origin_s - x
    slope = 0.0
    for _ in range(2):
        kept = _earliest(x, y - slope * x)
        at, height = x[kept], y[kept]
        left, right = np.nonzero(at[None, :] - at[:, None] >= (at[-1] - at[0]) / 2)
        if len(left) and at[-1] > at[0]:
            slope = float(np.median((height[right] - height[left]) / (at[right] - at[left])))
    error_s = height - slope * at
    level_s = float(np.quantile(error_s, TOUCHES))
    ends = np.array([0.0, max(x[-1], period_s)])
    return Line(start + ends / period_s, origin_s + level_s + (1 + slope) * ends, error_s - level_s)


def _earliest(x: Floats, late_s: Floats) -> NDArray[np.intp]:
    """Of each block the index of the least late."""
    starts = np.flatnonzero(np.diff(np.floor(x / BLOCK_S), prepend=-1.0))
    least = np.repeat(np.minimum.reduceat(late_s, starts), np.diff(starts, append=len(x)))
    found = np.flatnonzero(late_s == least)
    return found[np.diff(np.searchsorted(starts, found, side="right"), prepend=0) > 0]


def _best_polyline(x: Floats, y: Floats, share: float, finest_s: float) -> tuple[Floats, Floats]:
    """Knots and heights of the coarsest polyline that leaves little more error than finer ones."""
    knots = x[[0, -1]]
    heights, loss = _polyline(x, y, knots, share)
    best = _criterion(len(x), loss, 2)
    for spacing_s in SPACINGS_S:
        pieces = round((x[-1] - x[0]) / spacing_s)
        if spacing_s < finest_s or pieces < 2 or len(x) < POINTS_A_KNOT * (pieces + 1):
            continue
        finer = x[np.linspace(0, len(x) - 1, pieces + 1).round().astype(np.intp)]  # each has points
        finer_heights, finer_loss = _polyline(x, y, finer, share)
        score = _criterion(len(x), finer_loss, pieces + 1)
        turns = np.abs(np.diff(np.diff(finer_heights) / np.diff(finer)))
        # bursts that nearly keep step with the samples let the delay grow for minutes, then fall at once
        if finest_s >= CRYSTAL_S and turns.max() > CRYSTAL_TURN:
            break
        if score < best and finer_loss + FLOOR_S < GAIN * (loss + FLOOR_S):
            knots, heights, loss, best = finer, finer_heights, finer_loss, score
    return knots, heights


def _criterion(n: int, loss: float, knots: int) -> float:
    return 2 * n * float(np.log(loss + FLOOR_S)) + knots * float(np.log(n))


def _polyline(x: Floats, y: Floats, knots: Floats, share: float) -> tuple[Floats, float]:
    """Heights at `knots` with a share of the points below, and the mean error, weighted by side."""
    piece = np.clip(np.searchsorted(knots, x, side="right") - 1, 0, len(knots) - 2)
    right = (x - knots[piece]) / (knots[piece + 1] - knots[piece])
    left = 1.0 - right
    side = np.where(y > np.median(y), share, 1 - share)
    weights = np.ones(len(x))
    heights = np.zeros(len(knots))
    loss = np.inf
    for _ in range(30):  # each round solves for weights that make squares of absolute values
        n = len(knots)
        diagonal = np.bincount(piece, weights * left**2, n) + np.bincount(piece + 1, weights * right**2, n)
        beside = np.bincount(piece, weights * left * right, n)[:-1]
        wanted = np.bincount(piece, weights * left * y, n) + np.bincount(piece + 1, weights * right * y, n)
        heights = _solve(diagonal * (1 + 1e-12), beside, wanted)
        error_s = y - left * heights[piece] - right * heights[piece + 1]
        side = np.where(error_s > 0, share, 1 - share)
        before, loss = loss, float(np.mean(side * np.abs(error_s)))
        if before - loss < 1e-4 * loss:
            break
        weights = side / np.maximum(np.abs(error_s), max(0.02 * float(np.median(np.abs(error_s))), 1e-7))
    return heights, loss


def _solve(diagonal: NDArray[Any], beside: NDArray[Any], wanted: NDArray[Any]) -> Floats:
    """Solve a symmetric system with three diagonals (Thomas)."""
    pivots, sums = diagonal.tolist(), wanted.tolist()
    off = beside.tolist()
    for i in range(1, len(pivots)):
        factor = off[i - 1] / pivots[i - 1]
        pivots[i] -= factor * off[i - 1]
        sums[i] -= factor * sums[i - 1]
    found = sums
    found[-1] /= pivots[-1]
    for i in range(len(pivots) - 2, -1, -1):
        found[i] = (found[i] - off[i] * found[i + 1]) / pivots[i]
    return np.array(found)
