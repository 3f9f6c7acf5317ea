"""Frames of damaged packets: shown as well as can be, or refused, as the caller wants it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.recording.reader import RecordedStream, Session
from emolab.recording.video import VideoReader
from emolab.recording.writer import SessionWriter
from tests.recording.made import CAMERA, HEADER, chunk


class Struck:
    """The packets of a stream, one of them cut in half."""

    def __init__(self, stream: RecordedStream, at: int) -> None:
        self._stream = stream
        self._at = at

    def __len__(self) -> int:
        return len(self._stream)

    def times_s(self, start: int = 0, stop: int | None = None) -> NDArray[np.float64]:
        return self._stream.times_s(start, stop)

    def keys(self) -> NDArray[np.bool_]:
        return self._stream.keys()

    def packet(self, index: int) -> bytes:
        packet = self._stream.packet(index)
        return packet[: len(packet) // 2] if index == self._at else packet


def decodable(reader: VideoReader, order: range) -> list[int]:
    """Which frames come out, asked for in this order."""
    found = []
    for index in order:
        try:
            reader.frame(index)
        except DataError as error:
            assert f"frame {index} cannot be decoded" in str(error)
        else:
            found.append(index)
    return sorted(found)


@pytest.mark.parametrize("order", [range(90), range(89, -1, -1), range(0, 90, 7)])
def test_who_judges_gets_no_frame_that_builds_on_a_damaged_one(tmp_path: Path, order: range) -> None:
    writer = SessionWriter(tmp_path / "s.h5", HEADER)
    writer.open([CAMERA])
    writer.write(chunk(CAMERA, 0, 90, 30.0))
    writer.close()
    with Session.open(tmp_path / "s.h5") as session:
        camera = session.streams["camera"]
        keys = np.flatnonzero(camera.keys())
        struck = int(keys[1]) + 9
        strict = VideoReader(Struck(camera, struck), CAMERA.sample_shape, strict=True)
        lost = range(struck, int(keys[2]))
        assert decodable(strict, order) == sorted(at for at in order if at not in lost)
        shown = VideoReader(Struck(camera, struck), CAMERA.sample_shape)
        assert len(decodable(shown, order)) >= len(order) - 1
        whole = VideoReader(camera, CAMERA.sample_shape, strict=True)
        assert decodable(whole, order) == sorted(order)
