"""An order says what a run's numbers hang on, the same way as ever, and refuses what cannot be."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emolab.core.errors import ConfigError
from emolab.training.order import Order
from emolab.training.recipes import read_options

ORDER = Order("rtcag", "hku956", Path("HKU956"), "valence")
# of runs made before anything could be chosen; with one more name no old run would be finished any more
IDENTITY = {
    "model": "rtcag",
    "data": "hku956",
    "target": "valence",
    "labels": "own",
    "folds": 10,
    "group": "subject",
    "variant": "reference",
    "seed": 0,
    "seeds": 1,
    "epochs": None,
    "search": 0,
    "threads": 1,
    "device": "cpu",
    "half": False,
}


def test_where_nothing_is_chosen_the_identity_is_that_of_runs_made_before() -> None:
    assert ORDER.identity() == IDENTITY


def test_what_is_chosen_is_part_of_the_identity_and_json_gives_it_back() -> None:
    words = ["widths=64,128,256,512", "ablation=re"]
    one, other = (replace(ORDER, options=read_options("rtcag", some)) for some in (words, words[::-1]))
    chosen = {"ablation": "re", "widths": [64, 128, 256, 512]}
    assert one.identity() == {**IDENTITY, "options": chosen} == json.loads(json.dumps(one.identity()))
    assert one == other and hash(one) == hash(other) and pickle.loads(pickle.dumps(one)) == one
    assert one.identity() != replace(ORDER, options=read_options("rtcag", words[:1])).identity()


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("rtcag", (("ablation", "rg"),)),
        ("rtcag", (("depth", "2"),)),
        ("rtcag", (("widths", [64, 64, 64, 64]),)),
        ("rtcag", (("depth", 2), ("ablation", "re"))),
        ("res_si", (("ablation", "re"),)),
        ("svm", (("depth", 2),)),
    ],
)
def test_options_that_a_model_does_not_have_are_refused(model: str, options: Any) -> None:
    with pytest.raises(ConfigError):
        replace(ORDER, model=model, options=options)
