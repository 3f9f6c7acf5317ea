"""`emolab models list` tells what the models tell of themselves."""

from __future__ import annotations

import json

from emolab.models import MODELS
from tests.cli.command import emolab

PARAMETERS = {"rtcan": 2_034_602, "rtcag": 403_114, "res_sin": 8_432_450, "res_si": 5_169_474}

RATINGS = {"mlr", "mlr_tonic", "svr", "svr_tonic"}  # regressions, which have no classes


def test_each_model_stands_there_with_its_paper_input_and_parameters() -> None:
    said = emolab("models", "list")
    assert said.code == 0
    for name, count in PARAMETERS.items():
        assert any(
            line.startswith(f"{name} ") and f"{count:,} parameters" in line for line in said.out.splitlines()
        )
    assert "doi:10.1145/3490686" in said.out
    assert "eda 3 × 2500: origin, phasic and tonic" in said.out
    assert "music 6373" in said.out


def test_as_json_it_is_for_programs() -> None:
    listed = {model["name"]: model for model in json.loads(emolab("models", "list", "--json").out)}
    assert listed.keys() == MODELS.keys()
    assert {name: listed[name]["parameters"] for name in PARAMETERS} == PARAMETERS
    assert [part["shape"] for part in listed["res_sin"]["inputs"]] == [[3, 224, 224], [6373]]
    assert {name for name, model in listed.items() if model["classes"] != 2} == RATINGS
    assert listed["svm"]["parameters"] == 129 and listed["forest"]["parameters"] is None


def test_without_a_verb_it_says_which_there_are() -> None:
    said = emolab("models")
    assert said.code == 2
    assert "list" in said.err
