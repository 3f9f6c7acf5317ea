"""Where in time a network looked: Grad-CAM over one-dimensional maps, and its guided form.

    heat = grad_cam(network, curves, music)             # (n, 2500), from 0 to 1, for the predicted class
    heat = grad_cam(network, curves, guided=True)       # (n, 3, 2500), a sign and a size for each curve

Selvaraju et al. 2017, doi:10.1109/ICCV.2017.74; Springenberg et al. 2014, arXiv:1412.6806, for the guided
form; facts in specification 05 §5.4. It tells where evidence was found, not that there was any: look at it
beside the probabilities. Weighting each channel by its mean gradient spreads the heat; `weighting="each"`,
gradient times activation moment by moment, keeps it narrower.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.hooks import RemovableHandle

from emolab.core.errors import WrongInput

Weighting = Literal["mean", "each"]


def grad_cam(
    network: nn.Module,
    curves: Tensor,
    *others: Tensor,
    layer: nn.Module | None = None,
    classes: Tensor | None = None,
    guided: bool = False,
    weighting: Weighting = "mean",
) -> Tensor:
    """How much each moment of `curves` `(n, c, length)` spoke for a class.

    `others`: what the network takes beside the curves. `layer`: whose output `(n, maps, places)` is looked
    at, `network.attention` when not given. `classes`: `(n,)`, the predicted ones when not given. Returns
    `(n, length)`, each trial from 0 to 1, 0 throughout where nothing spoke for the class; `(n, c, length)`
    when `guided`, which asks that all ReLUs are modules. The network is judged in evaluation mode and left
    as it was, hooks and gradients included.
    """
    layer = layer if layer is not None else network.attention  # type: ignore[assignment]
    assert isinstance(layer, nn.Module)
    with torch.inference_mode(False), torch.enable_grad(), _evaluated(network):
        seen = curves.clone().detach().requires_grad_(True)
        maps, score = _score(network, layer, seen, others, classes)
        (slopes,) = torch.autograd.grad(score, maps)
        weights = slopes.mean(2, keepdim=True) if weighting == "mean" else slopes
        heat = functional.relu((weights * maps.detach()).sum(1, keepdim=True))
        heat = functional.interpolate(heat, curves.shape[-1], mode="linear")
        low, high = heat.amin(2, keepdim=True), heat.amax(2, keepdim=True)
        heat = torch.where(high > low, (heat - low) / (high - low).clamp_min(1e-30), torch.zeros_like(heat))
        if not guided:
            return heat.squeeze(1)
        with _guided(network):
            _, score = _score(network, layer, seen, others, classes)
            (slopes,) = torch.autograd.grad(score, seen)
        return heat * slopes


def _score(
    network: nn.Module, layer: nn.Module, curves: Tensor, others: tuple[Tensor, ...], classes: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The maps that `layer` gave, and the logits of the classes asked for, summed."""
    caught: list[Tensor] = []
    hook = layer.register_forward_hook(lambda _, __, out: caught.append(out))
    try:
        logits = network(curves, *(other.clone() for other in others))
    finally:
        hook.remove()
    if len(caught) != 1 or caught[0].ndim != 3:
        shapes = [tuple(maps.shape) for maps in caught]
        raise WrongInput(f"Grad-CAM needs a layer that gives maps (n, maps, places) once, not {shapes}")
    which = logits.argmax(1) if classes is None else classes
    return caught[0], logits.gather(1, which[:, None]).sum()


@contextmanager
def _evaluated(network: nn.Module) -> Iterator[None]:
    """Evaluation mode for a while; each part goes back to its own."""
    training = [part for part in network.modules() if part.training]
    network.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True


@contextmanager
def _guided(network: nn.Module) -> Iterator[None]:
    """ReLUs that pass back nothing negative."""
    hooks: list[RemovableHandle] = [
        part.register_full_backward_hook(lambda _, slopes, __: (slopes[0].clamp_min(0),))
        for part in network.modules()
        if isinstance(part, nn.ReLU)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
