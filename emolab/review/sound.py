"""Which sound of a recording is heard in its replay, and how it is read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.review.speaker import Speaker
from emolab.review.timeline import Timeline


def speaker_of(line: Timeline, device: str | int | None = None) -> Speaker | None:
    """A loudspeaker for the first sound there is, None when the session has none."""
    found = [track for track in line.tracks if track.envelope]
    if not found:
        return None
    stream = line.session.streams[found[0].stream]
    scales = np.array([channel.scale for channel in stream.info.channels], np.float32)

    def read(from_s: float, to_s: float) -> tuple[NDArray[Any], float]:
        samples, first_s = line.sound(stream.name, from_s, to_s)
        return samples * scales, first_s

    return Speaker(read, stream.info.nominal_rate_hz or 48_000.0, device)
