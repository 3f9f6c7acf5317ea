"""The connection: windows come and go, strangers are refused, one engine a study."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emolab.core.errors import ConfigError
from emolab.session.client import EngineClient, attach, find_engine
from emolab.session.link import Line, Server, address_path, read_address
from emolab.session.snapshot import Choice, LogLine, Snapshot, StageView, StepView, StreamHealth

FULL = Snapshot(
    phase="running",
    steps=(StepView(0, "play", "clip 1", "now", 0.0, 30.0, 1, "neutral-1", "neutral", "Still"),),
    streams=(StreamHealth("board", "mixed", "well", "", ("gsr",), ("eda",), ("uS",), 250.0, 254.9),),
    log=(LogLine(1.0, "music", "well"),),
    stage=StageView("rate", 3, choices=(Choice("neutral", 0, ("a", "b", "c"), ("一", "二", "三")),)),
)


class Engine:
    def __init__(self, study: Path) -> None:
        self.asked: list[dict[str, Any]] = []
        self.gone: list[int] = []
        self.server = Server(study, study, self.answer, self.gone.append)

    def answer(self, command: dict[str, Any], connection: int) -> str:
        self.asked.append(command)
        return FULL.to_json() if command["do"] == "snapshot" else json.dumps({"ok": True})


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path)
    yield engine
    engine.server.close()


def test_a_snapshot_crosses_unchanged(engine: Engine, tmp_path: Path) -> None:
    client = attach(tmp_path)
    assert client.snapshot() == FULL
    client.close()


def test_a_command_is_answered_and_a_window_that_leaves_is_noticed(engine: Engine, tmp_path: Path) -> None:
    client = attach(tmp_path)
    assert client.send({"do": "mark", "text": "ü"}) == {"ok": True}
    client.close()
    deadline = time.monotonic() + 5
    while len(engine.gone) < 2 and time.monotonic() < deadline:  # whoever looked whether it runs left, too
        time.sleep(0.01)
    assert engine.asked == [{"do": "mark", "text": "ü"}]
    assert sorted(engine.gone) == [1, 2]


def test_a_stranger_without_the_token_gets_nothing(engine: Engine, tmp_path: Path) -> None:
    address = read_address(tmp_path)
    assert address is not None
    with socket.create_connection(("127.0.0.1", address.port), timeout=5) as connection:
        line = Line(connection)
        line.send_text(json.dumps({"token": "guess"}))
        assert "error" in json.loads(line.receive_text())
        with pytest.raises(OSError):
            line.send_text(json.dumps({"do": "snapshot"}))
            line.receive_text()
        line.close()
    assert engine.asked == []


def test_a_second_engine_on_the_same_study_is_refused(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="already runs on"):
        Engine(tmp_path)
    assert find_engine(tmp_path) is not None


def test_what_a_killed_engine_left_behind_is_no_obstacle(tmp_path: Path) -> None:
    code = (
        "import sys, os, signal; from pathlib import Path; from emolab.session.link import Server;"
        f"Server(Path({str(tmp_path)!r}), Path({str(tmp_path)!r}), lambda c, n: '', lambda n: None);"
        "os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert address_path(tmp_path).exists()
    assert find_engine(tmp_path) is None
    engine = Engine(tmp_path)
    assert find_engine(tmp_path) is not None
    engine.server.close()
    assert not address_path(tmp_path).exists()


def test_a_client_of_a_closed_engine_says_so(engine: Engine, tmp_path: Path) -> None:
    address = read_address(tmp_path)
    assert address is not None
    client = EngineClient(address)
    engine.server.close()
    with pytest.raises(OSError):
        for _ in range(3):
            client.snapshot()
    client.close()
