"""What the journal holds, as bytes and back: the head, chunks, encoded frames, events, the end.

An entry is a line of JSON, and behind it the numbers it announces. Times are whole microseconds from
the session's zero, as in the session file; what runs on (times, counters, device clocks) is kept as its
first value and steps in the smallest type that holds them. Nothing read here is believed: sizes are
checked against what is there, types against those that a session may have.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.core.event import Event
from emolab.core.stream import Channel, Chunk, StreamInfo, Tally
from emolab.recording.header import SessionHeader
from emolab.recording.video import EncodedFrames

Item = Chunk | EncodedFrames | Event
STEP_TYPES = ("<i2", "<i4", "<i8")
RUNNING = ("times", "counter", "device_us")


@dataclass(frozen=True)
class Head:
    """What a session file says before its first sample."""

    header: SessionHeader
    streams: tuple[StreamInfo, ...]
    zero_s: float


@dataclass(frozen=True)
class End:
    """The session was ended in order."""

    outcome: str


def size_of(item: Item) -> int:
    """About how many bytes an item holds."""
    if isinstance(item, Event):
        return 512
    return (item.nbytes if isinstance(item, Chunk) else sum(map(len, item.packets))) + 24 * len(item)


def head_bytes(head: Head) -> bytes:
    """The first entry."""
    header = {**vars(head.header), "started_utc": head.header.started_utc.isoformat()}
    header["software"] = dict(head.header.software)
    streams = [{**vars(info), "instrument": dict(info.instrument)} for info in head.streams]
    return _line({"is": "head", "zero_s": head.zero_s, "header": header, "streams": streams})


def end_bytes(outcome: str) -> bytes:
    """The last entry of a session that was ended in order."""
    return _line({"is": "end", "outcome": outcome})


def encode(item: Item, zero_s: float, small: list[bytes], bulk: list[bytes]) -> None:
    """Append an item's bytes: what compresses well to `small`, packets and frames to `bulk`.

    What has a time that is no number is left out: the session file refuses it, too.
    """
    if isinstance(item, Event):
        small.append(_line({"is": "event", "event": item.to_json()}))
        return
    if not np.isfinite(item.times_s).all() or not np.isfinite(item.arrival_s) or not len(item):
        return
    facts: dict[str, Any] = {
        "is": "chunk",
        "stream": item.stream,
        "n": len(item),
        "arrival_s": item.arrival_s,
        "tally": None if item.tally is None else list(vars(item.tally).values()),
    }
    running = {
        "times": np.rint((item.times_s - zero_s) * 1e6).astype(np.int64),
        "counter": item.counter,
        "device_us": item.device_us,
    }
    arrays: list[bytes] = []
    for name, values in running.items():
        if values is not None:
            facts[name], steps = _steps(np.asarray(values, np.int64))
            arrays.append(steps)
    if isinstance(item, EncodedFrames):
        facts |= {"is": "frames", "sizes": [len(p) for p in item.packets], "keys": [*map(int, item.is_key)]}
        bulk.extend(item.packets)
    else:
        facts |= {"dtype": item.samples.dtype.str, "shape": item.samples.shape[1:]}
        (bulk if item.samples.ndim > 2 else arrays).append(np.ascontiguousarray(item.samples).tobytes())
    small.append(_line(facts))
    small.extend(arrays)


def decode(small: bytes, bulk: bytes, zero_s: float) -> Iterator[Head | Item | End]:
    """The entries of one frame. Raises `DataError` when they are none."""
    left = _Bytes(small), _Bytes(bulk)
    while line := left[0].line():
        try:
            yield _entry(json.loads(line), *left, zero_s)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise DataError(f"not an entry of a journal: {line[:60]!r} ({error})") from error


def _entry(facts: dict[str, Any], small: _Bytes, bulk: _Bytes, zero_s: float) -> Head | Item | End:
    match facts["is"]:
        case "head":
            return _head(facts)
        case "event":
            return Event.from_json(facts["event"])
        case "end":
            return End(str(facts["outcome"]))
        case "frames" | "chunk":
            return _samples(facts, small, bulk, zero_s)
    raise ValueError("of no known kind")


def _head(facts: dict[str, Any]) -> Head:
    header = {**facts["header"], "started_utc": datetime.fromisoformat(facts["header"]["started_utc"])}
    streams = []
    for told in facts["streams"]:
        channels = tuple(Channel(**channel) for channel in told["channels"])
        shape = tuple(int(length) for length in told["sample_shape"])
        streams.append(StreamInfo(**{**told, "channels": channels, "sample_shape": shape}))
    return Head(SessionHeader(**header), tuple(streams), float(facts["zero_s"]))


def _samples(facts: dict[str, Any], small: _Bytes, bulk: _Bytes, zero_s: float) -> Chunk | EncodedFrames:
    n = int(facts["n"])
    runs = {name: _run(facts[name], n, small) if name in facts else None for name in RUNNING}
    times_us = runs["times"]
    if times_us is None:
        raise ValueError("no times")
    common: dict[str, Any] = {
        "stream": str(facts["stream"]),
        "times_s": zero_s + times_us / 1e6,
        "arrival_s": float(facts["arrival_s"]),
        "counter": runs["counter"],
        "device_us": runs["device_us"],
        "tally": None if facts["tally"] is None else Tally(*map(int, facts["tally"])),
    }
    if facts["is"] == "frames":
        packets = tuple(bulk.take(int(size)) for size in facts["sizes"])
        is_key = tuple(bool(key) for key in facts["keys"])
        if not len(packets) == len(is_key) == n:
            raise ValueError("packets that do not fit their times")
        return EncodedFrames(packets=packets, is_key=is_key, **common)
    dtype, shape = np.dtype(facts["dtype"]), tuple(int(length) for length in facts["shape"])
    if dtype.kind not in "iuf" or min(shape, default=1) < 0:
        raise ValueError("samples that are no numbers")
    size = n * dtype.itemsize
    for length in shape:
        size *= length
    raw = (bulk if len(shape) > 1 else small).take(size)
    return Chunk(samples=np.frombuffer(raw, dtype).reshape(n, *shape), **common)


def _steps(values: NDArray[np.int64]) -> tuple[list[Any], bytes]:
    """First value and type of steps, and the steps; those of the largest numbers may go round."""
    steps = np.diff(values)
    low, high = (int(steps.min()), int(steps.max())) if len(steps) else (0, 0)
    kind = next(t for t in STEP_TYPES if np.iinfo(t).min <= low and high <= np.iinfo(t).max)
    return [int(values[0]), kind], steps.astype(kind).tobytes()


def _run(told: list[Any], n: int, small: _Bytes) -> NDArray[np.int64]:
    first, kind = int(told[0]), str(told[1])
    if kind not in STEP_TYPES or n < 1:
        raise ValueError("steps of an unknown type")
    steps = np.frombuffer(small.take((n - 1) * np.dtype(kind).itemsize), kind)
    return np.cumsum(np.concatenate([np.array([first], np.int64), steps.astype(np.int64)]))


def _line(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts, default=_plain, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _plain(value: object) -> object:
    """Facts of instruments may be anything."""
    return vars(value) if isinstance(value, Channel) else str(value)


class _Bytes:
    """Bytes that are taken from the front."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def line(self) -> bytes:
        """The next line, empty at the end."""
        end = self._raw.find(b"\n", self._at) + 1 or len(self._raw)
        line, self._at = self._raw[self._at : end], end
        return line

    def take(self, size: int) -> bytes:
        """The next `size` bytes. Raises `ValueError` when there are fewer."""
        if not 0 <= size <= len(self._raw) - self._at:
            raise ValueError(f"{size} bytes are not there")
        taken, self._at = self._raw[self._at : self._at + size], self._at + size
        return taken
