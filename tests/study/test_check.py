"""What `study check` says of recordings that lie in a study more than once."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from emolab.study.check import Finding, check
from emolab.study.sessions import part_path
from tests.recording import made as streams
from tests.study import made


def _twice(study: Path) -> list[Finding]:
    return [one for one in check(study) if one.kind in ("copy", "rival")]


def test_a_copy_is_named_with_what_it_is_a_copy_of(tmp_path: Path) -> None:
    study = made.study(tmp_path / "study", ("P001", "P002"))
    home = study / "P001" / "P001_session-1.h5"
    assert _twice(study) == []
    shutil.copytree(study / "P001", study / "A-backup")
    (found,) = _twice(study)
    assert (found.kind, found.where) == ("copy", study / "A-backup" / "P001_session-1.h5")
    assert found.what == f"is a copy of {home}" and "outside the study" in found.remedy


def test_a_recording_named_after_no_pseudonym_is_told(tmp_path: Path) -> None:
    study = made.study(tmp_path / "study", ("P001",))
    named = study / "P001" / "Anna_session-1.h5"
    shutil.copy(study / "P001" / "P001_session-1.h5", named)
    for name in ("._P001_session-1.h5", "P001_session-1.damaged.h5"):
        (study / "P001" / name).write_bytes(b"x")
    found = [one for one in check(study) if one.kind == "unlisted"]
    assert [one.where for one in found] == [named]
    assert "cannot be a pseudonym" in found[0].what


def test_two_recordings_of_one_session_are_both_named_and_a_later_part_is_not(tmp_path: Path) -> None:
    study = made.study(tmp_path / "study", ("P001",))
    home = study / "P001" / "P001_session-1.h5"
    header = replace(streams.HEADER, participant="P001", session=1)
    later = replace(header, started_utc=header.started_utc + timedelta(hours=1))
    made.record(part_path(home, 2), later, (streams.BOARD,), seconds=1)
    assert _twice(study) == []
    other = study / "P001-again" / "P001_session-1.h5"
    much_later = replace(header, started_utc=header.started_utc + timedelta(days=1))
    made.record(other, much_later, (streams.BOARD,), seconds=1)
    assert {(one.kind, one.where) for one in _twice(study)} == {("rival", home), ("rival", other)}
