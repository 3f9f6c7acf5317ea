"""The photographed face made to smile, frown and blink: the same pixels, moved.

The photograph smiles with its teeth; neutral and frowning faces come of it by closing the lips over
them, lowering the mouth's corners and drawing the brows together: action units 12, 15 and 4 of Ekman and
Friesen. What no moving of pixels can take away or bring is painted: the folds beside the nose go with the
smile, the line between the lips and the furrow between the brows come. All places are pixels of the
photograph; how far things move was tuned until people and expression models called the faces alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Place = tuple[float, float]

# what any expression changes: left, top, right, bottom
LEFT, TOP, RIGHT, BOTTOM = 176, 76, 274, 196
FINE = 3  # times finer than the photograph it is reckoned: closed lips are thinner than a pixel


@dataclass(frozen=True)
class Slit:
    """An opening between two corners, `half` px to either side of `x`, at `corner`.

    Edges by their height in the middle: `top` of the upper lip or lid, `gap` to `gap_end`, `bottom` of
    the lower one. `tilt`: how much lower the right corner is than the middle.
    """

    x: float
    half: float
    corner: float
    top: float
    gap: float
    gap_end: float
    bottom: float
    tilt: float = 0.0

    def toward(self, other: Slit, share: float) -> Slit:
        """This slit turned into `other` by `share`."""
        mine, its = astuple(self), astuple(other)
        return Slit(*(one + (another - one) * share for one, another in zip(mine, its, strict=True)))

    def edges(self, u: Plane) -> list[Plane]:
        """The four edges where `u` halves to the right of the middle; beyond the corners level with them."""
        inside = np.clip(u, -1, 1)
        corner = self.corner + self.tilt * inside
        return [
            corner + (edge - self.corner) * (1 - inside**2)
            for edge in (self.top, self.gap, self.gap_end, self.bottom)
        ]


SMILING = Slit(223.7, 21.2, 140.0, 139.8, 144.0, 150.1, 155.8)
CLOSED = Slit(223.7, 18.4, 148.4, 140.9, 145.3, 145.3, 151.6)
DOWN = Slit(223.7, 18.5, 152.0, 140.3, 144.4, 144.4, 151.0)
MOUTH_SPAN = (129.0, 192.0)  # from below the nose to below the chin
EYES = (
    Slit(203.6, 11.0, 101.6, 96.2, 98.0, 105.4, 106.4, 0.6),
    Slit(247.2, 12.0, 104.2, 97.8, 99.6, 107.4, 108.4),
)
LASHES = (
    ((193.0, 102.6), (198.0, 104.7), (204.0, 105.4), (210.0, 104.9), (214.0, 103.2)),
    ((236.0, 105.2), (241.0, 106.9), (247.0, 107.5), (253.0, 107.0), (258.5, 105.2)),
)
EYE_REACH = 5.0  # px above and below that go with the lids

FOLDS = (
    ((206.0, 124.0), (200.0, 131.5), (195.5, 137.5), (199.0, 141.0)),
    ((237.0, 123.5), (245.0, 132.5), (250.5, 139.5), (250.0, 143.0)),
)
# inner ends, outer ends and lids below them; each (left, right)
BROWS_INNER = ((213.0, 92.0), (238.5, 93.5))
BROWS_OUTER = ((194.0, 90.0), (258.0, 94.0))
LIDS = ((203.5, 98.0), (246.5, 100.0))
KNIT_BROWS = (
    ((191.0, 90.8), (199.0, 89.6), (208.0, 93.2), (215.5, 96.6)),
    ((236.2, 97.6), (243.0, 95.0), (251.0, 93.4), (262.0, 96.0)),
)
FURROWS = (((222.0, 89.5), (223.0, 97.5)), ((229.5, 89.5), (228.5, 97.5)))
CHEEKS = ((199.7, 124.0), (247.7, 124.0))
BROWS_PX = (3.2, 6.0)  # their inner ends, inwards and down
NARROW = 0.3  # how far a frown shuts the eyes
AT_REST = 0.4  # of a frown's brows: hers stand high because she smiles
# how much darker it becomes: between closed lips, between closed lids; of a frown below the lip, at the
# mouth's corners, beside the nose, on the brows and between them
SEAM, LID, CHIN, CORNER, FOLD, BROW, FURROW = 0.42, 0.5, 0.26, 0.2, 0.16, 0.27, 0.14
SHADOW = np.array((0.75, 1.05, 1.25), np.float32)  # of skin: red stays longest


class Face:
    """Makes expressions of the photographed face, cut out from `LEFT`, `TOP` to `RIGHT`, `BOTTOM`."""

    def __init__(self, smiling: NDArray[np.uint8]) -> None:
        self._smiling = smiling.astype(np.float32)
        y, x = np.mgrid[TOP:BOTTOM, LEFT:RIGHT].astype(np.float32)
        self._x, self._y = x, y
        folds = np.max([self._near(fold, 2.6) for fold in FOLDS], axis=0)
        self._folds = np.clip(folds * 1.5, 0, 1)[..., np.newaxis]
        skin = np.clip(1 - 1.6 * folds, 0, 1)
        whole = cv2.GaussianBlur(self._smiling * skin[..., np.newaxis], (0, 0), 4.0)
        self._smooth = whole / np.maximum(cv2.GaussianBlur(skin, (0, 0), 4.0), 1e-3)[..., np.newaxis]
        y, x = np.mgrid[0 : FINE * (BOTTOM - TOP), 0 : FINE * (RIGHT - LEFT)].astype(np.float32)
        self._x, self._y = (x + 0.5) / FINE - 0.5 + LEFT, (y + 0.5) / FINE - 0.5 + TOP

    def made(self, smile: float, shut: float = 0.0) -> NDArray[np.uint8]:
        """The face between frowning, −1, and smiling, 1; `shut`: the eyes, 0..1. As large as the part."""
        happy, sullen = max(smile, 0.0), max(-smile, 0.0)
        calm = 1 - happy
        mouth = SMILING.toward(CLOSED, calm).toward(DOWN, sullen)
        knit = sullen + AT_REST * (calm - sullen)
        dx, dy = self._moved(SMILING, mouth, MOUTH_SPAN, narrows=True)
        for eye in EYES:
            to = eye.toward(_shut(eye), max(shut, NARROW * sullen))
            _, lids = self._moved(eye, to, (eye.top - EYE_REACH, eye.bottom + EYE_REACH))
            dy += lids
        for (x, y), pull in zip(BROWS_INNER, (-1, 1), strict=True):
            spot = self._spot(x, y, 8.0, 6.5)
            dx += pull * BROWS_PX[0] * knit * spot
            dy -= BROWS_PX[1] * knit * spot
        for x, y in BROWS_OUTER:
            dy -= 0.6 * knit * self._spot(x, y, 7.0, 5.0)
        for x, y in LIDS:
            dy -= knit * self._spot(x, y, 8.0, 3.0)
        for x, y in CHEEKS:
            dy -= 2.0 * calm * self._spot(x, y, 9.0, 8.0)
        face = self._smiling + 0.85 * calm * self._folds * (self._smooth - self._smiling)
        face = cv2.remap(
            face, self._x - LEFT + dx, self._y - TOP + dy, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        face *= 1 - self._shadows(mouth, calm, sullen, shut)[..., np.newaxis] * SHADOW
        face = cv2.resize(face, (RIGHT - LEFT, BOTTOM - TOP), interpolation=cv2.INTER_AREA)
        return np.clip(face, 0, 255).round().astype(np.uint8)

    def _moved(
        self, source: Slit, to: Slit, span: tuple[float, float], narrows: bool = False
    ) -> tuple[Plane, Plane]:
        """Where each pixel comes from, as a shift, when `source` becomes `to`; none beyond `span` moves."""
        u = (self._x - to.x) / to.half
        flat = np.ones_like(self._y)
        ends = [np.float32(span[0]) * flat, np.float32(span[1]) * flat]
        target = [ends[0], *to.edges(u), ends[1]]
        origin = [ends[0], *source.edges(u), ends[1]]
        came = self._y.copy()
        for at in range(len(target) - 1):
            above, below = target[at], target[at + 1]
            within = (self._y >= above) & (self._y < below)
            share = (self._y - above) / np.maximum(below - above, 1e-3)
            came = np.where(within, origin[at] + share * (origin[at + 1] - origin[at]), came)
        beside = 1 - _eased((np.abs(u) - 1) / 1.1)
        dy = ((came - self._y) * beside).astype(np.float32)
        if not narrows:
            return np.zeros_like(dy), dy
        about = _eased((self._y - 124) / 14) * (1 - _eased((self._y - 154) / 20))
        dx = np.clip(u, -1, 1) * (source.half - to.half) * beside * about
        return dx.astype(np.float32), dy

    def _shadows(self, mouth: Slit, calm: float, sullen: float, shut: float) -> Plane:
        u = (self._x - mouth.x) / mouth.half
        gap = mouth.edges(u)[1:3]
        off = np.maximum(np.maximum(gap[0] - self._y, self._y - gap[1]), 0)
        seam = np.exp(-0.5 * (off / 0.8) ** 2) * (1 - _eased((np.abs(u) - 0.55) / 0.55))
        dark = SEAM * calm**3 * seam
        if sullen:
            dark = dark + CHIN * sullen * self._spot(mouth.x, mouth.bottom + 2.5, 9.0, 2.2)
            for side in (-1, 1):
                corner = mouth.x + side * (mouth.half + 0.5)
                bend = ((corner, mouth.corner), (corner + side * 2, mouth.corner + 4.5))
                fold = [(mouth.x + side * dx, y) for dx, y in ((13, 126), (20, 135), (22, 140))]
                dark = dark + CORNER * sullen * self._near(bend, 1.9) + FOLD * sullen * self._near(fold, 1.9)
            for brow in KNIT_BROWS:
                dark = dark + BROW * sullen * self._near(brow, 1.35)
            for furrow in FURROWS:
                dark = dark + FURROW * sullen * self._near(furrow, 1.2)
        if shut:
            for lashes in LASHES:
                dark = dark + LID * shut * self._near(lashes, 0.8)
        return dark.astype(np.float32)

    def _spot(self, x: float, y: float, wide: float, high: float) -> Plane:
        """1 at a place, falling off about it."""
        off = ((self._x - x) / wide) ** 2 + ((self._y - y) / high) ** 2
        return np.exp(-0.5 * off).astype(np.float32)

    def _near(self, line: Sequence[Place], width: float) -> Plane:
        """1 on a line from place to place, falling off beside it."""
        best = np.full_like(self._x, np.inf)
        for (x0, y0), (x1, y1) in pairwise(line):
            dx, dy = x1 - x0, y1 - y0
            along = np.clip(((self._x - x0) * dx + (self._y - y0) * dy) / (dx * dx + dy * dy), 0, 1)
            best = np.minimum(best, (self._x - x0 - along * dx) ** 2 + (self._y - y0 - along * dy) ** 2)
        return np.exp(-0.5 * best / width**2).astype(np.float32)


def _shut(eye: Slit) -> Slit:
    """The upper lid comes down nearly all the way."""
    line = eye.gap_end - 1.2
    return replace(eye, corner=eye.corner + 0.8, top=line - 2.0, gap=line, gap_end=line)


def _eased(share: Plane) -> Plane:
    """0 below 0, 1 above 1, without a bend at either."""
    inside = np.clip(share, 0, 1)
    return inside * inside * (3 - 2 * inside)
