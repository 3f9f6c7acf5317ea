"""The connection: windows come and go, strangers are refused, one engine a study."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from emolab.cli.main import run
from emolab.core.errors import ConfigError, DataError
from emolab.recording.recover import recover
from emolab.session import occupied
from emolab.session.address import EngineAddress, address_path, read_address
from emolab.session.client import EngineClient, attach, find_engine
from emolab.session.link import Line, Server
from emolab.session.snapshot import Choice, LogLine, Snapshot, StageView, StepView, StreamHealth
from tests.session.test_mend import killed

FULL = Snapshot(
    phase="running",
    steps=(StepView(0, "play", "clip 1", "now", 0.0, 30.0, 1, "neutral-1", "neutral", "Still"),),
    streams=(StreamHealth("board", "mixed", "well", "", ("gsr",), ("eda",), ("uS",), 250.0, 254.9),),
    log=(LogLine(1.0, "music", "well"),),
    stage=StageView("rate", 3, choices=(Choice("neutral", 0, ("a", "b", "c"), ("一", "二", "三")),)),
)


PATIENCE_S = 60.0


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline, "waited a minute in vain"
        time.sleep(0.01)


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
    wait(lambda: len(engine.gone) == 2)  # whoever looked whether it runs left, too
    assert engine.asked == [{"do": "mark", "text": "ü"}]
    assert sorted(engine.gone) == [1, 2]


def test_a_stranger_without_the_token_gets_nothing(engine: Engine, tmp_path: Path) -> None:
    address = read_address(tmp_path)
    assert address is not None
    with socket.create_connection(("127.0.0.1", address.port), timeout=PATIENCE_S) as connection:
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
    wait(lambda: find_engine(tmp_path) is not None)


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
    wait(lambda: find_engine(tmp_path) is not None)
    engine.server.close()
    assert not address_path(tmp_path).exists()


@contextmanager
def engine_elsewhere(study: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the study."""
    code = (
        "import time; from pathlib import Path; from emolab.session.link import Server;"
        f"Server(Path({str(study)!r}), Path({str(study)!r}), lambda c, n: '', lambda n: None);"
        "print('holds', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "holds\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="Windows stops no process by a signal")
def test_an_engine_that_is_mute_for_the_moment_keeps_its_study(tmp_path: Path) -> None:
    with engine_elsewhere(tmp_path) as process:
        told = address_path(tmp_path).read_bytes()
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(ConfigError, match=rf"process {process.pid}.* does not answer.*end process"):
            Engine(tmp_path)
        with pytest.raises(ConfigError, match=rf"process {process.pid}.* does not answer"):
            attach(tmp_path)
        assert "does not say whom it records" in occupied.why_not(tmp_path, "P001")
        assert address_path(tmp_path).read_bytes() == told
        process.send_signal(signal.SIGCONT)
        wait(lambda: find_engine(tmp_path) is not None)  # it can be attached to as soon as it answers
    Engine(tmp_path).server.close()


def test_an_engine_too_busy_to_answer_may_be_recording_whoever_is_asked_for(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error in (TimeoutError("timed out"), DataError("a snapshot of another version")):

        def too_late(_: EngineClient, error: Exception = error) -> Snapshot:
            raise error

        monkeypatch.setattr(EngineClient, "snapshot", too_late)
        assert "does not say whom it records" in occupied.why_not(tmp_path, "P001")
    engine.server.close()
    assert occupied.why_not(tmp_path, "P001") == ""


def test_a_stranger_that_listens_mutely_where_a_killed_engine_did_is_no_obstacle(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        told = {"port": stranger.getsockname()[1], "token": "t", "pid": os.getpid(), "rings": "r", "host": ""}
        address_path(tmp_path).parent.mkdir()
        address_path(tmp_path).write_text(json.dumps(told))
        before_us_s = psutil.Process().create_time() - 3600.0
        os.utime(address_path(tmp_path), (before_us_s, before_us_s))  # our number was another's then
        Engine(tmp_path).server.close()


def test_a_study_that_another_computer_may_be_recording_into_is_not_taken(tmp_path: Path) -> None:
    told: dict[str, Any] = {"port": 4711, "token": "t", "pid": 1, "rings": "r", "host": "lab-pc-2"}
    address_path(tmp_path).parent.mkdir()
    address_path(tmp_path).write_text(json.dumps(told))
    path = killed(tmp_path, "P001", 0)
    with pytest.raises(ConfigError, match=r"'lab-pc-2'; if it is not, run 'emolab recover .*P001_s.*h5'"):
        Engine(tmp_path)
    assert read_address(tmp_path) == EngineAddress(**told)
    assert "lab-pc-2" in occupied.why_not(tmp_path, "p001") and not occupied.why_not(tmp_path, "P002")
    recover(path)
    Engine(tmp_path).server.close()  # what has been closed is recorded by nobody


def test_an_engine_that_ends_leaves_the_study_to_whom_it_belongs_now(engine: Engine, tmp_path: Path) -> None:
    mine = address_path(tmp_path).read_text()
    other = json.dumps({**json.loads(mine), "token": "another"})
    address_path(tmp_path).write_text(other)
    engine.server.close()
    assert address_path(tmp_path).read_text() == other


def test_a_client_of_a_closed_engine_says_so(engine: Engine, tmp_path: Path) -> None:
    address = read_address(tmp_path)
    assert address is not None
    client = EngineClient(address)
    engine.server.close()
    with pytest.raises(OSError):
        for _ in range(3):
            client.snapshot()
    client.close()


def test_a_session_whose_disk_stands_still_is_not_mended_while_its_engine_records_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = replace(FULL, participant="P001", session=0)
    monkeypatch.setattr("tests.session.test_link.FULL", recording)
    path, other = killed(tmp_path, "P001", 0), killed(tmp_path, "P001", 1)  # neither grows
    engine = Engine(tmp_path)
    before = path.read_bytes()
    assert run(["recover", str(path)]) == 2
    assert "Session 0 of P001 is being recorded. End it before" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert run(["recover", str(other)]) == 0
    engine.server.close()
    assert run(["recover", str(path)]) == 0 and path.read_bytes() != before
