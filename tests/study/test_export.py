"""A session in the formats of others, read back by the libraries of others."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import xml.etree.ElementTree as xml
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import pyxdf
import soundfile

from emolab.core.errors import ConfigError, DataError, RecordingError
from emolab.core.event import Event
from emolab.core.stream import Channel, Chunk, StreamInfo
from emolab.recording.labels import TimedLabel
from emolab.recording.reader import Session
from emolab.recording.writer import SessionWriter
from emolab.review.desk import Desk
from emolab.study.export import FORMATS, export, export_all
from tests.cli.command import emolab
from tests.recording import made
from tests.study.made import EVENTS, RAW, bids_errors, record

VALIDATOR = shutil.which("bids-validator-deno") or ""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of every kind of stream."""
    return record(tmp_path_factory.mktemp("study") / "P07_session-2.h5")


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


def test_bids_ends_a_clip_whose_end_is_damaged_with_its_step(tmp_path: Path) -> None:
    play = {"step": 3, "kind": "play", "clip": "a"}
    events = [
        Event(0.0, "session_started", data={"planned": 1}),
        Event(0.5, "step_started", data=play),
        Event(0.6, "clip_onset", data={"clip": "a", "state": "neutral", "fitted_s": 0.6}),
        Event(1.6, "step_ended", data={**play, "how": "done"}),
        Event(3.0, "session_ended", data={"outcome": "complete"}),
    ]
    path = record(tmp_path / "S" / "P07" / "P07_session-2.h5", events=events)
    table = next(one for one in export(path, "bids", tmp_path / "out") if one.name.endswith("_events.tsv"))
    with table.open(encoding="utf-8") as file:
        (clip,) = (row for row in csv.DictReader(file, delimiter="\t") if row["trial_type"] == "clip")
    assert (float(clip["onset"]), float(clip["duration"])) == (0.6, pytest.approx(1.0))


def test_bids_has_signals_on_an_even_grid_and_events_in_order(recorded: Path, tmp_path: Path) -> None:
    export(recorded, "bids", tmp_path)
    where = tmp_path / "sub-P07" / "ses-2" / "beh"
    names = sorted(path.name for path in where.iterdir())
    stem = "sub-P07_ses-2_task-quick"
    assert names == [
        f"{stem}_events.json", f"{stem}_events.tsv",
        f"{stem}_recording-board_physio.json", f"{stem}_recording-board_physio.tsv.gz",
        f"{stem}_recording-raw_physio.json", f"{stem}_recording-raw_physio.tsv.gz",
    ]  # fmt: skip
    told = json.loads((where / f"{stem}_recording-board_physio.json").read_text())
    assert told["Columns"] == ["gsr", "belt", "finger", "ear"] and told["Resampled"] is False
    assert (told["SamplingFrequency"], told["StartTime"]) == (250.0, 0.25)
    assert told["gsr"] == {"Description": "eda", "Units": "µS"}
    with gzip.open(where / f"{stem}_recording-board_physio.tsv.gz", "rt") as file:
        rows = np.array([[float(cell) for cell in line.split("\t")] for line in file])
    with Session.open(recorded) as session:
        np.testing.assert_allclose(rows[:, 0], session.streams["board"].values(0), rtol=1e-8)
    with (where / f"{stem}_events.tsv").open(encoding="utf-8") as file:
        events = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert [row["trial_type"] for row in events] == ["report", "mark"]
    assert (events[0]["onset"], events[0]["state"], events[0]["word"]) == ("0.750000", "neutral", "calm")
    description = json.loads((tmp_path / "dataset_description.json").read_text())
    assert description["BIDSVersion"] == "1.10.0" and description["Name"] == "Müller study"


@pytest.mark.skipif(not VALIDATOR, reason="pip install bids-validator-deno, and have it on the path")
def test_the_bids_validator_finds_no_error(recorded: Path, tmp_path: Path) -> None:
    export(recorded, "bids", tmp_path)
    assert bids_errors(VALIDATOR, tmp_path) == []


def test_a_bids_data_set_grows_and_keeps_what_others_wrote_into_it(recorded: Path, tmp_path: Path) -> None:
    export(recorded, "bids", tmp_path)
    (tmp_path / "README").write_text("ours")
    table = tmp_path / "participants.tsv"
    table.write_text("participant_id\tpseudonym\tage\nsub-P01\tP01\t31\nsub-P07\tP07\t28\n")
    first = {path: path.read_bytes() for path in tmp_path.rglob("*.gz")}
    export(recorded, "bids", tmp_path)
    assert table.read_text().count("sub-P07") == 1 and "28" in table.read_text()
    assert (tmp_path / "README").read_text() == "ours"
    assert {path: path.read_bytes() for path in first} == first


def recorded_of(folder: Path, participant: str) -> Path:
    header = replace(made.HEADER, participant=participant, session=1)
    path = folder / participant / f"{participant}_session-1.h5"
    return path if path.exists() else record(path, header, (made.BOARD,), seconds=1)


def test_a_bids_subject_is_one_person_and_never_another(tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(recorded_of(tmp_path, "P1-1"), "bids", out)
    first = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for who in ("P11", "p11"):
        with pytest.raises(DataError, match=rf"has P1-1 as sub-\w11 already, and {who} .* another folder"):
            export(recorded_of(tmp_path, who), "bids", out)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == first
    export(recorded_of(tmp_path, "P11"), "bids", tmp_path / "another")
    export(recorded_of(tmp_path, "P1-1"), "bids", out)
    assert "sub-P11\tP1-1" in (out / "participants.tsv").read_text(encoding="utf-8").splitlines()


def test_of_a_study_the_second_of_one_bids_subject_is_refused_and_told(tmp_path: Path) -> None:
    for who in ("P1-1", "P11", "P12"):
        recorded_of(tmp_path / "study", who)
    done = export_all(tmp_path / "study", "bids", tmp_path / "out")
    assert [bool(one.files) for one in done] == [True, False, True]
    assert "has P1-1 as sub-P11 already" in done[1].troubles[0]


def test_a_subject_of_a_data_set_of_others_is_not_mixed_with_ours(tmp_path: Path) -> None:
    out, path = tmp_path / "out", recorded_of(tmp_path, "P07")
    (out / "sub-P07" / "anat").mkdir(parents=True)
    (out / "dataset_description.json").write_text('{"Name": "openneuro"}', encoding="utf-8")
    people = out / "participants.tsv"
    people.write_text("participant_id\tage\nsub-P07\t28\nsub-P09\t31\n", encoding="utf-8")
    with pytest.raises(DataError, match="has a sub-P07, who may be somebody else"):
        export(path, "bids", out)
    assert not (out / "README").exists() and not (out / "sub-P07" / "ses-1").exists()
    for _ in range(2):
        export(recorded_of(tmp_path, "P08"), "bids", out)
    assert people.read_text(encoding="utf-8").splitlines() == [
        "participant_id\tage\tpseudonym", "sub-P07\t28\tn/a", "sub-P09\t31\tn/a", "sub-P08\tn/a\tP08"
    ]  # fmt: skip
    people.write_text(people.read_text(encoding="utf-8").replace("28\tn/a", "28\tP07"), encoding="utf-8")
    assert export(path, "bids", out)


def test_missing_samples_are_not_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "P1_session-0.h5"
    writer = SessionWriter(path, made.HEADER)
    writer.open([RAW])
    writer.write(made.chunk(RAW, 0, 100, 100.0))
    writer.write(made.chunk(RAW, 130, 100, 100.0))
    writer.close()
    files = export(path, "bids", tmp_path / "out")
    packed = next(file for file in files if file.name.endswith(".gz"))
    rows = gzip.decompress(packed.read_bytes()).decode().splitlines()
    assert len(rows) == 230
    assert [at for at, row in enumerate(rows) if "n/a" in row] == list(range(100, 130))


def test_uneven_times_are_laid_on_an_even_grid(tmp_path: Path) -> None:
    path = tmp_path / "P1_session-0.h5"
    writer = SessionWriter(path, made.HEADER)
    slope = StreamInfo("slope", (Channel("x", "lsl"),), 100.0, "float64", (1,))
    writer.open([slope])
    times_s = np.arange(1000) / 100.0 + np.random.default_rng(0).uniform(-0.002, 0.002, 1000)
    writer.write(Chunk("slope", times_s, times_s[:, None].copy(), float(times_s[-1])))
    writer.close()
    export(path, "bids", tmp_path / "out")
    (sidecar,) = (tmp_path / "out").rglob("*physio.json")
    told = json.loads(sidecar.read_text())
    assert told["Resampled"] is True
    packed = sidecar.with_name(sidecar.name.replace(".json", ".tsv.gz"))
    values = np.array([float(row) for row in gzip.decompress(packed.read_bytes()).split()])
    grid_s = told["StartTime"] + np.arange(len(values)) / told["SamplingFrequency"]
    np.testing.assert_allclose(values, grid_s, atol=2e-5)


def stamped(path: Path, times_s: np.ndarray, values: np.ndarray, nominal_hz: float) -> Path:
    """A session of one stream with these stamps."""
    writer = SessionWriter(path, made.HEADER)
    writer.open([StreamInfo("muse", (Channel("x", "lsl"),), nominal_hz, "float64", (1,))])
    writer.write(Chunk("muse", times_s, values[:, None], float(times_s[-1])))
    writer.close()
    return path


def in_bursts(of: int, step_s: float, rate_hz: float) -> np.ndarray:
    """Stamps of twenty seconds of a sender that stamps so many samples together as they leave."""
    rows = np.arange(round(20 * rate_hz))
    return (rows // of + 1) * of / rate_hz + rows % of * step_s


AWAY = np.concatenate([in_bursts(12, 60e-6, 256.0), 60 + in_bursts(12, 60e-6, 256.0)])


@pytest.mark.parametrize(
    "times_s",
    [
        pytest.param(in_bursts(12, 60e-6, 256.0), id="burst"),
        pytest.param(in_bursts(8, 0.0, 256.0), id="equal stamps"),
        pytest.param(in_bursts(256, 1e-3, 256.0), id="a second at once"),
        pytest.param(in_bursts(12, 60e-6, 190.0), id="burst of another rate"),
        pytest.param(AWAY, id="burst and away for most of the time"),
        pytest.param(np.ones(50), id="no time at all"),
    ],
)
def test_samples_stamped_in_bursts_are_laid_on_no_grid_and_told(times_s: np.ndarray, tmp_path: Path) -> None:
    path = stamped(tmp_path / "P1_session-0.h5", times_s, np.ones(len(times_s)), 256.0)
    (done,) = export_all(path, "bids", tmp_path / "out")
    (trouble,) = done.troubles
    assert trouble.startswith("muse is left out") and "stamped in bursts" in trouble
    assert not list((tmp_path / "out").rglob("*physio*"))
    assert all("NaN" not in file.read_text(encoding="utf-8") for file in done.files)


EVEN_S = np.arange(2000) / 100.0


@pytest.mark.parametrize(
    ("times_s", "nominal_hz", "rows"),
    [
        pytest.param(EVEN_S, 250.0, 2000, id="another rate"),
        pytest.param(np.delete(EVEN_S, slice(500, 1700)), 100.0, 2000, id="away for most of the time"),
        pytest.param(np.delete(EVEN_S, slice(500, 1700)), 90.0, 2000, id="and another rate"),
        pytest.param(EVEN_S[np.arange(2000) % 4 != 1], 100.0, 2000, id="each fourth missing"),
        pytest.param(
            EVEN_S + np.random.default_rng(1).uniform(-0.003, 0.003, 2000), 100.0, 2000, id="uneven"
        ),
    ],
)
def test_gaps_and_uneven_steps_are_no_bursts(
    times_s: np.ndarray, nominal_hz: float, rows: int, tmp_path: Path
) -> None:
    path = stamped(tmp_path / "P1_session-0.h5", times_s, np.ones(len(times_s)), nominal_hz)
    (done,) = export_all(path, "bids", tmp_path / "out")
    assert not done.troubles
    (packed,) = (file for file in done.files if file.name.endswith(".gz"))
    assert len(gzip.decompress(packed.read_bytes()).splitlines()) == pytest.approx(rows, abs=40)


def test_a_value_without_end_is_no_value(tmp_path: Path) -> None:
    values = np.ones(100)
    values[[5, 7]] = -np.inf, np.inf
    path = stamped(tmp_path / "P1_session-0.h5", np.arange(100) / 10, values, 10.0)
    (packed,) = (file for file in export(path, "bids", tmp_path / "out") if file.name.endswith(".gz"))
    rows = gzip.decompress(packed.read_bytes()).decode().split()
    assert len(rows) == 100 and [at for at, row in enumerate(rows) if row == "n/a"] == [5, 7]


def test_the_rest_is_an_event_whether_it_was_reported_on_or_not(tmp_path: Path) -> None:
    rest = {"step": 1, "kind": "rest"}
    events = [Event(0.5, "step_started", data=rest), Event(1.5, "step_ended", data=rest)]
    said = Event(2.0, "answer", data={"clip": None, "state": "neutral", "word": "calm", "response_s": 0.3})
    for state in ("neutral", None):
        answer = replace(said, data={**said.data, "state": state})
        path = record(
            tmp_path / f"{state}" / "P1_session-0.h5", made.HEADER, (made.BOARD,), [*events, answer]
        )
        files = export(path, "bids", tmp_path / f"{state}" / "out")
        with next(file for file in files if file.name.endswith("_events.tsv")).open() as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        assert [(row["trial_type"], row["onset"], row["duration"]) for row in rows] == [
            ("rest", "0.500000", "1.000000"), ("report", "1.700000", "0.300000")
        ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_a_table_of_people_that_excel_saved_is_told_and_no_recording_called_damaged(
    tmp_path: Path, encoding: str
) -> None:
    out = tmp_path / "out"
    export(recorded_of(tmp_path, "P01"), "bids", out)
    people = out / "participants.tsv"
    people.write_text(people.read_text(encoding="utf-8") + "sub-P09\tmännlich\n", encoding=encoding)
    with pytest.raises(ConfigError, match=r"participants\.tsv is not in UTF-8; save it as"):
        export(recorded_of(tmp_path, "P02"), "bids", out)


def test_a_stream_called_as_a_table_of_ours_is_in_a_file_of_its_own(tmp_path: Path) -> None:
    names = ("events", "eeg", "EEG", "Labels", "eeg-2")
    streams = tuple(replace(RAW, name=name) for name in names)
    path = record(tmp_path / "P1_session-0.h5", streams=streams, seconds=1)
    (done,) = export_all(path, "csv", tmp_path / "out")
    files = {file.name.removeprefix("P1_session-0_"): file for file in done.files}
    assert set(files) == {
        "events-2.csv", "eeg.csv", "EEG-3.csv", "Labels-2.csv", "eeg-2.csv",
        "events.csv", "answers.csv", "labels.csv", "traces.csv",
    }  # fmt: skip
    assert len({name.casefold() for name in files}) == len(done.files) == 9
    assert files["events.csv"].read_text(encoding="utf-8").startswith("time_s,kind,")
    assert len(files["events-2.csv"].read_text(encoding="utf-8").splitlines()) == 101
    assert not done.troubles and [remark.split()[0] for remark in done.remarks] == ["events", "EEG", "Labels"]


def test_a_full_disk_under_the_sound_is_told_and_no_recording_called_damaged(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise soundfile.LibsndfileError(2)

    monkeypatch.setattr(soundfile.SoundFile, "write", full)
    with pytest.raises(ConfigError, match=r"microphone\.flac cannot be written"):
        export(recorded, "csv", tmp_path)


def test_a_stream_without_a_rate_is_laid_on_no_grid(tmp_path: Path) -> None:
    path = tmp_path / "P1_session-0.h5"
    writer = SessionWriter(path, made.HEADER)
    marks = StreamInfo("marks", (Channel("number", "lsl"),), None, "float64", (1,))
    writer.open([marks])
    times_s = np.array([1.0, 1.0, 1.000001, 600.0])
    writer.write(Chunk("marks", times_s, np.arange(4.0)[:, None], 600.0))
    writer.close()
    assert not [file for file in export(path, "bids", tmp_path / "out") if file.name.endswith(".gz")]


def test_elan_sees_each_lane_on_a_tier_beside_the_film(recorded: Path, tmp_path: Path) -> None:
    copy = tmp_path / recorded.name
    shutil.copy(recorded, copy)
    desk = Desk(copy, "anna")
    name = desk.add(TimedLabel(1.0, 2.0, state="neutral", word="calm", valence=0.25, note="smiles"))
    desk.split(name, 1.5)
    desk.add(TimedLabel(2.5, 2.5, tags=("sigh",)))
    (path,) = export(copy, "eaf", tmp_path / "out")
    root = xml.parse(path).getroot()
    media = root.find("HEADER/MEDIA_DESCRIPTOR")
    assert media is not None and media.get("RELATIVE_MEDIA_URL") == "./P07_session-2_camera.mp4"
    at_ms = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE", "-1")) for slot in root.iter("TIME_SLOT")}
    assert list(at_ms.values()) == sorted(at_ms.values()) and min(at_ms.values()) >= 0
    tiers = {tier.get("TIER_ID"): tier for tier in root.iter("TIER")}
    assert list(tiers) == ["intended", "reported", "events", "anna"]
    said = [
        (at_ms[a.get("TIME_SLOT_REF1")], at_ms[a.get("TIME_SLOT_REF2")], a.findtext("ANNOTATION_VALUE"))
        for a in tiers["anna"].iter("ALIGNABLE_ANNOTATION")
    ]
    assert said == [  # the film begins at 0.25 s
        (750, 1250, "neutral (calm) v +0.25 smiles"), (1250, 1750, "neutral (calm) v +0.25 smiles"),
        (2250, 2290, "sigh"),
    ]  # fmt: skip


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
    assert all(Path(path).is_file() for path in files) and len(files) == 10
