"""`emolab validate`: the face beside the report, for people and as JSON."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from emolab.recording.label_ledger import ledgers
from emolab.review import validate as room
from tests.cli.command import emolab
from tests.faces import people
from tests.review import watched


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    people.detector()
    monkeypatch.setattr(room, "load", lambda name: people.ByLight())
    return watched.record(tmp_path / "P07_session-2.h5", ["masked", "away", "glad"])


def test_it_tells_clips_kappa_and_model_as_json(session: Path) -> None:
    told = emolab("validate", session, "--json").json
    assert [(clip["clip"], clip["self"], clip["face"], clip["verdict"]) for clip in told["clips"]] == [
        ("masked", "positive", "negative", "conflict"), ("away", "neutral", "unknown", "unknown"),
        ("glad", "positive", "positive", "agree"),
    ]  # fmt: skip
    assert [clip["coverage"] for clip in told["clips"]] == [1.0, 0.0, 1.0]
    assert set(told["clips"][0]["probabilities"]) == {"negative", "neutral", "positive"}
    assert sum(told["clips"][0]["probabilities"].values()) == pytest.approx(1)
    assert told["clips"][1]["probabilities"] is None
    assert told["model"] == {"name": "by-light", "weights_sha256": people.ByLight.card.weights_sha256}
    assert told["kappa"]["plain"]["value"] == 0.0 and told["kappa"]["plain"]["clips"] == 2
    assert told["conflicts"] == ["masked"] and told["lane"] == "face-by-light"
    assert told["table"]["counts"] == [[0, 0, 0], [0, 0, 0], [1, 0, 1]]


def test_it_tells_people_what_to_look_at(session: Path) -> None:
    said = emolab("validate", session, "--policy", "drop", "--agg", "argmax", "--baseline")
    assert said.code == 0 and said.err == ""
    lines = said.out.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["masked", "away", "glad"]
    assert "no face is seen" in lines[2] and "conflict" in lines[1]
    assert "to look at, the surest first: masked" in said.out
    assert "50% of the 2 clips both speak of agree" in said.out
    assert "2 of 3 clips remain" in said.out and "κ" in said.out
    assert "kept in the lane face-by-light" in said.last


def test_a_dry_run_keeps_nothing(session: Path) -> None:
    assert emolab("validate", session, "--dry", "--json").json["lane"] is None
    assert list(ledgers(session)) == []


def test_without_weights_every_clip_is_unknown_and_it_says_so(
    session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("emolab.faces.fer.places", lambda: [tmp_path / "models"])
    said = emolab("validate", session)
    assert said.code == 0 and "3 unknown" in said.out
    assert "No clip could be judged: no weights of the expression model 'small'" in said.out
    told = emolab("validate", session, "--json").json
    assert {clip["verdict"] for clip in told["clips"]} == {"unknown"} and told["problem"]
    assert told["model"] == {"name": "small", "weights_sha256": None}
    assert told["kappa"]["plain"] == {"value": None, "low": None, "high": None, "clips": 0}


def test_without_torch_the_install_command_is_named(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    said = emolab("validate", session)
    assert said.code == 2 and "pip install 'emolab[faces]'" in said.complaint


def test_a_lane_that_cannot_be_written_is_told_beside_the_result(session: Path) -> None:
    session.with_suffix(".labels").write_text("in the way")
    said = emolab("validate", session, "--json")
    assert said.code == 1 and said.json["lane"] is None and len(said.json["clips"]) == 3
    assert said.complaint.startswith("the lane was not written: ")


def test_wrong_use_is_told(tmp_path: Path) -> None:
    assert "there is no session file" in emolab("validate", tmp_path / "none.h5").complaint
    assert emolab("validate", tmp_path / "none.h5", "--agg", "median").code == 2
