"""Heads that were not found in the thermal picture, measured where the RGB camera says they are.

    heat, by_camera = filled(heat, stream.samples, boxes, scale=0.01, offset=-273.15)

A place is no proof of a face: what is measured there must stand out from what is about it, and be about as
warm as the face of the frames in which it was found. Thresholds are differences here, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emolab.core.errors import DataError
from emolab.signals.measures import Array
from emolab.signals.thermal.find import HOTTER_C, Head
from emolab.signals.thermal.follow import Follower
from emolab.signals.thermal.heat import CUT_OFF, NO_FACE, SOUND, FaceHeat
from emolab.signals.thermal.measure import measure

AT_ONCE = 64  # frames
STANDS_OUT_C = 0.5  # skin warmer than what is about it by
ALIKE_C = 2.0  # a face does not warm or cool by more within a session
KNOWN = 10  # frames in which the face was found, to say how warm it is

Frames = Callable[[int, int], NDArray[Any]]


def filled(
    heat: FaceHeat, frames: Frames, boxes: ArrayLike, *, scale: float = 1.0, offset: float = 0.0
) -> tuple[FaceHeat, NDArray[np.bool_]]:
    """The same film with the frames measured in which no face was found but the other camera saw one.

    `frames`: `(start, stop)` gives those frames, as `read_heat` takes them, with `scale` and `offset`.
    `boxes` `(n, 4)`: px left, top, right, bottom of the head in the thermal picture (`Calibration.boxes_at`),
    NaN where nobody knows. Returns the film and `(n,)` which of its frames count because of the other camera.
    Raises `DataError` when there is not a box a frame.
    """
    places = np.asarray(boxes, dtype=np.float64)
    if places.shape != (len(heat), 4):
        raise DataError(f"boxes of shape {places.shape} do not fit {len(heat)} frames; give ({len(heat)}, 4)")
    wanted = np.flatnonzero((heat.reasons == NO_FACE) & np.isfinite(places).all(axis=1))
    reasons, found = heat.reasons.copy(), np.full((len(heat), 8), np.nan)
    follower, before = Follower(1.0 / scale), -2
    for run in _runs(wanted):
        pictures = frames(int(run[0]), int(run[-1]) + 1)
        for row, picture in zip(run.tolist(), pictures, strict=True):
            if row != before + 1:
                follower.lose()
            before = row
            seen = _seen(picture, places[row], follower, float(heat.times_s[row]), 1.0 / scale)
            if isinstance(seen, Head):
                reasons[row] = CUT_OFF
            elif seen is not None:
                found[row] = seen
    figures = found[:, :4] * scale + offset
    is_new = np.isfinite(figures[:, 1])
    if heat.is_sound.sum() >= KNOWN:
        usual_c = float(np.median(heat.face_mean_c[heat.is_sound]))
        is_new &= np.abs(np.nan_to_num(figures[:, 1], nan=np.inf) - usual_c) <= ALIKE_C
    reasons[is_new] = SOUND
    return replace(
        heat,
        face_max_c=np.where(is_new, figures[:, 0], heat.face_max_c),
        face_mean_c=np.where(is_new, figures[:, 1], heat.face_mean_c),
        nose_c=np.where(is_new, figures[:, 2], heat.nose_c),
        forehead_c=np.where(is_new, figures[:, 3], heat.forehead_c),
        boxes=np.where(is_new[:, np.newaxis], found[:, 4:], heat.boxes),
        reasons=reasons,
    ), is_new


def _seen(
    picture: NDArray[Any], box: Array, follower: Follower, time_s: float, per_c: float
) -> Head | tuple[float, ...] | None:
    """Figures and box of the head in a box; the head itself where it is cut off, None where there is none."""
    frame = picture if picture.dtype == np.uint16 else np.ascontiguousarray(picture, dtype=np.float32)
    finite = None
    if frame.dtype != np.uint16 and not np.isfinite(frame).all():
        finite = np.isfinite(frame)
        frame = np.where(finite, frame, np.median(frame[finite])).astype(np.float32)
    head = follower.place(frame, box, time_s)
    if head.is_cut:
        return head
    skin = head.limit - HOTTER_C * per_c
    if not np.isfinite(head.level) or 2 * (skin - head.level) < STANDS_OUT_C * per_c:
        return None
    figures = measure(frame, head, finite)
    if figures is None:
        return None
    half_w, half_h = head.width / 2, head.height / 2
    return (*figures, head.x - half_w, head.y - half_h, head.x + half_w, head.y + half_h)


def _runs(rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Rows that follow one another, at most so many together."""
    if not len(rows):
        return []
    runs = np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1)
    return [run[at : at + AT_ONCE] for run in runs for at in range(0, len(run), AT_ONCE)]
