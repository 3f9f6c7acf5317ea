"""XDF recordings as sessions: of others, of our own, of clocks that began anew, and damaged ones."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import pyxdf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from emolab.core.errors import DataError, EmolabError, RecordingError
from emolab.recording import label_ledger
from emolab.recording.inspect import inspect
from emolab.recording.labels import standing
from emolab.recording.reader import Session
from emolab.review.desk import Desk
from emolab.study.export import FORMATS, export
from emolab.study.xdf.clock import SenderClock
from emolab.study.xdf.file import Xdf
from emolab.study.xdf.intake import Imported, import_xdf
from tests.cli.command import emolab
from tests.recording import made
from tests.study import xdf_made as xdf
from tests.study.made import EVENTS, STREAMS, label, record

DAMAGES = int(os.environ.get("EMOLAB_XDF_DAMAGES", "25"))  # 2000: a campaign of minutes
DESC = "".join(
    f"<channel><label>{name}</label><unit>{unit}</unit><type>{kind}</type></channel>"
    for name, unit, kind in (("Fz", "microvolts", "EEG"), ("gsr", "µS", "eda"))
)
DESC = f"<channels>{DESC}</channels>"


def taken(source: Path, folder: Path) -> tuple[Imported, Path]:
    path = folder / "P001_session-0.h5"
    return import_xdf(source, path, "P001", 0, "ours"), path


def loaded(source: Path) -> dict[str, dict]:
    found, _ = pyxdf.load_xdf(str(source), dejitter_timestamps=False)
    return {stream["info"]["name"][0]: stream for stream in found}


@pytest.fixture
def recorded_by_others(tmp_path: Path) -> Path:
    """Numbers of two formats, markers, an empty stream; two senders, one with a clock 1000 s ahead."""
    rate_hz = 100.0
    stamps = [5000.0 + at / rate_hz for at in range(50)]
    rows = [(at, -at) for at in range(50)]
    return xdf.write(
        tmp_path / "theirs.xdf",
        xdf.file_header(),
        xdf.header(1, "cap", "float32", rate_hz, 2, desc=DESC),
        xdf.header(7, "Keys/äß", "string", kind="Markers"),
        xdf.header(3, "nothing", "int16", 10.0),
        xdf.header(4, "cap", "int64"),
        xdf.offset(1, 5000.0, -1000.0),
        xdf.samples(1, "float32", stamps[:20], rows[:20]),
        xdf.samples(1, "float32", [stamps[20], *[None] * 14], rows[20:35], 1),  # the rest is to be deduced
        xdf.boundary(),
        xdf.samples(1, "float32", [None, stamps[36], *[None] * 12, stamps[49]], rows[35:], 8),
        xdf.texts(7, [4000.105, 4000.2, None], [["los"], ["音乐 " * 100], [""]]),
        xdf.samples(4, "int64", [4000.25, 4000.35], [(2**60,), (-(2**60),)]),
        xdf.offset(1, 5005.0, -1000.0),
        *(xdf.footer(number, count) for number, count in ((1, 50), (7, 3), (3, 0), (4, 2))),
    )


def test_streams_of_others_become_a_session(recorded_by_others: Path, tmp_path: Path) -> None:
    done, path = taken(recorded_by_others, tmp_path)
    assert done.damage == [] and done.samples == {"cap": 50, "Keys-äß": 3, "nothing": 0, "cap-2": 2}
    with Session.open(path) as session:
        cap = session.streams["cap"]
        np.testing.assert_array_equal(cap.samples(), np.array([(at, -at) for at in range(50)], np.float32))
        np.testing.assert_allclose(cap.times_s(), np.arange(50) / 100, atol=6e-7)
        assert [(c.name, c.kind, c.unit) for c in cap.info.channels] == [
            ("Fz", "lsl", "microvolts"), ("gsr", "eda", "µS"),
        ]  # fmt: skip
        assert cap.info.instrument["host"] == "lab-pc" and cap.info.nominal_rate_hz == 100.0
        clock_us = cap.device_us()
        assert clock_us is not None  # what was added to each stamp can be told
        np.testing.assert_allclose(cap.times_us() - clock_us, -5000e6, atol=1)
        assert session.streams["cap-2"].samples().tolist() == [[2**60], [-(2**60)]]
        assert session.streams["Keys-äß"].info.nominal_rate_hz is None
        marks = [(e.time_s, e.data["text"], e.data["number"]) for e in session.events if e.kind == "mark"]
        assert marks == [(0.105, "los", 1), (0.2, "音乐 " * 100, 2), (0.2, "", 3)]
        offsets = [(e.time_s, e.data["offset_s"]) for e in session.events if e.kind == "clock_offset"]
        assert offsets == [(0.0, -1000.0), (5.0, -1000.0)]
        header = session.header
        assert (header.participant, header.study) == ("P001", "ours")
        assert header.started_utc == datetime(2026, 3, 17, 13, 25, 36, tzinfo=UTC)
        assert header.devices_text.count("<sample_count>") == 4 and "Fz" in header.devices_text
        notes = [event.data["text"] for event in session.events if event.kind == "note"]
        assert notes[0].startswith("imported from theirs.xdf (sha256 ")
        assert notes[1:] == [
            "stream 'Keys/äß' is called 'Keys-äß' here", "stream 'cap' is called 'cap-2' here",
        ]  # fmt: skip
    report = inspect(path)
    assert report["outcome"] == "complete"
    assert {s["name"]: s["samples"] for s in report["streams"]}["cap/Fz"] == 50


def test_our_reader_and_pyxdf_read_the_same(recorded_by_others: Path) -> None:
    theirs, _ = pyxdf.load_xdf(str(recorded_by_others), dejitter_timestamps=False)
    with Xdf(recorded_by_others) as ours:
        for other in theirs:
            stream = ours.streams[other["info"]["stream_id"]]
            clock = SenderClock(stream.offsets)
            pieces = list(ours.samples(stream))
            values = [row for piece in pieces for row in piece.values.tolist()]
            assert values == [list(row) for row in other["time_series"]]
            times_s = [time_s for piece in pieces for time_s in clock.onto_recorder(piece.stamps_s)]
            np.testing.assert_allclose(times_s, other["time_stamps"], atol=1e-9)


def drifting(number: int, begin_s: float, seconds: int, level_s: float, slope: float) -> list[bytes]:
    """A sender at 10 Hz whose clock differs by a line, measured each five seconds with 20 µs of noise."""
    noise = np.random.default_rng(number).normal(0, 20e-6, seconds)
    parts = []
    for at in range(0, seconds, 5):
        now_s = begin_s + at
        value_s = level_s + slope * at + noise[at] + (0.8 if at == 50 else 0.0)  # one went astray
        parts.append(xdf.offset(number, now_s, value_s))
        stamps = [now_s + step / 10 for step in range(50)]
        parts.append(xdf.samples(number, "double64", stamps, [(stamp,) for stamp in stamps]))
    return parts


def test_a_clock_that_began_anew_is_laid_on_from_there(tmp_path: Path) -> None:
    # the sender's computer is restarted after 100 s, and comes back 60 s later with a clock from 7 s on
    source = xdf.write(
        tmp_path / "restarted.xdf",
        xdf.file_header(),
        xdf.header(1, "cap", "double64", 10.0),
        *drifting(1, 653_000.0, 100, -652_000.0, 10e-6),
        *drifting(1, 7.0, 100, 1153.0, -10e-6),
        xdf.footer(1, 2000),
    )
    done, path = taken(source, tmp_path)
    assert done.resets == {"cap": 1} and done.damage == []
    with Session.open(path) as session:
        cap = session.streams["cap"]
        since_s = np.arange(1000) / 10
        true_s = np.concatenate([since_s * (1 + 10e-6), 160 + since_s * (1 - 10e-6)])
        np.testing.assert_allclose(cap.times_s(), true_s, atol=100e-6)
        assert any("the clock of cap had begun anew" in e.data.get("text", "") for e in session.events)
    assert inspect(path)["streams"][0]["reopened"] == 1
    theirs = loaded(source)["cap"]["time_stamps"]
    np.testing.assert_allclose(cap_times(path), theirs - theirs[0], atol=2e-6)


def cap_times(path: Path) -> np.ndarray:
    with Session.open(path) as session:
        return session.streams["cap"].times_s()


def test_a_single_measurement_that_went_astray_moves_nothing() -> None:
    offsets = [(float(at), 3.0 + (25.0 if at == 50 else 0.0)) for at in range(0, 100, 5)]
    clock = SenderClock(offsets)
    assert clock.resets == 0
    np.testing.assert_allclose(clock.onto_recorder(np.arange(100.0)), np.arange(100.0) + 3.0, atol=1e-4)


@pytest.fixture(scope="module")
def our_own(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A labelled recording of every kind of stream, and the XDF that was exported of it."""
    folder = tmp_path_factory.mktemp("study")
    header = replace(made.HEADER, protocol="quick", language="zh")
    recording = record(folder / "P07_session-2.h5", header)
    label(recording)
    (source,) = export(recording, "xdf", folder / "out")
    return recording, source


def test_a_session_comes_back_from_its_xdf_sample_exact(our_own: tuple[Path, Path], tmp_path: Path) -> None:
    recording, source = our_own
    done, path = taken(source, tmp_path)
    assert done.damage == [] and done.remarks == []
    with Session.open(recording) as before, Session.open(path) as after:
        for info in STREAMS:
            old, new = before.streams[info.name], after.streams[info.name]
            assert len(new) == len(old)
            atol = 1.5e-6 if info.kind == "audio" else 6e-7  # sound has a stamp each tenth of a second
            np.testing.assert_allclose(new.times_s(), old.times_s(), rtol=0, atol=atol)
            if not info.is_image:
                for at in range(len(info.channels)):
                    np.testing.assert_array_equal(new.values(at), old.values(at))
        notes = [event for event in after.events if event.kind == "note"]
        assert [event for event in after.events if event.kind != "note"] == EVENTS and len(notes) == 1
        assert after.answers == before.answers
        for name in ("started_utc", "language", "protocol"):
            assert getattr(after.header, name) == getattr(before.header, name)
        assert after.outcome == before.outcome


def test_labels_come_back_as_ledgers(our_own: tuple[Path, Path], tmp_path: Path) -> None:
    recording, source = our_own
    done, path = taken(source, tmp_path)
    assert done.labels == {"anna": 2, "face fer-small": 2}
    for name in done.labels:
        old = Desk(recording, name).labels
        acts = label_ledger.read(label_ledger.folder_of(path) / f"{name}.jsonl").acts
        new = standing(act.changes for act in acts)
        assert sorted(new.values(), key=str) == sorted(old.values(), key=str)
        assert {act.why for act in acts} == {"imported from P07_session-2.xdf"}
    assert acts[0].by["model"] == "fer-small"
    desk = Desk(path, "anna")  # and they can be worked on
    desk.split(next(n for n, one in desk.labels.items() if not one.is_moment), 1.0)
    desk.undo()


def test_an_imported_session_is_exported_like_any_other(recorded_by_others: Path, tmp_path: Path) -> None:
    _, path = taken(recorded_by_others, tmp_path)
    for to in sorted(set(FORMATS) - {"mp4"}):
        assert export(path, to, tmp_path / to)
    back = loaded(next((tmp_path / "xdf").glob("*.xdf")))
    assert back["cap"]["time_series"].shape == (50, 2)


def test_a_file_cut_off_is_imported_as_far_as_it_goes(our_own: tuple[Path, Path], tmp_path: Path) -> None:
    _, source = our_own
    whole = source.read_bytes()
    with Xdf(source) as told:
        board = next(stream for stream in told.streams.values() if stream.name == "board")
        start, stop = board.pieces[0]
    cut = tmp_path / "cut.xdf"
    cut.write_bytes(whole[: start + (stop - start) // 2])
    done, path = taken(cut, tmp_path)
    assert any("ends in the middle of a chunk" in what for what in done.damage)
    assert 300 < done.samples["board"] < 450
    with Session.open(path) as session:
        assert session.outcome == "interrupted"
        assert any("damaged: " in event.data.get("text", "") for event in session.events)
        board_rows = session.streams["board"].samples(0, 300)
    _, intact = taken(source, tmp_path / "intact")
    with Session.open(intact) as session:
        np.testing.assert_array_equal(session.streams["board"].samples(0, 300), board_rows)


def test_damage_in_the_middle_costs_what_lies_up_to_the_next_boundary(tmp_path: Path) -> None:
    def one(at: int) -> bytes:
        return xdf.samples(1, "int32", [float(at)], [(at,)])

    before, after = [one(at) for at in range(10)], [one(at) for at in range(20, 30)]
    source = xdf.write(
        tmp_path / "bad.xdf", xdf.file_header(), xdf.header(1, "a", "int32"), *before, b"\xff\xee" * 30,
        one(15), xdf.boundary(), *after, xdf.footer(1, 21),
    )  # fmt: skip
    done, path = taken(source, tmp_path)
    with Session.open(path) as session:
        assert session.streams["a"].samples()[:, 0].tolist() == [*range(10), *range(20, 30)]
    assert any("some of it is left out" in what for what in done.damage)
    assert "of 21 samples of 'a' 20 are there" in done.damage


def test_a_chunk_whose_length_is_wrong_does_not_swallow_the_rest(tmp_path: Path) -> None:
    broken = bytearray(xdf.samples(1, "int32", [1.0], [(1,)]))
    broken[1:5] = (2**31).to_bytes(4, "little")
    source = xdf.write(
        tmp_path / "bad.xdf", xdf.file_header(), xdf.header(1, "a", "int32"), bytes(broken), xdf.boundary(),
        xdf.samples(1, "int32", [2.0, 3.0], [(2,), (3,)]), xdf.footer(1, 3),
    )  # fmt: skip
    done, _ = taken(source, tmp_path)
    assert done.samples == {"a": 2} and len(done.damage) == 2


@pytest.mark.parametrize(
    "raw, words",
    [
        (b"", "is no XDF file"), (b"PK\3\4", "is no XDF file"), (b"XDF:", "holds no stream"),
        (b"XDF:" + b"\xff" * 100, "there is damage"),
        (xdf.file_header() + xdf.header(1, "x", "complex"), "cannot be read"),
        (xdf.file_header() + xdf.header(1, "x", "int8", channels=10**9), "cannot be read"),
        (xdf.file_header() + xdf.chunk(2, b"\1\0\0\0<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"), "cannot be read"),
    ],
)  # fmt: skip
def test_what_is_no_recording_is_refused_and_leaves_nothing(tmp_path: Path, raw: bytes, words: str) -> None:
    source = tmp_path / "x.xdf"
    source.write_bytes(raw)
    with pytest.raises(DataError, match=words):
        taken(source, tmp_path / "P001")
    assert not (tmp_path / "P001").exists()


def test_a_boundary_inside_a_chunk_cut_short_is_found_all_the_same(tmp_path: Path) -> None:
    source = xdf.write(
        tmp_path / "x.xdf", xdf.file_header(), xdf.header(1, "m", "string"), xdf.texts(1, [1.0], [["one"]]),
        xdf.texts(1, [2.0], [["two"]])[:-14], xdf.boundary(), xdf.texts(1, [3.0], [["three"]]),
        xdf.footer(1, 3),
    )  # fmt: skip
    done, path = taken(source, tmp_path)
    with Session.open(path) as session:
        texts = [event.data["text"] for event in session.events if event.kind == "mark"]
    assert texts == ["one", "three"]
    assert "of 3 samples of 'm' 2 are there" in done.damage


def test_a_recording_that_is_there_is_never_replaced(recorded_by_others: Path, tmp_path: Path) -> None:
    _, path = taken(recorded_by_others, tmp_path)
    before = path.read_bytes()
    with pytest.raises(RecordingError, match="never overwritten"):
        taken(recorded_by_others, tmp_path)
    assert path.read_bytes() == before


def test_stamps_that_are_no_times_are_left_out_and_counted(tmp_path: Path) -> None:
    stamps = [1.0, float("inf"), 1.2, 1e300, 1.4]
    source = xdf.write(
        tmp_path / "x.xdf", xdf.file_header(""), xdf.header(1, "a", "int32", 5.0),
        xdf.samples(1, "int32", stamps, [(at,) for at in range(5)]), xdf.footer(1, 5),
    )  # fmt: skip
    done, path = taken(source, tmp_path)
    with Session.open(path) as session:
        assert session.streams["a"].samples()[:, 0].tolist() == [0, 2, 4]
        assert session.outcome == "interrupted"
    assert done.damage == ["2 samples of 'a' have a stamp that is no time"]
    assert "does not say when it was recorded" in done.remarks[0]


SMALL = b"".join((
    xdf.file_header(), xdf.header(1, "a", "int16", 10.0, 2), xdf.header(2, "m", "string"),
    xdf.samples(1, "int16", [1.0, None, None], [(1, 2), (3, 4), (5, 6)]), xdf.offset(1, 1.0, 0.5),
    xdf.texts(2, [1.0, 1.1], [["a"], ["b" * 300]]), xdf.boundary(), xdf.footer(1, 3), xdf.footer(2, 2),
))  # fmt: skip


def damaged(data: some.DataObject) -> bytes:
    """A small file with up to four damages."""
    raw = bytearray(SMALL)
    for _ in range(data.draw(some.integers(1, 4))):
        at = data.draw(some.integers(0, max(len(raw) - 1, 0)))
        match data.draw(some.sampled_from(["flip", "cut", "drop", "put"])):
            case "flip" if raw:
                raw[at] ^= 1 << data.draw(some.integers(0, 7))
            case "cut":
                del raw[max(at, 4) :]
            case "drop":
                del raw[at : at + data.draw(some.integers(1, 30))]
            case _:
                raw[at:at] = data.draw(some.binary(min_size=1, max_size=30))
    return bytes(raw)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=some.data())
def test_whatever_is_done_to_a_file_it_is_read_or_refused(tmp_path: Path, data: some.DataObject) -> None:
    source = tmp_path / "x.xdf"
    source.write_bytes(damaged(data))
    try:
        with Xdf(source) as told:
            for stream in told.streams.values():
                pieces = list(told.samples(stream))
                assert all(
                    piece.values.shape == (len(piece.stamps_s), len(stream.channels)) for piece in pieces
                )
    except DataError as error:
        assert "is no XDF file" in str(error)


@settings(max_examples=DAMAGES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=some.data())
def test_a_damaged_file_becomes_a_session_or_none(
    tmp_path_factory: pytest.TempPathFactory, data: some.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    source = folder / "x.xdf"
    source.write_bytes(damaged(data))
    try:
        _, path = taken(source, folder)
    except EmolabError as error:
        assert str(error)
        assert [path.name for path in folder.iterdir()] == ["x.xdf"]
    else:
        with Session.open(path) as session:
            assert session.finished
            assert all(len(stream.samples()) == len(stream) for stream in session.streams.values())
    assert not list(folder.glob(".*"))


def test_the_command_imports_into_a_study_and_tells(recorded_by_others: Path, tmp_path: Path) -> None:
    study = tmp_path / "study"
    said = emolab("import", recorded_by_others, "--study", study, "--participant", "P014", "--json")
    assert said.code == 0, said.err
    assert said.json["recording"] == str(study / "P014" / "P014_session-0.h5")
    assert said.json["samples"]["cap"] == 50
    again = emolab("import", recorded_by_others, "--study", study, "--participant", "P014")
    assert again.code == 0 and "P014_session-1.h5" in again.out
    taken_already = emolab(
        "import", recorded_by_others, "--study", study, "--participant", "P014", "--session", 1
    )
    assert taken_already.code == 2 and "has a session 1 already" in taken_already.complaint
    report = emolab("inspect", study / "P014" / "P014_session-0.h5", "--json")
    assert report.json["participant"] == "P014" and report.json["outcome"] == "complete"
    cut = tmp_path / "cut.xdf"
    cut.write_bytes(recorded_by_others.read_bytes()[:-200])
    said = emolab("import", cut, "--study", study, "--participant", "P015")
    assert said.code == 1 and "damaged: " in said.out
