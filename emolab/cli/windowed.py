"""A session in both windows, which an engine of its own process records."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emolab.cli import preflight
from emolab.cli.console import open_windows
from emolab.cli.display import has_display
from emolab.cli.headless import is_whole
from emolab.core.errors import ConfigError, EmolabError

if TYPE_CHECKING:
    from emolab.session.client import EngineClient
    from emolab.session.prepare import StartRequest

START_TIMEOUT_S = 15.0  # for the instruments; composing clips the first time is not counted
END_TIMEOUT_S = 10.0


def run(request: StartRequest, study: Path, devices: Path, speed: float, *, look: bool = False) -> int:
    """Start an engine, ask it to start, open both windows; returns when they are closed.

    `look`: look at everything before, and do not start on red.
    """
    if not has_display():
        return open_windows(study)  # which says so
    from emolab.session.client import start_engine

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl+C: the engine goes with us
    try:
        client = start_engine(study, devices, speed)
        try:
            if look:
                preflight.show(preflight.look_through(client, request), sys.stderr)
            path = _start(client, request)
        except BaseException:
            with suppress(OSError):
                client.send({"do": "shutdown"})
            raise
    finally:
        signal.signal(signal.SIGTERM, before)
    with _SignalDoor(client, path):
        code = open_windows(study, attach=True)
    summary = _summary(client, path)
    if summary is None:
        print(f"The session goes on; 'emolab {study}' shows it again.", file=sys.stderr)
    print(path, flush=True)
    return code if summary is None or is_whole(summary) else 1


def _start(client: EngineClient, request: StartRequest) -> str:
    """Ask until the engine starts; the path of its file. Raises `ConfigError` with the engine's reason."""
    deadline = time.monotonic() + START_TIMEOUT_S
    told = ""
    while True:
        reply: dict[str, Any] = client.send({"do": "start", **asdict(request)})
        if "error" not in reply:
            return client.snapshot().path
        if "Composing" in (progress := client.snapshot().message):
            deadline = time.monotonic() + START_TIMEOUT_S
            if progress != told:
                print(told := progress, file=sys.stderr, flush=True)
        if time.monotonic() > deadline:
            raise ConfigError(str(reply["error"]))
        time.sleep(0.3)


def _summary(client: EngineClient, path: str) -> dict[str, Any] | None:
    """What the file holds, or None while it is being recorded."""
    with suppress(OSError):
        snapshot = client.snapshot()
        return snapshot.summary if snapshot.phase in ("finished", "failed") else None
    from emolab.recording.inspect import inspect

    return inspect(Path(path))


class _SignalDoor:
    """SIGINT and SIGTERM end the session in order, although Qt's loop never runs Python's handlers.

    The handlers do nothing, but the interpreter writes each signal's number to a socket from
    whatever thread it arrives in; a thread of ours reads it, shuts the engine down and leaves.
    """

    def __init__(self, client: EngineClient, path: str) -> None:
        self._client, self._path = client, path
        self._ear, self._mouth = socket.socketpair()
        self._mouth.setblocking(False)

    def __enter__(self) -> None:
        self._before = {number: signal.signal(number, _ignore) for number in (signal.SIGINT, signal.SIGTERM)}
        signal.set_wakeup_fd(self._mouth.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self._listen, name="signals", daemon=True).start()

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._mouth.close()

    def _listen(self) -> None:
        numbers = {int(number) for number in self._before}
        while heard := self._ear.recv(1):
            if heard[0] in numbers:
                self._end()

    def _end(self) -> None:
        from emolab.session.link import is_alive

        with suppress(EmolabError, OSError):
            self._client.send({"do": "shutdown"})
        deadline = time.monotonic() + END_TIMEOUT_S
        while time.monotonic() < deadline and is_alive(self._client.address):
            time.sleep(0.05)
        print(self._path, flush=True)
        os._exit(1)  # the windows have nothing left to show, and Qt must not be asked from here


def _ignore(*_: object) -> None:
    pass
