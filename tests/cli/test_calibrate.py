"""`emolab calibrate thermal`: what it prints and keeps, and how it refuses."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from emolab.study import thermal_calibration
from tests.cli.command import emolab
from tests.faces import people


@pytest.fixture(autouse=True)
def _with_faces() -> None:
    people.detector()


@pytest.mark.slow
def test_a_session_of_the_simulated_participant_tells_how_its_cameras_lie(
    recorded: Path, tmp_path: Path
) -> None:
    file = tmp_path / "cameras.json"
    said = emolab("calibrate", "thermal", recorded, "--out", file)
    assert said.code == 0 and said.err == "" and said.last == f"kept in {file}"
    assert "moments agree" in said.out and "of a head's width" in said.out
    made = thermal_calibration.read(file)
    assert made.calibration.points >= 0.9 * made.pairs >= 20
    assert made.residual_px < 0.06 * made.head_px
    told = emolab("calibrate", "thermal", recorded, "--dry", "--json").json
    assert told["kept"] is None and told["residual_px"] == made.residual_px and told["moments"] == made.pairs
    assert (
        told["thermal"] == made.thermal and not thermal_calibration.path_of(recorded.parent.parent).exists()
    )
    assert "P001" not in file.read_text()


def test_without_a_thermal_film_it_is_refused_and_nothing_kept(tmp_path: Path) -> None:
    from tests.review import watched

    (tmp_path / "study" / ".emolab").mkdir(parents=True)
    path = tmp_path / "study" / "P001" / "P001_session-0.h5"
    path.parent.mkdir()
    watched.record(path, ["glad"])
    said = emolab("calibrate", "thermal", path)
    assert said.code == 1 and said.out == ""
    assert "not calibrated: P001_session-0.h5 has no thermal film" in said.complaint
    assert not thermal_calibration.path_of(tmp_path / "study").exists()


def test_wrong_use_is_told(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stray = tmp_path / "P001_session-0.h5"
    assert "lies in no study; say with --out FILE" in emolab("calibrate", "thermal", stray).complaint
    assert "there is no session file" in emolab("calibrate", "thermal", stray, "--dry").complaint
    assert emolab("calibrate", "sound", recorded).code == 2
    monkeypatch.setitem(sys.modules, "facenet_pytorch", None)
    assert "pip install 'emolab[faces]'" in emolab("calibrate", "thermal", recorded, "--dry").complaint
