"""A classifier in the review: chosen beside its card, run as a child, seen in a lane and under the curve."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from emolab.core.label import PredictedLabel
from emolab.gui.review import heat_strip
from emolab.gui.review.classifier_dialog import Asked, ClassifierDialog
from emolab.gui.review.classifying import Classifying
from emolab.gui.review.heat_strip import Heat
from emolab.gui.review.model_card import CardView
from emolab.models import LISTENING, MODELS
from emolab.models.classifier import make
from emolab.models.examples import whole_trials
from emolab.models.svm import MusicSvm
from emolab.recording.label_ledger import ledgers
from emolab.recording.predicted import Guess
from emolab.review.guesses import keep
from emolab.signals.audio_features import COMPARE
from emolab.training.opened import DEFAULT, look
from emolab.training.people import mark, scope
from tests.gui import review_room as room
from tests.gui.review_room import key, under_review
from tests.gui.windows import destroy
from tests.training import listened

HEAT = tuple(np.repeat([0.0, 1.0, 0.0], 24).tolist())


def said(clip: str, state: str, p: float) -> PredictedLabel:
    return PredictedLabel(clip, state, (1 - p, p), "rtcag")


GUESSES = (
    Guess(5.0, 10.0, said("a-1", "high", 0.75), ("low", "high"), 0.9, heat=HEAT),
    Guess(14.0, 19.0, PredictedLabel("b-2", "unknown", (), "rtcag"), (), 0.2, "20% can be used"),
)
BY = {"model": "rtcag", "weights": "ab" * 32, "target": "arousal", "windows": "clips as windows"}


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    session = room.copy(room.record(tmp_path / "P07_session-2.h5"), tmp_path / "study")
    keep(session, GUESSES, BY | {"participant": "in training", "run": str(tmp_path / "gone")})
    return session


def test_the_lane_tells_class_and_probability_and_who_was_in_training(
    qapp: QApplication, judged: Path
) -> None:
    with under_review(judged) as flow:
        lane = next(one for one in flow.window.lanes.lanes if one.source == "model")
        assert lane.name == "rtcag-arousal" and lane.in_training and not lane.checks
        flow.seek(6.0)
        rows = dict(flow.window.facts.rows())
        assert rows["rtcag-arousal"] == "■ high .75, usable 90%, was in its training"
        flow.seek(15.0)
        assert "cannot judge: 20% can be used" in dict(flow.window.facts.rows())["rtcag-arousal"]
        assert "1 conflict" not in flow.window.header.conflict_button.text()


def test_where_it_looked_is_seen_under_skin_conductance(qapp: QApplication, judged: Path) -> None:
    with under_review(judged) as flow:
        chart = flow.window.chart
        (heat,) = chart.heats
        assert (heat.from_s, heat.to_s) == (5.0, 10.0) and len(heat.values) == 72
        at = next(k for k, track in enumerate(chart.tracks) if track.kind == "eda")
        place = chart._lane(at).center()
        place.setX(chart.x_of(7.5))
        assert "rtcag-arousal looked here 100%" in chart.tip_at(place)
        place.setX(chart.x_of(12.0))
        assert "looked" not in chart.tip_at(place)


def test_a_heat_is_painted_where_it_belongs_and_nowhere_else() -> None:
    pixels = np.zeros((4, 100, 4), np.uint8)
    heat_strip.paint(pixels, [Heat(20.0, 50.0, (0.0, 1.0, 0.0)), Heat(90.0, 95.0, ())], 0.0, 100.0)
    painted = pixels[0, :, :3].astype(int).sum(1)
    assert not painted[:20].any() and not painted[50:].any() and painted[20:50].all()
    assert (painted[30:40] != painted[25]).all() and (painted[40:50] == painted[25]).all()
    assert heat_strip.words([], 3.0, "net") == ""


def test_the_card_is_a_key_away_and_says_so_when_its_run_is_gone(qapp: QApplication, judged: Path) -> None:
    with under_review(judged) as flow:
        lane = next(one for one in flow.window.lanes.lanes if one.source == "model")
        dialog = flow.classifying.show_card(lane)
        (card,) = dialog.findChildren(CardView)
        assert "cannot be shown" in card.toPlainText() and "clips as windows" in card.toPlainText()
        dialog.close()


def test_without_a_classifier_the_key_says_what_to_do(qapp: QApplication, tmp_path: Path) -> None:
    session = room.copy(room.record(tmp_path / "P07_session-2.h5"), tmp_path / "study")
    with under_review(session) as flow:
        key(flow, "k")
        assert "F6" in flow.window.notice.sentence


def test_the_choice_shows_what_a_model_is_worth_and_warns_in_red(qapp: QApplication, tmp_path: Path) -> None:
    recording = tmp_path / "listening" / "P07" / "P07_session-0.h5"
    people = listened.svm(tmp_path / "run" / "final") / "people.json"
    people.write_text(json.dumps({"participants": [mark(scope("study", "", Path("listening")), "P07")]}))
    dialog = ClassifierDialog(recording, "P07")
    assert dialog.asked == Asked(DEFAULT) and "HKU956" in dialog.card.toPlainText()
    assert "0.534" in dialog.card.toPlainText() and dialog.alarm.isHidden()
    dialog.show_run(str(tmp_path / "run"))
    dialog.windows_button.setChecked(True)
    assert "P07 is among those" in dialog.alarm.words.text() and not dialog.alarm.isHidden()
    assert dialog.asked == Asked(str(tmp_path / "run"), 30.0, 10.0)
    dialog.show_run(str(tmp_path))
    assert not dialog.run_button.isEnabled() and "no classifier" in dialog.problem.text()
    destroy(dialog)


def test_a_model_that_listens_wants_figures_of_the_music(qapp: QApplication, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = [f"k{k}" for k in range(12)]
    rows = (rng.normal(size=(12, COMPARE)).astype(np.float32),)
    heard = whole_trials(rows, [0, 1] * 6, ("low", "high"), names, names, names, [40.0] * 12)
    MusicSvm().fit(heard, seed=0).save(tmp_path / "run" / "final")
    dialog = ClassifierDialog(tmp_path / "listening" / "P07" / "P07_session-0.h5", "P07")
    assert dialog.music_button.isHidden()
    dialog.show_run(str(tmp_path / "run"))
    assert not dialog.music_button.isHidden() and not dialog.run_button.isEnabled()
    dialog.take_music("songs.csv")
    assert dialog.run_button.isEnabled() and dialog.asked.music == "songs.csv"
    dialog.show_run(DEFAULT)
    assert dialog.music_button.isHidden() and dialog.asked == Asked(DEFAULT)
    destroy(dialog)


@pytest.mark.parametrize("name", MODELS)
def test_the_models_that_listen_are_those_that_take_music(name: str) -> None:
    takes = any(one.modality == "music" for one in make(name).spec.inputs)
    assert takes == (name in LISTENING)


@pytest.mark.slow
def test_it_runs_beside_the_window_and_can_be_stopped(qapp: QApplication, tmp_path: Path) -> None:
    path = tmp_path / "study" / "P07" / "P07_session-0.h5"
    path.parent.mkdir(parents=True)
    listened.record(path)
    with under_review(path) as flow:
        classifying: Classifying = flow.classifying
        ends: list[tuple[str, str]] = []
        classifying.ended.connect(lambda words, level: ends.append((words, level)))
        classifying.start(Asked(DEFAULT))
        classifying.ask()  # asked again: stop
        room.until(lambda: bool(ends))
        assert ends[0][0].startswith("The classifier was stopped") and not list(ledgers(path))
        classifying.start(Asked(DEFAULT))
        room.until(lambda: len(ends) == 2, 200.0)
        assert ends[1][1] == "well" and "4 windows judged" in ends[1][0]
        assert any(lane.name == "svm-arousal" for lane in flow.window.lanes.lanes)
        dialog = classifying.show_card(
            next(lane for lane in flow.window.lanes.lanes if lane.name == "svm-arousal")
        )
        assert "CC BY-NC 4.0" in dialog.findChildren(CardView)[0].toPlainText()
        dialog.close()


def test_the_model_that_ships_is_small_and_says_its_licence() -> None:
    known = look(DEFAULT)
    assert sum(path.stat().st_size for path in known.folder.iterdir()) < 2 << 20
    assert "CC BY-NC 4.0" in known.card() and not known.learnt_from(Path("study/P1/P1_session-0.h5"), "P1")
