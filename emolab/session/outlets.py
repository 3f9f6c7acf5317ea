"""What the session records, offered to other programs through the lab streaming layer (LSL).

Off unless asked for: `--lsl` of `emolab record` and `emolab engine`, `lsl = true` in config.toml, or
EMOLAB_LSL=1; until then no socket is opened. Then anyone in the network can listen to

    emolab-NAME       each stream of numbers, sound included: values in their units (raw * scale +
                      offset) as double64, with the channels' names, units and kinds
    emolab-events     each event, one text a marker: the very line of the session file's diary (JSON)

stamped with the time they were captured or happened, on this machine's LSL clock, not the time they
were sent. The events hold answers and the pseudonym: think of who may listen. Cameras are not sent
(LSL is not made for pictures), nor are streams that came by LSL (their sender is there already).

The recording comes first: what cannot be sent at once waits, the newest two thousand chunks at most;
older ones are dropped, counted, and told once a stream. Whatever fails here ends the sending alone.
A session that runs faster than time is sent as fast, stamped when it would have been.
"""

from __future__ import annotations

import logging
import platform
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import emolab
from emolab.core.clock import Clock
from emolab.core.event import Event
from emolab.core.stream import Chunk, StreamInfo
from emolab.devices.lsl_link import pylsl, session_less_lsl_s

log = logging.getLogger(__name__)

WAITING = 2000  # chunks, and as many events: some ten seconds
BUFFERED_S = 30  # what liblsl keeps for a receiver that does not keep up
CLOSE_S = 2.0
PARTING_S = 0.3  # an outlet that is destroyed takes along what it has not sent yet
EVENTS = "emolab-events"
TYPES = {"eda": "GSR", "respiration": "Respiration", "ppg": "PPG", "audio": "Audio"}  # LSL's own words


class Outlets:
    """Sends streams and events from a thread of its own, once it is started.

    `offer` and `mark` never wait, from any thread.

    `source`: names the study, for receivers that look for the same sender again. `tell`: receives
    what went wrong, as events. Raises `MissingExtra` without pylsl.
    """

    def __init__(self, clock: Clock, source: str, tell: Callable[[Event], None]) -> None:
        self.dropped: Counter[str] = Counter()  # samples by stream, and `EVENTS`
        self._lsl = pylsl()
        self._clock, self._tell = clock, tell
        self._source = f"emolab {platform.node()} {source}"
        self._between_s = session_less_lsl_s(clock)
        self._infos: dict[str, StreamInfo] = {}
        self._chunks: deque[Chunk] = deque()
        self._events: deque[tuple[Event, float]] = deque()
        self._news = threading.Condition()
        self._is_news = self._is_closing = self._is_deaf = False
        self._outlets: dict[str, tuple[StreamInfo, Any]] = {}
        self._markers: Any = None
        self._thread = threading.Thread(target=self._run, name="lsl outlets", daemon=True)

    def start(self) -> None:
        """Be seen in the network, and begin to send."""
        self._thread.start()

    def open(self, info: StreamInfo) -> None:
        """Announce a stream; again when it has changed."""
        if info.is_image or info.instrument.get("model") == "LSL":
            return
        with self._news:
            self._infos = {**self._infos, info.name: info}
            self._wake()

    def offer(self, chunk: Chunk) -> None:
        """Take a chunk to send."""
        if chunk.stream not in self._infos or self._is_deaf:
            return
        dropped = None
        with self._news:
            if len(self._chunks) >= WAITING:
                dropped = self._chunks.popleft()
            self._chunks.append(chunk)
            self._wake()
        if dropped is not None:
            self._count(dropped.stream, len(dropped))

    def mark(self, event: Event, zero_s: float) -> None:
        """Take an event to send. `zero_s`: the file's time zero, which its text counts from."""
        if self._is_deaf:
            return
        with self._news:
            if is_full := len(self._events) >= WAITING:
                self._events.popleft()
            self._events.append((event, zero_s))
            self._wake()
        if is_full:
            self._count(EVENTS, 1)

    def close(self) -> None:
        """Send what waits, two seconds at most, and take the outlets down. Idempotent."""
        with self._news:
            self._is_closing = True
            self._wake()
        if self._thread.ident is not None:
            self._thread.join(CLOSE_S)

    def _wake(self) -> None:
        self._is_news = True
        self._news.notify()

    def _count(self, name: str, samples: int) -> None:
        """Count what was dropped; the first time, say so."""
        self.dropped[name] += samples
        if self.dropped[name] == samples:
            self._say(
                f"{name} comes faster than LSL can send it: receivers miss samples, the recording does not"
            )

    def _say(self, message: str) -> None:
        log.warning("%s", message)
        self._tell(Event(self._clock.now_s(), "error", data={"where": "lsl", "message": message}))

    # the sending thread

    def _run(self) -> None:
        try:
            self._send()
        except Exception as error:  # whatever it is, it must not go further than this
            log.exception("sending through LSL ended")
            self._is_deaf = True
            self._say(f"sending through LSL has ended ({error}); the recording goes on, see the engine's log")
        finally:
            if self._markers is not None:
                time.sleep(PARTING_S)
            self._outlets, self._markers = {}, None

    def _send(self) -> None:
        about = self._about(EVENTS, "Markers", 1, self._lsl.IRREGULAR_RATE, self._lsl.cf_string)
        self._markers = self._lsl.StreamOutlet(about, 0, BUFFERED_S)
        while True:
            with self._news:
                self._news.wait_for(lambda: self._is_news)
                self._is_news = False
                infos, is_closing = self._infos, self._is_closing
            for info in infos.values():
                if info.name not in self._outlets or self._outlets[info.name][0] != info:
                    self._outlets.pop(info.name, None)
                    self._outlets[info.name] = info, self._outlet(info)
            deadline = time.monotonic() + CLOSE_S / 2
            while (self._chunks or self._events) and not (is_closing and time.monotonic() > deadline):
                self._send_one()
            if is_closing:
                return

    def _send_one(self) -> None:
        """Send one thing that waits; events first, they are few."""
        with self._news:
            marked = self._events.popleft() if self._events else None
            chunk = self._chunks.popleft() if marked is None and self._chunks else None
        if marked is not None:
            event, zero_s = marked
            stamp_s = self._stamps_s(np.array([event.time_s]))[0]
            self._markers.push_sample([event.shifted(-zero_s).to_json()], stamp_s)
        elif chunk is not None and chunk.stream in self._outlets:
            info, outlet = self._outlets[chunk.stream]
            scale = np.array([channel.scale for channel in info.channels])
            offset = np.array([channel.offset for channel in info.channels])
            outlet.push_chunk(chunk.samples * scale + offset, self._stamps_s(chunk.times_s).tolist())

    def _stamps_s(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Session times on this machine's LSL clock."""
        if self._clock.speed == 1.0:
            return times_s - self._between_s
        now_s: float = self._lsl.local_clock()
        return now_s + (times_s - self._clock.now_s()) / self._clock.speed

    def _outlet(self, info: StreamInfo) -> Any:
        """A new outlet for a stream."""
        kind = TYPES.get(info.kind, "Misc")
        rate_hz = info.nominal_rate_hz or self._lsl.IRREGULAR_RATE
        about = self._about(f"emolab-{info.name}", kind, len(info.channels), rate_hz, self._lsl.cf_double64)
        channels = about.desc().append_child("channels")
        for channel in info.channels:
            node = channels.append_child("channel")
            node.append_child_value("label", channel.name)
            node.append_child_value("unit", channel.unit)
            node.append_child_value("type", TYPES.get(channel.kind, channel.kind))
        return self._lsl.StreamOutlet(about, 0, BUFFERED_S)

    def _about(self, name: str, kind: str, channels: int, rate_hz: float, form: int) -> Any:
        about = self._lsl.StreamInfo(name, kind, channels, rate_hz, form, f"{self._source} {name}")
        made_by = about.desc().append_child("acquisition")
        made_by.append_child_value("manufacturer", "emolab")
        made_by.append_child_value("version", emolab.__version__)
        return about
