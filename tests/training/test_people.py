"""Who was learnt from is known by the study's id, where it has one, whatever its folder is called now."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from emolab.study import study_file
from emolab.training import run_examples
from emolab.training.opened import Known
from emolab.training.order import Order
from emolab.training.people import facts_of, mark, scope
from tests.training import listened

CLIPS = ("high", "low")
OF_P001_BEFORE = "0e35ce1e0a49494f"  # of the study in the folder `mine`, by programs that kept capitals


def study(folder: Path, *who: str, has_id: bool = True) -> Path:
    """A study that was recorded in this folder."""
    for one in who:
        path = recording(folder, one)
        path.parent.mkdir(parents=True)
        listened.record(path, CLIPS, participant=one, study=folder.name)
    if has_id:
        study_file.make(folder)
    return folder


def recording(folder: Path, who: str) -> Path:
    return folder / who / f"{who}_session-0.h5"


def learnt(folder: Path) -> Known:
    """What is known of a model that has learnt from all of a study."""
    order = Order("svm", "study", folder, "state")
    found = run_examples.read(order)[1]
    facts = facts_of(order, found.how, found.examples, np.arange(len(found.examples)))
    return Known("svm", folder, found.examples.classes, "ab", facts=json.loads(json.dumps(facts)))


def copied(folder: Path, name: str) -> Path:
    return Path(shutil.copytree(folder, folder.parent / name))


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return study(tmp_path_factory.mktemp("one") / "mine", "P001", "P002")


def test_a_study_that_was_copied_or_renamed_is_the_same_study(mine: Path) -> None:
    copy, again = copied(mine, "copy"), copied(mine, "again")
    for learnt_in in (mine, copy):
        known = learnt(learnt_in)
        for judged in (mine, copy, again):
            assert known.learnt_from(recording(judged, "P001"), "P001", "mine")
            assert known.learnt_from(recording(judged, "P001"), "P001")  # live: there is no header yet
    assert not learnt(mine).learnt_from(recording(again, "P003"), "P003", "mine")


def test_another_study_in_a_folder_of_the_same_name_is_another(mine: Path, tmp_path: Path) -> None:
    other = study(tmp_path / "mine", "P001")
    assert learnt(mine).learnt_from(recording(other, "P001"), "P001", "mine") is False
    assert learnt(other).learnt_from(recording(mine, "P001"), "P001", "mine") is False


def test_without_an_id_the_folder_s_name_and_those_in_the_headers_tell(tmp_path: Path) -> None:
    plain = study(tmp_path / "plain", "P001", has_id=False)
    moved = copied(plain, "moved")
    assert learnt(moved).learnt_from(recording(plain, "P001"), "P001", "plain")
    assert learnt(plain).learnt_from(recording(moved, "P001"), "P001", "plain")
    assert learnt(moved).learnt_from(recording(moved, "P001"), "P001")
    assert not learnt(plain).learnt_from(recording(plain, "P002"), "P002", "plain")


def test_a_recording_taken_out_of_its_study_is_known_by_its_header(mine: Path, tmp_path: Path) -> None:
    alone = tmp_path / "elsewhere" / "P001" / "P001_session-0.h5"
    assert learnt(mine).learnt_from(alone, "P001", "mine")
    assert not learnt(mine).learnt_from(alone, "P001", "theirs")


def test_a_damaged_study_file_leaves_the_names(mine: Path) -> None:
    broken = copied(mine, "broken")
    study_file.path_of(broken).write_text("{")
    assert learnt(mine).learnt_from(recording(broken, "P001"), "P001", "mine")
    assert learnt(broken).learnt_from(recording(mine, "P001"), "P001", "mine")


def test_marks_of_runs_made_before_are_understood(mine: Path) -> None:
    before = {"scope": "study mine", "participants": [OF_P001_BEFORE, "3170131c91a5885a"]}
    known = Known("svm", mine, ("low", "high"), "ab", facts=before)
    assert known.learnt_from(recording(mine, "P001"), "P001", "mine")
    assert known.learnt_from(recording(mine, "p001"), "p001", "mine")
    assert not known.learnt_from(recording(mine, "P002"), "P002", "mine")


def test_capitals_make_nobody_another_person(mine: Path) -> None:
    known = learnt(mine)
    assert known.learnt_from(recording(mine, "p001"), "p001", "mine")
    assert mark("study mine", "P009") == mark("study mine", "p009")


def test_the_marks_of_a_corpus_are_of_its_own_people(tmp_path: Path) -> None:
    assert scope("hku956", "HKU956", tmp_path) == "HKU956"
    facts = {"scope": "HKU956", "participants": [mark("HKU956", "P001")]}
    known = Known("svm", tmp_path, ("low", "high"), "ab", facts=facts)
    assert known.learnt_from(recording(tmp_path, "P001"), "P001", "HKU956") is False


def test_without_a_word_on_whom_it_has_learnt_from_nothing_is_claimed(tmp_path: Path) -> None:
    for facts in ({}, {"target": "arousal"}):
        known = Known("svm", tmp_path, ("low", "high"), "ab", facts=facts)
        assert known.learnt_from(recording(tmp_path, "P001"), "P001", "mine") is None
