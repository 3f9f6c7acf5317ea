"""Console and participant's window side by side: who has which screen, and who has the keyboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from emolab.gui import screens
from tests.gui import engine_states as states
from tests.gui.console_room import under_console
from tests.gui.fake_engine import FakeEngine


@pytest.fixture
def flow(qtbot, dressed, tmp_path):
    with under_console(tmp_path) as made:
        yield made


@pytest.fixture
def attach(flow, qtbot, tmp_path):
    """Puts the console before a fake engine in a given state."""

    def to(snapshot):
        study, rings = tmp_path / "emomusic-2026", tmp_path / "rings"
        study.mkdir()
        rings.mkdir()
        engine = FakeEngine(rings, snapshot)
        flow.enter(study)
        flow.desk.adopt(engine, study)
        qtbot.waitUntil(lambda: flow.desk.last is not None)
        return engine

    return to


def did(engine, name):
    return [command for command in engine.commands if command["do"] == name]


def test_a_tap_on_escape_ends_nothing_though_a_report_takes_the_keyboard_in_between(attach, flow, qtbot):
    engine = attach(states.running(screen=""))
    qtbot.waitUntil(lambda: bool(did(engine, "attach")) and flow.window.page == "run")
    qtbot.wait(200)  # the seated window was active for a moment
    flow.window.activateWindow()
    qtbot.waitUntil(flow.window.isActiveWindow)
    qtbot.keyPress(flow.window.run, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: flow.window.run.header.stop_button.share > 0)
    engine.show(states.reporting())
    qtbot.waitUntil(flow.seat.window.isActiveWindow)
    qtbot.keyRelease(flow.seat.window, Qt.Key.Key_Escape)
    qtbot.wait(1300)
    assert not did(engine, "abort")
    engine.show(states.running(trial=8))
    qtbot.waitUntil(flow.window.isActiveWindow)
    qtbot.keyPress(flow.window.run, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: bool(did(engine, "abort")), timeout=3000)
    qtbot.keyRelease(flow.window.run, Qt.Key.Key_Escape)


def test_a_page_seated_without_its_screen_goes_there_when_it_is_plugged_in(
    attach, flow, qtbot, qapp, monkeypatch
):
    real = screens._all
    monkeypatch.setattr(screens, "_all", lambda: real()[:1])
    engine = attach(states.holding())
    qtbot.waitUntil(lambda: bool(did(engine, "attach")))
    assert did(engine, "attach") == [{"do": "attach", "screen": "EXP", "is_own": False}]
    qapp.screenAdded.emit(real()[0])
    qtbot.wait(100)
    assert len(did(engine, "attach")) == 1, "that was none for the participant"
    monkeypatch.setattr(screens, "_all", real)
    qapp.screenAdded.emit(real()[1])
    qtbot.waitUntil(lambda: len(did(engine, "attach")) == 2)
    assert did(engine, "attach")[-1] == {"do": "attach", "screen": "PART", "is_own": True}


def test_a_page_on_the_only_screen_stays_there_while_the_session_does_not_wait(
    attach, flow, qtbot, qapp, monkeypatch
):
    real = screens._all
    monkeypatch.setattr(screens, "_all", lambda: real()[:1])
    engine = attach(states.running(screen=""))
    qtbot.waitUntil(lambda: bool(did(engine, "attach")))
    engine.show(states.running(screen="EXP"))
    qtbot.waitUntil(lambda: flow.desk.last.screen == "EXP")
    monkeypatch.setattr(screens, "_all", real)
    qapp.screenAdded.emit(real()[1])
    qtbot.wait(150)
    assert len(did(engine, "attach")) == 1
