"""What goes into a session file comes out of it, bit for bit."""

from __future__ import annotations

import io
from pathlib import Path

import av
import h5py
import numpy as np
import pytest

from emolab.core.errors import DataError, RecordingError
from emolab.core.event import Event
from emolab.core.stream import Channel, StreamInfo, Tally
from emolab.recording.reader import Session
from emolab.recording.writer import SessionWriter
from tests.recording.made import (
    BOARD,
    CAMERA,
    EVERYTHING,
    FLOAT_MICROPHONE,
    HEADER,
    MICROPHONE,
    THERMAL,
    chunk,
    number,
    picture,
)

PACKED_OR_NOT = pytest.mark.parametrize("pack_below_bytes", [0, 1 << 30], ids=["as written", "packed"])


@PACKED_OR_NOT
def test_every_stream_comes_back_bit_for_bit(tmp_path: Path, pack_below_bytes: int) -> None:
    writer = SessionWriter(tmp_path / "s.h5", HEADER, 100.0, pack_below_bytes=pack_below_bytes)
    writer.open(EVERYTHING)
    told = [chunk(BOARD, first, 137, 275.0, 100.0) for first in range(0, 137 * 20, 137)]
    told += [chunk(THERMAL, first, 2, 9.0, 100.0) for first in range(0, 20, 2)]
    for audio in (MICROPHONE, FLOAT_MICROPHONE):
        told += [chunk(audio, first, 1111, 48000.0, 100.0) for first in range(0, 33330, 1111)]
    for one in told:
        writer.write(one)
        writer.flush()
    writer.close()
    with Session.open(tmp_path / "s.h5") as session:
        for info in (BOARD, THERMAL, MICROPHONE, FLOAT_MICROPHONE):
            mine = [one for one in told if one.stream == info.name]
            stream = session.streams[info.name]
            assert stream.info == info
            samples = stream.samples()
            assert samples.dtype == np.dtype(info.dtype)
            np.testing.assert_array_equal(samples, np.concatenate([one.samples for one in mine]))
            times_s = np.concatenate([one.times_s for one in mine]) - 100.0
            np.testing.assert_array_equal(stream.times_us(), np.rint(times_s * 1e6))
            rows, arrival_s = stream.arrivals()
            assert rows.tolist() == list(range(0, len(times_s), len(mine[0])))
            np.testing.assert_allclose(arrival_s, [one.arrival_s - 100.0 for one in mine], atol=1e-6)
            assert stream.counter() is None
            assert stream.device_us() is None


@PACKED_OR_NOT
def test_video_frames_come_back_at_random_with_their_times(tmp_path: Path, pack_below_bytes: int) -> None:
    writer = SessionWriter(tmp_path / "s.h5", HEADER, pack_below_bytes=pack_below_bytes)
    writer.open([CAMERA])
    for first in range(0, 100, 4):
        writer.write(chunk(CAMERA, first, 4, 30.0))
    writer.close()
    with Session.open(tmp_path / "s.h5") as session:
        video = session.video("camera")
        assert len(video) == 100
        for index in (57, 3, 99, 98, 0, 27, 28):
            time_s, pixels = video.frame(index)
            assert time_s == pytest.approx(index / 30, abs=1e-6)
            error = np.mean((pixels.astype(float) - picture(index)) ** 2)
            assert 10 * np.log10(255**2 / error) > 38, f"frame {index} is poor"
        assert [number(pixels) for _, pixels in video.frames(40, 45)] == [40, 41, 42, 43, 44]
        keys_s = session.streams["camera"].times_s()[session.streams["camera"].keys()]
        assert keys_s[0] == 0
        assert np.diff(keys_s).max() <= 1.0


def test_packets_one_after_the_other_are_an_ordinary_h264_stream(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "s.h5", HEADER)
    writer.open([CAMERA])
    writer.write(chunk(CAMERA, 0, 50, 30.0))
    writer.close()
    with h5py.File(tmp_path / "s.h5") as file:
        stream = io.BytesIO(file["streams/camera/packets"][:].tobytes())
    with av.open(stream, format="h264") as container:
        numbers = [number(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    assert numbers == list(range(50))


@pytest.mark.parametrize("rate_hz", [5.0, 0.5])
def test_slow_cameras_have_a_key_frame_each_second(tmp_path: Path, rate_hz: float) -> None:
    writer = SessionWriter(tmp_path / "s.h5", HEADER)
    writer.open([CAMERA])
    writer.write(chunk(CAMERA, 0, 12, rate_hz))
    writer.close()
    with Session.open(tmp_path / "s.h5") as session:
        stream = session.streams["camera"]
        keys_s = stream.times_s()[stream.keys()]
        assert np.diff(keys_s).max() <= max(1.0, 1 / rate_hz)


def test_an_odd_picture_keeps_its_size(tmp_path: Path) -> None:
    odd = StreamInfo("odd", (Channel("rgb", "rgb"),), None, "uint8", (47, 63, 3))
    writer = SessionWriter(tmp_path / "s.h5", HEADER)
    writer.open([odd])
    one = chunk(CAMERA, 20, 1, 30.0)
    writer.write(type(one)("odd", one.times_s, one.samples[:, :47, :63], one.arrival_s))
    writer.close()
    with Session.open(tmp_path / "s.h5") as session:
        _, pixels = session.video("odd").frame(0)
    assert pixels.shape == (47, 63, 3)
    assert np.abs(pixels.astype(int) - picture(20)[:47, :63]).max() < 12


@PACKED_OR_NOT
def test_device_counter_and_clock_come_back_where_the_device_gave_them(
    tmp_path: Path, pack_below_bytes: int
) -> None:
    writer = SessionWriter(tmp_path / "s.h5", HEADER, pack_below_bytes=pack_below_bytes)
    writer.open([BOARD])
    counter = np.array([7, 8, 10], np.int64)
    device_us = np.array([-5, 4_000_000_000, 4_000_003_636], np.int64)
    writer.write(chunk(BOARD, 0, 3, 250.0, counter=counter, device_us=device_us))
    writer.write(chunk(BOARD, 3, 2, 250.0))
    writer.write(chunk(BOARD, 5, 3, 250.0, counter=counter + 5, device_us=device_us + 10_000))
    writer.close()
    with Session.open(tmp_path / "s.h5") as session:
        stream = session.streams["board"]
        none = [np.iinfo(np.int64).min] * 2
        kept, clock = stream.counter(), stream.device_us()
        assert kept is not None and clock is not None
        assert kept.tolist() == [7, 8, 10, *none, 12, 13, 15]
        assert clock.tolist() == [*device_us, *none, *(device_us + 10_000)]
        assert stream.counter(3, 5) is None
        assert stream.samples(6, 8).shape == (2, 4)


@PACKED_OR_NOT
def test_a_counter_that_starts_late_is_missing_before(tmp_path: Path, pack_below_bytes: int) -> None:
    writer = SessionWriter(tmp_path / "s.h5", HEADER, pack_below_bytes=pack_below_bytes)
    writer.open([BOARD])
    writer.write(chunk(BOARD, 0, 2500, 1000.0))
    writer.flush()
    writer.write(chunk(BOARD, 2500, 200, 1000.0, counter=np.arange(2500, 2700)))
    writer.flush()
    missing = np.full(2500, np.iinfo(np.int64).min)
    with Session.open(tmp_path / "s.h5", live=True) as session:
        np.testing.assert_array_equal(
            session.streams["board"].counter(), np.concatenate([missing, np.arange(2500, 2700)])
        )
    writer.write(chunk(BOARD, 2700, 2000, 1000.0))
    writer.close()
    with Session.open(tmp_path / "s.h5") as session:
        counter = session.streams["board"].counter()
        np.testing.assert_array_equal(
            counter, np.concatenate([missing, np.arange(2500, 2700), missing[:2000]])
        )
        assert session.streams["board"].device_us() is None


def test_packing_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "s.h5", HEADER, pack_within_s=0.0)
    writer.open([BOARD])
    writer.write(chunk(BOARD, 0, 2500, 1000.0))
    writer.close()
    assert [file.name for file in tmp_path.iterdir()] == ["s.h5"]
    with Session.open(tmp_path / "s.h5") as session:
        assert session.complete
        assert len(session.streams["board"].samples()) == 2500
    with h5py.File(tmp_path / "s.h5") as file:
        assert "tail" in file["streams/board"], "it was packed"


def test_what_came_before_time_zero_is_left_out_but_its_losses_are_known(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "s.h5", HEADER, 50.0)
    writer.open([BOARD, CAMERA])
    writer.write(chunk(BOARD, 0, 100, 100.0, 48.0, tally=Tally(lost=4, corrupt=1)))
    writer.write(chunk(BOARD, 100, 200, 100.0, 48.0, tally=Tally(lost=6, corrupt=1)))
    writer.write(chunk(CAMERA, 0, 60, 30.0, 49.0))
    writer.mark(Event(49.5, "consent", 49.0))
    writer.mark(Event(50.25, "mark"))
    writer.close()
    with Session.open(tmp_path / "s.h5") as session:
        assert session.streams["board"].times_s()[[0, -1]] == pytest.approx([0.0, 0.99])
        assert [tally.lost for _, tally in session.streams["board"].tally()] == [4, 6]
        assert [(event.time_s, event.planned_s) for event in session.events] == [(-0.5, -1.0), (0.25, None)]
        video = session.video("camera")
        assert len(video) == 30
        assert number(video.frame(0)[1]) == 30
        assert session.zero_engine_s == 50.0


def test_header_events_and_answers_come_back(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "Sitzung 情緒.h5", HEADER)
    writer.open([])
    facts = {"clip": "joy_3", "state": "most_positive", "word": "enjoy", "response_s": 2.5, "changes": 2}
    told = [
        Event(0.0, "session_started", data={"planned": 15}),
        Event(1.0, "answer", 0.5, facts),
        Event(2.0, "answer", data={"clip": None, "state": None, "word": None, "response_s": None}),
        Event(3.0, "note", data={"text": "Grüße, 你好\nzweite Zeile"}),
    ]
    for event in told:
        writer.mark(event)
    writer.close("aborted")
    with Session.open(tmp_path / "Sitzung 情緒.h5") as session:
        assert session.header == HEADER
        assert session.events == told
        assert (session.outcome, session.finished, session.complete) == ("aborted", True, False)
        first, second = session.answers
        assert (first.clip, first.state, first.word, first.response_s, first.changes) == tuple(facts.values())
        assert (second.clip, second.state, second.word, second.response_s) == (None, None, None, None)


@PACKED_OR_NOT
def test_a_stream_that_never_spoke_is_there_and_empty(tmp_path: Path, pack_below_bytes: int) -> None:
    writer = SessionWriter(tmp_path / "s.h5", HEADER, pack_below_bytes=pack_below_bytes)
    writer.open(EVERYTHING)
    writer.flush()
    writer.close("interrupted")
    writer.close("interrupted")
    with Session.open(tmp_path / "s.h5") as session:
        assert list(session.streams) == [info.name for info in EVERYTHING]
        assert {len(stream) for stream in session.streams.values()} == {0}
        assert session.streams["board"].samples().shape == (0, 4)
        assert len(session.video("camera")) == 0


def test_a_channel_is_read_in_its_unit(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "s.h5", HEADER)
    writer.open([BOARD, THERMAL])
    one = chunk(BOARD, 0, 10, 250.0)
    frames = chunk(THERMAL, 0, 2, 9.0)
    writer.write(one)
    writer.write(frames)
    writer.close()
    with Session.open(tmp_path / "s.h5") as session:
        signal = session.signal("eda")
        np.testing.assert_allclose(signal.values, one.samples[:, 0] * 0.01 + 0.5)
        assert (signal.stream, signal.channel.unit) == ("board", "µS")
        np.testing.assert_array_equal(session.signal("board/ear").values, one.samples[:, 3])
        np.testing.assert_allclose(session.streams["thermal"].values("skin"), frames.samples * 0.01 - 273.15)
        with pytest.raises(DataError, match=r"board/gsr, board/belt"):
            session.signal("eeg")


def test_the_docstring_recipe_reads_a_file_with_h5py_alone(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "s.h5", HEADER)
    writer.open([BOARD])
    one = chunk(BOARD, 3, 2000, 250.0)
    writer.write(one)
    writer.close()
    with h5py.File(tmp_path / "s.h5") as file:
        np.testing.assert_allclose(np.cumsum(file["streams/board/step_us"][:]) / 1e6, one.times_s, atol=5e-7)
        np.testing.assert_array_equal(file["streams/board/samples"][:], one.samples)
        assert bytes(file["protocol_text"][:]).decode() == HEADER.protocol_text
        assert file.attrs["participant"].decode() == "P07"
        assert "counter" not in file["streams/board"]
        assert "tail" not in file["streams/board"], "it was not packed"


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "s.h5"
    path.write_bytes(b"somebody's afternoon")
    with pytest.raises(RecordingError, match="never overwritten; choose another session number"):
        SessionWriter(path, HEADER).open([BOARD])
    assert path.read_bytes() == b"somebody's afternoon"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="choose a folder"):
        SessionWriter(tmp_path / "file" / "s.h5", HEADER).open([BOARD])


@pytest.mark.parametrize("names", [("a/b",), ("",), ("a", "a")])
def test_names_that_make_no_path_are_refused_before_a_file_is_made(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    streams = [StreamInfo(name, BOARD.channels, 250.0, "uint16", (4,)) for name in names]
    with pytest.raises(RecordingError, match="give each instrument a name of its own"):
        SessionWriter(tmp_path / "s.h5", HEADER).open(streams)
    assert not (tmp_path / "s.h5").exists()


def test_a_chunk_that_does_not_fit_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "s.h5", HEADER)
    writer.open([BOARD, CAMERA])
    good = chunk(BOARD, 0, 5, 250.0)
    writer.write(good)
    bad_times = good.times_s.copy()
    bad_times[2] = np.nan
    for samples, times_s in (
        (good.samples[:, :2], good.times_s),
        (good.samples.astype(float), good.times_s),
        (good.samples, bad_times),
    ):
        with pytest.raises(DataError, match="'board'"):
            writer.write(type(good)("board", times_s, samples, good.arrival_s))
    with pytest.raises(DataError, match="the streams are board, camera"):
        writer.write(type(good)("belt", good.times_s, good.samples, good.arrival_s))
    with pytest.raises(DataError, match="first size"):
        writer.write(type(good)("camera", good.times_s[:1], np.zeros((1, 8, 8, 3), np.uint8), 0.0))
    writer.write(chunk(BOARD, 5, 5, 250.0))
    writer.close()
    with Session.open(tmp_path / "s.h5") as session:
        np.testing.assert_allclose(session.streams["board"].times_s(), np.arange(10) / 250)
