"""A session written again into a new file: smaller, and with nothing left of a crash.

Nothing is read that the ledger does not call safe; nothing is changed in the file it comes from.
The new file takes the old one's name in one step, and only after it was read back.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from emolab.core.errors import RecordingError
from emolab.recording import layout
from emolab.recording.blocks import Log, Table
from emolab.recording.reader import Columns, RecordedStream, Session

_SLICE = 65536  # rows or bytes carried at a time
_SLICE_BYTES = 4 << 20


def pack(path: Path) -> None:
    """Write a finished session again without tails, unused columns and half-empty chunks.

    Raises `RecordingError` or `OSError` and leaves the file as it was when that cannot be done.
    """
    if shutil.disk_usage(path.parent).free < 2 * path.stat().st_size + (16 << 20):
        raise RecordingError(
            f"{path} is not packed, there is too little room beside it; it is whole as it is"
        )
    beside = path.with_name(f".{path.name}.packing")
    try:
        with Session.open(path) as session:
            write_again(session, beside, session.outcome)
            _same(session, beside)
        beside.replace(path)
        sync_folder(path.parent)
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def write_again(
    session: Session, target: Path, outcome: str, recovery: dict[str, Any] | None = None
) -> dict[str, int]:
    """Write what `session` safely holds into the new file `target`, and make it reach the disk.

    Returns the rows left out per stream because they could not be read: 0 for a sound file;
    with `recovery` None such rows raise instead.
    """
    dropped = {}
    with h5py.File(target, "w", libver=layout.LIBVER) as file:
        layout.make_header(file, session.header, session.zero_engine_s)
        for name, stream in session.streams.items():
            rows = len(stream) if recovery is None else readable_rows(stream)
            dropped[name] = len(stream.columns) - rows
            _copy_stream(file, stream, rows)
        for columns, path in session.logs():
            file.create_dataset(path, data=columns.read(path.split("/")[-1]))
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
    if stream.bulk is not None and not layout.is_video(stream.info):
        rows = _readable(stream.bulk, layout.SAMPLES, rows, 1)
    return rows


def sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut, where the system lets folders be opened."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _readable(columns: Columns, name: str, rows: int, step: int) -> int:
    for start in range(0, rows, step):
        try:
            columns.read(name, start, min(start + step, rows))
        except RecordingError:
            if step == 1:
                return start
            return _readable_from(columns, name, start, min(start + step, rows))
    return rows


def _readable_from(columns: Columns, name: str, start: int, stop: int) -> int:
    """First row in `start..stop` that cannot be read, block by block."""
    for row in range(start, stop, layout.BLOCK_ROWS):
        try:
            columns.read(name, row, min(row + layout.BLOCK_ROWS, stop))
        except RecordingError:
            return row
    return stop


def _copy_stream(file: h5py.File, stream: RecordedStream, rows: int) -> None:
    where = layout.make_stream(file, stream.info)
    kept = {
        name: kind
        for name, kind in layout.columns(stream.info).items()
        if name not in ("counter", "device_step_us") or _is_used(stream, name, rows)
    }
    fast = layout.block_rows(stream.info)
    table = Table(where, kept, max(layout.PACKED_BLOCK_ROWS, fast), tail=False)
    for start in range(0, rows, _SLICE):
        stop = min(start + _SLICE, rows)
        table.append(**{name: stream.columns.read(name, start, stop) for name in kept})
    table.finish()
    if stream.bulk is not None:
        _copy_bulk(where, stream, rows)
    arrivals, tallies = stream.tables()
    chunks = arrivals.read(layout.ARRIVALS)
    kept_chunks = Table(where, {layout.ARRIVALS: (layout.ARRIVAL, ())}, layout.PACKED_BLOCK_ROWS, tail=False)
    kept_chunks.append(arrivals=chunks[chunks["row"] < rows])
    kept_chunks.finish()
    where.create_dataset(layout.TALLIES, data=tallies.read(layout.TALLIES))


def _is_used(stream: RecordedStream, name: str, rows: int) -> bool:
    return stream.columns.has(name) and any(
        (stream.columns.read(name, start, min(start + _SLICE, rows)) != layout.MISSING).any()
        for start in range(0, rows, _SLICE)
    )


def _copy_bulk(where: h5py.Group, stream: RecordedStream, rows: int) -> None:
    assert stream.bulk is not None
    if layout.is_video(stream.info):
        ends = (
            [int(stream.columns.read(name, rows - 1, rows)[0]) for name in ("offset", "size")]
            if rows
            else [0]
        )
        packets = where.create_dataset(layout.PACKETS, (sum(ends),), "u1")
        for start in range(0, sum(ends), _SLICE_BYTES):
            stop = min(start + _SLICE_BYTES, sum(ends))
            packets[start:stop] = stream.bulk.read(layout.PACKETS, start, stop)
        return
    frames = Log(layout.make_frames(where, stream.info))
    for row in range(rows):
        frames.append(stream.bulk.read(layout.SAMPLES, row, row + 1))


def _same(session: Session, path: Path) -> None:
    """Raise `RecordingError` unless the file at `path` holds what `session` does."""
    with Session.open(path) as copy:
        same = (
            copy.outcome == session.outcome
            and copy.events == session.events
            and [*copy.streams] == [*session.streams]
        )
        for name, stream in session.streams.items():
            same = same and np.array_equal(stream.times_us(), copy.streams[name].times_us())
    if not same:
        raise RecordingError(
            f"{path} does not hold what it should after packing; the file it came from is untouched"
        )
