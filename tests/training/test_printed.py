"""What the papers print agrees with itself, and is found for the runs that it is of, and for no others."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from emolab.core import shipped
from emolab.training.order import Order
from emolab.training.printed import FIGURES, USUAL, printed_for
from emolab.training.recipes import choices_of, read_options

SHARE_OF_HIGH = {"valence": 0.577, "arousal": 0.588}  # of PMEmo's trials, specification 04 §4.4


@pytest.fixture(scope="module")
def lines() -> list[dict[str, str]]:
    path = shipped.folder("printed") / "figures.csv"
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def asked(model: str, *set_: str, **more: Any) -> dict[str, Any]:
    told = {"data": "pmemo", "target": "valence", "variant": "authors", **more}
    music = Path("songs.csv") if model in ("res_sin", "rtcan", "music_svm") else None
    return Order(model, root=Path(), options=read_options(model, set_), music=music, **told).identity()


def test_every_line_is_found_by_the_run_it_is_of(lines: list[dict[str, str]]) -> None:
    for line in lines:
        people = None if line["people"] in ("457", "32", "40") else int(line["people"])
        order = asked(line["model"], *line["set"].split(), target=line["target"], people=people)
        found = printed_for(order, line["corpus"])
        assert found is not None and (found.where, str(found.people)) == (line["where"], line["people"])
        assert found.figures == {name: float(line[name]) for name in FIGURES if line[name]}
    assert len({tuple(line[name] for name in list(line)[1:7]) for line in lines}) == len(lines) == 92


def test_res_sin_s_accuracies_follow_from_precision_and_recall_and_the_shares_of_classes(
    lines: list[dict[str, str]],
) -> None:
    """As printed, with the two columns under each other's heads, they would be up to 8 points off."""
    ours = [line for line in lines if line["high_precision"]]
    off = []
    for line in ours:
        accuracy, f1, precision, recall = (float(line[name]) for name in FIGURES[:4])
        assert 2 * precision * recall / (precision + recall) == pytest.approx(f1, abs=1e-4)
        high = SHARE_OF_HIGH[line["target"]]
        wrong = recall * high * (1 - precision) / precision
        off.append(abs(recall * high + 1 - high - wrong - accuracy))
    assert len(ours) == 8 and sorted(off)[-2] < 5e-4 and max(off) < 0.015


def test_what_both_papers_print_is_the_same(lines: list[dict[str, str]]) -> None:
    fused = {
        line["target"]: line["accuracy"] for line in lines if (line["model"], line["set"]) == ("rtcan", "")
    }
    assert fused == {"valence": "0.7968", "arousal": "0.8376"}
    both = [line for line in lines if line["model"] == "music_svm"]
    assert {line["where"] for line in both} == {"Yin et al. 2019; 2022, table 3"}


@pytest.mark.parametrize("model", USUAL)
def test_how_models_usually_are_is_as_they_are(model: str) -> None:
    pytest.importorskip("torch")
    from emolab.models.choices import written

    choices = choices_of(model)
    assert {name: written(one.usual) for name, one in choices.items()} == USUAL[model]


@pytest.mark.parametrize(
    ("set_", "accuracy"),
    [
        ((), 0.7968),
        (("ablation=rf", "depth=1", "widths=64,64,64,64"), 0.7968),
        (("lr_step_unit=epoch",), 0.7968),
        (("lr_step_unit=iteration",), None),
        (("widths=64,128,256,512",), 0.7542),
        (("depth=2", "widths=64,128,256,512"), 0.7284),
        (("ablation=re",), 0.7626),
        (("ablation=re", "depth=2"), None),
    ],
)
def test_a_model_made_otherwise_has_its_own_line_or_none(
    set_: tuple[str, ...], accuracy: float | None
) -> None:
    found = printed_for(asked("rtcan", *set_), "PMEmo")
    assert (None if found is None else found.figures["accuracy"]) == accuracy


def test_of_deap_the_usual_is_without_attention_in_blocks() -> None:
    for set_, accuracy in (((), 0.7715), (("ablation=re",), 0.7715), (("ablation=rf",), 0.7333)):
        found = printed_for(asked("rtcag", *set_, data="deap"), "DEAP")
        assert found is not None and found.figures["accuracy"] == accuracy and found.people == 32


@pytest.mark.parametrize(
    ("people", "printed"),
    [(46, 46), (0.1, 46), (128, 128), (183, 128), (0.4, 128), (0.7, 319), (320, 319), (1.0, 457)],
)
def test_of_fewer_people_their_own_line_is_found(people: float, printed: int) -> None:
    found = printed_for(asked("svm", people=people), "PMEmo")
    assert found is not None and found.people == printed and found.split is None


@pytest.mark.parametrize(
    "more",
    [
        {"variant": "reference"},
        {"labels": "fixed"},
        {"folds": 5},
        {"epochs": 3},
        {"search": 2},
        {"people": 50},
    ],
)
def test_a_run_made_otherwise_has_no_like_in_print(more: dict[str, Any]) -> None:
    assert printed_for(asked("rtcag"), "PMEmo") is not None
    assert printed_for(asked("rtcag", **more), "PMEmo") is None


def test_what_no_paper_tells_of_has_none() -> None:
    assert printed_for(asked("forest"), "PMEmo") is None
    assert printed_for(asked("svm", data="hku956"), "HKU956") is None
