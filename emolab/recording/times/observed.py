"""What is known of each chunk of a recorded stream: which rows and counts, when stamped, when in hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.recording import layout
from emolab.recording.reader import RecordedStream

PIECE = 1 << 20
RESET_S = 0.05  # the device's clock and the stamps differ by this between two rows: it began anew
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Chunks:
    """Chunks in order, `(n,)` each; one in whose midst something changed is told as two.

    `by`: what the ticks are: `device_us`, `counter`, or `row` for rows plus those `skipped`
    before them. `reopened`: how often the instrument had come back by then.
    """

    by: str
    has_counter: bool
    first_rows: Ints
    rows: Ints
    first_ticks: Ints
    ticks: Ints
    stamps_s: Floats  # of the last row
    arrivals_s: Floats
    reopened: Ints
    skipped: Ints

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, start: int, stop: int) -> Chunks:
        """Some of them."""
        cut: dict[str, Any] = {
            name: value[start:stop] for name, value in vars(self).items() if isinstance(value, np.ndarray)
        }
        return replace(self, **cut)

    def stretches(self) -> list[Chunks]:
        """Those between two returns of the instrument."""
        edges = [0, *(np.flatnonzero(np.diff(self.reopened)) + 1).tolist(), len(self)]
        return [self.part(start, stop) for start, stop in pairwise(edges)]

    def ticks_a_row(self) -> Floats:
        """Ticks from one row to the next, by chunk; of neighbouring chunks where all hold one row."""
        several = self.rows > self.first_rows
        if several.any():
            return ((self.ticks - self.first_ticks)[several]) / ((self.rows - self.first_rows)[several])
        return np.diff(self.ticks) / np.diff(self.rows) if len(self) > 1 else np.ones(1)


def observe(stream: RecordedStream, *, skips_are_corrupt: bool, ends_us: Ints | None = None) -> Chunks:
    """The chunks of a stream.

    `skips_are_corrupt`: damaged lines stand for a row each, else those counted as lost do.
    `ends_us`: the stamps of the last rows, where they are at hand.
    """
    starts, arrivals_s = stream.arrivals()
    there = starts < len(stream)
    starts, arrivals_s = starts[there].astype(np.int64), arrivals_s[there]
    rows = np.append(starts[1:], len(stream))[: len(starts)] - 1
    lost, corrupt, reopened = _counts(stream, arrivals_s)
    by, has_counter = _counted_by(stream)
    known = np.zeros(len(rows), np.int64) if by != "row" else corrupt if skips_are_corrupt else lost
    begins = _new_starts(stream, by, starts, rows, reopened)
    skips = _skips(stream, starts, rows, np.diff(known, prepend=known[:1]))
    all_starts = np.union1d(starts, np.array([*begins.values(), *skips], np.int64))
    chunk = np.searchsorted(starts, all_starts, side="right") - 1
    last_rows = np.append(all_starts[1:], rows[-1:] + 1)[: len(all_starts)] - 1
    begun = np.zeros(len(starts), np.int64)
    begun[list(begins)] = list(begins.values())
    came_back = reopened[chunk] - (begun[chunk] > all_starts)
    places, counts = np.array(list(skips), np.int64), np.array(list(skips.values()), np.int64)
    before = np.concatenate([[0], np.cumsum(counts)])
    skipped = before[np.searchsorted(places, all_starts, side="right")]
    if ends_us is None or len(ends_us) != len(all_starts):
        ends_us = _stamps_us(stream, last_rows)
    return Chunks(
        by,
        has_counter,
        all_starts,
        last_rows,
        _ticks(stream, by, all_starts) + skipped,
        _ticks(stream, by, last_rows) + skipped,
        ends_us / 1e6,
        arrivals_s[chunk],
        came_back,
        skipped,
    )


def _counts(stream: RecordedStream, arrivals_s: Floats) -> tuple[Ints, Ints, Ints]:
    """Lost, corrupt and reopened as they stood after each chunk."""
    told = stream.tally()
    if not told:
        none = np.zeros(len(arrivals_s), np.int64)
        return none, none, none
    at = np.searchsorted([time_s for time_s, _ in told], arrivals_s, side="right") - 1
    table = np.array([(tally.lost, tally.corrupt, tally.reopened) for _, tally in told], np.int64)
    lost, corrupt, reopened = table[np.maximum(at, 0)].T
    return lost, corrupt, reopened


def _counted_by(stream: RecordedStream) -> tuple[str, bool]:
    """What to count by: a clock or a counter that each row has and that only grows."""
    has_counter = stream.columns.is_used("counter")
    if stream.columns.is_used("device_step_us") and _only_grows(stream, "device_step_us"):
        return "device_us", has_counter
    if has_counter and _only_grows(stream, "counter"):
        return "counter", True
    return "row", has_counter


def _only_grows(stream: RecordedStream, name: str) -> bool:
    before = np.zeros(0, np.int64)
    for start in range(0, len(stream), PIECE):
        piece = stream.columns.read(name, start, min(start + PIECE, len(stream)))
        if (piece == layout.MISSING).any():
            return False
        steps = piece if name == "device_step_us" else np.diff(np.concatenate([before, piece]))
        if (steps[1 if start == 0 and name == "device_step_us" else 0 :] <= 0).any():
            return False
        before = piece[-1:]
    return True


def _ticks(stream: RecordedStream, by: str, rows: Ints) -> Ints:
    """The ticks of these rows, which grow."""
    if by == "row":
        return rows
    found, at = [], 0
    for start in range(0, len(stream), PIECE):
        piece = stream.columns.read(
            "counter" if by == "counter" else "device_step_us", start, min(start + PIECE, len(stream))
        )
        if by == "device_us":
            piece = np.cumsum(piece) + at
            at = int(piece[-1])
        found.append(piece[rows[(rows >= start) & (rows < start + len(piece))] - start])
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _stamps_us(stream: RecordedStream, rows: Ints) -> Ints:
    found, start = [], 0
    for piece in stream.time_slices_us():
        found.append(piece[rows[(rows >= start) & (rows < start + len(piece))] - start])
        start += len(piece)
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _new_starts(stream: RecordedStream, by: str, starts: Ints, rows: Ints, reopened: Ints) -> dict[int, int]:
    """For chunks in whose midst the device began anew: the first row after that."""
    found = {}
    for k in (np.flatnonzero(np.diff(reopened)) + 1).tolist():
        if by == "row" or rows[k] == starts[k]:
            continue
        within = np.arange(starts[k], rows[k] + 1)
        steps_s = stream.columns.read("step_us", int(starts[k]), int(rows[k]) + 1)[1:] / 1e6
        ticks = np.diff(_ticks(stream, by, within))
        off_s = np.abs(steps_s - ticks * (1e-6 if by == "device_us" else float(np.median(steps_s))))
        if off_s.max() > RESET_S:
            found[k] = int(starts[k]) + int(np.argmax(off_s)) + 1
    return found


def _skips(stream: RecordedStream, starts: Ints, rows: Ints, more: Ints) -> dict[int, int]:
    """Rows before which others are known to be missing, and how many, in order.

    `more`: how many more each chunk knew of. Where they were, the stamps tell; what they do not
    tell is laid after the chunk, where at worst it makes a row seem late.
    """
    found: dict[int, int] = {}
    for k in np.flatnonzero(more > 0).tolist():
        first = max(int(starts[k]) - 1, 0)
        after = int(starts[k + 1]) if k + 1 < len(starts) else int(rows[k])
        steps_us = stream.columns.read("step_us", first, after + 1)[1:]
        usual_us = float(np.median(steps_us)) if len(steps_us) else 0.0
        left = int(more[k])
        if usual_us > 0:
            extra = np.rint(steps_us / usual_us).astype(np.int64) - 1
            for at in np.argsort(-extra).tolist():
                taken = min(int(extra[at]), left)
                if taken <= 0:
                    break
                found[first + at + 1] = found.get(first + at + 1, 0) + taken
                left -= taken
        if left:
            found[after] = found.get(after, 0) + left
    return dict(sorted(found.items()))
