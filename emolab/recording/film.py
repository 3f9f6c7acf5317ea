"""The colour video of a session, stretch by stretch, as far as it can be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError, EmolabError, RecordingError
from emolab.recording.reader import RecordedStream, Session
from emolab.recording.video import VideoReader

HOLE_S = 0.5  # a longer step between frames is time without video


class Film:
    """Frames of the first colour camera. `missing`: why there is none; `damage`: what could not be read."""

    def __init__(self, session: Session) -> None:
        self.missing = ""
        self._cannot = ""
        self._lost = 0
        self._times_s: NDArray[np.float64] = np.zeros(0)
        cameras = [stream for stream in session.streams.values() if stream.info.kind == "rgb"]
        if not cameras:
            self.missing = "the recording has no colour video"
            return
        self._name = cameras[0].name
        try:
            packets = _Packets(cameras[0])
            self._video = VideoReader(packets, cameras[0].info.sample_shape, strict=True)
            self._times_s = packets.all_s
        except (EmolabError, OSError, ValueError) as error:
            self.missing = f"the video of {self._name!r} cannot be read"
            self._cannot = f"{self.missing}: {error}"
            return
        if not len(self._times_s):
            self.missing = f"{self._name!r} recorded no frame"

    @property
    def name(self) -> str:
        """The camera's stream; there must be one: see `missing`."""
        return self._name

    @property
    def end_s(self) -> float:
        """When the last frame was taken; 0 without any."""
        return float(self._times_s[-1]) if len(self._times_s) else 0.0

    @property
    def damage(self) -> list[str]:
        """What could not be read so far."""
        lost = f"{self._lost} frames of {self._name!r} cannot be decoded" if self._lost else ""
        return [told for told in (self._cannot, lost) if told]

    def frames(self, stretches: Sequence[tuple[float, float]]) -> int:
        """How many frames some stretches have in all."""
        return sum(last - first for first, last in (self._rows(*stretch) for stretch in stretches))

    def read(self, start_s: float, end_s: float) -> Iterator[tuple[float, NDArray[np.uint8] | None]]:
        """Time and pixels `(h, w, 3)` of each frame of a stretch, None where it cannot be decoded."""
        for row in range(*self._rows(start_s, end_s)):
            yield self._decoded(row)

    def near(self, time_s: float) -> tuple[float, NDArray[np.uint8] | None]:
        """Time and pixels of the frame nearest to a moment, None where it cannot be decoded.

        There must be one: see `missing`.
        """
        after = int(np.clip(np.searchsorted(self._times_s, time_s), 1, max(len(self._times_s) - 1, 1)))
        pair = range(after - 1, min(after + 1, len(self._times_s)))
        row = min(pair, key=lambda at: abs(float(self._times_s[at]) - time_s))
        return self._decoded(row)

    def share(self, start_s: float, end_s: float) -> float:
        """Of which share of a stretch there are frames, 0 to 1: less where the camera was away."""
        first, last = self._rows(start_s, end_s)
        if end_s <= start_s or last <= first:
            return 0.0
        steps_s = np.diff(np.concatenate([[start_s], self._times_s[first:last], [end_s]]))
        return float(1 - steps_s[steps_s > HOLE_S].sum() / (end_s - start_s))

    def _decoded(self, row: int) -> tuple[float, NDArray[np.uint8] | None]:
        try:
            pixels = self._video.frame(row)[1]
        except (DataError, OSError):
            self._lost += 1
            return float(self._times_s[row]), None
        return float(self._times_s[row]), pixels

    def _rows(self, start_s: float, end_s: float) -> tuple[int, int]:
        first, last = np.searchsorted(self._times_s, [start_s, end_s])
        return int(first), int(last)


class _Packets:
    """A stream whose times were read once: frame by frame that takes half as long as decoding."""

    def __init__(self, recorded: RecordedStream) -> None:
        self._recorded = recorded
        try:
            self.all_s = recorded.times_s()
        except RecordingError:  # the refined times are cut off: those stamped live are good to milliseconds
            self.all_s = recorded.times_s(as_stamped=True)

    def __len__(self) -> int:
        return len(self.all_s)

    def times_s(self, start: int = 0, stop: int | None = None) -> NDArray[np.float64]:
        return self.all_s[start:stop]

    def keys(self) -> NDArray[np.bool_]:
        return self._recorded.keys()

    def packet(self, index: int) -> bytes:
        return self._recorded.packet(index)
