"""The participant's window: what a person does there reaches the engine, and nothing else does."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QWidget

from emolab.core.label import STATES
from emolab.gui.participant.canvas import StageCanvas
from emolab.gui.participant.pages import WaitingPage
from emolab.gui.participant.rate import RatePage
from emolab.gui.participant.window import ParticipantWindow
from emolab.session.snapshot import Choice, Snapshot, StageView

CHOICES = tuple(Choice(s.key, s.rank, s.words, tuple(w.upper() for w in s.words)) for s in STATES)
CONSENT = StageView("consent", 0, "Taking part", "Please read. " * 20, "Continue", agree="I agree.")
INSTRUCT = StageView("instruct", 1, "What will happen", "First you rest.", "Begin")
REST = StageView("rest", 2, "Please rest", "Keep still.", closes_s=300.0)
LISTEN = StageView("listen", 3, closes_s=330.0)
RATE = StageView("rate", 4, "How did it make you feel?", hint="Enter confirms.", button="Confirm",
                 opened_s=330.0, closes_s=360.0, choices=CHOICES)  # fmt: skip


@pytest.fixture
def window(client, make_bridge, dressed, qtbot):
    client.shown = Snapshot(phase="running", now_s=331.0)
    made = ParticipantWindow(make_bridge(client))
    qtbot.addWidget(made)
    made.resize(1366, 768)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.fixture
def moment(monkeypatch):
    """The canvas's clock, which stands until a test moves it: `moment.s`."""
    made = SimpleNamespace(s=100.0)
    clock = SimpleNamespace(monotonic=lambda: made.s)
    monkeypatch.setattr("emolab.gui.participant.canvas.time", clock)
    return made


@pytest.fixture
def show(window, client, qtbot):
    """Lets the engine ask for a page and waits until the window shows it."""

    def turn_to(view: StageView) -> None:
        client.shown = replace(client.shown, stage=view)
        qtbot.waitUntil(
            lambda: client.did("shown")[-1:] != [] and client.did("shown")[-1]["step"] == view.step
        )

    return turn_to


def button(window, name: str) -> QAbstractButton:
    found = [b for b in window.findChildren(QAbstractButton, name) if b.isVisible()]
    assert len(found) == 1, f"{len(found)} visible buttons are called {name}"
    return found[0]


def click(qtbot, window, name: str) -> None:
    qtbot.mouseClick(button(window, name), Qt.MouseButton.LeftButton)


def press(window, key: int, place: int = 0, held: bool = False, pad: bool = False) -> None:
    """A key as a keyboard gives it; `place`: the code of where it lies."""
    modifiers = Qt.KeyboardModifier.KeypadModifier if pad else Qt.KeyboardModifier.NoModifier
    event = QKeyEvent(QEvent.Type.KeyPress, key, modifiers, place, 0, 0, "", held, 1)
    QApplication.sendEvent(window, event)


def told(client, qtbot, name: str, count: int = 1) -> list[dict]:
    """The commands called `name`, once there are `count`, without their stamps."""
    qtbot.waitUntil(lambda: len(client.did(name)) >= count)
    found = client.did(name)
    assert all(isinstance(command["time_ns"], int) for command in found)
    return [{k: v for k, v in command.items() if k not in ("do", "time_ns")} for command in found]


def test_each_page_is_told_once_when_it_is_on_the_screen(show, client, qtbot):
    for view in (REST, LISTEN, RATE):
        show(view)
    client.shown = replace(client.shown, stage=replace(RATE, chosen="neutral"))
    qtbot.wait(150)
    assert told(client, qtbot, "shown") == [{"step": 2}, {"step": 3}, {"step": 4}]
    stamps = [command["time_ns"] for command in client.did("shown")]
    assert stamps == sorted(stamps)


def test_page_that_replaced_another_at_once_is_told_only_when_it_is_painted(dressed, qtbot):
    told = []
    canvas = StageCanvas()
    qtbot.addWidget(canvas)
    with qtbot.waitExposed(canvas):
        canvas.show()
    canvas.painted.connect(lambda step, _ns: told.append(step))
    canvas.show_view(REST)
    canvas.repaint()
    canvas.setUpdatesEnabled(False)
    canvas.show_view(LISTEN)
    qtbot.wait(20)
    assert told == []
    canvas.setUpdatesEnabled(True)
    qtbot.waitUntil(lambda: told == [3])


def test_hidden_window_does_not_claim_to_have_shown_a_page(show, window, client, qtbot):
    show(REST)
    window.hide()
    client.shown = replace(client.shown, stage=LISTEN)
    qtbot.wait(150)
    assert [c["step"] for c in client.did("shown")] == [2]
    window.show()
    assert told(client, qtbot, "shown", 2)[-1] == {"step": 3}


def test_waiting_page_is_not_told_as_the_page_it_replaced(show, window, client, qtbot):
    show(REST)
    window.hide()
    client.shown = replace(client.shown, stage=RATE)
    qtbot.waitUntil(lambda: window.canvas.page.view.step == 4)
    window._bridge._timer.stop()
    window.canvas.show_waiting()
    window.show()
    qtbot.wait(100)
    assert [c["step"] for c in client.did("shown")] == [2]


def test_consent_goes_on_only_when_agreed_by_mouse(show, window, client, qtbot):
    show(CONSENT)
    click(qtbot, window, "continue")
    assert not button(window, "continue").isEnabled()
    click(qtbot, window, "agree")
    click(qtbot, window, "continue")
    assert told(client, qtbot, "proceed") == [{"step": 0}]


def test_consent_goes_on_only_when_agreed_by_key(show, window, client, qtbot):
    show(CONSENT)
    qtbot.keyClick(window, Qt.Key.Key_Return)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.keyClick(window, Qt.Key.Key_Return)
    qtbot.wait(60)
    assert client.did("proceed") == []
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.keyClick(window, Qt.Key.Key_Return)
    assert told(client, qtbot, "proceed") == [{"step": 0}]


def test_second_half_of_a_double_press_does_not_pass_over_the_instructions(
    show, window, client, qtbot, moment
):
    show(CONSENT)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.keyClick(window, Qt.Key.Key_Return)
    show(INSTRUCT)
    moment.s += 0.25
    qtbot.keyClick(window, Qt.Key.Key_Return)
    qtbot.wait(60)
    moment.s += 0.35
    assert told(client, qtbot, "proceed") == [{"step": 0}]
    qtbot.keyClick(window, Qt.Key.Key_Return)
    assert told(client, qtbot, "proceed", 2) == [{"step": 0}, {"step": 1}]


def test_second_participant_must_agree_anew(show, window):
    show(CONSENT)
    button(window, "agree").click()
    show(REST)
    show(replace(CONSENT, step=7))
    assert not button(window, "agree").isChecked()


def test_long_consent_text_can_be_scrolled_by_key_and_short_one_needs_no_bar(show, window, qtbot):
    show(CONSENT)
    bar = window.canvas.page.area.verticalScrollBar()
    assert not bar.isVisible()
    show(replace(CONSENT, step=5, text="\n\n".join(["A paragraph of the text to agree to. " * 8] * 12)))
    assert bar.isVisible() and bar.value() == 0
    qtbot.keyClick(window, Qt.Key.Key_PageDown)
    assert bar.value() > 0


def test_long_consent_text_is_moved_by_a_finger(show, window, qtbot):
    show(replace(CONSENT, step=5, text="\n\n".join(["A paragraph of the text to agree to. " * 8] * 12)))
    area, handle, finger = window.canvas.page.area, window.windowHandle(), QTest.createTouchDevice()
    at = area.mapTo(window, area.rect().center())
    QTest.touchEvent(handle, finger).press(0, at, handle).commit()
    for y in range(10, 210, 10):
        QTest.touchEvent(handle, finger).move(0, at - QPoint(0, y), handle).commit()
        qtbot.wait(10)
    QTest.touchEvent(handle, finger).release(0, at - QPoint(0, 200), handle).commit()
    qtbot.waitUntil(lambda: area.verticalScrollBar().value() > 0)


def test_step_and_word_are_chosen_changed_and_confirmed_by_mouse(show, window, client, qtbot):
    show(RATE)
    for name in ("choice_2", "choice_4", "word_4_2", "confirm"):
        click(qtbot, window, name)
    assert told(client, qtbot, "confirm") == [{"step": 4}]
    assert told(client, qtbot, "choose") == [
        {"step": 4, "state": "less_negative", "word": ""},
        {"step": 4, "state": "less_positive", "word": ""},
        {"step": 4, "state": "less_positive", "word": "excited"},
    ]


def test_step_and_word_are_chosen_changed_and_confirmed_by_key(show, window, client, qtbot):
    show(RATE)
    for key in "15":
        qtbot.keyClick(window, key)
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Return):
        qtbot.keyClick(window, key)
    assert told(client, qtbot, "confirm") == [{"step": 4}]
    assert [(c["state"], c["word"]) for c in client.did("choose")] == [
        ("most_negative", ""),
        ("most_positive", ""),
        ("less_positive", ""),
        ("less_positive", "surprise"),
        ("less_positive", "excited"),
        ("less_positive", "surprise"),
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="a key's place has another number elsewhere")
@pytest.mark.parametrize("sign", [Qt.Key.Key_QuoteDbl, 0x160], ids=["French", "Czech"])
def test_third_key_of_the_digits_chooses_the_third_step_on_every_keyboard(show, window, client, qtbot, sign):
    show(RATE)
    press(window, sign, place=12)
    assert told(client, qtbot, "choose") == [{"step": 4, "state": "neutral", "word": ""}]


@pytest.mark.skipif(sys.platform == "darwin", reason="its number pad has no lock")
def test_number_pad_without_its_lock_chooses_what_stands_on_the_key(show, window, client, qtbot):
    show(RATE)
    press(window, Qt.Key.Key_Left, pad=True)
    assert told(client, qtbot, "choose")[0]["state"] == "less_positive"
    press(window, Qt.Key.Key_End, pad=True)
    assert told(client, qtbot, "choose", 2)[1]["state"] == "most_negative"


def test_key_held_from_the_page_before_chooses_nothing(show, window, client, qtbot):
    show(RATE)
    for key in (Qt.Key.Key_3, Qt.Key.Key_Left, Qt.Key.Key_Return):
        press(window, key, held=True)
    qtbot.wait(60)
    assert client.did("choose") == []


def test_first_click_on_a_word_chooses_its_step_only(show, window, client, qtbot):
    show(RATE)
    word = button(window, "word_1_3")
    card = button(window, "choice_1")
    qtbot.mouseClick(card, Qt.MouseButton.LeftButton, pos=word.geometry().center())
    assert told(client, qtbot, "choose") == [{"step": 4, "state": "most_negative", "word": ""}]


def test_nothing_is_confirmed_before_a_choice_and_nothing_changes_after(show, window, client, qtbot):
    show(RATE)
    qtbot.keyClick(window, Qt.Key.Key_Return)
    assert not button(window, "confirm").isEnabled()
    for key in ("3", Qt.Key.Key_Return, "1", Qt.Key.Key_Return):
        qtbot.keyClick(window, key)
    click(qtbot, window, "choice_5")
    told(client, qtbot, "confirm")
    qtbot.wait(60)
    assert len(client.did("confirm")) == 1
    assert [c["state"] for c in client.did("choose")] == ["neutral"]


def test_refused_confirmation_leaves_the_choice_open(show, window, client, qtbot):
    client.answers["confirm"] = {"error": "That report is over; wait for the next clip."}
    show(RATE)
    qtbot.keyClick(window, "3")
    with qtbot.waitSignal(window._bridge.commandFailed):
        qtbot.keyClick(window, Qt.Key.Key_Return)
    qtbot.keyClick(window, "4")
    assert told(client, qtbot, "choose", 2)[-1]["state"] == "less_positive"


def test_confirmation_refused_while_the_engine_was_away_leaves_the_choice_open(show, window, client, qtbot):
    show(RATE)
    for key in ("3", Qt.Key.Key_Return):
        qtbot.keyClick(window, key)
    told(client, qtbot, "confirm")
    client.shown = replace(client.shown, stage=replace(RATE, chosen="neutral"))
    qtbot.waitUntil(lambda: window._bridge.snapshot.stage.chosen == "neutral")  # none before it is to come
    window.canvas.show_waiting()
    window._bridge.commandFailed.emit("confirm", "The engine did not answer.")
    qtbot.waitUntil(lambda: isinstance(window.canvas.page, RatePage))
    assert button(window, "confirm").isEnabled()


def test_report_of_which_the_engine_knows_no_choice_can_still_be_given(
    show, window, client, qtbot, monkeypatch
):
    monkeypatch.setattr("emolab.gui.participant.canvas.LOCAL_S", 0.05)
    show(RATE)
    for key in ("3", Qt.Key.Key_Return):
        qtbot.keyClick(window, key)
    told(client, qtbot, "confirm")
    qtbot.waitUntil(lambda: not button(window, "choice_3").isChecked())
    qtbot.keyClick(window, "3")
    assert len(told(client, qtbot, "choose", 2)) == 2


def test_report_of_a_repeated_clip_can_be_given_again(show, window, client, qtbot):
    show(RATE)
    for key in ("3", Qt.Key.Key_Return):
        qtbot.keyClick(window, key)
    told(client, qtbot, "confirm")
    show(LISTEN)
    show(replace(RATE, opened_s=370.0, closes_s=400.0))
    assert not any(button(window, f"choice_{at}").isChecked() for at in range(1, 6))
    click(qtbot, window, "choice_1")
    qtbot.keyClick(window, Qt.Key.Key_Return)
    assert told(client, qtbot, "confirm", 2) == [{"step": 4}, {"step": 4}]
    assert [c["state"] for c in client.did("choose")] == ["neutral", "most_negative"]


def test_confirmed_report_stays_confirmed_when_its_onset_moves_or_the_engine_was_away(
    show, window, client, qtbot, moment
):
    show(RATE)
    for key in ("3", Qt.Key.Key_Return):
        qtbot.keyClick(window, key)
    told(client, qtbot, "confirm")
    moved = replace(RATE, chosen="neutral", opened_s=330.04, closes_s=360.04)
    client.shown = replace(client.shown, stage=moved)
    qtbot.waitUntil(lambda: window.canvas.page.view == moved)
    assert not button(window, "confirm").isEnabled()
    window.canvas.show_waiting()
    qtbot.waitUntil(lambda: isinstance(window.canvas.page, RatePage))
    assert not button(window, "confirm").isEnabled()
    qtbot.keyClick(window, "1")
    qtbot.wait(60)
    assert [c["state"] for c in client.did("choose")] == ["neutral"]


def test_choice_is_seen_at_once_and_an_older_snapshot_does_not_undo_it(show, window, client, qtbot, moment):
    show(RATE)
    qtbot.keyClick(window, "5")
    assert button(window, "choice_5").isChecked()
    moment.s += 0.9
    with qtbot.waitSignal(window._bridge.snapshotChanged):
        pass
    assert button(window, "choice_5").isChecked()


def test_engine_has_the_last_word_on_the_choice(show, window, client, qtbot, monkeypatch):
    monkeypatch.setattr("emolab.gui.participant.canvas.LOCAL_S", 0.05)
    show(RATE)
    qtbot.keyClick(window, "5")
    client.shown = replace(client.shown, stage=replace(RATE, chosen="less_negative", word="fear"))
    qtbot.waitUntil(lambda: button(window, "choice_2").isChecked())
    assert not button(window, "choice_5").isChecked()
    assert button(window, "word_2_1").isChecked()


@pytest.mark.parametrize("view", [CONSENT, REST, LISTEN, RATE], ids=lambda v: v.page)
def test_no_key_ends_anything(show, window, client, qtbot, view):
    show(view)
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_Backspace, Qt.Key.Key_Q, Qt.Key.Key_F4, Qt.Key.Key_Delete):
        qtbot.keyClick(window, key)
    qtbot.wait(60)
    assert window.isVisible()
    assert {c["do"] for c in client.commands} == {"shown"}


def test_time_left_is_a_bar_that_follows_the_clock(show, window, client, qtbot):
    client.shown = replace(client.shown, now_s=345.0)
    show(RATE)
    bar = window.canvas.page.bar
    qtbot.waitUntil(lambda: bar.left < 0.52)
    assert bar.left > 0.3
    before = bar.left
    client.may_answer.clear()  # between snapshots it moves by itself
    qtbot.waitUntil(lambda: bar.left < before - 0.005)


def test_pointer_is_hidden_where_there_is_nothing_to_click(show, window):
    shapes = {}
    for view in (CONSENT, INSTRUCT, REST, LISTEN, RATE):
        show(view)
        shapes[view.page] = window.canvas.cursor().shape() == Qt.CursorShape.BlankCursor
    assert shapes == {"consent": False, "instruct": False, "rest": True, "listen": True, "rate": False}


def test_lost_engine_gives_a_calm_page(show, window, client, qtbot):
    show(REST)
    client.is_gone = True
    qtbot.waitUntil(lambda: isinstance(window.canvas.page, WaitingPage))
    assert "experimenter will help" in window.canvas.page.text.accessibleName()
    assert window.canvas.cursor().shape() == Qt.CursorShape.BlankCursor


def test_stage_returns_when_the_engine_does(client, make_bridge, dressed, qtbot, monkeypatch):
    monkeypatch.setattr("emolab.gui.bridge.RECONNECT_S", 0.02)
    second = type(client)()
    second.shown = Snapshot(phase="running", stage=REST)
    window = ParticipantWindow(make_bridge(client, reconnect=lambda: second))
    qtbot.addWidget(window)
    window.seat("PART")
    client.is_gone = True
    qtbot.waitUntil(lambda: second.did("attach") != [])
    qtbot.waitUntil(lambda: second.did("shown") != [])
    assert second.did("attach")[0]["screen"] == "PART"
    assert window.canvas.page.title.accessibleName() == "Please rest"


def test_window_on_its_own_screen_tells_the_engine_which(window, client, qtbot):
    placement = window.seat("PART")
    assert placement.is_full_screen and placement.screen == "PART" and placement.sentence == ""
    qtbot.waitUntil(lambda: client.did("attach") != [])
    assert client.did("attach")[-1]["screen"] == "PART"


def test_engine_hears_of_a_lost_screen_and_of_its_return(window, client, qtbot, monkeypatch):
    from emolab.gui import screens

    window.seat("PART")
    real = screens._screen
    monkeypatch.setattr(screens, "_screen", lambda name: None)
    qtbot.waitUntil(lambda: client.did("screen_lost") != [])
    assert client.did("screen_lost") == [{"do": "screen_lost", "screen": "PART"}]
    assert not window.isVisible()
    monkeypatch.setattr(screens, "_screen", real)
    qtbot.waitUntil(lambda: client.did("screen_found") != [])
    assert window.isVisible()


def test_window_that_finds_its_engine_again_says_that_its_screen_has_gone_meanwhile(
    client, make_bridge, dressed, qtbot, monkeypatch
):
    from emolab.gui import screens

    monkeypatch.setattr("emolab.gui.bridge.RECONNECT_S", 0.02)
    second, may_find = type(client)(), []

    def find():
        if not may_find:
            raise ConnectionRefusedError("not yet")
        return second

    window = ParticipantWindow(make_bridge(client, reconnect=find))
    qtbot.addWidget(window)
    refused = []
    window._bridge.commandFailed.connect(lambda asked, _: refused.append(asked))
    window.seat("PART")
    qtbot.waitUntil(lambda: client.did("attach") != [])
    assert client.did("attach")[-1]["is_own"] is True
    client.is_gone = True
    qtbot.waitUntil(lambda: window._bridge.is_lost)
    monkeypatch.setattr(screens, "_screen", lambda name: None)
    qtbot.waitUntil(lambda: not window.watch.is_there)
    qtbot.waitUntil(lambda: refused == ["screen_lost"])  # else the second engine would be told it twice
    may_find.append(True)
    qtbot.waitUntil(lambda: second.did("attach") != [])
    told = [command for command in second.commands if command["do"] in ("attach", "screen_lost")]
    assert told == [
        {"do": "screen_lost", "screen": "PART"},
        {"do": "attach", "screen": "PART", "is_own": False},
    ], "held before it is let go, so that no clip begins between the two"


def test_keyboard_is_borrowed_for_the_report_and_given_back_for_the_clip(show, window, client, qtbot):
    console = QWidget()
    qtbot.addWidget(console)
    window.seat("PART")
    console.show()
    console.activateWindow()
    qtbot.waitUntil(console.isActiveWindow)
    show(RATE)
    qtbot.waitUntil(window.isActiveWindow)
    show(LISTEN)
    qtbot.waitUntil(console.isActiveWindow)


def test_keyboard_is_not_taken_from_someone_who_types(show, window, client, qtbot):
    note = QLineEdit()
    qtbot.addWidget(note)
    window.seat("PART")
    note.show()
    note.activateWindow()
    note.setFocus()
    qtbot.waitUntil(note.hasFocus)
    show(RATE)
    qtbot.wait(60)
    assert note.hasFocus() and not window.isActiveWindow()
