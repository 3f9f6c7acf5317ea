"""What the two cameras share: one frame as it is handed on, and frames that play from a file.

A frame source is opened, asked for the next frame and closed. `camera_link.CameraLink` is the
live one. `FrameFile` plays stored frames at the times the file gives them: a file has no pace of
its own, so the pace is made here, from the session clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emolab.core.clock import Clock
from emolab.core.errors import DeviceError
from emolab.core.stream import Tally


@dataclass(frozen=True)
class Frame:
    """One image. `time_s`, `arrival_s`: session clock. `tally`: the counts after this frame."""

    time_s: float
    arrival_s: float
    image: NDArray
    tally: Tally


class FrameSource(Protocol):
    """Where frames come from: a camera or a file."""

    def open(self) -> NDArray:
        """Connect and return one frame, for its size. Raises `DeviceError`."""

    def take(self, timeout_s: float) -> Frame | None:
        """The next frame, waiting at most `timeout_s`. Raises `DeviceError` when there is no more."""

    def close(self) -> None:
        """Let go. Idempotent."""


class FrameFile:
    """Frames from storage, each delivered when it is due.

    `play()` returns an iterator of `(seconds from the first frame, image)`; it is called at each
    opening and, with `loop`, at each end, where the next round begins `period_s` later. Frames
    are stamped with the time they are due, so a reader that comes late loses none. The first
    frame is due at the first `take`. A file that came to its end stays ended: opening it again
    would bring the same frames into a recording twice.
    """

    def __init__(
        self,
        what: str,
        play: Callable[[], Iterator[tuple[float, NDArray]]],
        clock: Clock,
        loop: bool,
        period_s: float,
    ) -> None:
        self._what = what
        self._play = play
        self._clock = clock
        self._loop = loop
        self._period_s = period_s
        self._frames: Iterator[tuple[float, NDArray]] | None = None
        self._next: tuple[float, NDArray] | None = None
        self._zero_s: float | None = None  # session time of the file's first frame, this round
        self._last_s = 0.0
        self._count = 0
        self._has_ended = False
        self._openings = 0

    def open(self) -> NDArray:
        self.close()
        if self._has_ended:
            raise self._ended()
        self._frames = self._play()
        self._next = next(self._frames, None)
        if self._next is None:
            raise DeviceError(f"{self._what} holds no frame; choose another file in the device file")
        self._openings += 1
        return self._next[1]

    def take(self, timeout_s: float) -> Frame | None:
        if self._frames is None:
            raise DeviceError(f"{self._what} is not open; open it before reading")
        if self._next is None:
            self._next = next(self._frames, None) or self._rewind()
        from_start_s, image = self._next
        if self._zero_s is None:
            self._zero_s = self._clock.now_s() - from_start_s
        due_s = self._zero_s + from_start_s
        wait_s = due_s - self._clock.now_s()
        if wait_s > timeout_s:
            self._clock.sleep(timeout_s)
            return None
        self._clock.sleep(wait_s)
        arrival_s = max(self._clock.now_s(), due_s)
        self._last_s = due_s
        self._count += 1
        self._next = None
        return Frame(due_s, arrival_s, image, Tally(reopened=self._openings - 1))

    def close(self) -> None:
        close = getattr(self._frames, "close", None)  # a generator lets go of its file here
        if close is not None:
            close()
        self._frames, self._next, self._zero_s = None, None, None

    def _rewind(self) -> tuple[float, NDArray]:
        if not self._loop:
            self._has_ended = True
            raise self._ended()
        self._frames = self._play()
        first = next(self._frames, None)
        if first is None:
            raise DeviceError(f"{self._what} holds no frame any more; was it cut while it played?")
        self._zero_s = self._last_s + self._period_s - first[0]
        return first

    def _ended(self) -> DeviceError:
        return DeviceError(
            f"{self._what} has ended after {self._count} frames; choose a longer file, or set loop = true"
        )


class DropEstimate:
    """How many frames went missing, as far as the stamps of those that came can tell.

    A camera numbers nothing, so this is an estimate. A frame can come late but never early: of each
    `WINDOW` frames the one least late tells where the camera's beat is. When two windows in a row lie
    whole periods behind the beat, that many are lost. So frames that only came late (a hiccup of the
    network or of this machine, made up for soon) are not, and a camera that turns to a slower rate in
    dim light for `TURNS` windows is given a new period, not a loss. A loss is told two windows after it.
    """

    WINDOW, TURNS = 16, 3
    OTHER_RATE, ALIKE = 0.2, 0.05  # of a period: so much is another rate; rates so near are one
    SPAN = 12  # frames together, where they come in bursts, as they do to a reader that sleeps
    REFINED_AFTER = 160  # frames: then the beat itself tells the period better than single intervals

    def __init__(self) -> None:
        self.lost = 0
        self.restart()

    def restart(self) -> None:
        """Forget the beat: the camera was away, and the next interval is a gap of its own."""
        self._stamps_s: list[float] = []
        self._period_s = math.nan

    def see(self, time_s: float) -> int:
        """Take in a frame's stamp; returns all frames lost up to now."""
        self._stamps_s.append(time_s)
        if math.isnan(self._period_s):
            if len(self._stamps_s) > self.TURNS * self.WINDOW:
                self._begin(np.array(self._stamps_s))
        elif len(self._stamps_s) > self.WINDOW:
            window_s = np.array(self._stamps_s)
            self._stamps_s = self._stamps_s[-1:]
            if not self._has_turned(window_s):
                self._judge(window_s)
        return self.lost

    def _begin(self, stamps_s: NDArray[np.float64]) -> None:
        """Find the beat in the first windows, and judge the later ones of them by it."""
        self._take_beat(stamps_s[: self.WINDOW + 1], _period_s(stamps_s, self.SPAN))
        for start in range(self.WINDOW, len(stamps_s) - self.WINDOW, self.WINDOW):
            self._judge(stamps_s[start : start + self.WINDOW + 1])
        self._stamps_s = [float(stamps_s[-1])]

    def _take_beat(self, stamps_s: NDArray[np.float64], period_s: float) -> None:
        self._period_s = period_s
        self._index = len(stamps_s) - 1  # of the newest frame, lost ones counted
        late_s = stamps_s - np.arange(len(stamps_s)) * period_s
        at = int(np.argmin(late_s))
        self._beat_s = float(late_s[at])  # when the frame of index 0 came, or would have
        self._first = (float(stamps_s[at]), at)
        self._behind_s: float | None = None  # where the beat would be, when the last window was behind
        self._strange: list[tuple[float, NDArray[np.float64]]] = []

    def _has_turned(self, window_s: NDArray[np.float64]) -> bool:
        """Whether the camera has another rate now; the beat is then a new one."""
        period_s = _period_s(window_s, self.SPAN)
        if abs(period_s / self._period_s - 1) < self.OTHER_RATE:
            self._strange = []
            return False
        self._strange = [*self._strange, (period_s, window_s)][-self.TURNS :]
        periods_s = [period for period, _ in self._strange]
        if len(periods_s) < self.TURNS or max(periods_s) > (1 + self.ALIKE) * min(periods_s):
            return False
        begin_s = self._strange[1][1][0]  # in the first of them it may have turned half way
        self._take_beat(window_s, float(window_s[-1] - begin_s) / ((self.TURNS - 1) * self.WINDOW))
        return True

    def _judge(self, window_s: NDArray[np.float64]) -> None:
        """Compare a window, the last frame of the one before it first, with the beat."""
        indices = self._index + np.arange(1, len(window_s))
        self._index = int(indices[-1])
        late_s = window_s[1:] - indices * self._period_s
        at = int(np.argmin(late_s))
        beat_s = float(late_s[at])
        if beat_s - self._beat_s < 0.5 * self._period_s:
            self._beat_s, self._behind_s = beat_s, None
            self._refine(float(window_s[1 + at]), int(indices[at]))
        elif self._behind_s is None or self._strange:  # a new rate shows in the next windows
            self._behind_s = beat_s
        else:
            beat_s = min(beat_s, self._behind_s)
            missing = round((beat_s - self._beat_s) / self._period_s)
            self.lost += missing
            self._index += missing
            self._beat_s, self._behind_s = beat_s - missing * self._period_s, None

    def _refine(self, time_s: float, index: int) -> None:
        """The period from a frame long ago to this one, neither of them late."""
        first_s, first = self._first
        if index - first > self.REFINED_AFTER:
            period_s = (time_s - first_s) / (index - first)
            self._beat_s += index * (self._period_s - period_s)
            self._period_s = period_s


def _period_s(stamps_s: NDArray[np.float64], span: int) -> float:
    """The median interval, or of `span` frames together when they come in bursts."""
    span = min(span, max(len(stamps_s) // 3, 1))
    intervals_s = np.diff(stamps_s)
    together_s = float(np.median(stamps_s[span:] - stamps_s[:-span])) / span
    in_bursts = np.mean(intervals_s < 0.45 * together_s) > 0.1
    return together_s if in_bursts else float(np.median(intervals_s))
