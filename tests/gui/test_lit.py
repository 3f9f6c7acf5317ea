"""A real session bus carries the wish for lit screens; a desktop of our own answers it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from emolab.gui.lit import Lit
from emolab.session import awake

ROOT = Path(__file__).parents[2]
WISH = "wish of emolab: A session is being recorded\n"

pytestmark = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="there is no dbus-daemon here")


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()  # a daemon that is killed leaves its socket behind
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def wait(until: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not until():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Programs started from here meet on a bus of their own."""
    with running("dbus-daemon", "--session", "--nofork", "--print-address=1") as daemon:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", line(daemon))
        yield


@pytest.fixture
def desktop(bus: None, tmp_path: Path) -> Iterator[Path]:
    """The log of a desktop that answers."""
    log = tmp_path / "desktop"
    log.touch()
    with running(sys.executable, "-m", "tests.gui.saver_room", str(log)):
        wait(lambda: "ready" in log.read_text(), "the desktop does not come")
        log.write_text("")
        yield log


def test_the_desktop_is_asked_once_until_the_window_goes(
    desktop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awake, "END_S", 30.0)
    lit = Lit()
    lit.keep()
    lit.keep()
    wait(lambda: bool(desktop.read_text()), "the desktop heard nothing")
    holder = lit.process
    assert desktop.read_text() == WISH and holder is not None and holder.poll() is None
    lit.let_go()
    lit.let_go()
    assert holder.returncode == 0 and desktop.read_text() == WISH


def test_the_wish_ends_with_the_window_s_process_however_that_ends(desktop: Path) -> None:
    program = (
        "import time; from emolab.gui.lit import Lit\n"
        "lit = Lit(); lit.keep(); print(lit.process.pid, flush=True); time.sleep(60)"
    )
    with running(sys.executable, "-c", program) as window:
        holder = psutil.Process(int(line(window)))
        wait(lambda: bool(desktop.read_text()), "the desktop heard nothing")
        assert holder.is_running()
        window.kill()
        wait(lambda: not holder.is_running(), "the screens stay lit for ever")


def test_a_desktop_that_agrees_is_quoted(desktop: Path) -> None:
    with running(sys.executable, "-m", "emolab.gui.lit") as holder:
        assert line(holder) == "lit"


def test_one_that_knows_no_such_wish_is_quoted(bus: None) -> None:
    with running(sys.executable, "-m", "emolab.gui.lit") as holder:
        assert "org.freedesktop.ScreenSaver" in line(holder)
        assert holder.wait(60) == 0, "there is nothing to hold on to"


def test_without_a_desktop_nobody_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    lit = Lit()
    lit.keep()
    assert lit.process is None
    lit.let_go()
