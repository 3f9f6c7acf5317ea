"""A session as XDF, the format of LabRecorder: every sample with its time, whole in one file.

Streams of numbers keep their raw whole numbers where a count is the unit (as int32 where XDF has no
unsigned type), and are float64 in their unit else. Each sample has its own time stamp; sound has one for
each tenth of a second and after each break, and its rate is that between breaks. Of a video there is the
number of each frame, whose pictures the mp4 export holds, and of thermal images the mean temperature
besides. Events are a stream of texts, one JSON line each, as emolab's own LSL outlet sends them. Clock
offsets are nought: all times are on one clock.

Each lane of labels is a stream of texts `labels-LANE`, too: a JSON object a label, at its beginning, with
its end, what it says and who or what says it. Valence and arousal as they were drawn are numbers, a
stream `trace-LANE`: its third channel is the place of the label among those of its lane, from 1.

Source: the specification in the wiki of sccn/xdf, and what pyxdf reads.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

import emolab
from emolab.core.errors import RecordingError
from emolab.recording.reader import RecordedStream
from emolab.study.export.outgoing import Lane, Outgoing, label_fields
from emolab.study.export.stretches import find_stretches, mean_rate_hz
from emolab.study.export.whole import whole

ROWS = 1 << 14  # samples a chunk
SOUND_ROWS = 1 << 20
SOUND_STEP_S = 0.1
EVENTS, LABELS, TRACE = "events", "labels-", "trace-"  # the names of streams that are no instrument's
FILE_HEADER, STREAM_HEADER, SAMPLES, OFFSET, BOUNDARY, STREAM_FOOTER = 1, 2, 3, 4, 5, 6
MARK = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")  # where readers of a damaged file find in again
FORMATS = {
    "int8": "int8", "int16": "int16", "int32": "int32", "int64": "int64",
    "uint8": "int16", "uint16": "int32", "float32": "float32", "float64": "double64",
}  # fmt: skip
DTYPES = {"int8": "i1", "int16": "<i2", "int32": "<i4", "int64": "<i8", "float32": "<f4", "double64": "<f8"}


@dataclass(frozen=True)
class _Told:
    """What a stream's footer says."""

    first_s: float
    last_s: float
    samples: int


def write(session: Outgoing, folder: Path) -> list[Path]:
    """Write a session as `NAME.xdf`; returns the file."""
    path = folder / f"{session.name}.xdf"
    participant = session.header.participant
    with whole(path) as beside, beside.open("wb") as file:
        file.write(b"XDF:")
        _chunk(file, FILE_HEADER, _file_header(session).encode())
        for number, stream in enumerate(session.streams.values(), 1):
            _stream(file, number, stream, session)
        number = len(session.streams) + 1
        _events(file, number, session)
        for lane in session.lanes:
            said = [
                (placed.label.start_s, json.dumps(label_fields(placed), ensure_ascii=False))
                for placed in lane.labels
            ]
            number += 1
            _texts(
                file, number, f"{LABELS}{lane.name}", "label", said, participant, f"{lane.kind} {lane.who}"
            )
            if any(placed.label.trace for placed in lane.labels):
                number += 1
                _trace(file, number, lane, participant)
    return [path]


def _file_header(session: Outgoing) -> str:
    """The file's own header; what is ours in it lets `emolab import` make the same session of it."""
    header = session.header
    ours = {"version": emolab.__version__, "session": str(header.session), "protocol": header.protocol}
    ours |= {"language": header.language, "outcome": session.outcome}
    told = "".join(f"<{key}>{escape(text)}</{key}>" for key, text in ours.items())
    started = header.started_utc.isoformat()
    return f"<info><version>1.0</version><datetime>{started}</datetime><emolab>{told}</emolab></info>"


def _stream(file: BinaryIO, number: int, stream: RecordedStream, session: Outgoing) -> None:
    info, participant = stream.info, session.header.participant
    if info.is_image:
        names, units, form = ["frame"], ["number"], "int32"
        if info.kind == "thermal":
            names, units, form = ["frame", "mean"], ["number", info.channels[0].unit], "double64"
    else:
        names, units = [c.name for c in info.channels], [c.unit for c in info.channels]
        is_raw = all((c.scale, c.offset) == (1.0, 0.0) for c in info.channels)
        form = FORMATS.get(info.dtype, "double64") if is_raw else "double64"
    rate_hz = info.nominal_rate_hz or 0.0
    is_sound = info.kind == "audio"
    begins = np.zeros(0, np.int64)
    if is_sound:  # its samples get their times from the rate
        with suppress(RecordingError):  # told below, where the damage begins
            stretches = find_stretches(stream)
            begins = np.array([one.first_sample for one in stretches], np.int64)
            rate_hz = mean_rate_hz(stretches) or rate_hz
    kind = {"audio": "Audio", "rgb": "Video", "thermal": "Video"}.get(info.kind, info.kind.upper())
    kinds = [c.kind for c in info.channels] if not info.is_image else [info.kind] * len(names)
    _header(
        file, number, info.name, kind, rate_hz, form, list(zip(names, units, kinds, strict=True)), participant
    )
    step = max(round(rate_hz * SOUND_STEP_S), 1) if is_sound else 1
    told = _Told(0.0, 0.0, 0)
    rows = SOUND_ROWS - SOUND_ROWS % step if is_sound else ROWS
    for start in range(0, len(stream), rows):
        stop = min(start + rows, len(stream))
        try:
            times_s, values = stream.times_s(start, stop), _values(stream, start, stop, form)
        except RecordingError as error:
            session.troubles.append(f"{stream.name} ends after {start} of {len(stream)} samples: {error}")
            break
        _chunk(file, BOUNDARY, MARK)
        inner = begins[(begins > start) & (begins < stop)] - start
        edges = np.union1d(np.arange(0, stop - start, step if is_sound else rows), inner).tolist()
        for first, last in pairwise([*edges, stop - start]):
            _samples(file, number, times_s[first:last], values[first:last], form, only_first=is_sound)
        told = _Told(told.first_s if start else float(times_s[0]), float(times_s[-1]), stop)
    _footer(file, number, told)


def _values(stream: RecordedStream, start: int, stop: int, form: str) -> NDArray[Any]:
    info, channels = stream.info, stream.info.channels
    frames = np.arange(start, stop)[:, None]
    if info.is_image and form == "double64":
        means = [float(stream.values(0, at, at + 1).mean()) for at in range(start, stop)]
        return np.concatenate([frames, np.array(means)[:, None]], 1)
    if info.is_image:
        return frames.astype(DTYPES[form])
    raw = stream.samples(start, stop)
    if form != "double64":
        return raw.astype(DTYPES[form])
    return np.asarray(raw * np.array([c.scale for c in channels]) + np.array([c.offset for c in channels]))


def _samples(
    file: BinaryIO,
    number: int,
    times_s: NDArray[np.float64],
    values: NDArray[Any],
    form: str,
    *,
    only_first: bool,
) -> None:
    """A chunk of samples, each with its stamp; or with `only_first`, the first one alone."""
    channels = values.shape[1]
    stamped = np.zeros(len(times_s), [("size", "u1"), ("time", "<f8"), ("value", DTYPES[form], (channels,))])
    stamped["size"], stamped["time"], stamped["value"] = 8, times_s, values
    if not only_first:
        body = stamped.tobytes()
    else:
        bare = np.zeros(len(times_s) - 1, [("size", "u1"), ("value", DTYPES[form], (channels,))])
        bare["value"] = values[1:]
        body = stamped[:1].tobytes() + bare.tobytes()
    _chunk(file, SAMPLES, struct.pack("<IBI", number, 4, len(times_s)) + body)


def _events(file: BinaryIO, number: int, session: Outgoing) -> None:
    said = [(event.time_s, event.to_json()) for event in session.events]
    _texts(file, number, EVENTS, "event", said, session.header.participant)


def _texts(
    file: BinaryIO,
    number: int,
    name: str,
    what: str,
    said: Iterable[tuple[float, str]],
    participant: str,
    who: str = "",
) -> None:
    """A stream of texts, each at its time."""
    _chunk(file, BOUNDARY, MARK)
    _header(file, number, name, "Markers", 0.0, "string", [(what, "", who)], participant)
    told = _Told(0.0, 0.0, 0)
    for time_s, line in said:
        text = line.encode()
        body = struct.pack("<IBBBd", number, 1, 1, 8, time_s) + struct.pack("<BI", 4, len(text)) + text
        _chunk(file, SAMPLES, body)
        told = _Told(told.first_s if told.samples else time_s, time_s, told.samples + 1)
    _footer(file, number, told)


def _trace(file: BinaryIO, number: int, lane: Lane, participant: str) -> None:
    points = np.array(
        [
            (*point, float(place))
            for place, placed in enumerate(lane.labels, 1)
            for point in placed.label.trace
        ]
    )
    points = points[np.argsort(points[:, 0], kind="stable")]
    channels = [("valence", "-1 to 1", "valence"), ("arousal", "-1 to 1", "arousal"), ("label", "", "number")]
    _header(file, number, f"{TRACE}{lane.name}", "Trace", 0.0, "double64", channels, participant)
    for start in range(0, len(points), ROWS):
        part = points[start : start + ROWS]
        _samples(file, number, part[:, 0], part[:, 1:], "double64", only_first=False)
    _footer(file, number, _Told(float(points[0, 0]), float(points[-1, 0]), len(points)))


def _header(
    file: BinaryIO,
    number: int,
    name: str,
    kind: str,
    rate_hz: float,
    form: str,
    channels: list[tuple[str, str, str]],
    participant: str,
) -> None:
    described = "".join(
        f"<channel><label>{escape(label)}</label><unit>{escape(unit)}</unit><type>{escape(what)}</type></channel>"
        for label, unit, what in channels
    )
    content = (
        f'<?xml version="1.0"?><info><name>{escape(name)}</name><type>{kind}</type>'
        f"<channel_count>{len(channels)}</channel_count><nominal_srate>{rate_hz!r}</nominal_srate>"
        f"<channel_format>{form}</channel_format><source_id>emolab-{escape(name)}</source_id>"
        f"<desc><channels>{described}</channels><subject>{escape(participant)}</subject></desc></info>"
    )
    _chunk(file, STREAM_HEADER, struct.pack("<I", number) + content.encode())


def _footer(file: BinaryIO, number: int, told: _Told) -> None:
    for time_s in dict.fromkeys((told.first_s, told.last_s)):
        _chunk(file, OFFSET, struct.pack("<Idd", number, time_s, 0.0))
    content = (
        f'<?xml version="1.0"?><info><first_timestamp>{told.first_s!r}</first_timestamp>'
        f"<last_timestamp>{told.last_s!r}</last_timestamp><sample_count>{told.samples}</sample_count></info>"
    )
    _chunk(file, STREAM_FOOTER, struct.pack("<I", number) + content.encode())


def _chunk(file: BinaryIO, tag: int, content: bytes) -> None:
    file.write(struct.pack("<BIH", 4, len(content) + 2, tag))
    file.write(content)
