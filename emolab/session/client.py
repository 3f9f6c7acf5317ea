"""A window's end of the connection: start an engine of its own process, or attach to the one that runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from emolab.core.errors import ConfigError, EmolabError
from emolab.core.program import emolab
from emolab.session import folder
from emolab.session.address import EngineAddress, read_address
from emolab.session.link import Line, is_alive, why_taken
from emolab.session.snapshot import Snapshot

START_TIMEOUT_S = 60.0  # a busy machine takes long to load a program; one that fails is heard of at once
# glibc keeps freed camera frames in its heaps, one heap a thread: the engine would seem to grow for
# minutes. Read by glibc at start-up only, ignored elsewhere.
MEMORY_RULES = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": str(1 << 20)}


class EngineClient:
    """Asks one engine. Thread-safe; each call waits for the engine's answer, a few milliseconds.

    Every method raises `OSError` (`ConnectionError`) when the engine has gone.
    """

    def __init__(self, address: EngineAddress, timeout_s: float = 10.0) -> None:
        self.address = address
        self._line = Line.dial(address, timeout_s)
        self._lock = threading.Lock()

    def snapshot(self) -> Snapshot:
        """How things stand now."""
        return Snapshot.from_json(self._ask({"do": "snapshot"}))

    def send(self, command: dict[str, Any]) -> dict[str, Any]:
        """Give a command (see `snapshot`): `{"ok": true}`, or `{"error": sentence}`."""
        reply: dict[str, Any] = json.loads(self._ask(command))
        return reply

    def close(self) -> None:
        """Hang up; the engine goes on."""
        self._line.close()

    def _ask(self, command: dict[str, Any]) -> str:
        try:
            with self._lock:
                self._line.send_text(json.dumps(command))
                return self._line.receive_text()
        except ValueError as error:  # a closed file object says ValueError
            raise ConnectionResetError("the connection to the engine is closed") from error


def find_engine(study: Path) -> EngineAddress | None:
    """The engine that runs on this study now, or None."""
    address = read_address(study)
    return address if address is not None and is_alive(address) else None


def attach(study: Path) -> EngineClient:
    """A client of the engine that runs on the study. Raises `ConfigError` when none does, or it is mute."""
    address = read_address(study)
    if address is None or not is_alive(address):
        why = why_taken(study, address) if address is not None else ""
        raise ConfigError(why or f"no engine runs on {study}; start a session there first")
    return EngineClient(address)


def start_engine(study: Path, devices: Path, speed: float = 1.0) -> EngineClient:
    """Start an engine in a process of its own, which outlives this one, and attach to it.

    Raises `EmolabError` with the engine's own words when it does not come up.
    """
    if (other := find_engine(study)) is not None:
        raise ConfigError(f"an engine (process {other.pid}) already runs on {study}; attach to it instead")
    log_path = folder.make(study) / ".emolab" / "engine.log"
    with log_path.open("ab") as log_file:
        process = subprocess.Popen(
            emolab("engine", "--study", study, "--devices", devices, "--speed", speed),
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=log_file,
            env={**MEMORY_RULES, **os.environ},
            **_detached(),
        )
    deadline = time.monotonic() + START_TIMEOUT_S
    try:
        while time.monotonic() < deadline:
            address = read_address(study)
            if address is not None and is_alive(address):
                return EngineClient(address)
            if process.poll() is not None:
                raise EmolabError(_last_words(log_path) or f"the engine did not start; {log_path} says why")
            time.sleep(0.02)
    except BaseException:  # whoever wanted it has been stopped
        process.terminate()
        raise
    process.kill()
    raise EmolabError(f"the engine did not answer within {START_TIMEOUT_S:.0f} s; {log_path} says why")


def _detached() -> dict[str, Any]:
    """Popen options under which the engine does not die with the window or its terminal."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    return {"start_new_session": True}


def _last_words(log_path: Path) -> str:
    lines = log_path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].removeprefix("emolab: ") if lines else ""
