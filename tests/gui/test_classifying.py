"""What the review and the console say of whom a classifier has learnt from: yes, no, or that nobody knows."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from emolab.core.label import PredictedLabel
from emolab.gui.console.readout import ReadOut
from emolab.gui.review.classifier_dialog import ClassifierDialog
from emolab.gui.review.classifying import Classifying
from emolab.gui.review.model_card import Alarm
from emolab.models.regression import Mlr
from emolab.recording.predicted import Guess
from emolab.review.guesses import keep
from emolab.study import study_file
from emolab.training.people import mark, scope
from tests.gui import review_room as room
from tests.gui.review_room import under_review
from tests.gui.test_console_readout import TOLD
from tests.gui.windows import destroy
from tests.training import listened
from tests.training.test_loading import figures

SAID = PredictedLabel("a-1", "high", (0.25, 0.75), "rtcag")
BY = {"model": "rtcag", "weights": "ab" * 32, "target": "arousal", "windows": "clips as windows"}
RED = "two trials are one and the same: figures of this run cannot be believed"


@pytest.mark.parametrize("told", ["not known", None])
def test_a_lane_whose_training_nobody_knows_says_so(
    qapp: QApplication, tmp_path: Path, told: str | None
) -> None:
    session = room.copy(room.record(tmp_path / "P07_session-2.h5"), tmp_path / "study")
    by = BY | ({"participant": told} if told else {})
    keep(session, [Guess(5.0, 10.0, SAID, ("low", "high"), 0.9)], by)
    with under_review(session) as flow:
        lane = next(one for one in flow.window.lanes.lanes if one.source == "model")
        flow.seek(6.0)
        row = dict(flow.window.facts.rows())["rtcag-arousal"]
        assert row == "high .75, usable 90%, whether in its training is not known"
        dialog = flow.classifying.show_card(lane)
        (alarm,) = dialog.findChildren(Alarm)
        assert "is not known" in alarm.words.text()
        dialog.close()


def test_what_came_of_a_classifier_tells_that_its_training_is_not_known(
    qapp: QApplication, tmp_path: Path
) -> None:
    session = room.copy(room.record(tmp_path / "P07_session-2.h5"), tmp_path / "study")
    with under_review(session) as flow:
        classifying: Classifying = flow.classifying
        ends: list[tuple[str, str]] = []
        classifying.ended.connect(lambda words, level: ends.append((words, level)))
        for answer, level in ((None, "look"), (False, "well"), (True, "act")):
            classifying.guesser.told = {
                "lane": "svm-arousal", "in_training": answer, "windows": [{"predicted": "high"}],
            }  # fmt: skip
            classifying._end("")
            assert ends[-1][1] == level
    assert "1 windows judged" in ends[0][0] and "is not known" in ends[0][0]
    assert "is among those" in ends[2][0] and "not known" not in ends[1][0]


def test_the_choice_tells_of_training_and_of_red_alarms_together(qapp: QApplication, tmp_path: Path) -> None:
    recording = tmp_path / "listening" / "P07" / "P07_session-0.h5"
    people = listened.svm(tmp_path / "run" / "final") / "people.json"
    dialog = ClassifierDialog(recording, "P07")
    dialog.show_run(str(tmp_path / "run"))
    assert "is not known" in dialog.alarm.words.text()
    mine = mark(scope("study", "", Path("listening")), "P07")
    for marks, words in (([mine], f"P07 is among those|{RED}"), ([], RED)):
        people.write_text(json.dumps({"participants": marks, "alarms": [RED]}))
        dialog.show_run(str(tmp_path / "run"))
        assert all(one in dialog.alarm.words.text() for one in words.split("|"))
    assert dialog.alarm.words.text() == RED
    destroy(dialog)


def test_a_regression_is_refused_with_what_is_wanted(qapp: QApplication, tmp_path: Path) -> None:
    Mlr().fit(figures(columns=28)).save(tmp_path / "run" / "final")
    dialog = ClassifierDialog(tmp_path / "listening" / "P07" / "P07_session-0.h5", "P07")
    dialog.show_run(str(tmp_path / "run"))
    assert "guesses ratings; here a model of classes is wanted" in dialog.problem.text()
    assert not dialog.run_button.isEnabled()
    destroy(dialog)


def test_the_read_out_knows_the_study_by_its_id_and_tells_what_nobody_knows(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = tmp_path / "child.sh"
    child.write_text(f"#!/bin/sh\necho '{json.dumps(TOLD)}'")
    child.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(child))
    study = tmp_path / "renamed"
    study_file.make(study)
    where = scope("study", "", study)
    people = listened.svm(tmp_path / "model") / "people.json"
    for facts, warns in (
        ({"scope": where, "participants": [mark(where, "P07")]}, True),
        ({"scope": "study id 0", "participants": [mark("study renamed", "P07")]}, False),
        ({}, False),
    ):
        people.write_text(json.dumps(facts))
        read, said = ReadOut(), []
        read.said.connect(lambda *told, said=said: said.append(told))
        read.start(study, "P07", str(tmp_path / "model"))
        room.until(lambda read=read: not read.is_running)
        assert said[-1][0].startswith("■ in its training") == warns
        assert ("is not known" in said[-1][1]) == (facts == {})
