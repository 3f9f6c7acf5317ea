"""The networks that judge faces: VGG19 as the EmoMusic paper's validator has it, and our own small one.

Both take `(n, 1, side, side)` float32 from 0 to 1 and give `(n, 7)` logits; what is cut out of a face of
48 px, and what is averaged, is said by `views` of the card (see `network_model`).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

VGG19_WIDTHS: tuple[tuple[int, ...], ...] = ((64,) * 2, (128,) * 2, (256,) * 4, (512,) * 4, (512,) * 4)
SMALL_WIDTHS: tuple[tuple[int, ...], ...] = ((64,), (128, 128), (224, 224))


class Vgg19(nn.Module):
    """Sixteen convolutions of 3×3 with batch normalisation, for crops of 44 px; 20,038,983 parameters.

    Grey is repeated to three channels; values from 0 to 1, neither mean nor deviation taken off. Source:
    specification 1b, after WuJie1010/Facial-Expression-Recognition.Pytorch.
    """

    side_px = 44

    def __init__(self, classes: int = 7) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for block in VGG19_WIDTHS:
            for width in block:
                layers += [
                    nn.Conv2d(before, width, 3, padding=1),
                    nn.BatchNorm2d(width),
                    nn.ReLU(inplace=True),
                ]
                before = width
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers, nn.AvgPool2d(1))
        self.dropout = nn.Dropout(0.5)
        self.classifier = nn.Linear(before, classes)

    def forward(self, faces: Tensor) -> Tensor:
        """`(n, 1 or 3, 44, 44)` → `(n, 7)` logits."""
        return self.classifier(self.dropout(self.features(faces.expand(-1, 3, -1, -1)).flatten(1)))


class Residual(nn.Module):
    """Two convolutions beside a way straight through; begins as that way alone."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.first = _convolution(before, width)
        last = nn.BatchNorm2d(width)
        nn.init.zeros_(last.weight)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), last)
        self.straight = nn.Conv2d(before, width, 1, bias=False) if before != width else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        """`(n, before, h, w)` → `(n, width, h, w)`."""
        return functional.relu(self.second(self.first(maps)) + self.straight(maps))


class Small(nn.Module):
    """What ships: residual blocks on quarter-size pictures, made for one core of a laptop.

    Each face is set to mean 0 and deviation 1 (the light of a room is no expression) and folded two by two
    pixels into four channels; the mean over all places lets any even side do, so that it learns on crops
    and judges whole faces.
    """

    side_px = 44

    def __init__(self, classes: int = 7, widths: tuple[tuple[int, ...], ...] = SMALL_WIDTHS) -> None:
        super().__init__()
        before = widths[0][0]
        layers: list[nn.Module] = [_convolution(4, before)]
        for k, stage in enumerate(widths):
            if k:
                layers.append(nn.MaxPool2d(2, 2))
            for width in stage:
                layers.append(Residual(before, width))
                before = width
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(0.3)
        self.classifier = nn.Linear(before, classes)

    def forward(self, faces: Tensor) -> Tensor:
        """`(n, 1, side, side)`, side even and at least 16, → `(n, 7)` logits."""
        mean = faces.mean((2, 3), keepdim=True)
        deviation = (faces - mean).square().mean((2, 3), keepdim=True).sqrt()
        even = (faces - mean) / (deviation + 0.02)  # a face all of one grey stays finite
        maps = self.features(functional.pixel_unshuffle(even, 2))
        return self.classifier(self.dropout(maps.mean((2, 3))))


NETWORKS: dict[str, type[nn.Module]] = {"small": Small, "vgg19": Vgg19}


def parameters(network: nn.Module) -> int:
    """How many numbers are learnt."""
    return sum(weight.numel() for weight in network.parameters())


def _convolution(before: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
    )
