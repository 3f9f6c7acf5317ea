"""One session measured: against what really was so, against its rest, and when parts of it are missing."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emolab.analysis import modalities, windows
from emolab.analysis.measure import Job, Measured, _changed, measure
from emolab.analysis.modalities import MODALITIES, Source
from emolab.analysis.page import Table
from emolab.analysis.sections.protocol import protocol
from emolab.analysis.table import columns
from emolab.core.errors import DataError
from emolab.core.event import Event
from emolab.core.stream import Chunk
from emolab.recording.lanes import rests
from emolab.recording.reader import Session
from emolab.recording.writer import SessionWriter
from emolab.study.sessions import session_path, truth_path


def _truths(study: Path) -> list[tuple[str, dict[str, Any]]]:
    """`(participant, truth of a clip)` of all clips, in order."""
    found = []
    for who in ("P001", "P002", "P003"):
        truth = json.loads(truth_path(session_path(study, who, 0)).read_text())
        found += [(who, clip) for clip in truth["clips"]]
    return found


def test_what_is_measured_is_what_was_so(rehearsed: Path, measured: list[Measured]):
    rows = [row for one in measured for row in one.rows]
    truths = _truths(rehearsed)
    assert [row["clip"] for row in rows] == [clip["clip"] for _, clip in truths]
    assert [row["state_intended"] for row in rows] == [clip["state"] for _, clip in truths]

    def worst(name: str, truth: str) -> float:
        return float(max(abs(row[name] - clip[truth]) for row, (_, clip) in zip(rows, truths, strict=True)))

    assert worst("hr_mean", "heart_bpm") < 0.5
    assert worst("rsp_rate_mean", "breath_per_min") < 0.4  # the truth is a mean over time, not over breaths
    assert worst("forehead_t_mean", "face_c") < 0.1  # the whole face has a nose in it, which is cooler
    assert worst("nose_t_mean", "nose_c") < 0.1


def test_reports_stand_as_they_were_given(rehearsed: Path, measured: list[Measured]):
    for one in measured:
        truth = json.loads(truth_path(session_path(rehearsed, one.participant, 0)).read_text())
        said = {answer["clip"]: answer["state"] for answer in truth["answers"] if answer["clip"]}
        assert {row["clip"]: row["state_reported"] for row in one.rows} == said


def test_the_rest_is_its_own_zero(measured: list[Measured]):
    for one in measured:
        assert one.window is not None
        stretch = {"start_s": one.window.start_s, "end_s": one.window.end_s}
        changed = _changed({**one.baseline, **stretch}, one.baseline, one.window)
        changes = [value for name, value in changed.items() if name.startswith("d_") and math.isfinite(value)]
        assert len(changes) > 30
        assert changes == [0.0] * len(changes)


def test_counts_are_set_against_as_long_a_rest(measured: list[Measured]):
    one = measured[0]
    assert one.window is not None
    for row in one.rows:
        expected = one.baseline["scr_count"] / one.baseline["good_eda"] * (row["end_s"] - row["start_s"]) / 60
        assert row["d_scr_count"] == pytest.approx(row["scr_count"] / row["good_eda"] - expected)


def test_a_clip_of_which_part_is_masked_is_not_said_to_have_fewer_responses(
    measured: list[Measured],
):
    """A touch lost for 0.4 s costs ten seconds and more; what is left goes on at the same rate."""
    window = measured[0].window
    assert window is not None
    rested_s = window.end_s - window.start_s
    base = {"scr_count": 0.2 * rested_s, "scr_amp_sum_z": 0.1 * rested_s, "good_eda": 1.0}
    base |= {"rsp_sigh_count": 0.02 * rested_s, "rsp_pause_count": 0.0, "good_respiration": 1.0}
    for share in (1.0, 0.64, 0.5):
        clip = {"start_s": 400.0, "end_s": 430.0, "good_eda": share, "good_respiration": share}
        clip |= {"scr_count": 6.0 * share, "scr_amp_sum_z": 3.0 * share, "rsp_sigh_count": 0.6 * share}
        clip |= {"rsp_pause_count": 0.5 * share, "scr_rate": 12.0}
        changed = _changed(clip, base, window)
        assert changed["scr_count"] == clip["scr_count"]  # as counted
        for name, change in (("scr_count", 0.0), ("scr_amp_sum_z", 0.0), ("rsp_sigh_count", 0.0)):
            assert changed[f"d_{name}"] == pytest.approx(change, abs=1e-9)
        assert changed["d_rsp_pause_count"] == pytest.approx(0.5)
        rested = {**base, "scr_count": base["scr_count"] * share, "good_eda": share}
        assert _changed(clip, rested, window)["d_scr_count"] == pytest.approx(0.0, abs=1e-9)
    nothing = _changed({**clip, "good_eda": 0.0}, base, window)
    assert math.isnan(nothing["d_scr_count"]) and nothing["d_rsp_pause_count"] == pytest.approx(0.5)


def test_clips_whose_measured_lengths_differ_by_milliseconds_and_have_one_count_have_one_change():
    window = windows.Baseline(124.0, 304.002, 1.0)
    rest = {"scr_count": 17.0, "good_eda": 1.0}
    changes = set()
    for heard_s in (30.003, 29.998, 30.0):
        clip = {"start_s": 400.0, "end_s": 400.0 + heard_s, "scr_count": 3.0, "good_eda": 1.0}
        changes.add(_changed(clip, rest, window)["d_scr_count"])
    assert len(changes) == 1 and changes.pop() == pytest.approx(3.0 - 17.0 / 6.0)


def test_each_count_says_how_its_change_is_counted():
    told = {column.name: column.what for column in columns()}
    for name in ("scr_count", "scr_amp_sum_z", "rsp_sigh_count", "rsp_pause_count", "pulse_beats"):
        assert "as they would be were all of it usable" in told[f"d_{name}"]
        assert "usable" not in told[name]


def test_a_camera_that_is_off_by_two_degrees_changes_no_change(
    rehearsed: Path, measured: list[Measured], monkeypatch: pytest.MonkeyPatch
):
    def warmer(session: Session) -> Source:
        told = session.streams["thermal"].info.channels[0]
        stream = session.streams["thermal"]
        heat = modalities.read_heat(
            stream.samples, stream.times_s(), scale=told.scale, offset=told.offset + 2.0
        )
        return Source(heat, "thermal")

    monkeypatch.setitem(MODALITIES, "thermal", replace(MODALITIES["thermal"], read=warmer))
    found = measure(Job(session_path(rehearsed, "P001", 0)))
    for row, before in zip(found.rows, measured[0].rows, strict=True):
        assert row["face_t_mean"] == pytest.approx(before["face_t_mean"] + 2.0, abs=1e-6)
        for name in ("d_face_t_max", "d_face_t_mean", "d_nose_t_mean"):
            assert row[name] == pytest.approx(before[name], abs=1e-6)


def test_a_missing_stream_is_told_and_takes_nothing_along(
    rehearsed: Path, measured: list[Measured], monkeypatch: pytest.MonkeyPatch
):
    def nothing(_session: Session) -> Source:
        raise DataError("no thermal camera was recorded")

    monkeypatch.setitem(MODALITIES, "thermal", replace(MODALITIES["thermal"], read=nothing))
    found = measure(Job(session_path(rehearsed, "P001", 0)))
    assert found.absent["thermal"] == "no thermal camera was recorded"
    for row, before in zip(found.rows, measured[0].rows, strict=True):
        assert math.isnan(row["face_t_mean"]) and math.isnan(row["d_face_t_mean"])
        assert row["good_thermal"] == 0.0
        assert row["d_hr_mean"] == before["d_hr_mean"]


def test_the_finger_is_read_where_the_ear_is_useless(rehearsed: Path, monkeypatch: pytest.MonkeyPatch):
    path = session_path(rehearsed, "P001", 0)
    lines = modalities._lines

    def shaken(session: Session, kind: str) -> list[modalities._Line]:
        noise = np.random.default_rng(3)
        return [
            replace(line, values=noise.normal(2048, 300, len(line.values))) if "ear" in line.name else line
            for line in lines(session, kind)
        ]

    with Session.open(path) as session:
        assert MODALITIES["ppg"].read(session).name == "board/ppg_ear"
        monkeypatch.setattr(modalities, "_lines", shaken)
        source = MODALITIES["ppg"].read(session)
    assert source.name == "board/ppg_finger"
    assert "of board/ppg_ear can be used" in source.remark


@pytest.mark.parametrize(
    ("name", "is_ear"),
    [("board/ppg_ear", True), ("lsl/Ear PPG", True), ("wearable/ppg_finger", False), ("board/heart", False)],
)
def test_the_ear_is_known_by_the_channel_s_name(name: str, is_ear: bool):
    assert modalities._is_preferred(name) == is_ear


def test_a_decomposition_that_was_not_solved_is_told(rehearsed: Path, monkeypatch: pytest.MonkeyPatch):
    read_skin = modalities.read_skin
    monkeypatch.setattr(
        modalities, "read_skin", lambda *args, **more: replace(read_skin(*args, **more), status="stalled")
    )
    with Session.open(session_path(rehearsed, "P001", 0)) as session:
        assert "cvxEDA stalled before it was solved" in MODALITIES["eda"].read(session).remark


def test_a_session_in_two_parts_has_one_rest(study_of: Callable[..., Path], measured: list[Measured]):
    study = study_of("P001", "P002")
    first, other = (session_path(study, who, 0) for who in ("P001", "P002"))
    shutil.move(other, first.with_name("P001_session-0_part-2.h5"))
    found = measure(Job(first))
    assert found.files == ("P001_session-0.h5", "P001_session-0_part-2.h5")
    assert [row["number"] for row in found.rows] == list(range(1, 31))
    assert found.window == measured[0].window
    late = found.rows[15]
    assert math.isnan(late["d_eda_tonic_mean"]) and math.isfinite(late["d_scr_count"])
    assert any("P001_session-0_part-2.h5 the level of skin conductance" in remark for remark in found.remarks)
    assert late["d_hr_mean"] == pytest.approx(
        measured[1].rows[0]["hr_mean"] - measured[0].baseline["hr_mean"]
    )


def test_the_report_on_the_rest_counts_from_whichever_part_it_was_given_in(
    rehearsed: Path, measured: list[Measured], tmp_path: Path
):
    """The session broke after the rest and before the question: the next part asks it."""
    with Session.open(session_path(rehearsed, "P001", 0)) as session:
        asked = next(event for event in session.events if event.kind == "answer")
        (rest,) = rests(session.events)
        header, stream = session.header, session.streams["board"]
        before = [event for event in session.events if event.time_s <= rest[1]]
        times_s, rows = stream.times_s(), stream.samples()
        first = tmp_path / "P001_session-0.h5"
        writer = SessionWriter(first, header)
        writer.open([stream.info])
        stop = int(np.searchsorted(times_s, rest[1] + 1.0))
        writer.write(Chunk("board", times_s[:stop], rows[:stop], float(times_s[stop - 1])))
        for event in before:
            writer.mark(event)
        writer.close()
        writer = SessionWriter(tmp_path / "P001_session-0_part-2.h5", header)
        writer.open([stream.info])
        writer.write(Chunk("board", times_s[:5000], rows[:5000], float(times_s[4999])))
        writer.mark(replace(asked, time_s=3.0))
        writer.close()
    found = measure(Job(first))
    assert found.window is not None and found.trouble == ""
    assert found.baseline_state == measured[0].baseline_state == asked.data["state"]


def _part(path: Path, of: Session, events: Sequence[Event], until_s: float) -> Path:
    """A file of a session with the board's first seconds and these events."""
    stream = of.streams["board"]
    times_s = stream.times_s()
    stop = int(np.searchsorted(times_s, until_s))
    writer = SessionWriter(path, of.header)
    writer.open([stream.info])
    writer.write(Chunk("board", times_s[:stop], stream.samples()[:stop], float(times_s[stop - 1])))
    for event in events:
        writer.mark(event)
    writer.close()
    return path


def test_a_clip_that_a_later_part_played_was_not_skipped(
    rehearsed: Path, measured: list[Measured], tmp_path: Path
):
    source = session_path(rehearsed, "P001", 0)
    left = [row["clip"] for row in measured[0].rows] + ["never-heard", "never-heard"]
    with Session.open(source) as session:
        events = [Event(20.0 + at, "trial_skipped", data={"clip": clip}) for at, clip in enumerate(left)]
        first = _part(tmp_path / "P001_session-0.h5", session, events, 40.0)
    shutil.copy(source, tmp_path / "P001_session-0_part-2.h5")
    found = measure(Job(first))
    assert len(found.rows) == 15 and found.skipped == ("never-heard",)
    (part,) = protocol([found]).parts
    assert isinstance(part, Table)
    assert dict(zip(part.head, part.rows[0], strict=True))["skipped"] == "1"
    assert measured[0].skipped == ()


@pytest.mark.parametrize(
    ("lasted_s", "told"),
    [
        (10.0, "The rest lasted 10 s; changes need 20 s or more to be counted from."),
        (19.96, "The rest lasted 19.9 s; changes need 20 s or more to be counted from."),
        (None, "There was no rest to count changes from."),
    ],
)
def test_a_rest_that_was_too_short_is_told_from_none(
    rehearsed: Path, tmp_path: Path, lasted_s: float | None, told: str
):
    rest = {"kind": "rest", "step": 2}
    events = [Event(5.0, "step_started", data=rest), Event(5.0 + (lasted_s or 0.0), "step_ended", data=rest)]
    with Session.open(session_path(rehearsed, "P001", 0)) as session:
        path = _part(tmp_path / "P001_session-0.h5", session, events if lasted_s else [], 40.0)
    found = measure(Job(path))
    assert found.window is None and found.trouble == ""
    assert [remark for remark in found.remarks if "rest" in remark] == [told]


def test_whatever_a_damaged_file_raises_is_told_of_its_session(
    rehearsed: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def broken(_session: Session) -> Source:
        raise KeyError("bank 7")

    monkeypatch.setitem(MODALITIES, "thermal", replace(MODALITIES["thermal"], read=broken))
    found = measure(Job(session_path(rehearsed, "P001", 0)))
    assert "cannot be measured ('bank 7'); 'emolab inspect' tells" in found.trouble
    assert (found.participant, found.session) == ("P001", 0)


def test_a_file_that_is_none_is_told(tmp_path: Path):
    path = tmp_path / "P009_session-0.h5"
    path.write_bytes(b"no recording")
    found = measure(Job(path))
    assert "is no HDF5 file" in found.trouble
    assert found.rows == () and found.participant == "P009"
