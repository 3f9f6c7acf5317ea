"""Trainings of a few steps."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional


def step(
    network: nn.Module, optimiser: torch.optim.Optimizer, some: tuple[Tensor, ...], labels: Tensor
) -> float:
    """One step of gradient descent; the loss before it."""
    loss = functional.cross_entropy(network(*some), labels)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return float(loss.detach())


@torch.no_grad()
def settled(network: nn.Module, batches: Iterable[tuple[Tensor, ...]]) -> nn.Module:
    """In evaluation mode, normalisations measured anew: after twenty steps the running ones lag."""
    for part in network.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.reset_running_stats()
            part.momentum = None  # the plain mean of what follows
    network.train()
    for some in batches:
        network(*some)
    return network.eval()
