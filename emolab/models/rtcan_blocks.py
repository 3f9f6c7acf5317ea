"""What RTCAN-1D is made of: attention over channels, attention over times, residual blocks.

All take and give `(n, width, length)`; see `rtcan` for the paper.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Pool = Literal["average", "max", "none"]

SQUEEZE = 8  # channels for each one that the gates look through
CLIPS = 3
POOLS = {"average": partial(nn.AvgPool1d, 2), "max": partial(nn.MaxPool1d, 2), "none": nn.Identity}


class ChannelAttention(nn.Module):
    """Each channel of each clip is multiplied by a gate from 0 to 1, out of the means of all channels.

    `(n, width, length)` → the same. The clips part at ⌊L/3⌋ and ⌊2L/3⌋ and share their weights.
    """

    def __init__(self, width: int, clips: int = 1) -> None:
        super().__init__()
        self.clips = clips
        self.gate = nn.Sequential(
            nn.Conv1d(width, width // SQUEEZE, 1),
            nn.ReLU(),
            nn.Conv1d(width // SQUEEZE, width, 1),
            nn.Sigmoid(),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Gated `maps`."""
        parts = clipped(maps, self.clips)
        gates = self.gate(torch.cat([part.mean(2, keepdim=True) for part in parts], 2))
        return torch.cat([part * gates[:, :, k : k + 1] for k, part in enumerate(parts)], 2)


class TimeAttention(nn.Module):
    """To each moment of a clip is added what the clip's other moments say of it; begins as adding nothing.

    `(n, width, length)` → the same. The last normalisation, over all clips at once, starts with weight and
    bias 0, so that untrained it is the identity to the last bit.
    """

    def __init__(self, width: int, pool: Pool = "average") -> None:
        super().__init__()
        inner = width // 2
        self.value, self.query, self.key = (nn.Conv1d(width, inner, 1) for _ in range(3))
        last = nn.BatchNorm1d(width)
        nn.init.zeros_(last.weight)
        self.out = nn.Sequential(nn.Conv1d(inner, width, 1), last)
        self.pooled = POOLS[pool]()

    def forward(self, maps: Tensor) -> Tensor:
        """`maps` and what attention adds."""
        added = []
        for query, key, value in zip(
            *(clipped(curve, CLIPS) for curve in (self.query(maps), self.key(maps), self.value(maps))),
            strict=True,
        ):
            asked, keys, values = (
                curve.transpose(1, 2).unsqueeze(1) for curve in (query, self.pooled(key), self.pooled(value))
            )
            looked = functional.scaled_dot_product_attention(asked, keys, values, scale=1.0)
            added.append(looked.squeeze(1).transpose(1, 2))
        return maps + self.out(torch.cat(added, 2))


class Residual(nn.Module):
    """Convolutions beside a way straight through; where time is halved, that way is a projection.

    The projection sees what the attention lets through, a plain way what came in (specification 05 §5.2).
    With `depth` 2 the second convolution, too, is followed by normalisation and ReLU.
    """

    def __init__(self, before: int, width: int, depth: int, attends: bool, *, halves: bool = False) -> None:
        super().__init__()
        stride = 2 if halves else 1
        self.attention = ChannelAttention(before) if attends else nn.Identity()
        layers: list[nn.Module] = []
        for k in range(depth):
            come, step = (width, 1) if k else (before, stride)
            layers += [nn.Conv1d(come, width, 3, step, 1, bias=False), nn.BatchNorm1d(width), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.last = nn.ReLU()  # a module, so that Grad-CAM can guide it
        self.straight = (
            nn.Sequential(nn.Conv1d(before, width, 1, stride, bias=False), nn.BatchNorm1d(width))
            if halves
            else None
        )

    def forward(self, maps: Tensor) -> Tensor:
        """`(n, before, length)` → `(n, width, length or its upper half)`."""
        attended = self.attention(maps)
        straight = maps if self.straight is None else self.straight(attended)
        return self.last(self.layers(attended) + straight)


def clipped(maps: Tensor, clips: int) -> tuple[Tensor, ...]:
    """The last axis cut at ⌊kL/clips⌋: 1250 samples into 416, 417 and 417."""
    length = maps.shape[-1]
    return torch.tensor_split(maps, [k * length // clips for k in range(1, clips)], dim=-1)
