"""Thermal recordings with known counts: a warm face before a cool wall, frames numbered.

Counts are hundredths of a kelvin (FLIR's TLinear at high resolution). Pixel (0, 0) holds the
frame's number, so that a lost or doubled frame shows; `thermal_frame` gives the truth again.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

KELVIN_PER_COUNT = 0.01
WALL_C, FACE_C, NOISE_C = 22.0, 34.5, 0.05


def thermal_frame(number: int, size: tuple[int, int] = (120, 160)) -> NDArray[np.uint16]:
    """Frame `number` (below 65536), `(h, w)`: always the same for the same arguments."""
    height, width = size
    y, x = np.mgrid[0:height, 0:width]
    is_face = ((y - height / 2) / (0.4 * height)) ** 2 + ((x - width / 2) / (0.22 * width)) ** 2 < 1
    noise_c = np.random.default_rng(number).normal(0, NOISE_C, size)
    celsius = np.where(is_face, FACE_C, WALL_C) + noise_c
    frame = np.round((celsius + 273.15) / KELVIN_PER_COUNT).astype(np.uint16)
    frame[0, 0] = number
    return frame


def write_thermal_file(path: Path, n: int, size: tuple[int, int] = (120, 160), rate_hz: float = 9) -> None:
    """`n` frames as lossless FFV1 gray16 at `rate_hz`; the suffix chooses the container (.mkv)."""
    rate = Fraction(rate_hz).limit_denominator(1000)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=rate)
        stream.width, stream.height, stream.pix_fmt = size[1], size[0], "gray16le"
        for number in range(n):
            frame = av.VideoFrame.from_ndarray(thermal_frame(number, size), format="gray16le")
            frame.pts, frame.time_base = number, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
