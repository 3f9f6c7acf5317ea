"""A session in the formats of others, read back by the libraries of others."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import av
import numpy as np
import pytest
import pyxdf
import soundfile

from emolab.core.errors import ConfigError, DataError, RecordingError
from emolab.core.event import Event
from emolab.core.stream import Channel, StreamInfo
from emolab.recording.reader import Session
from emolab.recording.writer import SessionWriter
from emolab.study.export import FORMATS, export
from tests.cli.command import emolab
from tests.recording import made

RATES_HZ = {"board": 250.0, "camera": 30.0, "thermal": 9.0, "microphone": 48_000.0}
RAW = StreamInfo("raw", (Channel("x", "lsl"), Channel("y", "lsl")), 100.0, "uint16", (2,))
STREAMS = (made.BOARD, made.CAMERA, made.THERMAL, made.MICROPHONE, RAW)
EVENTS = [
    Event(0.0, "session_started", data={"planned": 1}),
    Event(1.5, "mark", data={"text": "Müller sagt: „jetzt“, \n音乐"}),
    Event(2.0, "answer", 1.9, {"clip": "a", "state": "neutral", "word": "calm", "response_s": 1.25}),
    Event(3.0, "session_ended", data={"outcome": "complete"}),
]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of every kind of stream."""
    path = tmp_path_factory.mktemp("study") / "P07_session-2.h5"
    writer = SessionWriter(path, made.HEADER)
    writer.open(STREAMS)
    for info in STREAMS:
        rate_hz = info.nominal_rate_hz or 0.0
        for second in range(3):
            count = round(rate_hz)
            writer.write(made.chunk(info, second * count, count, rate_hz, start_s=0.25))
    for event in EVENTS:
        writer.mark(event)
    writer.close()
    return path


def test_xdf_comes_back_sample_exact(recorded: Path, tmp_path: Path) -> None:
    (path,) = export(recorded, "xdf", tmp_path)
    found, _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    streams = {stream["info"]["name"][0]: stream for stream in found}
    with Session.open(recorded) as session:
        for name in ("board", "microphone", "raw"):
            ours, theirs = session.streams[name], streams[name]
            np.testing.assert_allclose(theirs["time_stamps"], ours.times_s(), atol=2e-6)
            values = np.stack([ours.values(at) for at in range(len(ours.info.channels))], 1)
            np.testing.assert_array_equal(theirs["time_series"], values)
        np.testing.assert_array_equal(streams["raw"]["time_stamps"], session.streams["raw"].times_s())
        assert streams["raw"]["info"]["channel_format"] == ["int32"]
        assert streams["camera"]["time_series"][:, 0].tolist() == list(range(90))
        means = session.streams["thermal"].values(0).mean((1, 2))
        np.testing.assert_allclose(streams["thermal"]["time_series"][:, 1], means)
        said = [Event.from_json(row[0]) for row in streams["events"]["time_series"]]
        assert said == session.events
    channels = streams["board"]["info"]["desc"][0]["channels"][0]["channel"]
    assert [(c["label"][0], c["unit"][0]) for c in channels][:2] == [("gsr", "µS"), ("belt", "counts")]
    assert all(float(s["footer"]["info"]["sample_count"][0]) == len(s["time_stamps"]) for s in found)


def test_tables_hold_every_sample_in_its_unit(recorded: Path, tmp_path: Path) -> None:
    files = {path.name: path for path in export(recorded, "csv", tmp_path)}
    with (files["P07_session-2_board.csv"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["time_s", "gsr [µS]", "belt [counts]", "finger [counts]", "ear [counts]"]
    with Session.open(recorded) as session:
        board = session.streams["board"]
        assert [float(row[1]) for row in rows[1:]] == board.values(0).tolist()
        assert [int(row[2]) for row in rows[1:]] == board.samples()[:, 1].tolist()
        np.testing.assert_allclose([float(row[0]) for row in rows[1:]], board.times_s(), atol=1e-6)
        sound, rate_hz = soundfile.read(files["P07_session-2_microphone.flac"], dtype="int16")
        np.testing.assert_array_equal(sound, session.streams["microphone"].samples()[:, 0])
    assert rate_hz == 48_000
    with (files["P07_session-2_events.csv"]).open(encoding="utf-8", newline="") as file:
        told = list(csv.DictReader(file))
    assert json.loads(told[1]["data"])["text"] == EVENTS[1].data["text"]
    with (files["P07_session-2_answers.csv"]).open(encoding="utf-8", newline="") as file:
        (answer,) = csv.DictReader(file)
    assert (answer["clip"], answer["word"], answer["response_s"]) == ("a", "calm", "1.25")


def test_video_is_the_recorded_packets_each_at_its_time(recorded: Path, tmp_path: Path) -> None:
    files = {path.name: path for path in export(recorded, "mp4", tmp_path)}
    with Session.open(recorded) as session, av.open(str(files["P07_session-2_camera.mp4"])) as film:
        camera = session.streams["camera"]
        frames = list(film.decode(video=0))
        assert [made.number(frame.to_ndarray(format="rgb24")) for frame in frames] == [
            n % 100 for n in range(90)
        ]
        times_s = np.array([float((frame.pts or 0) * (frame.time_base or 0)) for frame in frames])
        np.testing.assert_allclose(times_s, camera.times_s() - camera.times_s()[0], atol=1e-4)
    told = json.loads(files["P07_session-2_camera.json"].read_text())
    assert told == {"first_s": 0.25, "frames": 90}


def test_thermal_images_come_back_bit_exact(recorded: Path, tmp_path: Path) -> None:
    files = {path.name: path for path in export(recorded, "mp4", tmp_path)}
    with Session.open(recorded) as session, av.open(str(files["P07_session-2_thermal.mkv"])) as film:
        images = np.stack([frame.to_ndarray() for frame in film.decode(video=0)])
        np.testing.assert_array_equal(images, session.streams["thermal"].samples())
    told = json.loads(files["P07_session-2_thermal.json"].read_text())
    assert (told["scale"], told["offset"], told["unit"]) == (0.01, -273.15, "°C")


def test_the_packets_are_not_encoded_anew(recorded: Path, tmp_path: Path) -> None:
    files = {path.name: path for path in export(recorded, "mp4", tmp_path)}
    with Session.open(recorded) as session:
        camera = session.streams["camera"]
        ours = sum(len(camera.packet(at)) for at in range(len(camera)))
    with av.open(str(files["P07_session-2_camera.mp4"])) as film:
        theirs = sum(packet.size for packet in film.demux(video=0))
    assert abs(theirs - ours) < 200 * 90  # start codes become lengths, parameter sets move to the head


@pytest.mark.parametrize("to", sorted(FORMATS))
def test_a_session_cut_off_is_exported_as_far_as_it_goes(tmp_path: Path, to: str) -> None:
    path = made.killed(tmp_path / "P1" / "P1_session-0.h5")
    if to == "mp4":
        with pytest.raises(DataError, match="holds no video"):
            export(path, to, tmp_path / "out")
    else:
        assert all(file.stat().st_size for file in export(path, to, tmp_path / "out"))


def test_what_cannot_be_is_told_in_a_sentence(recorded: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the formats are"):
        export(recorded, "edf", tmp_path)
    with pytest.raises(RecordingError, match="there is no session file"):
        export(tmp_path / "nothing.h5", "csv", tmp_path)
    (tmp_path / "taken").write_text("")
    with pytest.raises(ConfigError, match="cannot be made"):
        export(recorded, "csv", tmp_path / "taken")


def test_an_export_that_fails_leaves_no_half_file(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("emolab.study.export.xdf._events", full)
    with pytest.raises(ConfigError, match="No space left on device"):
        export(recorded, "xdf", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_names_what_it_wrote(recorded: Path, tmp_path: Path) -> None:
    said = emolab("export", recorded, "--to", "csv", "--out", tmp_path / "out", "--json")
    assert said.code == 0, said.err
    files = said.json["files"]
    assert all(Path(path).is_file() for path in files) and len(files) == 8
