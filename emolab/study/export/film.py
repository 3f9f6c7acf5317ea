"""Video as it was recorded: the packets of the session file in an MP4, not encoded anew.

NAME_face.mp4        H.264, each frame at its own time; the first frame is at 0
NAME_thermal.mkv     FFV1, 16 bit grey, lossless: raw counts as they were recorded
NAME_face.json       when the first frame was taken, on the session clock; scale and unit of counts

Of a session whose faces are to be blurred the frames are encoded anew, each at its own time, and
thermal images are left out.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from emolab.core.errors import DataError
from emolab.core.stream import Chunk
from emolab.recording.reader import RecordedStream
from emolab.recording.video import H264Encoder, VideoReader
from emolab.study.export.outgoing import Blur, Outgoing
from emolab.study.export.whole import whole

TICKS = 90_000  # a second, as MPEG counts
MILLISECONDS = 1000  # Matroska's own


def write(session: Outgoing, folder: Path) -> list[Path]:
    """Write each camera's film; returns the files. Raises `DataError` when the session has no camera."""
    cameras, name = session.films, session.name
    if not cameras:
        is_hidden = session.is_deidentified and session.blur is None
        left_out = "; what is de-identified has none unless faces are blurred" * is_hidden
        what = "the session" if session.is_deidentified else name  # a code beside a pseudonym is a key
        raise DataError(f"{what} holds no video; there is nothing to write as mp4{left_out}")
    files: list[Path] = []
    for stream in cameras:
        with session.spared(stream):
            files += _film(stream, session, folder / f"{name}_{stream.name}")
    return files


def _film(stream: RecordedStream, session: Outgoing, place: Path) -> list[Path]:
    is_thermal = stream.info.kind == "thermal"
    path = place.with_name(f"{place.name}.{'mkv' if is_thermal else 'mp4'}")
    with whole(path) as beside:
        if is_thermal:
            _thermal(stream, beside)
        elif session.blur is None:
            _video(stream, (stream.packet(index) for index in range(len(stream))), beside)
        else:
            _video(stream, _anew(stream, session.blur), beside)
    channel = stream.info.channels[0]
    told: dict[str, Any] = {"first_s": round(float(stream.times_s(0, 1)[0]), 6), "frames": len(stream)}
    if is_thermal:
        told |= {"scale": channel.scale, "offset": channel.offset, "unit": channel.unit}
    facts = path.with_suffix(".json")
    with whole(facts) as beside:
        beside.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return [path, facts]


class _Wire(io.RawIOBase):
    """The packets of a stream one after the other, as a file that cannot be wound back."""

    def __init__(self, packets: Iterator[bytes]) -> None:
        self._packets = packets
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            try:
                self._rest = next(self._packets)
            except StopIteration:
                return 0
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def _anew(stream: RecordedStream, blur: Blur) -> Iterator[bytes]:
    """The packets of the frames as `blur` leaves them."""
    encoder = H264Encoder(stream.info)
    times_s = stream.times_s()
    frames = (pixels for _, pixels in VideoReader(stream, stream.info.sample_shape).frames())
    for time_s, pixels in zip(times_s, blur(frames), strict=True):
        at_s = float(time_s)
        chunk = Chunk(stream.name, np.array([at_s]), pixels[None], at_s)
        yield from encoder.encode(chunk).packets


def _video(stream: RecordedStream, packets: Iterator[bytes], path: Path) -> None:
    times_s = stream.times_s()
    ticks = ((times_s - times_s[0]) * TICKS).round().astype(int)
    wire = _Wire(packets)
    with av.open(wire, "r", format="h264") as source, av.open(str(path), "w", format="mp4") as target:
        track = target.add_stream_from_template(source.streams.video[0])
        written = 0
        for packet in source.demux(video=0):
            if not packet.size:
                continue
            if written == len(ticks):
                raise DataError(f"{stream.name}: its packets hold more pictures than were recorded")
            packet.stream = track
            packet.time_base = Fraction(1, TICKS)
            packet.pts = packet.dts = int(ticks[written])
            target.mux(packet)
            written += 1
    if written != len(ticks):
        raise DataError(f"{stream.name}: {len(ticks) - written} of {len(ticks)} pictures cannot be read")


def _thermal(stream: RecordedStream, path: Path) -> None:
    height, width = stream.info.sample_shape
    times_s = stream.times_s()
    with av.open(str(path), "w", format="matroska") as target:
        track: Any = target.add_stream("ffv1", rate=max(round(stream.info.nominal_rate_hz or 9), 1))
        track.width, track.height, track.pix_fmt = width, height, "gray16le"
        track.codec_context.time_base = Fraction(1, MILLISECONDS)
        for index, time_s in enumerate(times_s):
            frame = av.VideoFrame.from_ndarray(stream.samples(index, index + 1)[0], format="gray16le")
            frame.pts, frame.time_base = (
                round((time_s - times_s[0]) * MILLISECONDS),
                Fraction(1, MILLISECONDS),
            )
            target.mux(track.encode(frame))
        target.mux(track.encode(None))
