"""What could not be recorded: counted by stream, told as one `gap` event a stretch. For any thread."""

from __future__ import annotations

import threading

from emolab.core.event import Event

# why a `gap` event of the recorder's was written
OVERRUN = "writer overrun"
UNFIT = "not recordable"

_Stretch = tuple[float, float, int]  # from, to, how many samples


class Losses:
    """Samples lost for one `reason`, by stream, since its last gap was told. `total`: of all time."""

    def __init__(self, reason: str) -> None:
        self.total: dict[str, int] = {}
        self._reason = reason
        self._lock = threading.Lock()
        self._by_stream: dict[str, _Stretch] = {}

    def __contains__(self, stream: str) -> bool:
        return stream in self._by_stream

    @property
    def streams(self) -> list[str]:
        """Those that have lost something that was not told yet."""
        return list(self._by_stream)

    def add(self, stream: str, samples: int, first_s: float, last_s: float) -> int:
        """Count samples taken from `first_s` to `last_s`; how many were lost in this stretch before them."""
        with self._lock:
            begun_s, _, count = self._by_stream.get(stream, (first_s, last_s, 0))
            self._by_stream[stream] = (begun_s, last_s, count + samples)
            self.total[stream] = self.total.get(stream, 0) + samples
        return count

    def gap(self, stream: str) -> Event:
        """What was lost of a stream, as an event; the count begins anew."""
        with self._lock:
            begun_s, last_s, count = self._by_stream.pop(stream)
        seconds = round(last_s - begun_s, 6)
        return Event(
            begun_s, "gap", data={"stream": stream, "lost": count, "seconds": seconds, "reason": self._reason}
        )
