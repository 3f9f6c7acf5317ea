"""An engine with real parts and simulated instruments, for tests that look at a whole session."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emolab.core.clock import PacedClock
from emolab.core.event import Event
from emolab.core.settings import read
from emolab.devices import config
from emolab.recording.reader import Session
from emolab.session import commands, live_session
from emolab.session.address import read_address
from emolab.session.client import EngineClient
from emolab.session.engine import Engine
from emolab.session.prepare import StartRequest

BOARD = '[[instrument]]\nkind = "simulated"\nname = "board"\nstream = "board"\n'
CAMERA = '[[instrument]]\nkind = "simulated"\nname = "camera"\nstream = "rgb"\nwidth = 64\nheight = 48\n'
PATIENCE_S = 120.0
NOW_NS = 1 << 70  # a stamp the engine takes for the moment at which it hears of it


@contextmanager
def engine_on(study: Path, devices: str = BOARD, speed: float = 40.0) -> Iterator[Engine]:
    """An engine whose instruments all deliver; closed at the end, whatever happened."""
    device_file = config.parse(devices, study / "devices.toml")
    user = read(Path(os.devnull), os.environ)
    clock = PacedClock(speed)
    starting = clock.follow("test")  # time stands until all are open
    engine = Engine(study, device_file, clock, user, with_sound=False)
    try:
        engine.arm(render=False)
        go_on(engine, lambda: all(pump.status.state == "open" for pump in engine.pumps.values()))
        starting.leave()
        go_on(engine, lambda: all(light.samples for light in engine.health()))
        yield engine
    finally:
        engine.close()


def go_on(engine: Engine, until: Callable[[], bool]) -> None:
    """Let the engine work, in this thread, until `until()` is true."""
    deadline = time.monotonic() + PATIENCE_S
    engine.serve(until=lambda: until() or time.monotonic() > deadline)
    assert until(), f"waited {PATIENCE_S:g} s in vain; phase {engine.phase}: {engine.message}"


def start(engine: Engine, answers: str = "simulated", session: int = 0) -> Path:
    """Begin the quick protocol with P001; the path of its file."""
    live_session.start(engine, StartRequest("quick", "P001", session, answers=answers))
    assert engine.prepared is not None
    return engine.prepared.path


def finish(engine: Engine) -> dict[str, Any]:
    """Let the session run to its end; what `inspect` says of its file."""
    go_on(engine, lambda: engine.phase in ("finished", "failed"))
    assert engine.phase == "finished", engine.message
    return engine.summary


def do(engine: Engine, name: str, **facts: Any) -> None:
    """Give a command as a window would. Raises what the window would be told."""
    commands.apply(engine, {"do": name, **facts}, connection=99)


def step_kind(engine: Engine) -> str:
    """The kind of step shown now: `play`, `rate`, ...; empty between steps."""
    assert engine.run is not None
    views = [view for view in engine.run.steps() if view.status == "now"]
    return views[0].kind if views else ""


def trial(engine: Engine) -> int:
    """Number of the clip that plays or is asked about; 0 for none."""
    assert engine.run is not None
    return max((view.trial for view in engine.run.steps() if view.status == "now"), default=0)


def events(path: Path, *kinds: str) -> list[Event]:
    """What a file's diary holds of these kinds, in order."""
    with Session.open(path) as session:
        return [event for event in session.events if not kinds or event.kind in kinds]


@contextmanager
def served(engine: Engine) -> Iterator[EngineClient]:
    """The engine at work in a thread of its own, and a window's connection to it."""
    stop = threading.Event()
    thread = threading.Thread(target=lambda: engine.serve(until=stop.is_set), name="engine", daemon=True)
    thread.start()
    address = read_address(engine.study)
    assert address is not None
    client = EngineClient(address)
    try:
        yield client
    finally:
        client.close()
        stop.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
