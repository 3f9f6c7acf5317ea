"""A recording that lies in the study twice is one recording: its clips count once, and everybody is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import h5py
import pytest

from emolab.analysis.study import analyse as analyse_with_figures
from emolab.analysis.study import opened
from emolab.cli.main import run
from emolab.study.sessions import session_path

analyse = partial(analyse_with_figures, forms=())


def test_a_copied_recording_counts_once_and_is_told(
    study_of: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    study, out = study_of("P001", "P002"), tmp_path / "out"
    shutil.copytree(study / "P001", study / "A-backup")  # comes before P001
    home, copy = session_path(study, "P001", 0), study / "A-backup" / "P001_session-0.h5"
    assert run(["analyse", str(study), "--out", str(out), "--workers", "1", "--json", "--figures", ""]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["clips"], told["sessions"], told["participants"]) == (30, 2, 2)
    (trouble,) = told["troubles"]
    assert f"{copy} is left out: it is a copy of {home}" in trouble
    page = (out / "report.html").read_text()
    assert str(copy) in page and str(home) in page
    again = opened(study, out)
    assert {fact.what: fact.number for fact in again.facts}["sessions in bad health"] == "0"
    assert {fact.what: fact.number for fact in again.facts}["clips heard"] == "30"


def test_the_copy_of_a_recording_that_cannot_be_read_counts(study_of: Callable[..., Path], tmp_path: Path):
    study = study_of("P001")
    shutil.copytree(study / "P001", study / "P001-backup")
    session_path(study, "P001", 0).write_bytes(b"no recording")
    found = analyse(study, tmp_path / "out")
    assert len(found.table) == 15
    assert [one.is_copy for one in found.sessions] == [False, False]


def test_a_later_part_that_lies_elsewhere_too_counts_once(study_of: Callable[..., Path], tmp_path: Path):
    study = study_of("P001", "P002")
    first = session_path(study, "P001", 0)
    second = first.with_name("P001_session-0_part-2.h5")
    shutil.move(session_path(study, "P002", 0), second)
    (study / "old").mkdir()
    shutil.copy(second, study / "old")
    found = analyse(study, tmp_path / "out")
    assert len(found.table) == 30
    assert [one.is_copy for one in found.sessions] == [False, True]


def test_two_recordings_of_one_session_both_count_and_both_are_told(
    study_of: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    study, out = study_of("P001"), tmp_path / "out"
    shutil.copytree(study / "P001", study / "P001-again")
    home, other = session_path(study, "P001", 0), study / "P001-again" / "P001_session-0.h5"
    with h5py.File(other, "r+") as file:
        later = file.attrs["started_utc"].replace(b"2000-", b"2001-")
        assert later != file.attrs["started_utc"]
        file.attrs.modify("started_utc", later)
    assert run(["analyse", str(study), "--out", str(out), "--workers", "1", "--figures", ""]) == 0
    said = capsys.readouterr().out
    for path in (home, other):
        assert f"look: {path} is another recording that calls itself session 0 of P001" in said
        assert str(path) in (out / "report.html").read_text()
    assert "1 participant, 2 sessions, 30 clips" in said
