"""Layers over time that keep the channels of a moment side by side in memory.

    maps = side_by_side(curves)         # (n, channels, length) as before, laid out (n, length, channels)
    maps = Norm(64)(Convolution(3, 64, 7)(maps))

They are torch's own, give what those give to the last digits, and take as long on maps laid out otherwise.
torch copies curves into the other layout before each convolution; as pictures one pixel high they stay.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


def side_by_side(maps: Tensor) -> Tensor:
    """The same `(n, channels, length)`, laid out anew unless it is so already."""
    return maps.transpose(1, 2).contiguous().transpose(1, 2)


class Convolution(nn.Conv1d):
    """`(n, channels, length)` → the same; without dilation, groups, and padding by a word."""

    def forward(self, maps: Tensor) -> Tensor:
        """As a picture one pixel high."""
        return convolved(maps, self.weight, self.bias, self.stride[0], int(self.padding[0]))


class Norm(nn.BatchNorm2d):
    """What `BatchNorm1d` is for curves."""

    def forward(self, maps: Tensor) -> Tensor:
        """As a picture one pixel high."""
        return super().forward(maps.unsqueeze(2)).squeeze(2)


def convolved(maps: Tensor, weight: Tensor, bias: Tensor | None, stride: int = 1, padding: int = 0) -> Tensor:
    """`functional.conv1d`."""
    picture = functional.conv2d(
        maps.unsqueeze(2), weight.unsqueeze(2), bias, stride=(1, stride), padding=(0, padding)
    )
    return picture.squeeze(2)
