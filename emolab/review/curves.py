"""The signals of a recording as pyramids, read piece by piece, and only what is new when it has grown.

Sound is kept as its least and greatest over each five-hundredth of a second. What cannot be read is
told and leaves a hole.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import EmolabError
from emolab.recording.reader import RecordedStream, Session
from emolab.signals.moments import Moments
from emolab.signals.pyramid import Pyramid

GAP = 3.0  # of a sample: a longer step is a hole
LEAST_GAP_S = 0.02
ENVELOPE_HZ = 500.0  # pairs of least and greatest sound a second: a clip's beats at a pixel a sample
PIECE = 1 << 16  # rows read while nobody else may: some milliseconds
SOUND_PIECE = 1 << 19


@dataclass(frozen=True)
class Track:
    """One signal: `stream/channel`, what it is and in which unit. `envelope`: it is sound, seen as such."""

    name: str
    stream: str
    channel: int
    kind: str
    unit: str
    envelope: bool = False


def tracks_of(session: Session) -> list[Track]:
    """Every signal there is."""
    found = []
    for stream in session.streams.values():
        if stream.info.is_image:
            continue
        for at, channel in enumerate(stream.info.channels):
            name = f"{stream.name}/{channel.name}" if len(stream.info.channels) > 1 else stream.name
            is_sound = stream.info.kind == "audio"
            found.append(Track(name, stream.name, at, channel.kind, channel.unit, is_sound))
    return found


class Curves:
    """`reading`: held while the file is read, a piece at a time. `problems`: track to what was unreadable.

    `pyramids` holds the tracks that are ready; they grow in place when `read` is called again.
    """

    def __init__(
        self,
        session: Session,
        tracks: Sequence[Track],
        reading: threading.Lock,
        shown: Mapping[str, Pyramid] | None = None,
    ) -> None:
        """`shown`: what is seen of a track until it was read."""
        self._session, self._tracks, self._reading = session, tracks, reading
        self.pyramids: dict[str, Pyramid] = dict(shown or {})
        self.problems: dict[str, str] = {}
        self._rows: dict[str, int] = {}  # of each stream, that were read
        self._moments: dict[str, Moments] = {}

    def read(self, is_last: bool, stops: threading.Event, ready: Callable[[str], None]) -> None:
        """What there is and was not read yet; `ready` after each track. `is_last`: nothing more will come."""
        names = sorted({track.stream for track in self._tracks}, key=self._is_sound)  # sound takes longest
        for name in names:
            tracks = [track for track in self._tracks if track.stream == name]
            stream = self._session.streams[name]
            if name not in self._moments:
                self._moments[name] = Moments()
            before, begins = self._rows.get(name, 0), name not in self._rows
            try:
                fresh = self._append(stream, tracks, is_last, stops)
            except (EmolabError, OSError, ValueError) as error:  # damaged: the others can still be seen
                fresh = {track.name: Pyramid() for track in tracks if track.name not in self.pyramids}
                for track in tracks:
                    self.problems[track.name] = str(error)
            if stops.is_set():
                return
            self.pyramids |= fresh
            self._rows.setdefault(name, 0)
            if begins or self._rows.get(name, 0) > before:
                for track in tracks:
                    ready(track.name)

    def _append(
        self, stream: RecordedStream, tracks: list[Track], is_last: bool, stops: threading.Event
    ) -> dict[str, Pyramid]:
        rate_hz, is_sound = stream.info.nominal_rate_hz, self._is_sound(stream.name)
        step = max(round((rate_hz or 48_000.0) / ENVELOPE_HZ), 1) if is_sound else 1
        piece = (SOUND_PIECE if is_sound else PIECE) // step * step
        with self._reading:
            ends = len(stream) if is_last else len(stream) // step * step
        start, moments = self._rows.get(stream.name, 0), self._moments[stream.name]
        gap_s = np.inf if is_sound else max(GAP / (rate_hz or 1.0), LEAST_GAP_S)
        pyramids = {
            track.name: self.pyramids[track.name]
            if stream.name in self._rows
            else Pyramid(
                gap_s=gap_s,
                scale=stream.info.channels[track.channel].scale,
                offset=stream.info.channels[track.channel].offset,
                room=-(-ends // step) if is_last else 0,
                moments=moments,
            )
            for track in tracks
        }
        times = (
            self._ends(stream, start, ends, piece) if is_sound else self._times(stream, start, ends, piece)
        )
        while start < ends and not stops.is_set():
            stop = min(start + piece, ends)
            with self._reading:
                times_s = next(times)
                try:
                    raw = stream.samples(start, stop)
                except (EmolabError, OSError, ValueError) as error:  # what lies around it can still be seen
                    for track in tracks:
                        self.problems.setdefault(track.name, str(error))
                    self._rows[stream.name] = start = stop
                    continue
            if is_sound:
                rows = np.arange(0, stop - start, step)
                times_s = np.interp(rows, (0, max(stop - start - 1, 1)), times_s)
                low, high = np.minimum.reduceat(raw, rows), np.maximum.reduceat(raw, rows)
            else:
                low = high = raw
            moments.append(times_s)
            for track in tracks:
                column = np.ascontiguousarray(low[:, track.channel])
                other = np.ascontiguousarray(high[:, track.channel]) if is_sound else None
                pyramids[track.name].append(times_s, column, other)
            self._rows[stream.name] = start = stop
        return pyramids

    def _times(
        self, stream: RecordedStream, start: int, ends: int, piece: int
    ) -> Iterator[NDArray[np.float64]]:
        """Times of each piece."""
        if not start:
            yield from stream.time_slices_s(piece)
        for first in range(start, ends, piece):
            yield stream.times_s(first, min(first + piece, ends))

    def _ends(
        self, stream: RecordedStream, start: int, ends: int, piece: int
    ) -> Iterator[NDArray[np.float64]]:
        """Times of each piece's first and last row."""
        for first in range(start, ends, piece):
            last = min(first + piece, ends) - 1
            yield np.concatenate([stream.times_s(first, first + 1), stream.times_s(last, last + 1)])

    def _is_sound(self, stream: str) -> bool:
        return any(track.envelope for track in self._tracks if track.stream == stream)
