"""What broke off is made whole when its study is opened again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emolab.core.errors import ConfigError
from emolab.recording.reader import Session
from emolab.session import folder, mend
from emolab.session.address import address_path
from emolab.study import participants
from tests.recording import made
from tests.recording.test_survival import told_until, victim


def killed(study: Path, participant: str, session: int) -> Path:
    """A recording of two seconds whose process died."""
    return made.killed(folder.session_path(study, participant, session))


def test_every_session_that_broke_off_is_made_whole(tmp_path: Path) -> None:
    first, second = killed(tmp_path, "P001", 0), killed(tmp_path, "P002", 1)
    assert [found[:2] for found in mend.cut_off(tmp_path)] == [("P001", 0), ("P002", 1)]
    done = mend.mend(tmp_path)
    assert [one.path for one in done] == [first, second]
    assert all(one.until_s == pytest.approx(1.996) and one.can_resume and not one.error for one in done)
    with Session.open(first) as session:
        assert session.outcome == "interrupted" and len(session.streams["board"]) == 500
    assert mend.cut_off(tmp_path) == [] and mend.mend(tmp_path) == []
    assert first.with_name("P001_session-0.damaged.h5").exists()


def test_a_recording_of_which_only_the_journal_is_left_is_made_from_it(tmp_path: Path) -> None:
    path = folder.session_path(tmp_path, "P001", 0)
    path.parent.mkdir()
    with victim(path) as process:
        told_until(process, 3.0)
        process.kill()
        process.wait()
    path.unlink()
    assert mend.cut_off(tmp_path) == [("P001", 0, path)]
    (one,) = mend.mend(tmp_path)
    assert not one.error and one.until_s is not None and one.until_s > 0.5
    assert path.exists() and mend.cut_off(tmp_path) == []


def test_a_file_that_cannot_be_mended_is_told_and_the_others_are(tmp_path: Path) -> None:
    spoilt, sound = killed(tmp_path, "P001", 0), killed(tmp_path, "P002", 0)
    content = spoilt.read_bytes()
    spoilt.write_bytes(content[:12] + bytes(len(content) - 12))
    one, other = mend.mend(tmp_path)
    assert str(spoilt) in one.error and not one.can_resume
    assert other.path == sound and not other.error
    assert spoilt.read_bytes()[:12] == content[:12]


def test_a_study_that_another_computer_may_be_recording_into_is_left_alone(tmp_path: Path) -> None:
    path = killed(tmp_path, "P001", 0)
    before = path.read_bytes()
    address_path(tmp_path).parent.mkdir()
    told = {"port": 4711, "token": "t", "pid": 1, "rings": "r", "host": "lab-pc-2"}
    address_path(tmp_path).write_text(json.dumps(told))
    with pytest.raises(ConfigError, match=r"may be running on the computer 'lab-pc-2'.*emolab recover"):
        mend.mend(tmp_path)
    assert path.read_bytes() == before


def test_what_is_left_of_somebody_who_withdrew_is_not_made_whole_again(tmp_path: Path) -> None:
    path = killed(tmp_path, "P001", 0)
    participants.mark_withdrawn(tmp_path, "P001")
    content = path.read_bytes()
    assert mend.mend(tmp_path) == [] and path.read_bytes() == content
