"""An XDF file as LabRecorder and others write it: what streams there are, their clocks and their samples.

    file        "XDF:", then chunks: how many bytes the length takes (1, 4 or 8), length, tag, content
    tags        1 file header (XML)   2 stream header (XML)   3 samples   4 clock offset   5 boundary
                6 stream footer (XML); content of 2, 3, 4 and 6 begins with the stream's number
    samples     how many, then each: 8 and its stamp, or 0 where it follows the one before by the nominal
                period; then its values, little-endian, or texts each with its length
    offset      when it was measured on the sender's clock, and what to add to get the recorder's

A first walk over the file notes where the samples lie and reads all else; samples are read when asked for,
chunk by chunk. What is damaged is passed over as far as the next boundary, which is a number of 16 bytes
that stands in no other place, and told in `damage`; of a file cut off all that is whole is read.

Source: the specification in the wiki of sccn/xdf, version 1.0.
"""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as xml
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError

MAGIC = b"XDF:"
FILE_HEADER, STREAM_HEADER, SAMPLES, OFFSET, BOUNDARY, STREAM_FOOTER = 1, 2, 3, 4, 5, 6
MARK = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")
DTYPES = {"int8": "i1", "int16": "<i2", "int32": "<i4", "int64": "<i8", "float32": "<f4", "double64": "<f8"}
TEXT = "string"
HEAD = 7  # bytes of a chunk before its content, mostly
MOST_CHANNELS = 4096
MOST_XML = 16 << 20
FARTHEST_S = 1e11  # three thousand years: a stamp beyond is none
BLOCK = 1 << 20
_LENGTHS = {1: "<B", 4: "<I", 8: "<Q"}


@dataclass
class XdfStream:
    """One stream. `offsets`: `(when, value)` of each clock offset. `xml`, `footer`: as in the file."""

    number: int
    xml: str
    name: str
    type: str
    format: str
    rate_hz: float  # 0: irregular
    channels: list[tuple[str, str, str]]  # label, unit, type
    about: dict[str, str]  # host, source and the like
    footer: str = ""
    offsets: list[tuple[float, float]] = field(default_factory=list)
    pieces: list[tuple[int, int]] = field(default_factory=list)  # where its samples lie: from, to

    @property
    def is_text(self) -> bool:
        """Whether its samples are texts."""
        return self.format == TEXT


@dataclass(frozen=True)
class Piece:
    """Consecutive samples: `stamps_s` `(n,)` on the sender's clock, `values` `(n, channels)` or texts."""

    stamps_s: NDArray[np.float64]
    values: NDArray[Any]


class Xdf:
    """An XDF file; make it with `Xdf(path)`, use it in a `with` block.

    `streams`: by number, in the file's order. `header`: the file's own, XML. `damage`: what could not be
    read, a sentence each; it grows while samples are read. Raises `DataError` for what is no XDF file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header = ""
        self.streams: dict[int, XdfStream] = {}
        self.damage: list[str] = []
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise DataError(f"{path} cannot be read ({error.strerror or error})") from error
        self._size = path.stat().st_size
        if self._file.read(4) != MAGIC:
            self._file.close()
            packed = "; unpack it first" if path.suffix in (".xdfz", ".gz") else ""
            raise DataError(f"{path} is no XDF file{packed}")
        self._walk()

    def __enter__(self) -> Xdf:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def texts(self, stream: XdfStream) -> Iterator[tuple[float, list[str]]]:
        """Stamp and texts of each sample of a stream of texts."""
        for piece in self.samples(stream):
            yield from zip(piece.stamps_s.tolist(), piece.values.tolist(), strict=True)

    def samples(self, stream: XdfStream) -> Iterator[Piece]:
        """The samples in the file's order, a chunk at a time; damaged ones end their chunk."""
        last_s = 0.0
        lost = 0
        for start, stop in stream.pieces:
            self._file.seek(start)
            body = self._file.read(stop - start)
            given, values, missing = _opened(body, stream)
            lost += missing
            if len(given):
                stamps_s = _deduced(given, last_s, 1 / stream.rate_hz if stream.rate_hz else 0.0)
                last_s = float(stamps_s[-1])
                yield Piece(stamps_s, values)
        if lost:
            self._tell(f"{lost} samples of {stream.name!r} are damaged or cut off")

    def _tell(self, what: str) -> None:
        if what not in self.damage:
            self.damage.append(what)

    def _walk(self) -> None:
        at = before = floor = 4
        while at < self._size:
            found = self._chunk(at)
            if found is None:  # or the chunk before was shorter than it says, and a boundary lies in it
                beyond = self._next_boundary(max(before, floor))
                if beyond == at:
                    beyond = self._next_boundary(at)
                self._tell(f"from byte {before} to {beyond} there is damage; some of it is left out")
                self._end_pieces(before, beyond - len(MARK) - HEAD)
                at = before = floor = beyond
                continue
            tag, start, stop = found
            if stop > self._size:
                self._tell(
                    f"the file ends in the middle of a chunk, {stop - self._size} bytes of it are missing"
                )
                if tag == SAMPLES:
                    self._take(tag, start, self._size)
                return
            self._take(tag, start, stop)
            at, before = stop, at

    def _end_pieces(self, start: int, stop: int) -> None:
        """No samples are in the boundary that lay in the midst of them."""
        for stream in self.streams.values():
            if stream.pieces and start < stream.pieces[-1][0] < stop < stream.pieces[-1][1]:
                stream.pieces[-1] = (stream.pieces[-1][0], stop)

    def _chunk(self, at: int) -> tuple[int, int, int] | None:
        """Tag, and from where to where the content lies; None when there is no chunk."""
        self._file.seek(at)
        head = self._file.read(11)
        form = _LENGTHS.get(head[0])
        if form is None:
            return None
        width = struct.calcsize(form)
        if len(head) < 3 + width:  # not even its head is there
            return SAMPLES, self._size, self._size + 1
        (length,), (tag,) = struct.unpack_from(form, head, 1), struct.unpack_from("<H", head, 1 + width)
        start = at + 3 + width
        is_known = FILE_HEADER <= tag <= STREAM_FOOTER
        is_far = start + length - 2 > self._size and self._next_boundary(start) < self._size
        return None if not is_known or length < 2 or is_far else (tag, start, start + length - 2)

    def _next_boundary(self, at: int) -> int:
        """Behind the next boundary from `at` on; the file's end when there is none."""
        before = b""
        self._file.seek(at)
        while block := self._file.read(BLOCK):
            if (found := (before + block).find(MARK)) >= 0:
                return at - len(before) + found + len(MARK)
            at += len(block)
            before = (before + block)[-len(MARK) + 1 :]
        return self._size

    def _take(self, tag: int, start: int, stop: int) -> None:
        if tag == BOUNDARY or stop - start < (0 if tag == FILE_HEADER else 4):
            return
        self._file.seek(start)
        if tag == FILE_HEADER:
            self.header = self._file.read(min(stop - start, MOST_XML)).decode("utf-8", "replace")
            return
        (number,) = struct.unpack("<I", self._file.read(4))
        stream = self.streams.get(number)
        if tag == STREAM_HEADER:
            self._begin(number, self._file.read(min(stop - start - 4, MOST_XML)).decode("utf-8", "replace"))
        elif stream is None:
            self._tell(f"what belongs to stream {number} is left out: its header is missing or damaged")
        elif tag == SAMPLES:
            stream.pieces.append((start + 4, stop))
        elif tag == STREAM_FOOTER:
            stream.footer = self._file.read(min(stop - start - 4, MOST_XML)).decode("utf-8", "replace")
        elif stop - start == 20:
            offset = struct.unpack("<dd", self._file.read(16))
            if np.isfinite(offset).all() and np.abs(offset).max() < FARTHEST_S:
                stream.offsets.append(offset)
            else:
                self._tell(f"a clock offset of {stream.name!r} is no number that can be")

    def _begin(self, number: int, text: str) -> None:
        try:
            if number in self.streams:
                raise ValueError("there is one of that number")
            self.streams[number] = _described(number, text)
        except (ValueError, xml.ParseError) as error:
            self._tell(f"the header of stream {number} cannot be read ({error})")


def parse(text: str) -> xml.Element:
    """XML of a header. Raises `ValueError` for what declares entities, `ParseError` for what is none."""
    if "<!" in text.replace("<!--", ""):
        raise ValueError("XML that declares things of its own")
    return xml.fromstring(text)


def _described(number: int, text: str) -> XdfStream:
    root = parse(text)

    def told(tag: str) -> str:
        return (root.findtext(tag) or "").strip()

    count, form = int(told("channel_count")), told("channel_format")
    rate_hz = float(told("nominal_srate") or 0)
    if not 0 < count <= MOST_CHANNELS or (form not in DTYPES and form != TEXT):
        raise ValueError(f"{count} channels of {form!r}")
    found = root.findall("./desc/channels/channel")
    labels = [
        tuple((each.findtext(tag) or "").strip() for tag in ("label", "unit", "type")) for each in found
    ]
    channels = [labels[at] if len(labels) == count else ("", "", "") for at in range(count)]
    about = {key: told(key) for key in ("hostname", "source_id", "uid", "created_at", "session_id")}
    is_rate = np.isfinite(rate_hz) and rate_hz > 0
    return XdfStream(
        number, text, told("name"), told("type"), form, rate_hz if is_rate else 0.0,
        [(label, unit, kind) for label, unit, kind in channels],
        {key: value for key, value in about.items() if value},
    )  # fmt: skip


def _opened(body: bytes, stream: XdfStream) -> tuple[NDArray[np.float64], NDArray[Any], int]:
    """Stamps (NaN: to be deduced), values, and how many of the samples announced cannot be read."""
    form = _LENGTHS.get(body[0]) if body else None
    if form is None or len(body) < 1 + struct.calcsize(form):
        return np.zeros(0), np.zeros((0, len(stream.channels))), 1
    (count,) = struct.unpack_from(form, body, 1)
    at = 1 + struct.calcsize(form)
    if stream.is_text:
        return _opened_texts(body, at, count, len(stream.channels))
    dtype = np.dtype((DTYPES[stream.format], (len(stream.channels),)))
    stamped = np.dtype([("size", "u1"), ("stamp", "<f8"), ("value", dtype)])
    if len(body) - at == count * stamped.itemsize:
        rows = np.frombuffer(body, stamped, count, at)
        if (rows["size"] == 8).all():
            return rows["stamp"].copy(), rows["value"].copy(), 0
    stamps: list[float] = []
    places: list[int] = []
    while len(places) < count and at < len(body) and body[at] in (0, 8):
        end = at + 1 + body[at] + dtype.itemsize
        if end > len(body):
            break
        stamps.append(struct.unpack_from("<d", body, at + 1)[0] if body[at] else np.nan)
        places.append(end - dtype.itemsize)
        at = end
    raw = np.frombuffer(body, np.uint8)
    picked = raw[np.add.outer(np.array(places, np.intp), np.arange(dtype.itemsize))]
    values = np.ascontiguousarray(picked).view(DTYPES[stream.format]).reshape(-1, len(stream.channels))
    return np.array(stamps, np.float64), values, count - len(places)


def _opened_texts(
    body: bytes, at: int, count: int, channels: int
) -> tuple[NDArray[np.float64], NDArray[Any], int]:
    stamps: list[float] = []
    rows: list[list[str]] = []
    try:
        while len(rows) < count and body[at] in (0, 8):
            stamp = struct.unpack_from("<d", body, at + 1)[0] if body[at] else np.nan
            at += 1 + body[at]
            row = []
            for _ in range(channels):
                form = _LENGTHS[body[at]]
                (size,) = struct.unpack_from(form, body, at + 1)
                at += 1 + struct.calcsize(form)
                if at + size > len(body):
                    raise IndexError
                row.append(body[at : at + size].decode("utf-8", "replace"))
                at += size
            stamps.append(stamp)
            rows.append(row)
    except (IndexError, KeyError, struct.error):
        pass
    values = np.empty((len(rows), channels), object)
    if rows:
        values[:] = rows
    return np.array(stamps, np.float64), values, count - len(rows)


def _deduced(given: NDArray[np.float64], last_s: float, period_s: float) -> NDArray[np.float64]:
    """Stamps, those not given a period after the one before."""
    is_given = ~np.isnan(given)
    if is_given.all():
        return given
    rows = np.arange(len(given))
    before = np.maximum.accumulate(np.where(is_given, rows, -1))
    base_s = np.where(before >= 0, given[np.maximum(before, 0)], last_s)
    return np.asarray(base_s + (rows - before) * period_s)


def safe_name(name: str, instead: str) -> str:
    """A name that a stream of a session can carry."""
    return re.sub(r"[\x00-\x1f/\\:]+", "-", name).strip(" .")[:100] or instead
