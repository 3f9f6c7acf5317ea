"""The local connection between an engine and its windows: one JSON object a line, over 127.0.0.1.

The engine writes `STUDY/.emolab/engine.json` (port, process, a random token only this user can
read) and answers every line with one line. The first line of a connection must carry the token.
The file is also what keeps a second engine off the same study.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import platform
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from emolab.core.errors import ConfigError, EmolabError
from emolab.session import owner
from emolab.session.address import EngineAddress, address_path, read_address

GREETING_BYTES = 4096  # a stranger's first line may be no longer
LINE_BYTES = 16 << 20  # and no line longer than that; a snapshot has some ten thousand
GREETING_S = 5.0  # who says nothing for so long is hung up on
CONNECTIONS = 64  # at once, strangers included
UNCLAIM_S = 2.0

log = logging.getLogger(__name__)


class Line:
    """One end of a connection: sends and receives JSON lines. Not for two threads at once."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._file = connection.makefile("rb")

    @classmethod
    def dial(cls, address: EngineAddress, timeout_s: float) -> Line:
        """A connection to an engine. Raises `OSError` when nobody answers there."""
        line = cls(socket.create_connection(("127.0.0.1", address.port), timeout=timeout_s))
        try:
            line.send_text(json.dumps({"token": address.token}))
            if json.loads(line.receive_text()) != {"ok": True}:
                raise ConnectionRefusedError("another program listens on the engine's port")
        except BaseException:
            line.close()
            raise
        return line

    def send_text(self, text: str) -> None:
        self._socket.sendall(text.encode() + b"\n")

    def receive_text(self, most_bytes: int = LINE_BYTES) -> str:
        """The next line. Raises `ConnectionError` when the other end has gone, or never ends its line."""
        text = self._file.readline(most_bytes)
        if not text.endswith(b"\n"):
            is_long = len(text) == most_bytes
            raise ConnectionResetError("a line that never ends" if is_long else "the other end has gone")
        return text.decode()

    def close(self) -> None:
        with contextlib.suppress(OSError):  # wakes a thread that reads; closing alone would wait for it
            self._socket.shutdown(socket.SHUT_RDWR)
        for end in (self._file, self._socket):
            with contextlib.suppress(OSError):
                end.close()


class Server:
    """The engine's end. `answer(request, connection_id)` gives the reply line; it is called from
    one thread a connection. `gone(connection_id)` tells that a window went away."""

    def __init__(
        self,
        study: Path,
        rings: Path,
        answer: Callable[[dict[str, Any], int], str],
        gone: Callable[[int], None],
    ) -> None:
        self._answer, self._gone = answer, gone
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._lines: dict[int, Line] = {}
        self._is_open = True
        address = EngineAddress(
            self._socket.getsockname()[1], secrets.token_hex(16), os.getpid(), str(rings), platform.node()
        )
        self._token = address.token
        self._study = study
        try:
            claim(study, address)
        except EmolabError:
            self._socket.close()
            raise
        threading.Thread(target=self._accept, name="link", daemon=True).start()

    @property
    def connections(self) -> int:
        """How many windows are connected."""
        return len(self._lines)

    def _accept(self) -> None:
        number = 0
        while self._is_open:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            if len(self._lines) >= CONNECTIONS:
                connection.close()
                continue
            number += 1
            try:
                line = self._lines[number] = Line(connection)  # here, so that the next one is counted with it
            except OSError:  # gone again
                connection.close()
                continue
            threading.Thread(
                target=self._serve, args=(connection, line, number), name=f"link-{number}", daemon=True
            ).start()

    def _serve(self, connection: socket.socket, line: Line, number: int) -> None:
        try:
            connection.settimeout(GREETING_S)
            told = str(json.loads(line.receive_text(GREETING_BYTES)).get("token"))
            known = secrets.compare_digest(told.encode(errors="replace"), self._token.encode())
            connection.settimeout(None)
            line.send_text(json.dumps({"ok": True} if known else {"error": "wrong token"}))
            while known:
                line.send_text(self._answer(json.loads(line.receive_text()), number))
        except (OSError, ValueError, AttributeError, RecursionError) as error:
            log.debug("connection %d ended: %s", number, error)
        finally:
            line.close()
            self._lines.pop(number, None)
            if self._is_open:
                self._gone(number)

    def close(self) -> None:
        """Hang up and give the study free. Idempotent."""
        if not self._is_open:
            return
        self._is_open = False
        self._socket.close()
        for line in list(self._lines.values()):
            line.close()
        # of a drive that went, or does not answer, nobody can say more
        thread = threading.Thread(target=self._unclaim, name="link file", daemon=True)
        thread.start()
        thread.join(UNCLAIM_S)

    def _unclaim(self) -> None:
        with contextlib.suppress(OSError):
            _remove(self._study, self._token)


def claim(study: Path, address: EngineAddress) -> None:
    """Write the study's `engine.json`. Raises `ConfigError` when an engine holds the study, or may."""
    path = address_path(study)
    path.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(15):
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            other = read_address(study)
            if other is not None:
                if why := why_taken(study, other):
                    raise ConfigError(why) from None
                _remove(study, other.token)  # left behind by an engine that was killed
            elif _age_s(path) < 2.0:
                time.sleep(0.2)  # another engine is just writing it
            else:
                path.unlink(missing_ok=True)
            continue
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(address), file)
        return
    raise ConfigError(f"{path} cannot be claimed; is another engine starting on this study right now?")


def _remove(study: Path, token: str) -> None:
    """Remove the study's `engine.json` if it is the one with this token."""
    told = read_address(study)
    if told is not None and told.token == token:
        address_path(study).unlink(missing_ok=True)


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:  # its engine has ended meanwhile
        return 0.0


def why_taken(study: Path, address: EngineAddress) -> str:
    """Why the study belongs to the engine named there, and what to do; empty when that one has gone."""
    answer = _knock(address)
    if answer == "here":
        return (
            f"an engine (process {address.pid}) already runs on {study}; attach to it with "
            f"'emolab {study}', or stop it before starting another"
        )
    if answer == "mute" and owner.is_running(address, address_path(study)):
        return (
            f"an engine (process {address.pid}) runs on {study} but does not answer, and may be recording; "
            f"the computer is too busy, or the process was stopped. Wait, then attach to it with "
            f"'emolab {study}'; or end process {address.pid}: what it recorded is safe, and is made whole"
        )
    if why := owner.open_elsewhere(study, address):
        return f"an engine of another computer holds {study}: {why}, then start again"
    return ""


def is_alive(address: EngineAddress) -> bool:
    """Whether an engine answers at `address`."""
    return _knock(address) == "here"


def _knock(address: EngineAddress) -> Literal["here", "mute", "gone"]:
    """`mute`: somebody listens there, and says nothing."""
    try:
        Line.dial(address, timeout_s=2.0).close()
    except TimeoutError:
        return "mute"
    except (OSError, ValueError):
        return "gone"
    return "here"
