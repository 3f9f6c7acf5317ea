"""The console as a whole: intentions become commands, snapshots become pages."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QScreen
from PySide6.QtWidgets import QAbstractButton, QLabel, QMessageBox

from emolab.core.errors import ConfigError
from emolab.devices.simulated import demo_device_file
from emolab.gui import app as program
from emolab.gui.console import armed_button, dialogs, planning
from emolab.gui.console.memory import Memory
from emolab.protocol.load import load
from emolab.recording.recover import was_cut_off
from emolab.session import client as engines
from emolab.study import consent, participants
from emolab.training.opened import folder_of
from tests.gui import engine_states as states
from tests.gui.console_room import attached, take_fakes, under_console
from tests.gui.fake_engine import FakeEngine
from tests.gui.windows import PATIENCE_MS
from tests.recording.made import killed

DEVICES = '[[instrument]]\nkind = "microphone"\nname = "microphone"\n'
UNDERLINED = re.compile(r"&(\w)")


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "emomusic-2026"
    (path / "P013").mkdir(parents=True)
    (path / "P013" / "P013_session-0.h5").touch()
    (path / "devices.toml").write_text(DEVICES, encoding="utf-8")
    return path


@pytest.fixture
def started(monkeypatch, tmp_path):
    """The fake engines the console has started."""
    return take_fakes(monkeypatch, tmp_path)


@pytest.fixture
def flow(qtbot, dressed, tmp_path, started):
    with under_console(tmp_path) as made:
        yield made


@pytest.fixture
def attach(flow, qtbot, study):
    """Puts the console before a fake engine in a given state."""
    return lambda snapshot: attached(flow, qtbot, study, snapshot)


def did(engine, name):
    return [command for command in engine.commands if command["do"] == name]


def test_opening_a_study_connects_its_instruments_and_suggests_the_next_pseudonym(
    flow, qtbot, study, started
):
    flow.open_study(study)
    qtbot.waitUntil(lambda: flow.window.setup.start_button.isEnabled())
    assert flow.window.page == "setup"
    assert flow.window.setup.form.participant == "P014"
    assert len(started) == 1


def test_who_was_given_a_pseudonym_is_offered_it_and_who_withdrew_is_refused(flow, qtbot, study, started):
    participants.allocate(study)
    participants.mark_withdrawn(study, "P013")
    flow.open_study(study)
    setup = flow.window.setup
    qtbot.waitUntil(setup.start_button.isEnabled)
    assert setup.form.participant == "P014" and participants.allocate(study).id == "P015"
    setup.participant.fill("P013", 1)
    qtbot.waitUntil(lambda: not setup.start_button.isEnabled())
    assert "P013 withdrew on" in setup.participant.problem.sentence


def test_the_consent_text_to_be_shown_is_named(flow, qtbot, study, started):
    flow.open_study(study)
    shown = flow.window.setup.participant.consent
    qtbot.waitUntil(lambda: "to be kept" in shown.text())
    page = load(planning.shipped_protocols()[0]).text("en").consent
    consent.keep(study, "en", replace(page, text="Approved."))
    flow.plan()
    assert shown.isVisible() and shown.text().startswith("Consent: version 1 (en)")


def test_start_seats_the_participant_before_it_records(flow, qtbot, study, started):
    flow.open_study(study)
    qtbot.waitUntil(lambda: flow.window.setup.start_button.isEnabled())
    flow.window.setup.start_button.click()
    qtbot.waitUntil(lambda: bool(did(started[0], "start")))
    order = [command["do"] for command in started[0].commands]
    assert order.index("attach") < order.index("start")
    command = did(started[0], "start")[0]
    assert (command["participant"], command["session"], command["answers"]) == ("P014", 0, "window")
    assert Path(command["protocol"]).stem == "emomusic"
    assert flow.seat.window.isVisible()


def test_a_session_that_broke_off_can_be_gone_on_with(flow, qtbot, study, started, monkeypatch):
    offers = {("P013", 0): "Go on with it: it broke off after 6 clips"}
    monkeypatch.setattr(planning, "broken_off", lambda study, who, number: offers.get((who, number), ""))
    flow.open_study(study)
    qtbot.waitUntil(lambda: flow.desk.last is not None)
    setup = flow.window.setup
    assert setup.participant.resume.isHidden()
    setup.participant.fill("P013", 0)
    qtbot.waitUntil(setup.participant.resume.isVisible)
    assert "6 clips" in setup.participant.resume.text()
    assert not setup.start_button.isEnabled()
    setup.participant.resume.setChecked(True)
    qtbot.waitUntil(setup.start_button.isEnabled)
    setup.start_button.click()
    qtbot.waitUntil(lambda: bool(did(started[0], "start")))
    assert did(started[0], "start")[0]["resume"] is True
    setup.participant.fill("P014", 0)
    qtbot.waitUntil(setup.participant.resume.isHidden)
    assert not setup.form.resume


def test_what_broke_off_is_made_whole_by_itself_and_can_be_gone_on_with(
    flow, qtbot, study, started, monkeypatch
):
    broken = killed(study / "P012" / "P012_session-3.h5")
    flow.open_study(study)
    setup = flow.window.setup
    bar = setup.mended
    qtbot.waitUntil(lambda: "whole again" in bar.sentence)
    assert "Session 3 of P012" in bar.sentence and "00:01" in bar.sentence
    assert not was_cut_off(broken)
    assert setup.form.participant == "P014"  # nothing is chosen for the experimenter
    bar.resume_button.click()
    assert (setup.form.participant, setup.form.session, setup.form.resume) == ("P012", 3, True)
    bar.dismiss_button.click()
    assert bar.isHidden()
    flow.open_study(study)
    qtbot.wait(300)
    assert bar.isHidden()


def test_what_cannot_be_made_whole_is_told_in_red(flow, qtbot, study, started):
    broken = killed(study / "P012" / "P012_session-3.h5")
    content = broken.read_bytes()
    broken.write_bytes(content[:12] + bytes(len(content) - 12))
    flow.open_study(study)
    bar = flow.window.setup.mended
    qtbot.waitUntil(lambda: "could not be made whole" in bar.sentence)
    assert str(broken) in bar.sentence and bar.resume_button.isHidden()


def test_a_refused_start_says_why_and_takes_the_participants_page_away(flow, qtbot, study, started):
    flow.open_study(study)
    qtbot.waitUntil(lambda: flow.window.setup.start_button.isEnabled())
    started[0].refuse = {"start": "P014 has a session 0 already; take session 1"}
    flow.window.setup.start_button.click()
    qtbot.waitUntil(lambda: "take session 1" in flow.window.notice.sentence)
    assert not flow.seat.is_taken
    assert flow.window.page == "setup"


def test_an_engine_that_does_not_come_up_is_told_where_the_instruments_are(flow, qtbot, study, monkeypatch):
    def fail(*_args):
        raise ConfigError("devices.toml:3: there is no port /dev/ttyUSB7; plug the board in")

    monkeypatch.setattr(engines, "start_engine", fail)
    flow.open_study(study)
    state = flow.window.setup.instruments._state
    qtbot.waitUntil(lambda: "plug the board in" in state.text())
    assert not flow.window.setup.start_button.isEnabled()


def test_a_damaged_devices_file_is_told_without_starting_anything(flow, qtbot, study, started):
    (study / "devices.toml").write_text("[[instrument]\n", encoding="utf-8")
    flow.open_study(study)
    assert "devices.toml:1" in flow.window.setup.instruments._state.text()
    assert started == []


@pytest.mark.parametrize(
    ("state", "page"),
    [
        ("setup", "setup"), ("running", "run"), ("paused", "run"), ("holding", "run"),
        ("finished_well", "finish"), ("failed", "lost"),
    ],
)  # fmt: skip
def test_each_phase_has_its_page(attach, flow, qtbot, state, page):
    attach(states.ALL[state]())
    qtbot.waitUntil(lambda: flow.window.page == page)


@pytest.mark.parametrize(
    ("key", "command"),
    [
        (Qt.Key.Key_P, {"do": "pause"}),
        (Qt.Key.Key_M, {"do": "mark", "text": ""}),
    ],
)
def test_one_key_is_enough_for_what_can_be_undone(attach, flow, qtbot, key, command):
    engine = attach(states.running())
    qtbot.keyClick(flow.window.run, key)
    qtbot.waitUntil(lambda: command in engine.commands)


@pytest.mark.parametrize(("key", "name"), [(Qt.Key.Key_S, "skip"), (Qt.Key.Key_R, "repeat")])
def test_skip_and_repeat_take_their_key_and_then_enter(attach, flow, qtbot, monkeypatch, key, name):
    monkeypatch.setattr(armed_button, "ARMED_MS", PATIENCE_MS)
    engine = attach(states.running())
    qtbot.waitUntil(lambda: flow.window.page == "run")
    qtbot.keyClick(flow.window.run, key)
    qtbot.wait(100)
    assert not did(engine, name)
    qtbot.keyClick(flow.window.focusWidget(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(did(engine, name)) == 1)
    if name == "skip":
        assert did(engine, name)[0]["step"] == states.running().step


def test_letters_typed_into_a_note_are_no_commands(attach, flow, qtbot, monkeypatch):
    asked = []
    monkeypatch.setattr(dialogs, "ask_classifier", lambda *_: asked.append(1))
    engine = attach(states.running())
    qtbot.waitUntil(lambda: flow.window.page == "run")
    qtbot.keyClick(flow.window.run, Qt.Key.Key_N)
    qtbot.keyClicks(flow.window.focusWidget(), "prism, Cough")
    qtbot.keyClick(flow.window.focusWidget(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: did(engine, "note") == [{"do": "note", "text": "prism, Cough"}])
    assert not did(engine, "pause") and not did(engine, "mark") and not asked


def test_run_keys_do_nothing_on_other_pages(attach, flow, qtbot):
    engine = attach(states.setup())
    qtbot.waitUntil(lambda: flow.window.page == "setup")
    for key in (Qt.Key.Key_M, Qt.Key.Key_C):
        qtbot.keyClick(flow.window, key)
    qtbot.wait(100)
    assert not did(engine, "mark") and not flow.window.run.signals.classifier_button.isChecked()


def test_escape_held_for_a_second_ends_the_session(attach, flow, qtbot):
    engine = attach(states.running())
    qtbot.waitUntil(lambda: flow.window.page == "run")
    qtbot.keyPress(flow.window.run, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: bool(did(engine, "abort")))
    qtbot.keyRelease(flow.window.run, Qt.Key.Key_Escape)


def test_retry_reaches_every_red_instrument(attach, flow, qtbot):
    engine = attach(states.unwell())
    flow.retry()
    qtbot.waitUntil(lambda: did(engine, "retry") == [{"do": "retry", "stream": "board"}])


def test_closing_a_running_session_asks_and_leaves_the_engine_running(attach, flow, qtbot, monkeypatch):
    engine = attach(states.running())
    monkeypatch.setattr(dialogs, "ask_closing", lambda _parent: dialogs.CLOSE)
    with qtbot.waitSignal(flow.window.left):
        flow.window.close()
    assert not did(engine, "shutdown") and not did(engine, "abort")


def test_closing_can_stop_the_session_first(attach, flow, qtbot, monkeypatch):
    engine = attach(states.running())
    monkeypatch.setattr(dialogs, "ask_closing", lambda _parent: dialogs.STOP)
    typed = [False, True]
    monkeypatch.setattr(dialogs, "ask_stopping", lambda _parent: typed.pop(0))
    flow.window.close()
    qtbot.waitUntil(lambda: typed == [True])
    qtbot.wait(100)
    assert not did(engine, "abort"), "a stop takes the typed word too"
    flow.window.close()
    qtbot.waitUntil(lambda: bool(did(engine, "abort")))
    assert flow.window.isVisible()


def test_closing_before_the_session_ends_the_engine_too(attach, flow, qtbot):
    engine = attach(states.setup())
    with qtbot.waitSignal(flow.window.left):
        flow.window.close()
    assert did(engine, "shutdown")


def test_a_dead_engine_shows_the_red_page(attach, flow, qtbot):
    engine = attach(states.running())
    qtbot.waitUntil(lambda: flow.window.page == "run")
    engine.alive = False
    qtbot.waitUntil(lambda: flow.window.page == "lost")
    assert "emolab recover" in flow.window.lost._command.text()


def test_the_next_participant_gets_a_fresh_engine_and_the_next_pseudonym(attach, flow, qtbot, study, started):
    old = attach(states.finished())
    qtbot.waitUntil(lambda: flow.window.page == "finish")
    (study / "P014").mkdir()
    (study / "P014" / "P014_session-0.h5").touch()
    flow.memory.keep(study, devices=str(study / "devices.toml"))
    flow.window.finish.next_button.click()
    qtbot.waitUntil(lambda: len(started) == 1)
    assert did(old, "shutdown")
    assert flow.window.setup.form.participant == "P015"


def test_attached_again_the_console_knows_devices_file_and_speed_of_the_engine(
    flow, qtbot, study, started, tmp_path, monkeypatch
):
    devices = tmp_path / "simulated.toml"
    devices.write_text(demo_device_file(), encoding="utf-8")
    flow.memory.keep(study, devices=str(devices))
    (tmp_path / "rings").mkdir()
    engine = FakeEngine(tmp_path / "rings", states.setup(study=str(study), speed=2.0))
    monkeypatch.setattr(engines, "attach", lambda _study: engine)
    flow.attach(study)
    qtbot.waitUntil(lambda: flow.desk.last is not None)
    assert flow.window.setup.instruments._file.text() == str(devices)
    assert flow.window.setup.participant.simulated.isChecked()
    speeds = []
    monkeypatch.setattr(flow.desk, "start", lambda _study, _devices, speed: speeds.append(speed))
    flow.next_participant()
    assert speeds == [2.0]


def test_another_devices_file_is_named_once_its_engine_runs(flow, qtbot, study, started):
    flow.open_study(study)
    qtbot.waitUntil(lambda: flow.desk.last is not None)
    other = study / "other.toml"
    other.write_text(DEVICES, encoding="utf-8")
    flow.use_devices(other)
    qtbot.waitUntil(lambda: len(started) == 2 and flow.desk.last is not None)
    assert flow.window.setup.instruments._file.text() == str(other)


@pytest.mark.parametrize("page", ["start", "setup", "finish", "lost"])
def test_each_underlined_letter_means_one_thing_on_its_page(flow, page):
    """Qt jumps from one to the next where two share a letter, and presses neither."""
    window = flow.window
    window.show_page(page)
    held = window.centralWidget().currentWidget()
    buddies = [label.text() for label in held.findChildren(QLabel) if label.buddy() is not None]
    buttons = [button.text() for button in held.findChildren(QAbstractButton)]
    titles = [action.text() for action in window.menuBar().actions()]
    letters = [
        found[1].lower() for words in (*titles, *buddies, *buttons) if (found := UNDERLINED.search(words))
    ]
    assert sorted(letters) == sorted(set(letters))


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1280, 800), (1920, 1080)])
def test_the_console_with_its_frame_fits_on_the_screen(flow, monkeypatch, width, height):
    room = QRect(0, 0, width, height)
    monkeypatch.setattr(QScreen, "availableGeometry", lambda _screen: room)
    program.show(flow.window)
    framed = flow.window.geometry().adjusted(0, 0, 0, program.TITLE_PX)
    assert room.contains(framed)


def test_a_session_found_running_without_a_participants_page_gets_one(attach, flow, qtbot):
    engine = attach(states.running(screen=""))
    qtbot.waitUntil(lambda: flow.seat.is_taken)
    qtbot.waitUntil(lambda: bool(did(engine, "attach")))


def test_a_session_whose_participant_has_a_page_is_left_alone(attach, flow, qtbot):
    attach(states.running(screen="PART"))
    qtbot.waitUntil(lambda: flow.window.page == "run")
    assert not flow.seat.is_taken


def test_enter_presses_the_button_in_focus_but_none_while_a_session_runs(attach, flow, qtbot, study):
    flow.window.start.show_running(study, states.running())
    flow.window.start.attach_button.setFocus()
    flow.window.start.attachRequested.disconnect()
    with qtbot.waitSignal(flow.window.start.attachRequested):
        qtbot.keyClick(flow.window.start.attach_button, Qt.Key.Key_Return)
    engine = attach(states.running())
    qtbot.waitUntil(lambda: flow.window.page == "run")
    flow.window.run.hand.pause_button.setFocus()
    qtbot.keyClick(flow.window.run.hand.pause_button, Qt.Key.Key_Return)
    qtbot.wait(100)
    assert not did(engine, "pause")


def test_the_keyboard_goes_to_the_participant_while_a_page_asks_and_back_to_the_console(
    attach, flow, qtbot, monkeypatch
):
    engine = attach(states.running(screen=""))
    qtbot.waitUntil(lambda: flow.seat.is_taken)
    got = []
    monkeypatch.setattr(flow.seat.window, "activateWindow", lambda: got.append("participant"))
    monkeypatch.setattr(flow.window, "activateWindow", lambda: got.append("console"))
    engine.show(states.reporting())
    qtbot.waitUntil(lambda: got[-1:] == ["participant"])
    engine.show(states.running(trial=8))
    qtbot.waitUntil(lambda: got[-1:] == ["console"])


def test_holding_escape_on_after_the_stop_asks_for_nothing_more(attach, flow, qtbot):
    engine = attach(states.running())
    qtbot.waitUntil(lambda: flow.window.page == "run")
    held = flow.window.run
    held.stopRequested.connect(lambda: qtbot.keyPress(held, Qt.Key.Key_Escape))  # the keyboard repeats it
    qtbot.keyPress(held, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: bool(did(engine, "abort")))
    for _ in range(30):
        qtbot.keyPress(flow.window.run, Qt.Key.Key_Escape)
        qtbot.wait(40)
    assert len(did(engine, "abort")) == 1
    qtbot.keyRelease(flow.window.run, Qt.Key.Key_Escape)


def test_our_own_errors_become_a_notice_and_others_a_dialog(flow, qtbot):
    door = program.FaultDoor(flow.window)
    try:
        fault = ConfigError("no such folder; make it")
        sys.excepthook(ConfigError, fault, None)
        qtbot.waitUntil(lambda: flow.window.notice.sentence == "no such folder; make it")
        sys.excepthook(KeyError, KeyError("speed"), None)
        qtbot.waitUntil(lambda: bool(door._open))
        box = door._open[0]
        assert isinstance(box, QMessageBox) and "KeyError" in box.text()
        box.close()
    finally:
        door.close()


def test_closing_one_of_many_faults_makes_room_for_one(flow, qtbot):
    door = program.FaultDoor(flow.window)
    try:
        for _ in range(2):
            for _ in range(6):
                sys.excepthook(KeyError, KeyError("speed"), None)
            qtbot.wait(50)
            shown = [box for box in flow.window.findChildren(QMessageBox) if box.isVisible()]
            assert len(shown) == program.MOST_DIALOGS
            shown[0].close()
    finally:
        door.close()


def test_a_study_remembers_which_classifier_is_read_out(flow, qtbot, study, tmp_path, started, monkeypatch):
    asked = []
    monkeypatch.setattr(dialogs, "ask_classifier", lambda _parent, now, _own: asked.append(now) or run)
    run = str(tmp_path)
    flow.reading.ask()  # before a study is open
    assert not asked and "Open a study first" in flow.window.notice.sentence
    flow.enter(study)
    flow.reading.ask()
    assert asked == ["default"] and "no classifier" in flow.window.notice.sentence
    assert flow.reading.run_of(study) == "default"
    run = str(shutil.copytree(folder_of("default"), tmp_path / "mine"))
    flow.reading.ask()
    assert "C reads out svm, arousal in this study" in flow.window.notice.sentence
    assert Memory(tmp_path / "memory.json").of(study)["classifier"] == run
    assert flow.reading.run_of(study) == run
    run = "default"
    flow.reading.ask()
    assert asked[-1] == str(tmp_path / "mine") and flow.reading.run_of(study) == "default"
