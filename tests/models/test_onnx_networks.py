"""A network answers alike in torch and in onnxruntime, whatever it is made of."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from emolab.core.errors import ModelError
from emolab.models import MODELS
from emolab.models.classifier import make
from emolab.models.onnx_networks import WHOLE, exported, opened
from emolab.models.res_sin import ResSin, res_si
from emolab.models.rtcan import ABLATIONS, Options, Rtcan, rtcag

NETWORKS = ("rtcan", "rtcag", "res_sin", "res_si", "feature_cnn")


def as_if_learnt(network: nn.Module) -> nn.Module:
    """Normalisations that do something, so that one left out or swapped is seen."""
    generator = torch.Generator().manual_seed(1)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            assert part.running_mean is not None and part.running_var is not None
            part.running_mean.normal_(0, 0.3, generator=generator)
            part.running_var.uniform_(0.5, 2, generator=generator)
            if part.weight is not None:
                part.weight.data.uniform_(0.5, 1.5, generator=generator)
                part.bias.data.normal_(0, 0.3, generator=generator)
    if isinstance(network, ResSin):
        network.mean.copy_(torch.tensor([0.3, 0.5, 0.7])[:, None, None])
    return network.eval()


def drawn(network: nn.Module, rows: int) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(2)
    return tuple(torch.randn(rows, *one.shape, generator=generator) for one in network.spec.inputs)  # type: ignore[union-attr]


def apart(network: nn.Module, rows: int = 3) -> float:
    """The largest difference of the probabilities in torch and in onnxruntime."""
    inputs = drawn(network, rows)
    ask = opened(network)
    assert ask is not None
    found = torch.from_numpy(ask(tuple(one.numpy() for one in inputs))).double()
    with torch.inference_mode():
        wanted = network(*inputs).double()
    assert found.shape == wanted.shape
    assert wanted.std() > 1e-3
    return float((torch.softmax(found, 1) - torch.softmax(wanted, 1)).abs().max())


def test_every_network_of_the_room_is_among_those_tested():
    """A new network in `MODELS` brings its way to ONNX along."""
    made = {name: make(name) for name in MODELS}
    networks = {name for name, model in made.items() if isinstance(model, nn.Module)}
    assert networks == set(NETWORKS)
    assert {type(made[name]) for name in networks} == set(WHOLE)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("rows", [1, 5])
def test_torch_and_onnxruntime_agree(name: str, rows: int):
    torch.manual_seed(0)
    assert apart(as_if_learnt(make(name)), rows) < 1e-5


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_every_ablation_agrees(ablation: str):
    torch.manual_seed(0)
    assert apart(as_if_learnt(rtcag(ablation))) < 1e-5


@pytest.mark.parametrize(
    "network",
    [
        lambda: Rtcan(variant="authors", music=7),
        lambda: rtcag(variant="authors", classes=3),
        lambda: rtcag(options=Options(pool="none")),
        lambda: rtcag(widths=(64, 96, 128, 256), depth=2, classes=5),
        lambda: res_si("tonic"),
        lambda: ResSin(music=5, classes=3, use_bn=False),
    ],
)
def test_options_agree(network):
    torch.manual_seed(0)
    assert apart(as_if_learnt(network())) < 1e-5


def test_what_is_no_network_of_ours_is_refused():
    with pytest.raises(ModelError, match="Linear has no way to ONNX"):
        exported(nn.Linear(3, 2))


def test_a_part_of_a_new_kind_is_refused_by_name():
    network = rtcag()
    network.attention = nn.Sequential(nn.Tanh())
    with pytest.raises(ModelError, match="Tanh"):
        exported(network)


def test_the_file_holds_the_weights_of_the_moment():
    torch.manual_seed(0)
    network = as_if_learnt(rtcag())
    before = exported(network)
    assert exported(network) == before
    network.classifier[-1].bias.data += 1
    assert exported(network) != before


def test_onnx_answers_to_no_rows_and_to_one_beyond_a_batch():
    network = as_if_learnt(make("feature_cnn"))
    ask = opened(network)
    assert ask is not None
    assert ask((np.zeros((0, 128), np.float32),)).shape == (0, 2)
    assert ask((np.zeros((65, 128), np.float32),)).shape == (65, 2)
