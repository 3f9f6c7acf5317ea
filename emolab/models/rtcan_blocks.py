"""What RTCAN-1D is made of: attention over channels, attention over times, residual blocks.

All take and give `(n, width, length)`, soonest where a moment's channels are side by side in memory (see
`moments`); see `rtcan` for the paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from emolab.models.moments import Convolution, Norm, convolved

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
            Convolution(width, width // SQUEEZE, 1),
            nn.ReLU(),
            Convolution(width // SQUEEZE, width, 1),
            nn.Sigmoid(),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Gated `maps`."""
        parts = clipped(maps, self.clips)
        # means over rows, whose slopes come back laid out as the maps are
        means = torch.stack([part.transpose(1, 2).mean(1) for part in parts], 2)
        gates = self.gate(means).split(1, 2)
        return _joined([part * gate for part, gate in zip(parts, gates, strict=True)])


class TimeAttention(nn.Module):
    """To each moment of a clip is added what the clip's other moments say of it; begins as adding nothing.

    `(n, width, length)` → the same. The last normalisation, over all clips at once, starts with weight and
    bias 0, so that untrained it is the identity to the last bit.
    """

    def __init__(self, width: int, pool: Pool = "average") -> None:
        super().__init__()
        inner = width // 2
        self.value, self.query, self.key = (Convolution(width, inner, 1) for _ in range(3))
        last = Norm(width)
        nn.init.zeros_(last.weight)
        self.out = nn.Sequential(Convolution(inner, width, 1), last)
        self.pooled = POOLS[pool]()

    def forward(self, maps: Tensor) -> Tensor:
        """`maps` and what attention adds."""
        askers = (self.query, self.key, self.value)
        weight, bias = (torch.cat([getattr(one, kind) for one in askers]) for kind in ("weight", "bias"))
        inner = len(self.query.weight)
        added = []
        for clip in clipped(convolved(maps, weight, bias), CLIPS):
            query, others = clip.transpose(1, 2).split([inner, 2 * inner], 2)
            key, value = self.pooled(others.transpose(1, 2)).transpose(1, 2).split(inner, 2)
            added.append(looked_up(query, key, value).transpose(1, 2))
        return maps + self.out(_joined(added))


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
            layers += [Convolution(come, width, 3, step, 1, bias=False), Norm(width), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.last = nn.ReLU()  # a module, so that Grad-CAM can guide it
        self.straight = (
            nn.Sequential(Convolution(before, width, 1, stride, bias=False), Norm(width)) if halves else None
        )

    def forward(self, maps: Tensor) -> Tensor:
        """`(n, before, length)` → `(n, width, length or its upper half)`."""
        attended = self.attention(maps)
        straight = maps if self.straight is None else self.straight(attended)
        return self.last(self.layers(attended) + straight)


def looked_up(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The mean of `value` `(n, moments, inner)`, weighted by softmax of `query`·`key`: `(n, asked, inner)`.

    torch's own, but for halves on a processor, where products one after the other take less than half as
    long, slopes included (76 against 178 ms for 255 clips of 417 moments on one core).
    """
    if query.dtype == torch.bfloat16 and query.device.type == "cpu":
        return _Halves.apply(query, key, value)  # type: ignore[no-any-return, no-untyped-call]
    asked, keys, values = (one.unsqueeze(1) for one in (query, key, value))
    return functional.scaled_dot_product_attention(asked, keys, values, scale=1.0).squeeze(1)


class _Halves(torch.autograd.Function):
    """`looked_up` whose weights are kept in halves: autograd alone would keep them in whole numbers."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Weights `(n, asked, moments)` in bfloat16, their sums in float32."""
        weights = torch.softmax(torch.bmm(query, key.transpose(1, 2)), 2)
        ctx.save_for_backward(query, key, value, weights)
        return torch.bmm(weights, value)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # type: ignore[override]
        """Slopes of `query`, `key` and `value`."""
        query, key, value, weights = ctx.saved_tensors
        of_weights = torch.bmm(slope, value.transpose(1, 2))
        of_products = torch._softmax_backward_data(of_weights, weights, 2, weights.dtype)
        return (
            torch.bmm(of_products, key),
            torch.bmm(of_products.transpose(1, 2), query),
            torch.bmm(weights.transpose(1, 2), slope),
        )


def clipped(maps: Tensor, clips: int) -> list[Tensor]:
    """The last axis cut at ⌊kL/clips⌋: 1250 samples into 416, 417 and 417."""
    bounds = [k * maps.shape[-1] // clips for k in range(clips + 1)]
    moments = maps.transpose(1, 2).split([end - begin for begin, end in pairwise(bounds)], 1)
    return [clip.transpose(1, 2) for clip in moments]


def _joined(clips: Sequence[Tensor]) -> Tensor:
    """One after the other in time; a moment's channels stay side by side."""
    return (
        clips[0]
        if len(clips) == 1
        else torch.cat([clip.transpose(1, 2) for clip in clips], 1).transpose(1, 2)
    )
