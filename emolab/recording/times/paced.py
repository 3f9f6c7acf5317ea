"""The times of a board that paces itself by waiting, as PhysioKit's sketch does.

It has no period that lasts: its rate changes from second to second, and it pauses. So it is followed:
of each dozen chunks the earliest is on time, and a jump that lasts is a step. Whether it paused
there or a line was lost, nobody can tell.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from emolab.recording.times.steps import CHUNKS, Seen, Steps, least_ahead
from emolab.recording.times.timing import Floats, Line

STEP = 0.5  # of a sample's period: the least jump that is a step
SURE = 4.0  # and so many times its error
LOCAL_S = 10.0  # it keeps its rate so long, roughly
CORNER_S = 0.05  # its times are straight between corners so far apart


def follow(seen: Seen) -> Steps:
    """The earliest of each dozen chunks, however the rate changes; jumps are steps."""
    base_s = _local_base_s(seen)
    late_s = seen.at_s - base_s
    after = least_ahead(late_s, seen.reach)
    # of all dozens a chunk is in, the one whose earliest is latest: a jump stays a jump
    least_s = -least_ahead(-after[::-1], seen.reach)[::-1]
    noise_s = 2 * float(np.median(late_s - after)) / (seen.reach + 1)  # the least of n scatters by an n-th
    period_s = float(np.median(np.diff(base_s) / np.diff(seen.rows)))
    jumps_s = np.diff(least_s, prepend=least_s[:1])
    at = np.flatnonzero(jumps_s > max(STEP * period_s, SURE * noise_s))
    steps_s = np.zeros(len(seen.rows))
    steps_s[at] = jumps_s[at]
    even_s = base_s + least_s - np.cumsum(steps_s)
    corner = np.unique(np.floor((seen.at_s - seen.at_s[0]) / CORNER_S), return_index=True)[1]
    corner = np.union1d(corner, [0, len(seen.rows) - 1])
    line = Line(seen.rows[corner].astype(np.float64), even_s[corner], late_s - least_s)
    return Steps(seen.first_rows[at], jumps_s[at], False, line)


def _local_base_s(seen: Seen) -> Floats:
    """Times of the rows by the local rate, as the median of slopes tells it."""
    span = min(4 * CHUNKS, len(seen.rows) // 2)
    slopes = (seen.at_s[span:] - seen.at_s[:-span]) / (seen.rows[span:] - seen.rows[:-span])
    pieces = max(1, round((seen.at_s[-1] - seen.at_s[0]) / LOCAL_S))
    edges = np.linspace(0, len(slopes), pieces + 1).astype(int)
    middles = (edges[1:] + edges[:-1]) / 2 + span / 2
    local = np.interp(
        np.arange(len(seen.rows)), middles, [np.median(slopes[first:stop]) for first, stop in pairwise(edges)]
    )
    return np.concatenate([[0.0], np.cumsum(np.diff(seen.rows) * (local[1:] + local[:-1]) / 2)])
