"""Frames in, what the one face in each of them expresses out.

    track = read(frames, times_s)                 # (n, h, w, 3) uint8 RGB, and when each was taken
    for piece in stream(video.frames()): ...      # the same of hours, a few seconds at a time

A row has probabilities, box and confidence where there is exactly one face, and NaN elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import WrongInput
from emolab.faces.detect import Detector, Image, Mtcnn
from emolab.faces.fer import CLASSES, ExpressionModel, load
from emolab.faces.track import EVERY, Sight, follow

PIECE = 128  # frames that are judged together


@dataclass(frozen=True)
class FaceTrack:
    """What was seen, a row a frame.

    `times_s` `(n,)`. `probabilities` `(n, 7)` as in `fer.CLASSES`, `boxes` `(n, 4)` px left, top, right,
    bottom, `confidence` `(n,)` of the detector: NaN where there is not exactly one face. `count` `(n,)`
    faces. `detected` `(n,)`: where the detector looked itself, rather than the face being followed.
    """

    times_s: NDArray[np.float64]
    probabilities: NDArray[np.float32]
    boxes: NDArray[np.float32]
    confidence: NDArray[np.float32]
    count: NDArray[np.int64]
    detected: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.times_s)

    def between(self, start_s: float, end_s: float) -> FaceTrack:
        """The frames from `start_s` up to `end_s`."""
        kept = (self.times_s >= start_s) & (self.times_s < end_s)
        return FaceTrack(*(getattr(self, field.name)[kept] for field in fields(self)))


def read(
    frames: NDArray[np.uint8],
    times_s: NDArray[np.float64],
    model: ExpressionModel | None = None,
    detector: Detector | None = None,
    every: int = EVERY,
) -> FaceTrack:
    """What the faces of some frames express; `every`: how many frames a face is followed at most.

    Raises `WrongInput` for frames of another shape, `NoWeights` where the small model is asked for, as
    it is by default, and its weights are missing, `MissingExtra` without torch.
    """
    if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8 or len(frames) != len(times_s):
        raise WrongInput(
            f"frames are {frames.dtype} {frames.shape} with {len(times_s)} times; "
            "this takes uint8 (n, h, w, 3) RGB and a time for each"
        )
    return joined(list(stream(zip(map(float, times_s), frames, strict=True), model, detector, every)))


def stream(
    frames: Iterable[tuple[float, Image | None]],
    model: ExpressionModel | None = None,
    detector: Detector | None = None,
    every: int = EVERY,
    piece: int = PIECE,
) -> Iterator[FaceTrack]:
    """What `read` gives, in pieces of so many frames; never more than a few frames are kept.

    `frames`: time and pixels, None for a frame that could not be read, which counts as one without face.
    """
    model = model or load("small")
    sights: list[tuple[float, Sight]] = []
    for seen in follow(frames, detector or Mtcnn(), every):
        sights.append(seen)
        if len(sights) == piece:
            yield _judged(sights, model)
            sights = []
    if sights:
        yield _judged(sights, model)


def joined(pieces: Sequence[FaceTrack]) -> FaceTrack:
    """Several pieces as one."""
    pieces = pieces or [_judged([], None)]
    return FaceTrack(
        *(np.concatenate([getattr(piece, field.name) for piece in pieces]) for field in fields(FaceTrack))
    )


def _judged(sights: Sequence[tuple[float, Sight]], model: ExpressionModel | None) -> FaceTrack:
    n = len(sights)
    probabilities = np.full((n, len(CLASSES)), np.nan, np.float32)
    boxes = np.full((n, 4), np.nan, np.float32)
    faces, rows = [], []
    for row, (_, sight) in enumerate(sights):
        if sight.face is not None and sight.box is not None:
            boxes[row] = sight.box
            faces.append(sight.face)
            rows.append(row)
    if model is not None and rows:
        probabilities[rows] = model.probabilities(np.stack(faces))
    return FaceTrack(
        np.array([time_s for time_s, _ in sights], np.float64),
        probabilities,
        boxes,
        np.array([sight.confidence for _, sight in sights], np.float32),
        np.array([sight.count for _, sight in sights], np.int64),
        np.array([sight.detected for _, sight in sights], np.bool_),
    )
