"""Editing labels: what is shown is what the ledger says, back and forth without end."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from emolab.core.errors import DataError, RecordingError
from emolab.core.label import STATES
from emolab.recording.labels import TimedLabel
from emolab.review.desk import Desk, replay

CALM = TimedLabel(10.0, 40.0, clip="calm_1", state="neutral", word="calm", valence=0.2, arousal=-0.5)
FULL_RUN = int(os.environ.get("EMOLAB_EDIT_SEQUENCES", "60"))  # 10000: the campaign of the issue


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "P014_session-0.h5", "anna")


def test_a_label_is_added_changed_split_and_removed(desk: Desk) -> None:
    name = desk.add(CALM, "as she smiles")
    desk.change(name, replace(CALM, state="less_positive", word="thrill"))
    later = desk.split(name, 25.0)
    assert (desk.labels[name].end_s, desk.labels[later].start_s) == (25.0, 25.0)
    assert desk.labels[later].word == "thrill"
    desk.remove(name)
    assert list(desk.labels) == [later]


def test_undo_and_redo_go_on_across_a_restart(desk: Desk, tmp_path: Path) -> None:
    name = desk.add(CALM)
    desk.change(name, replace(CALM, arousal=0.5))
    desk.undo()
    again = Desk(tmp_path / "P014_session-0.h5", "anna")
    assert again.labels == {name: CALM} and again.can_redo
    again.redo()
    assert again.labels[name].arousal == 0.5
    again.undo()
    again.undo()
    assert again.labels == {} and not again.can_undo and again.undo() is None
    again.redo()
    again.add(CALM)
    assert not again.can_redo and again.redo() is None


def test_what_is_said_anew_replaces_the_lane_in_one_act_and_nothing_when_it_is_the_same(desk: Desk) -> None:
    two, three = replace(CALM, start_s=20.0), replace(CALM, start_s=30.0)
    assert desk.say([CALM, two], by={"model": "small"})
    (kept,) = [name for name, label in desk.labels.items() if label == two]
    assert not desk.say([two, CALM], by={"model": "small"}) and len(desk.ledger.acts) == 1
    assert desk.say([two, three]) and len(desk.ledger.acts) == 2
    assert desk.labels[kept] == two and sorted(label.start_s for label in desk.labels.values()) == [
        20.0,
        30.0,
    ]
    desk.undo()
    assert CALM in desk.labels.values()


def test_the_same_labels_by_other_weights_or_with_other_facts_are_an_act_that_changes_none(
    desk: Desk, tmp_path: Path
) -> None:
    desk.say([CALM], "predict", {"model": "small", "run": "runs/1"})
    by = {"model": "small", "run": "runs/2", "participant": "in training"}
    assert not desk.say([CALM], "predict", by)
    assert not desk.say([CALM], "predict", by)
    again = Desk(tmp_path / "P014_session-0.h5", "anna")
    assert [(act.by, len(act.changes)) for act in again.ledger.acts][1:] == [(by, 0)]
    assert list(again.labels.values()) == [CALM]
    assert not desk.say([CALM]) and len(desk.ledger.acts) == 2  # nobody else is named


def test_a_split_is_one_act_to_take_back(desk: Desk) -> None:
    drawn = TimedLabel(0.0, 10.0, trace=tuple((float(t), t / 10, 0.0) for t in range(10)))
    name = desk.add(drawn)
    later = desk.split(name, 4.5)
    assert [len(desk.labels[n].trace) for n in (name, later)] == [5, 5]
    desk.undo()
    assert desk.labels == {name: drawn}


def test_any_past_state_can_be_had(desk: Desk) -> None:
    seen = [dict(desk.labels)]
    name = desk.add(CALM)
    seen.append(dict(desk.labels))
    desk.split(name, 20.0)
    seen.append(dict(desk.labels))
    desk.undo()
    seen.append(dict(desk.labels))
    assert [desk.at(number) for number in range(4)] == seen


def test_what_cannot_be_is_refused_and_leaves_no_act(desk: Desk) -> None:
    name = desk.add(CALM)
    for act in (
        lambda: desk.split(name, 10.0), lambda: desk.split(name, 99.0), lambda: desk.remove("7.0"),
        lambda: desk.change("nothing", CALM),
    ):  # fmt: skip
        with pytest.raises(DataError):
            act()
    desk.change(name, CALM)  # nothing changed: no act
    desk.add_all([])
    assert len(desk.ledger.acts) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"start_s": 2.0, "end_s": 1.0}, {"start_s": float("nan"), "end_s": 1.0},
        {"start_s": 0.0, "end_s": 1.0, "state": "joy"},
        {"start_s": 0.0, "end_s": 1.0, "state": "neutral", "word": "sad"},
        {"start_s": 0.0, "end_s": 1.0, "valence": 1.5}, {"start_s": 0.0, "end_s": 1.0, "arousal": "high"},
        {"start_s": 0.0, "end_s": 1.0, "trace": [[0.5, 2.0, 0.0]]},
        {"start_s": 0.0, "end_s": 1.0, "trace": [[0.5, 0.0, 0.0], [0.4, 0.0, 0.0]]},
        {"start_s": 0.0, "end_s": 1.0, "note": "n" * 5000}, {"start_s": 0.0}, {"colour": "red"},
        {"start_s": 0.0, "end_s": 1.0, "clip": 7},
    ],
)  # fmt: skip
def test_nonsense_is_no_label(fields: dict) -> None:
    with pytest.raises(DataError):
        TimedLabel.from_fields(fields)


STRETCHES = some.tuples(some.floats(0, 1200), some.floats(0.01, 60)).map(
    lambda pair: (round(pair[0], 3), round(pair[0] + pair[1], 3))
)


@some.composite
def labels(draw: some.DrawFn) -> TimedLabel:
    start_s, end_s = draw(STRETCHES)
    state = draw(some.sampled_from([None, *STATES]))
    word = draw(some.none() | some.sampled_from(state.words)) if state else None
    return TimedLabel(
        start_s,
        end_s,
        state=state.key if state else None,
        word=word,
        valence=draw(some.none() | some.floats(-1, 1)),
        tags=tuple(draw(some.lists(some.text(max_size=8), max_size=3))),
        note=draw(some.text(max_size=20)),
    )


LABELS = labels()


@settings(deadline=None)
@given(LABELS)
def test_a_label_comes_back_from_its_fields_as_it_was(label: TimedLabel) -> None:
    assert TimedLabel.from_fields(label.to_fields()) == label


class Editing(RuleBasedStateMachine):
    """Random edits beside a plain model of them: a list of states and a place in it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "P1_session-0.h5"
        self.desk = Desk(self.path, "anna")
        self.states: list[dict[str, TimedLabel]] = [{}]
        self.here = 0

    def teardown(self) -> None:
        assert replay(self.desk.ledger.acts).labels == self.states[self.here]
        assert Desk(self.path, "anna").labels == self.states[self.here]
        self.folder.cleanup()

    def _did(self, after: dict[str, TimedLabel]) -> None:
        if after != self.states[self.here]:
            self.states = [*self.states[: self.here + 1], after]
            self.here += 1

    @rule(label=LABELS)
    def add(self, label: TimedLabel) -> None:
        name = self.desk.add(label)
        self._did({**self.states[self.here], name: label})

    @precondition(lambda self: self.states[self.here])
    @rule(data=some.data(), label=LABELS)
    def change(self, data: some.DataObject, label: TimedLabel) -> None:
        name = data.draw(some.sampled_from(sorted(self.states[self.here])))
        self.desk.change(name, label, "on second thought")
        self._did({**self.states[self.here], name: label})

    @precondition(lambda self: self.states[self.here])
    @rule(data=some.data())
    def remove(self, data: some.DataObject) -> None:
        name = data.draw(some.sampled_from(sorted(self.states[self.here])))
        self.desk.remove(name)
        self._did({other: label for other, label in self.states[self.here].items() if other != name})

    @precondition(lambda self: self.states[self.here])
    @rule(data=some.data(), share=some.floats(0.2, 0.8))
    def split(self, data: some.DataObject, share: float) -> None:
        name = data.draw(some.sampled_from(sorted(self.states[self.here])))
        whole = self.states[self.here][name]
        at_s = whole.start_s + share * (whole.end_s - whole.start_s)
        if not whole.start_s < at_s < whole.end_s:
            return
        later = self.desk.split(name, at_s)
        now = dict(self.states[self.here])
        self._did({**now, name: replace(whole, end_s=at_s), later: replace(whole, start_s=at_s)})

    @rule()
    def undo(self) -> None:
        assert (self.desk.undo() is not None) == (self.here > 0)
        self.here = max(self.here - 1, 0)

    @rule()
    def redo(self) -> None:
        assert (self.desk.redo() is not None) == (self.here < len(self.states) - 1)
        self.here = min(self.here + 1, len(self.states) - 1)

    @rule()
    def restart(self) -> None:
        self.desk = Desk(self.path, "anna")

    @invariant()
    def shows_what_the_model_says(self) -> None:
        assert self.desk.labels == self.states[self.here]
        assert self.desk.can_redo == (self.here < len(self.states) - 1)


TestEditing = Editing.TestCase
TestEditing.settings = settings(
    max_examples=FULL_RUN, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_a_ledger_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "P1_session-0.h5", "anna")
    desk.add(CALM)
    desk.ledger.append("undo", (), of=7)
    with pytest.raises(RecordingError, match="act 2 takes back act 7"):
        Desk(tmp_path / "P1_session-0.h5", "anna")
