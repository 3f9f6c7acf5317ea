"""The recorder's threads: everything taken is in the file, everything refused is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emolab.core.clock import PacedClock
from emolab.core.errors import DataError, Overrun, RecordingError
from emolab.core.event import Event
from emolab.core.stream import Chunk, StreamInfo
from emolab.recording import recorder as recorder_module
from emolab.recording import video
from emolab.recording.header import SessionHeader
from emolab.recording.inspect import inspect
from emolab.recording.reader import Session
from emolab.recording.recorder import Recorder
from emolab.recording.writer import SessionWriter
from tests.recording.made import BOARD, CAMERA, HEADER, THERMAL, chunk, number


class Gated(SessionWriter):
    """A writer that stands still until its gate is opened, as a disk that hangs would."""

    gate: threading.Event
    reached: threading.Event

    def write(self, chunk: Chunk) -> None:
        self.reached.set()
        self.gate.wait()
        super().write(chunk)


def gated() -> tuple[threading.Event, threading.Event, Callable[[Path, SessionHeader, float], SessionWriter]]:
    gate, reached = threading.Event(), threading.Event()

    def make(path: Path, header: SessionHeader, zero_s: float) -> SessionWriter:
        writer = Gated(path, header, zero_s)
        writer.gate, writer.reached = gate, reached
        return writer

    return gate, reached, make


def until(condition: Callable[[], bool]) -> None:
    """Wait for something another thread does."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


def test_a_step_that_begins_is_in_the_file_before_the_next_flush(tmp_path: Path) -> None:
    path = tmp_path / "s.h5"
    recorder = Recorder(path, HEADER, [BOARD], flush_s=600.0)
    try:
        recorder.mark(Event(1.0, "mark", data={"text": "can wait"}))
        recorder.mark(Event(2.0, "step_started", data={"step": 3, "kind": "play", "clip": "fear_1"}))

        def is_there() -> bool:
            with Session.open(path, live=True) as session:
                return [event.kind for event in session.events] == ["mark", "step_started"]

        until(is_there)
    finally:
        recorder.close(timeout_s=60)


def test_a_file_that_takes_long_to_close_is_not_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hours of times take long to refine on a slow machine; the disk has nothing to do with it."""

    class Slow(SessionWriter):
        def close(self, outcome: str = "complete") -> None:
            with monkeypatch.context() as closing:
                closing.setattr(recorder_module, "HUNG_S", 0.4)
                time.sleep(1.5)
            super().close(outcome)

    monkeypatch.setattr(recorder_module, "HUNG_S", 60.0)
    recorder = Recorder(tmp_path / "s.h5", HEADER, [BOARD], make=Slow)
    recorder.put(chunk(BOARD, 0, 250, 250.0))
    recorder.close(timeout_s=60)
    assert recorder.path == tmp_path / "s.h5" and recorder.trouble is None
    assert [path.name for path in tmp_path.iterdir()] == ["s.h5"]


def test_all_that_was_taken_is_in_the_file_in_order(tmp_path: Path) -> None:
    others = set(threading.enumerate())
    recorder = Recorder(tmp_path / "s.h5", HEADER, [BOARD, CAMERA, THERMAL], 10.0)
    for at in range(40):
        assert recorder.put(chunk(BOARD, at * 25, 25, 250.0, 10.0))
        assert recorder.put(chunk(CAMERA, at, 1, 30.0, 10.0))
        recorder.mark(Event(10.0 + at, "mark", data={"text": str(at)}))
    recorder.close("aborted")
    recorder.close("complete")
    assert (recorder.backlog, recorder.error) == (0, None)
    assert recorder.bytes_written == (tmp_path / "s.h5").stat().st_size
    with Session.open(tmp_path / "s.h5") as session:
        assert session.outcome == "aborted"
        np.testing.assert_allclose(session.streams["board"].times_s(), np.arange(1000) / 250, atol=1e-6)
        assert [number(pixels) for _, pixels in session.video("camera").frames()] == list(range(40))
        assert [event.data["text"] for event in session.events] == [str(at) for at in range(40)]
        assert len(session.streams["thermal"]) == 0
    left = set(threading.enumerate()) - others
    assert not [thread for thread in left if thread.name.startswith(("recorder", "encode"))]


def test_a_gap_is_written_and_told_when_the_disk_falls_behind(tmp_path: Path) -> None:
    gate, reached, make = gated()
    told: list[Event] = []
    nbytes = chunk(BOARD, 0, 25, 250.0).nbytes
    recorder = Recorder(
        tmp_path / "s.h5",
        HEADER,
        [BOARD],
        make=make,
        queue_bytes=10 * nbytes,
        on_event=told.append,
        with_journal=False,
    )
    assert recorder.put(chunk(BOARD, 0, 25, 250.0))
    assert reached.wait(60)
    taken = [recorder.put(chunk(BOARD, at * 25, 25, 250.0)) for at in range(1, 21)]
    assert taken == [True] * 10 + [False] * 10
    assert recorder.lost == {"board": 250}
    assert recorder.written_until_s == pytest.approx(24 / 250 + 0.004)
    gate.set()
    until(lambda: recorder.backlog == 0)
    assert recorder.put(chunk(BOARD, 21 * 25, 25, 250.0))
    recorder.close(timeout_s=60)
    (gap,) = told
    assert gap.kind == "gap"
    assert gap.data == {"stream": "board", "lost": 250, "seconds": 0.996, "reason": "writer overrun"}
    with Session.open(tmp_path / "s.h5") as session:
        assert session.events == [gap]
        assert len(session.streams["board"]) == 25 * 12
    (gsr, *_) = inspect(tmp_path / "s.h5")["streams"]
    assert (gsr["name"], gsr["lost"], gsr["gaps"]) == ("board/gsr", 250, 1)


def test_a_gap_is_written_when_the_encoder_falls_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    encode = video.H264Encoder.encode

    def slow(self: video.H264Encoder, chunk: Chunk) -> video.EncodedFrames:
        gate.wait()
        return encode(self, chunk)

    monkeypatch.setattr(video.H264Encoder, "encode", slow)
    recorder = Recorder(tmp_path / "s.h5", HEADER, [CAMERA])
    taken = [recorder.put(chunk(CAMERA, at, 1, 30.0)) for at in range(200)]
    lost = taken.count(False)
    assert 200 - lost in (120, 121)  # the room of the queue, and perhaps the frame in hand
    assert recorder.lost == {"camera": lost}
    gate.set()
    recorder.close(timeout_s=60)
    with Session.open(tmp_path / "s.h5") as session:
        assert len(session.video("camera")) == 200 - lost
        (gap,) = session.events
        assert (gap.kind, gap.data["stream"], gap.data["lost"]) == ("gap", "camera", lost)


def test_a_recorder_that_cannot_finish_in_time_says_so_and_the_file_is_safe(tmp_path: Path) -> None:
    gate, reached, make = gated()
    recorder = Recorder(tmp_path / "s.h5", HEADER, [BOARD], make=make)
    recorder.mark(Event(0.5, "mark"))
    until(lambda: recorder.backlog == 0)
    recorder.put(chunk(BOARD, 0, 25, 250.0))
    assert reached.wait(60)
    with pytest.raises(Overrun, match=r"waiting for the file.*emolab recover"):
        recorder.close(timeout_s=0.2)
    gate.set()
    recorder.close(timeout_s=60)
    with Session.open(tmp_path / "s.h5") as session:
        assert len(session.streams["board"]) == 25


def test_a_recorder_that_is_slow_is_waited_for_as_long_as_it_gets_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = video.H264Encoder.encode

    def slowly(self: video.H264Encoder, frames: Chunk) -> video.EncodedFrames:
        time.sleep(0.1)
        return encode(self, frames)

    monkeypatch.setattr(video.H264Encoder, "encode", slowly)
    recorder = Recorder(tmp_path / "s.h5", HEADER, [CAMERA])
    for frame in range(20):
        recorder.put(chunk(CAMERA, frame, 1, 30.0))
    begun_s = time.monotonic()
    recorder.close(timeout_s=1.5)
    assert time.monotonic() - begun_s > 1.5
    with Session.open(tmp_path / "s.h5") as session:
        assert len(session.video("camera")) == 20


def test_a_chunk_that_does_not_fit_becomes_one_error_event(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "s.h5", HEADER, [BOARD, CAMERA])
    good = chunk(BOARD, 0, 25, 250.0)
    for _ in range(5):
        recorder.put(replace(good, samples=good.samples[:, :3]))
        recorder.put(Chunk("camera", np.zeros(1), np.zeros((1, 8, 8, 3), np.uint8), 0.0))
    recorder.put(good)
    recorder.put(chunk(CAMERA, 0, 1, 30.0))
    recorder.close(timeout_s=60)
    assert recorder.lost["board"] == 125
    with Session.open(tmp_path / "s.h5") as session:
        errors = [event.data["where"] for event in session.events if event.kind == "error"]
        assert sorted(errors) == ["board", "camera"]
        gaps = {event.data["stream"]: event.data["lost"] for event in session.events if event.kind == "gap"}
        assert gaps == {"board": 125, "camera": 5}
        assert len(session.streams["board"]) == 25
        assert len(session.video("camera")) == 1


def test_a_disk_that_fails_is_known_at_once_and_what_comes_after_is_counted(tmp_path: Path) -> None:
    class Failing(SessionWriter):
        def write(self, chunk: Chunk) -> None:
            raise RecordingError("the disk is full")

    recorder = Recorder(
        tmp_path / "s.h5",
        HEADER,
        [BOARD],
        make=lambda path, header, zero_s: Failing(path, header, zero_s),
        with_journal=False,
    )
    recorder.mark(Event(0.5, "mark"))
    assert recorder.put(chunk(BOARD, 0, 25, 250.0))
    until(lambda: recorder.error is not None)
    assert not recorder.put(chunk(BOARD, 25, 25, 250.0))
    assert recorder.lost == {"board": 25}
    with pytest.raises(RecordingError, match="the disk is full"):
        recorder.close(timeout_s=60)
    with Session.open(tmp_path / "s.h5") as session:
        assert session.outcome == "interrupted"
        assert len(session.events) == 1


def test_a_file_that_is_there_already_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "s.h5").write_bytes(b"old")
    with pytest.raises(RecordingError, match="never overwritten"):
        Recorder(tmp_path / "s.h5", HEADER, [BOARD])
    assert (tmp_path / "s.h5").read_bytes() == b"old"


def test_a_paced_clock_waits_for_the_file(tmp_path: Path) -> None:
    gate, reached, make = gated()
    clock = PacedClock(1e6)
    recorder = Recorder(tmp_path / "s.h5", HEADER, [BOARD], make=make, clock=clock)
    recorder.put(chunk(BOARD, 0, 25, 250.0))
    assert reached.wait(60)
    held_s = clock.now_s()
    time.sleep(0.1)
    assert clock.now_s() - held_s <= 1.0
    gate.set()
    until(lambda: clock.now_s() > held_s + 5)
    recorder.close(timeout_s=60)
    now_s = clock.now_s()
    until(lambda: clock.now_s() > now_s + 1000)  # nobody holds it any more


def test_an_encoder_that_breaks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: video.H264Encoder, chunk: Chunk) -> video.EncodedFrames:
        raise RuntimeError("no codec")

    monkeypatch.setattr(video.H264Encoder, "encode", broken)
    recorder = Recorder(tmp_path / "s.h5", HEADER, [CAMERA])
    for at in range(3):
        recorder.put(chunk(CAMERA, at, 1, 30.0))
    recorder.close(timeout_s=60)
    with Session.open(tmp_path / "s.h5") as session:
        error, gap = session.events
        assert error.data == {"where": "camera", "message": "no codec"}
        assert (gap.data["stream"], gap.data["lost"], gap.data["reason"]) == ("camera", 3, "not recordable")
    assert recorder.lost == {"camera": 3}


def test_frames_before_a_key_frame_cannot_be_decoded() -> None:
    class Headless:
        def __len__(self) -> int:
            return 2

        def times_s(self, start: int = 0, stop: int | None = None) -> np.ndarray:
            return np.zeros(2)[start:stop]

        def keys(self) -> np.ndarray:
            return np.array([False, False])

        def packet(self, index: int) -> bytes:
            return b""

    with pytest.raises(DataError, match="no key frame comes before"):
        video.VideoReader(Headless(), (48, 64, 3)).frame(1)


def test_streams_of_any_dtype_are_taken_when_nothing_is_lost_by_it(tmp_path: Path) -> None:
    wide = StreamInfo("wide", BOARD.channels, None, "int32", (4,))
    recorder = Recorder(tmp_path / "s.h5", HEADER, [wide])
    one = chunk(BOARD, 0, 25, 250.0)
    recorder.put(replace(one, stream="wide"))
    recorder.close(timeout_s=60)
    with Session.open(tmp_path / "s.h5") as session:
        np.testing.assert_array_equal(session.streams["wide"].samples(), one.samples)
        assert session.streams["wide"].samples().dtype == np.int32
