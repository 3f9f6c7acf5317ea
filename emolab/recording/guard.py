"""Is this a file emolab could have written? Asked before anything in it is believed.

HDF5 can point out of a file (links, external storage, virtual datasets), load code to undo a
filter, and declare more than it holds. A session does none of that, so a file that does is
refused: reading one opens no other file, loads nothing, and takes memory in proportion to its size.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5l, h5o, h5t, h5z

from emolab.core.errors import RecordingError
from emolab.recording import layout

DEPTH = 4  # /streams/NAME/tail/COLUMN
OBJECTS = 20_000
FILTERS = (h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32)
PACKED_AT_MOST = 1100  # deflate makes nothing smaller than by 1032
SMALL_BYTES = 1 << 20  # what any dataset may declare, and any attribute hold
CHUNK_BYTES = 64 << 20
WALK_SLOWER = 16  # looking at one chunk takes as long as HDF5 takes to add up so many, and more
SAMPLE_BYTES = 256 << 20
CHANNELS = 4096
NAME = re.compile(r"[^\x00-\x1f/\\:]{1,255}")


def check(file: h5py.File, path: Path) -> None:
    """Raise `RecordingError` when the file holds what no session does."""
    _Walk(path).group(file.id, "", DEPTH)
    _check_ledger(file, path)


@contextmanager
def damage_told(path: Path | str, what_next: str = "run 'emolab recover' on it") -> Iterator[None]:
    """Whatever reading a damaged file raises becomes a `RecordingError` that says what to do."""
    try:
        yield
    except RecordingError:
        raise
    except Exception as error:  # HDF5, numpy and JSON have a hundred words for it
        reason = str(error) or type(error).__name__
        raise RecordingError(f"{path} is damaged ({reason}); {what_next}") from error


class _Walk:
    """Looks at every object of a file once, without reading any data."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bytes = path.stat().st_size
        self._left = OBJECTS

    def group(self, where: h5g.GroupID, name: str, depth: int) -> None:
        """A group and all below it."""
        self._attributes(where, name)
        names: list[bytes] = []
        where.links.iterate(names.append)
        for raw in names:
            self._left -= 1
            inner = raw.decode("utf-8", "surrogateescape")
            below = f"{name}/{inner}"
            if self._left < 0 or not depth:
                raise self._refused(below, "more objects, or deeper ones, than any session")
            if not NAME.fullmatch(inner) or not inner.strip("."):
                raise self._refused(below, "a name that could lead elsewhere")
            if where.links.get_info(raw).type != h5l.TYPE_HARD:
                raise self._refused(below, "a link to somewhere else")
            match h5o.get_info(where, raw).type:
                case h5o.TYPE_GROUP:
                    self.group(h5g.open(where, raw), below, depth - 1)
                case h5o.TYPE_DATASET:
                    self._dataset(h5d.open(where, raw), below)
                case _:
                    raise self._refused(below, "an object that is neither group nor table")

    def _dataset(self, dataset: h5d.DatasetID, name: str) -> None:
        self._attributes(dataset, name)
        made = dataset.get_create_plist()
        if made.get_layout() == h5d.VIRTUAL or made.get_external_count():
            raise self._refused(name, "data that lie in another file")
        if any(made.get_filter(at)[0] not in FILTERS for at in range(made.get_nfilters())):
            raise self._refused(name, "a compression that would need code from elsewhere")
        kind = dataset.get_type()
        if not _is_plain(kind):
            raise self._refused(name, "values of a type that is neither number nor short text")
        row_bytes = kind.get_size()
        if made.get_layout() == h5d.CHUNKED and row_bytes * _product(made.get_chunk()) > CHUNK_BYTES:
            raise self._refused(name, "blocks larger than any that are written")
        least = -(-(row_bytes * _product(dataset.shape) - SMALL_BYTES) // PACKED_AT_MOST)
        if least > 0 and (stored := min(_stored_bytes(dataset, least), self._bytes)) < least:
            raise self._refused(name, f"a table of {dataset.shape} in {stored} bytes")

    def _attributes(self, where: h5g.GroupID | h5d.DatasetID, name: str) -> None:
        for at in range(h5a.get_num_attrs(where)):
            attribute = h5a.open(where, index=at)
            kind = attribute.get_type()
            is_text = kind.get_class() == h5t.STRING
            if attribute.get_storage_size() > SMALL_BYTES or not (is_text or _is_plain(kind)):
                raise self._refused(f"{name}@{at}", "a fact of a size or type that is never written")

    def _refused(self, name: str, what: str) -> RecordingError:
        return RecordingError(
            f"{self._path} holds {what} ({name[:80]!r}), which emolab never writes; it was damaged or "
            "made to deceive, so nothing of it is read: ask where it comes from"
        )


def check_stream(file: h5py.File, name: str, path: Path) -> None:
    """Raise `RecordingError` when a stream's description does not fit its data."""
    info = layout.read_info(file, name)
    where = file[layout.group(name)]
    shape = where[layout.SAMPLES].shape[1:] if layout.SAMPLES in where else info.sample_shape
    fits = info.sample_shape == shape and np.dtype(info.dtype).kind in "iuf"
    if not fits or len(info.channels) > CHANNELS or not 0 < info.sample_bytes <= SAMPLE_BYTES:
        raise RecordingError(
            f"{path}: stream {name!r} is described as {info.sample_shape} of {info.dtype}, which "
            "does not fit what is stored; the file is damaged beyond what can be read"
        )


def _check_ledger(file: h5py.File, path: Path) -> None:
    """The ledger may speak of rows that were cut off, but not of more than such a file ever held."""
    if layout.COMMITTED not in file:
        return
    rows = file[layout.COMMITTED]
    if rows.ndim != 2 or rows.shape[1] != 2 or rows.dtype.kind not in "iu":
        raise RecordingError(f"{path}: its ledger has an unknown form; the file cannot be read")
    told = rows[...]
    if told.size and (told.min() < 0 or told.max() > PACKED_AT_MOST * path.stat().st_size):
        raise RecordingError(f"{path}: its ledger counts {told.max()} rows, which cannot be; it is damaged")


def _is_plain(kind: h5t.TypeID) -> bool:
    """Numbers, text of fixed length, and rows of those."""
    match kind.get_class():
        case h5t.COMPOUND:
            return all(_is_plain(kind.get_member_type(at)) for at in range(kind.get_nmembers()))
        case h5t.STRING:
            return not kind.is_variable_str()
        case other:
            return other in (h5t.INTEGER, h5t.FLOAT)


def _stored_bytes(dataset: h5d.DatasetID, least: int) -> int:
    """What a dataset takes of the file; of one that takes `least` or more perhaps only a part of it.

    Of hours of frames the first few thousand show that they are there: all took longer than all else
    that is done on opening.
    """
    try:
        made = dataset.get_create_plist()
        if made.get_layout() == h5d.CHUNKED:
            chunks = _product(
                -(-size // of) for size, of in zip(dataset.shape, made.get_chunk(), strict=True)
            )
            if (some := _bytes_of_some(dataset, least, chunks // WALK_SLOWER)) >= least:
                return some
        return int(dataset.get_storage_size())
    except (OSError, RuntimeError):  # its index is damaged: reading it will say so
        return 1 << 62


def _bytes_of_some(dataset: h5d.DatasetID, least: int, chunks: int) -> int:
    """What its first chunks take: until it is `least`, or so many were looked at."""
    found, left = 0, chunks

    def look(chunk: Any) -> bool | None:
        nonlocal found, left
        found, left = found + chunk.size, left - 1
        return True if found >= least or left <= 0 else None

    if chunks:
        dataset.chunk_iter(look)
    return found


def _product(shape: Iterable[int]) -> int:
    size = 1
    for length in shape:
        size *= int(length)
    return size
