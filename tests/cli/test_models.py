"""`emolab models list` tells what the models tell of themselves."""

from __future__ import annotations

import json

from emolab.models import MODELS
from tests.cli.command import emolab

PARAMETERS = {"rtcan": 2_034_602, "rtcag": 403_114, "res_sin": 8_432_450, "res_si": 5_169_474}

ABLATIONS = {  # specification 05 §5.2
    "base": 2_016_258,
    "ra": 2_025_026,
    "rb": 2_017_354,
    "rc": 2_026_122,
    "rd": 2_024_738,
    "re": 2_025_834,
    "rf": 2_034_602,
}
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


def test_what_can_be_set_stands_there_with_the_parameters_that_each_choice_has() -> None:
    listed = {model["name"]: model for model in json.loads(emolab("models", "list", "--json").out)}
    counts = {
        (name, option["name"], str(one["value"])): one["parameters"]
        for name, model in listed.items()
        for option in model["options"]
        for one in option["values"]
    }
    assert {value: counts["rtcan", "ablation", value] for value in ABLATIONS} == ABLATIONS
    assert counts["rtcag", "ablation", "re"] == 394_346
    assert counts["rtcan", "widths", "[64, 128, 256, 512]"] == 3_804_258
    assert counts["rtcan", "depth", "2"] == 2_133_930
    assert counts["res_sin", "component", "tonic"] == 8_426_178
    assert counts["res_si", "lr_step_unit", "epoch"] == 5_169_474
    usual = {option["name"]: option["usual"] for option in listed["rtcag"]["options"]}
    assert usual == {"ablation": "rf", "depth": 1, "widths": [64] * 4, "lr_step_unit": "epoch"}
    assert listed["svm"]["options"] == []


def test_what_can_be_set_is_listed_as_it_is_written_on_the_command_line() -> None:
    said = emolab("models", "list").out
    assert "--set ablation=base | ra | rb | rc | rd | re | rf" in said
    assert "--set widths=64,64,64,64 | 64,128,256,512" in said
    assert "--set component=mix | origin | phasic | tonic" in said
    assert "2,025,834" in said and "8,426,178" in said


def test_without_a_verb_it_says_which_there_are() -> None:
    said = emolab("models")
    assert said.code == 2
    assert "list" in said.err
