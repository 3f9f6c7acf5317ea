"""The pre-flight on the set-up page, and the reason without which nothing red is recorded."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from emolab.core.errors import ConfigError
from emolab.gui import theme
from emolab.gui.console import override
from emolab.gui.console.override import OverrideDialog, is_reason
from emolab.gui.console.readiness import Form, blockers, check_blocker, reds
from emolab.gui.console.start_bar import READY
from emolab.session import readiness
from emolab.session.prepare import NEVERTHELESS
from tests.gui import engine_states as states
from tests.gui.console_room import under_console
from tests.gui.fake_engine import FakeEngine
from tests.gui.test_console_fit import HEIGHT, WIDTH, wait_until_whole

GOOD = Form(participant="P014", session=0, protocol="emomusic.yaml")
SILENT = replace(states.CAMERA, level="act", age_s=6.0, message="camera has been silent for 6 s. Retry.")
RED_LIGHT = states.setup(streams=(states.BOARD, SILENT))
REASON = "pilot run, no camera"


@pytest.fixture
def flow(qtbot, dressed, tmp_path):
    with under_console(tmp_path) as made:
        made.window.setFixedSize(WIDTH, HEIGHT)
        yield made


@pytest.fixture
def setup(flow):
    flow.window.show_page("setup")
    return flow.window.setup


@pytest.fixture
def attach(flow, qtbot, tmp_path):
    """Puts the console before a fake engine in a given state."""

    def to(snapshot):
        study = tmp_path / "emomusic-2026"
        study.mkdir()
        rings = tmp_path / "rings"
        rings.mkdir()
        engine = FakeEngine(rings, snapshot)
        flow.enter(study)
        flow.window.setup.participant.fill("P014", 0)
        flow.desk.adopt(engine, study)
        qtbot.waitUntil(lambda: flow.desk.last is not None)
        return engine

    return to


@pytest.fixture
def asked(monkeypatch):
    """The lists of red things the console has asked about; the answer is `asked.reason`."""

    class Asked(list):
        reason = REASON

    made = Asked()

    def answer(_parent, red):
        made.append(list(red))
        return made.reason

    monkeypatch.setattr(override, "ask_reason", answer)
    return made


def did(engine, name):
    return [command for command in engine.commands if command["do"] == name]


# the check


def test_f5_asks_the_engine_to_look_at_the_very_session_that_is_entered(attach, flow, setup, qtbot):
    engine = attach(states.setup())
    qtbot.waitUntil(setup.check_button.isEnabled)
    QTest.keyClick(flow.window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: bool(did(engine, "preflight")))
    command = did(engine, "preflight")[0]
    assert (command["participant"], command["session"], command["seconds"]) == ("P014", 0, 10.0)
    assert command["protocol"].endswith("emomusic.yaml")
    assert len(command["screens"]) == 2
    assert all(set(screen) == {"name", "width", "height", "x", "y"} for screen in command["screens"])
    assert len({(screen["x"], screen["y"]) for screen in command["screens"]}) == 2
    assert flow.window._actions["check"].shortcut().toString() == "F5"


def test_f5_pressed_twice_is_one_check(attach, flow, setup, qtbot):
    engine = attach(states.setup())
    qtbot.waitUntil(setup.check_button.isEnabled)
    for _ in range(2):
        QTest.keyClick(flow.window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: bool(did(engine, "preflight")))
    qtbot.wait(100)
    assert len(did(engine, "preflight")) == 1 and setup.are_checks_open


def test_f5_does_nothing_outside_the_set_up_page(flow):
    flow.window.show_page("run")
    assert not flow.window._actions["check"].isEnabled()
    flow.window.show_page("setup")
    assert flow.window._actions["check"].isEnabled()


def test_a_bar_grows_while_it_looks_and_start_waits(attach, setup, qtbot):
    engine = attach(states.setup())
    qtbot.waitUntil(setup.check_button.isEnabled)
    setup.check_button.click()
    assert setup.preflight.bar.isVisible() and setup.preflight.bar.value() == 0
    engine.show(states.setup(preflight_progress=0.4))
    qtbot.waitUntil(lambda: setup.preflight.bar.value() == 400)
    assert not setup.start_button.isEnabled() and not setup.check_button.isEnabled()
    assert "being checked" in setup.readiness.sentence
    engine.show(states.checked())
    qtbot.waitUntil(lambda: len(setup.preflight.rows) == len(states.CHECKS))
    assert not setup.preflight.bar.isVisible()
    assert setup.check_button.isEnabled()


def test_the_results_of_the_last_check_are_not_taken_for_the_new_ones(setup, qtbot):
    setup.show_snapshot(states.checked())
    setup.preflight.begin()
    setup.show_snapshot(states.checked())  # the engine has not begun yet
    assert setup.preflight.rows == []
    setup.show_snapshot(states.setup(preflight_progress=0.1))
    setup.show_snapshot(states.checked())
    assert len(setup.preflight.rows) == len(states.CHECKS)


def test_results_of_a_check_that_began_and_ended_while_the_window_stood_still_are_shown(setup):
    setup.show_snapshot(states.checked(preflight_number=1))
    setup.preflight.begin()
    setup.show_snapshot(states.checked(preflight_number=1))
    assert setup.preflight.rows == []
    setup.show_snapshot(states.checked(preflight_number=2))
    assert len(setup.preflight.rows) == len(states.CHECKS) and not setup.preflight.is_awaited


def test_the_worst_stands_first_with_its_word_and_its_remedy(setup):
    setup.open_checks()
    setup.show_snapshot(states.checked())
    rows = setup.preflight.rows
    assert [row.light.level for row in rows[:4]] == ["act", "look", "look", "well"]
    assert rows[0].light.word == "act"
    assert "Loosen the belt" in rows[0].accessibleName() and "upper rail" in rows[0].accessibleName()
    assert setup.preflight.summary.sentence == "1 to act on, 2 to look at, 15 well."


def test_each_instrument_that_is_not_well_offers_its_two_ways_out_once(attach, setup, qtbot):
    engine = attach(states.checked())
    setup.open_checks()
    qtbot.waitUntil(lambda: bool(setup.preflight.rows))
    offered = [row for row in setup.preflight.rows if row.retry_button.isVisible()]
    assert [row.check.name for row in offered] == ["board: breath", "camera: picture"]
    offered[0].retry_button.click()
    offered[1].leave_out_button.click()
    qtbot.waitUntil(lambda: len(did(engine, "leave_out")) == 1)
    assert did(engine, "retry") == [{"do": "retry", "stream": "board"}]
    assert did(engine, "leave_out") == [{"do": "leave_out", "stream": "camera"}]


def test_what_was_left_out_says_so_and_no_longer_stands_in_the_way(setup):
    setup.participant.fill("P014", 0)
    out = replace(states.BOARD, level="look", is_left_out=True, message="left out")
    snapshot = replace(states.checked(), streams=(out, *states.STREAMS[1:]))
    setup.open_checks()
    setup.show_snapshot(snapshot)
    row = setup.preflight.rows[0]
    assert row.light.word == "out"
    assert row.retry_button.text() == "Take back in" and not row.leave_out_button.isVisible()
    assert reds(snapshot) == []
    assert blockers(GOOD, "", (), snapshot) == []


def test_escape_goes_back_to_the_instruments_and_the_results_are_kept(setup, qtbot):
    setup.show_snapshot(states.checked())
    setup.open_checks()
    assert setup.preflight.isVisible() and not setup.instruments.isVisible()
    QTest.keyClick(setup.window(), Qt.Key.Key_Escape)
    qtbot.waitUntil(setup.instruments.isVisible)
    assert not setup.preflight.isVisible()
    setup.results_button.click()
    assert setup.preflight.isVisible() and len(setup.preflight.rows) == len(states.CHECKS)
    assert not setup.results_button.isVisible()


def test_a_check_the_engine_refuses_says_why_and_shows_the_instruments_again(attach, flow, setup, qtbot):
    engine = attach(states.setup())
    engine.refuse = {"preflight": "the pre-flight is running already; wait for it"}
    qtbot.waitUntil(setup.check_button.isEnabled)
    setup.check_button.click()
    qtbot.waitUntil(lambda: "running already" in flow.window.notice.sentence)
    assert setup.instruments.isVisible()


def test_another_engine_begins_without_results(attach, flow, setup, qtbot):
    attach(states.checked())
    qtbot.waitUntil(lambda: bool(setup.preflight.rows))
    setup.open_checks()
    flow.desk.hang_up()
    assert setup.preflight.rows == [] and not setup.are_checks_open


@pytest.mark.parametrize(
    ("form", "plan_error", "snapshot", "why"),
    [
        (GOOD, "", None, "no instruments"),
        (GOOD, "", states.setup(preflight_progress=0.0), "being checked"),
        (replace(GOOD, protocol=""), "", states.setup(), "protocol first"),
        (GOOD, "mine.yaml:14: no such clip", states.setup(), "no such clip"),
        (replace(GOOD, participant=""), "", states.setup(), "Enter a pseudonym"),
    ],
)
def test_what_cannot_be_checked_yet_says_what_is_missing(form, plan_error, snapshot, why):
    assert why in check_blocker(form, plan_error, snapshot)
    assert check_blocker(GOOD, "", states.one_red()) == ""


# start with something red


def test_a_red_light_of_a_stream_that_has_delivered_asks_for_a_reason(attach, setup, qtbot, asked):
    engine = attach(RED_LIGHT)
    qtbot.waitUntil(setup.start_button.isEnabled)
    assert "anyway" in setup.start_button.text()
    assert "silent for 6 s" in setup.readiness.sentence
    setup.start_button.click()
    qtbot.waitUntil(lambda: bool(did(engine, "start")))
    assert did(engine, "start")[0]["override"] == REASON
    assert len(asked) == 1 and "silent for 6 s" in asked[0][0]


def test_red_checks_are_listed_in_the_question(attach, setup, qtbot, asked):
    attach(states.checked())
    qtbot.waitUntil(setup.start_button.isEnabled)
    setup.start_button.click()
    breath = next(check for check in states.CHECKS if check.level == "act")
    assert len(asked) == 1 and len(asked[0]) == 1
    assert breath.remedy in asked[0][0]


def test_going_back_records_nothing_and_seats_nobody(attach, flow, setup, qtbot, asked):
    asked.reason = ""
    engine = attach(RED_LIGHT)
    qtbot.waitUntil(setup.start_button.isEnabled)
    setup.start_button.click()
    qtbot.wait(100)
    assert len(asked) == 1
    assert not did(engine, "start") and not flow.seat.is_taken


def test_nothing_is_asked_when_nothing_is_red(attach, setup, qtbot, asked):
    engine = attach(states.setup())
    qtbot.waitUntil(setup.start_button.isEnabled)
    assert setup.readiness.sentence == READY
    setup.start_button.click()
    qtbot.waitUntil(lambda: bool(did(engine, "start")))
    assert asked == [] and "override" not in did(engine, "start")[0]


@pytest.mark.parametrize(
    "snapshot",
    [
        states.one_red(),
        replace(RED_LIGHT, message="Composing the clips: 3 of 35 are ready"),
        replace(states.checked(), preflight_progress=0.5),
        None,
    ],
    ids=["never delivered", "engine busy", "being checked", "no engine"],
)
def test_what_no_reason_helps_against_keeps_start_off(setup, snapshot):
    setup.participant.fill("P014", 0)
    setup.show_snapshot(RED_LIGHT)
    if snapshot is None:
        setup.watch(None)
    else:
        setup.show_snapshot(snapshot)
    assert not setup.start_button.isEnabled()
    assert "anyway" not in setup.start_button.text()


def test_a_pseudonym_is_needed_however_good_the_reason():
    found = blockers(replace(GOOD, participant=""), "", (), RED_LIGHT)
    assert [b.can_override for b in found if b.field == "participant"] == [False]


def test_a_refusal_for_red_that_came_this_moment_asks_the_same_question(
    attach, flow, setup, qtbot, asked, monkeypatch
):
    engine = attach(states.setup())
    qtbot.waitUntil(setup.start_button.isEnabled)
    engine.refuse = {"start": f"camera is silent. Retry it. {NEVERTHELESS}"}

    def answer(_parent, red):
        asked.append(list(red))
        engine.refuse = {}
        return REASON

    monkeypatch.setattr(override, "ask_reason", answer)
    setup.start_button.click()
    qtbot.waitUntil(lambda: len(did(engine, "start")) == 2)
    assert asked == [["camera is silent. Retry it."]]
    assert [command.get("override") for command in did(engine, "start")] == [None, REASON]
    assert flow.seat.is_taken


def test_a_refusal_no_reason_helps_against_is_a_notice(attach, flow, setup, qtbot, asked):
    engine = attach(states.setup())
    engine.refuse = {"start": "camera has not delivered anything yet and cannot be recorded"}
    qtbot.waitUntil(setup.start_button.isEnabled)
    setup.start_button.click()
    qtbot.waitUntil(lambda: "not delivered anything" in flow.window.notice.sentence)
    assert asked == []


def test_the_engine_ends_its_refusal_with_the_words_the_console_waits_for():
    engine = SimpleNamespace(preflight=None, pumps={}, left_out=list, health=lambda: (SILENT,))
    with pytest.raises(ConfigError, match="silent for 6 s") as caught:
        readiness.gate(engine, "")
    assert str(caught.value).endswith(NEVERTHELESS)


# the question itself


@pytest.mark.parametrize("words", ["", "   ", "ok", "x", "........", "- - - - - -", "试录"])
def test_a_grunt_is_no_reason(words):
    assert not is_reason(words)


@pytest.mark.parametrize("words", [REASON, "pilot run", "试录，不用相机"])
def test_a_few_words_are_a_reason(words):
    assert is_reason(words)


@pytest.fixture
def dialog(qtbot, dressed):
    made = OverrideDialog(["Breath is railed. Loosen the belt."])
    qtbot.addWidget(made)
    made.show()
    return made


def test_it_is_answered_with_the_keyboard_alone(dialog, qtbot):
    done = []
    dialog.accepted.connect(lambda: done.append("accepted"))
    QTest.keyClick(dialog.field, Qt.Key.Key_Return)
    assert done == [] and not dialog.record_button.isEnabled()
    QTest.keyClicks(dialog.field, f" {REASON}  ")
    assert dialog.record_button.isEnabled()
    QTest.keyClick(dialog.field, Qt.Key.Key_Return)
    assert done == ["accepted"]
    assert dialog.reason == REASON


def test_escape_goes_back(dialog, qtbot):
    dialog.field.setText(REASON)
    with qtbot.waitSignal(dialog.rejected):
        QTest.keyClick(dialog.field, Qt.Key.Key_Escape)


def test_a_reason_that_is_deleted_again_switches_recording_off(dialog):
    dialog.field.setText(REASON)
    dialog.field.clear()
    assert not dialog.record_button.isEnabled()


# how it looks


@pytest.mark.parametrize("name", ["dark", "light"])
@pytest.mark.parametrize("state", [states.checked, lambda: states.setup(preflight_progress=0.4)])
@pytest.mark.parametrize("is_open", [True, False])
def test_nothing_is_cut_off(flow, setup, qapp, qtbot, name, state, is_open):
    theme.apply(qapp, name, 1.0)
    setup.participant.fill("P014", 0)
    setup.show_snapshot(state())
    if is_open:
        setup.open_checks()
    wait_until_whole(qtbot, flow.window)
    assert flow.window.minimumSizeHint().width() <= WIDTH
    assert flow.window.minimumSizeHint().height() <= HEIGHT
    theme.apply(qapp, "dark", 1.0)


@pytest.mark.parametrize("count", [1, 12])
def test_nothing_is_cut_off_in_the_question(qtbot, dressed, count):
    dialog = OverrideDialog(
        ["Breath lies at the rail for 98 % of the time. Loosen the belt by a hole."] * count
    )
    qtbot.addWidget(dialog)
    dialog.show()
    wait_until_whole(qtbot, dialog)
    assert dialog.height() < HEIGHT


def test_every_control_has_a_name_for_the_ear(setup, qtbot):
    setup.open_checks()
    setup.show_snapshot(states.checked())
    qtbot.waitUntil(setup.preflight.rows[0].retry_button.isVisible)
    for button in setup.findChildren(QPushButton):
        if button.isVisible():
            assert QAccessible.queryAccessibleInterface(button).text(QAccessible.Text.Name)
    retry = [row.retry_button for row in setup.preflight.rows if row.retry_button.isVisible()]
    assert [button.accessibleName() for button in retry] == ["Retry board", "Retry camera"]
    assert setup.preflight.bar.accessibleName() and setup.preflight.results.accessibleName()
