"""What every entry of `emolab.models.MODELS` owes: a new line there brings these tests along."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import nn

from emolab.core.errors import ConfigError
from emolab.models import MODELS
from emolab.models.classifier import Input, Spec, make

NETWORKS = sorted(name for name in MODELS if isinstance(make(name), nn.Module))


def trials(model: Any, n: int, seed: int = 0) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(n, *part.shape, generator=generator) for part in model.spec.inputs)


def settled(name: str) -> nn.Module:
    """As after some training: no weight is 0, normalisations do something."""
    torch.manual_seed(1)
    network = make(name)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(part.running_var, 0.5, 1.5)
            if part.affine:
                nn.init.uniform_(part.weight, 0.5, 1.2)
    return network.eval()


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_model_says_its_paper_its_input_and_how_many_numbers_it_learns(name: str) -> None:
    spec = make(name).spec
    assert isinstance(spec, Spec)
    assert "doi:" in spec.paper
    assert all(isinstance(part, Input) and part.what and min(part.shape) > 0 for part in spec.inputs)
    assert len({part.modality for part in spec.inputs}) == len(spec.inputs) > 0


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_has_as_many_parameters_as_it_says(name: str) -> None:
    network = make(name)
    assert network.spec.parameters == sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_gives_the_same_finite_logits_to_a_trial_whatever_the_others_are(name: str) -> None:
    network = settled(name)
    some = trials(network, 3)
    with torch.inference_mode():
        logits = network(*some)
        assert torch.equal(logits, network(*some)), "judging is no game of chance"
        turned_round = network(*(part.flip(0) for part in some)).flip(0)
    assert logits.shape == (3, network.spec.classes)
    assert logits.isfinite().all()
    torch.testing.assert_close(logits, turned_round, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_weights_carried_over_give_the_same_answers(name: str) -> None:
    network, other = settled(name), make(name).eval()
    some = trials(network, 2)
    with torch.inference_mode():
        assert not torch.equal(network(*some), other(*some))
        other.load_state_dict(network.state_dict())
        assert torch.equal(network(*some), other(*some))


@pytest.mark.parametrize("name", NETWORKS)
def test_one_seed_begins_a_network_the_same_whatever_was_made_before(name: str) -> None:
    torch.manual_seed(7)
    first = make(name).state_dict()
    make(name)
    torch.manual_seed(7)
    again = make(name).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)


def test_an_unknown_model_is_told_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'rtcam'.*rtcan.*Did you mean 'rtca"):
        make("rtcam")


def test_looking_at_the_room_loads_no_torch() -> None:
    program = (
        "import emolab.models.classifier, emolab.models.eda_inputs, sys; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
