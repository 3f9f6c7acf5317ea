"""The participant window's screen: which one, how it sits there, and its coming and going."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QWidget

from emolab.gui import screens

PART = QRect(1366, 0, 1366, 768)
NEEDS = ("Xvfb", "xrandr")


def test_all_screens_are_told_the_primary_one_first(qapp):
    found = screens.screens()
    assert [(s.name, s.is_primary) for s in found] == [("EXP", True), ("PART", False)]
    assert found[1].geometry == PART and found[1].scale == 1.0


@pytest.mark.parametrize(
    ("preferred", "chosen"), [(None, "PART"), ("PART", "PART"), ("EXP", "EXP"), ("gone", "PART")]
)
def test_second_screen_is_the_participants_unless_another_is_preferred(qapp, preferred, chosen):
    assert screens.participant_screen(preferred).name == chosen


def test_placed_window_covers_its_screen_without_a_frame(qapp, qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    placement = screens.place(window, "PART")
    assert placement == screens.Placement("PART", True, "")
    assert window.geometry() == PART
    assert window.windowFlags() & Qt.WindowType.FramelessWindowHint
    assert window.isVisible()


def test_only_screen_gives_a_normal_window_and_says_so(qapp, qtbot, monkeypatch):
    real = screens.QGuiApplication
    monkeypatch.setattr(screens, "_all", lambda: real.screens()[:1])
    assert screens.participant_screen("PART") is None
    window = QWidget()
    qtbot.addWidget(window)
    placement = screens.place(window, "PART")
    assert not placement.is_full_screen and "connect a second screen" in placement.sentence
    assert not window.windowFlags() & Qt.WindowType.FramelessWindowHint
    assert real.primaryScreen().geometry().contains(window.geometry())


def test_window_that_strayed_from_its_screen_is_put_back(qapp, qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    screens.place(window, "PART")
    watch = screens.ScreenWatch(window, "PART")
    window.setGeometry(0, 0, 300, 300)
    qtbot.waitUntil(lambda: window.geometry() == PART)
    watch.stop()


def test_stopped_watch_leaves_the_window_alone(qapp, qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    screens.place(window, "PART")
    watch = screens.ScreenWatch(window, "PART")
    watch.stop()
    window.setGeometry(0, 0, 300, 300)
    qtbot.wait(600)
    assert not PART.intersects(window.geometry())


@pytest.fixture
def two_monitors(tmp_path):
    """A virtual X server with two monitors, EXP and PART; gives its display name."""
    if missing := [name for name in NEEDS if shutil.which(name) is None]:
        pytest.skip(f"{' and '.join(missing)} not installed")
    told, tell = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(tell), "-screen", "0", "2304x800x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[tell], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(tell)
    try:
        with os.fdopen(told) as line:
            display = f":{line.readline().strip()}"
        monitor(display, "--setmonitor", "EXP", "1280/339x800/211+0+0", "screen")
        monitor(display, "--setmonitor", "PART", "1024/271x768/203+1280+0", "none")
        yield display
    finally:
        server.terminate()
        server.wait(10)


def monitor(display: str, *arguments: str) -> None:
    subprocess.run(["xrandr", "--display", display, *arguments], check=True, stderr=subprocess.DEVNULL)


WINDOW = """
import json, sys, time
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget
from emolab.gui import screens

def say(what, **facts):
    box = window.geometry().getRect()
    told = {"what": what, "box": box, "visible": window.isVisible(), "at_s": time.monotonic()}
    print(json.dumps(told | facts), flush=True)

app = QApplication([])
window = QWidget()
placement = screens.place(window, screens.participant_screen().name)
watch = screens.ScreenWatch(window, placement.screen)
watch.lost.connect(lambda name: say("lost", name=name))
watch.found.connect(lambda name: QTimer.singleShot(100, lambda: say("found", name=name)))
QTimer.singleShot(200, lambda: say("placed", name=placement.screen))
QTimer.singleShot(60_000, app.quit)
app.exec()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs an X server")
def test_unplugged_screen_is_noticed_and_the_window_returns_with_it(two_monitors):
    program = subprocess.Popen(
        [sys.executable, "-c", WINDOW],
        env={**os.environ, "DISPLAY": two_monitors, "QT_QPA_PLATFORM": "xcb"},
        cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert program.stdout is not None
        placed = json.loads(program.stdout.readline())
        assert placed["name"] == "PART" and placed["box"] == [1280, 0, 1024, 768]

        unplugged_s = time.monotonic()
        monitor(two_monitors, "--delmonitor", "PART")
        lost = json.loads(program.stdout.readline())
        assert (lost["what"], lost["name"], lost["visible"]) == ("lost", "PART", False)
        assert lost["at_s"] - unplugged_s < 5.0  # one second on an idle machine; the poll is half of that

        monitor(two_monitors, "--setmonitor", "PART", "1024/271x768/203+1280+0", "none")
        found = json.loads(program.stdout.readline())
        assert (found["what"], found["name"], found["visible"]) == ("found", "PART", True)
        assert found["box"] == [1280, 0, 1024, 768]
        print(f"noticed after {lost['at_s'] - unplugged_s:.3f} s")
    finally:
        program.kill()
        program.wait(10)
        program.stdout.close()
