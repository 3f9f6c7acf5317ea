"""What was remarked when a session had ended is found again, and goes where the session goes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from emolab.core.errors import RecordingError
from emolab.core.event import Event
from emolab.recording.reader import Session
from emolab.study.export import Hide, export, export_all
from emolab.study.export.deidentify import Codes, deidentified
from emolab.study.export.outgoing import outgoing
from emolab.study.notes import notes
from emolab.study.sessions import notes_path
from tests.recording import made
from tests.study.made import EVENTS, record

WRONG = Event(6.0, "note", data={"text": "the sensor was on the wrong hand"})
LATER = Event(7.5, "note", data={"text": "and the door was open"})


@pytest.fixture
def remarked(tmp_path: Path) -> Path:
    """A session of three seconds, with two remarks after it and lines that say nothing."""
    recording = record(tmp_path / "P07" / "P07_session-2.h5", streams=(made.BOARD,))
    answer = Event(6.5, "answer", data={"clip": "a", "state": "neutral"}).to_json()
    lines = [WRONG.to_json(), '{"time_s": 6.2, "ki', "", answer, LATER.to_json()]
    notes_path(recording).write_bytes("\n".join(lines).encode() + b"\n\xff\xfe\n")
    return recording


def test_notes_come_in_order_and_damaged_lines_do_not(remarked: Path) -> None:
    assert notes(remarked) == [WRONG, LATER]
    assert notes(remarked.with_name("P07_session-3.h5")) == []


def test_notes_that_cannot_be_read_are_told_and_stop_no_export(tmp_path: Path) -> None:
    recording = record(tmp_path / "P07" / "P07_session-2.h5", streams=(made.BOARD,))
    notes_path(recording).mkdir()
    with pytest.raises(RecordingError, match="cannot be read"):
        notes(recording)
    (done,) = export_all(recording, "csv", tmp_path / "out")
    assert done.files and done.troubles[0].startswith("the notes are left out")


def test_notes_are_the_last_events_of_what_goes_out_and_the_session_is_no_longer(remarked: Path) -> None:
    with Session.open(remarked) as session:
        told = outgoing(session)
    assert told.events == [*EVENTS, WRONG, LATER] and told.afterwards == 2
    assert told.end_s == pytest.approx(3.25, abs=0.01)
    files = {path.name: path for path in export(remarked, "csv", remarked.parent / "out")}
    with files["P07_session-2_events.csv"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [json.loads(row["data"])["text"] for row in rows[-2:]] == [
        "the sensor was on the wrong hand", "and the door was open"
    ]  # fmt: skip
    for to in ("xdf", "eaf"):
        (path,) = export(remarked, to, remarked.parent / "out")
        assert b"wrong hand" in path.read_bytes()


def test_of_a_deidentified_session_no_note_is_left_nor_when_it_was_made(remarked: Path) -> None:
    with Session.open(remarked) as session:
        told = deidentified(outgoing(session), Codes())
    assert [event.kind for event in told.events] == [event.kind for event in EVENTS]
    for to in ("csv", "xdf", "eaf", "bids"):
        out = remarked.parent / to
        (done,) = export_all(remarked, to, out, Hide(Codes()))
        assert done.files and not done.troubles
        assert not [path for path in done.files if b"wrong hand" in path.read_bytes()]
