"""Console and participant's window side by side: who has which screen, and who has the keyboard."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction
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


@pytest.fixture
def seated(attach, flow, qtbot):
    """A clip plays, the participant has a page, and the console has the keyboard."""
    engine = attach(states.running(screen=""))
    qtbot.waitUntil(lambda: flow.seat.is_taken and flow.window.page == "run")
    qtbot.wait(200)  # the seated window was active for a moment
    flow.window.activateWindow()
    qtbot.waitUntil(flow.window.isActiveWindow)
    return engine


def did(engine, name):
    return [command for command in engine.commands if command["do"] == name]


def test_a_tap_on_escape_ends_nothing_though_a_report_takes_the_keyboard_in_between(
    attach, flow, qtbot, monkeypatch
):
    engine = attach(states.running(screen=""))
    qtbot.waitUntil(lambda: bool(did(engine, "attach")) and flow.window.page == "run")
    qtbot.wait(200)  # the seated window was active for a moment
    flow.window.activateWindow()
    qtbot.waitUntil(flow.window.isActiveWindow)
    button, stops = flow.window.run.header.stop_button, []
    flow.window.run.stopRequested.connect(lambda: stops.append(1))
    monkeypatch.setattr(button, "_hold_ms", 600_000)  # until the report is there, however long that takes
    qtbot.keyPress(flow.window.run, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: button.share > 0)
    engine.show(states.reporting())
    qtbot.waitUntil(flow.seat.window.isActiveWindow)
    monkeypatch.undo()
    qtbot.keyRelease(flow.seat.window, Qt.Key.Key_Escape)
    qtbot.wait(1300)
    assert not stops and not did(engine, "abort")
    engine.show(states.running(trial=8))
    qtbot.waitUntil(flow.window.isActiveWindow)
    qtbot.keyPress(flow.window.run, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: bool(did(engine, "abort")))
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
        try:
            QTest.keyClick(flow.seat.window.windowHandle(), Qt.Key.Key_4)
            qtbot.waitUntil(lambda: bool(did(engine, "choose")))
            heard.extend(command["state"] for command in did(engine, "choose"))
        finally:
            QApplication.activeModalWidget().close()

    QTimer.singleShot(200, answer)
    question(flow.window)
    assert heard == ["less_positive"]


def test_escape_still_ends_the_session_after_a_note(seated, flow, qtbot):
    console = flow.window.windowHandle()
    for key in (Qt.Key.Key_N, Qt.Key.Key_O, Qt.Key.Key_K, Qt.Key.Key_Return):
        QTest.keyClick(console, key)
    qtbot.waitUntil(lambda: did(seated, "note") == [{"do": "note", "text": "ok"}])
    QTest.keyPress(console, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: bool(did(seated, "abort")))
    QTest.keyRelease(console, Qt.Key.Key_Escape)


def test_a_report_that_opened_while_a_note_was_written_gets_the_keyboard_after_it(seated, flow, qtbot):
    field = flow.window.run.hand.words_field
    field.setFocus()
    field.setText("coughed")
    seated.show(states.reporting())
    qtbot.waitUntil(lambda: flow.seat.window.canvas.page.view.page == "rate")
    qtbot.wait(100)
    assert flow.window.isActiveWindow(), "not while it is written"
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(flow.seat.window.isActiveWindow)


def test_a_report_does_not_take_the_keyboard_from_a_question_to_the_experimenter(seated, flow, qtbot):
    took = []

    def answer():
        try:
            seated.show(states.reporting())
            qtbot.waitUntil(lambda: flow.seat.window.canvas.page.view.page == "rate")
            qtbot.wait(100)
            took.append(flow.seat.window.isActiveWindow())
        finally:
            QApplication.activeModalWidget().close()

    QTimer.singleShot(200, answer)
    dialogs.ask_closing(flow.window)
    assert took == [False]
    qtbot.waitUntil(flow.seat.window.isActiveWindow)


def test_an_enter_too_much_at_the_end_does_not_go_on_to_the_next_participant(seated, flow, qtbot):
    went = []
    flow.window.finish.nextRequested.connect(lambda: went.append(1))
    seated.show(states.finished())
    qtbot.waitUntil(lambda: flow.window.page == "finish")
    QTest.keyClick(flow.window.windowHandle(), Qt.Key.Key_Return)
    assert not went


def test_a_key_held_down_is_one_wish(flow):
    actions = [action for action in flow.window.findChildren(QAction) if not action.shortcut().isEmpty()]
    assert "mark" in [action.objectName() for action in actions]
    assert not any(action.autoRepeat() for action in actions)


def test_the_participants_page_is_not_moved_over_the_console(seated, flow, qtbot):
    flow.move_participant()
    assert flow.seat.window.watch.screen_name == "PART"


def test_a_console_moved_to_the_other_screen_offers_the_first_to_the_participant(attach, flow, qtbot):
    attach(states.setup())
    room = flow.window.setup.room
    assert room.chosen == "PART"
    flow.window.move(1500, 20)
    qtbot.waitUntil(lambda: room.chosen == "EXP")
    assert room.chooser.count() == 1
