"""A recording on one time line."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from emolab.core.errors import DataError, EmolabError
from emolab.core.event import Event
from emolab.recording import reader
from emolab.recording.reader import Session
from emolab.recording.writer import SessionWriter
from emolab.review import curves, timeline
from emolab.review.lanes import lanes
from emolab.review.timeline import Timeline
from emolab.study.sessions import notes_path
from tests.recording import made

STREAMS = (made.BOARD, made.CAMERA, made.THERMAL, made.MICROPHONE)
EVENTS = [
    Event(0.0, "session_started", data={"planned": 1}),
    Event(2.0, "clip_onset", 2.0, {"clip": "a", "state": "neutral", "requested_s": 1.9, "fitted_s": 2.0}),
    Event(5.0, "clip_ended", data={"clip": "a", "how": "done"}),
    Event(7.0, "answer", data={"clip": "a", "state": "less_positive", "word": "thrill", "response_s": 1.5}),
]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds of a board, two cameras and sound; the board was away from 4 to 6."""
    path = tmp_path_factory.mktemp("study") / "P07_session-2.h5"
    writer = SessionWriter(path, made.HEADER)
    writer.open(STREAMS)
    for info in STREAMS:
        rate_hz = info.nominal_rate_hz or 0.0
        for second in range(8):
            if not (info is made.BOARD and 4 <= second < 6):
                writer.write(made.chunk(info, round(second * rate_hz), round(rate_hz), rate_hz))
    for event in EVENTS:
        writer.mark(event)
    writer.close()
    return path


def test_every_signal_is_a_track_in_its_unit(recorded: Path) -> None:
    ready: list[str] = []
    with Timeline(recorded, ready.append) as line:
        assert line.wait()
        assert [(track.name, track.kind, track.unit) for track in line.tracks] == [
            ("board/gsr", "eda", "µS"), ("board/belt", "respiration", "counts"),
            ("board/finger", "ppg", "counts"), ("board/ear", "ppg", "counts"), ("microphone", "audio", ""),
        ]  # fmt: skip
        assert set(ready) == {track.name for track in line.tracks}
        assert (line.begin_s, line.end_s) == (0.0, pytest.approx(8.0, abs=0.02))
        assert line.cameras == ("camera", "thermal")


def test_a_view_shows_what_was_recorded_and_where_nothing_was(recorded: Path) -> None:
    with Timeline(recorded) as line, Session.open(recorded) as session:
        line.wait()
        board = session.streams["board"]
        seen = line.view("board/gsr", 0.0, 8.0, 4000)
        values = seen.low[~np.isnan(seen.low)]
        np.testing.assert_allclose(values, board.values(0).astype(np.float32))
        hole = seen.times_s[np.isnan(seen.low)]
        assert len(hole) == 1 and 4.0 <= hole[0] < 6.0
        assert np.isnan(line.value_at("board/gsr", 5.0)) and np.isnan(line.value_at("board/gsr", -1.0))
        assert line.value_at("board/gsr", 2.0001) == pytest.approx(board.values(0)[500], rel=1e-6)


def test_sound_is_seen_as_least_and_greatest(recorded: Path) -> None:
    with Timeline(recorded) as line, Session.open(recorded) as session:
        line.wait()
        sound = session.streams["microphone"].values(0)
        seen = line.view("microphone", 0.0, 8.0, 300)
        assert seen.low.min() == pytest.approx(sound.min()) and seen.high.max() == pytest.approx(sound.max())
        assert (seen.low <= seen.high).all() and 300 <= len(seen.low) <= 16 * 300 + 2
        heard, from_s = line.sound("microphone", 2.0, 2.5)
        assert (len(heard), from_s) == (24_000, pytest.approx(2.0, abs=2e-5))
        np.testing.assert_array_equal(heard, session.streams["microphone"].samples(96_000, 120_000))
        assert len(line.sound("microphone", 90.0, 91.0)[0]) == 0


def test_the_frame_at_a_moment_is_the_newest_not_after_it(recorded: Path) -> None:
    with Timeline(recorded) as line:
        for time_s in (0.0, 0.02, 3.34, 7.99, 99.0, -5.0):
            index = line.frame_index("camera", time_s)
            assert index == min(max(int(time_s * 30 + 1e-6), 0), 239)
            assert made.number(line.frame("camera", index)) == index % 100
            assert line.frame_time_s("camera", index) == pytest.approx(index / 30, abs=1e-5)
        assert line.frame("thermal", 5).shape == (12, 16)
        assert line.frame_count("thermal") == 72
        with pytest.raises(IndexError):
            line.frame("camera", 240)
        with pytest.raises(DataError, match="there are camera, thermal"):
            line.frame_index("board", 0.0)


def test_what_was_intended_and_said_are_lanes(recorded: Path) -> None:
    with Timeline(recorded) as line:
        assert [(label.start_s, label.end_s, label.state) for label in line.intended] == [
            (2.0, 5.0, "neutral")
        ]
        assert [(label.start_s, label.word) for label in line.reported] == [(2.0, "thrill")]


def test_what_was_remarked_after_the_end_stands_on_the_last_seconds(recorded: Path, tmp_path: Path) -> None:
    path = tmp_path / recorded.name
    shutil.copy(recorded, path)
    with Timeline(path) as line:
        assert not lanes(line)[0].labels
    said = [Event(at_s, "note", data={"text": text}) for at_s, text in ((60.0, "left hand"), (90.0, "door"))]
    notes_path(path).write_text("".join(f"{event.to_json()}\n" for event in said), encoding="utf-8")
    with Timeline(path) as line:
        happened = lanes(line)[0]
        (label,) = happened.labels.values()
        assert (happened.name, label.note) == ("events", "note after the end: left hand; door")
        assert (label.start_s, label.end_s) == (line.begin_s, line.end_s) and line.end_s < 9.0


def test_notes_that_cannot_be_read_are_told_on_their_lane(recorded: Path, tmp_path: Path) -> None:
    path = tmp_path / recorded.name
    shutil.copy(recorded, path)
    notes_path(path).mkdir()
    with Timeline(path) as line:
        assert "notes.jsonl cannot be read" in lanes(line)[0].problem


def test_a_recording_cut_off_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    path = made.killed(tmp_path / "P1" / "P1_session-0.h5")
    with Timeline(path) as line:
        assert line.wait()
        assert np.nanmax(line.view("board/gsr", 0.0, 9.0, 2000).times_s) == pytest.approx(1.996)


def test_a_damaged_stretch_is_told_and_what_lies_around_it_is_seen(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / recorded.name
    shutil.copy(recorded, copy)
    sound = reader.RecordedStream.samples

    def damaged(self: Any, start: int = 0, stop: int | None = None) -> Any:
        if self.name == "board" and start == 256:
            raise OSError("Can't synchronously read data (wrong fletcher32 checksum)")
        return sound(self, start, stop)

    monkeypatch.setattr(reader.RecordedStream, "samples", damaged)
    monkeypatch.setattr(curves, "PIECE", 256)
    with Timeline(copy) as line:
        line.wait()
        assert "board/belt" in line.problems and "microphone" not in line.problems
        assert "checksum" in line.damage
        seen = line.view("board/belt", 0.0, 3.9, 4000)
        lost = (seen.times_s > 1.021) & (seen.times_s < 2.047)
        assert not np.isnan(seen.low[~lost]).any() and np.isnan(seen.low[lost]).all()
        assert np.isnan(line.value_at("board/ear", 1.5)) and not np.isnan(line.value_at("board/ear", 3.0))
        assert len(line.view("microphone", 0.0, 8.0, 100).low)


def _datasets(path: Path) -> list[str]:
    """Everything of the streams that has content on the disk."""
    found: list[str] = []

    def look(name: str, one: h5py.Dataset | h5py.Group) -> None:
        if isinstance(one, h5py.Dataset) and one.chunks is not None and one.id.get_num_chunks():
            found.append(name)

    with h5py.File(path, swmr=True) as file:
        file["streams"].visititems(look)
    return found


def _spoil(path: Path, name: str) -> None:
    """Turn over some bytes in the middle of the first block of a table."""
    with h5py.File(path, swmr=True) as file:
        block = file[f"streams/{name}"].id.get_chunk_info(0)
    raw = bytearray(path.read_bytes())
    middle = block.byte_offset + block.size // 2
    raw[middle : middle + 8] = bytes(255 - byte for byte in raw[middle : middle + 8])
    path.write_bytes(raw)


@pytest.mark.parametrize("kind", ["refined", "as stamped"])
def test_whatever_table_of_a_stream_is_damaged_the_others_are_seen(
    recorded: Path, tmp_path: Path, kind: str
) -> None:
    source = tmp_path / "source.h5"
    shutil.copy(recorded, source)
    if kind == "as stamped":  # what a killed program leaves has no refined times
        with h5py.File(source, "r+") as file:
            for stream in file["streams"].values():
                del stream["fit/knots"]
    with Timeline(source) as line:
        line.wait()
        tracks, ends_s = {track.name for track in line.tracks}, line.end_s
    names, spoilt = _datasets(source), 0
    assert len(names) > 8
    for name in names:
        copy = tmp_path / "spoilt.h5"
        shutil.copy(source, copy)
        _spoil(copy, name)
        with Timeline(copy) as line:
            assert line.wait() and abs(line.end_s - ends_s) < 1.0, name
            stream = name.split("/")[0]
            for track in tracks:
                if track.split("/")[0] != stream:
                    assert len(line.view(track, 0.0, 1.5, 100).low), (name, track)
            for camera in line.cameras:
                if line.frame_count(camera):
                    with contextlib.suppress(EmolabError):
                        line.frame(camera, 0)
            spoilt += bool(line.damage)
    assert spoilt > len(names) / 3, "most of it is told"


def test_of_a_session_that_grows_only_what_is_new_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "is_growing", lambda path: True)
    read: list[tuple[str, int, int]] = []
    sound = reader.RecordedStream.samples

    def watched(self: Any, start: int = 0, stop: int | None = None) -> Any:
        read.append((self.name, start, len(self) if stop is None else stop))
        return sound(self, start, stop)

    monkeypatch.setattr(reader.RecordedStream, "samples", watched)
    path = tmp_path / "P07_session-2.h5"
    streams = (made.BOARD, made.CAMERA, made.MICROPHONE)
    writer = SessionWriter(path, made.HEADER)
    writer.open(streams)
    line = None
    for second in range(8):
        for info in streams:
            rate_hz = info.nominal_rate_hz or 0.0
            writer.write(made.chunk(info, round(second * rate_hz), round(rate_hz), rate_hz))
        writer.flush()
        if line is None:
            line = Timeline(path)
        else:
            assert line.refresh()
        assert line.wait() and line.is_live and line.end_s >= second + 0.9
        assert line.frame_count("camera") == 30 * (second + 1)
        assert made.number(line.frame("camera", 30 * second + 7)) == 30 * second % 100 + 7 - 100 * (
            30 * second % 100 + 7 >= 100
        )
    for name, rows in (("board", 2000), ("microphone", 384_000)):
        pieces = [piece[1:] for piece in read if piece[0] == name]
        assert pieces[0][0] == 0 and pieces[-1][1] == rows
        assert all(after[0] == before[1] for before, after in itertools.pairwise(pieces))
    assert line is not None
    while_it_grew = {name: line.view(name, -1.0, 9.0, 5000) for name in ("board/gsr", "microphone")}
    writer.close()
    assert line.refresh() and line.wait() and not line.is_live and not line.problems
    with Timeline(path) as afterwards:
        afterwards.wait()
        for name, grown in while_it_grew.items():
            whole, anew = (one.view(name, -1.0, 9.0, 5000) for one in (afterwards, line))
            np.testing.assert_array_equal(whole.low, grown.low)
            np.testing.assert_array_equal(whole.high, anew.high)
            np.testing.assert_allclose(whole.times_s, grown.times_s, atol=1e-4)
    assert not line.refresh()
    line.close()


def test_closing_waits_for_the_piece_that_is_being_read_and_for_no_other(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curves, "PIECE", 100)
    begun, goes_on, pieces = threading.Event(), threading.Event(), list[str]()
    samples = reader.RecordedStream.samples

    def held_up(self: Any, start: int = 0, stop: int | None = None) -> Any:
        pieces.append(self.name)
        begun.set()
        assert goes_on.wait(60)
        return samples(self, start, stop)

    monkeypatch.setattr(reader.RecordedStream, "samples", held_up)
    line = Timeline(recorded)
    assert begun.wait(60)
    closes = threading.Thread(target=line.close)
    closes.start()
    closes.join(0.2)
    assert closes.is_alive(), "the file stays open under what reads it"
    goes_on.set()
    closes.join(60)
    assert not closes.is_alive() and len(pieces) == 1
    line.close()


def test_times_of_long_streams_are_the_same_without_being_kept(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Session.open(recorded) as session:
        whole = session.streams["microphone"].times_us()
    monkeypatch.setattr(reader, "KEPT_ROWS", 1000)
    monkeypatch.setattr(reader, "SUMMED_ROWS", 4096)
    with Session.open(recorded) as session:
        stream = session.streams["microphone"]
        for start, stop in ((0, 10), (4095, 4097), (200_000, 200_001), (383_990, None), (5, 5), (-3, None)):
            np.testing.assert_array_equal(stream.times_us(start, stop), whole[start:stop])
        np.testing.assert_array_equal(stream.times_us(), whole)


def test_a_session_without_anything_is_an_empty_line(tmp_path: Path) -> None:
    path = tmp_path / "P1_session-0.h5"
    writer = SessionWriter(path, replace(made.HEADER, participant="P1"))
    writer.open([made.BOARD])
    writer.close()
    with Timeline(path) as line:
        line.wait()
        assert (line.begin_s, line.end_s) == (0.0, 0.0)
        assert len(line.view("board/gsr", 0.0, 1.0, 100).low) == 0
