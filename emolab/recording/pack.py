"""A session written again into a new file: smaller, and with nothing left of a crash.

Nothing is read that the ledger does not call safe; nothing is changed in the file it comes from.
The new file takes the old one's name in one step, and only after it was read back.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import shutil
import time
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from emolab.core.disk import sync_folder
from emolab.core.errors import RecordingError
from emolab.recording import layout
from emolab.recording.blocks import Log, Table
from emolab.recording.columns import Columns, Safe
from emolab.recording.reader import RecordedStream, Session
from emolab.recording.times.refine import refine

_log = logging.getLogger(__name__)

_SLICE = 65536  # rows or bytes carried at a time
_SLICE_BYTES = 4 << 20


def pack(path: Path, within_s: float = math.inf) -> None:
    """Write a finished session again without tails, unused columns and half-empty chunks.

    Raises `RecordingError` or `OSError` and leaves the file as it was when that cannot be done,
    or not within so many seconds.
    """
    if shutil.disk_usage(path.parent).free < 2 * path.stat().st_size + (16 << 20):
        raise RecordingError(
            f"{path} is not packed, there is too little room beside it; it is whole as it is"
        )
    beside = path.with_name(f".{path.name}.packing")
    try:
        with Session.open(path) as session:
            write_again(session, beside, session.outcome, deadline_s=time.monotonic() + within_s)
            _same(session, beside)
        beside.replace(path)
        sync_folder(path.parent)
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def write_again(
    session: Session,
    target: Path,
    outcome: str,
    recovery: dict[str, Any] | None = None,
    deadline_s: float = math.inf,
) -> dict[str, int]:
    """Write what `session` safely holds into the new file `target`, and make it reach the disk.

    Returns the rows left out per stream because they could not be read: 0 for a sound file;
    with `recovery` None such rows raise instead, and so does passing `deadline_s` (monotonic).
    """
    dropped = {}
    target.unlink(missing_ok=True)
    # what tells where things lie stands in front, and so do the events: a file whose end is lost, in a
    # copy broken off, gives back its beginning
    front_bytes = min(max(session.path.stat().st_size >> 8, 1 << 15), 1 << 20)
    # "x": never through a link that lies there
    with h5py.File(target, "x", libver=layout.LIBVER, meta_block_size=front_bytes) as file:
        layout.make_header(file, session.header, session.zero_engine_s)
        for columns, path in session.logs():
            table = _what_can_be_read(columns, path.split("/")[-1], recovery is not None)
            if recovery is not None and path == layout.EVENTS:
                count, readable = session.events_that_can_be_read()
                recovery = {**recovery, "events_dropped": count - len(readable)}
                table = table[[row for row in readable if row < len(table)]]
            file.create_dataset(path, data=table)
        for name, stream in session.streams.items():
            rows = len(stream) if recovery is None else readable_rows(stream)
            dropped[name] = len(stream.columns) - rows
            _StreamCopy(stream, rows, recovery is not None, deadline_s).write(file)
        if recovery is not None:
            layout.make_text(file, layout.RECOVERY, json.dumps({**recovery, "rows_dropped": dropped}))
        file[layout.OUTCOME][...] = np.array([outcome], "S16")
    with target.open("rb+") as written:
        os.fsync(written.fileno())
    return dropped


def readable_rows(stream: RecordedStream) -> int:
    """How many rows from the start can be read in every column."""
    rows = len(stream)
    for name in layout.columns(stream.info):
        if stream.columns.has(name):
            rows = _readable(stream.columns, name, rows, _SLICE)
    if stream.bulk is None:
        return rows
    if not layout.is_video(stream.info):
        return _readable(stream.bulk, layout.SAMPLES, rows, 1)
    return stream.whole_frames(rows, _readable(stream.bulk, layout.PACKETS, len(stream.bulk), _SLICE_BYTES))


def _readable(columns: Columns, name: str, rows: int, step: int) -> int:
    """How many of `rows` can be read from the start, looking at `step` rows at a time."""
    for start in range(0, rows, step):
        stop = min(start + step, rows)
        if not _can_read(columns, name, start, stop):
            ends = range(start + 1, stop + 1)
            return start + bisect_left(ends, True, key=lambda end: not _can_read(columns, name, start, end))
    return rows


def _can_read(columns: Columns, name: str, start: int, stop: int) -> bool:
    try:
        columns.read(name, start, stop)
    except RecordingError:
        return False
    return True


def _what_can_be_read(columns: Columns, name: str, is_damaged: bool) -> NDArray[Any]:
    rows = _readable(columns, name, len(columns), _SLICE) if is_damaged else len(columns)
    return columns.read(name, 0, rows)


class _StreamCopy:
    """Copies the first `rows` rows of one stream into another file."""

    def __init__(self, stream: RecordedStream, rows: int, is_damaged: bool, deadline_s: float) -> None:
        self._stream = stream
        self._rows = rows
        self._is_damaged = is_damaged
        self._deadline_s = deadline_s

    def write(self, file: h5py.File) -> None:
        """Make the stream's group in `file`."""
        where = layout.make_stream(file, self._stream.info)
        self._copy_columns(where)
        if self._stream.bulk is not None:
            self._copy_bulk(where, self._stream.bulk)
        arrivals, tallies = self._stream.tables()
        chunks = _what_can_be_read(arrivals, layout.ARRIVALS, self._is_damaged)
        table = Table(where, {layout.ARRIVALS: (layout.ARRIVAL, ())}, layout.PACKED_BLOCK_ROWS, tail=False)
        table.append(arrivals=chunks[chunks["row"] < self._rows])
        table.finish()
        where.create_dataset(
            layout.TALLIES, data=_what_can_be_read(tallies, layout.TALLIES, self._is_damaged)
        )
        self._add_fit(file, where)

    def _add_fit(self, file: h5py.File, where: h5py.Group) -> None:
        """The best times: those of the session, or, when it was never ended, those of what is left of it."""
        ticks, times_us, facts = (np.zeros(0), np.zeros(0), {}) if self._is_damaged else self._stream.fit()
        if not facts:
            try:
                refined = refine(RecordedStream(file, Safe(file), self._stream.name))
                ticks, times_us, facts = refined.ticks, refined.times_us, refined.facts
            except Exception as error:  # the stamped times are there and are good
                _log.warning("the times of %s stay as stamped: %s", self._stream.name, error)
        where.create_dataset(layout.KNOTS, data=layout.knots(ticks, times_us))
        where.create_dataset(layout.FACTS, data=layout.text_bytes(json.dumps(facts)))

    def _copy_columns(self, where: h5py.Group) -> None:
        info, columns = self._stream.info, self._stream.columns
        kept = {
            name: kind
            for name, kind in layout.columns(info).items()
            if name not in layout.OPTIONAL or columns.is_used(name)
        }
        if (
            not self._is_damaged
            and layout.block_rows(info) >= layout.PACKED_BLOCK_ROWS
            and columns.is_whole("step_us", self._rows)
        ):
            for name in kept:
                self._in_time()
                columns.copy(name, where)
            return
        table = Table(where, kept, layout.PACKED_BLOCK_ROWS, tail=False)
        for start, stop in self._slices(self._rows, _SLICE):
            table.append(**{name: columns.read(name, start, stop) for name in kept})
        table.finish()

    def _copy_bulk(self, where: h5py.Group, bulk: Columns) -> None:
        if layout.is_video(self._stream.info):
            size = self._stream.packets_end(self._rows)
            packets = where.create_dataset(layout.PACKETS, (size,), "u1")
            for start, stop in self._slices(size, _SLICE_BYTES):
                packets[start:stop] = bulk.read(layout.PACKETS, start, stop)
        elif not self._is_damaged and bulk.is_whole(layout.SAMPLES, self._rows):
            bulk.copy(layout.SAMPLES, where)
        else:
            frames = Log(layout.make_frames(where, self._stream.info))
            for row, end in self._slices(self._rows, 1):
                frames.append(bulk.read(layout.SAMPLES, row, end))

    def _slices(self, end: int, step: int) -> Iterator[tuple[int, int]]:
        for start in range(0, end, step):
            self._in_time()
            yield start, min(start + step, end)

    def _in_time(self) -> None:
        if time.monotonic() > self._deadline_s:
            raise RecordingError("packing takes too long; the file is whole as it is")


def _same(session: Session, path: Path) -> None:
    """Raise `RecordingError` unless the file at `path` holds what `session` does."""
    with Session.open(path) as copy:
        same = (copy.outcome, copy.events, [*copy.streams]) == (
            session.outcome,
            session.events,
            [*session.streams],
        )
        for name, stream in session.streams.items():
            twin = copy.streams[name]
            same = same and len(stream) == len(twin)
            if (
                layout.block_rows(stream.info) < layout.PACKED_BLOCK_ROWS
            ):  # the others were copied as they lie
                same = same and np.array_equal(stream.times_us(), twin.times_us())
    if not same:
        raise RecordingError(f"{path} does not hold what it should; the file it was packed from is untouched")
