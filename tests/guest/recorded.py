"""One instrument recorded as the engine records it: source, pump, hub, recorder, and what was told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from emolab.core.clock import SessionClock
from emolab.core.event import Event
from emolab.devices.source import Source
from emolab.recording.header import SessionHeader
from emolab.recording.recorder import Recorder
from emolab.session.hub import Hub
from emolab.session.pump import Pump

PATIENCE_S = 60.0  # the guest is slow, and so may be the machine below it


@dataclass
class Take:
    """A recording that runs. `events`: what the pump told. `opened_s`: how long its first opening took."""

    clock: SessionClock
    hub: Hub
    pump: Pump
    name: str
    events: list[Event] = field(default_factory=list)
    opened_s: float = 0.0

    @property
    def samples(self) -> int:
        state = self.hub.streams.get(self.name)
        return 0 if state is None else state.samples

    def wait_for(self, what: str, until: Callable[[], bool]) -> float:
        """Session time at which `until()` came true. Raises `TimeoutError` saying `what` did not."""
        ends_s = time.monotonic() + PATIENCE_S
        while not until():
            if time.monotonic() > ends_s:
                raise TimeoutError(
                    f"{what}: not within {PATIENCE_S:.0f} s; {self.pump.status}; {self.events}"
                )
            time.sleep(0.02)
        return self.clock.now_s()

    def wait_for_event(self, kind: str, count: int = 1) -> Event:
        """The `count`-th event of a kind."""
        self.wait_for(f"{kind} {count}", lambda: sum(event.kind == kind for event in self.events) >= count)
        return [event for event in self.events if event.kind == kind][count - 1]

    def wait_for_samples(self, more: int) -> None:
        """Return when so many more samples have come."""
        wanted = self.samples + more
        self.wait_for(f"{more} more samples", lambda: self.samples >= wanted)

    def facts(self) -> dict[str, Any]:
        """What the engine knows of the stream now."""
        state = self.hub.streams[self.name]
        return {
            "instrument": dict(state.info.instrument),
            "shape": list(state.info.sample_shape),
            "dtype": str(state.info.dtype),
            "samples": state.samples,
            "lost": state.tally.lost,
            "corrupt": state.tally.corrupt,
            "duplicated": state.tally.duplicated,
            "reopened": state.tally.reopened,
            "opened_s": self.opened_s,
            "events": [{"kind": event.kind, "time_s": event.time_s, **event.data} for event in self.events],
        }


@contextmanager
def recorded(name: str, make: Callable[[SessionClock], Source], path: Path) -> Iterator[Take]:
    """Record the instrument `make(clock)` into `path` while the block runs.

    Raises `TimeoutError` when it delivers nothing, `RecordingError` when the file is not finished.
    """
    clock = SessionClock()
    hub = Hub(clock, Path(mkdtemp(prefix="rings-")))
    events: list[Event] = []
    pump = Pump(name, make(clock), clock, hub, events.append)
    take = Take(clock, hub, pump, name, events)
    recorder: Recorder | None = None
    pump.start()
    try:
        take.opened_s = take.wait_for(f"{name} opens", lambda: name in hub.streams)
        with hub.keep() as hand_over:
            recorder = Recorder(path, SessionHeader("guest"), [hub.streams[name].info])
            hand_over(recorder.put)
        yield take
    finally:
        pump.stop()
        pump.join(10)
        hub.leave_off()
        if recorder is not None:
            for event in events:
                recorder.mark(event)
            recorder.close(timeout_s=PATIENCE_S)
