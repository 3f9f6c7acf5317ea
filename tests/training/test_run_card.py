"""A run's card tells how the model learnt, what a label is, and on which scale a rating was guessed."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emolab.datasets import hku956
from emolab.devices.simulation.effect import EFFECTS
from emolab.session.rehearsal import Order as Rehearsal
from emolab.session.rehearsal import devices_text, rehearse
from emolab.training import card_learning, run_folder
from emolab.training.card_labels import SCALES
from emolab.training.corpus_labels import FACTS
from emolab.training.order import Order
from emolab.training.recipes import Recipe, recipe_of
from emolab.training.run import train
from tests.training.corpora import by_chance, by_skin, by_song, heard, write_hku956, write_pmemo_2019

FOLDS = 3
SHIPPED = Path(hku956.__file__).parents[1] / "shipped" / "models" / "hku956" / "card.md"

Made = Callable[..., tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_hku956(tmp_path_factory.mktemp("corpus") / "HKU956", heard(6, 6, by_skin))


@pytest.fixture(scope="module")
def made(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The card and the metrics of a run."""
    usual = Order("svm", "hku956", place, "valence", folds=FOLDS, cache=place.parent / "cache")

    def made(with_final: bool = False, **asked: Any) -> tuple[str, dict[str, Any]]:
        out = tmp_path_factory.mktemp("runs") / "run"
        found = train(replace(usual, **asked), out, with_final=with_final)
        return (out / run_folder.CARD).read_text(encoding="utf-8"), found.metrics

    return made


def section(card: str, name: str) -> str:
    """What stands under a heading."""
    return card.split(f"\n## {name}\n")[1].split("\n## ")[0]


def rows(text: str, first: str) -> list[list[str]]:
    """The rows of the table whose heading begins with `first`."""
    lines = text.splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith(f"| {first} |"))
    found = []
    for line in lines[at + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def test_a_network_s_card_tells_its_recipe_and_marks_what_departs_from_it(made: Made) -> None:
    card, _ = made(with_final=True, model="rtcag", epochs=2, folds=2)
    told = section(card, "How it learnt")
    for words in (
        "403,114 parameters",
        "input: `eda`, 3 × 2500: origin, phasic and tonic",
        "epochs of batches of about 256 rows",
        "momentum 0.9, no weight decay",
        "rate 0.001, times 0.9 every 15 epochs",
        "**departs from the recipe: 2 epochs instead of 100**",
        "its first step, after 15 epochs, is never reached",
        "it learns from 12 rows in a fold; batches an epoch: 1\n",
        "torch 2.",
    ):
        assert words in told, words
    names = [row[0] for row in rows(told, "fold")]
    assert names == ["0", "1", "`final/`"]
    assert all(row[3] == "2" and row[4] in ("1", "2") for row in rows(told, "fold"))


def test_what_is_set_of_a_network_is_a_departure_and_what_is_as_usual_is_none(made: Made) -> None:
    options = (("ablation", "re"), ("depth", 1), ("lr_step_unit", "iteration"))
    told = section(made(model="rtcag", epochs=1, folds=2, options=options)[0], "How it learnt")
    assert (
        "instead of 100, its rate falls by iterations instead of epochs, ablation re instead of rf**" in told
    )
    assert "394,346 parameters, ablation re, depth 1" in told


def test_a_classical_model_s_card_tells_its_settings(made: Made) -> None:
    told = section(made()[0], "How it learnt")
    assert "settings: linear kernel, C 0.25" in told and "129 parameters" in told
    assert "it learns from 24 rows in a fold" in told
    told = section(made(model="forest")[0], "How it learnt")
    assert "300 trees, which grow until a leaf holds one class" in told and "departs" not in told
    told = section(made(model="svr")[0], "How it learnt")
    assert "Gaussian kernel" in told and "C 1, errors up to 0.1 of a scale from 0 to 1" in told
    assert "nothing to set" in section(made(model="mlr")[0], "How it learnt")


def test_a_search_tells_which_settings_won_in_which_fold(made: Made) -> None:
    card, metrics = made(search=3)
    table = rows(section(card, "How it learnt"), "fold")
    assert len(table) == FOLDS
    for row, one in zip(table, metrics["chosen"], strict=True):
        c = one["settings"].get("c")
        assert row[3] == ("as the paper has it" if c is None else f"**C {c:g}**")
        best = max(each["score"] for each in one["tried"])
        assert row[4] == f"{best:.3f}" and row[5] == f"{one['tried'][0]['score']:.3f}"
    other = sum(bool(one["settings"]) for one in metrics["chosen"])
    said = f"**settings other than the paper's were the best in {other} of {FOLDS} folds**"
    assert (said in card) == (other > 0)


@pytest.mark.parametrize(
    ("recipe", "learnt_from", "told"),
    [
        (recipe_of("res_si"), [774, 780], "its first step, after 300 iterations, is never reached"),
        (recipe_of("res_si"), [774, 780], "17 epochs are 136 at most"),
        (recipe_of("res_si"), [774], "patience 20 cannot stop it within 17 epochs"),
        (recipe_of("res_si"), [700, 5000], "reached in 1 of 2"),
        (Recipe(30, 10, 0.1, factor=0.5, step=30), [50], "its first step, after 30 epochs, is never reached"),
        (Recipe(21, 10, 0.1), [50], "patience 20 cannot stop it within 21 epochs"),
    ],
)
def test_what_of_a_recipe_can_never_happen_is_told(recipe: Recipe, learnt_from: list[int], told: str) -> None:
    assert told in "; ".join(card_learning.idle([(recipe, n) for n in learnt_from]))


@pytest.mark.parametrize(
    ("recipe", "learnt_from"),
    [
        (recipe_of("rtcag"), 774),
        (replace(recipe_of("res_si"), patience=None), 2000),  # 20 batches, 340 iterations
        (recipe_of("rtcag", "authors"), 774),  # a rate that has no steps, and no patience
        (Recipe(31, 10, 0.1, factor=0.5, step=30, patience=None), 50),
        (Recipe(22, 10, 0.1), 50),
    ],
)
def test_of_a_recipe_that_happens_nothing_is_told(recipe: Recipe, learnt_from: int) -> None:
    assert card_learning.idle([(recipe, learnt_from)]) == []


def test_the_table_holds_macro_f1_of_always_saying_the_commonest_class(made: Made) -> None:
    card, metrics = made()
    every = [one["majority_macro_f1"] for one in metrics["seeds"]["0"]["folds"]]
    told = f"| macro-F1 of the commonest class | {np.mean(every):.3f} | {np.std(every):.3f} |"
    assert told in card
    column = [row[3] for row in rows(card, "fold")[:FOLDS]]
    assert column == [f"{value:.3f}" for value in every]


def test_a_regression_s_card_tells_ratings_and_their_scale_and_every_fold(made: Made) -> None:
    card, metrics = made(model="mlr")
    assert " low" not in section(card, "What it learnt from")
    assert "ratings of valence from " in card and "on a scale from −10 to 10" in card
    one = metrics["seeds"]["0"]
    rmse, of_mean = (one["over_folds"][name] for name in ("rmse", "rmse_of_mean"))
    assert rows(card, "figure")[:4] == [
        ["RMSE", f"{rmse['mean']:.3f}", f"{rmse['sd']:.3f}"],
        ["RMSE of always guessing the mean", f"{of_mean['mean']:.3f}", f"{of_mean['sd']:.3f}"],
        ["RMSE, on 0 to 1", f"{rmse['mean'] / 20:.3f}", f"{rmse['sd'] / 20:.3f}"],
        [
            "RMSE of always guessing the mean, on 0 to 1",
            f"{of_mean['mean'] / 20:.3f}",
            f"{of_mean['sd'] / 20:.3f}",
        ],
    ]
    assert (
        f"ratings shuffled within folds 10000 times: r {one['permutation']['mean']:z.3f} on average" in card
    )
    table = rows(card, "fold")
    assert [row[:3] for row in table] == [
        [str(fold["fold"]), str(fold["n"]), f"{fold['rmse']:.3f}"] for fold in one["folds"]
    ]


def test_of_ratings_from_0_to_1_nothing_is_told_twice(made: Made, tmp_path: Path) -> None:
    place = write_pmemo_2019(tmp_path / "2019", heard(6, 6, by_song))
    card, _ = made(model="mlr", data="pmemo", root=place)
    assert "RMSE is of ratings on a scale from 0 to 1." in card and len(rows(card, "figure")) == 3


def test_fixed_labels_name_the_middle_and_that_it_counts_as_high(made: Made, tmp_path: Path) -> None:
    place = write_hku956(tmp_path / "HKU956", heard(6, 6, by_chance))
    path = place / hku956.RATINGS
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    for line in lines[1:4]:
        line[hku956.COLUMNS.index("valence_rating")] = "0"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)
    card, metrics = made(root=place, labels="fixed")
    assert "0 on a scale from −10 to 10; a rating exactly there counts as high (3 of 36)" in card
    high = sum(float(line[hku956.COLUMNS.index("valence_rating")]) >= 0 for line in lines[1:])
    assert sum(metrics["seeds"]["0"]["pooled"]["confusion"][1]) == high
    assert f"{36 - high} low, {high} high" in card


def test_what_was_left_out_is_told_by_its_reason_and_not_by_every_name(made: Made, tmp_path: Path) -> None:
    place = write_hku956(tmp_path / "HKU956", heard(6, 6, by_chance))
    for path in sorted(place.rglob("EDA/*.csv"))[:7]:
        path.write_text("nothing\n", encoding="utf-8")
    card, metrics = made(root=place)
    (reason,) = metrics["left_out"]["why"]
    assert f"- left out: 7 of 36 trials, {reason}\n" in card and card.count("left out:") == 1


def test_own_labels_and_song_means_say_that_the_threshold_itself_is_high(made: Made, tmp_path: Path) -> None:
    assert "a rating exactly on it counts as high" in made()[0]
    place = write_pmemo_2019(tmp_path / "2019", heard(6, 6, by_song))
    card, _ = made(data="pmemo", root=place, labels="fixed")
    assert "high begins at 0.5 on a scale from 0 to 1; a mean exactly there counts as high" in card


def test_a_study_s_card_tells_that_the_participant_reported_the_label(made: Made, tmp_path: Path) -> None:
    study, board = tmp_path / "study", devices_text(("board",))
    rehearse(Rehearsal(study, 3, seed=5, devices_text=board, effect=EFFECTS["lively"]), jobs=1)
    card, _ = made(data="study", root=study, target="group")
    assert "the participant reported" in card and "not what the clip was chosen for" in card
    assert "negative is most_negative or less_negative, neutral is neutral, positive is" in card
    card, _ = made(data="study", root=study, target="state")
    assert "most_negative (sad, disgust, angry)" in card and "645 parameters" in card


def test_every_corpus_has_a_scale_around_its_middle() -> None:
    assert SCALES.keys() == FACTS.keys()
    assert {name: sum(ends) / 2 for name, ends in SCALES.items()} == {
        name: one.middle for name, one in FACTS.items()
    }


def test_the_shipped_model_s_card_tells_where_high_begins_as_the_program_has_it() -> None:
    card = SHIPPED.read_text(encoding="utf-8")
    assert "rating of 0 or above" in card and "rating above 0" not in card
    assert json.loads(SHIPPED.with_name("classifier.json").read_text())["c"] == 0.25 and "C 0.25" in card
