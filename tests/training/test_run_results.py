"""What a run tells beside its figures: whom they are of, what was left out, and what cannot be read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emolab.core.errors import DataError
from emolab.datasets.sessions import Sessions
from emolab.devices.simulation.effect import EFFECTS
from emolab.session import rehearsal
from emolab.signals.audio_features import COMPARE
from emolab.training import run_folder
from emolab.training.opened import look
from emolab.training.order import Order
from emolab.training.run import Made, train
from tests.training import listened
from tests.training.corpora import WRITERS, by_chance, by_skin, heard

FOLDS = 3


def read(out: Path, name: str = run_folder.METRICS) -> Any:
    return json.loads((out / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three simulated participants with a board."""
    folder = tmp_path_factory.mktemp("rehearsed") / "study"
    board = rehearsal.devices_text(("board",))
    rehearsal.rehearse(rehearsal.Order(folder, 3, 5, devices_text=board, effect=EFFECTS["lively"]), jobs=1)
    return folder


def test_figures_of_simulated_participants_are_never_told_as_those_of_people(
    study: Path, tmp_path: Path
) -> None:
    made = train(Order("svm", "study", study, "group", folds=FOLDS), tmp_path / "run")
    (alarm,) = (one for one in made.alarms if one.kind == "simulated")
    rows = read(made.out, run_folder.CONFIG)["rows"]
    assert (alarm.level, alarm.rows, alarm.folds) == ("amber", rows, (0, 1, 2))
    assert "simulated participants (3), not of people" in alarm.text
    assert alarm.text in {one["text"] for one in read(made.out)["alarms"]}
    assert alarm.text in (made.out / run_folder.CARD).read_text(encoding="utf-8")
    assert alarm.text in look(made.out).alarms, "whoever lets it judge people must know"


def music_without(group: str, study: Path, path: Path) -> Path:
    """A table of music for a study's clips, but for those to which anybody reported a state of `group`."""
    corpus = Sessions(study, "group")
    clips = {corpus.one(ref).playing.clip for ref in corpus.trials()}
    clips -= {corpus.one(ref).playing.clip for ref in corpus.trials() if ref.label == group}
    rng = np.random.default_rng(0)
    lines = [",".join(["musicId", *(f"f{k}" for k in range(COMPARE))])]
    lines += [",".join([clip, *map(str, rng.normal(size=COMPARE).round(3))]) for clip in sorted(clips)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_class_whose_trials_were_all_left_out_is_red_and_what_was_left_out_is_counted(
    study: Path, tmp_path: Path
) -> None:
    table = music_without("positive", study, tmp_path / "music.csv")
    order = Order("music_svm", "study", study, "group", folds=FOLDS, music=table)
    made = train(order, tmp_path / "run", with_final=False)
    account, kept = read(made.out)["left_out"], read(made.out, run_folder.CONFIG)["rows"]
    positive = sum(ref.label == "positive" for ref in Sessions(study, "group").trials())
    assert account["of"] == 45 and kept + account["n"] == 45 and account["of_class"]["positive"] == positive
    (why, count), *_ = account["why"].items()
    assert why.startswith("the table has no song …; it has ") and count >= positive > 10
    (most,) = (one for one in made.alarms if one.kind == "left_out")
    assert most.level == "amber" and most.text.startswith(f"{account['n']} of 45 trials were left out")
    (gone,) = (one for one in made.alarms if one.kind == "no_row")
    assert (
        gone.level == "red" and f"no row is positive: all {positive} trials of it were left out" in gone.text
    )
    told = (made.out / run_folder.CARD).read_text(encoding="utf-8")
    assert most.text in told and gone.text in told


def test_simulated_participants_among_people_are_red(study: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "study"
    shutil.copytree(study, mixed)
    shutil.rmtree(mixed / "P003")
    for who in ("P007", "P008"):
        (mixed / who).mkdir()
        listened.record(mixed / who / f"{who}_session-0.h5", participant=who)
    made = train(Order("svm", "study", mixed, "group", folds=FOLDS), tmp_path / "run", with_final=False)
    (alarm,) = (one for one in made.alarms if one.kind == "simulated")
    assert alarm.level == "red" and alarm.rows == read(made.out, run_folder.CONFIG)["rows"] - 8
    assert "simulated participants (2: P001, P002)" in alarm.text and "people" in alarm.text


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return WRITERS["hku956"](tmp_path_factory.mktemp("corpus") / "hku956", heard(6, 6, by_chance))


@pytest.fixture(scope="module")
def order(corpus: Path) -> Order:
    return Order("svm", "hku956", corpus, "valence", folds=FOLDS, cache=corpus.parent / "cache")


@pytest.fixture(scope="module")
def made(order: Order, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return train(order, tmp_path_factory.mktemp("run") / "svm")


def test_where_ratings_are_guessed_nothing_is_said_of_classes(order: Order, tmp_path: Path) -> None:
    """Each participant is high or low throughout, so that every fold of three is of one class somewhere."""
    place = WRITERS["hku956"](tmp_path / "corpus", heard(6, 6, lambda who, _song, _rng: (who > 2, who > 2)))
    next(place.rglob("EDA/*.csv")).unlink()
    asked = replace(order, model="mlr", root=place, labels="fixed", folds=6)
    found = train(asked, tmp_path / "run", with_final=False)
    assert not {"one_class", "no_row"} & {one.kind for one in found.alarms}
    assert found.metrics["left_out"]["n"] == 1 and found.metrics["left_out"]["of_class"] is None
    classes = train(replace(asked, model="svm"), tmp_path / "svm", with_final=False)
    assert "one_class" in {one.kind for one in classes.alarms}


def test_a_regression_stands_beside_what_shuffled_ratings_reach(order: Order, tmp_path: Path) -> None:
    found = train(replace(order, model="svr"), tmp_path / "run", with_final=False)
    one = read(found.out)["seeds"]["0"]
    line = one["permutation"]
    assert line["figure"] == "r" and line["observed"] == pytest.approx(one["over_folds"]["r"]["mean"])
    assert line["draws"] == 10_000 and abs(line["mean"]) < 0.02 and 0.2 < line["high_95"] < 0.4
    assert 0.01 < line["p"] <= 1 and one["untested"] == 0
    assert "too_good" not in {one.kind for one in found.alarms}


def test_ratings_guessed_too_well_are_red_in_the_run_and_on_the_card(order: Order, tmp_path: Path) -> None:
    place = WRITERS["hku956"](tmp_path / "corpus", heard(6, 6, by_skin))
    found = train(replace(order, model="mlr", root=place), tmp_path / "run", with_final=False)
    (alarm,) = (one for one in found.alarms if one.kind == "too_good")
    assert alarm.level == "red" and " above 0.454" in alarm.text
    assert found.metrics["seeds"]["0"]["permutation"]["p"] < 0.01
    assert alarm.text in (found.out / run_folder.CARD).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("fold-02", lambda _: {}),
        ("fold-00", lambda _: {}),
        ("fold-00", lambda _: []),
        ("fold-01", lambda done: done | {"seed": 7}),
        ("fold-01", lambda done: done | {"skipped": 3}),
        ("fold-01", lambda done: done | {"guesses": done["guesses"][1:]}),
        ("fold-01", lambda done: done | {"guesses": [[1.0]] * len(done["guesses"])}),
        ("fold-01", lambda done: done | {"guesses": "high"}),
        ("fold-01", lambda done: done | {"guesses": [[None, 1.0]] * len(done["guesses"])}),
        ("fold-01", lambda done: done | {"history": None}),
        ("fold-01", lambda done: done | {"programs": ["emolab"]}),
        ("fold-01", lambda done: {name: told for name, told in done.items() if name != "settings"}),
        ("check", lambda _: {}),
        ("check", lambda done: done | {"alarms": [{"level": "red"}]}),
        ("final", lambda _: {}),
    ],
)
def test_a_result_that_no_fold_has_written_is_named_with_the_remedy(
    order: Order, made: Made, tmp_path: Path, where: str, change: Callable[[Any], Any]
) -> None:
    out = tmp_path / "run"
    shutil.copytree(made.out, out)
    path = out / where / run_folder.RESULT
    run_folder.write_json(path, change(run_folder.read_json(path)))
    with pytest.raises(DataError) as told:
        train(order, out)
    assert f"{path} is not as a run has written it; delete it, and run the same command" in str(told.value)
    path.unlink()
    assert train(order, out).metrics == made.metrics
