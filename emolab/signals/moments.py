"""When each of millions of samples was taken, in a fraction of the room that the times themselves take.

Rows are kept in blocks: a steady clock's as their first time alone, an unsteady one's as how far each row
strays from the line through its block, in single precision. Times come back to better than a microsecond.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCK = 256
STEADY_S = 0.4e-6  # rows that stray less from a line lie on it
FAR_S = 1.0  # rows that stray further are kept in double precision: an instrument was away
Times = NDArray[np.float64]


class _Kept(NamedTuple):
    """What is known at one moment; replaced as a whole, so that another thread may look meanwhile."""

    first_s: Times  # `(blocks,)` time of the first row
    step_s: Times  # `(blocks,)` of the line through its rows
    slot: NDArray[np.int32]  # `(blocks,)` its row in `astray`; -1 on the line; -2, -3, ... row in `far`
    astray: NDArray[np.float32]  # `(k, BLOCK)` seconds off the line
    far: Times  # `(j, BLOCK)` the times themselves
    last_s: Times  # rows that do not fill a block yet


class Moments:
    """Times of rows in order. `append` may be called while another thread asks."""

    def __init__(self, times_s: Times | None = None) -> None:
        none = np.zeros(0)
        self._kept = _Kept(
            none, none, np.zeros(0, np.int32), np.zeros((0, BLOCK), np.float32), np.zeros((0, BLOCK)), none
        )
        if times_s is not None:
            self.append(times_s)

    def __len__(self) -> int:
        return len(self._kept.first_s) * BLOCK + len(self._kept.last_s)

    @property
    def nbytes(self) -> int:
        """Memory taken."""
        return sum(part.nbytes for part in self._kept)

    @property
    def last_s(self) -> float:
        """The newest; NaN without any."""
        return float(self.at(np.array([len(self) - 1]))[0]) if len(self) else np.nan

    def append(self, times_s: Times) -> None:
        """More rows, none before the last."""
        kept = self._kept
        waiting = np.concatenate([kept.last_s, np.asarray(times_s, np.float64)])
        full = len(waiting) // BLOCK
        if not full:
            self._kept = kept._replace(last_s=waiting)
            return
        blocks = waiting[: full * BLOCK].reshape(full, BLOCK)
        step_s = (blocks[:, -1] - blocks[:, 0]) / (BLOCK - 1)
        away_s = blocks - (blocks[:, :1] + step_s[:, None] * np.arange(BLOCK))
        most_s = np.abs(away_s).max(axis=1)
        is_far = most_s > FAR_S
        strays = (most_s > STEADY_S) & ~is_far
        slot = np.where(strays, len(kept.astray) + np.cumsum(strays) - 1, -1)
        slot = np.where(is_far, -1 - len(kept.far) - np.cumsum(is_far), slot).astype(np.int32)
        self._kept = _Kept(
            np.concatenate([kept.first_s, blocks[:, 0]]),
            np.concatenate([kept.step_s, step_s]),
            np.concatenate([kept.slot, slot]),
            np.concatenate([kept.astray, away_s[strays].astype(np.float32)]),
            np.concatenate([kept.far, blocks[is_far]]),
            waiting[full * BLOCK :].copy(),
        )

    def at(self, rows: NDArray[np.integer]) -> Times:
        """Times of some rows, all of them there."""
        return _at(self._kept, rows)

    def search(self, time_s: float, side: str = "left") -> int:
        """How many rows lie before a moment; with `side="right"` those at the moment count too."""
        kept = self._kept
        block = int(np.searchsorted(kept.first_s, time_s, side="right")) - 1  # type: ignore[call-overload]
        if side == "left":  # the rows of the block before may be of the very same time
            block = int(np.searchsorted(kept.first_s, time_s, side="left")) - 1
        found = 0
        if block >= 0:
            rows = np.arange(block * BLOCK, (block + 1) * BLOCK)
            found = block * BLOCK + int(np.searchsorted(_at(kept, rows), time_s, side=side))  # type: ignore[call-overload]
        full = len(kept.first_s) * BLOCK
        if found == full:
            found += int(np.searchsorted(kept.last_s, time_s, side=side))  # type: ignore[call-overload]
        return found


def _at(kept: _Kept, rows: NDArray[np.integer]) -> Times:
    full = len(kept.first_s) * BLOCK
    if not len(rows) or rows[0] >= full:
        return kept.last_s[rows - full]
    if rows[-1] >= full:
        split = int(np.searchsorted(rows, full))
        return np.concatenate([_at(kept, rows[:split]), kept.last_s[rows[split:] - full]])
    block, place = np.divmod(rows, BLOCK)
    times_s: Times = kept.first_s[block] + kept.step_s[block] * place
    slot = kept.slot[block]
    strays = slot >= 0
    if strays.any():
        times_s[strays] += kept.astray[slot[strays], place[strays]]
    is_far = slot < -1
    if is_far.any():
        times_s[is_far] = kept.far[-2 - slot[is_far], place[is_far]]
    return times_s
