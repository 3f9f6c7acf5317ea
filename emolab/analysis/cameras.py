"""What the colour camera knows of the face in the thermal film: how both lie, and where it is not found.

    made = calibrate(path)                                # from a recording in which both see one face
    source = completed(session, source, made.to_json())   # heads that were not found, where it puts them

Faces are sought with the extra `faces`; without it a film stays as it was read, and the remark says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.analysis.modalities import BY_CAMERA, FOUND, Source, ways_of
from emolab.core.errors import DataError, MissingExtra
from emolab.faces.detect import Detector, Mtcnn
from emolab.recording.film import Film
from emolab.recording.reader import RecordedStream, Session
from emolab.signals.thermal.follow import Follower
from emolab.signals.thermal.heat import NO_FACE, FaceHeat
from emolab.signals.thermal.pairing import fit_faces
from emolab.signals.thermal.spare import filled
from emolab.study import kept
from emolab.study.thermal_calibration import ThermalCalibration, camera, parsed

Boxes = NDArray[np.float64]  # (n, 4) px left, top, right, bottom; NaN where there is not exactly one face
Tell = Callable[[int, int], None]

EVERY_S = 1.0  # moments compared
MOST_MOMENTS = 240  # a face is sought in ten a second
TOGETHER_S = 0.1  # frames of both cameras that count as one moment
SURE = 0.9  # of the detector
LOOK_S = 0.4  # less than what may lie between two sights of a face (`calibration.BETWEEN_S`)


def calibrate(
    path: Path, detector: Detector | None = None, tell: Tell = lambda done, total: None
) -> ThermalCalibration:
    """How the two cameras of a recording lie to one another, from the face that both see.

    Raises `DataError` saying why when that cannot be told, `MissingExtra` without the extra `faces`, and as
    `Session.open`.
    """
    with Session.open(path) as session:
        thermal = thermal_of(session)
        if thermal is None:
            raise DataError(f"{path.name} has no thermal film; record one with both cameras")
        film = Film(session)
        if film.missing:
            raise DataError(f"{path.name}: {film.missing}; record one with both cameras")
        detector = detector or Mtcnn()
        times_s = thermal.times_s()
        rows = _moments(times_s)
        faces, heads = np.full((len(rows), 4), np.nan), np.full((len(rows), 4), np.nan)
        for number, row in enumerate(rows.tolist()):
            tell(number, len(rows))
            heads[number] = _head(thermal, row, float(times_s[row]))
            if np.isfinite(heads[number]).all():
                faces[number] = _face(film, detector, float(times_s[row]))
        tell(len(rows), len(rows))
        fitted = fit_faces(faces, heads)
        both = np.isfinite(faces).all(axis=1)
        return ThermalCalibration(
            fitted.to_dict(),
            camera(session.streams[film.name].info),
            camera(thermal.info),
            int(both.sum()),
            round(fitted.residual_px, 3),
            round(float(np.median(heads[both, 2] - heads[both, 0])), 2),
            session.header.started_utc.date().isoformat(),
            kept.now(),
        )


def completed(session: Session, source: Source, stored: str, detector: Detector | None = None) -> Source:
    """The warmth of a face with the frames in which it was not found measured where the colour camera saw it.

    `stored`: the text of a `ThermalCalibration`. What cannot be done is told in the remark.
    """
    heat, thermal = source.body, thermal_of(session)
    if not isinstance(heat, FaceHeat) or thermal is None or not (heat.reasons == NO_FACE).any():
        return source
    film = Film(session)
    if film.missing:
        return _remarked(source, f"the calibration of two cameras is of no use: {film.missing}")
    made = parsed(stored)
    if why := made.other_cameras(session.streams[film.name].info, thermal.info):
        return _remarked(source, f"the calibration of {made.day} was not used: {why}")
    try:
        seen, seen_s = _faces(film, heat.times_s[heat.reasons == NO_FACE], detector or Mtcnn())
    except MissingExtra as error:
        return _remarked(source, f"the calibration of {made.day} was not used: {error}")
    boxes = made.calibration.boxes_at(heat.times_s, seen, seen_s)
    told = thermal.info.channels[0]
    whole, by_camera = filled(heat, thermal.samples, boxes, scale=told.scale, offset=told.offset)
    count = int(by_camera.sum())
    ways = ways_of(whole) | {FOUND: int(whole.is_sound.sum()) - count, BY_CAMERA: count}
    remark = (
        f"{count / len(heat):.1%} of the frames were measured where the colour camera saw the face "
        f"(calibration of {made.day}, residual {made.residual_px:.1f} px)"
    )
    return _remarked(replace(source, body=whole, ways=ways), remark if count else "")


def thermal_of(session: Session) -> RecordedStream | None:
    """The first thermal film that holds something."""
    films = (one for one in session.streams.values() if one.info.kind == "thermal" and len(one))
    return next(films, None)


def _moments(times_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows of the thermal film about a second apart, all over it."""
    span_s = float(times_s[-1] - times_s[0])
    count = int(min(span_s / EVERY_S + 1, MOST_MOMENTS))
    asked_s = np.linspace(times_s[0], times_s[-1], max(count, 1))
    return np.unique(np.clip(np.searchsorted(times_s, asked_s), 0, len(times_s) - 1))


def _head(thermal: RecordedStream, row: int, time_s: float) -> Sequence[float]:
    """The head in one frame, looked for without knowing where it was."""
    frame: NDArray[Any] = thermal.samples(row, row + 1)[0]
    if frame.dtype != np.uint16:
        frame = frame.astype(np.float32)
    if not np.isfinite(frame).all():
        return [np.nan] * 4
    head = Follower(1.0 / thermal.info.channels[0].scale).see(frame, time_s)
    if head is None or head.is_cut:
        return [np.nan] * 4
    half_w, half_h = head.width / 2, head.height / 2
    return [head.x - half_w, head.y - half_h, head.x + half_w, head.y + half_h]


def _face(film: Film, detector: Detector, time_s: float) -> NDArray[np.float64]:
    """The one face in the colour frame of a moment, NaN where there is not exactly one."""
    nothing = np.full(4, np.nan)
    at_s, pixels = film.near(time_s)
    if pixels is None or abs(at_s - time_s) > TOGETHER_S:
        return nothing
    found = detector.find(pixels)
    sure = found.boxes[found.confidence >= SURE]
    return sure[0].astype(np.float64) if len(sure) == 1 else nothing


def _faces(
    film: Film, wanted_s: NDArray[np.float64], detector: Detector
) -> tuple[Boxes, NDArray[np.float64]]:
    """The face about some moments: `(m, 4)`, and `(m,)` when each was seen."""
    steps = np.floor(wanted_s / LOOK_S).astype(np.int64)
    at_s = np.unique(np.concatenate([steps, steps + 1])) * LOOK_S
    boxes = [_face(film, detector, time_s) for time_s in at_s.tolist()]
    return np.stack(boxes), at_s


def _remarked(source: Source, remark: str) -> Source:
    return replace(source, remark="; ".join(told for told in (source.remark, remark) if told))
