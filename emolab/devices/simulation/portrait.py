"""The simulated participant as a colour camera sees it: a calm drawn face.

Shown where `photo` has no photograph. Blinks, sways a little, smiles or frowns, is out of the picture
now and then, and its skin loses green with every pulse as real skin does (Verkruysse et al. 2008,
doi:10.1364/OE.16.021434). Along the bottom each frame carries its number in black and white blocks,
which survive compression: tests count frames.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from emolab.devices.simulation.body import noise

Image = NDArray[np.uint8]
Plane = NDArray[np.float32]

NUMBER_BITS = 24
PULSE_SHARE = 0.005  # of the green light
MOUTHS = 9  # drawn expressions between a frown and a smile
BLINK_SLOT_S = 4.0  # one blink in each, somewhere
BLINK_S = 0.16

SKIN, LIPS, HAIR, SHIRT, IRIS, WHITE = (
    np.array(colour, dtype=np.float32)
    for colour in ((206, 160, 136), (160, 82, 80), (62, 44, 36), (70, 88, 120), (60, 70, 60), (236, 234, 228))
)


class Portrait:
    """Draws frames of `width` × `height` pixels. A frame takes well under a millisecond at 320×240."""

    face = "drawn"

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._pad = max(2, height // 60)
        y, x = np.mgrid[0 : height + 2 * self._pad, 0 : width + 2 * self._pad].astype(np.float32)
        self._x = (x - self._pad - width / 2) / height  # in picture heights, from the face's middle
        self._y = (y - self._pad - height * 0.44) / height
        face = self._base()
        self._mouth, self._mouths = self._variants(
            face, (0.13, 0.22, 0.095), [self._with_mouth(face, v) for v in np.linspace(-1, 1, MOUTHS)]
        )
        self._eyes, self._lids = self._variants(
            face, (-0.07, -0.01, 0.145), [self._with_eyes(face), self._with_lids(face)]
        )
        self._canvas = face.round().astype(np.uint8)
        wall = self._empty().round().astype(np.uint8)
        self._is_there = (self._canvas != wall).any(axis=-1, keepdims=True)
        self._wall = wall[self._pad : self._pad + height, self._pad : self._pad + width]
        skin = self._ellipse(0.0, 0.0, 0.24, 0.33) * (1 - self._ellipse(0.0, -0.30, 0.25, 0.13))
        rows, columns = np.flatnonzero(skin.any(axis=1)), np.flatnonzero(skin.any(axis=0))
        self._head = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        # green in 1/256 levels under a fixed grain: fractions of a level survive in the mean
        grain = np.random.default_rng(7).integers(0, 256, skin[self._head].shape)
        self._green = (face[(*self._head, 1)] * 256).astype(np.int32) + grain.astype(np.int32)
        self._blood = (skin[self._head] * face[(*self._head, 1)] * 256 * PULSE_SHARE).astype(np.float32)

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
        """Draw the face at `time_s` into `out` `(height, width, 3)`.

        `smile`: −1, a frown, to 1. `pulse`: blood volume, 0..1. `presence`: 1 sits there, 0 is gone.
        `breath`: not to be seen. `number` is written along the bottom.
        """
        green = self._green - (self._blood * np.float32(pulse)).astype(np.int32)
        self._canvas[(*self._head, 1)] = green >> 8
        self._canvas[self._mouth] = self._mouths[round((min(max(smile, -1.0), 1.0) + 1) / 2 * (MOUTHS - 1))]
        self._canvas[self._eyes] = self._lids[1 if is_blinking(time_s) else 0]
        left = self._pad + round(0.8 * self._pad * math.sin(2 * math.pi * 0.07 * time_s))
        top = self._pad + round(0.5 * self._pad * math.sin(2 * math.pi * 0.11 * time_s + 1.0))
        rows = round(presence * self._height)  # going, the face sinks out of the picture
        part = (slice(top, top + rows), slice(left, left + self._width))
        sunk = self._height - rows
        out[:] = self._wall
        np.copyto(out[sunk:], self._canvas[part], where=self._is_there[part])
        write_number(out, number)

    def _base(self) -> Plane:
        picture = self._empty()
        picture = _over(picture, SHIRT, self._ellipse(0.0, 0.56, 0.44, 0.22))
        picture = _over(picture, SKIN * 0.9, self._ellipse(0.0, 0.32, 0.10, 0.16))
        picture = _over(picture, HAIR, self._ellipse(0.0, -0.07, 0.275, 0.335))
        picture = _over(picture, SKIN, self._ellipse(0.0, 0.0, 0.24, 0.33))
        picture = _over(picture, HAIR, self._ellipse(0.0, -0.30, 0.25, 0.13))
        for side in (-1, 1):
            brow = self._ellipse(side * 0.095, -0.105, 0.055, 0.012)
            picture = _over(picture, HAIR, brow)
        return _over(picture, SKIN * 0.86, self._ellipse(0.0, 0.055, 0.026, 0.055))

    def _empty(self) -> Plane:
        wall = np.stack([120 - 60 * self._y, 138 - 60 * self._y, 146 - 50 * self._y], axis=-1)
        return np.clip(wall, 40, 200).astype(np.float32)

    def _with_mouth(self, face: Plane, valence: float) -> Plane:
        # mouth corners go up with the smile; the line keeps its middle height
        bend = valence * 0.045 * (1 - (self._x / 0.09) ** 2)
        distance = np.abs(self._y - 0.175 - bend + valence * 0.0225)
        line = np.clip((0.014 - distance) * self._height, 0, 1) * (np.abs(self._x) < 0.09)
        return _over(face, LIPS, line.astype(np.float32))

    def _with_eyes(self, face: Plane) -> Plane:
        for side in (-1, 1):
            face = _over(face, WHITE, self._ellipse(side * 0.095, -0.04, 0.046, 0.024))
            face = _over(face, IRIS, self._ellipse(side * 0.095, -0.04, 0.021, 0.021))
        return face

    def _with_lids(self, face: Plane) -> Plane:
        for side in (-1, 1):
            face = _over(face, SKIN * 0.7, self._ellipse(side * 0.095, -0.03, 0.046, 0.006))
        return face

    def _variants(
        self, face: Plane, box: tuple[float, float, float], drawn: list[Plane]
    ) -> tuple[tuple[slice, slice], list[Image]]:
        """The part of the picture that differs, and how it looks each time."""
        top, bottom, half_width = box
        rows = np.flatnonzero((self._y[:, 0] >= top) & (self._y[:, 0] <= bottom))
        columns = np.flatnonzero(np.abs(self._x[0]) <= half_width)
        part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        return part, [picture[part].round().astype(np.uint8) for picture in drawn]

    def _ellipse(self, x: float, y: float, rx: float, ry: float) -> Plane:
        """1 inside, 0 outside, a soft edge of about a pixel."""
        radius = np.hypot((self._x - x) / rx, (self._y - y) / ry)
        return np.clip((1 - radius) * min(rx, ry) * self._height + 0.5, 0, 1).astype(np.float32)


def is_blinking(time_s: float) -> bool:
    """Whether the eyes are closed at `time_s`: once in each four seconds, 160 ms long."""
    slot = math.floor(time_s / BLINK_SLOT_S)
    where = float(noise(np.array([slot]), salt=3)[0])
    at_s = (0.5 + 0.2 * math.tanh(where)) * BLINK_SLOT_S
    return at_s <= time_s - slot * BLINK_SLOT_S < at_s + BLINK_S


def write_number(frame: Image, number: int) -> None:
    """Write `number` along the bottom of a frame, in black and white blocks."""
    height, width = frame.shape[:2]
    block = width // NUMBER_BITS
    bits = (number >> np.arange(NUMBER_BITS - 1, -1, -1)) & 1
    strip = np.zeros(width, dtype=np.uint8)
    strip[: NUMBER_BITS * block] = np.repeat(bits * 255, block)
    frame[-_strip_px(height) :] = strip[:, np.newaxis]


def frame_number(frame: Image) -> int:
    """The number written along the bottom of a frame, also after lossy compression."""
    height, width = frame.shape[:2]
    row = height - _strip_px(height) // 2
    centres = (np.arange(NUMBER_BITS) * 2 + 1) * (width // NUMBER_BITS) // 2
    number = 0
    for bit in frame[row, centres].mean(axis=-1) > 127:
        number = number * 2 + int(bit)
    return number


def _strip_px(height: int) -> int:
    return max(8, height // 20)


def _over(picture: Plane, colour: Plane, mask: Plane) -> Plane:
    mask = mask[..., np.newaxis]
    return picture * (1 - mask) + colour * mask
