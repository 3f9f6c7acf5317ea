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

    A camera numbers nothing, so this is an estimate. The period is the running median of the last
    48 intervals, or of `SPAN` together when they come in bursts, as they do to a reader that
    sleeps. An interval above 1.5 periods opens a case; it is closed three ordinary frames later
    (those that come in less than half a period were only waiting and tell nothing), and what is
    missing then at least between the time passed and the frames counted is lost. So frames that
    were only late (a hiccup of the network or of this machine, made up for soon) are not, and a
    camera that turns to a slower rate in dim light is given a new period, not a loss.
    """

    SETTLE, SPAN, KEPT = 3, 12, 48

    def __init__(self) -> None:
        self.lost = 0
        self._stamps_s: list[float] = []
        self._close_case()

    def see(self, time_s: float) -> int:
        """Take in a frame's stamp; returns all frames lost up to now."""
        self._stamps_s = [*self._stamps_s[-self.KEPT :], time_s]
        if len(self._stamps_s) < 2:
            return self.lost
        interval_s, period_s = time_s - self._stamps_s[-2], self._period_s()
        if len(self._stamps_s) > 5 and interval_s > 1.5 * period_s:
            self._to_settle, self._missing = self.SETTLE, math.inf
        elif not self._to_settle:
            return self.lost
        elif interval_s >= 0.5 * period_s:
            self._to_settle -= 1
        self._case_s += interval_s
        self._case_frames += 1
        self._missing = min(self._missing, self._case_s / period_s - self._case_frames)
        if not self._to_settle:
            self.lost += max(round(self._missing), 0)
            self._close_case()
        return self.lost

    def _period_s(self) -> float:
        stamps_s = np.array(self._stamps_s)
        span = min(self.SPAN, max(len(stamps_s) // 3, 1))
        intervals_s = np.diff(stamps_s)
        together_s = float(np.median(stamps_s[span:] - stamps_s[:-span])) / span
        in_bursts = np.mean(intervals_s < 0.45 * together_s) > 0.1
        return together_s if in_bursts else float(np.median(intervals_s))

    def restart(self) -> None:
        """Forget the last stamp: the camera was away, and the next interval is a gap of its own."""
        self._stamps_s = []
        self._close_case()

    def _close_case(self) -> None:
        self._case_s, self._case_frames, self._to_settle, self._missing = 0.0, 0, 0, math.inf
