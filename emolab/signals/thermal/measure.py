"""Face, nose and forehead of one frame, and how warm they are.

The face is what is warm within an ellipse a little smaller than the head: no hair, no glasses, no wall
shining in at the rim. Nose and forehead are ellipses in the proportions of faces.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from emolab.signals.thermal.find import Head

FACE = 0.93  # of the head's width and height: its rim is half wall
# middle and half axes, in widths and heights of the head from its middle: the nose ends at two thirds of
# the way from hairline to chin, and is a quarter as wide as the face (Farkas 1994)
NOSE = (0.0, 0.075, 0.11, 0.085)
NOSE_ROUND = (0.0, 0.11, 0.18, 0.16)  # its flanks as well: however cold, they are face
FOREHEAD = (0.0, -0.24, 0.2, 0.08)
LEAST_PX = 4  # a nose of fewer pixels is no mean
LEAST_SKIN = 0.25  # of the face's ellipse, by glasses and a beard half covered

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def measure(
    frame: NDArray[Any], head: Head, finite: NDArray[np.bool_] | None = None
) -> tuple[float, float, float, float] | None:
    """Greatest and mean of the face, means of nose and forehead, in the frame's unit.

    `frame`: `(h, w)` uint16 or float32. The greatest is that of means of 3 × 3 pixels: of single ones the
    greatest would be noise, a tenth of a degree and more. None where too little of the face is skin.
    """
    height, width = frame.shape
    half_w, half_h = head.width * FACE / 2, head.height * FACE / 2
    left, right = max(round(head.x - half_w), 0), min(round(head.x + half_w) + 1, width)
    top, bottom = max(round(head.y - half_h), 0), min(round(head.y + half_h) + 1, height)
    if right - left < 4 or bottom - top < 4:
        return None
    face = frame[top:bottom, left:right]
    oval, nose, about_nose, forehead = _shapes(
        bottom - top, right - left, round(head.width), round(head.height)
    )
    skin = cv2.inRange(face, np.float64(head.level), np.float64(min(head.limit, 65535.0)))
    skin = np.asarray(cv2.bitwise_or(cv2.bitwise_and(cv2.erode(skin, _CROSS), oval), about_nose))
    if finite is not None:
        known: Any = cv2.erode(
            finite[top:bottom, left:right].view(np.uint8) * np.uint8(255), np.ones((3, 3), np.uint8)
        )
        skin, nose, forehead = (part & known for part in (skin, nose, forehead))
    if cv2.countNonZero(skin) < LEAST_SKIN * cv2.countNonZero(oval):
        return None
    greatest = cv2.minMaxLoc(cv2.blur(face.astype(np.float32, copy=False), (3, 3)), skin)[1]
    return (
        float(greatest),
        float(cv2.mean(face, skin)[0]),
        _mean(face, nose),
        _mean(face, cv2.bitwise_and(forehead, skin)),
    )


def _mean(face: NDArray[Any], part: NDArray[Any]) -> float:
    return float(cv2.mean(face, part)[0]) if cv2.countNonZero(part) >= LEAST_PX else float("nan")


@lru_cache(maxsize=256)
def _shapes(rows: int, columns: int, width: int, height: int) -> tuple[NDArray[np.uint8], ...]:
    """Masks of face, nose, nose with its flanks, and forehead in a crop of the face's box."""
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    y, x = (y - (rows - 1) / 2) / height, (x - (columns - 1) / 2) / width

    def ellipse(middle_x: float, middle_y: float, half_w: float, half_h: float) -> NDArray[np.uint8]:
        inside = ((x - middle_x) / half_w) ** 2 + ((y - middle_y) / half_h) ** 2 <= 1
        return np.asarray(inside.view(np.uint8) * np.uint8(255))

    return ellipse(0.0, 0.0, FACE / 2, FACE / 2), ellipse(*NOSE), ellipse(*NOSE_ROUND), ellipse(*FOREHEAD)
