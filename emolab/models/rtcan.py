"""RTCAN-1D: skin conductance in three curves, with or without music, to high and low.

Yin, Sun, Yu, Li, Zhang 2022, "A Multimodal Framework for Large-Scale Emotion Recognition by Fusing Music
and Electrodermal Activity Signals", doi:10.1145/3490686; facts in specification 05.

    network = Rtcan()                       # Rf with music, 2,034,602 parameters
    logits = network(curves, music)         # (n, 3, 2500) origin, phasic, tonic; (n, 6373) → (n, 2)
    rtcag("re")(curves)                     # skin conductance alone, ablation Re

A shallow convolution, two attentions (over channels in three clips of time, over times within a clip), four
residual stages, three linear layers. We differ from the paper: logits come out (it puts a ReLU before the
softmax), keys and values of the attention are pooled by 2 (it says by 1, which does nothing), weights begin
after He (it says N(0, 0.01), at which the network barely moves). `variant="authors"` is what their program
does instead: attention over times first, channels over the whole length, maximum pooling, its two heads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from emolab.core.errors import ConfigError, WrongInput
from emolab.models.choices import Choice
from emolab.models.classifier import Input, Spec
from emolab.models.moments import Convolution, Norm, side_by_side
from emolab.models.rtcan_blocks import CLIPS, POOLS, ChannelAttention, Pool, Residual, TimeAttention

T = TypeVar("T")
Init = Literal["he", "normal", "xavier", "authors", "authors_xavier"]

PAPER = "Yin et al. 2022, doi:10.1145/3490686"
LENGTH = 2500  # samples of a curve; forced by 64 maps × 14 places = 896
MUSIC = 6373  # ComParE
WIDTH = 64
EVEN = (64, 64, 64, 64)
RISING = (64, 128, 256, 512)


@dataclass(frozen=True)
class Ablation:
    """Which attentions are there: in the residual blocks, over channels, over times."""

    blocks: bool
    channels: bool
    times: bool


# table 5 of the paper, whose ticks are deduced in specification 05 §5.2
ABLATIONS = {
    "base": Ablation(False, False, False),
    "ra": Ablation(True, False, False),
    "rb": Ablation(False, True, False),
    "rc": Ablation(True, True, False),
    "rd": Ablation(False, False, True),
    "re": Ablation(False, True, True),
    "rf": Ablation(True, True, True),
}
CHOICES = {
    "ablation": Choice(
        "attentions, as table 5 of the paper has them (re for DEAP and AMIGOS)", tuple(ABLATIONS), "rf"
    ),
    "depth": Choice("convolutions in a residual block", (1, 2), 1),
    "widths": Choice("channels of the four stages", (EVEN, RISING), EVEN),
}


@dataclass(frozen=True)
class Options:
    """Where paper and program disagree (specification 05 §5.3).

    `channels_first`: the attention over channels before that over times. `channel_clips`: into how many
    clips time is cut for the former. `pool`: of keys and values by 2. `authors_head`: with music a softmax,
    without it a ReLU, on what should be logits. `init`: "he" and "xavier" for all layers, "normal" with
    deviation 0.01, "authors": He for the residual stages alone, as for PMEmo, "authors_xavier": Xavier for
    them, as for DEAP and AMIGOS.
    """

    channels_first: bool = True
    channel_clips: int = CLIPS
    pool: Pool = "average"
    authors_head: bool = False
    init: Init = "he"


VARIANTS = {
    "reference": Options(),
    "authors": Options(False, 1, "max", True, "authors"),
}


class Rtcan(nn.Module):
    """RTCAN-1D; without music (`music=0`) it is RTCAG.

    `ablation`: a key of `ABLATIONS`. `widths`: channels of the four stages. `depth`: convolutions in a
    residual block, 1 or 2. `music`: how many features of music there are. `variant`: a key of `VARIANTS`;
    `options` takes its place, `init` that of its own. `attention`: the part whose output Grad-CAM looks at.
    """

    def __init__(
        self,
        ablation: str = "rf",
        *,
        widths: tuple[int, ...] = EVEN,
        depth: int = 1,
        music: int = MUSIC,
        classes: int = 2,
        variant: str = "reference",
        options: Options | None = None,
        init: Init | None = None,
    ) -> None:
        super().__init__()
        parts = _known(ABLATIONS, ablation, "ablation")
        chosen = options or _known(VARIANTS, variant, "variant")
        _known(POOLS, chosen.pool, "pool")
        self.music = music
        self.options = chosen
        self.shallow = nn.Sequential(Convolution(3, WIDTH, 7, stride=2, padding=3), Norm(WIDTH))
        attentions: list[nn.Module] = []
        if parts.channels:
            attentions.append(ChannelAttention(WIDTH, chosen.channel_clips))
        if parts.times:
            attentions.append(TimeAttention(WIDTH, chosen.pool))
        self.attention = nn.Sequential(*(attentions if chosen.channels_first else attentions[::-1]))
        stages, before = [], WIDTH
        for width in widths:
            first = Residual(before, width, depth, parts.blocks, halves=True)
            stages.append(nn.Sequential(first, Residual(width, width, depth, parts.blocks)))
            before = width
        self.stages = nn.Sequential(*stages)
        self.reduce = nn.Sequential(Convolution(before, WIDTH, 1, stride=3, bias=False), Norm(WIDTH))
        self.pool = nn.AvgPool1d(14, stride=1)
        self.classifier = nn.Sequential(
            nn.Linear(WIDTH * 14 + music, 256),
            nn.ReLU(),
            nn.Linear(256, 128),
            nn.ReLU(),
            nn.Linear(128, classes),
        )
        _begin(self, init or chosen.init)
        self.spec = _spec(self, music, classes)

    def forward(self, curves: Tensor, music: Tensor | None = None) -> Tensor:
        """`curves` `(n, 3, 2500)`, each with mean 0 and deviation 1, and `music` `(n, 6373)` → `(n, 2)`."""
        if curves.shape[1:] != (3, LENGTH):
            raise WrongInput(f"RTCAN-1D takes curves (n, 3, {LENGTH}), not {tuple(curves.shape)}")
        maps = self.attention(self.shallow(side_by_side(curves)))
        found = self.pool(self.reduce(self.stages(maps))).flatten(1)
        if self.music:
            if music is None or music.shape != (len(curves), self.music):
                got = None if music is None else tuple(music.shape)
                raise WrongInput(
                    f"music ({len(curves)}, {self.music}) is needed beside the curves, not {got}"
                )
            found = torch.cat((found, music), 1)
        logits = self.classifier(found)
        if self.options.authors_head:
            return torch.softmax(logits, 1) if self.music else functional.relu(logits)
        return logits


def rtcag(ablation: str = "rf", **more: object) -> Rtcan:
    """RTCAN-1D on skin conductance alone."""
    return Rtcan(ablation, music=0, **more)  # type: ignore[arg-type]


def _begin(network: Rtcan, init: Init) -> None:
    """Set the first weights; normalisations stay as they are made."""
    for part in (network.stages if init.startswith("authors") else network).modules():
        if not isinstance(part, nn.Conv1d | nn.Linear):
            continue
        if init in ("he", "authors"):
            nn.init.kaiming_normal_(part.weight)
        elif init in ("xavier", "authors_xavier"):
            nn.init.xavier_normal_(part.weight)
        else:
            nn.init.normal_(part.weight, std=0.01)
        if part.bias is not None:
            nn.init.zeros_(part.bias)


def _spec(network: Rtcan, music: int, classes: int) -> Spec:
    curves = Input("eda", (3, LENGTH), "origin, phasic and tonic from the third second, each z-scored")
    heard = Input("music", (music,), "ComParE functionals, z-scored by the training rows")
    count = sum(weight.numel() for weight in network.parameters())
    if music:
        return Spec("RTCAN-1D", PAPER, (curves, heard), classes, count)
    return Spec("RTCAG (RTCAN-1D without music)", PAPER, (curves,), classes, count)


def _known(table: dict[str, T], name: str, what: str) -> T:
    if name not in table:
        raise ConfigError(f"RTCAN-1D has no {what} {name!r}; known are {', '.join(table)}")
    return table[name]
