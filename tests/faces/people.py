"""Pictures with a real face in them, made of the public-domain portrait that scikit-image ships."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.faces.card import Card
from emolab.faces.detect import Mtcnn
from emolab.faces.fer import CLASSES

Image = NDArray[np.uint8]

WIDTH, HEIGHT = 640, 480
FACE_PX = (170, 55, 252, 165)  # of `portrait()`, from brow to chin, by eye
GREY = 90


@cache
def _astronaut() -> Image:
    data = pytest.importorskip("skimage.data", reason="pip install scikit-image, which ships the portrait")
    picture: Image = data.astronaut()
    return picture


@cache
def detector() -> Mtcnn:
    """The real detector, loaded once."""
    pytest.importorskip("facenet_pytorch", reason="pip install 'emolab[faces]'")
    return Mtcnn()


def empty(width: int = WIDTH, height: int = HEIGHT) -> Image:
    """A wall."""
    return np.full((height, width, 3), GREY, np.uint8)


def portrait(
    x: float = 0.0,
    y: float = 0.0,
    tilt: float = 0.0,
    light: float = 1.0,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Image:
    """A person before a wall: moved by `x`, `y` px of a frame of 640 × 480, tilted by degrees."""
    scale = height / 512
    move = cv2.getRotationMatrix2D((224 * scale, 116 * scale), tilt, 1.0)
    place = np.array([[scale, 0, 0], [0, scale, 0], [0, 0, 1.0]])
    whole = move @ place
    whole[:, 2] += np.array([x, y]) * height / HEIGHT
    picture = cv2.warpAffine(_astronaut(), whole, (width, height), borderValue=(GREY, GREY, GREY))
    return np.clip(picture * light, 0, 255).astype(np.uint8)


def two() -> Image:
    """The same person twice, side by side."""
    picture = empty()
    head = portrait()[:300, 110:330]
    picture[100:400, 60:280] = head
    picture[100:400, 360:580] = head
    return picture


def covered(picture: Image) -> Image:
    """With hands before the face."""
    left, top, right, bottom = FACE_PX
    hidden = picture.copy()
    hidden[top + 20 : bottom + 20, left - 20 : right + 20] = (190, 150, 130)
    return hidden


def noisy(frames: Sequence[Image], seed: int = 0) -> list[Image]:
    """As a camera would see them."""
    rng = np.random.default_rng(seed)
    return [np.clip(frame + rng.normal(0, 3, frame.shape), 0, 255).astype(np.uint8) for frame in frames]


def timed(frames: Sequence[Image | None], rate_hz: float = 30.0) -> Iterator[tuple[float, Image | None]]:
    """Each with its time."""
    return ((at / rate_hz, frame) for at, frame in enumerate(frames))


class Counting:
    """A detector that counts how often it was asked; `sees`: another one, the real one by default."""

    def __init__(self, sees: Callable[[Image], object] | None = None) -> None:
        self.asked = 0
        self._sees = sees

    def find(self, frame: Image):  # type: ignore[no-untyped-def]
        self.asked += 1
        return self._sees(frame) if self._sees else detector().find(frame)


class ByLight:
    """Calls a dark face sad, a bright one happy, others neutral: what it should say is known."""

    card = Card("by-light", "none", "none", "c0ffee" * 10 + "c0ff", CLASSES)

    def __init__(self, dark: float = 95.0, bright: float = 155.0) -> None:
        self._dark, self._bright = dark, bright
        self.faces = 0

    def probabilities(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.faces += len(faces)
        light = faces.mean((1, 2))
        made = np.full((len(faces), 7), 0.01)
        made[:, CLASSES.index("sad")] += np.clip((self._dark - light) / 40, 0, 1)
        made[:, CLASSES.index("happy")] += np.clip((light - self._bright) / 40, 0, 1)
        made[:, CLASSES.index("neutral")] += 0.1
        return (made / made.sum(1, keepdims=True)).astype(np.float32)
