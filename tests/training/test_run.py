"""A run judges a model on what it never saw, goes on after whatever stopped it, is the same everywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from emolab.core.errors import ConfigError, DataError, ModelError
from emolab.models.classifier import WEIGHTS
from emolab.training import fold_work, run_examples, run_folder
from emolab.training import run as running
from emolab.training.alarm import disturbed
from emolab.training.comparison import compare
from emolab.training.fold_work import FoldTask, work
from emolab.training.learner import Rows, settings_of, taught
from emolab.training.loading import load_classifier
from emolab.training.opened import look
from emolab.training.order import Order
from emolab.training.people import mark, scope
from emolab.training.run import Made, train
from emolab.training.splits import folds
from tests.training.corpora import WRITERS, by_chance, by_skin, by_song, heard, write_pmemo_2019

ROOT = Path(__file__).parents[2]
FOLDS = 3


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    WRITERS["hku956"](folder / "skin", heard(6, 6, by_skin))
    WRITERS["hku956"](folder / "chance", heard(6, 6, by_chance))
    return folder


@pytest.fixture(scope="module")
def order(place: Path) -> Order:
    return Order("svm", "hku956", place / "skin", "valence", folds=FOLDS, cache=place / "cache")


@pytest.fixture(scope="module")
def made(order: Order, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return train(order, tmp_path_factory.mktemp("run") / "svm", command=["emolab", "train", "svm"])


def read(out: Path, name: str = run_folder.METRICS) -> Any:
    return json.loads((out / name).read_text(encoding="utf-8"))


def kept(out: Path) -> dict[str, bytes]:
    """What must be the same whenever and wherever a run was made."""
    names = [out / run_folder.METRICS, out / run_folder.FOLDS, *sorted(out.glob(f"*/{WEIGHTS}"))]
    return {str(path.relative_to(out)): path.read_bytes() for path in names}


def halves(out: Path) -> list[Path]:
    return [path for path in out.rglob("*") if ".part" in path.name]


def test_a_run_has_every_figure_beside_what_chance_does(made: Made) -> None:
    metrics = read(made.out)
    one = metrics["seeds"]["0"]
    assert len(one["folds"]) == FOLDS and one["untested"] == 0
    for name in ("macro_f1", "balanced_accuracy", "kappa", "accuracy", "majority"):
        told = one["over_folds"][name]
        assert told["mean"] == pytest.approx(np.mean(told["folds"]))
        assert told["sd"] == pytest.approx(np.std(told["folds"]))
    assert 0 < one["permutation"]["p"] <= 1 and one["permutation"]["high_95"] < 1
    assert sum(map(sum, one["pooled"]["confusion"])) == 36
    card = (made.out / run_folder.CARD).read_text(encoding="utf-8")
    for words in (
        "balanced accuracy",
        "κ",
        "commonest class",
        "shuffled",
        "| 2 | 12 |",
        "CC BY-NC",
        "emolab train svm",
    ):
        assert words in card
    assert {path.name for path in (made.out / "figures").iterdir()} == {
        f"{name}.{form}" for name in ("confusion", "calibration") for form in ("svg", "png")
    }
    config = read(made.out, run_folder.CONFIG)
    assert len(config["data_sha256"]) == 64 and config["program"]["version"]


def test_predictions_are_a_row_a_tested_trial_and_give_the_same_figures(made: Made) -> None:
    rows = pd.read_parquet(made.out / run_folder.PREDICTIONS)
    assert len(rows) == rows["key"].nunique() == 36
    np.testing.assert_allclose(rows["probability_low"] + rows["probability_high"], 1)
    right = (rows["label"] == rows["guess"]).groupby(rows["fold"]).mean().tolist()
    assert right == pytest.approx(made.metrics["seeds"]["0"]["over_folds"]["accuracy"]["folds"])
    told = read(made.out, run_folder.FOLDS)["folds"]
    assert [set(one["test"]) for one in told] == [set(part["key"]) for _, part in rows.groupby("fold")]


def test_a_result_too_good_for_the_corpus_is_flagged_in_the_run_and_on_the_card(made: Made) -> None:
    assert made.metrics["over_seeds"]["macro_f1"]["mean"] > 0.65
    assert ("red", "too_good") in {(one.level, one.kind) for one in made.alarms}
    assert "**RED** (too good)" in (made.out / run_folder.CARD).read_text(encoding="utf-8")
    assert not {"fitted", "subject"} & {one.kind for one in made.alarms}


def test_a_split_of_single_trials_tells_who_is_on_both_sides(
    order: Order, place: Path, tmp_path: Path
) -> None:
    found = train(replace(order, root=place / "chance", group="none"), tmp_path / "run", with_final=False)
    assert {"subject", "song"} <= {one.kind for one in found.alarms}
    assert "flatters" in (found.out / run_folder.CARD).read_text(encoding="utf-8")
    assert not (found.out / "final").exists()


def test_where_labels_are_means_of_songs_the_run_and_its_card_say_so(order: Order, tmp_path: Path) -> None:
    place = write_pmemo_2019(tmp_path / "2019", heard(6, 6, by_song))
    asked = replace(order, data="pmemo", root=place)
    found = train(asked, tmp_path / "run", with_final=False)
    assert {("amber", "labels"), ("red", "song")} <= {(one.level, one.kind) for one in found.alarms}
    card = (found.out / run_folder.CARD).read_text(encoding="utf-8")
    assert "labels: each song's mean rating" in card and "their own threshold" not in card
    assert "all ratings they gave" not in card
    assert read(found.out, run_folder.CONFIG)["labels"] == {"is_own": False, "population": []}
    apart = train(replace(asked, group="song"), tmp_path / "apart", with_final=False)
    assert ("amber", "labels") in {(one.level, one.kind) for one in apart.alarms}
    assert "song" not in {one.kind for one in apart.alarms}
    rated = train(replace(asked, model="mlr"), tmp_path / "mlr", with_final=False)
    assert "ratings: each song's mean" in (rated.out / run_folder.CARD).read_text(encoding="utf-8")


def test_whoever_has_no_threshold_of_their_own_is_told(order: Order, tmp_path: Path) -> None:
    rows = [*heard(6, 6, by_skin), *heard(7, 3, by_skin)[18:]]
    place = WRITERS["hku956"](tmp_path / "hku956", rows)
    found = train(replace(order, root=place), tmp_path / "run", with_final=False)
    (alarm,) = (one for one in found.alarms if one.kind == "labels")
    assert (alarm.level, alarm.rows) == ("amber", 3) and "participants (1) who" in alarm.text
    card = (found.out / run_folder.CARD).read_text(encoding="utf-8")
    assert "each participant's own threshold" in card and "or all alike: hku06; theirs" in card
    assert read(found.out, run_folder.CONFIG)["labels"] == {"is_own": True, "population": ["hku06"]}


def test_what_looks_at_test_rows_is_found_out(
    order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = fold_work.make_model
    every: list[Any] = []

    def cheating(*asked: Any) -> Any:
        model = honest(*asked)
        fit = model.fit
        model.fit = lambda _, *more, **named: fit(every[0], *more, **named)
        return model

    def again(*asked: Any) -> Any:
        found = run_examples.again(*asked)
        every[:] = [found.examples]
        return found

    class Leaky(fold_work._Once):
        def __call__(self, examples: Any, fold: Any) -> Any:
            every[:] = [examples]
            return super().__call__(examples, fold)

    monkeypatch.setattr(fold_work, "make_model", cheating)
    monkeypatch.setattr(fold_work, "_Once", Leaky)
    digest, _ = run_examples.read(order)
    found = work(FoldTask(order, tmp_path, digest, 0, 0, is_check=True))
    assert [one["kind"] for one in found["alarms"]] == ["fitted"]


def test_what_learnt_from_all_rows_is_there_for_use_with_marks_of_whom_it_knows(
    made: Made, order: Order
) -> None:
    model = load_classifier(made.out / "final")
    _, found = run_examples.read(order)
    rows = found.examples
    assert (model.predict_proba(rows.inputs).argmax(1) == rows.labels).mean() > 0.9
    people = read(made.out / "final", run_folder.PEOPLE)
    where = scope("hku956", "HKU956", order.root)
    assert people["scope"] == where and len(people["participants"]) == 6
    assert {mark(where, who) for who in rows.subjects} == set(people["participants"])
    assert "hku" not in "".join(people["participants"])


def test_a_fold_s_own_classifier_knows_whom_it_saw_and_not_whom_it_was_tested_on(
    made: Made, order: Order
) -> None:
    where, rows = scope("hku956", "HKU956", order.root), run_examples.read(order)[1].examples
    for number, fold in enumerate(folds(rows, order.folds, order.group, order.seed)):
        people = read(made.out / f"fold-{number:02d}", run_folder.PEOPLE)
        tested = {mark(where, who) for who in rows.subjects[fold.test]}
        assert tested and tested.isdisjoint(people["participants"])
        assert tested | set(people["participants"]) == {mark(where, who) for who in rows.subjects}
        assert look(made.out / f"fold-{number:02d}").facts["rows"] == len(fold.train) + len(fold.valid)


def test_two_processes_and_this_one_give_the_same_bytes(made: Made, order: Order, tmp_path: Path) -> None:
    train(order, tmp_path / "local", "local", 2)
    assert kept(tmp_path / "local") == kept(made.out)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    distributed = pytest.importorskip(
        "distributed", reason="Dask is not installed: pip install 'emolab[dask]'"
    )
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", host="127.0.0.1"
    ) as running_one:
        yield running_one.scheduler_address


def test_a_cluster_gives_the_same_bytes(made: Made, order: Order, cluster: str, tmp_path: Path) -> None:
    train(order, tmp_path / "dask", cluster)
    assert kept(tmp_path / "dask") == kept(made.out)


def network(order: Order, epochs: int) -> Order:
    return replace(order, model="feature_cnn", epochs=epochs)


@pytest.mark.slow
def test_a_run_killed_within_a_fold_goes_on_with_the_numbers_of_an_unbroken_one(
    order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = network(order, 25)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    command = ["train", "feature_cnn", "--data", "hku956", "--root", order.root, "--target", "valence"]
    more = ["--folds", FOLDS, "--epochs", 25, "--cache", str(order.cache), "--out", killed]
    slow = (  # a checkpoint each epoch, and all the time in the world to be killed in
        "import sys, time; from emolab.training import fold_work, learning; learning.KEPT_EVERY_S = 0.0; "
        "told = fold_work._Told.__call__; is_there = lambda self, line: "
        "self.folder.name == 'fold-01' and line.epoch >= 5; fold_work._Told.__call__ = lambda self, line: "
        "(told(self, line), time.sleep(600 if is_there(self, line) else 0)); "
        "from emolab.cli.main import run; sys.exit(run(sys.argv[1:]))"
    )
    arguments = [sys.executable, "-c", slow, *map(str, [*command, *more])]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            until(lambda: epoch(killed / "fold-01") >= 5, process)
        finally:
            process.kill()
    assert (killed / "fold-00" / run_folder.RESULT).is_file()
    assert (
        not (killed / "fold-01" / run_folder.RESULT).exists() and not (killed / run_folder.METRICS).exists()
    )
    stamp = (killed / "fold-00" / WEIGHTS).stat().st_mtime_ns
    told: list[tuple[str, int]] = []
    tell = fold_work._Told.__call__

    def counted(self: Any, line: Any) -> None:
        told.append((self.folder.name, line.epoch))
        tell(self, line)

    monkeypatch.setattr(fold_work._Told, "__call__", counted)
    train(long, killed)
    went_on = min(number for name, number in told if name == "fold-01")
    assert went_on > 1 and "fold-00" not in dict(told)
    assert (killed / "fold-00" / WEIGHTS).stat().st_mtime_ns == stamp
    train(long, whole)
    assert kept(killed) == kept(whole) and not halves(killed)
    assert not list(killed.rglob("checkpoint*")) and (killed / "figures" / "learning.svg").is_file()


def epoch(folder: Path) -> int:
    try:
        return int(json.loads((folder / run_folder.PROGRESS).read_text())["epoch"])
    except (OSError, ValueError):
        return 0


def until(is_so: Callable[[], bool], process: subprocess.Popen[Any], at_most_s: float = 120.0) -> None:
    end_s = time.monotonic() + at_most_s
    while not is_so():
        assert process.poll() is None, "it ended before"
        assert time.monotonic() < end_s, "it never came so far"
        time.sleep(0.01)


def dying(task: FoldTask) -> Any:
    """A worker that the system kills in its second fold."""
    if task.number == 1 and not task.is_check:
        os._exit(9)
    return work(task)


def test_a_worker_that_is_killed_is_told_and_costs_its_fold_alone(
    made: Made, order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    with monkeypatch.context() as patched:
        patched.setattr(running, "work", dying)
        with pytest.raises(DataError, match=r"worker process died.*--workers"):
            train(order, out, "local", 1)
    assert not (out / run_folder.METRICS).exists() and not halves(out)
    train(order, out)
    assert kept(out) == kept(made.out)


def test_folds_that_are_done_are_not_learnt_again(
    made: Made, order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    train(order, out)
    (out / "fold-01" / run_folder.RESULT).unlink()
    (out / run_folder.METRICS).unlink()
    learnt: list[str] = []

    def noted(asked: Order, corpus: str, rows: Rows, seed: int, folder: Path, *more: Any) -> Any:
        learnt.append(folder.name)
        return taught(asked, corpus, rows, seed, folder, *more)

    monkeypatch.setattr(fold_work, "taught", noted)
    train(order, out)
    assert learnt == ["fold-01"] and kept(out) == kept(made.out)


def test_a_checkpoint_that_is_damaged_is_begun_anew(order: Order, tmp_path: Path) -> None:
    folder = tmp_path / "run" / "fold-00"
    folder.mkdir(parents=True)
    (folder / "checkpoint.safetensors").write_bytes(b"\x80\x04pickle")
    digest, _ = run_examples.read(network(order, 2))
    found = work(FoldTask(network(order, 2), folder.parent, digest, 0, 0))
    assert found["skipped"] is None and len(found["history"]) == 2


def test_several_seeds_learn_the_same_folds(order: Order, tmp_path: Path) -> None:
    found = train(replace(network(order, 1), seeds=2), tmp_path / "run", with_final=False)
    assert list(found.metrics["seeds"]) == ["0", "1"]
    assert len(found.metrics["over_seeds"]["macro_f1"]["values"]) == 2
    rows = pd.read_parquet(found.out / run_folder.PREDICTIONS)
    sides = [set(zip(part["key"], part["fold"], strict=True)) for _, part in rows.groupby("seed")]
    assert sides[0] == sides[1] and len(rows) == 72
    one, other = (part["probability_high"].tolist() for _, part in rows.groupby("seed"))
    assert one != other


def test_a_seed_that_lost_every_fold_costs_no_other_its_figures(
    order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    well = fold_work.taught

    def lost(order: Order, corpus: str, rows: Rows, seed: int, *more: Any) -> Any:
        if seed == 1:
            raise ModelError("the run is lost")
        return well(order, corpus, rows, seed, *more)

    monkeypatch.setattr(fold_work, "taught", lost)
    found = train(replace(network(order, 1), seeds=2), tmp_path / "run", with_final=False)
    assert len(found.metrics["skipped"]) == order.folds
    assert found.metrics["seeds"]["1"]["folds"] == []
    told = found.metrics["over_seeds"]["macro_f1"]
    assert told["mean"] == found.metrics["seeds"]["0"]["over_folds"]["macro_f1"]["mean"]
    (run,) = compare([found.out])["runs"]
    assert run["permutation_p"] is not None and run["figures"]


def one_high(subject: int, _song: int, rng: np.random.Generator) -> tuple[bool, bool]:
    """Only the first subject is ever low."""
    return subject != 0, bool(rng.random() < 0.5)


def test_a_fold_of_one_class_is_a_recorded_skip(order: Order, tmp_path: Path) -> None:
    WRITERS["hku956"](tmp_path / "corpus", heard(4, 4, one_high))
    asked = replace(order, root=tmp_path / "corpus", labels="fixed", folds=4)
    found = train(asked, tmp_path / "run")
    (skip,) = [one for one in found.metrics["skipped"] if "nothing to tell apart" in one["why"]]
    assert len(found.skipped) == 1 and f"fold {skip['fold']}" in found.skipped[0]
    rows = pd.read_parquet(found.out / run_folder.PREDICTIONS)
    assert skip["fold"] not in set(rows["fold"]) and len(rows) == 12
    assert "**SKIPPED**" in (found.out / run_folder.CARD).read_text(encoding="utf-8")
    assert found.metrics["seeds"]["0"]["untested"] == 4


def test_where_no_fold_can_be_judged_it_is_said(order: Order, tmp_path: Path) -> None:
    WRITERS["hku956"](tmp_path / "corpus", heard(4, 4, lambda *_: (True, True)))
    with pytest.raises(DataError, match=r"no fold could be judged: .* rows are 'high'"):
        train(replace(order, root=tmp_path / "corpus", labels="fixed", folds=4), tmp_path / "run")
    assert not (tmp_path / "run" / run_folder.METRICS).exists()


def test_another_run_s_folder_is_not_written_into(made: Made, order: Order, tmp_path: Path) -> None:
    before = kept(made.out)
    with pytest.raises(ConfigError, match=r"other group \('subject', not 'song'\).*--out"):
        train(replace(order, group="song"), made.out)
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"holds thesis.txt"):
        train(order, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        train(order, tmp_path / "file")
    with run_folder.own(made.out), pytest.raises(ConfigError, match="another process"):
        train(order, made.out)
    assert kept(made.out) == before and (tmp_path / "thesis.txt").read_text() == "mine"


def test_data_that_changed_since_are_told(order: Order, tmp_path: Path) -> None:
    trials = heard(4, 4, by_skin)
    WRITERS["hku956"](tmp_path / "corpus", trials)
    ours = replace(order, root=tmp_path / "corpus")
    train(ours, tmp_path / "run", with_final=False)
    signal = next((tmp_path / "corpus").rglob("EDA/*.csv"))
    signal.write_text(signal.read_text().replace("2", "3"))
    with pytest.raises(ConfigError, match="other data"):
        train(ours, tmp_path / "run", with_final=False)
    with pytest.raises(DataError, match="not those the run began with"):
        work(FoldTask(ours, tmp_path, read(tmp_path / "run", run_folder.CONFIG)["data_sha256"], 0, 0))


def test_settings_are_searched_without_a_look_at_the_test_rows(order: Order) -> None:
    asked = replace(order, search=3)
    tries = settings_of(asked)
    assert tries[0] == {} and len(tries) == 4 and len({str(one) for one in tries}) == 4
    _, found = run_examples.read(asked)
    fold = folds(found.examples, FOLDS, "subject", 0)[1]
    first = taught(asked, "HKU956", Rows(found.examples, fold.train, fold.valid), 0)
    other = taught(asked, "HKU956", Rows(disturbed(found.examples, fold.test), fold.train, fold.valid), 0)
    assert first.settings == other.settings and first.tried == other.tried
    best = max(one["score"] for one in first.tried)
    assert next(one["settings"] for one in first.tried if one["score"] == best) == first.settings
    np.testing.assert_array_equal(first.model.arrays["planes"], other.model.arrays["planes"])


def test_a_search_is_on_the_card_and_a_model_without_settings_refuses_it(
    order: Order, tmp_path: Path
) -> None:
    found = train(replace(order, search=2), tmp_path / "run", with_final=False)
    assert len(found.metrics["chosen"]) == FOLDS and all(
        len(one["tried"]) == 3 for one in found.metrics["chosen"]
    )
    assert "2 settings beside the paper's" in (found.out / run_folder.CARD).read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="no settings to search"):
        train(replace(order, model="mlr", search=2), tmp_path / "other")


def test_regressions_are_judged_beside_the_mean(order: Order, tmp_path: Path) -> None:
    found = train(replace(order, model="svr"), tmp_path / "run")
    over = found.metrics["seeds"]["0"]["over_folds"]
    assert set(over) == {"rmse", "rmse_of_mean", "r"} and over["rmse"]["mean"] > 0
    rows = pd.read_parquet(found.out / run_folder.PREDICTIONS)
    errors = (rows["rating"] - rows["guess"]) ** 2
    by_fold = errors.groupby(rows["fold"]).mean() ** 0.5
    assert by_fold.tolist() == pytest.approx(over["rmse"]["folds"])
