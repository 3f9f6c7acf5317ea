"""`emolab merge`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from emolab.cli.main import run
from emolab.recording.labels import TimedLabel
from emolab.review.desk import Desk
from tests.review.test_merge import recorded


def test_labels_made_on_a_copy_come_home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home, away = tmp_path / "home" / "P1" / "P1_session-0.h5", tmp_path / "away" / "P1" / "P1_session-0.h5"
    recorded(home)
    Desk(home, "anna").add(TimedLabel(1.0, 2.0, state="neutral"))
    shutil.copytree(home.parent, away.parent)
    Desk(away, "anna").add(TimedLabel(3.0, 4.0, state="neutral"))
    Desk(away, "ben").add(TimedLabel(5.0, 6.0, state="neutral"))
    assert run(["merge", str(home), str(away), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["lanes"]
    assert told == [
        {"name": "anna", "how": "longer", "acts": 1},
        {"name": "ben", "how": "new", "acts": 1},
    ]
    assert len(Desk(home, "anna").labels) == 2
    assert run(["merge", str(home), str(away)]) == 0
    assert capsys.readouterr().out == "anna: the same in both\nben: the same in both\n"


def test_another_recording_is_no_copy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home, other = tmp_path / "P1_session-0.h5", tmp_path / "P2_session-0.h5"
    assert run(["merge", str(home), str(other)]) == 2
    assert "is not the recording P1_session-0" in capsys.readouterr().err


def test_a_copy_that_is_not_there_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = recorded(tmp_path / "P1_session-0.h5")
    assert run(["merge", str(home), str(tmp_path / "nowhere" / home.name)]) == 2
    assert "neither a recording" in capsys.readouterr().err
    copy = recorded(tmp_path / "copy" / home.name)
    assert run(["merge", str(home), str(copy)]) == 0
    assert capsys.readouterr().out == f"{copy} has no labels\n"
