"""A whole recording on one time line: any stretch of any signal, any frame, at once.

Opening takes as long as opening the file. Signals are read one after the other in a thread, each made
a pyramid (`signals.pyramid`), sound as its envelope; until one is ready its view is empty. Frames are
decoded when asked for, a few are kept. All times are seconds on the session clock.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError, EmolabError
from emolab.core.event import Event
from emolab.recording import lanes
from emolab.recording.labels import TimedLabel
from emolab.recording.reader import RecordedStream, Session
from emolab.recording.recover import is_growing
from emolab.signals.pyramid import Pyramid, View

GAP = 3.0  # of a sample: a longer step is a hole
LEAST_GAP_S = 0.02
ENVELOPE_HZ = 500.0  # pairs of least and greatest sound a second: a clip's beats at a pixel a sample
PIECE = 1 << 20
FRAMES_KEPT = 64
EMPTY = View(np.zeros(0), np.zeros(0, np.float32), np.zeros(0, np.float32), True)


@dataclass(frozen=True)
class Track:
    """One signal: `stream/channel`, what it is and in which unit. `envelope`: it is sound, seen as such."""

    name: str
    stream: str
    channel: int
    kind: str
    unit: str
    envelope: bool = False


class Timeline:
    """A recording opened for looking at; use it in a `with` block, or `close` it.

    `changed`: called, in the reading thread, when a track has become ready. Raises as `Session.open`.
    A track whose data are damaged stays empty, and `problems` says why.
    """

    def __init__(self, path: Path, changed: Callable[[str], None] = lambda name: None) -> None:
        self.session = Session.open(path)
        self.is_live = not self.session.finished and is_growing(path)
        if self.is_live:
            self.session.close()
            self.session = Session.open(path, live=True)
        self.events, self._lost_events = self._sound_events()
        self.tracks = tuple(_tracks(self.session))
        self.cameras = tuple(name for name, stream in self.session.streams.items() if stream.info.is_image)
        self.problems: dict[str, str] = {}
        self.begin_s, self.end_s = _span(self.session, self.events)
        self._changed = changed
        self._pyramids: dict[str, list[Pyramid]] = {}
        self._frames: OrderedDict[tuple[str, int], NDArray[Any]] = OrderedDict()
        self._times: dict[str, NDArray[np.float64]] = {}
        self._videos: dict[str, Any] = {}
        self._reading = (
            threading.Lock()
        )  # HDF5 lets one in at a time; a frame must not wait for a whole signal
        self._closing = threading.Event()
        self._thread = self._start_reading()

    @property
    def damage(self) -> str:
        """What of the file cannot be read, as sentences; empty when nothing is known to be missing."""
        found = []
        if self._lost_events:
            found.append(f"{self._lost_events} events of this file are damaged and are left out.")
        for name, problem in self.problems.items():
            found.append(f"{name} cannot be read: {problem}")
        if not self.session.finished and not self.is_live:
            found.append("The recording broke off; what was kept until then is shown.")
        return " ".join(found)

    def refresh(self) -> bool:
        """A session still being recorded: see what came since. False when nothing could be looked at.

        Tracks are read anew in the background; `changed` tells as each has become ready.
        """
        if not self.is_live or self._thread.is_alive():
            return False
        with self._reading:
            self.session.refresh()
            self.is_live = not self.session.finished
            self.events, self._lost_events = self._sound_events()
            self.begin_s, self.end_s = _span(self.session, self.events)
            self._times.clear()
            self._videos.clear()
        self._thread = self._start_reading()
        return True

    # signals

    def is_ready(self, track: str) -> bool:
        """Whether a track can be seen."""
        return track in self._pyramids

    def wait(self, timeout_s: float = 60.0) -> bool:
        """Wait until every track is ready; False when that takes longer."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def view(self, track: str, from_s: float, to_s: float, pixels: int) -> View:
        """What is seen of a track; nothing before it is ready."""
        found = self._pyramids.get(track)
        if not found:
            return EMPTY
        if len(found) == 1:
            return found[0].view(from_s, to_s, pixels)
        low, high = (
            pyramid.view(from_s, to_s, pixels) for pyramid in found
        )  # of one shape, sample by sample
        return View(low.times_s, low.low, high.high, False, low.holes_s)

    def value_at(self, track: str, time_s: float) -> float:
        """The sample at a moment, the newest not after it; NaN in a hole and before the first."""
        found = self._pyramids.get(track)
        if not found:
            return np.nan
        at = int(np.searchsorted(found[0].times_s, time_s, side="right")) - 1
        return float(found[-1].values[at]) if at >= 0 else np.nan

    # pictures

    def frame_index(self, camera: str, time_s: float) -> int:
        """The frame that is seen at a moment: the newest not after it, or the first."""
        at = int(np.searchsorted(self._frame_times(camera), time_s, side="right")) - 1
        return max(at, 0)

    def frame_time_s(self, camera: str, index: int) -> float:
        """When a frame was taken."""
        times_s = self._frame_times(camera)
        return float(times_s[range(len(times_s))[index]])

    def frame_count(self, camera: str) -> int:
        """How many frames there are."""
        return len(self._frame_times(camera))

    def frame(self, camera: str, index: int) -> NDArray[Any]:
        """One frame: `(h, w, 3)` uint8, or `(h, w)` in the unit of a thermal camera.

        Raises `IndexError` outside, `DataError` when it cannot be decoded.
        """
        index = range(self.frame_count(camera))[index]
        if (camera, index) in self._frames:
            self._frames.move_to_end((camera, index))
            return self._frames[camera, index]
        stream = self.session.streams[camera]
        with self._reading:
            if stream.info.kind == "thermal":
                pixels: NDArray[Any] = stream.values(0, index, index + 1)[0].astype(np.float32)
            else:
                if camera not in self._videos:
                    self._videos[camera] = self.session.video(camera)
                pixels = self._videos[camera].frame(index)[1]
        self._frames[camera, index] = pixels
        while len(self._frames) > FRAMES_KEPT:
            self._frames.popitem(last=False)
        return pixels

    def sound(self, stream: str, from_s: float, to_s: float) -> tuple[NDArray[Any], float]:
        """Samples `(n, channels)` between two moments, and the time of the first."""
        recorded = self.session.streams[stream]
        rate_hz = recorded.info.nominal_rate_hz or 48_000.0
        with self._reading:
            count = len(recorded)
            first = _place(recorded, from_s, rate_hz, count)
            last = _place(recorded, to_s, rate_hz, count)
            if last <= first:
                return recorded.samples(0, 0), from_s
            return recorded.samples(first, last), float(recorded.times_s(first, first + 1)[0])

    # labels

    @property
    def intended(self) -> list[TimedLabel]:
        """What each clip was chosen for."""
        return lanes.intended(self.events, self.end_s)

    @property
    def reported(self) -> list[TimedLabel]:
        """What the participant said."""
        return lanes.reported(self.events, self.end_s)

    def close(self) -> None:
        """Stop reading and let go of the file. Idempotent."""
        self._closing.set()
        self._thread.join()
        self.session.close()

    def __enter__(self) -> Timeline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # reading

    def _start_reading(self) -> threading.Thread:
        thread = threading.Thread(target=self._read_all, name="timeline", daemon=True)
        thread.start()
        return thread

    def _sound_events(self) -> tuple[Sequence[Event], int]:
        return self.session.sound_events()

    def _frame_times(self, camera: str) -> NDArray[np.float64]:
        if camera not in self.cameras:
            raise DataError(f"there is no camera {camera!r}; there are {', '.join(self.cameras) or 'none'}")
        if camera not in self._times:
            with self._reading:
                self._times[camera] = self.session.streams[camera].times_s()
        return self._times[camera]

    def _read_all(self) -> None:
        times: dict[str, NDArray[np.float64]] = {}
        for track in sorted(self.tracks, key=lambda one: one.envelope):  # sound takes longest
            if self._closing.is_set():
                return
            stream = self.session.streams[track.stream]
            try:
                if track.envelope:
                    self._pyramids[track.name] = self._envelope(stream, track.channel)
                else:
                    if track.stream not in times:
                        with self._reading:
                            times = {track.stream: stream.times_s()}  # one stream's at a time are kept
                    with self._reading:
                        values = stream.values(track.channel)
                    gap_s = max(GAP / (stream.info.nominal_rate_hz or 1.0), LEAST_GAP_S)
                    self._pyramids[track.name] = [Pyramid(times[track.stream], values, gap_s)]
            except (EmolabError, OSError, ValueError) as error:  # damaged: the others can still be seen
                self.problems[track.name] = str(error)
                self._pyramids[track.name] = [Pyramid(np.zeros(0), np.zeros(0))]
            self._changed(track.name)

    def _envelope(self, stream: RecordedStream, channel: int) -> list[Pyramid]:
        """Least and greatest of sound over each five-hundredth of a second, read piece by piece."""
        step = max(round((stream.info.nominal_rate_hz or 48_000.0) / ENVELOPE_HZ), 1)
        piece = PIECE - PIECE % step
        at_s: list[NDArray[np.float64]] = []
        low: list[NDArray[np.float32]] = []
        high: list[NDArray[np.float32]] = []
        for start in range(0, len(stream), piece):
            if self._closing.is_set():
                break
            with self._reading:
                values = stream.values(channel, start, start + piece).astype(np.float32)
                ends_s = (
                    stream.times_s(start, start + 1),
                    stream.times_s(start + len(values) - 1, start + len(values)),
                )
            edges = np.arange(0, len(values), step)
            low.append(np.minimum.reduceat(values, edges))
            high.append(np.maximum.reduceat(values, edges))
            at_s.append(np.interp(edges, (0, max(len(values) - 1, 1)), (ends_s[0][0], ends_s[1][0])))
        if not low:
            return [Pyramid(np.zeros(0), np.zeros(0))]
        times_s = np.concatenate(at_s)
        return [Pyramid(times_s, np.concatenate(low)), Pyramid(times_s, np.concatenate(high))]


def _place(stream: RecordedStream, time_s: float, rate_hz: float, count: int) -> int:
    """The first sample not before a moment, without reading the times of hours of sound."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if float(stream.times_s(middle, middle + 1)[0]) < time_s:
            low = middle + 1
        else:
            high = middle
    return low


def _tracks(session: Session) -> list[Track]:
    found = []
    for stream in session.streams.values():
        if stream.info.is_image:
            continue
        for at, channel in enumerate(stream.info.channels):
            name = f"{stream.name}/{channel.name}" if len(stream.info.channels) > 1 else stream.name
            is_sound = stream.info.kind == "audio"
            found.append(Track(name, stream.name, at, channel.kind, channel.unit, is_sound))
    return found


def _span(session: Session, events: Sequence[Event]) -> tuple[float, float]:
    """From the first thing there is to the last, roughly where times were not refined."""
    begin = [event.time_s for event in events]
    end = list(begin)
    for stream in session.streams.values():
        if not len(stream):
            continue
        if len(stream.fit()[0]):
            begin.append(float(stream.times_s(0, 1)[0]))
            end.append(float(stream.times_s(len(stream) - 1)[0]))
        else:  # summing the steps of hours of sound would take longer than opening may
            arrivals_s = stream.arrivals()[1]
            begin.append(float(arrivals_s[0]))
            end.append(float(arrivals_s[-1]))
    return (min(begin), max(end)) if begin else (0.0, 0.0)
