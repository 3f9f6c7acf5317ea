"""`emolab predict`: a lane of predicted labels, by model and weights, and nothing else touched."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from emolab.recording.label_ledger import folder_of, ledgers, read
from emolab.recording.labels import TimedLabel
from emolab.review.desk import Desk
from emolab.review.guesses import heats, was_learnt_from
from emolab.review.lanes import lanes
from emolab.review.timeline import Timeline
from emolab.training.opened import look, open_model
from emolab.training.people import mark, scope
from tests.cli.command import emolab
from tests.training import listened


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    people = listened.svm(folder / "final") / "people.json"
    own = mark(scope("study", "emolab study", Path("listening")), "P07")
    people.write_text(json.dumps({"target": "arousal", "participants": [own]}))
    (folder / "card.md").write_text("# What it is worth\n")
    return folder


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return listened.record(tmp_path_factory.mktemp("recorded") / "P07_session-0.h5", study="study")


@pytest.fixture
def session(recorded: Path, tmp_path: Path) -> Path:
    path = tmp_path / "study" / "P07" / recorded.name
    path.parent.mkdir(parents=True)
    shutil.copy(recorded, path)
    return path


def test_it_writes_a_lane_by_model_and_weights(run: Path, session: Path) -> None:
    told = emolab("predict", run, session, "--json").json
    assert [(one["clip"], one["predicted"]) for one in told["windows"]] == [
        ("high-0", "high"), ("low-1", "low"), ("high-2", "high"), ("low-3", "low"),
    ]  # fmt: skip
    assert set(told["windows"][0]["probabilities"]) == {"low", "high"}
    weights = open_model(run).known.weights
    assert told["model"]["weights_sha256"] == weights and told["model"]["target"] == "arousal"
    assert told["lane"] == "svm-arousal" and not told["in_training"] and told["window_s"] is None
    (path,) = ledgers(session)
    (act,) = read(path).acts
    assert act.by["weights"] == weights and act.by["windows"] == "clips as windows"
    with Timeline(session) as line:
        (lane,) = (one for one in lanes(line) if one.source == "model")
    assert not lane.in_training and lane.checks == {} and heats(lane.guesses.values()) == []
    assert lane.words(next(iter(lane.labels))).startswith("high ")


def test_the_same_again_is_no_act_and_other_windows_are_one(run: Path, session: Path) -> None:
    for _ in range(2):
        emolab("predict", run, session)
    (path,) = ledgers(session)
    assert len(read(path).acts) == 1
    told = emolab("predict", run, session, "--window", 20, "--hop", 10, "--json").json
    assert (told["window_s"], told["hop_s"]) == (20.0, 10.0) and told["lane"] == "svm-arousal"
    acts = read(path).acts
    assert len(acts) == 2 and acts[1].by["windows"] == "windows of 20 s every 10 s"


def test_other_lanes_are_left_as_they_are(run: Path, session: Path) -> None:
    desk = Desk(session, "anna")
    desk.add(TimedLabel(30.0, 70.0, clip="high-0", state="neutral"))
    before = {path: path.read_bytes() for path in ledgers(session)}
    emolab("predict", run, session)
    assert {path: path.read_bytes() for path in before} == before
    assert [path.stem for path in ledgers(session)] == ["anna", "svm-arousal"]


def test_other_weights_have_a_lane_of_their_own(run: Path, session: Path, tmp_path: Path) -> None:
    from emolab.models.svm import Svm

    emolab("predict", run, session)
    Svm().fit(listened.figures(36), seed=0).save(tmp_path / "other")
    shutil.copy(run / "final" / "people.json", tmp_path / "other")
    told = emolab("predict", tmp_path / "other", session, "--json").json
    assert told["lane"] == f"svm-arousal-{told['model']['weights_sha256'][:4]}"
    assert len(list(ledgers(session))) == 2


def test_whoever_was_in_the_training_set_is_warned_of(run: Path, session: Path, tmp_path: Path) -> None:
    path = tmp_path / "listening" / "P07" / session.name
    path.parent.mkdir(parents=True)
    shutil.copy(session, path)
    said = emolab("predict", run, path)
    assert "■ P07 is among those from whom this model has learnt" in said.last
    with Timeline(path) as line:
        (lane,) = (one for one in lanes(line) if one.source == "model")
    assert lane.in_training
    assert emolab("predict", run, path, "--json").json["warning"]


def test_where_nobody_noted_whom_it_has_learnt_from_it_says_so(session: Path, tmp_path: Path) -> None:
    bare = listened.svm(tmp_path / "bare")
    told = emolab("predict", bare, session, "--json").json
    assert told["in_training"] is None and "is not known" in told["warning"]
    assert "■ Whether P07 is among those from whom" in emolab("predict", bare, session).last
    with Timeline(session) as line:
        (lane,) = (one for one in lanes(line) if one.source == "model")
    assert lane.by["participant"] == "not known" and was_learnt_from(lane.by) is None
    assert not lane.in_training


def test_what_the_lane_says_of_whom_it_has_learnt_from_is_read_back(run: Path, session: Path) -> None:
    for marks, answer in (([], False), ([mark("study study", "P07")], True)):
        folder = listened.svm(session.parent / f"model-{answer}")
        (folder / "people.json").write_text(json.dumps({"target": f"{answer}", "participants": marks}))
        told = emolab("predict", folder, session, "--json").json
        assert told["in_training"] is answer
        with Timeline(session) as line:
            (lane,) = (one for one in lanes(line) if one.name == told["lane"])
        assert was_learnt_from(lane.by) is answer and lane.in_training is answer


def test_red_alarms_of_the_run_are_told_also_of_a_fold_s_own_model(
    session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    red = "two trials are one and the same: figures of this run cannot be believed"
    made, fold = tmp_path / "run", tmp_path / "run" / "fold-00"
    for folder, alarms in ((made / "final", [red]), (fold, [])):
        listened.svm(folder)
        (folder / "people.json").write_text(json.dumps({"participants": [], "alarms": alarms}))
    assert emolab("predict", fold, session, "--json", "--dry").json["alarms"] == []  # not finished
    alarms = [{"level": "amber", "text": "few"}, {"level": "red", "text": red}]
    (made / "metrics.json").write_text(json.dumps({"alarms": alarms}))
    for folder in (made, fold):
        assert emolab("predict", folder, session, "--json", "--dry").json["alarms"] == [red]
        assert f"■ {red}" in emolab("predict", folder, session, "--dry").out
    monkeypatch.chdir(fold)
    assert look(".").alarms == (red,)
    (made / "metrics.json").write_text("{}")
    assert "metrics.json is not as a run" in emolab("predict", fold, session).complaint


def test_a_dry_run_keeps_nothing_and_people_read_it(run: Path, session: Path) -> None:
    said = emolab("predict", run, session, "--dry")
    assert said.code == 0 and said.err == "" and "2 high, 2 low of arousal; clips as windows" in said.out
    assert list(ledgers(session)) == []


def test_wrong_use_is_told_in_a_sentence(run: Path, session: Path, tmp_path: Path) -> None:
    for words, what in (
        (("predict", tmp_path, session), "holds no classifier"),
        (("predict", run, tmp_path / "none.h5"), "there is no session file"),
        (("predict", run, session, "--window", 3), "--window"),
        (("predict", run, session, "--hop", 5), "--hop 5 needs --window"),
        (("predict", run, session.parent), f"a session file is wanted: {session}"),
        (("predict", run, session.parent.parent), f"a session file is wanted: {session}"),
        (("predict", run, run), "no session file lies in it"),
        (("predict", run, "--live", tmp_path), "no engine runs"),
    ):
        said = emolab(*words)
        assert said.code == 2 and what in said.complaint
    assert emolab("predict", run).code == 2  # neither a session nor a live one


def test_what_a_model_is_worth_is_told_by_its_card(run: Path, session: Path, tmp_path: Path) -> None:
    assert f"\nwhat it is worth: {run / 'card.md'}" in emolab("predict", run, session, "--dry").out
    bare = listened.svm(tmp_path / "bare")
    said = emolab("predict", bare, session, "--dry")
    assert f"\nwhat it is worth is not known: {bare} has no card.md" in said.out
    notes = ["it is at chance", "not for sale"]
    (bare / "people.json").write_text(json.dumps({"notes": notes}))
    assert "\n    it is at chance\n    not for sale\n" in emolab("predict", bare, session, "--dry").out
    assert emolab("predict", bare, session, "--dry", "--json").json["model"]["notes"] == notes
    (bare / "people.json").write_text(json.dumps({"notes": "it is at chance"}))
    assert "people.json is not as a run has written it" in emolab("predict", bare, session).complaint


def test_the_model_that_ships_tells_what_it_is_not_for(session: Path) -> None:
    said = emolab("predict", "default", session, "--dry")
    card = look("default").card_place
    assert card is not None and f"what it is worth: {card}\n" in said.out
    for words in ("little above chance", "whole songs", "CC BY-NC 4.0"):
        assert words in said.out.partition("what it is worth")[2]


def test_a_lane_that_cannot_be_written_is_told_beside_the_result(run: Path, session: Path) -> None:
    folder_of(session).write_text("in the way")
    said = emolab("predict", run, session, "--json")
    assert said.code == 1 and said.json["lane"] is None and said.json["not_kept"]
    assert len(said.json["windows"]) == 4 and "the lane was not written" in said.complaint
    assert emolab("predict", run, session, "--dry").code == 0  # none was asked for


def test_the_model_that_ships_says_something_of_every_clip(session: Path) -> None:
    told = emolab("predict", "default", session, "--json").json
    assert all(one["predicted"] for one in told["windows"]) and told["model"]["target"]
    assert "CC BY-NC 4.0" in look("default").card()
