"""Figures against scikit-learn's, against hand-reckoned ones, and against chance."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from emolab.core.errors import DataError
from emolab.training import scores
from emolab.training.alarm import of_scores
from emolab.training.scores import (
    area_under_curve,
    judged,
    over_folds,
    permutation_line,
    permutation_of_r,
    regression,
    summary,
)

TWO = ("low", "high")


def guessed(n: int, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    given = rng.dirichlet(np.ones(k), n)
    labels = np.where(rng.random(n) < 0.4, given.argmax(1), rng.integers(0, k, n))
    labels[:k] = np.arange(k)  # each is there
    return labels, given


@settings(deadline=None)
@given(st.integers(2, 5), st.integers(10, 80), st.integers(0, 1000))
def test_each_figure_is_scikit_learns(k: int, n: int, seed: int) -> None:
    labels, given = guessed(n, k, seed)
    said = given.argmax(1)
    found = judged(labels, given, [f"c{c}" for c in range(k)])
    every = {"labels": list(range(k)), "zero_division": 0}
    precision, recall, f1, count = metrics.precision_recall_fscore_support(labels, said, **every)
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(labels, said))
    assert found["macro_f1"] == pytest.approx(f1.mean())
    assert found["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(labels, said))
    assert found["kappa"] == pytest.approx(metrics.cohen_kappa_score(labels, said))
    assert found["majority"] == count.max() / n
    both = precision.mean() + recall.mean()
    harmonic = 2 * precision.mean() * recall.mean() / both if both else 0
    assert found["harmonic_macro_f1"] == pytest.approx(harmonic)
    assert [one["f1"] for one in found["per_class"].values()] == pytest.approx(f1)
    assert found["calibration"]["log_loss"] == pytest.approx(metrics.log_loss(labels, given))
    lazy = np.full(n, count.argmax())
    assert found["majority_macro_f1"] == pytest.approx(
        metrics.f1_score(labels, lazy, average="macro", **every)
    )
    if k == 2:
        assert found["auroc"] == pytest.approx(metrics.roc_auc_score(labels, given[:, 1]))
        assert found["calibration"]["brier"] == pytest.approx(
            2 * metrics.brier_score_loss(labels, given[:, 1])
        )
        assert found["high"]["f1"] == pytest.approx(metrics.f1_score(labels, said, zero_division=0))


@settings(deadline=None)
@given(st.integers(2, 5), st.integers(1, 12), st.integers(0, 1000))
def test_where_classes_are_missing_each_figure_is_still_scikit_learns(k: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    given = rng.dirichlet(np.ones(k), n)
    labels, said = rng.integers(0, k, n), given.argmax(1)
    found = judged(labels, given, [f"c{c}" for c in range(k)])
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, said, average="macro", zero_division=0
    )
    assert found["macro_f1"] == pytest.approx(f1)
    both = precision + recall
    assert found["harmonic_macro_f1"] == pytest.approx(2 * precision * recall / both if both else 0)
    assert found["balanced_accuracy"] == pytest.approx(
        metrics.recall_score(labels, said, labels=np.unique(labels), average="macro", zero_division=0)
    )
    lazy = np.full(n, np.bincount(labels).argmax())
    assert found["majority_macro_f1"] == pytest.approx(metrics.f1_score(labels, lazy, average="macro"))
    line = permutation_line(labels, said, np.zeros(n, int), k, draws=3, seed=seed)
    assert line["observed"] == pytest.approx(f1)
    again = np.random.default_rng(seed).permuted(np.tile(labels, (3, 1)), axis=1)
    shuffled = [metrics.f1_score(one, said, average="macro", zero_division=0) for one in again]
    assert line["mean"] == pytest.approx(np.mean(shuffled))


def test_a_fold_of_three_in_five_states_all_told_is_perfect_and_raises_the_alarm() -> None:
    labels = np.array([0, 1, 2, 2, 3, 4, 0, 1])
    fold_of = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    found = summary(labels, np.eye(5)[labels], fold_of, list("abcde"), draws=20)
    for name in ("macro_f1", "harmonic_macro_f1", "balanced_accuracy", "kappa"):
        assert found["over_folds"][name]["folds"] == [1, 1]
    (alarm,) = of_scores("emolab study", "state", "subject", found)
    assert (alarm.level, alarm.kind) == ("red", "too_good")


def test_the_two_macro_f1_are_two_numbers() -> None:
    # true [2, 1], called [1, 2]: precisions 1 and 1/2, recalls 1/2 and 1, both F1 2/3
    found = judged(np.array([0, 0, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]), TWO)
    assert found["macro_f1"] == pytest.approx(2 / 3)
    assert found["harmonic_macro_f1"] == pytest.approx(0.75)


def test_sd_over_folds_is_that_of_a_population() -> None:
    labels = np.tile([0, 1], 6)
    given = np.eye(2)[labels]
    given[:2] = given[:2, ::-1]  # the first fold is half wrong
    found = summary(labels, given, np.repeat([0, 1, 2], 4), TWO, draws=50)
    spread = found["over_folds"]["accuracy"]
    assert spread["folds"] == [0.5, 1.0, 1.0]
    assert spread["mean"] == pytest.approx(2.5 / 3)
    assert spread["sd"] == pytest.approx(np.std([0.5, 1.0, 1.0]))
    assert found["pooled"]["n"] == 12 and [fold["fold"] for fold in found["folds"]] == [0, 1, 2]


def test_rows_of_a_fold_that_could_not_be_trained_are_counted_not_judged() -> None:
    labels, given = guessed(40, 2, 0)
    fold_of = np.repeat([0, 1, -1, 2], 10)
    given[fold_of == -1] = np.nan
    found = summary(labels, given, fold_of, TWO, draws=20)
    assert found["untested"] == 10 and found["pooled"]["n"] == 30
    with pytest.raises(DataError, match="no row was tested"):
        summary(labels, given, np.full(40, -1), TWO)


def test_a_fold_of_one_class_has_no_curve_and_leaves_json_whole() -> None:
    labels = np.array([1, 1, 1, 0, 1, 0])
    given = np.tile([0.4, 0.6], (6, 1))
    found = summary(labels, given, np.array([0, 0, 0, 1, 1, 1]), TWO, draws=20)
    assert found["over_folds"]["auroc"]["folds"] == [None, 0.5]
    assert found["over_folds"]["auroc"]["mean"] == 0.5
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_guesses_that_know_nothing_lie_on_the_permutation_line() -> None:
    low = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        labels, said, fold_of = rng.random(200) < 0.7, rng.random(200) < 0.6, np.arange(200) % 5
        line = permutation_line(labels.astype(int), said.astype(int), fold_of, 2, draws=200, seed=seed)
        low.append(line["p"])
        assert line["mean"] < line["high_95"] < line["mean"] + 0.1
    assert 0.3 < np.mean(low) < 0.7
    assert np.mean(np.array(low) < 0.05) < 0.2


def test_guesses_that_know_are_over_the_line() -> None:
    labels = np.random.default_rng(0).integers(0, 2, 100)
    line = permutation_line(labels, labels, np.arange(100) % 5, 2, draws=199)
    assert line["observed"] == 1 and line["high_95"] < 0.7
    assert line["p"] == pytest.approx(1 / 200)


def test_always_saying_the_commonest_is_exactly_on_the_line() -> None:
    labels = np.repeat([0, 1], [30, 70])
    line = permutation_line(labels, np.ones(100, int), np.arange(100) % 5, 2, draws=100)
    assert line["p"] == 1 and line["observed"] == pytest.approx(line["mean"])


def test_shuffles_stay_within_their_fold() -> None:
    labels = np.repeat([0, 1], 20)  # a fold is a class: to shuffle changes nothing
    line = permutation_line(labels, labels, labels, 2, draws=20, figure="accuracy")
    assert line["mean"] == 1 and line["p"] == 1


def rated(n: int, knows: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ratings, guesses that know a share of them, and five folds."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n)
    return truth, knows * truth + rng.normal(size=n), np.arange(n) % 5


def test_r_of_guesses_that_know_nothing_lies_on_its_permutation_line() -> None:
    ps = []
    for seed in range(40):
        line = permutation_of_r(*rated(100, 0.0, seed), draws=200, seed=seed)
        assert line is not None and line["figure"] == "r" and abs(line["mean"]) < 0.04 < line["high_95"] < 0.3
        ps.append(line["p"])
    assert 0.3 < np.mean(ps) < 0.7 and np.mean(np.array(ps) < 0.05) < 0.2


def test_r_of_guesses_that_know_is_over_the_line_and_is_the_mean_of_folds() -> None:
    truth, said, fold_of = rated(100, 1.0, 0)
    line = permutation_of_r(truth, said, fold_of, draws=199)
    own = [regression(truth[fold_of == k], said[fold_of == k], 0.0)["r"] for k in range(5)]
    assert line is not None and line["observed"] == pytest.approx(np.mean(own))
    assert line["p"] == pytest.approx(1 / 200) and line["draws"] == 199
    again = np.random.default_rng(0).permuted(np.tile(truth[fold_of == 0], (199, 1)), axis=1)
    shuffled = [np.corrcoef(one, said[fold_of == 0])[0, 1] for one in again]
    alone = permutation_of_r(truth[fold_of == 0], said[fold_of == 0], np.zeros(20), draws=199)
    assert alone is not None and alone["mean"] == pytest.approx(np.mean(shuffled))
    assert alone["high_95"] == pytest.approx(np.quantile(shuffled, 0.95))


def test_folds_without_r_are_left_out_of_its_line() -> None:
    truth, said, fold_of = rated(100, 1.0, 0)
    lazy = np.where(fold_of == 1, 0.5, said)
    line, others = permutation_of_r(truth, lazy, fold_of, draws=50), fold_of != 1
    assert line is not None
    assert line == permutation_of_r(truth[others], said[others], fold_of[others], draws=50)
    assert permutation_of_r(truth, np.full(100, 0.5), fold_of, draws=50) is None
    assert permutation_of_r([], [], [], draws=50) is None


def test_what_the_area_under_the_curve_is_for_ties() -> None:
    assert area_under_curve(np.array([True, False]), np.array([0.5, 0.5])) == 0.5
    assert area_under_curve(np.array([True, True]), np.array([0.5, 0.6])) is None


def test_calibration_bins_hold_every_row_and_give_the_error() -> None:
    labels, given = guessed(300, 3, 1)
    found = judged(labels, given, ("a", "b", "c"))["calibration"]
    assert sum(one["n"] for one in found["bins"]) == 300
    error = sum(one["n"] * abs(one["accuracy"] - one["confidence"]) for one in found["bins"]) / 300
    assert found["ece"] == pytest.approx(error)


def test_ratings_guessed_stand_beside_the_mean() -> None:
    truth = np.array([0.2, 0.4, 0.9])
    found = regression(truth, truth + 0.1, 0.5)
    assert found["rmse"] == pytest.approx(0.1) and found["r"] == pytest.approx(1)
    assert found["rmse_of_mean"] == pytest.approx(np.sqrt((0.09 + 0.01 + 0.16) / 3))
    assert regression(truth, np.full(3, 0.5), 0.5)["r"] is None
    with pytest.raises(DataError, match="NaN"):
        regression(truth, np.array([0.1, np.nan, 0.2]), 0.5)


@pytest.mark.parametrize(
    ("labels", "given", "said"),
    [
        ([], np.zeros((0, 2)), "0 labels"),
        ([0, 1], np.full((2, 3), 1 / 3), "2 labels for probabilities"),
        ([0, 2], np.full((2, 2), 0.5), "places among 2 classes"),
        ([0.0, 1.0], np.full((2, 2), 0.5), "places among 2 classes"),
        ([0, 1], np.full((2, 2), np.nan), "must be numbers"),
        ([0, 1], np.array([[1.5, -0.5], [0.5, 0.5]]), "must be numbers"),
        ([0, 1], np.array([[3.0, 1.0], [0.5, 0.5]]), "1 together"),  # logits
    ],
)
def test_what_cannot_be_judged_is_refused(labels: list[float], given: np.ndarray, said: str) -> None:
    with pytest.raises(DataError, match=said):
        judged(np.array(labels), given, TWO)


def test_figures_of_no_folds_are_none() -> None:
    assert over_folds([])["macro_f1"] == {"mean": None, "sd": None, "folds": []}


def test_shuffles_are_the_same_however_many_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    labels, said, fold_of = rng.integers(0, 2, (3, 60))
    whole = permutation_line(labels, said, fold_of, 2, draws=100)
    monkeypatch.setattr(scores, "DRAWS_AT_ONCE", 7)
    assert permutation_line(labels, said, fold_of, 2, draws=100) == whole


def test_p_is_fine_enough_for_a_table_of_many_cells() -> None:
    labels = np.arange(100) % 2
    assert permutation_line(labels, labels, np.arange(100) % 5, 2)["p"] * 100 < 0.05
