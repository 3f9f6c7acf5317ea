"""The head in one thermal picture: the warm shape that is most like one.

The picture is cut at many levels; each connected warm region is read from the top: where it is widest
before the neck is the width of the head, and the height follows from where the region ends or, with neck
and shoulders below, from the proportions of faces. The region that fills the ellipse of such a head best,
and nothing about it, wins. Hair and clothes, being cooler than skin, drop out at the higher levels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emolab.signals.thermal import shapes
from emolab.signals.thermal.candidates import candidates, roundness

Picture = NDArray[Any]  # (h, w), floats or counts
Mask = NDArray[np.uint8]

COARSE_ROWS = 80  # in which a head is looked for
LEVELS, STEPS_C = 16, (0.4, 1.2)
# of the pixels: the room, the warmest, and six ranks between
LEVEL_PERCENT = np.array([5, 99.7, *(100 * (1 - np.geomspace(0.02, 0.6, 6)))])
SPAN_C, HOTTER_C = 9.0, 4.0  # from the coolest skin to the warmest; more above most of it: lamps, radiators
LEAST_SCORE = 0.45
_KERNEL = np.ones((3, 3), np.uint8)

WIDER = 1.3  # a head than its neck
SAME = 0.35  # of the width: two levels show one head
NEARLY = 0.85  # the warmest level that is nearly as good: hair and collar are off there


@dataclass(frozen=True)
class Head:
    """Where a head is: middle, width and height in pixels, and the level that cuts it out, up to `limit`.

    `is_cut`: it goes on beyond the picture. `score`: how much like a head, 0 to 1.
    """

    x: float
    y: float
    width: float
    height: float
    level: float
    limit: float = np.inf
    is_cut: bool = False
    score: float = 0.0

    def scaled(self, step: int) -> Head:
        """The same in the picture of which this one has every `step`-th pixel."""
        return replace(
            self,
            x=self.x * step + step // 2,
            y=self.y * step + step // 2,
            width=self.width * step,
            height=self.height * step,
        )


def coarse(picture: Picture) -> tuple[Picture, int]:
    """Every `step`-th pixel, and the step: noise is small against what parts skin from wall."""
    step = max(round(picture.shape[0] / COARSE_ROWS), 1)
    return picture[step // 2 :: step, step // 2 :: step], step


def closed_mask(warm: NDArray[np.bool_]) -> Mask:
    """The same with what is a pixel or two wide closed: the rims of glasses."""
    return np.asarray(cv2.morphologyEx(warm.view(np.uint8), cv2.MORPH_CLOSE, _KERNEL), dtype=np.uint8)


def find_head(small: Picture, per_c: float, before: Head | None = None) -> Head | None:
    """The head in a coarse picture, None without. `per_c`: the picture's units to a degree.

    `before`: where it was; of two equals the one nearer to it is taken.
    """
    values = np.ascontiguousarray(small, dtype=np.float32)
    every = candidates(values, _levels(values, per_c), SPAN_C * per_c, per_c)
    found = [
        Head(x, y, width, height, level, limit, bool(is_cut), score * _nearness(x, y, before))
        for x, y, width, height, level, limit, is_cut, score in every.tolist()
    ]
    best = max(found, key=lambda head: head.score, default=None)
    if best is None or best.score < LEAST_SCORE:
        return None
    best = max((head for head in found if _is_neck(best, head)), key=lambda head: head.score, default=best)
    near = [head for head in found if math.hypot(head.x - best.x, head.y - best.y) < SAME * best.width]
    return max((head for head in near if head.score >= NEARLY * best.score), key=lambda head: head.level)


def at_skin(values: Picture, head: Head, per_c: float) -> Head:
    """The head and the levels to follow it by: half way to what is about it, and hotter than skin."""
    radius2, y = _radius2(values.shape, head)
    inside = values[(radius2 < 0.5) & (y < head.y + 0.2 * head.height)]
    about = values[(radius2 > 1.3) & (radius2 < 2.2) & (y < head.y)]
    if not len(inside) or not len(about):
        return head
    inside, about = inside[inside < head.limit], about[about < head.limit]
    if not len(inside) or not len(about):
        return head
    skin, hair = float(np.percentile(inside, 75)), float(np.percentile(about, 75))
    return replace(head, level=(skin + hair) / 2, limit=skin + HOTTER_C * per_c)


def read_head(labels: NDArray[Any], label: int, level: float) -> Head | None:
    """The head at the top of the warm region `labels == label`, None where there can be none."""
    is_head, x, first, width, height, is_cut = shapes.outline(labels, label)
    return Head(x, first + height / 2 - 0.5, width, height, level, is_cut=is_cut) if is_head else None


def likeness(head: Head, labels: NDArray[Any], label: int) -> tuple[float, float]:
    """How like a head a region is, 0 to 1, and how much of the head's ellipse it fills."""
    filled, about, flat = shapes.likeness(labels, label, head.x, head.y, head.width, head.height)
    return max(filled - about, 0.0) * roundness(head.y, head.height, flat), filled


def _levels(values: NDArray[np.float32], per_c: float) -> NDArray[np.float32]:
    """By rank, and by steps of about a degree up from the room."""
    low, high, *by_rank = np.percentile(values, LEVEL_PERCENT)
    step = min(max((high - low) / LEVELS, STEPS_C[0] * per_c), STEPS_C[1] * per_c)
    by_warmth = np.arange(low + step, min(high, low + 22 * step), step)
    return np.unique(np.concatenate([by_rank, by_warmth])).astype(np.float32)


def _is_neck(one: Head, head: Head) -> bool:
    """Whether `one`, though more like a head, is what a wider head stands on, cut off or with a cold nose."""
    is_under = abs(one.x - head.x) < 0.3 * head.width and 0.2 < (one.y - head.y) / head.height < 0.75
    return is_under and head.width > WIDER * one.width and head.score > 0.5 * one.score


def _nearness(x: float, y: float, before: Head | None) -> float:
    """How far what is there is believed to be the head that was, 0.7 to 1."""
    if before is None:
        return 1.0
    away = math.hypot(x - before.x, y - before.y) / before.height
    return 0.7 + 0.3 * math.exp(-((away / 0.5) ** 2))


def _radius2(shape: tuple[int, ...], head: Head) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of each pixel the squared radius in the head's ellipse, 1 at its rim, and its row."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    radius2 = (2 * (x - head.x) / head.width) ** 2 + (2 * (y - head.y) / head.height) ** 2
    return radius2.astype(np.float32), np.broadcast_to(y, shape).astype(np.float32)
