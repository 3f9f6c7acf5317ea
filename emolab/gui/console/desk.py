"""The console's connection to an engine: start one, attach to one, hang up, or end it.

Starting takes a second or two, so it happens in a thread; what came of it arrives as a signal.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from emolab.core.errors import EmolabError
from emolab.gui.bridge import Bridge, EngineClient
from emolab.gui.errand import tell
from emolab.session import client as engines
from emolab.session.snapshot import Snapshot

OLD_ENGINE_S = 8.0


class Desk(QObject):
    """At most one engine at a time. `bridge` is None while there is none."""

    bridgeChanged = Signal(object)  # Bridge | None
    snapshotChanged = Signal(object)  # Snapshot
    engineLost = Signal(str, object)  # the reason, the newest Snapshot or None
    engineFailed = Signal(str)  # why none could be started
    commandFailed = Signal(str, str)  # what was asked, the sentence with the remedy
    _connected = Signal(int, bool, object, object)  # attempt, is it a start, client or None, error or None

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.bridge: Bridge | None = None
        self.study: Path | None = None
        self.last: Snapshot | None = None
        self.ended_pid = 0  # of the engine told to end last, which answers for a moment yet
        self._attempt = 0
        self._starts = threading.Lock()  # one at a time: a study has room for one engine
        self._connected.connect(self._take)

    def start(self, study: Path, devices: Path, speed: float = 1.0) -> None:
        """Start an engine on `study`; ends the present one first, if it does not record."""
        self.end()
        self.study, attempt = study, self._attempt

        def start() -> EngineClient | None:
            with self._starts:
                if attempt != self._attempt:
                    return None
                _wait_for_the_old_one(study)
                client = engines.start_engine(study, devices, speed)
                if attempt == self._attempt:
                    return client
                _end(client)  # here, so that the next start waits for its going
                return None

        self._connect(start, is_start=True)

    def attach(self, study: Path) -> None:
        """Connect to the engine that runs on `study`."""
        self.hang_up()
        self.study = study
        self._connect(lambda: engines.attach(study))

    def adopt(self, client: EngineClient, study: Path) -> None:
        """Use a connection somebody else has made."""
        self.hang_up()
        self.study = study
        self._use(client)

    def send(self, do: str, **facts: Any) -> None:
        """Pass a command on; a refusal arrives as `commandFailed`."""
        if self.bridge is not None:
            self.bridge.send({"do": do, **facts})

    def hang_up(self) -> None:
        """Let go of the engine; it goes on."""
        self._attempt += 1
        if self.bridge is not None:
            bridge, self.bridge, self.last = self.bridge, None, None
            self.bridgeChanged.emit(None)
            bridge.close()
            bridge.deleteLater()

    def end(self) -> None:
        """End the engine, unless it records; then only let go of it."""
        if self.bridge is not None and not self.is_recording:
            self.ended_pid = self.last.engine_pid if self.last is not None else 0
            self.send("shutdown")
        self.hang_up()

    @property
    def is_lost(self) -> bool:
        """Whether the engine has gone by itself."""
        return self.bridge is not None and self.bridge.is_lost

    @property
    def is_recording(self) -> bool:
        """Whether a session runs in the engine, as far as we know."""
        return self.last is not None and self.last.phase in ("running", "pausing", "paused", "holding")

    def _connect(self, make: Callable[[], EngineClient | None], *, is_start: bool = False) -> None:
        attempt = self._attempt  # hanging up began a new one

        def work() -> None:
            try:
                client, error = make(), None
            except (EmolabError, OSError) as fault:
                client, error = None, fault
            tell(self._connected, attempt, is_start, client, error)

        threading.Thread(target=work, name="connect", daemon=True).start()

    def _take(
        self, attempt: int, is_start: bool, client: EngineClient | None, error: Exception | None
    ) -> None:
        if attempt != self._attempt:  # somebody has asked for something else meanwhile
            if client is not None and is_start:
                threading.Thread(target=_end, args=(client,), name="end", daemon=True).start()
            elif client is not None:
                client.close()
        elif client is not None:
            self._use(client)
        else:
            self.engineFailed.emit(str(error))

    def _use(self, client: EngineClient) -> None:
        study = self.study
        assert study is not None
        self.bridge = Bridge(client, reconnect=lambda: _reattach(study), parent=self)
        self.bridge.snapshotChanged.connect(self._show)
        self.bridge.engineLost.connect(lambda reason: self.engineLost.emit(reason, self.last))
        self.bridge.commandFailed.connect(self.commandFailed)
        self.bridgeChanged.emit(self.bridge)

    def _show(self, snapshot: Snapshot) -> None:
        self.last = snapshot
        self.snapshotChanged.emit(snapshot)


def _end(client: EngineClient) -> None:
    """End an engine that came up when it was no longer wanted."""
    with suppress(OSError):
        client.send({"do": "shutdown"})
    client.close()


def _reattach(study: Path) -> EngineClient:
    try:
        return engines.attach(study)
    except EmolabError as error:  # the bridge tries again as long as it hears OSError
        raise ConnectionRefusedError(str(error)) from error


def _wait_for_the_old_one(study: Path) -> None:
    """The engine just told to end needs a moment; two on one study are refused."""
    deadline = time.monotonic() + OLD_ENGINE_S
    while engines.find_engine(study) is not None and time.monotonic() < deadline:
        time.sleep(0.05)
