"""Frames in which no face can be recognised.

A face that was found is laid out in six coarse cells, with half its size of hair and neck around it, and
so is the place where it was found up to five frames before and after. A frame where no face is surely
found is made coarse as a whole, twelve cells in all, and so is every frame when no detector is installed:
rather nothing to see than somebody. So is a frame in which fewer faces are sure than in one of the three
hundred before it: the one that is missing may only have turned aside. The cells are means, so nothing
finer is left to be made sharp again. What stays is the body, clothes and the room; a second person whom the
detector has not found for so long beside a face it is sure of stays, too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import MissingExtra

Frame = NDArray[np.uint8]
SURE = 0.95  # of the detector's own confidence
GROWN = 0.5  # of the box, on each side
REACH = 5  # frames before and after
REMEMBERED = 300  # frames
FACE_CELLS = 6
FRAME_CELLS = 12  # across the longer side: a face of a sixth of it is two cells


class Faces(Protocol):
    """What was found in a frame: `boxes` `(k, 4)` px left, top, right, bottom; `confidence` `(k,)`."""

    @property
    def boxes(self) -> NDArray[np.float32]: ...

    @property
    def confidence(self) -> NDArray[np.float32]: ...


class FindsFaces(Protocol):
    """A detector, as `faces.detect.Mtcnn` is one."""

    def find(self, frame: Frame) -> Faces: ...


def detector() -> FindsFaces | None:
    """The detector of the faces room, None when what it needs is not installed."""
    from emolab.faces.detect import Mtcnn  # torch, only when somebody wants faces blurred

    try:
        return Mtcnn()
    except MissingExtra:
        return None


class FaceBlur:
    """Blurs faces, or whole frames. `frames`: how many it has seen, `whole`: blurred whole."""

    def __init__(self, faces: FindsFaces | None) -> None:
        self.frames = self.whole = 0
        self._faces = faces
        self._sure: deque[int] = deque(maxlen=REMEMBERED)

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """As many frames as come in, in their order."""
        waiting: deque[tuple[Frame, NDArray[np.float64] | None]] = deque()
        before: deque[NDArray[np.float64]] = deque(maxlen=REACH)
        for frame in frames:
            waiting.append((frame, self._boxes(frame)))
            if len(waiting) > REACH:
                yield self._blurred(waiting, before)
        while waiting:
            yield self._blurred(waiting, before)

    def _boxes(self, frame: Frame) -> NDArray[np.float64] | None:
        """Where faces may be; None when none is sure."""
        if self._faces is None:
            return None
        found = self._faces.find(frame)
        boxes = np.asarray(found.boxes, np.float64).reshape(-1, 4)
        sure = int((np.asarray(found.confidence, np.float64) >= SURE).sum())
        self._sure.append(sure)
        return boxes if sure and sure == max(self._sure) and np.isfinite(boxes).all() else None

    def _blurred(
        self,
        waiting: deque[tuple[Frame, NDArray[np.float64] | None]],
        before: deque[NDArray[np.float64]],
    ) -> Frame:
        frame, boxes = waiting.popleft()
        near = [*before, *(after for _, after in waiting if after is not None)]
        before.append(np.zeros((0, 4)) if boxes is None else boxes)
        self.frames += 1
        if boxes is None:
            self.whole += 1
            return coarse(frame, FRAME_CELLS * min(frame.shape[:2]) / max(frame.shape[:2]))
        out = frame.copy()
        for box in np.concatenate([boxes, *near]):
            part = _place(box, frame.shape)
            if out[part].size:
                out[part] = coarse(frame[part], FACE_CELLS)
        return out


def coarse(picture: Frame, cells: float) -> Frame:
    """A picture as so many cells across its shorter side, each the mean of what was there."""
    height, width = picture.shape[:2]
    cell = max(min(height, width) / cells, 1.0)
    size = (max(round(width / cell), 1), max(round(height / cell), 1))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _place(box: NDArray[np.float64], shape: tuple[int, ...]) -> tuple[slice, slice]:
    left, top, right, bottom = box
    wide, high = (right - left) * GROWN, (bottom - top) * GROWN
    across = slice(max(int(left - wide), 0), min(int(np.ceil(right + wide)), shape[1]))
    down = slice(max(int(top - high), 0), min(int(np.ceil(bottom + high)), shape[0]))
    return down, across
