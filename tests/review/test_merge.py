"""Copies brought home."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from emolab.core.errors import ConfigError, RecordingError
from emolab.recording import label_ledger as ledger
from emolab.recording.labels import TimedLabel
from emolab.review.desk import Desk
from emolab.review.merge import Met, merge
from emolab.study import participants

SAD = TimedLabel(0.0, 30.0, state="most_negative", word="sad")
CALM = TimedLabel(40.0, 70.0, state="neutral", word="calm")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A recording on which Anna has done one act."""
    path = tmp_path / "home" / "P1_session-0.h5"
    Desk(path, "anna").add(SAD)
    return path


def copied(home: Path, to: str) -> Path:
    path = home.parents[1] / to / home.name
    shutil.copytree(ledger.folder_of(home), ledger.folder_of(path))
    return path


def test_another_analysts_lane_comes_whole(home: Path) -> None:
    copy = copied(home, "copy")
    Desk(copy, "berta").add(CALM, "calm breath")
    assert merge(home, copy) == [Met("anna", "same", 0), Met("berta", "new", 1)]
    assert list(Desk(home, "berta").labels.values()) == [CALM]
    assert merge(home, copy) == [Met("anna", "same", 0), Met("berta", "same", 0)]


def test_the_same_analyst_goes_on_where_the_copy_ends(home: Path) -> None:
    copy = copied(home, "copy")
    Desk(copy, "anna").add(CALM)
    assert merge(home, copy) == [Met("anna", "longer", 1)]
    desk = Desk(home, "anna")
    assert list(desk.labels.values()) == [SAD, CALM]
    desk.add(CALM)
    assert merge(home, copy) == [Met("anna", "behind", 0)]


def test_work_done_apart_lies_beside_once_and_grows(home: Path) -> None:
    copy = copied(home, "copy")
    Desk(copy, "anna").add(CALM)
    Desk(home, "anna").undo()
    assert merge(home, copy) == [Met("anna 2", "apart", 2)]
    assert Desk(home, "anna").labels == {}
    assert list(Desk(home, "anna 2").labels.values()) == [SAD, CALM]
    Desk(copy, "anna").add(SAD)
    assert merge(home, copy) == [Met("anna 2", "longer", 1)]


def test_a_damaged_copy_changes_nothing_at_home(home: Path) -> None:
    copy = copied(home, "copy")
    Desk(copy, "anna").add(CALM)
    Desk(copy, "berta").add(CALM)
    path = ledger.folder_of(copy) / "berta.jsonl"
    path.write_bytes(path.read_bytes().replace(b"calm", b"fear"))
    with pytest.raises(RecordingError, match="not as it was written"):
        merge(home, copy)
    assert list(Desk(home, "anna").labels.values()) == [SAD]


def test_another_recording_is_no_copy(home: Path, tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="choose its copy"):
        merge(home, tmp_path / "P2_session-0.h5")


def test_labels_of_somebody_who_withdrew_are_not_brought_back(tmp_path: Path) -> None:
    home = tmp_path / "study" / "P014" / "P014_session-0.h5"
    copy = tmp_path / "copy" / "P014" / home.name
    Desk(copy, "anna").add(SAD)
    participants.admit(home.parents[1], "P014")
    participants.mark_withdrawn(home.parents[1], "P014")
    with pytest.raises(ConfigError, match="P014 withdrew"):
        merge(home, copy)
    assert not ledger.folder_of(home).exists()
