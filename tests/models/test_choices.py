"""What can be chosen of a model is what it can be made with; the usual choice is what it is by default."""

from __future__ import annotations

import pytest

from emolab.core.errors import ConfigError
from emolab.models import CHOICES, MODELS
from emolab.models.choices import choices_of, written
from emolab.models.classifier import make
from emolab.models.res_sin import COMPONENTS
from emolab.models.rtcan import ABLATIONS, EVEN, RISING

NETWORKS = [name for name in CHOICES if hasattr(make(name), "state_dict")]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_choice_makes_a_model_and_the_usual_one_is_the_default(name: str) -> None:
    plain = make(name).state_dict()
    for key, choice in choices_of(name).items():
        shapes = {written(value): made(name, key, value) for value in choice.values}
        assert shapes[written(choice.usual)] == {part: tuple(one.shape) for part, one in plain.items()}


def made(name: str, key: str, value: object) -> dict[str, tuple[int, ...]]:
    return {part: tuple(one.shape) for part, one in make(name, **{key: value}).state_dict().items()}


@pytest.mark.parametrize("name", [name for name in CHOICES if name not in NETWORKS])
def test_a_regression_may_take_its_part_as_it_is(name: str) -> None:
    choice = choices_of(name)["input"]
    specs = {written(value): make(name, input=value).spec for value in choice.values}
    assert specs[choice.usual] == make(name).spec
    assert [one.inputs[0].shape for one in specs.values()] == [(28,), (100,)]
    part = "tonic" if "tonic" in name else "phasic"
    assert [one.inputs[0].modality for one in specs.values()] == [
        f"eda_{part}_features",
        f"eda_{part}_waveform",
    ]
    assert [one.parameters for one in specs.values()] == ([58, 202] if "mlr" in name else [None, None])
    with pytest.raises(ConfigError, match="no input 'curve'; known are figures, waveform"):
        make(name, input="curve")


def test_choices_are_those_of_the_papers_tables() -> None:
    for name in ("rtcan", "rtcag"):
        found = choices_of(name)
        assert found["ablation"].values == tuple(ABLATIONS) and found["depth"].values == (1, 2)
        assert found["widths"].values == (EVEN, RISING)
    assert choices_of("res_si") == choices_of("res_sin")
    assert choices_of("res_sin")["component"].values == tuple(COMPONENTS)
    assert all(choices_of(name) == {} for name in MODELS.keys() - CHOICES.keys())


def test_a_value_is_read_as_it_is_written_and_another_is_told_those_there_are() -> None:
    for name in CHOICES:
        for choice in choices_of(name).values():
            assert all(choice.read(written(value)) == value for value in choice.values)
    with pytest.raises(ConfigError, match=r"'3' is none of 1 \| 2"):
        choices_of("rtcan")["depth"].read("3")
    with pytest.raises(ConfigError, match=r"none of 64,64,64,64 \| 64,128,256,512"):
        choices_of("rtcan")["widths"].read("64")
