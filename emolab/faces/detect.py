"""Where the faces of a frame are, and how sure that is.

    Mtcnn().find(frame).boxes      # (k, 4) px: left, top, right, bottom; the largest face first

The default is the MTCNN of facenet-pytorch (Zhang et al. 2016, doi:10.1109/LSP.2016.2603342), whose
weights come with it. torch gets one thread: with two on two busy cores a frame takes up to fifty times
longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import MissingExtra, WrongInput

Image = NDArray[np.uint8]

# Of the frame's shorter side: 40 px of 480. Of a participant before the camera a face is 100 px and more;
# with the 20 px of the library cuffs and curtains become faces, and it takes twice as long.
LEAST_FACE = 1 / 12
_SMALLEST_PX = 12  # what the first of the three networks looks at


@dataclass(frozen=True)
class Found:
    """The faces of one frame, the largest first: `boxes` `(k, 4)` float32 px, `confidence` `(k,)` float32."""

    boxes: NDArray[np.float32]
    confidence: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.boxes)


class Detector(Protocol):
    """Finds faces; the same frame gives the same faces."""

    def find(self, frame: Image) -> Found:
        """`frame`: `(h, w, 3)` uint8 RGB."""
        ...


NOTHING = Found(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


class Mtcnn:
    """The MTCNN of facenet-pytorch on the CPU; `least_face`: of the frame's shorter side.

    Raises `MissingExtra` where torch or facenet-pytorch is not installed.
    """

    def __init__(self, least_face: float = LEAST_FACE) -> None:
        self._least_face = least_face
        self._network = _made()

    def find(self, frame: Image) -> Found:
        """The faces of a frame. Raises `WrongInput` when it is not `(h, w, 3)` uint8."""
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise WrongInput(
                f"a frame is {frame.dtype} {frame.shape}; faces are sought in uint8 (h, w, 3) RGB"
            )
        shorter = min(frame.shape[:2])
        if shorter < 2 * _SMALLEST_PX:
            return NOTHING
        self._network.min_face_size = max(shorter * self._least_face, _SMALLEST_PX)
        boxes, confidence = self._network.detect(frame)
        if boxes is None:
            return NOTHING
        # the library gives arrays of objects under NumPy 2
        return Found(np.asarray(boxes, np.float32), np.asarray(confidence, np.float32))


def _made() -> Any:
    try:
        import torch
        from facenet_pytorch import MTCNN
    except ImportError as error:
        raise MissingExtra(
            f"faces cannot be sought without torch and facenet-pytorch ({error}); "
            "install them with: pip install 'emolab[faces]'"
        ) from error
    torch.set_num_threads(1)
    return MTCNN(keep_all=True, device="cpu")
