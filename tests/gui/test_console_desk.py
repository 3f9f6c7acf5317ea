"""The console's connection to an engine, however quickly one is asked for after the other."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtTest import QTest

from emolab.core.errors import ConfigError
from emolab.gui.console.desk import Desk
from emolab.session import client as engines
from tests.gui import engine_states as states
from tests.gui.fake_engine import FakeEngine
from tests.gui.windows import destroy, join_errands

COMES_UP_S = 0.3


class Engine(FakeEngine):
    """One of a study; told to shut down it gives the study free a moment later."""

    def __init__(self, folder: Path, devices: Path, running: list[Engine]) -> None:
        super().__init__(folder, states.setup())
        self.devices, self._running = devices, running
        running.append(self)

    def send(self, command: dict[str, Any]) -> dict[str, Any]:
        if command["do"] == "shutdown":
            threading.Timer(0.1, lambda: self._running.remove(self)).start()
        return super().send(command)


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Engine]:
    """The engines that run on the study. As with real ones, who comes second gets the first one's address."""
    made: list[Engine] = []

    def start_engine(study: Path, devices: Path, speed: float = 1.0) -> Engine:
        if made:
            raise ConfigError("an engine already runs")
        time.sleep(COMES_UP_S)
        if not made:
            (tmp_path / devices.stem).mkdir()
            Engine(tmp_path / devices.stem, devices, made)
        return made[0]

    monkeypatch.setattr(engines, "start_engine", start_engine)
    monkeypatch.setattr(engines, "find_engine", lambda _study: made[0].address if made else None)
    return made


@pytest.mark.parametrize("apart_ms", [0, 150, 320])
def test_of_two_devices_files_chosen_quickly_the_second_is_recorded_with(
    qapp: QCoreApplication, qtbot: Any, running: list[Engine], tmp_path: Path, apart_ms: int
) -> None:
    desk = Desk()
    faults: list[str] = []
    desk.engineFailed.connect(faults.append)
    try:
        desk.start(tmp_path, tmp_path / "room-microphone.toml")
        if apart_ms > COMES_UP_S * 1000:
            time.sleep(apart_ms / 1000)  # the first one is up, and its signal waits to be heard
        else:
            QTest.qWait(apart_ms)
        desk.start(tmp_path, tmp_path / "headset.toml")
        qtbot.waitUntil(lambda: desk.last is not None)
        qtbot.waitUntil(lambda: len(running) == 1)
        assert running[0].devices.stem == "headset" and faults == []
    finally:
        desk.hang_up()
        join_errands()
        destroy(desk)
