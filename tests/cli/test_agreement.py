"""`emolab agreement`: lanes that cannot be read are told, never left out without a word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emolab.cli.main import run
from emolab.core.event import Event
from emolab.recording import label_ledger
from emolab.recording.labels import TimedLabel
from emolab.recording.writer import SessionWriter
from emolab.review.desk import Desk
from tests.recording.made import HEADER


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """Two clips; Anna, Ben and Cy say the same of both, and Anna's ledger was altered afterwards."""
    path = tmp_path / "P07_session-2.h5"
    writer = SessionWriter(path, HEADER)
    writer.open([])
    for start_s in (10.0, 50.0):
        clip = f"clip-{start_s:.0f}"
        writer.mark(Event(start_s, "clip_onset", data={"clip": clip, "fitted_s": start_s}))
        writer.mark(Event(start_s + 30.0, "clip_ended", data={"clip": clip}))
    writer.close()
    for name in ("anna", "ben", "cy"):
        for start_s, state in ((10.0, "neutral"), (50.0, "most_positive")):
            Desk(path, name).add(TimedLabel(start_s, start_s + 30.0, state=state))
    altered = label_ledger.folder_of(path) / "anna.jsonl"
    altered.write_bytes(altered.read_bytes().replace(b"neutral", b"neutraI", 1))
    return path


def test_a_lane_whose_ledger_is_broken_is_told_beside_the_figures(
    session: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["agreement", str(session), "--json"]) == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert told["lanes"] == ["ben", "cy"]
    ((name, why),) = [(one["name"], one["why"]) for one in told["left_out"]]
    assert name == "anna" and "line 2 is not as it was written" in why
    assert said.err == f"emolab: anna is left out: {why}\n"


def test_a_lane_that_is_named_and_cannot_be_read_is_refused(
    session: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["agreement", str(session), "--lanes", "anna,ben"]) == 2
    assert "anna.jsonl: line 2 is not as it was written" in capsys.readouterr().err
    assert run(["agreement", str(session), "--lanes", "ben,cy"]) == 0
    assert "is left out" not in capsys.readouterr().err


def test_where_too_few_lanes_are_left_those_left_out_are_told_all_the_same(
    session: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (label_ledger.folder_of(session) / "cy.jsonl").unlink()
    assert run(["agreement", str(session)]) == 2
    said = capsys.readouterr().err
    assert "anna is left out" in said and "two lanes at least" in said
