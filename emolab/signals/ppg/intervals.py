"""Which intervals between beats are the heart's own.

Lipponen & Tarvainen 2019, doi:10.1080/03091902.2019.1640306: how much an interval differs from the one before
it and from the median round about, in units of what differences are usual in the 91 beats round about, tells
ectopic, missed, extra, long and short beats. A beat too many is taken out, and its two intervals become the
one they were. Where a beat is missed, or came early or late, the interval is told and left out: none is
made up. What then is outside 300 to 2000 ms or differs by more than 30 % from the running median is left out
as well (spec 01 §1.7).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from emolab.signals.measures import Array

Flags = NDArray[np.bool_]

SHORTEST_MS, LONGEST_MS = 300.0, 2000.0  # spec 01 §1.7
OFF_MEDIAN = 0.3  # spec 01 §1.7
MEDIAN_BEATS = 11  # Lipponen & Tarvainen 2019
SPREAD_BEATS = 91  # Lipponen & Tarvainen 2019
SPREADS = 5.2  # quartile deviations: 99.95 % of normal differences (Lipponen & Tarvainen 2019)
ECTOPIC = (0.13, 0.17)  # slope and offset of the line beyond which a beat is ectopic (ibid.)
FAR = 3.0  # times the usual difference from the median: long or short (ibid.)
FINEST_MS = 60.0  # of a heart like a metronome every difference is unusual; this much is no fault

# what an interval is, the one that ends at the beat
OWN, BROKEN, ECTOPIC_BEAT, MISSED, OFF, OUTSIDE = range(6)
VERDICTS = (
    "the heart's own",
    "not seen whole: a gap or a movement",
    "ectopic",
    "a beat is missed in it",
    "longer or shorter than its neighbours",
    "outside 300 to 2000 ms",
)


@dataclass(frozen=True)
class Intervals:
    """`(m,)` each, one for each beat: the interval that ends at it; the first has none (NaN).

    `kept`: rows of the beats given that are left, `rr_ms`: all intervals, `verdict`: index to `VERDICTS`.
    """

    kept: NDArray[np.int64]
    rr_ms: Array
    verdict: NDArray[np.int8]

    @property
    def own(self) -> Flags:
        """Which intervals count."""
        return np.asarray(self.verdict == OWN, np.bool_)


def intervals(beats_s: Array, is_seen: Flags, is_fine: Flags | None = None) -> Intervals:
    """Judge the intervals of ascending `beats_s` `(m,)`.

    `is_seen` `(m,)`: there was signal, without gap or movement, from the beat before to this one. `is_fine`
    `(m,)`: the beat looks like one; one that does not counts for nothing, and goes where it is too many.
    """
    fine = np.ones(len(beats_s), dtype=bool) if is_fine is None else is_fine
    kept = np.arange(len(beats_s))
    for _ in range(2):  # beats too many come in pairs at times
        extra = _extra(beats_s[kept], is_seen, fine)
        if not extra.any():
            break
        merged = is_seen & np.append(True, is_seen[:-1])
        is_seen = np.where(np.append(False, extra[:-1]), merged, is_seen)[~extra]
        fine, kept = fine[~extra], kept[~extra]
    rr_ms = np.diff(1e3 * beats_s[kept], prepend=np.nan)
    return Intervals(kept, rr_ms, _verdicts(rr_ms, _joined(is_seen, fine)))


def _joined(is_seen: Flags, fine: Flags) -> Flags:
    """Which intervals were seen whole, between two beats that look like beats."""
    return np.asarray(is_seen & fine & np.append(False, fine[:-1])[: len(fine)], np.bool_)


def _extra(beats_s: Array, is_seen: Flags, fine: Flags) -> Flags:
    """Beats too many: the two intervals round them make one of usual length together."""
    rr_ms = np.diff(1e3 * beats_s, prepend=np.nan)
    known = np.flatnonzero(_joined(is_seen, fine) & np.isfinite(rr_ms))
    found = np.zeros(len(beats_s), dtype=bool)
    if len(known) < 3:
        return found
    look = _Look.at(rr_ms, known)
    every = np.arange(len(beats_s))
    median_ms = np.interp(every, known, look.median_ms)
    usual_ms = np.interp(every, known, look.usual_ms)
    both = rr_ms + np.append(rr_ms[1:], np.nan)
    adds_up = (np.abs(both - median_ms) < usual_ms) & is_seen & np.append(is_seen[1:], False)
    found[known] = look.short | (rr_ms[known] < SHORTEST_MS)
    found = (found | ~fine) & adds_up
    found[1:] &= ~found[:-1]
    return found


def _verdicts(rr_ms: Array, is_joined: Flags) -> NDArray[np.int8]:
    known = np.flatnonzero(is_joined & np.isfinite(rr_ms))
    verdict = np.full(len(rr_ms), BROKEN, dtype=np.int8)
    verdict[known] = OWN
    if len(known) < 3:
        verdict[known] = np.where(_outside(rr_ms[known]), OUTSIDE, OWN)
        return verdict
    look = _Look.at(rr_ms, known)
    mine = rr_ms[known]
    off = np.abs(mine - look.median_ms) > OFF_MEDIAN * look.median_ms
    missed = (look.long | off) & (np.abs(mine / 2 - look.median_ms) < look.usual_ms)
    told = np.full(len(known), OWN, dtype=np.int8)
    told[look.long | look.short | off] = OFF
    told[look.ectopic] = ECTOPIC_BEAT
    told[missed] = MISSED
    told[_outside(mine) & ~missed] = OUTSIDE
    verdict[known] = told
    return verdict


def _outside(rr_ms: Array) -> Flags:
    return np.asarray((rr_ms < SHORTEST_MS) | (rr_ms > LONGEST_MS), np.bool_)


@dataclass(frozen=True)
class _Look:
    """Lipponen & Tarvainen's view of the intervals that are known."""

    median_ms: Array
    off_ms: Array  # usual difference from the median
    ectopic: Flags
    long: Flags
    short: Flags

    @property
    def usual_ms(self) -> Array:
        """How far from the median is still usual."""
        return np.asarray(np.minimum(self.off_ms, OFF_MEDIAN * self.median_ms), np.float64)

    @classmethod
    def at(cls, rr_ms: Array, known: NDArray[np.int64]) -> _Look:
        mine = rr_ms[known]
        adjoins = np.diff(known, prepend=known[0] - 2) == 1
        change = np.where(adjoins, np.diff(mine, prepend=mine[0]), 0.0)
        change /= _usual(change)
        median_ms = np.median(_around(mine, MEDIAN_BEATS), axis=1)
        away = mine - median_ms
        off_ms = _usual(away)
        away = np.where(away < 0, 2.0 * away, away) / off_ms
        before, after = np.append(0.0, change[:-1]), np.append(change[1:], 0.0)
        second = np.append(after[1:], 0.0)
        up, down = change > 1, change < -1
        slope, offset = ECTOPIC
        least, most = np.minimum(before, after), np.maximum(before, after)
        ectopic = (up & (most < -slope * change - offset)) | (down & (least > -slope * change + offset))
        long = (up & (np.minimum(after, second) < -1)) | (away > FAR)
        short = (down & (np.maximum(after, second) > 1)) | (away < -FAR)
        return cls(median_ms, off_ms, ectopic, long & ~ectopic, short & ~ectopic)


def _usual(differences: Array) -> Array:
    """Beyond what a difference is unusual, beat by beat: 5.2 quartile deviations of those round about."""
    around = _around(differences, SPREAD_BEATS)
    quarter, n = (around.shape[1] - 1) // 4, around.shape[1]
    ranked = np.partition(around, (quarter, n - 1 - quarter), axis=1)
    spread = (ranked[:, n - 1 - quarter] - ranked[:, quarter]) / 2
    return np.asarray(np.maximum(SPREADS * spread, FINEST_MS), np.float64)


def _around(values: Array, beats: int) -> Array:
    """`(n, beats or fewer)`: each value with its neighbours; at the ends the nearest whole window."""
    size = min(beats, len(values))
    windows = sliding_window_view(values, size)
    first = np.clip(np.arange(len(values)) - size // 2, 0, len(values) - size)
    return windows[first]
