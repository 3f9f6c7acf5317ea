"""Grad-CAM is the formula, looks where the evidence is, and leaves nothing behind."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from emolab.core.errors import WrongInput
from emolab.models.grad_cam import grad_cam
from emolab.models.rtcan import ABLATIONS, Rtcan, rtcag
from tests.models.bump import PLACE, bumps, trained

pytestmark = pytest.mark.usefixtures("one_thread")


class Linear(nn.Module):
    """Maps are the curves themselves, logits their weighted sums."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.Identity()
        self.weights = nn.Parameter(torch.randn(2, 3, 50))

    def forward(self, curves: Tensor) -> Tensor:
        return torch.einsum("nct,kct->nk", self.attention(curves), self.weights)


class Rectified(nn.Module):
    """A ReLU between two layers, small enough for its guided gradient to be written down."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.Conv1d(3, 4, 1, bias=False)
        self.relu = nn.ReLU()
        self.last = nn.Linear(4 * 20, 2)

    def forward(self, curves: Tensor) -> Tensor:
        return self.last(self.relu(self.attention(curves)).flatten(1))


def from_0_to_1(heat: Tensor) -> Tensor:
    heat = heat - heat.amin(1, keepdim=True)
    return heat / heat.amax(1, keepdim=True)


def test_of_a_linear_model_it_is_what_can_be_written_down() -> None:
    network, curves = Linear(), torch.randn(5, 3, 50)
    classes = torch.tensor([0, 1, 1, 0, 1])
    weights = network.weights.detach()[classes]
    expected = (weights.mean(2, keepdim=True) * curves).sum(1).relu()
    torch.testing.assert_close(grad_cam(network, curves, classes=classes), from_0_to_1(expected))
    each = (weights * curves).sum(1).relu()
    found = grad_cam(network, curves, classes=classes, weighting="each")
    torch.testing.assert_close(found, from_0_to_1(each))


def test_the_guided_form_masks_what_is_negative_on_either_way_through_a_relu() -> None:
    network, curves = Rectified(), torch.randn(4, 3, 20)
    classes = torch.zeros(4, dtype=torch.long)
    maps = network.attention(curves).detach()
    slopes = network.last.weight.detach()[0].view(4, 20).expand(4, 4, 20)
    back = slopes * (maps > 0) * (slopes > 0)
    expected = torch.einsum("nmt,mc->nct", back, network.attention.weight.detach()[:, :, 0])
    heat = grad_cam(network, curves, classes=classes)
    found = grad_cam(network, curves, classes=classes, guided=True)
    torch.testing.assert_close(found, heat[:, None] * expected)


def test_without_classes_it_is_about_the_predicted_ones() -> None:
    network, curves = Linear(), torch.randn(6, 3, 50)
    predicted = network(curves).argmax(1)
    assert torch.equal(grad_cam(network, curves), grad_cam(network, curves, classes=predicted))
    assert not torch.equal(grad_cam(network, curves), grad_cam(network, curves, classes=1 - predicted))


@pytest.mark.parametrize("name", ABLATIONS)
def test_it_has_a_row_a_trial_from_0_to_1_in_every_ablation(name: str) -> None:
    network, curves = rtcag(name), torch.randn(2, 3, 2500)
    heat = grad_cam(network, curves)
    assert heat.shape == (2, 2500)
    assert ((heat >= 0) & (heat <= 1)).all()
    assert grad_cam(network, curves, guided=True).shape == (2, 3, 2500)


def test_a_trial_has_the_same_heat_alone_and_with_its_music_among_others() -> None:
    network, curves, music = Rtcan(), torch.randn(3, 3, 2500), torch.randn(3, 6373)
    together = grad_cam(network, curves, music)
    torch.testing.assert_close(
        together[1:2], grad_cam(network, curves[1:2], music[1:2]), rtol=0.01, atol=1e-3
    )


def test_where_nothing_speaks_for_a_class_it_is_zero() -> None:
    network = Linear()
    nn.init.zeros_(network.weights)
    assert (grad_cam(network, torch.randn(2, 3, 50)) == 0).all()


@pytest.mark.parametrize("guided", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_the_network_is_left_as_it_was(guided: bool, training: bool) -> None:
    network = rtcag().train(training)
    network.stages[0].eval()
    modes = [part.training for part in network.modules()]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    curves = torch.randn(1, 3, 2500)
    with torch.inference_mode():
        grad_cam(network, curves, guided=guided)
    assert [part.training for part in network.modules()] == modes
    assert not curves.requires_grad
    assert all(weight.grad is None for weight in network.parameters())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not any(part._forward_hooks or part._backward_hooks for part in network.modules())


def test_no_hook_stays_when_the_network_fails() -> None:
    network = rtcag()
    with pytest.raises(WrongInput):
        grad_cam(network, torch.randn(1, 3, 100), guided=True)
    assert not any(part._forward_hooks or part._backward_hooks for part in network.modules())
    assert network.training


def test_a_layer_without_places_in_time_is_told() -> None:
    network = rtcag()
    with pytest.raises(WrongInput, match=r"not \[\(1, 2\)\]"):
        grad_cam(network, torch.randn(1, 3, 2500), layer=network.classifier)


@pytest.mark.slow
def test_a_network_that_found_the_bump_looks_at_it() -> None:
    curves, labels = bumps(40)
    curves = curves[labels == 1]
    near = slice(PLACE - 100, PLACE + 100)  # 8 % of the time
    for weighting in ("mean", "each"):
        heat = grad_cam(trained("rf"), curves, classes=torch.ones(20, dtype=torch.long), weighting=weighting)
        assert (heat[:, near].sum(1) / heat.sum(1)).mean() > 2.5 * 0.08
