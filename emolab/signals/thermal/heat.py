"""A thermal film read once: how warm face, nose and forehead are in each frame, and over any stretch.

heat = read_heat(frames, times_s)                         # (n, h, w) °C
heat = read_heat(stream.samples, times_s, scale=0.01, offset=-273.15)   # counts, read piece by piece
heat.over(300.0, 330.0)["face_t_mean"]                    # °C, NaN where the face cannot be seen
heat.good_share(300.0, 330.0)                             # how much of it can be used, 0 to 1
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from emolab.core.errors import DataError
from emolab.signals.feature import Feature
from emolab.signals.measures import Array
from emolab.signals.thermal.follow import Follower
from emolab.signals.thermal.measure import measure

PIECE_PX = 1 << 22  # pixels that are in memory at once: 8 MB of counts
SMALLEST_PX = 24  # of either side
BROKEN_SHARE = 0.1  # of the pixels that are no number; fewer are dead pixels
FLAT_C = 0.5  # across the picture: the shutter is shut
FROZEN_S = 0.3  # shutters stay shut for half a second; cores that may not be exported faster repeat 1 of 9 Hz
GAP_STEPS = 2.5
MOVE_STEP_S = 0.5  # of which the mean place of a face is taken
LEAST_SHARE = 0.25  # of a window: skin warms and cools over ten seconds and more

SOUND, NO_FACE, CUT_OFF, BROKEN, FROZEN, FLAT = range(6)
REASONS = ("sound", "no face", "face cut off", "broken numbers", "frozen", "flat picture")

_SPEC = "EmoMusic, features per clip (spec §1.7)"
HEAT_FEATURES: tuple[Feature, ...] = (
    Feature("face_t_max", "°C", "greatest of the face in each frame, mean of frames", _SPEC),
    Feature("face_t_mean", "°C", "mean of the face in each frame, mean of frames", _SPEC),
    Feature("nose_t_mean", "°C", "mean of the nose in each frame, mean of frames", _SPEC),
    Feature("forehead_t_mean", "°C", "mean of the forehead in each frame, mean of frames", is_extra=True),
    Feature("nose_t_below", "°C", "how much cooler the nose is than the forehead", is_extra=True),
    Feature("nose_t_slope", "°C/min", "straight line through the nose's temperature", is_extra=True),
    Feature("face_move", "1/s", "way of the face's middle, in widths of the face a second", is_extra=True),
)

Frames = ArrayLike | Callable[[int, int], NDArray[Any]] | Iterable[NDArray[Any]]


@dataclass(frozen=True)
class FaceHeat:
    """A row a frame. Temperatures °C `(n,)` and `boxes` `(n, 4)` px left, top, right, bottom of the head.

    All are NaN where the frame says nothing of the face; `reasons` `(n,)` says why, an index of `REASONS`.
    """

    times_s: Array
    face_max_c: Array
    face_mean_c: Array
    nose_c: Array
    forehead_c: Array
    boxes: Array
    reasons: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def is_sound(self) -> NDArray[np.bool_]:
        """`(n,)`: which frames count."""
        return np.asarray(self.reasons == SOUND)

    def over(self, start_s: float, end_s: float) -> dict[str, float]:
        """Every figure of `HEAT_FEATURES` from `start_s` to `end_s`; NaN where less than ¼ is good."""
        if not self.good_share(start_s, end_s) >= LEAST_SHARE:
            return {feature.name: np.nan for feature in HEAT_FEATURES}
        at = np.flatnonzero((self.times_s >= start_s) & (self.times_s < end_s) & self.is_sound)
        nose_c, forehead_c = _mean(self.nose_c[at]), _mean(self.forehead_c[at])
        return {
            "face_t_max": _mean(self.face_max_c[at]),
            "face_t_mean": _mean(self.face_mean_c[at]),
            "nose_t_mean": nose_c,
            "forehead_t_mean": forehead_c,
            "nose_t_below": forehead_c - nose_c,
            "nose_t_slope": 60.0 * _slope(self.times_s[at], self.nose_c[at]),
            "face_move": self._move(at),
        }

    def good_share(self, start_s: float, end_s: float) -> float:
        """How much of a window is in frames that show the whole face, 0 to 1; each lasts until the next."""
        if len(self) < 2 or end_s <= start_s:
            return 0.0
        steps_s = np.diff(self.times_s)
        usual_s = float(np.median(steps_s))
        lasts_s = np.append(np.where(steps_s > GAP_STEPS * usual_s, usual_s, steps_s), usual_s)
        within_s = np.minimum(self.times_s + lasts_s, end_s) - np.maximum(self.times_s, start_s)
        return float(min(within_s[self.is_sound & (within_s > 0)].sum() / (end_s - start_s), 1.0))

    def shares(self, start_s: float = -np.inf, end_s: float = np.inf) -> dict[str, float]:
        """Share of the frames for each of `REASONS`."""
        within = self.reasons[(self.times_s >= start_s) & (self.times_s < end_s)]
        return {
            reason: float(np.mean(within == code)) if len(within) else 0.0
            for code, reason in enumerate(REASONS)
        }

    def _move(self, at: NDArray[np.int64]) -> float:
        """The way from step to step: each box is off by a little, which adds up with the frames otherwise."""
        if not len(at):
            return np.nan
        times_s, box = self.times_s[at], self.boxes[at]
        step, which = np.unique(np.floor((times_s - times_s[0]) / MOVE_STEP_S + 1e-9), return_inverse=True)
        x, y = (box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2
        count = np.bincount(which)
        x, y, width, mean_s = (
            np.bincount(which, values) / count for values in (x, y, box[:, 2] - box[:, 0], times_s)
        )
        follows = np.diff(step) == 1
        way = (np.hypot(np.diff(x), np.diff(y)) / width[1:])[follows]
        lasted_s = float(np.diff(mean_s)[follows].sum())
        return float(way.sum()) / lasted_s if lasted_s > 0 else np.nan


def read_heat(
    frames: Frames,
    times_s: ArrayLike,
    *,
    boxes: ArrayLike | None = None,
    scale: float = 1.0,
    offset: float = 0.0,
    name: str = "the thermal film",
) -> FaceHeat:
    """How warm the face in a thermal film is, frame by frame.

    `frames`: `(n, h, w)`; or a function `(start, stop)` that gives those frames, such as a stream's
    `samples`; or anything that yields pieces `(k, h, w)` in turn. In °C, or in counts that `scale` and
    `offset` turn into °C as a channel's do (counts stay counts until the end, which is faster). NaN is no
    number. `times_s`: `(n,)`, ascending. `boxes`: `(n, 4)` px left, top, right, bottom of the face as the
    RGB camera saw it (`Calibration.boxes_at`), NaN where it saw none; without them the face is looked for
    in the picture itself.

    Raises `DataError` for frames of another shape or number than told, times that do not ascend, and a
    film in which no frame is a picture. A film without a face gives NaN and no error.
    """
    times_s = np.asarray(times_s, dtype=np.float64).ravel()
    count = len(times_s)
    if count == 0:
        raise DataError(f"{name} has no frames; check that the camera was recorded")
    if not np.isfinite(times_s).all() or np.any(np.diff(times_s) < 0):
        raise DataError(f"the times of {name} do not ascend; sort its frames by time")
    if scale <= 0:
        raise DataError(f"a scale of {scale:g} °C a count cannot be; it must be above 0")
    places = None if boxes is None else np.asarray(boxes, dtype=np.float64)
    if places is not None and places.shape != (count, 4):
        raise DataError(f"boxes of shape {places.shape} do not fit {count} frames; give ({count}, 4)")
    reader = _Reader(times_s, places, 1.0 / scale)
    for piece in _pieces(frames, count, name):
        reader.take(piece, name)
    return reader.heat(scale, offset, name)


class _Reader:
    """The frames one after the other; what is known of them so far."""

    def __init__(self, times_s: Array, boxes: Array | None, per_c: float) -> None:
        count = len(times_s)
        self._times_s, self._given = times_s, boxes
        self._per_c = per_c
        self._follower = Follower(per_c)
        self._figures = np.full((count, 4), np.nan)
        self._boxes = np.full((count, 4), np.nan)
        self._reasons = np.full(count, NO_FACE, dtype=np.uint8)
        self._is_repeat = np.zeros(count, dtype=bool)
        self._before: NDArray[Any] | None = None
        self._at = 0

    def take(self, piece: NDArray[Any], name: str) -> None:
        """The next frames `(k, h, w)`."""
        if piece.ndim != 3 or min(piece.shape[1:]) < SMALLEST_PX:
            raise DataError(
                f"frames of shape {piece.shape} are none of {name}; give (n, {SMALLEST_PX}+, {SMALLEST_PX}+)"
            )
        if self._at + len(piece) > len(self._times_s):
            raise DataError(f"{name} has more frames than its {len(self._times_s)} times; give one time each")
        if piece.dtype != np.uint16:
            piece = np.ascontiguousarray(piece, dtype=np.float32)
        for frame in piece:
            if self._before is not None and self._before.shape != frame.shape:
                raise DataError(f"the frames of {name} change their size; read each size by itself")
            self._see(frame)
            self._before, self._at = frame, self._at + 1

    def heat(self, scale: float, offset: float, name: str) -> FaceHeat:
        """What was seen, in °C."""
        if self._at < len(self._times_s):
            raise DataError(
                f"{name} has {self._at} frames but {len(self._times_s)} times; give one time each"
            )
        for start, stop in _runs(self._is_repeat):
            if self._times_s[stop - 1] - self._times_s[start - 1] > FROZEN_S:
                self._reasons[start:stop] = FROZEN
        if np.isin(self._reasons, (BROKEN, FLAT)).all():
            raise DataError(
                f"no frame of {name} is a picture; take the cap off, and look at what was recorded"
            )
        is_sound = self._reasons == SOUND
        self._figures[~is_sound] = self._boxes[~is_sound] = np.nan
        highest, mean, nose, forehead = np.ascontiguousarray((self._figures * scale + offset).T)
        return FaceHeat(self._times_s, highest, mean, nose, forehead, self._boxes, self._reasons)

    def _see(self, frame: NDArray[Any]) -> None:
        at = self._at
        if self._before is not None and np.array_equal(frame, self._before):
            self._is_repeat[at] = True
            if self._given is None:
                for kept in (self._figures, self._boxes, self._reasons):
                    kept[at] = kept[at - 1]
                return
        finite = None
        if frame.dtype != np.uint16 and not np.isfinite(cv2.sumElems(frame)[0]):
            finite = np.isfinite(frame)
            if finite.mean() < 1 - BROKEN_SHARE:
                self._reasons[at] = BROKEN
                return
            frame = np.where(finite, frame, np.median(frame[finite])).astype(np.float32)
        low, high, _, _ = cv2.minMaxLoc(frame)
        if high - low < FLAT_C * self._per_c:
            self._reasons[at] = FLAT
            return
        self._reasons[at] = self._measure(frame, finite)

    def _measure(self, frame: NDArray[Any], finite: NDArray[np.bool_] | None) -> int:
        at, time_s = self._at, float(self._times_s[self._at])
        if self._given is None:
            head = self._follower.see(frame, time_s)
        elif np.isfinite(self._given[at]).all():
            head = self._follower.place(frame, self._given[at], time_s)
        else:
            self._follower.lose()
            head = None
        if head is None:
            return NO_FACE
        if head.is_cut:
            return CUT_OFF
        figures = measure(frame, head, finite)
        if figures is None:
            return NO_FACE
        self._figures[at] = figures
        half_w, half_h = head.width / 2, head.height / 2
        self._boxes[at] = head.x - half_w, head.y - half_h, head.x + half_w, head.y + half_h
        return SOUND


def _pieces(frames: Frames, count: int, name: str) -> Iterator[NDArray[Any]]:
    """The film in pieces `(k, h, w)` that fit into memory."""
    if callable(frames):
        at, size = 0, 1
        while at < count:
            piece = np.asarray(frames(at, min(at + size, count)))
            if not len(piece):
                return
            yield piece
            at += len(piece)
            size = max(PIECE_PX // max(int(np.prod(piece.shape[1:])), 1), 1)
        return
    if isinstance(frames, np.ndarray):
        whole: NDArray[Any] = frames[np.newaxis] if frames.ndim == 2 else frames
        size = max(PIECE_PX // max(int(np.prod(whole.shape[1:])), 1), 1)
        for at in range(0, len(whole), size):
            yield whole[at : at + size]
        return
    if not isinstance(frames, Iterable):
        raise DataError(f"{name} is given as {type(frames).__name__}; give frames (n, h, w)")
    for given in frames:
        part: NDArray[Any] = np.asarray(given)
        yield part[np.newaxis] if part.ndim == 2 else part


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def _mean(values: Array) -> float:
    told = values[np.isfinite(values)]
    return float(told.mean()) if len(told) else np.nan


def _slope(times_s: Array, values: Array) -> float:
    told = np.isfinite(values)
    if told.sum() < 3 or np.ptp(times_s[told]) <= 0:
        return np.nan
    off_s = times_s[told] - times_s[told].mean()
    return float(off_s @ (values[told] - values[told].mean()) / (off_s @ off_s))
