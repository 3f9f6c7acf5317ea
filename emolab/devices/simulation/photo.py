"""The simulated participant as a colour camera sees it: a real face, photographed once and set in motion.

The face is that of the astronaut Eileen Collins in NASA's portrait (https://flic.kr/p/r9qvLn), which is in
the public domain and which scikit-image ships as `skimage.data.astronaut`. It is taken from there when
needed and is no part of this program; without scikit-image `portrait` draws a face.

She sits before a wall, sways, breathes and blinks; `grimace` makes her smile and frown; at times she bends
down out of the picture. Her skin loses green with every pulse, and each frame carries its number, both as
in `portrait`.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from emolab.devices.simulation.grimace import BOTTOM, LEFT, RIGHT, TOP, Face
from emolab.devices.simulation.portrait import PULSE_SHARE, is_blinking, write_number

Image = NDArray[np.uint8]
Plane = NDArray[np.float32]

LEVELS = 12  # expressions to either side of none
MIDDLE_X = 224.0  # of the face, in pixels of the photograph; the picture shows its first 240 rows
ROWS = 240.0
MARGIN = 48  # px beyond the picture, for what moves into it
NECK = (226.0, 182.0)  # about which the head tilts
BENDS = (36.0, 250.0)  # px to the right and down until she is gone
SKIN = (224.0, 126.0, 34.0, 44.0)  # an ellipse: middle and half axes
# of the photograph: her outline, hair and suit, with some wall about it
OUTLINE = (
    *((40, 300), (46, 280), (56, 255), (75, 236), (100, 213), (111, 205), (111, 184), (121, 182), (126, 173)),
    *((135, 160), (150, 151), (168, 146), (180, 147), (181, 134), (174, 131), (170, 118), (160, 112)),
    *((154, 99), (151, 78), (154, 59), (169, 43), (188, 32), (199, 22), (219, 15), (234, 13), (256, 17)),
    *((273, 27), (290, 43), (299, 61), (304, 83), (300, 105), (292, 120), (282, 128), (273, 138), (268, 139)),
    *((264, 151), (258, 164), (257, 172), (271, 178), (287, 193), (299, 211), (305, 231), (320, 239)),
    *((334, 251), (344, 265), (350, 285), (352, 300)),
)
FLAG_X, ROCKET_X = 100, 345  # beyond these the wall is hidden by others


def photograph() -> Image | None:
    """The portrait, `(512, 512, 3)` RGB; None where scikit-image is not installed."""
    try:
        from skimage import data

        picture: Image = data.astronaut()
    except (ImportError, OSError):  # not installed, or without its pictures
        return None
    return picture


class Photo:
    """Draws frames of `width` × `height` pixels. A frame takes about a millisecond at 320×240."""

    face = "photograph"

    def __init__(self, width: int, height: int, picture: Image) -> None:
        zoom = height / ROWS
        beside = math.ceil(width / zoom / 2) + MARGIN
        left, top = round(MIDDLE_X) - beside, -MARGIN  # of the canvas, in the photograph
        self._canvas, self._alpha = _before_a_wall(picture, left, top, 2 * beside)
        self._part = (slice(TOP - top, BOTTOM - top), slice(LEFT - left, RIGHT - left))
        self._face = Face(self._canvas[self._part])
        self._faces: dict[tuple[int, bool], Image] = {}  # made when first shown
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        y = (y + 0.5) / np.float32(zoom) - 0.5
        x = (x + 0.5) / np.float32(zoom) - 0.5 + np.float32(MIDDLE_X - width / zoom / 2)
        self._x, self._y = x - left, y - top
        self._head = (1 - _eased((y - 140) / 75)) * (1 - _eased((np.abs(x - NECK[0]) - 85) / 60))
        self._tilt_x, self._tilt_y = (y - NECK[1]) * self._head, (x - NECK[0]) * self._head
        self._chest = _eased((y - 150) / 60)
        empty = _wall(picture, left, top, 2 * beside)
        self._wall = cv2.remap(empty, self._x, self._y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        radius = np.hypot((x - SKIN[0]) / SKIN[2], (y - SKIN[1]) / SKIN[3])
        skin = np.clip((1.15 - radius) / 0.3, 0, 1)
        rows, columns = np.flatnonzero(skin.any(axis=1)), np.flatnonzero(skin.any(axis=0))
        self._skin = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        # under a fixed grain fractions of a level survive in the mean
        self._grain = np.random.default_rng(7).random(skin[self._skin].shape, np.float32)
        self._blood = skin[self._skin] * np.float32(PULSE_SHARE)

    def draw(
        self,
        out: Image,
        number: int,
        time_s: float,
        smile: float,
        pulse: float,
        presence: float = 1.0,
        breath: float = 0.0,
    ) -> None:
        """Draw her at `time_s` into `out` `(height, width, 3)`.

        `smile`: −1, a frown, to 1. `pulse`: blood volume, 0..1. `presence`: 1 sits there, 0 is gone.
        `breath`: −1..1, in. `number` is written along the bottom.
        """
        if presence <= 0.0:
            out[:] = self._wall
        else:
            self._canvas[self._part] = self._made(smile, is_blinking(time_s))
            self._photograph(out, time_s, presence, breath)
            if presence >= 1.0:
                green = out[(*self._skin, 1)]
                green -= (green * (self._blood * np.float32(pulse)) + self._grain).astype(np.uint8)
        write_number(out, number)

    def _made(self, smile: float, blinks: bool) -> Image:
        level = round(min(max(smile, -1.0), 1.0) * LEVELS)
        if (level, blinks) not in self._faces:
            self._faces[level, blinks] = self._face.made(level / LEVELS, float(blinks))
        return self._faces[level, blinks]

    def _photograph(self, out: Image, time_s: float, presence: float, breath: float) -> None:
        def sway(rate_hz: float, phase: float) -> float:
            # rests at either end for a while: sitting still, then another way
            return math.tanh(2.5 * math.sin(2 * math.pi * rate_hz * time_s + phase))

        aside, down = 3.5 * sway(0.07, 0.0), 1.6 * sway(0.11, 1.0) + 0.4 * breath
        tilt = 0.03 * sway(0.05, 2.0)
        x = self._x + np.float32(aside) * self._head + np.float32(tilt) * self._tilt_x
        y = self._y + np.float32(down) * self._head - np.float32(tilt) * self._tilt_y
        y += np.float32(0.9 * breath) * self._chest
        if presence >= 1.0:
            out[:] = cv2.remap(self._canvas, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            return
        x -= np.float32((1 - presence) * BENDS[0])
        y -= np.float32((1 - presence) * BENDS[1])
        person = cv2.remap(self._canvas, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.remap(self._alpha, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        there = alpha.astype(np.float32)[..., np.newaxis] / 255
        out[:] = (self._wall + (person - self._wall.astype(np.float32)) * there).round().astype(np.uint8)


def _before_a_wall(picture: Image, left: int, top: int, width: int) -> tuple[Image, Image]:
    """The photograph from `left`, `top` on with the wall alone behind her; where she is, 0..255."""
    wall = _wall(picture, left, top, width).astype(np.float32)
    she: Image = cv2.GaussianBlur(_outlined(left, top, width, len(wall)), (0, 0), 1.2).astype(np.uint8)
    there = she.astype(np.float32)[..., np.newaxis] / 255
    taken = _taken(picture, left, top, width).astype(np.float32)
    return (wall + (taken - wall) * there).round().astype(np.uint8), she


def _wall(picture: Image, left: int, top: int, width: int) -> Image:
    """What is behind her: the photograph's own wall, and about what hides it its colours, smoothly."""
    taken = _taken(picture, left, top, width).astype(np.float32)
    height = len(taken)
    known = 1 - cv2.dilate(_outlined(left, top, width, height), np.ones((9, 9), np.uint8)) / np.float32(255)
    known[:, : max(FLAG_X - left, 0)] = 0
    known[:, max(ROCKET_X - left, 0) :] = 0
    known[int(ROWS) - top :] = 0
    wall = taken[known > 0].mean(axis=0) + np.zeros_like(taken)
    for smooth in (80.0, 30.0, 12.0):  # from far away only what is not near
        weight = cv2.GaussianBlur(known, (0, 0), smooth)[..., np.newaxis]
        near = cv2.GaussianBlur(taken * known[..., np.newaxis], (0, 0), smooth)
        wall = cv2.GaussianBlur((near + 0.1 * wall) / (weight + np.float32(0.1)), (0, 0), smooth / 4)
    return wall.round().astype(np.uint8)


def _taken(picture: Image, left: int, top: int, width: int) -> Image:
    """The photograph from `left`, `top` on, `width` wide, its edges repeated beyond them."""
    height = int(ROWS) + 2 * MARGIN
    x, y = np.arange(left, left + width), np.arange(top, top + height)
    return picture[np.clip(y, 0, len(picture) - 1)][:, np.clip(x, 0, picture.shape[1] - 1)]


def _outlined(left: int, top: int, width: int, height: int) -> Image:
    """255 within her outline."""
    inside = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inside, [np.array(OUTLINE, np.int32) - np.array([left, top], np.int32)], 255)
    return inside


def _eased(share: Plane) -> Plane:
    inside = np.clip(share, 0, 1)
    return inside * inside * (3 - 2 * inside)
