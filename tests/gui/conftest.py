"""Windows under test live on two screens that exist in memory only, and talk to a fake engine."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from emolab.session.snapshot import Snapshot
from tests.gui.windows import PATIENCE_MS

# Absolute, since children of a test inherit it in other folders; Qt splits the value at colons, so
# that Windows, with its drives, has to do with a relative path.
_SCREENS = Path(__file__).with_name("two_screens.json").resolve()
_CONFIG = os.path.relpath(_SCREENS) if os.name == "nt" else str(_SCREENS)
os.environ.setdefault("QT_QPA_PLATFORM", f"offscreen:configfile={_CONFIG}")


class PatientBot(QtBot):
    """pytest-qt's, which gives up after five seconds: too soon where two cores do the work of six."""

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: int = PATIENCE_MS) -> None:
        __tracebackhide__ = True
        super().waitUntil(callback, timeout=timeout)

    def waitSignal(self, signal: Any, *, timeout: int = PATIENCE_MS, **options: Any) -> Any:
        return super().waitSignal(signal, timeout=timeout, **options)

    def waitSignals(self, signals: Any, *, timeout: int = PATIENCE_MS, **options: Any) -> Any:
        return super().waitSignals(signals, timeout=timeout, **options)


@pytest.fixture
def qtbot(qapp: Any, request: pytest.FixtureRequest) -> QtBot:
    return PatientBot(request)


class FakeClient:
    """An engine's client that shows `shown` and keeps what it was told in `commands`.

    `answers`: what `send` gives for a command's name, `{"ok": true}` when not named. `is_gone`
    makes every call raise. Clear `may_answer` and calls block until it is set again.
    """

    def __init__(self) -> None:
        self.shown = Snapshot()
        self.commands: list[dict[str, Any]] = []
        self.answers: dict[str, dict[str, Any]] = {}
        self.is_gone = False
        self.is_closed = False
        self.may_answer = threading.Event()
        self.may_answer.set()

    def snapshot(self) -> Snapshot:
        self._pass()
        return self.shown

    def send(self, command: dict[str, Any]) -> dict[str, Any]:
        self._pass()
        self.commands.append(command)
        return self.answers.get(command["do"], {"ok": True})

    def close(self) -> None:
        self.is_closed = True

    def did(self, name: str) -> list[dict[str, Any]]:
        """The commands called `name`, in order."""
        return [command for command in self.commands if command["do"] == name]

    def _pass(self) -> None:
        self.may_answer.wait(10)
        if self.is_gone:
            raise ConnectionResetError("the other end has gone")


@pytest.fixture
def client() -> Iterator[FakeClient]:
    made = FakeClient()
    yield made
    made.may_answer.set()


@pytest.fixture
def make_bridge(qapp: Any) -> Iterator[Callable[..., Any]]:
    """Makes bridges that are closed after the test."""
    from emolab.gui.bridge import Bridge

    made: list[Bridge] = []

    def make(client: Any, **options: Any) -> Bridge:
        made.append(Bridge(client, **options))
        return made[-1]

    yield make
    for bridge in made:
        bridge.close()


@pytest.fixture
def dressed(qapp: Any) -> Iterator[Any]:
    """The application in the dark theme at 100 %."""
    from emolab.gui import theme

    theme.apply(qapp, "dark", 1.0)
    yield qapp
    theme.apply(qapp, "dark", 1.0)
