"""Leaks that were put in are told, each by its name; what is clean is left in peace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from emolab.models.classifier import Input
from emolab.models.examples import Examples, whole_trials
from emolab.models.svm import Svm
from emolab.models.tabular import scaling
from emolab.training.alarm import (
    LIMITS,
    Alarm,
    disturbed,
    limit_of_r,
    of_fitting,
    of_labels,
    of_left_out,
    of_ratings,
    of_scores,
    of_simulated,
    of_splits,
)
from emolab.training.splits import Fold, folds

EDA = (Input("eda_features", (128,), "figures"),)
WITH_MUSIC = (*EDA, Input("music", (5,), "figures of the song"))


def corpus(people: int = 12, pieces: int = 8, seed: int = 0, music: bool = False) -> Examples:
    rng = np.random.default_rng(seed)
    pairs = [(who, what) for who in range(people) for what in range(pieces)]
    n = len(pairs)
    inputs: tuple[Any, ...] = (rng.normal(size=(n, 128)).astype(np.float32),)
    if music:
        songs = rng.normal(size=(pieces, 5)).astype(np.float32)
        inputs += (songs[[what for _, what in pairs]],)
    return whole_trials(
        inputs,
        rng.integers(0, 2, n).tolist(),
        ("low", "high"),
        [f"P{who}" for who, _ in pairs],
        [f"S{what}" for _, what in pairs],
        [f"P{who}/S{what}" for who, what in pairs],
        [30.0] * n,
        [(0.1, 0.9)] * n,
    )


def kinds(alarms: tuple[Alarm, ...]) -> dict[str, str]:
    return {alarm.kind: alarm.level for alarm in alarms}


def test_what_a_split_allows_is_amber() -> None:
    rows = corpus()
    assert kinds(of_splits(rows, folds(rows, 4, "subject"), "subject", EDA)) == {"song": "amber"}
    assert kinds(of_splits(rows, folds(rows, 4, "song"), "song", EDA)) == {"subject": "amber"}
    assert kinds(of_splits(rows, folds(rows, 4, "none"), "none", EDA)) == {
        "subject": "amber",
        "song": "amber",
    }
    assert kinds(of_splits(rows, folds(rows, 4, "both"), "both", EDA)) == {}


def test_who_hears_the_music_must_not_know_the_song() -> None:
    rows = corpus(music=True)
    (alarm,) = of_splits(rows, folds(rows, 4, "subject"), "subject", WITH_MUSIC)
    assert (alarm.level, alarm.kind, alarm.rows) == ("red", "song", 96)
    assert alarm.text.startswith("96 of 96 tested rows, in 4 of 4 folds")
    assert "by heart" in alarm.text
    assert "song" not in kinds(of_splits(rows, folds(rows, 4, "both"), "both", WITH_MUSIC))


def test_a_song_on_both_sides_is_red_where_it_tells_the_label() -> None:
    rows = corpus()
    found = folds(rows, 4, "subject")
    (alarm,) = of_splits(rows, found, "subject", EDA, is_own=False)
    assert (alarm.level, alarm.kind, alarm.rows) == ("red", "song", 96)
    assert "the label is the song's mean" in alarm.text
    assert kinds(of_splits(rows, folds(rows, 4, "song"), "song", EDA, is_own=False)) == {"subject": "amber"}


def test_labels_that_are_not_the_participant_s_own_are_amber() -> None:
    rows = corpus()
    found = folds(rows, 4, "subject")
    assert of_labels(rows, found, True, []) == ()
    (means,) = of_labels(rows, found, False, [])
    assert (means.level, means.kind, means.rows, means.folds) == ("amber", "labels", 96, (0, 1, 2, 3))
    assert "the song's mean rating" in means.text
    (lent,) = of_labels(rows, found, True, ["P3", "P7"])
    held = [fold.number for fold in found if np.isin(rows.subjects[fold.test], ["P3", "P7"]).any()]
    assert (lent.level, lent.kind, lent.rows, lent.folds) == ("amber", "labels", 16, tuple(held))
    assert "participants (2) who rated too few songs" in lent.text
    assert len(of_labels(rows, found, False, ["P3"])) == 2


def account(n: int, of: int, of_class: dict[str, int] | None = None) -> dict[str, Any]:
    return {"n": n, "of": of, "why": {"too short": n}, "of_class": of_class}


def test_more_than_a_tenth_left_out_is_amber() -> None:
    assert of_left_out(account(0, 50), None) == () and of_left_out(account(5, 50), None) == ()
    (alarm,) = of_left_out(account(6, 50), None)
    assert (alarm.level, alarm.kind, alarm.folds, alarm.rows) == ("amber", "left_out", (), 0)
    assert alarm.text.startswith("6 of 50 trials were left out (12 %; most often: too short)")


def test_a_class_without_a_row_is_red() -> None:
    lost = {"low": 1, "high": 0, "middle": 4}
    assert of_left_out(account(5, 50, lost), {"low": 20, "high": 1, "middle": 24}) == ()
    one, other = of_left_out(account(5, 50, lost), {"low": 45, "high": 0, "middle": 0})
    assert {one.level, other.level} == {"red"} and {one.kind, other.kind} == {"no_row"}
    assert one.text.startswith("no row is high, and no trial was")
    assert other.text.startswith("no row is middle: all 4 trials of it were left out")


def test_people_are_told_from_simulated_participants() -> None:
    rows = corpus()
    found = folds(rows, 4, "subject")
    assert of_simulated(rows, found, []) == ()
    (alarm,) = of_simulated(rows, found, rows.keys.tolist())
    assert (alarm.level, alarm.kind, alarm.rows, alarm.folds) == ("amber", "simulated", 96, (0, 1, 2, 3))
    assert alarm.text.startswith("96 of 96 tested rows, in 4 of 4 folds, are of simulated participants (12)")
    (alarm,) = of_simulated(rows, found, ["P3/S1", "P7/S0", "P7/S2"])
    assert (alarm.level, alarm.rows) == ("red", 3) and "(2: P3, P7) among people" in alarm.text


def test_a_participant_on_both_sides_is_told_with_number_and_fold() -> None:
    rows = corpus()
    found = list(folds(rows, 4, "subject"))
    strayed = found[2].test[:3]
    found[2] = replace(
        found[2], train=np.sort(np.concatenate([found[2].train, strayed])), test=found[2].test[3:]
    )
    alarms = {alarm.kind: alarm for alarm in of_splits(rows, found, "subject", EDA)}
    assert alarms["subject"].level == "red"
    assert alarms["subject"].folds == (2,)
    who = rows.subjects[strayed]
    assert alarms["subject"].rows == np.isin(rows.subjects[found[2].test], who).sum()


def test_windows_of_one_recording_on_both_sides_are_red() -> None:
    rows = corpus()
    starts_s = np.tile(np.arange(8) * 10.0, 12)
    rows = replace(rows, keys=rows.subjects, starts_s=starts_s, ends_s=starts_s + 20)
    found = folds(rows, 3, "none")
    assert "window" not in kinds(of_splits(rows, found, "none", EDA))
    careless = [
        Fold(0, np.arange(0, 96, 2), np.array([], np.intp), np.arange(1, 96, 2), *[np.array([], np.intp)] * 2)
    ]
    alarms = {alarm.kind: alarm for alarm in of_splits(rows, careless, "none", EDA)}
    assert alarms["window"].level == "red" and alarms["window"].rows == 48


def test_one_recording_under_two_names_is_red() -> None:
    rows = corpus()
    rows.inputs[0][-3:] = rows.inputs[0][:3]  # type: ignore[index]
    alarms = {alarm.kind: alarm for alarm in of_splits(rows, folds(rows, 12, "subject"), "subject", EDA)}
    assert alarms["copy"].level == "red" and alarms["copy"].rows == 6


def test_a_fold_of_one_class_is_told() -> None:
    rows = corpus()
    labels = (np.arange(96) >= 80).astype(np.int64)
    rows = replace(rows, labels=labels)
    alarms = {alarm.kind: alarm for alarm in of_splits(rows, folds(rows, 6, "subject"), "subject", EDA)}
    assert alarms["one_class"].level == "amber" and len(alarms["one_class"].folds) >= 4
    found = of_splits(rows, folds(rows, 6, "subject"), "subject", EDA, is_regression=True)
    assert kinds(found) == {"song": "amber"}, "where ratings are guessed nothing is classified"


def honest(rows: Examples, fold: Fold) -> dict[str, np.ndarray]:
    return Svm().fit(rows.take(fold.train), rows.take(fold.valid)).arrays


def scaled_on_all(rows: Examples, fold: Fold) -> dict[str, np.ndarray]:
    middle, spread = scaling(np.asarray(rows.inputs[0][:], np.float64))
    scaled = replace(rows, inputs=((rows.inputs[0][:] - middle) / np.where(spread == np.inf, 1, spread),))
    return {"middle_of_all": middle, **honest(scaled, fold)}


def peeks_at_labels(rows: Examples, fold: Fold) -> dict[str, np.ndarray]:
    return {**honest(rows, fold), "prior": np.bincount(rows.labels) / len(rows)}


def test_who_learns_from_training_rows_alone_is_left_in_peace() -> None:
    rows = corpus()
    assert of_fitting(honest, rows, folds(rows, 4, "subject")[1]) == ()


@pytest.mark.parametrize(("learn", "named"), [(scaled_on_all, "middle_of_all"), (peeks_at_labels, "prior")])
def test_what_was_fitted_on_test_rows_is_named(learn: Any, named: str) -> None:
    rows = corpus()
    (alarm,) = of_fitting(learn, rows, folds(rows, 4, "subject")[1])
    assert (alarm.level, alarm.kind, alarm.folds) == ("red", "fitted", (1,))
    assert named in alarm.text


class Lazy:
    """Rows drawn when they are asked for, as signal images are."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, rows: Any) -> np.ndarray:
        return self.array[rows]

    def take(self, rows: np.ndarray) -> Lazy:
        return Lazy(self.array[rows])


def test_disturbing_changes_those_rows_and_no_other() -> None:
    rows = corpus()
    lazy = replace(rows, inputs=(Lazy(rows.inputs[0][:]),))
    which = np.array([3, 50])
    before = rows.digest
    for given in (rows, lazy):
        other = disturbed(given, which)
        changed = (other.inputs[0][:] != rows.inputs[0][:]).any(1)
        assert np.flatnonzero(changed).tolist() == [3, 50]
        assert np.flatnonzero(other.labels != rows.labels).tolist() == [3, 50]
        assert other.ratings is not None and rows.ratings is not None
        assert np.flatnonzero((other.ratings != rows.ratings).any(1)).tolist() == [3, 50]
        part = other.take(np.array([50, 4])).inputs[0][:]
        assert np.array_equal(part, other.inputs[0][:][[50, 4]])
        assert np.isfinite(other.inputs[0][:]).all()
    assert rows.digest == before


def reached(figure: str, value: float | None) -> dict[str, Any]:
    return {"over_folds": {"macro_f1": {"mean": 0.5}, "accuracy": {"mean": 0.5}, figure: {"mean": value}}}


@pytest.mark.parametrize(("corpus_name", "target"), list(LIMITS))
def test_a_result_better_than_can_be_is_red(corpus_name: str, target: str) -> None:
    limit = LIMITS[corpus_name, target]
    for group in ("subject", "both"):
        assert not of_scores(corpus_name, target, group, reached(limit.figure, limit.value))
        (alarm,) = of_scores(corpus_name, target, group, reached(limit.figure, limit.value + 0.001))
        assert (alarm.level, alarm.kind) == ("red", "too_good")
        assert "until it is proven" in alarm.text
    assert not of_scores(corpus_name, target, "song", reached(limit.figure, 0.99))


def rated(r: float | None, by_chance: float = 0.05) -> dict[str, Any]:
    line = None if r is None else {"figure": "r", "high_95": by_chance}
    return {"over_folds": {"r": {"mean": r}}, "permutation": line}


@pytest.mark.parametrize("target", ["valence", "arousal"])
def test_ratings_guessed_better_than_can_be_are_red(target: str) -> None:
    for name, r in (("PMEmo", 0.09), ("HKU956", 0.454), ("DEAP", 0.75)):
        for group in ("subject", "both"):
            assert not of_ratings(name, target, group, rated(r - 0.01))
            (alarm,) = of_ratings(name, target, group, rated(r + 0.13))
            assert (alarm.level, alarm.kind) == ("red", "too_good")
            assert alarm.text.startswith(f"r {r + 0.13:.3f} on participants not seen before is above 0.")
        assert not of_ratings(name, target, "song", rated(0.99))
        assert not of_ratings(name, target, "subject", rated(0.99, by_chance=0.995)), (
            "few rows do it by chance"
        )
        assert not of_ratings(name, target, "subject", rated(None))
    assert not of_ratings("HKU956", target, "subject", {"over_folds": {}, "permutation": None})


def test_an_r_is_as_suspect_as_the_classes_cut_from_it() -> None:
    """Two normal figures with the limit of r, cut at their medians, agree as the limit of classes asks."""
    r = limit_of_r("HKU956", "valence").value
    assert r == pytest.approx(0.45399, abs=1e-5)
    rng = np.random.default_rng(0)
    one = rng.normal(size=200_000)
    other = r * one + np.sqrt(1 - r**2) * rng.normal(size=200_000)
    assert ((one > 0) == (other > 0)).mean() == pytest.approx(LIMITS["HKU956", "valence"].value, abs=0.005)


def test_hku956_is_suspected_from_65_hundredths_on() -> None:
    assert of_scores("HKU956", "valence", "subject", reached("macro_f1", 0.66))
    assert not of_scores("HKU956", "valence", "subject", reached("macro_f1", 0.64))


def test_a_study_nobody_knows_is_suspected_when_nearly_perfect() -> None:
    assert of_scores("study", "state", "subject", reached("macro_f1", 0.97))
    assert not of_scores("study", "state", "subject", reached("macro_f1", 0.9))
    assert not of_scores("study", "state", "subject", reached("macro_f1", None))
    assert not of_scores("HKU956", "valence", "subject", {"over_folds": {}}), "every fold was skipped"
