"""From a face that both cameras see to how they lie, and to warmth where no head is found."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emolab.analysis import kept
from emolab.analysis.cameras import calibrate, completed
from emolab.analysis.measure import Job, measure
from emolab.analysis.modalities import BY_CAMERA, FOUND, MODALITIES, NOT_SEEN
from emolab.analysis.study import Asked, analyse
from emolab.core.errors import ConfigError, DataError
from emolab.recording.film import Film
from emolab.recording.reader import Session
from emolab.study import thermal_calibration
from emolab.study.thermal_calibration import ThermalCalibration
from tests.analysis import filmed
from tests.analysis.filmed import Take
from tests.faces import people

pytestmark = pytest.mark.slow

MOVING = Take()
SUNNY = Take(20.0, way_px=(10.0, 5.0), sunny_s=(8.0, 14.0), away_s=(15.0, 17.0))


@pytest.fixture(scope="module", autouse=True)
def _with_faces() -> None:
    people.detector()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set-up take and a session of a study."""
    folder = tmp_path_factory.mktemp("two cameras") / "study"
    (folder / ".emolab").mkdir(parents=True)
    filmed.record(folder / "P007" / "P007_session-2.h5", SUNNY)
    filmed.record(folder / "P009" / "P009_session-0.h5", MOVING)
    return folder


@pytest.fixture(scope="module")
def made(study: Path) -> ThermalCalibration:
    return calibrate(study / "P009" / "P009_session-0.h5", people.detector())


def test_a_recording_tells_how_its_cameras_lie(study: Path, made: ThermalCalibration) -> None:
    assert made.pairs >= 28 and made.calibration.points >= 0.9 * made.pairs
    assert made.residual_px < 0.05 * made.head_px
    assert np.linalg.norm(made.calibration.matrix[:, 0]) == pytest.approx(filmed.SCALE, rel=0.08)
    assert made.rgb == {"model": "C1", "shape": [240, 320]} and made.thermal["model"] == "T1"
    with Session.open(study / "P007" / "P007_session-2.h5") as session:  # another take, seen by the map alone
        film, at_s = Film(session), np.arange(0.0, 14.0, 0.6)
        boxes = np.stack([people.detector().find(film.near(time_s)[1]).boxes[0] for time_s in at_s])
    off_px = filmed.off_px(made.calibration, SUNNY, boxes, at_s)
    assert np.isfinite(off_px).all()
    assert np.abs(np.median(off_px, axis=0)).max() < 0.08 * made.head_px  # hair hides a little of the head
    assert np.abs(off_px - np.median(off_px, axis=0)).max() < 0.05 * made.head_px


def test_the_face_is_measured_where_the_colour_camera_sees_it(study: Path, made: ThermalCalibration) -> None:
    path = study / "P007" / "P007_session-2.h5"
    with Session.open(path) as session:
        plain = MODALITIES["thermal"].read(session)
        whole = completed(session, plain, made.to_json(), people.detector())
    sunny, away = (
        (plain.body.times_s >= s) & (plain.body.times_s < e) for s, e in (SUNNY.sunny_s, SUNNY.away_s)
    )
    assert plain.body.is_sound[sunny].mean() < 0.2, "the sun does not hide the head; nothing is tested"
    assert whole.body.is_sound[sunny].mean() > 0.95 and not whole.body.is_sound[away].any()
    face_c, nose_c = filmed.true_c(SUNNY)
    assert abs(np.nanmedian(whole.body.face_mean_c[sunny]) - face_c) < 0.15
    assert abs(np.nanmedian(whole.body.nose_c[sunny]) - nose_c) < 0.2
    frames = len(plain.body)
    assert whole.ways[BY_CAMERA] == pytest.approx(sunny.sum(), abs=3)
    assert whole.ways[FOUND] == plain.ways[FOUND]
    assert sum(whole.ways.values()) == sum(plain.ways.values()) == frames
    assert whole.remark.startswith(f"{whole.ways[BY_CAMERA] / frames:.1%} of the frames were measured where")


def test_an_analysis_takes_the_calibration_of_its_study_and_says_so(
    study: Path, made: ThermalCalibration, tmp_path: Path
) -> None:
    place = study / "P007" / "P007_session-2.h5"
    before = analyse(place, tmp_path / "out", forms=("svg",))
    assert BY_CAMERA not in before.report.read_text()
    thermal_calibration.write(thermal_calibration.path_of(study), made)
    try:
        found = analyse(place, tmp_path / "out", forms=("svg",))
    finally:
        thermal_calibration.path_of(study).unlink()
    (one,) = found.sessions
    assert one.ways[BY_CAMERA] > 20 and one.ways[NOT_SEEN] >= 7
    page = found.report.read_text()
    assert "How the face was found in the thermal film" in page and f"calibration of {made.day}" in page
    assert "of the frames no head was found; it was taken where the colour camera" in page
    assert kept.load(tmp_path / "out")[kept.key(Job(place, calibration=made.to_json()))].ways == one.ways


def test_a_calibration_may_be_named(study: Path, made: ThermalCalibration, tmp_path: Path) -> None:
    thermal_calibration.write(tmp_path / "cameras.json", made)
    place = study / "P007" / "P007_session-2.h5"
    found = analyse(place, tmp_path / "out", Asked(calibration=tmp_path / "cameras.json"), forms=("svg",))
    assert found.sessions[0].ways[BY_CAMERA] > 20
    with pytest.raises(ConfigError, match="emolab calibrate thermal"):
        analyse(place, tmp_path / "out", Asked(calibration=tmp_path / "none.json"))


def test_a_calibration_of_other_cameras_is_not_used(study: Path, made: ThermalCalibration) -> None:
    other = replace(made, thermal={"model": "T2", "shape": [120, 160]})
    found = measure(Job(study / "P007" / "P007_session-2.h5", calibration=other.to_json()))
    assert BY_CAMERA not in found.ways
    assert any("another thermal camera, T2 with 160×120 px; this is T1" in told for told in found.remarks)


def test_without_torch_the_film_stays_and_the_remark_names_the_extra(
    study: Path, made: ThermalCalibration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "facenet_pytorch", None)
    found = measure(Job(study / "P007" / "P007_session-2.h5", calibration=made.to_json()))
    assert BY_CAMERA not in found.ways and found.ways[FOUND] > 40
    assert any("pip install 'emolab[faces]'" in told for told in found.remarks)


@pytest.mark.parametrize(
    ("take", "why"),
    [
        (Take(12.0), "moments only"),
        (Take(30.0, mirrored=True), "mirrored"),
        (Take(30.0, away_s=(0.0, 30.0)), "0 moments only"),
    ],
)
def test_a_recording_that_cannot_tell_is_refused_with_the_reason(
    tmp_path: Path, take: Take, why: str
) -> None:
    path = filmed.record(tmp_path / "P001_session-0.h5", take)
    with pytest.raises(DataError, match=why):
        calibrate(path, people.detector())


def test_a_file_that_is_no_calibration_is_told(tmp_path: Path, made: ThermalCalibration) -> None:
    path = tmp_path / "cameras.json"
    told = json.loads(made.to_json())
    for wrong in (
        "", "[]", "{}", "null", '{"schema": 1}',
        json.dumps({**told, "schema": 2}), json.dumps({**told, "map": {}}),
        json.dumps({**told, "rgb": {"model": "C1", "shape": [240]}}),
        json.dumps({**told, "head_px": "wide"}),
        json.dumps({**told, "pairs": -1}), json.dumps({**told, "residual_px": float("nan")}),
    ):  # fmt: skip
        path.write_text(wrong)
        with pytest.raises(ConfigError, match="no calibration of two cameras"):
            thermal_calibration.read(path)
    path.write_text(made.to_json())
    assert thermal_calibration.read(path) == made
    assert "P009" not in made.to_json()
