"""A bump planted in noise at a known time, and networks that have learnt to find it."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn

from emolab.models.rtcan import rtcag
from tests.models.short import settled, step

PLACE, WIDE = 1500, 40  # samples of 2500
STEPS = {"rf": 12, "re": 24}  # of the 144 that specification 05 §5.7 allows


def bumps(n: int) -> tuple[Tensor, Tensor]:
    """Noise of deviation 1; every second trial, class 1, has a bump in all three curves."""
    labels = torch.arange(n) % 2
    bump = 3 * torch.exp(-0.5 * ((torch.arange(2500) - PLACE) / WIDE) ** 2)
    return torch.randn(n, 3, 2500) + labels[:, None, None] * bump, labels


@cache
def trained(ablation: str) -> nn.Module:
    """RTCAG after its `STEPS` batches of 32 trials, none of them seen twice; in evaluation mode."""
    torch.manual_seed(0)
    network = rtcag(ablation)
    optimiser = torch.optim.SGD(network.parameters(), 1e-2, momentum=0.9)
    for _ in range(STEPS[ablation]):
        curves, labels = bumps(32)
        step(network, optimiser, (curves,), labels)
    return settled(network, [bumps(32)[:1] for _ in range(3)])
