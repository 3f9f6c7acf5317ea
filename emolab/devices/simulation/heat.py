"""The simulated participant as a thermal camera sees it.

A warm face before a cool room, the nose at its own temperature, and below it the breath, which
warms the nostrils going out and cools them going in (Murthy & Pavlidis 2006,
doi:10.1109/MEMB.2006.1636355).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emolab.devices.simulation.body import noise
from emolab.devices.simulation.ease import Array

KELVIN_PER_COUNT = 0.01
ZERO_C_K = 273.15
ROOM_C = 23.0
BREATH_C = 0.25
NOISE_C = 0.03  # noise equivalent of an uncooled core, 30 to 50 mK


class HeatPicture:
    """Draws frames of `width` × `height` pixels in hundredths of a kelvin.

    `regions`: boxes `[x, y, width, height]` in pixels. Within `forehead` and `nose` the picture is
    as warm as the body says, but for noise; `face` is the box around the whole face.
    """

    def __init__(self, width: int, height: int) -> None:
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        x, y = (x - width / 2) / height, (y - height * 0.5) / height
        face = _blob(x, y, (0.0, 0.0), (0.30, 0.42), 10.0)
        nose = _blob(x, y, (0.0, 0.06), (0.11, 0.13), 4.0)
        nostrils = _blob(x, y, (0.0, 0.24), (0.08, 0.05), 3.0)
        self._room = (1 - face).ravel()
        self._face = (face * (1 - nose)).ravel()
        self._nose = (face * nose).ravel()
        self._nostrils = (face * nostrils).ravel()
        self._shape = (height, width)

        def box(left: float, top: float, right: float, bottom: float) -> list[int]:
            x0, y0 = round(width / 2 + left * height), round((0.5 + top) * height)
            return [x0, y0, round((right - left) * height), round((bottom - top) * height)]

        self.regions = {
            "face": box(-0.30, -0.42, 0.30, 0.42),
            "forehead": box(-0.12, -0.26, 0.12, -0.12),
            "nose": box(-0.04, 0.01, 0.04, 0.11),
        }

    def draw(
        self, counters: NDArray[np.int64], face_c: Array, nose_c: Array, breath: Array, salt: int
    ) -> NDArray[np.uint16]:
        """Frames `(n, height, width)` for `n` moments. `breath`: girth of the chest, about −1..1."""
        frames = np.empty((len(counters), *self._shape), dtype=np.uint16)
        pixels = np.arange(len(self._room))
        for i, counter in enumerate(counters):
            celsius = self._room * ROOM_C + self._face * face_c[i] + self._nose * nose_c[i]
            celsius -= self._nostrils * (BREATH_C * breath[i])
            celsius += NOISE_C * noise(counter * 4813 + pixels, salt)
            frames[i] = ((celsius + ZERO_C_K) / KELVIN_PER_COUNT + 0.5).reshape(self._shape)
        return frames


def _blob(
    x: NDArray, y: NDArray, centre: tuple[float, float], radii: tuple[float, float], edge: float
) -> NDArray[np.float32]:
    """1 inside an ellipse, falling to 0 at its rim within `1 / edge` of the radius."""
    radius = np.hypot((x - centre[0]) / radii[0], (y - centre[1]) / radii[1])
    return np.clip((1 - radius) * edge, 0, 1).astype(np.float32)
