"""A recording of a participant whom both cameras see, and where the head truly is in each thermal frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.core.stream import Channel, Chunk, StreamInfo
from emolab.devices.simulation.photo import Photo, photograph
from emolab.recording.writer import SessionWriter
from emolab.signals.thermal.calibration import Calibration
from tests.recording import made
from tests.review import watched
from tests.signals.thermal.made import Person, picture

RGB_HZ, THERMAL_HZ = 5.0, 4.0
WIDE, HIGH = 320, 240
THERMAL_PX = (160, 120)
SCALE, SHIFT_PX = 0.42, (13.0, 11.0)  # thermal px of a colour px; how far the thermal camera looks aside
CAMERA = StreamInfo(
    "camera", (Channel("rgb", "rgb", "8 bit"),), RGB_HZ, "uint8", (HIGH, WIDE, 3), {"model": "C1"}
)
THERMAL = StreamInfo(
    "thermal",
    (Channel("heat", "thermal", "degC", 0.01, -273.15),),
    THERMAL_HZ,
    "uint16",
    (120, 160),
    {"model": "T1"},
)
FACE_TALL = 0.42  # of the thermal picture's height


@dataclass(frozen=True)
class Take:
    """What is recorded. From when to when, in s, the wall is as warm as the face, and nobody is there."""

    seconds: float = 36.0
    way_px: tuple[float, float] = (36.0, 14.0)  # of the head, in the colour picture
    sunny_s: tuple[float, float] = (0.0, 0.0)
    away_s: tuple[float, float] = (0.0, 0.0)
    mirrored: bool = False
    model: str = "T1"


def moved(take: Take, at_s: float) -> tuple[float, float]:
    """How far the head is from its place, in px of the colour picture."""
    return take.way_px[0] * np.sin(2 * np.pi * at_s / 17.0), take.way_px[1] * np.sin(2 * np.pi * at_s / 11.0)


def middle_px(take: Take, at_s: float) -> tuple[float, float]:
    """Where the middle of the head is in the thermal picture."""
    x, y = moved(take, at_s)
    return THERMAL_PX[0] / 2 + SHIFT_PX[0] + SCALE * x, THERMAL_PX[1] / 2 + SHIFT_PX[1] / 4 + SCALE * y


@cache
def _portrait() -> NDArray[np.uint8]:
    taken = photograph()
    if taken is None:
        pytest.skip("pip install scikit-image, which ships the portrait")
    frame = np.empty((HIGH, WIDE, 3), np.uint8)
    Photo(WIDE, HIGH, taken).draw(frame, 0, 1.0, 0.0, 0.0)
    return frame


def _seen(take: Take, at_s: float) -> NDArray[np.uint8]:
    if take.away_s[0] <= at_s < take.away_s[1]:
        return np.full((HIGH, WIDE, 3), 110, np.uint8)
    x, y = moved(take, at_s)
    shift = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
    frame = cv2.warpAffine(_portrait(), shift, (WIDE, HIGH), borderMode=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(frame[:, ::-1]) if take.mirrored else frame.astype(np.uint8)


def _warm(take: Take, row: int) -> NDArray[np.uint16]:
    at_s = row / THERMAL_HZ
    x, y = middle_px(take, at_s)
    room_c = 33.4 if take.sunny_s[0] <= at_s < take.sunny_s[1] else 23.0
    place = {"x": (x - THERMAL_PX[0] / 2) / THERMAL_PX[1], "y": (y - THERMAL_PX[1] / 2) / THERMAL_PX[1]}
    person = Person(**place, tall=FACE_TALL, clothes_c=max(room_c, 29.0))
    is_away = take.away_s[0] <= at_s < take.away_s[1]
    shown = picture(None if is_away else person, *THERMAL_PX, seed=row, room_c=room_c)
    return np.rint((shown.celsius + 273.15) / 0.01).astype(np.uint16)


def true_c(take: Take) -> tuple[float, float]:
    """How warm face and nose are."""
    shown = picture(Person(tall=FACE_TALL), *THERMAL_PX)
    return shown.face_mean_c, shown.nose_mean_c


def record(path: Path, take: Take = Take()) -> Path:
    """Write it as a session with a clip."""
    path.parent.mkdir(parents=True, exist_ok=True)
    thermal = StreamInfo(**{**vars(THERMAL), "instrument": {"model": take.model}})
    writer = SessionWriter(path, made.HEADER)
    writer.open([CAMERA, thermal])
    for second in range(round(take.seconds)):
        for info, rate_hz, draw in (
            (CAMERA, RGB_HZ, lambda row: _seen(take, row / RGB_HZ)),
            (thermal, THERMAL_HZ, lambda row: _warm(take, row)),
        ):
            rows = range(round(second * rate_hz), round((second + 1) * rate_hz))
            times_s = np.array(rows) / rate_hz
            frames = np.stack([draw(row) for row in rows])
            writer.write(Chunk(info.name, times_s, frames, float(times_s[-1]) + 0.01))
    for event in watched.events(["glad", "calm"]):
        writer.mark(event)
    writer.close()
    return path


def off_px(
    calibration: Calibration, take: Take, boxes: NDArray[np.float64], at_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How far, `(n, 2)` px, the middle of each mapped box is from the head's; NaN where nothing is said."""
    mapped = calibration.boxes(boxes)
    told = np.stack([(mapped[:, 0] + mapped[:, 2]) / 2, (mapped[:, 1] + mapped[:, 3]) / 2], axis=1)
    return np.asarray(told - np.array([middle_px(take, time_s) for time_s in at_s]))
