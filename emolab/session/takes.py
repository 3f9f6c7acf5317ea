"""What each stream delivered while somebody looked: the samples, some pictures, and the counts.

A `Takes` listens at the hub beside the recorder. Pumps call `take`; it copies and never waits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.core.stream import Chunk, StreamInfo, Tally
from emolab.recording.video import H264Encoder

PICTURE_STEP_S = 1.0  # of session time between two pictures kept to look for a face
MOST_PICTURES = 12
BURST_FRAMES = 24  # consecutive frames, to learn how many bytes they take once encoded
BURST_BYTES = 64 << 20
ROW_BYTES = 24  # what the file keeps beside a sample: its time, its arrival, the device's counter


@dataclass
class Take:
    """One stream's window. `before`: its losses when the window began."""

    info: StreamInfo
    before: Tally
    tally: Tally
    samples: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    longest_gap_s: float = 0.0
    rows: list[tuple[NDArray[np.float64], NDArray[Any]]] = field(default_factory=list)
    pictures: list[NDArray[Any]] = field(default_factory=list)
    burst: list[tuple[float, NDArray[Any]]] = field(default_factory=list)

    @property
    def rate_hz(self) -> float:
        """Samples a second by their own times; 0 when fewer than two came."""
        span_s = self.last_s - self.first_s
        return (self.samples - 1) / span_s if self.samples > 1 and span_s > 0 else 0.0

    @property
    def lost(self) -> int:
        """Samples lost or corrupt within the window."""
        bad = self.tally.lost + self.tally.corrupt
        return max(bad - self.before.lost - self.before.corrupt, 0)

    def series(self) -> tuple[NDArray[np.float64], NDArray[Any]]:
        """Everything that came: `(times_s (n,), samples (n, k))`, raw; empty for pictures."""
        if not self.rows:
            return np.empty(0), np.empty((0, len(self.info.channels)))
        return np.concatenate([t for t, _ in self.rows]), np.concatenate([s for _, s in self.rows])

    def bytes_per_s(self) -> float:
        """How fast its recording grows: video as the recorder would encode it, all else raw."""
        rate_hz = self.rate_hz or self.info.nominal_rate_hz or 0.0
        if self.info.kind == "rgb" and len(self.burst) > 1:
            times_s = np.array([time_s for time_s, _ in self.burst])
            frames = np.stack([frame for _, frame in self.burst])
            encoded = H264Encoder(self.info).encode(
                Chunk(self.info.name, times_s, frames, float(times_s[-1]))
            )
            return rate_hz * (float(np.mean([len(packet) for packet in encoded.packets])) + ROW_BYTES)
        return rate_hz * (self.info.sample_bytes + ROW_BYTES)


class Takes:
    """The windows of some streams, from the moment it is made."""

    def __init__(self, streams: Iterable[tuple[StreamInfo, Tally]]) -> None:
        self.of = {info.name: Take(info, tally, tally) for info, tally in streams}

    def take(self, chunk: Chunk) -> None:
        """Keep what is needed of a chunk. From the pump of its stream."""
        take = self.of.get(chunk.stream)
        if take is None or chunk.samples.shape[1:] != take.info.sample_shape:
            return
        first_s = float(chunk.times_s[0])
        steps_s = np.diff(chunk.times_s)
        if take.samples:
            steps_s = np.append(steps_s, first_s - take.last_s)
        else:
            take.first_s = first_s
        take.longest_gap_s = max(take.longest_gap_s, float(np.max(steps_s, initial=0.0)))
        take.samples += len(chunk)
        take.last_s = float(chunk.times_s[-1])
        take.tally = chunk.tally or take.tally
        if take.info.is_image:
            _keep_pictures(take, chunk)
        else:
            take.rows.append((chunk.times_s.copy(), chunk.samples.copy()))


def _keep_pictures(take: Take, chunk: Chunk) -> None:
    room = min(BURST_FRAMES, BURST_BYTES // max(take.info.sample_bytes, 1)) - len(take.burst)
    if take.info.kind == "rgb" and room > 0:
        pairs = zip(chunk.times_s[:room], chunk.samples[:room], strict=True)
        take.burst += [(float(time_s), frame.copy()) for time_s, frame in pairs]
    due_s = take.first_s + len(take.pictures) * PICTURE_STEP_S
    if len(take.pictures) < MOST_PICTURES and float(chunk.times_s[-1]) >= due_s:
        take.pictures.append(chunk.samples[-1].copy())
