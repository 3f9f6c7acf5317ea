"""The engine as the windows know it.

    Bridge(client).snapshotChanged ──► widgets          (30 times a second, newest wins)
    widgets ──► Bridge.send({"do": ...}) ──► engine     (refusals come as commandFailed)

The client is asked in one worker thread, so a slow or dead engine never holds up a window. The
window's own timer fetches what the thread has found; nothing crosses as a signal per sample.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from emolab.core.errors import EmolabError
from emolab.core.ring import FrameSlot, SampleRing
from emolab.gui.garbage import Collector
from emolab.session.snapshot import Snapshot, StreamHealth

POLL_HZ = 30
RECONNECT_S = 1.0
UNTAKEN_S = 1.0  # a window that takes nothing for so long hangs: nothing more is asked in its name


class EngineClient(Protocol):
    """What the bridge asks of `session.client.Client`."""

    def snapshot(self) -> Snapshot:
        """The newest snapshot. Raises `OSError` when the engine is gone."""

    def send(self, command: dict[str, Any]) -> dict[str, Any]:
        """`{"ok": true}` or `{"error": sentence}`. Raises `OSError` when the engine is gone."""

    def close(self) -> None:
        """Let go of the connection; the engine goes on."""


class Bridge(QObject):
    """Polls an engine and passes commands on, without ever blocking the window.

    `reconnect`: makes a new client after the engine was lost; tried once a second until it
    raises neither `OSError` nor `EmolabError`. Without it a lost engine stays lost. `close()`
    before the program ends.
    """

    snapshotChanged = Signal(object)  # Snapshot
    engineLost = Signal(str)  # the reason; once a loss
    engineFound = Signal()  # the first snapshot after a loss
    commandFailed = Signal(str, str)  # what was asked ("start"), the sentence with the remedy

    def __init__(
        self,
        client: EngineClient,
        reconnect: Callable[[], EngineClient] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.snapshot: Snapshot | None = None
        self.is_lost = False
        self._received_s = 0.0
        self._rings: dict[str, SampleRing] = {}
        self._frames: dict[str, FrameSlot] = {}
        self._collector = Collector(self)
        self._worker = _Worker(client, reconnect)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._fetch)
        self._timer.start(1000 // POLL_HZ)

    def send(self, command: dict[str, Any]) -> None:
        """Pass a command on; returns at once. A refusal arrives as `commandFailed`."""
        self._worker.commands.put(dict(command))

    def now_s(self) -> float:
        """The session time now: the newest snapshot's, carried on by the monotonic clock."""
        if self.snapshot is None:
            return 0.0
        passed_s = 0.0 if self.is_lost else time.monotonic() - self._received_s
        return self.snapshot.now_s + passed_s * self.snapshot.speed

    def stream(self, name: str) -> StreamHealth | None:
        """What the newest snapshot says of a stream, None when it knows none of that name."""
        streams = self.snapshot.streams if self.snapshot is not None else ()
        return next((stream for stream in streams if stream.name == name), None)

    def ring(self, name: str) -> SampleRing | None:
        """The samples of a stream, None before its first or for a camera."""
        health = self.stream(name)
        if health is None or not health.ring or health.is_image:
            return None
        return _attached(self._rings, health.ring, SampleRing.attach)

    def frame(self, name: str) -> FrameSlot | None:
        """The newest picture of a camera, None before its first or for other streams."""
        health = self.stream(name)
        if health is None or not health.ring or not health.is_image:
            return None
        return _attached(self._frames, health.ring, FrameSlot.attach)

    def close(self) -> None:
        """Stop asking. Commands already given are still passed on, for at most two seconds."""
        self._timer.stop()
        self._worker.stop()
        self._collector.stop()

    def _fetch(self) -> None:
        failures, lost, newest = self._worker.take()
        if not self._worker.is_alive():
            lost = "The window no longer hears the engine; close this window and start emolab again."
        for asked, sentence in failures:
            self.commandFailed.emit(asked, sentence)
        if lost is not None and not self.is_lost:
            self.is_lost = True
            self.engineLost.emit(lost)
        if newest is not None:  # what came before a loss is forgotten, so this came after
            self.snapshot, self._received_s = newest
            if self.is_lost:
                self.is_lost = False
                self._rings.clear()
                self._frames.clear()
                self.engineFound.emit()
            self.snapshotChanged.emit(self.snapshot)


def _attached(cache: dict[str, Any], path: str, attach: Callable[[Path], Any]) -> Any:
    if path not in cache:
        try:
            cache[path] = attach(Path(path))
        except (OSError, ValueError):  # the engine has gone, or is still writing its first page
            return None
    return cache[path]


class _Worker:
    """The thread that talks to the client. What it found is taken with `take`."""

    def __init__(self, client: EngineClient, reconnect: Callable[[], EngineClient] | None) -> None:
        self.commands: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._client: EngineClient | None = client
        self._reconnect = reconnect
        self._lock = threading.Lock()
        self._newest: tuple[Snapshot, float] | None = None
        self._taken_s = time.monotonic()
        self._failures: list[tuple[str, str]] = []
        self._lost: str | None = None
        self._thread = threading.Thread(target=self._run, name="bridge", daemon=True)
        self._thread.start()

    def take(self) -> tuple[list[tuple[str, str]], str | None, tuple[Snapshot, float] | None]:
        """Failed commands, why the engine was lost, and the newest snapshot with its moment."""
        with self._lock:
            taken = self._failures, self._lost, self._newest
            self._failures, self._lost, self._newest = [], None, None
            self._taken_s = time.monotonic()
        return taken

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        self.commands.put(None)
        self._thread.join(timeout=2.0)

    def _run(self) -> None:
        next_s = time.monotonic()
        while True:
            try:
                command = self.commands.get(timeout=max(next_s - time.monotonic(), 0.001))
            except queue.Empty:
                self._poll()
                next_s = time.monotonic() + (1 / POLL_HZ if self._client is not None else RECONNECT_S)
                continue
            if command is None:
                break
            self._pass_on(command)
        if self._client is not None:
            self._client.close()

    def _pass_on(self, command: dict[str, Any]) -> None:
        asked = str(command.get("do", ""))
        if self._client is None:
            self._fail(asked, "The engine is not running; start or attach to a session first.")
            return
        try:
            answer = self._client.send(command)
        except OSError as error:
            self._lose(str(error))
            self._fail(asked, f"The engine did not answer ({error}); see whether it still runs.")
            return
        if "error" in answer:
            self._fail(asked, str(answer["error"]))

    def _poll(self) -> None:
        with self._lock:
            if self._newest is not None and time.monotonic() - self._taken_s > UNTAKEN_S:
                return
        try:
            if self._client is None:
                if self._reconnect is None:
                    return
                self._client = self._reconnect()
            found = self._client.snapshot()
        except (OSError, EmolabError) as error:
            self._lose(str(error))
            return
        with self._lock:
            self._newest = found, time.monotonic()

    def _lose(self, reason: str) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None
        with self._lock:
            self._newest = None
            self._lost = reason or "The connection to the engine is closed."

    def _fail(self, asked: str, sentence: str) -> None:
        with self._lock:
            self._failures.append((asked, sentence))
