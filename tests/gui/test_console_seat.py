"""Console and participant's window side by side: who has which screen, and who has the keyboard."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from emolab.gui import screens
from emolab.gui.console import dialogs, override
from tests.gui import engine_states as states
from tests.gui.console_room import attached, under_console

QUESTIONS = {
    "closing": dialogs.ask_closing,
    "leaving": dialogs.ask_leaving,
    "stopping": dialogs.ask_stopping,
    "keys": lambda over: dialogs.show_keys(over, [("P", "Pause")]),
    "reason": lambda over: override.ask_reason(over, ["camera is silent"]),
    "classifier": lambda over: dialogs.ask_classifier(over, "default", "default"),
    "study": lambda over: dialogs.ask_study(over, None),
    "new study": lambda over: dialogs.ask_new_study(over, None),
    "protocol": lambda over: dialogs.ask_protocol(over, None),
    "recording": lambda over: dialogs.ask_recording(over, None),
    "devices": lambda over: dialogs.ask_devices(over, None),
}


@pytest.fixture
def flow(qtbot, dressed, tmp_path):
    with under_console(tmp_path) as made:
        yield made


@pytest.fixture
def attach(flow, qtbot, tmp_path):
    """Puts the console before a fake engine in a given state."""
    study = tmp_path / "emomusic-2026"
    study.mkdir()
    return lambda snapshot: attached(flow, qtbot, study, snapshot)


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


def test_a_double_click_on_start_is_one_start_and_the_participants_page_stays(attach, flow, qtbot):
    engine = attach(states.setup())
    button = flow.window.setup.start_button
    qtbot.waitUntil(button.isEnabled)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)  # the engine has not shown yet that it records
    qtbot.waitUntil(lambda: bool(did(engine, "start")))
    qtbot.wait(200)
    assert len(did(engine, "start")) == 1 and flow.seat.is_taken


def test_after_a_refusal_start_can_be_pressed_again(attach, flow, qtbot):
    engine = attach(states.setup())
    engine.refuse = {"start": "P001 has a session 0 already; take session 1"}
    button = flow.window.setup.start_button
    qtbot.waitUntil(button.isEnabled)
    for presses in (1, 2):
        button.click()
        qtbot.waitUntil(lambda n=presses: len(did(engine, "start")) == n and not flow.seat.is_taken)


def test_a_start_refused_because_a_session_runs_leaves_its_participant_the_page(attach, flow, qtbot):
    engine = attach(states.running(screen=""))
    qtbot.waitUntil(lambda: flow.seat.is_taken)
    page = flow.seat.window
    engine.refuse = {"start": "this engine has begun its session already"}
    flow.desk.send("start")
    qtbot.waitUntil(lambda: "begun its session" in flow.window.notice.sentence)
    assert flow.seat.window is page


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_whatever_the_experimenter_is_asked_the_participants_page_hears(attach, flow, qtbot, question):
    asks = states.reporting()
    engine = attach(replace(asks, screen="", stage=replace(asks.stage, chosen="", word="")))
    qtbot.waitUntil(lambda: flow.seat.is_taken and flow.seat.window.canvas.page.view.page == "rate")
    qtbot.waitUntil(flow.seat.window.isVisible)
    heard = []

    def answer():
        dialog = QApplication.activeModalWidget()
        QTest.keyClick(flow.seat.window.windowHandle(), Qt.Key.Key_4)
        QTest.qWait(200)
        heard.extend(command["state"] for command in did(engine, "choose"))
        dialog.close()

    QTimer.singleShot(200, answer)
    question(flow.window)
    assert heard == ["less_positive"]
