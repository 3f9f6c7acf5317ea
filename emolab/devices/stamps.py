"""When samples were captured, learnt from when they arrived.

A sample arrives late, by an amount that varies (USB hands over in bursts, the machine is busy),
but never early. So if captures lie on the line `base + period * tick`, all arrivals lie on or
above it: the line wanted touches them from below. `tick` is whatever counts evenly on the
board: a row number (its period, the true sample interval, is to be found), or the board's own
microseconds (period 1e-6 s but for the crystal's error).

Of the lines below all arrivals we take the one nearest to them on average, which is the edge of
their lower convex hull over their mean tick (Moon, Skelly, Towsley 1999, doi:10.1109/INFCOM.1999.749287,
for clock skew from one-way delays). It is taken anew four times a second from the last ten seconds,
so a crystal that warms up is followed.

`observe` learns from an arrival without handing out times. A board whose rate is only announced is
best observed for a second (`is_settled`) before its first samples are stamped.

Times handed out only grow and are never later than the arrival. A correction of the line is
worked in gradually; but when a board that counts rows has paused, no line fits and the times
jump, as the samples did. Boards that pace themselves by waiting (PhysioKit's sketch) pause by some
milliseconds several times a second: replayed recordings of such boards are stamped within 5 ms in
99 % of the samples (25 ms at worst), a board with a steady tick within 0.2 ms.

What remains is the constant part of the delay, which no arrival can tell: the time a line takes
on the wire and the USB stack's least delay, together 1 to 3 ms.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

WINDOW_S = 10.0
BLOCK_S = 0.25
FIRST_FIT_S = 0.5  # before that a slope would be noise
SETTLE_S = 1.0
SURE_S = 2.0  # a line over so much is better than the period we had
SILENCE_S = 0.1  # shorter ones are the machine's
LATE_S = 0.0025  # lateness that stays above this, and above thrice the usual, is not the machine's
LATE_FOR_S, LATE_ARRIVALS = 0.12, 12
USUAL_S = 0.001  # at most so much lateness of a block's earliest arrival counts as usual
JUMPS = 4  # within SURE_S: the period is wrong too, not only the place
HISTORY = 12  # blocks over which the period is then taken anew
STEP = 0.5  # a correction changes a sample's interval by this fraction at most


class Stamper:
    """Times for the ticks of one board.

    `period_s`: seconds a tick, as announced. `is_sure`: True when the announced period is right
    to some per cent (a crystal), False when it is hearsay. `may_jump`: True when ticks stand
    still while the board pauses (row numbers), False when they go on (a clock).
    """

    def __init__(self, period_s: float, *, is_sure: bool = False, may_jump: bool = True) -> None:
        self.period_s = period_s
        self._may_jump = may_jump
        self._last_tick, self._last_s = 0, -np.inf
        self._is_sure = is_sure
        self._jumps = True  # the next times are not bound to those before
        self._usual_late_s = 0.0  # how far above the line the earliest arrival of a block mostly is
        self._jumped: deque[float] = deque(maxlen=JUMPS)
        self._earliest: deque[tuple[int, float]] = deque(maxlen=HISTORY)  # of blocks, across jumps
        self._forget()

    def restart(self) -> None:
        """The board was away or began anew: ticks may start anywhere, the period is kept."""
        self._at_tick, self._at_s = 0, np.nan  # a point of the line
        self._begun_s = self._arrived_s = np.nan
        self._earliest.clear()
        self._jumped.clear()
        self._forget()

    @property
    def is_settled(self) -> bool:
        """True once the period is known well enough to stamp from the first sample on."""
        return self._is_sure or self._arrived_s - self._begun_s >= SETTLE_S

    def stamp(self, ticks: NDArray[np.int64], arrival_s: float) -> NDArray[np.float64]:
        """Capture times of `ticks` `(n,)`, n >= 1, increasing, the last of which just arrived."""
        tick = int(ticks[-1])
        self.observe(tick, arrival_s)
        jumps, self._jumps = self._jumps, False
        wanted = np.asarray(self._at_s + self.period_s * (ticks - self._at_tick), np.float64)
        times_s = wanted if jumps else self._gradual(ticks, wanted)
        times_s = self._in_order(times_s, arrival_s)
        self._last_tick, self._last_s = tick, float(times_s[-1])
        return times_s

    def observe(self, tick: int, arrival_s: float) -> None:
        """Learn that `tick` just arrived: take it into the line, or begin a new line there."""
        if np.isnan(self._at_s):
            self._begin(tick, arrival_s)
            return
        late_s = arrival_s - self._line(tick)
        silent_s = arrival_s - self._arrived_s
        self._arrived_s = arrival_s
        if self._may_jump and silent_s > max(SILENCE_S, 6 * self.period_s) and late_s > silent_s / 2:
            self._earliest.clear()
            self._begin(tick, arrival_s)
            return
        if self._may_jump and self._stays_late(tick, arrival_s, late_s):
            return
        self._enter(tick, arrival_s)
        if late_s < 0:  # the line was too high: a sample cannot arrive before its capture
            self._at_tick, self._at_s = tick, arrival_s
            if len(self._earliest) == 1:  # what began the line was late, say after a stall of this computer
                self._earliest[0] = (tick, arrival_s)

    def _forget(self) -> None:
        """Drop all arrivals; the line will go through the next one."""
        self._points: deque[tuple[int, float]] = deque()  # the earliest arrival of each block
        self._block: tuple[int, float] | None = None
        self._block_ends_s = -np.inf
        self._at_tick, self._at_s = 0, np.nan  # a point of the line
        self._begun_s = self._arrived_s = np.nan
        self._on_time_s = np.nan  # when an arrival was last near the line
        self._late: list[tuple[float, int, float]] = []  # arrivals since then: lateness, tick, when

    def _begin(self, tick: int, arrival_s: float) -> None:
        """Put the line through this arrival and build on it alone."""
        self._forget()
        self._jumps = True
        self._at_tick, self._at_s = tick, arrival_s
        self._begun_s = self._arrived_s = self._on_time_s = arrival_s
        if not self._earliest:  # a board of another rate jumps again before its first block is full
            self._earliest.append((tick, arrival_s))
        self._enter(tick, arrival_s)

    def _stays_late(self, tick: int, arrival_s: float, late_s: float) -> bool:
        """True when a dozen arrivals on end were late: the board lost time, jump."""
        least_s = max(LATE_S, 0.75 * self.period_s, 3 * self._usual_late_s)
        if not self._is_sure or late_s < least_s:
            self._on_time_s = arrival_s
            self._late.clear()
            return False
        self._late.append((late_s, tick, arrival_s))
        late_for_s = arrival_s - self._on_time_s
        is_long = late_for_s >= LATE_FOR_S and len(self._late) >= LATE_ARRIVALS
        if not is_long and (late_for_s < WINDOW_S / 2 or len(self._late) < 8):
            return False
        self._jumped.append(arrival_s)
        if self._earliest and len(self._jumped) == JUMPS and arrival_s - self._jumped[0] < SURE_S:
            then_tick, then_s = self._earliest[0]
            self.period_s = (arrival_s - then_s) / (tick - then_tick)
            self._jumped.clear()
        # the earlier half may hold samples from before the pause that were late by chance
        _, late_tick, late_arrival_s = min(self._late[len(self._late) // 2 :])
        self._begin(late_tick, late_arrival_s)
        if tick != late_tick:
            self._enter(tick, arrival_s)
        self._arrived_s = self._on_time_s = arrival_s
        return True

    def _enter(self, tick: int, arrival_s: float) -> None:
        """Keep the arrival if it is its block's earliest; fit when a block is full."""
        if self._block is None or arrival_s >= self._block_ends_s:
            if self._block is not None:
                self._points.append(self._block)
                self._earliest.append(self._block)
                late_s = self._block[1] - self._line(self._block[0])
                self._usual_late_s += (min(max(late_s, 0.0), USUAL_S) - self._usual_late_s) / 8
                while self._points and arrival_s - self._points[0][1] > WINDOW_S:
                    self._points.popleft()
                self._fit()
            self._block, self._block_ends_s = (tick, arrival_s), arrival_s + BLOCK_S
        elif arrival_s - self._line(tick) <= self._block[1] - self._line(self._block[0]):
            self._block = (tick, arrival_s)

    def _fit(self) -> None:
        """Lay the line anew: the hull's edge under the mean tick, or only lower when too short."""
        if len(self._points) < 2:
            return
        span_s = self._points[-1][1] - self._points[0][1]
        if span_s < (SURE_S if self._is_sure else FIRST_FIT_S):
            late = [(at_s - self._line(tick), tick, at_s) for tick, at_s in self._points]
            _, self._at_tick, self._at_s = min(late)
            return
        left, right = _edge_under_mean(list(self._points))
        if right[0] <= left[0]:  # a clock that stands still tells no period
            return
        self.period_s = (right[1] - left[1]) / (right[0] - left[0])
        self._at_tick, self._at_s = left
        self._is_sure = self._is_sure or span_s >= SURE_S

    def _line(self, tick: int) -> float:
        return self._at_s + self.period_s * (tick - self._at_tick)

    def _gradual(self, ticks: NDArray[np.int64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
        """`wanted`, but no interval further from the period than `STEP` of it."""
        even_s = self.period_s * (int(ticks[0]) - self._last_tick)
        if abs(wanted[0] - self._last_s - even_s) <= STEP * even_s:
            return wanted  # the other intervals are even: they lie on one line
        even = np.diff(ticks, prepend=self._last_tick) * self.period_s
        times_s = np.empty(len(wanted))
        at_s = self._last_s
        for i, (target_s, step_s) in enumerate(zip(wanted, even, strict=True)):
            at_s = min(max(target_s, at_s + (1 - STEP) * step_s), at_s + (1 + STEP) * step_s)
            times_s[i] = at_s
        return times_s

    def _in_order(self, times_s: NDArray[np.float64], arrival_s: float) -> NDArray[np.float64]:
        """The times, all later than those before and none later than the arrival."""
        if times_s[0] > self._last_s and times_s[-1] <= arrival_s:
            return times_s
        n = len(times_s)
        steps = np.arange(1, n + 1, dtype=np.float64)
        room_s = arrival_s - self._last_s
        if room_s <= 0:  # two reads at one clock reading: order goes before truth
            return self._last_s + 1e-6 * steps
        shifted = times_s - max(times_s[-1] - arrival_s, 0.0)
        if shifted[0] > self._last_s:
            return shifted
        return self._last_s + steps * (room_s / n)


def _edge_under_mean(points: list[tuple[int, float]]) -> tuple[tuple[int, float], tuple[int, float]]:
    """The edge of the points' lower convex hull that spans their mean tick."""
    hull: list[tuple[int, float]] = []
    for point in points:
        while len(hull) >= 2 and _turn(hull[-2], hull[-1], point) <= 0:
            hull.pop()
        hull.append(point)
    mean_tick = sum(tick for tick, _ in points) / len(points)
    for left, right in pairwise(hull):
        if left[0] <= mean_tick <= right[0]:
            return left, right
    return hull[0], hull[-1]


def _turn(a: tuple[int, float], b: tuple[int, float], c: tuple[int, float]) -> float:
    """Positive when a, b, c turn left, so that b is a corner of a lower hull."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
