"""A whole recording on one time line: any stretch of any signal, any frame, at once.

Opening takes as long as opening the file. Signals are read piece by piece in a thread (`curves`); until
one is ready its view is empty. Frames are decoded when asked for, a few are kept. All times are seconds
on the session clock.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
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
from emolab.review.curves import Curves, tracks_of
from emolab.review.usability import LATER, ON_ITS_WAY, Usability
from emolab.signals.pyramid import View

FRAMES_KEPT = 64
PATIENCE_S = 0.2  # with arithmetic that is on its way and needs the file no more
UNREADABLE = (EmolabError, OSError, ValueError)
EMPTY = View(np.zeros(0), np.zeros(0, np.float32), np.zeros(0, np.float32), True)


class Timeline:
    """A recording opened for looking at; use it in a `with` block, or `close` it.

    `changed`: called, in a thread, when a track has become ready, and when it is known how usable it is.
    Raises as `Session.open`. A track whose data are damaged stays empty, and `problems` says why.
    """

    def __init__(self, path: Path, changed: Callable[[str], None] = lambda name: None) -> None:
        self.session = Session.open(path)
        self.is_live = not self.session.finished and is_growing(path)
        if self.is_live:
            self.session.close()
            self.session = Session.open(path, live=True)
        self._timeless: dict[str, str] = {}  # streams of which no time can be read, and why
        self._look()
        self.tracks = tuple(tracks_of(self.session))
        self.cameras = tuple(name for name, stream in self.session.streams.items() if stream.info.is_image)
        self._changed = changed
        self._frames: OrderedDict[tuple[str, int], NDArray[Any]] = OrderedDict()
        self._times: dict[str, NDArray[np.float64]] = {}
        self._videos: dict[str, Any] = {}
        self._reading = threading.Lock()  # HDF5 lets one in at a time; a frame must not wait for long
        self._curves = Curves(self.session, self.tracks, self._reading)
        self._closing = threading.Event()
        self._usability = Usability(self.session, self.tracks, self._reading, self._closing)
        self._judge: threading.Thread | None = None
        self._thread = self._start_reading()

    @property
    def problems(self) -> dict[str, str]:
        """Tracks of which something cannot be read, and why."""
        return self._curves.problems

    @property
    def damage(self) -> str:
        """What of the file cannot be read, as sentences; empty when nothing is known to be missing."""
        found = []
        if self._lost_events:
            found.append(f"{self._lost_events} events of this file are damaged and are left out.")
        for name, problem in self._timeless.items():
            found.append(f"Some times of {name} cannot be read: {problem}.")
        for name, problem in self.problems.items():
            found.append(f"{name} cannot be read: {problem}")
        if not self.session.finished and not self.is_live:
            found.append("The recording broke off; what was kept until then is shown.")
        return " ".join(found)

    def refresh(self) -> bool:
        """A session still being recorded: see what came since. False when nothing could be looked at.

        What is new of each track is read in the background; `changed` tells as each has grown. When the
        session has ended all is read once more, since only now its times are known as well as they can be.
        """
        if not self.is_live or self._thread.is_alive():
            return False
        with self._reading:
            self.session.refresh()
            self.is_live = not self.session.finished
            self._look()
            self._times.clear()
            self._videos.clear()
            if not self.is_live:
                self._curves = Curves(self.session, self.tracks, self._reading, self._curves.pyramids)
        self._thread = self._start_reading()
        return True

    # signals

    def is_ready(self, track: str) -> bool:
        """Whether a track can be seen."""
        return track in self._curves.pyramids

    def wait(self, timeout_s: float = 60.0) -> bool:
        """Wait until every track is ready; False when that takes longer."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def view(self, track: str, from_s: float, to_s: float, pixels: int) -> View:
        """What is seen of a track; nothing before it is ready."""
        found = self._curves.pyramids.get(track)
        return EMPTY if found is None else found.view(from_s, to_s, pixels)

    def value_at(self, track: str, time_s: float) -> float:
        """The sample at a moment, the newest not after it; NaN in a hole and before the first."""
        found = self._curves.pyramids.get(track)
        return np.nan if found is None else found.value_at(time_s)

    def usable(self, track: str) -> tuple[float, ...]:
        """How much of each ten seconds can be used, from time zero on; empty where nothing is told (yet)."""
        return self._usability.shares.get(track, ())

    def why_not_judged(self, track: str) -> str:
        """Why `usable` tells nothing of a signal of the body."""
        return LATER if self.is_live else self._usability.troubles.get(track, ON_ITS_WAY)

    def wait_judged(self, timeout_s: float = 60.0) -> bool:
        """Wait until `usable` tells all it will; False when that takes longer."""
        if not self.wait(timeout_s) or self._judge is None:
            return False
        self._judge.join(timeout_s)
        return not self._judge.is_alive()

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

    def close(self) -> None:
        """Stop reading and let go of the file. Idempotent."""
        self._closing.set()
        self._thread.join()
        with self._reading:  # one who judges looks at `_closing` before reading on
            self.session.close()
        if self._judge is not None:
            self._judge.join(PATIENCE_S)

    def __enter__(self) -> Timeline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # reading

    def _start_reading(self) -> threading.Thread:
        thread = threading.Thread(target=self._read_all, name="timeline", daemon=True)
        thread.start()
        return thread

    def _look(self) -> None:
        """What happened, what each clip was `intended` for, what the participant `reported`, and how long."""
        self.events: Sequence[Event]
        self.events, self._lost_events = self.session.sound_events()
        self.begin_s, self.end_s = _span(self.session, self.events, self._timeless)
        self.intended: Sequence[TimedLabel] = lanes.intended(self.events, self.end_s)
        self.reported: Sequence[TimedLabel] = lanes.reported(self.events, self.end_s)

    def _frame_times(self, camera: str) -> NDArray[np.float64]:
        if camera not in self.cameras:
            raise DataError(f"there is no camera {camera!r}; there are {', '.join(self.cameras) or 'none'}")
        if camera not in self._times:
            with self._reading:
                self._times[camera] = self._stamps(camera)
        return self._times[camera]

    def _stamps(self, camera: str) -> NDArray[np.float64]:
        """When each frame was taken; those stamped live where the others are damaged, none where both are."""
        for as_stamped in (False, True):
            try:
                return self.session.streams[camera].times_s(as_stamped=as_stamped)
            except UNREADABLE as error:
                self._timeless[camera] = str(error)
        return np.zeros(0)

    def _read_all(self) -> None:
        self._curves.read(not self.is_live, self._closing, self._changed)
        if not self.is_live and not self._closing.is_set():
            self._judge = threading.Thread(
                target=self._usability.judge, args=(self.end_s, self._changed), name="usability", daemon=True
            )
            self._judge.start()


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


def _span(session: Session, events: Sequence[Event], timeless: dict[str, str]) -> tuple[float, float]:
    """From the first thing there is to the last, roughly where times were not refined.

    Streams whose times cannot be read are left out and put into `timeless`, with the reason.
    """
    begin = [event.time_s for event in events]
    end = list(begin)
    for name, stream in session.streams.items():
        # arrivals before stamps: summing the steps of hours of sound takes longer than opening may
        for ends_of in (_refined_ends, _arrived_ends, _stamped_ends):
            try:
                ends = ends_of(stream) if len(stream) else ()
            except UNREADABLE as error:
                timeless[name] = str(error)
                continue
            if ends is not None:
                begin += ends[:1]
                end += ends[1:]
                break
    return (min(begin), max(end)) if begin else (0.0, 0.0)


def _refined_ends(stream: RecordedStream) -> tuple[float, ...] | None:
    """The first and the last sample's refined time; None where none were found yet."""
    if not len(stream.fit()[0]):
        return None
    return float(stream.times_s(0, 1)[0]), float(stream.times_s(len(stream) - 1)[0])


def _arrived_ends(stream: RecordedStream) -> tuple[float, ...]:
    arrivals_s = stream.arrivals()[1]
    return (float(arrivals_s[0]), float(arrivals_s[-1])) if len(arrivals_s) else ()


def _stamped_ends(stream: RecordedStream) -> tuple[float, ...]:
    first, last = (float(stream.times_s(row, row + 1, as_stamped=True)[0]) for row in (0, len(stream) - 1))
    return first, last
