"""Whose labels an analysis goes by, and when a face still contradicts them."""

from __future__ import annotations

from pathlib import Path

import pytest

from emolab.analysis.labels import analysts, check_lane, labels
from emolab.core.errors import ConfigError, RecordingError
from emolab.recording.label_ledger import Ledger, folder_of
from emolab.recording.labels import Change, TimedLabel
from emolab.recording.trials import Trial

CLIP = Trial(1, "a", 100.0, 130.0, said=TimedLabel(100.0, 130.0, clip="a", state="most_positive"), how="done")
FACE = TimedLabel(100.0, 130.0, clip="a", tags=("negative", "conflict"))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return tmp_path / "P001_session-0.h5"


def _decides(recording: Path, analyst: str, label: TimedLabel) -> None:
    Ledger.open(recording, analyst).append("edit", (Change("1", None, label),))


def _sees(recording: Path, face: TimedLabel = FACE) -> None:
    Ledger.open(recording, "face-small").append("edit", (Change("1", None, face),), by={"model": "small"})


def _tamper(recording: Path, name: str) -> None:
    path = folder_of(recording) / f"{name}.jsonl"
    path.write_bytes(path.read_bytes().replace(b"130.0", b"131.0"))


def test_a_face_against_the_report_is_a_conflict_and_decides_nothing(recording: Path):
    _sees(recording)
    told = labels(recording)
    assert told.is_conflict(CLIP)
    assert told.of(CLIP) == ("most_positive", None)


def test_an_analyst_who_sees_what_the_face_saw_ends_the_conflict(recording: Path):
    _sees(recording)
    _decides(recording, "anna", TimedLabel(100.0, 130.0, clip="a", state="less_negative"))
    assert labels(recording, "anna").of(CLIP) == ("less_negative", None)
    assert not labels(recording, "anna").is_conflict(CLIP)
    assert labels(recording).is_conflict(CLIP)


def test_an_analyst_s_label_of_less_than_half_a_clip_is_not_about_it(recording: Path):
    _decides(recording, "anna", TimedLabel(100.0, 114.0, state="neutral"))
    assert labels(recording, "anna").of(CLIP) == ("most_positive", None)


def test_a_report_nobody_gave_may_still_be_decided(recording: Path):
    _decides(recording, "anna", TimedLabel(100.0, 130.0, state="neutral"))
    mute = Trial(1, "a", 100.0, 130.0, how="done")
    assert labels(recording, "anna").of(mute) == ("neutral", None)
    assert labels(recording).of(mute) == (None, None)


def test_a_ledger_that_was_tampered_with_matters_to_those_who_go_by_it(recording: Path):
    _decides(recording, "anna", TimedLabel(100.0, 130.0, clip="a", state="neutral"))
    _tamper(recording, "anna")
    with pytest.raises(RecordingError, match=r"anna\.jsonl: line 2"):
        labels(recording, "anna")
    told = labels(recording)
    assert told.of(CLIP) == ("most_positive", None)
    assert len(told.unsound) == 1 and "anna.jsonl: line 2" in told.unsound[0]


def test_what_a_model_saw_in_faces_is_no_set_of_labels(recording: Path):
    _sees(recording)
    with pytest.raises(ConfigError, match="none of the five states"):
        check_lane([recording], "face-small")
    with pytest.raises(ConfigError, match=r"nobody called 'anna'.*face-small"):
        check_lane([recording], "anna")


def test_an_analyst_of_a_later_part_alone_is_known(recording: Path):
    later = recording.with_name("P001_session-0_part-2.h5")
    later.write_bytes(b"")
    _decides(later, "anna", TimedLabel(0.0, 30.0, state="neutral"))
    check_lane([recording], "anna")


def test_a_face_is_no_analyst(recording: Path) -> None:
    _decides(recording, "anna", TimedLabel(100.0, 130.0, clip="a", state="neutral"))
    _sees(recording)
    assert analysts([recording]) == ["anna"]
    ledger = folder_of(recording) / "anna.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b"neutral", b"Neutral"))
    assert analysts([recording]) == ["anna"]
