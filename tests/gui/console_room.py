"""The console under test: shown, before engines that are none, and gone at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from emolab.core.settings import Settings
from emolab.gui import app as program
from emolab.gui.console.flow import Flow
from emolab.gui.console.memory import Memory
from emolab.session import client as engines
from emolab.session.snapshot import Snapshot
from tests.gui import engine_states as states
from tests.gui.fake_engine import FakeEngine
from tests.gui.windows import destroy, join_errands


@contextmanager
def under_console(folder: Path) -> Iterator[Flow]:
    """The console with a memory of its own in `folder`; what it holds is let go before its window."""
    flow = program.open_console(Settings(), Memory(folder / "memory.json"))
    flow.window.resize(1366, 768)
    flow.window.show()
    yield flow
    flow.seat.close()
    flow.desk.hang_up()
    flow.window.leave()
    join_errands()
    destroy(flow.window)


def take_fakes(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[FakeEngine]:
    """The console starts fake engines from now on, at their set-up; they come into this list."""
    made: list[FakeEngine] = []

    def start_engine(study: Path, devices: Path, speed: float = 1.0) -> FakeEngine:
        rings = folder / f"rings-{len(made)}"
        rings.mkdir()
        made.append(FakeEngine(rings, states.setup(study=str(study))))
        return made[-1]

    monkeypatch.setattr(engines, "start_engine", start_engine)
    return made


def attached(flow: Flow, qtbot: Any, study: Path, snapshot: Snapshot) -> FakeEngine:
    """A fake engine in the state of `snapshot`, which the console has found on `study`."""
    rings = study.parent / "rings"
    rings.mkdir(exist_ok=True)
    engine = FakeEngine(rings, snapshot)
    flow.enter(study)
    flow.desk.adopt(engine, study)
    qtbot.waitUntil(lambda: flow.desk.last is not None)
    return engine
