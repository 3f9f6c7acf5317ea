"""What the papers print, to stand beside a run of the authors' variant: never a goal, always an answer.

    found = printed_for(config["order"], config["corpus"])      # of a run's config.json; None where none is
    found.where, found.figures["accuracy"]                      # "Yin et al. 2022, table 3", 0.6452

The figures are in `shipped/printed/figures.csv`, from specifications 03 §3.6, 04 §4.4, 05 §5.5 and §5.6.
RTCAN-1D's program deals out single trials, which flatters (`--group none`), as Res-SIN's regressions did; of
its networks that paper says that the folds are user-independent. Res-SIN's tables have precision and recall
under each other's heads: its accuracies follow from the shares of the classes only when they are changed
back, as they are here. RTCAN-1D's table 6 cannot be read and is not here.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from emolab.core import shipped
from emolab.models.choices import written
from emolab.training.recipes import STEP_UNIT, options_of

Words = dict[str, str]

FIGURES = ("accuracy", "high_f1", "high_precision", "high_recall", "rmse", "r")
FOLDS = 10
# a run's --people, by the number that is printed: of PMEmo 10, 40, 70 and 100 %; 128 is printed for 183
ASKED: dict[int, tuple[float | None, ...]] = {
    46: (46, 0.1),
    128: (128, 183, 0.4),
    319: (319, 320, 0.7),
    457: (457, 1.0, None),
    32: (32, 1.0, None),
    40: (40, 1.0, None),
}
# how models are made, in words, where nothing is said; `choices_of` would load torch
_RTCAN = {"ablation": "rf", "depth": "1", "widths": "64,64,64,64", STEP_UNIT: "epoch"}
_RES_SIN, _RATED = {"component": "mix", STEP_UNIT: "iteration"}, {"input": "figures"}
USUAL: dict[str, Words] = {"rtcan": _RTCAN, "rtcag": _RTCAN, "res_sin": _RES_SIN, "res_si": _RES_SIN}
USUAL |= {"feature_cnn": {STEP_UNIT: "epoch"}}
USUAL |= {"mlr": _RATED, "mlr_tonic": _RATED, "svr": _RATED, "svr_tonic": _RATED}


@dataclass(frozen=True)
class Printed:
    """`where` it is printed, of how many `people`; `figures` by their names in a run, shares from 0 to 1.

    `split`: by what the paper kept trials apart, as `splits.Group`; None where it does not say.
    """

    where: str
    people: int
    split: str | None
    figures: Mapping[str, float]


def printed_for(order: Mapping[str, Any], corpus: str) -> Printed | None:
    """What is printed for the same as a run, by its order as JSON holds it; None where nothing is.

    The same are model, how it is made, corpus, target and how many participants were asked for; the run is
    of the authors' variant, with labels `own`, ten folds, and neither epochs nor a search of its own. Its
    split may be another: what an honest one takes away is to be seen.
    """
    if (order["variant"], order["labels"], order["folds"]) != ("authors", "own", FOLDS):
        return None
    if order["epochs"] is not None or order["search"]:
        return None
    given = {
        name: written(tuple(value) if isinstance(value, list) else value)
        for name, value in order.get("options", {}).items()
    }
    made = _made(order["model"], corpus, given)
    for chosen, found in _lines().get((order["model"], corpus, order["target"]), ()):
        if _made(order["model"], corpus, chosen) == made and order.get("people") in ASKED[found.people]:
            return found
    return None


def _made(model: str, corpus: str, chosen: Words) -> Words:
    """How a model is made for a corpus, all of it."""
    usual = {name: one for name, one in options_of(model, corpus).items() if name in USUAL[model]}
    return USUAL.get(model, {}) | usual | chosen


@cache
def _lines() -> dict[tuple[str, str, str], list[tuple[Words, Printed]]]:
    """By model, corpus and target: what is chosen of the model, and what is printed."""
    lines: dict[tuple[str, str, str], list[tuple[Words, Printed]]] = {}
    with (shipped.folder("printed") / "figures.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            figures = {name: float(row[name]) for name in FIGURES if row[name]}
            found = Printed(row["where"], int(row["people"]), row["split"] or None, figures)
            chosen = dict(word.split("=") for word in row["set"].split())
            lines.setdefault((row["model"], row["corpus"], row["target"]), []).append((chosen, found))
    return lines
