"""A computer is kept awake for as long as a session runs, and no longer, however the engine ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from emolab.core.clock import SessionClock
from emolab.core.settings import read
from emolab.devices import config
from emolab.session import awake, checks, diary
from emolab.session.awake import Awake
from emolab.session.engine import LOOK_STEP_S, Engine
from tests.session.live import BOARD, events, go_on, start

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stands in for systemd with a shell's script")

PATIENCE_S = 60.0  # programs are slow on a busy machine

LOGIND = """#!/bin/sh
# what systemd-inhibit does: refuse, or run the last argument for as long as it goes
case "$*" in *"{refused}"*) echo "Failed to inhibit: Access denied" >&2; exit 1;; esac
echo "$@" >> {log}
"cat"
echo ended >> {log}
"""


@pytest.fixture
def logind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Puts a `systemd-inhibit` in the way that refuses what it is told to; gives its log."""

    def put(refused: str = "nothing") -> Path:
        place, log = tmp_path / "bin", tmp_path / "inhibitors"
        place.mkdir()
        program = place / "systemd-inhibit"
        program.write_text(LOGIND.format(refused=refused, log=log))
        program.chmod(0o755)
        log.touch()
        monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setattr(awake, "_SYSTEMD", tmp_path)
        monkeypatch.setattr(awake, "PROBE_S", PATIENCE_S)
        monkeypatch.setattr(awake, "END_S", PATIENCE_S)
        return log

    return put


@pytest.fixture
def keeper(request: pytest.FixtureRequest) -> Iterator[Awake]:
    """What keeps a Linux awake, or the system a test names; let go whatever happens."""
    made = Awake(getattr(request, "param", "linux"))
    with closing(made):
        yield made


def wait(until: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_the_system_is_asked_once_and_let_go_when_it_is_over(
    logind: Callable[..., Path], keeper: Awake
) -> None:
    log = logind()
    keeper.follow(False)
    assert keeper.by == "" and log.read_text() == ""
    for _ in range(3):
        keeper.follow(True)
        wait(log.read_text, "nothing was asked")
    (asked,) = log.read_text().splitlines()
    assert keeper.by == "systemd-inhibit"
    assert "--what=sleep:idle:handle-lid-switch" in asked and "--mode=block" in asked
    (holder,) = (one for one in psutil.Process().children() if "systemd-inhibit" in " ".join(one.cmdline()))
    assert os.getpgid(holder.pid) != os.getpgid(0), "Ctrl+C would end it with the session's first second"
    keeper.follow(False)
    assert keeper.by == ""
    assert log.read_text().splitlines()[1:] == ["ended"]


def test_who_has_no_say_about_the_lid_still_keeps_it_from_falling_asleep(logind: Callable[..., Path]) -> None:
    log, keeper = logind("lid"), Awake("linux")
    assert awake.refusal("linux") == ""
    log.write_text("")
    keeper.follow(True)
    with closing(keeper):
        wait(
            lambda: keeper.follow(True) or "what=sleep:idle cat" in log.read_text(), "no second way was tried"
        )
        assert keeper.by == "systemd-inhibit" and "Access denied" in keeper.why_not


def test_a_system_that_refuses_is_quoted_and_not_asked_for_ever(logind: Callable[..., Path]) -> None:
    log, keeper = logind("sleep"), Awake("linux")
    assert awake.refusal("linux") == "Failed to inhibit: Access denied"
    keeper.follow(True)
    with closing(keeper):
        wait(lambda: keeper.follow(True) or not keeper.by, "it was not noticed")
        assert keeper.why_not == "Failed to inhibit: Access denied"
        keeper.follow(True)
        assert keeper.by == "" and log.read_text() == ""


def test_an_inhibitor_that_is_killed_holds_up_nobody(logind: Callable[..., Path], keeper: Awake) -> None:
    """Its child still has the pipe by which refusals are told."""
    log = logind()
    keeper.follow(True)
    wait(log.read_text, "nothing was asked")
    assert keeper._process is not None
    asked = psutil.Process(keeper._process.pid)
    wait(asked.children, "it does not wait")
    (child,) = asked.children()
    keeper._process.kill()
    keeper._process.wait()
    began = time.monotonic()
    keeper.follow(True)
    assert time.monotonic() - began < 1.0 and keeper.why_not == "systemd-inhibit ended"
    wait(lambda: not child.is_running(), "its child goes on")


def test_the_computer_may_sleep_again_when_the_engine_is_killed(logind: Callable[..., Path]) -> None:
    log = logind()
    program = (
        "import time; from pathlib import Path; from emolab.session import awake\n"
        f"awake._SYSTEMD = Path({str(log.parent)!r})\n"
        "keeper = awake.Awake('linux'); keeper.follow(True); time.sleep(600)"
    )
    engine = subprocess.Popen([sys.executable, "-c", program])
    wait(log.read_text, "nothing was asked")
    assert "ended" not in log.read_text()
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    wait(lambda: "ended" in log.read_text(), "it is kept awake by nobody")


def test_where_nobody_is_to_be_asked_nobody_is(
    keeper: Awake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awake, "_SYSTEMD", tmp_path / "none")
    keeper.follow(True)
    assert (keeper.by, keeper.why_not) == ("", "") and awake.refusal("linux") == ""


@pytest.mark.parametrize("keeper", ["darwin"], indirect=True)
def test_a_mac_waits_for_this_very_process(
    keeper: Awake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "caffeinate"
    program.write_text(f"#!/bin/sh\necho $@ > {tmp_path}/asked\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(awake, "END_S", PATIENCE_S)
    keeper.follow(True)
    wait((tmp_path / "asked").exists, "nothing was asked")
    wait((tmp_path / "asked").read_text, "nothing was asked")
    assert (tmp_path / "asked").read_text() == f"-d -i -s -w {os.getpid()}\n"
    began = time.monotonic()
    keeper.close()
    assert keeper.by == "" and time.monotonic() - began < awake.END_S


def test_windows_is_told_what_to_require_and_when_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    kernel = SimpleNamespace(SetThreadExecutionState=lambda state: told.append(state.value) or 1)
    windows = SimpleNamespace(kernel32=kernel)
    monkeypatch.setattr(awake.ctypes, "windll", windows, raising=False)
    keeper = Awake("win32")
    keeper.follow(True)
    keeper.follow(True)
    assert keeper.by == "SetThreadExecutionState" and told == [0x80000003]
    keeper.follow(False)
    assert keeper.by == "" and told == [0x80000003, 0x80000000]
    kernel.SetThreadExecutionState = lambda state: 0
    keeper.follow(True)
    assert keeper.by == "" and keeper.why_not


def test_the_preflight_tells_of_a_battery_and_of_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    for plugged, full in ((False, 0.43), (True, None), (None, None)):
        found = SimpleNamespace(percent=43.0, power_plugged=plugged)
        monkeypatch.setattr(psutil, "sensors_battery", lambda found=found: found, raising=False)
        assert awake.battery() == full
    monkeypatch.setattr(psutil, "sensors_battery", lambda: None, raising=False)
    assert awake.battery() is None
    empty = checks.power_check(0.43, "")
    assert empty.level == "look" and "43%" in empty.what and "Plug it in" in empty.remedy
    refused = checks.power_check(None, "Access denied")
    assert refused.level == "look" and "Access denied" in refused.what and refused.remedy
    assert checks.power_check(None, "").level == "well"


@contextmanager
def _armed(folder: Path) -> Iterator[Engine]:
    """An engine whose board sends."""
    devices, user = config.parse(BOARD, folder / "devices.toml"), read(Path(os.devnull), os.environ)
    engine = Engine(folder / "study", devices, SessionClock(), user, with_sound=False)
    with closing(engine):
        engine.arm(render=False)
        go_on(engine, lambda: all(light.samples for light in engine.health()))
        yield engine


def _begin(engine: Engine, log: Path) -> None:
    """A session, up to where it keeps the computer awake."""
    start(engine)
    go_on(engine, lambda: "systemd-inhibit" in str([line.text for line in engine.log]))
    wait(log.read_text, "nothing was asked")


def test_a_session_says_in_its_file_that_the_computer_stays_awake(
    logind: Callable[..., Path], tmp_path: Path, stimuli: Path
) -> None:
    log = logind()
    with _armed(tmp_path) as engine:
        assert log.read_text() == ""
        _begin(engine, log)
        assert "ended" not in log.read_text()
    assert "ended" in log.read_text()
    assert engine.prepared is not None
    (told,) = events(engine.prepared.path, "awake")
    assert told.data == {"by": "systemd-inhibit", "refused": ""}
    line = diary.line(told)
    assert line is not None and line.level == "well"


def test_the_computer_stays_awake_also_when_the_sound_card_is_lost(
    logind: Callable[..., Path], tmp_path: Path, stimuli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = logind()
    with _armed(tmp_path) as engine:
        _begin(engine, log)
        monkeypatch.setattr(engine.player, "failure", lambda: "The sound output has stopped.")
        go_on(engine, lambda: bool(engine.sound_fault))
        lost_s = time.monotonic()
        go_on(engine, lambda: time.monotonic() > lost_s + 2 * LOOK_STEP_S)
        assert "ended" not in log.read_text()
    assert engine.prepared is not None
    assert len(events(engine.prepared.path, "device_lost")) == 1
    assert len(events(engine.prepared.path, "awake")) == 1
