"""Res-SIN: skin conductance as a picture, with or without music, to high and low.

Yin, Sun, Zhang, Yu, Li, Zhang, Zou 2019, "User Independent Emotion Recognition with Residual Signal-Image
Network", doi:10.1109/ICIP.2019.8803627; facts in specification 04. No program of the authors is public.

    network = ResSin()                          # 8,432,450 parameters
    logits = network(images, music)             # (n, 3, 224, 224) as of `signal_image`; (n, 6373) → (n, 2)
    res_si()(images)                            # skin conductance alone
    ResSin("tonic")                             # sees one channel of the three

A ResNet-18 with one convolution in a block and without its last layer (Res-SI) gives 512 figures, which are
z-scored and, beside the music's, go through two linear layers. Where the paper is silent we normalise after
each convolution (`use_bn`), begin after He, learn from scratch, and z-score the 512 by batch.

What the picture keeps of the signal is told in `eda_inputs`: little above 0.1 Hz.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from emolab.core.errors import ConfigError, WrongInput
from emolab.models.choices import Choice
from emolab.models.classifier import Input, Spec

PAPER = "Yin et al. 2019, doi:10.1109/ICIP.2019.8803627"
SIDE_PX = 224
MUSIC = 6373  # ComParE
VECTOR = 512
WIDTHS = (64, 128, 256, 512)
MARGIN_PX = 8  # the paper crops and does not say how much
COMPONENTS = {"mix": (0, 1, 2), "origin": (0,), "phasic": (1,), "tonic": (2,)}
CHOICES = {"component": Choice("what is seen of the signal's three channels", tuple(COMPONENTS), "mix")}


class ResSin(nn.Module):
    """Res-SIN; without music (`music=0`) its subnet with a classifier of its own.

    `component`: a key of `COMPONENTS`, what is seen of the three channels. The buffer `mean`, set by
    `learn_mean` from the training rows alone, is taken off each channel. While it learns, batches need two
    trials or more.
    """

    mean: Tensor

    def __init__(
        self, component: str = "mix", *, music: int = MUSIC, classes: int = 2, use_bn: bool = True
    ) -> None:
        super().__init__()
        if component not in COMPONENTS:
            raise ConfigError(f"Res-SIN has no component {component!r}; known are {', '.join(COMPONENTS)}")
        self.channels = COMPONENTS[component]
        self.music = music
        self.register_buffer("mean", torch.zeros(3, 1, 1))
        self.subnet = ResSi(len(self.channels), use_bn=use_bn)
        self.standard = nn.BatchNorm1d(VECTOR, affine=False)
        self.classifier = nn.Sequential(
            nn.Linear(VECTOR + music, VECTOR), nn.ReLU(), nn.Linear(VECTOR, classes)
        )
        for part in self.modules():
            if isinstance(part, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(part.weight)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)
        self.spec = _spec(self, component, music, classes)

    def learn_mean(self, images: Tensor) -> None:
        """Keep the mean of each channel of the training `images` `(n, 3, side, side)`."""
        self.mean.copy_(images.mean((0, 2, 3))[:, None, None])

    def forward(self, images: Tensor, music: Tensor | None = None) -> Tensor:
        """`images` `(n, 3, 224, 224)` from 0 to 1, `music` `(n, 6373)` z-scored → `(n, 2)` logits."""
        if images.ndim != 4 or images.shape[1] != 3:
            raise WrongInput(f"Res-SIN takes images (n, 3, {SIDE_PX}, {SIDE_PX}), not {tuple(images.shape)}")
        seen = (images - self.mean)[:, self.channels]
        # a place's channels side by side: learning takes three quarters of the time
        found = self.standard(self.subnet(seen.contiguous(memory_format=torch.channels_last)))
        if self.music:
            if music is None or music.shape != (len(images), self.music):
                got = None if music is None else tuple(music.shape)
                raise WrongInput(
                    f"beside the images, music ({len(images)}, {self.music}) is needed, not {got}"
                )
            found = torch.cat((found, music), 1)
        return self.classifier(found)


def res_si(component: str = "mix", **more: object) -> ResSin:
    """Res-SIN on skin conductance alone."""
    return ResSin(component, music=0, **more)  # type: ignore[arg-type]


class ResSi(nn.Module):
    """The subnet: `(n, channels, side, side)` → `(n, 512)`."""

    def __init__(self, channels: int = 3, *, use_bn: bool = True) -> None:
        super().__init__()
        width = WIDTHS[0]
        self.stem = nn.Sequential(
            *_convolution(channels, width, 7, 2, use_bn), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        )
        stages, before = [], width
        for width in WIDTHS:
            first = Unit(before, width, 2 if width != before else 1, use_bn)
            stages.append(nn.Sequential(first, Unit(width, width, 1, use_bn)))
            before = width
        self.stages = nn.Sequential(*stages)

    def forward(self, images: Tensor) -> Tensor:
        """The mean over all places of the last maps."""
        return self.stages(self.stem(images)).mean((2, 3))


class Unit(nn.Module):
    """One convolution beside a way straight through, which is a projection where the size changes."""

    def __init__(self, before: int, width: int, stride: int, use_bn: bool) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_convolution(before, width, 3, stride, use_bn), nn.ReLU())
        changes = stride > 1 or before != width
        self.straight = nn.Sequential(*_convolution(before, width, 1, stride, use_bn)) if changes else None
        self.last = nn.ReLU()

    def forward(self, maps: Tensor) -> Tensor:
        """`(n, before, h, w)` → `(n, width, h / stride, w / stride)`."""
        straight = maps if self.straight is None else self.straight(maps)
        return self.last(self.layers(maps) + straight)


def random_crop(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each of `images` `(n, c, h, w)` moved by up to 8 px either way, mirrored at the edges: for training."""
    n, _, height, width = images.shape
    wide = functional.pad(images, (MARGIN_PX,) * 4, mode="reflect")
    moves = torch.randint(0, 2 * MARGIN_PX + 1, (n, 2), generator=generator).tolist()
    return torch.stack(
        [
            one[:, top : top + height, left : left + width]
            for one, (top, left) in zip(wide, moves, strict=True)
        ]
    )


def _convolution(before: int, width: int, size: int, stride: int, use_bn: bool) -> list[nn.Module]:
    convolution = nn.Conv2d(before, width, size, stride, size // 2, bias=not use_bn)
    return [convolution, nn.BatchNorm2d(width)] if use_bn else [convolution]


def _spec(network: ResSin, component: str, music: int, classes: int) -> Spec:
    seen = (
        "origin, phasic and tonic" if component == "mix" else f"of origin, phasic and tonic the {component}"
    )
    image = Input("eda", (3, SIDE_PX, SIDE_PX), f"signal image, {seen}, from the fifteenth second")
    heard = Input("music", (music,), "ComParE functionals, z-scored by the training rows")
    count = sum(weight.numel() for weight in network.parameters())
    if music:
        return Spec("Res-SIN", PAPER, (image, heard), classes, count)
    return Spec("Res-SI (Res-SIN without music)", PAPER, (image,), classes, count)
