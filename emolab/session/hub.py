"""Where each chunk goes: to the recorder when one is running, to the rings, and into the counts;
and to other programs, when that was asked for (`outlets`).

`offer` is called by the pumps and never blocks: when the recorder's queue is full the recorder
counts the loss and writes it down. Each stream is touched by its own pump only.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emolab.core.clock import Clock
from emolab.core.ring import FrameSlot, SampleRing
from emolab.core.stream import Chunk, StreamInfo, Tally
from emolab.session.headroom import Shown
from emolab.session.live_clock import LiveClock
from emolab.session.loopback import Ear
from emolab.session.outlets import Outlets
from emolab.signals.finding import Finding

log = logging.getLogger(__name__)

RING_SPAN_S = 130.0  # the longest live plot is two minutes
RING_BYTES = 256 << 20  # a cap of electrodes with hundreds of channels is shown for less long
RATE_SPAN_S = 5.0
PREVIEW_PX = 480
PREVIEW_STEP_S = 1 / 16
LEVEL_STEP_S = 0.05  # sound is shown as its level, twenty times a second
SILENCE_DBFS = -96.0


@dataclass
class StreamState:
    """What the hub knows of one stream; the health page reads it, the pump writes it."""

    info: StreamInfo
    ring: SampleRing | FrameSlot
    samples: int = 0
    last_s: float | None = None
    tally: Tally = field(default_factory=Tally)
    recent: deque[tuple[float, int]] = field(default_factory=deque)  # (time of last sample, samples) a chunk
    losses: deque[tuple[float, int]] = field(default_factory=deque)  # (time, lost + corrupt so far)
    preview_s: float = -1.0
    level: list[float] = field(default_factory=list)
    finding: Finding | None = None  # the worst thing to say of its signals, as judged last
    judged_s: float = -math.inf  # on the machine's clock
    hidden: str = ""  # why windows are not shown it now
    clock: LiveClock = field(init=False)  # how the device keeps time, by what has come since it was opened

    def __post_init__(self) -> None:
        self.clock = LiveClock(self.info)

    def rate_hz(self) -> float:
        """Samples a second over the last few seconds, from their own times; 0 when unknown."""
        recent = list(self.recent)
        if len(recent) < 2 or recent[-1][0] <= recent[0][0]:
            return 0.0
        return sum(n for _, n in recent[1:]) / (recent[-1][0] - recent[0][0])

    def lost_since(self, time_s: float) -> int:
        """Samples lost or corrupt since `time_s`."""
        losses = list(self.losses)
        if not losses:
            return 0
        before = [count for at, count in losses if at <= time_s]
        return losses[-1][1] - (before[-1] if before else losses[0][1])


class Hub:
    """Hands chunks on: to the screen always, to a recorder between `keep` and `leave_off`.

    `rings`: folder of what is shown, in memory; `spare`: where that goes for which memory has no room.
    """

    def __init__(
        self, clock: Clock, rings: Path, outlets: Outlets | None = None, spare: Path | None = None
    ) -> None:
        self.streams: dict[str, StreamState] = {}
        self._outlets = outlets
        self.ear: Ear | None = None  # listens to the first sound stream while clips are played
        self._ear_of = ""
        self._record: Callable[[Chunk], object] | None = None
        self._taps: tuple[Callable[[Chunk], None], ...] = ()
        self._unshown: set[str] = set()
        self._shown: tuple[Shown, str] = ("all", "")
        self._gate = threading.Lock()
        self._clock = clock
        self._rings, self._spare = rings, spare or rings

    def open(self, info: StreamInfo) -> None:
        """Prepare the rings of a stream. Called again when its instrument came back."""
        if self._outlets is not None:
            self._outlets.open(info)
        known = self.streams.get(info.name)
        if known is None or known.info.sample_shape != info.sample_shape:
            self.streams[info.name] = StreamState(info, self._make_ring(info))
        else:
            known.info, known.clock = info, LiveClock(info)
            known.recent.clear()
        self.show(*self._shown)

    def _make_ring(self, info: StreamInfo) -> SampleRing | FrameSlot:
        """Raises `OSError` where even the disk has no room."""
        name = f"{info.name}-{len(info.sample_shape)}-{info.sample_shape[0]}.ring"
        try:
            return _ring_for(info, self._rings / name)
        except OSError as error:
            log.warning("no room for %s in %s (%s); it goes to %s", name, self._rings, error, self._spare)
            (self._rings / name).unlink(missing_ok=True)
            return _ring_for(info, self._spare / name)

    def show(self, shown: Shown, why: str) -> None:
        """Show windows all streams, those that are plots, or nothing; `why`: for the lights of the others."""
        self._shown = (shown, why)
        for state in list(self.streams.values()):
            goes_on = shown == "all" or (shown == "plots" and not state.info.is_image)
            if goes_on and state.hidden:  # judge what is shown again, not the blank that was
                state.finding, state.judged_s = None, time.monotonic()
            state.hidden = "" if goes_on else why

    @contextmanager
    def keep(self) -> Iterator[Callable[[Callable[[Chunk], object]], None]]:
        """Keep chunks from now on, for a recorder that takes a moment to be made.

        Yields a function that takes the recorder's `put` and hands it what was kept, in order; if
        it is not called, nothing is recorded.
        """
        kept: list[Chunk] = []

        def hand_over(put: Callable[[Chunk], object]) -> None:
            with self._gate:
                for chunk in kept:
                    put(chunk)
                self._record = put

        with self._gate:
            self._record = kept.append
        try:
            yield hand_over
        finally:
            if self._record == kept.append:
                self.leave_off()

    def listen(self) -> Ear | None:
        """Keep the last seconds of the first sound stream from now on; None when there is none."""
        for name, state in self.streams.items():
            if state.info.kind == "audio" and state.samples:
                self.ear, self._ear_of = Ear(state.info.nominal_rate_hz or 0.0), name
                return self.ear
        return None

    @contextmanager
    def tapped(self, take: Callable[[Chunk], None]) -> Iterator[None]:
        """Let `take` have each chunk too, from the pumps' threads; it must not wait."""
        self._taps = (*self._taps, take)
        try:
            yield
        finally:
            self._taps = tuple(tap for tap in self._taps if tap != take)

    def leave_off(self) -> None:
        """Record no more."""
        with self._gate:
            self._record = None

    def offer(self, chunk: Chunk) -> None:
        """Record, show and count a chunk."""
        with self._gate:
            if self._record is not None:
                self._record(chunk)
        if self._outlets is not None:
            self._outlets.offer(chunk)
        if self.ear is not None and chunk.stream == self._ear_of:
            self.ear.take(chunk)
        state = self.streams[chunk.stream]
        last_s = float(chunk.times_s[-1])
        state.samples += len(chunk)
        state.last_s = last_s
        state.recent.append((last_s, len(chunk)))
        while len(state.recent) > 2 and state.recent[0][0] < last_s - RATE_SPAN_S:
            state.recent.popleft()
        if chunk.tally is not None:
            bad = chunk.tally.lost + chunk.tally.corrupt
            if not state.losses or bad != state.losses[-1][1]:
                state.losses.append((last_s, bad))
                if len(state.losses) > 1000:
                    state.losses.popleft()
            state.tally = chunk.tally
        try:
            state.clock.take(chunk)
            self._show(state, chunk)
            for tap in self._taps:
                tap(chunk)
        except Exception:  # a fault in what is only shown must never end a recording
            if chunk.stream not in self._unshown:
                self._unshown.add(chunk.stream)
                log.exception("stream %s cannot be shown", chunk.stream)

    def _show(self, state: StreamState, chunk: Chunk) -> None:
        if state.hidden:
            if isinstance(state.ring, FrameSlot) and state.preview_s >= 0:  # no still picture of what was
                state.ring.write(float(chunk.times_s[-1]), np.zeros(state.ring.shape, state.ring.dtype))
                state.preview_s = -1.0
            return
        if isinstance(state.ring, FrameSlot):
            if chunk.times_s[-1] - state.preview_s >= PREVIEW_STEP_S * self._clock.speed:
                state.preview_s = float(chunk.times_s[-1])
                state.ring.write(state.preview_s, _preview(chunk.samples[-1]))
        elif state.info.kind == "audio":
            times_s, level = _level(state, chunk)
            if len(times_s):
                state.ring.write(times_s, level)
        else:
            scale = np.array([channel.scale for channel in state.info.channels])
            offset = np.array([channel.offset for channel in state.info.channels])
            state.ring.write(chunk.times_s, chunk.samples * scale + offset)


def _ring_for(info: StreamInfo, path: Path) -> SampleRing | FrameSlot:
    if info.is_image:
        height, width = info.sample_shape[:2]
        step = _preview_step(height, width)
        shape = (-(-height // step), -(-width // step), *info.sample_shape[2:])
        channel = info.channels[0]
        return FrameSlot.create(path, shape, info.dtype, channel.scale, channel.offset)
    if info.kind == "audio":
        return SampleRing.create(path, ("level",), int(RING_SPAN_S / LEVEL_STEP_S))
    rate_hz = max(info.nominal_rate_hz or 0.0, 50.0)
    names = tuple(channel.name for channel in info.channels)
    rows = min(int(RING_SPAN_S * rate_hz * 1.2), RING_BYTES // (8 + 4 * len(names)))
    return SampleRing.create(path, names, rows)


def _preview_step(height: int, width: int) -> int:
    return max(1, -(-max(height, width) // PREVIEW_PX))


def _preview(frame: NDArray) -> NDArray:
    step = _preview_step(*frame.shape[:2])
    return frame[::step, ::step]


def _level(state: StreamState, chunk: Chunk) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sound level of each full `LEVEL_STEP_S` in the chunk: `(times_s (m,), dBFS (m, 1))`."""
    samples = chunk.samples.reshape(len(chunk), -1)[:, 0].astype(np.float64)
    full_scale = float(np.iinfo(chunk.samples.dtype).max) if chunk.samples.dtype.kind in "iu" else 1.0
    step = max(1, round((state.info.nominal_rate_hz or 48_000.0) * LEVEL_STEP_S))
    blocks = max(1, len(samples) // step)
    power = np.array([np.mean(block**2) for block in np.array_split(samples / full_scale, blocks)])
    level_db = 10 * np.log10(np.maximum(power, 10 ** (SILENCE_DBFS / 10)))
    ends = np.array([len(block) for block in np.array_split(samples, blocks)]).cumsum() - 1
    return chunk.times_s[ends], level_db[:, None]
