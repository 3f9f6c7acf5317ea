"""Thermal pictures of people whose every part is known: hair, glasses, neck, clothes, things behind."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NETD_C = 0.05


@dataclass(frozen=True)
class Person:
    """Somebody before the camera. `x`, `y`: middle of the face, `tall`: its height, in picture heights.

    `turn_deg`: head tilted to the side. °C throughout; `hair_c` None is a bald head, and so on.
    """

    x: float = 0.0
    y: float = 0.0
    tall: float = 0.45
    turn_deg: float = 0.0
    face_c: float = 34.5
    nose_c: float = 32.5
    canthus_c: float = 35.6
    hair_c: float | None = 29.0
    glasses_c: float | None = None
    beard_c: float | None = None
    neck_c: float = 34.8
    clothes_c: float = 29.0
    has_neck: bool = True


@dataclass(frozen=True)
class Picture:
    """`celsius` with noise, `clean` without, masks of the face's bare skin and of the nose's middle."""

    celsius: NDArray[np.float32]
    clean: NDArray[np.float32]
    skin: NDArray[np.bool_]
    nose: NDArray[np.bool_]
    middle_px: tuple[float, float]
    width_px: float

    @property
    def face_mean_c(self) -> float:
        return float(self.clean[self.skin].mean())

    @property
    def nose_mean_c(self) -> float:
        return float(self.clean[self.nose].mean())


def picture(
    person: Person | None,
    width: int,
    height: int,
    things: tuple[str, ...] = (),
    seed: int = 0,
    room_c: float = 22.0,
) -> Picture:
    """A person, or nobody, in a room. `things`: of `radiator`, `lamp`, `screen`, `window`, `other`."""
    big = max(round(240 / height), 1)  # edges are smooth: drawn large, then made small
    rows, columns = height * big, width * big
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    y, x = (y + 0.5) / rows - 0.5, ((x + 0.5) - columns / 2) / rows
    clean = (room_c + 0.6 * x - 0.8 * y).astype(np.float32)
    for thing in things:
        _put(thing, clean, x, y)
    skin = nose = np.zeros(x.shape, dtype=bool)
    if person is not None:
        skin, nose = _sit(person, clean, x, y)
    clean = cv2.GaussianBlur(clean, (0, 0), 0.7 * big)
    clean = cv2.resize(clean, (width, height), interpolation=cv2.INTER_AREA)
    noise = NETD_C * np.random.default_rng(seed).standard_normal(clean.shape)
    skin, nose = (
        cv2.resize(part.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) > 0.99
        for part in (skin, nose)
    )
    told = person or Person()
    middle = (width / 2 + told.x * height, height / 2 + told.y * height)
    return Picture((clean + noise).astype(np.float32), clean, skin, nose, middle, told.tall / 1.35 * height)


def _sit(
    person: Person, clean: NDArray[np.float32], x: Array, y: Array
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Draw the person; the face's bare skin, less its rim, and the middle of the nose."""
    turn = np.deg2rad(person.turn_deg)
    wide = person.tall / 1.35
    across, down = x - person.x, y - person.y
    u = (across * np.cos(turn) + down * np.sin(turn)) / wide  # in widths and heights of the face
    v = (down * np.cos(turn) - across * np.sin(turn)) / person.tall
    shoulder = person.tall * 0.95
    body = ((across / (1.35 * wide)) ** 4 + ((down - shoulder - 0.45) / 0.5) ** 4) < 1
    clean[body] = person.clothes_c
    if person.has_neck:
        neck = (np.abs(u) < 0.3) & (v > 0.2) & (down < shoulder)
        clean[neck] = person.neck_c
    if person.hair_c is not None:
        clean[((u / 0.58) ** 2 + ((v + 0.12) / 0.62) ** 2 < 1) & (v < 0.1)] = person.hair_c
    inside = (2 * u) ** 2 + (2 * v) ** 2
    face = inside < 1
    if person.hair_c is not None:
        face &= v > -0.5 + 0.08 * np.cos(3 * u)
    clean[face] = person.face_c
    cheek = np.exp(-(((np.abs(u) - 0.27) / 0.12) ** 2) - ((v - 0.15) / 0.12) ** 2)
    clean[face] -= 0.6 * cheek[face]
    for side in (-0.12, 0.12):
        canthus = np.exp(-(((u - side) / 0.04) ** 2) - ((v + 0.08) / 0.03) ** 2)
        clean[face] += (person.canthus_c - person.face_c) * canthus[face]
    flank = np.clip(1.6 - np.hypot(u / 0.13, (v - 0.075) / 0.15), 0, 0.6) / 0.6
    clean[face] -= (person.face_c - person.nose_c) * flank[face]
    skin = inside < 0.86
    if person.beard_c is not None:
        beard = face & (v > 0.27) | (face & (v > 0.05) & (np.abs(u) > 0.38))
        clean[beard] = person.beard_c
        skin &= ~beard
    if person.glasses_c is not None:
        glasses = np.zeros(x.shape, dtype=bool)
        for side in (-0.21, 0.21):
            glasses |= ((u - side) / 0.17) ** 4 + ((v + 0.06) / 0.1) ** 4 < 1
        clean[glasses] = person.glasses_c
        skin &= ~glasses
    nose = (u / 0.09) ** 2 + ((v - 0.075) / 0.07) ** 2 < 1
    return skin & face, nose


def _put(thing: str, clean: NDArray[np.float32], x: Array, y: Array) -> None:
    if thing == "radiator":
        clean[(x > 0.28) & (x < 0.62) & (y > 0.1)] = 48.0
    elif thing == "lamp":
        clean[np.hypot(x + 0.5, y + 0.35) < 0.06] = 70.0
    elif thing == "screen":
        clean[(x > -0.62) & (x < -0.33) & (np.abs(y) < 0.15)] = 33.0
    elif thing == "window":
        clean[(x > 0.2) & (y < -0.25)] = 8.0
    elif thing == "other":
        clean[((x - 0.5) / 0.07) ** 2 + ((y + 0.2) / 0.095) ** 2 < 1] = 34.6
