"""From one session to the next: what is kept, what must not follow, and what is asked before leaving."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QWidget

from emolab.gui import screens
from emolab.gui.console import dialogs
from emolab.gui.console import flow as flow_module
from emolab.gui.console.flow import Flow
from emolab.gui.console.room_panel import RoomPanel
from emolab.gui.screens import ScreenFact
from emolab.session import client as engines
from emolab.session.snapshot import Snapshot
from tests.gui import engine_states as states
from tests.gui.console_room import take_fakes, under_console
from tests.gui.fake_engine import FakeEngine

THREE = [
    ScreenFact(name, QRect(1366 * at, 0, 1366, 768), at == 0, 1.0)
    for at, name in enumerate(("EXP", "PART", "THIRD"))
]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "emomusic-2026"
    path.mkdir()
    devices = '[[instrument]]\nkind = "microphone"\nname = "microphone"\n'
    (path / "devices.toml").write_text(devices, encoding="utf-8")
    return path


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[FakeEngine]:
    """The fake engines the console has started."""
    return take_fakes(monkeypatch, tmp_path)


@pytest.fixture
def flow(qtbot: Any, dressed: Any, tmp_path: Path, started: list[FakeEngine]) -> Iterator[Flow]:
    with under_console(tmp_path) as made:
        yield made


@pytest.fixture
def recording(flow: Flow, qtbot: Any, study: Path, started: list[FakeEngine]) -> FakeEngine:
    """An engine of a study that is open; its session runs and the participant has a page."""
    flow.open_study(study)
    qtbot.waitUntil(lambda: flow.desk.last is not None)
    show(flow, qtbot, started[0], states.running(15, screen=""), "run")
    qtbot.waitUntil(lambda: flow.seat.is_taken)
    return started[0]


def show(flow: Flow, qtbot: Any, engine: FakeEngine, snapshot: Snapshot, page: str) -> None:
    engine.show(snapshot)
    qtbot.waitUntil(lambda: flow.window.page == page)


def did(engine: FakeEngine, name: str) -> list[dict[str, Any]]:
    return [command for command in engine.commands if command["do"] == name]


# what is kept


def test_the_next_participant_and_the_next_day_get_the_language_chosen_before(
    flow: Flow, qtbot: Any, study: Path, started: list[FakeEngine], tmp_path: Path
) -> None:
    flow.open_study(study)
    setup = flow.window.setup
    qtbot.waitUntil(setup.start_button.isEnabled)
    setup.participant.language.setCurrentIndex(setup.participant.language.findData("zh"))
    setup.start_button.click()
    qtbot.waitUntil(lambda: bool(did(started[0], "start")))
    show(flow, qtbot, started[0], states.finished(), "finish")
    flow.window.finish.next_button.click()
    qtbot.waitUntil(lambda: len(started) == 2 and flow.desk.last is not None)
    assert setup.form.language == "zh"
    with under_console(tmp_path) as next_day:
        next_day.enter(study)
        assert next_day.window.setup.form.language == "zh"
        assert "(zh)" in next_day.window.setup.participant.consent.text(), "the text that will be shown"


def test_the_language_of_the_settings_is_chosen_until_the_user_chooses(flow: Flow, study: Path) -> None:
    flow.settings = replace(flow.settings, language="zh")
    flow.enter(study)
    assert flow.window.setup.form.language == "zh"


def test_a_language_a_protocol_lacks_is_chosen_again_where_there_are_texts(flow: Flow) -> None:
    panel = flow.window.setup.participant
    panel.want_language("zh")
    panel.show_languages(("en", "de"), "de")
    assert panel.language.currentData() == "de" and panel.wanted_language == "zh"
    panel.show_languages(("en", "zh"), "en")
    assert panel.language.currentData() == "zh"


def test_the_screen_chosen_before_is_chosen_again(
    flow: Flow, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screens, "screens", lambda: THREE)
    flow.memory.keep(study, screen="THIRD")
    flow.enter(study)
    assert flow.window.setup.room.chosen == "THIRD"


def test_a_screen_that_is_not_there_is_chosen_once_it_is(flow: Flow) -> None:
    room = RoomPanel(flow.window)
    room.show_screens(THREE)
    room.chooser.setCurrentIndex(room.chooser.findData("THIRD"))
    room.show_screens(THREE[:2])
    assert room.chosen == "PART" and room.wanted == "THIRD"
    room.show_screens(THREE)
    assert room.chosen == "THIRD"


def test_words_half_written_when_the_session_ends_become_its_note(
    flow: Flow, qtbot: Any, recording: FakeEngine
) -> None:
    flow.window.run.hand.words_field.setFocus()
    flow.window.run.hand.words_field.setText("her hand hu")
    show(flow, qtbot, recording, states.finished(), "finish")
    qtbot.keyClicks(flow.window.focusWidget(), "rts")  # the fingers go on
    flow.window.finish.next_button.click()
    qtbot.waitUntil(lambda: bool(did(recording, "shutdown")))
    assert did(recording, "note") == [{"do": "note", "text": "her hand hurts"}]


@pytest.mark.parametrize("leave", [Flow.leave_study, Flow.close], ids=["other study", "closed"])
def test_a_note_written_at_the_end_is_kept_however_the_page_is_left(
    flow: Flow, qtbot: Any, recording: FakeEngine, leave: Callable[[Flow], None]
) -> None:
    show(flow, qtbot, recording, states.finished(), "finish")
    flow.window.finish.note_field.setPlainText("fell asleep in clip 9")
    leave(flow)
    qtbot.waitUntil(lambda: bool(did(recording, "shutdown")))
    assert [command["do"] for command in recording.commands][-2:] == ["note", "shutdown"]
    assert flow.window.finish.note_field.toPlainText() == ""


# what must not follow


def test_words_half_written_when_the_recording_fails_are_kept_as_its_note(
    flow: Flow, qtbot: Any, recording: FakeEngine
) -> None:
    flow.window.run.hand.words_field.setText("her hand hurts")
    show(
        flow, qtbot, recording, replace(states.running(), phase="failed", message="The disk is full."), "lost"
    )
    qtbot.waitUntil(lambda: bool(did(recording, "note")))
    assert did(recording, "note") == [{"do": "note", "text": "her hand hurts"}]
    assert flow.window.lost._draft.text() == "You were writing: her hand hurts"


def test_words_half_written_when_the_engine_dies_can_be_copied_from_the_red_page(
    flow: Flow, qtbot: Any, recording: FakeEngine, started: list[FakeEngine]
) -> None:
    lost = flow.window.lost
    flow.window.run.hand.words_field.setText("her hand hu")
    recording.alive = False
    qtbot.waitUntil(lambda: flow.window.page == "lost")
    assert lost._draft.text() == "You were writing: her hand hu" and lost._draft.isVisible()
    lost.again_button.click()
    qtbot.waitUntil(lambda: len(started) == 2 and flow.desk.last is not None)
    assert not lost._draft.text()


def test_nothing_of_one_session_stays_on_the_run_page_for_the_next(
    flow: Flow, qtbot: Any, study: Path, recording: FakeEngine, started: list[FakeEngine]
) -> None:
    run = flow.window.run
    run.hand.words_field.setText("half a wo")
    run.signals.freeze_button.click()
    flow.desk.start(study, study / "devices.toml")
    qtbot.waitUntil(lambda: len(started) == 2 and flow.desk.last is not None)
    assert run.hand.words_field.text() == ""
    assert not run.signals.freeze_button.isChecked()


def test_a_note_whose_engine_has_died_is_not_sent_into_the_next_session(
    flow: Flow, qtbot: Any, recording: FakeEngine, started: list[FakeEngine]
) -> None:
    show(flow, qtbot, recording, states.finished(), "finish")
    flow.window.finish.note_field.setPlainText("of the one before")
    recording.alive = False
    qtbot.waitUntil(lambda: flow.window.page == "lost")
    assert "of the one before" in flow.window.lost._draft.text()
    flow.window.lost.again_button.click()
    qtbot.waitUntil(lambda: len(started) == 2 and flow.desk.last is not None)
    assert flow.window.finish.note_field.toPlainText() == ""


def test_a_study_just_left_is_not_entered_again_while_its_engine_ends(
    flow: Flow, qtbot: Any, study: Path, started: list[FakeEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    flow.open_study(study)
    qtbot.waitUntil(lambda: flow.desk.last is not None)
    asked: list[Path] = []
    monkeypatch.setattr(flow_module, "find_engine", lambda _study: started[0].address)
    monkeypatch.setattr(engines, "attach", lambda study: asked.append(study) or started[0])
    flow.leave_study()
    qtbot.wait(300)
    assert flow.window.page == "start" and asked == []


def test_what_is_heard_late_of_one_study_does_not_take_another_ones_session_away(
    flow: Flow, qtbot: Any, study: Path, recording: FakeEngine, started: list[FakeEngine], tmp_path: Path
) -> None:
    bridge = flow.desk.bridge
    flow._chores.peeked.emit(tmp_path / "opened before", states.setup())
    flow._chores.proposed.emit(study / "devices.toml")
    flow._chores.proposed.emit(tmp_path / "opened before" / "devices.toml")
    qtbot.wait(100)
    assert flow.study == study and flow.desk.bridge is bridge and len(started) == 1
    assert flow.window.page == "run"


def test_a_devices_file_is_named_from_the_moment_it_is_chosen(
    flow: Flow, qtbot: Any, study: Path, started: list[FakeEngine]
) -> None:
    flow.open_study(study)
    qtbot.waitUntil(lambda: flow.desk.last is not None)
    other = study / "other.toml"
    other.write_text("[[instrument]\n", encoding="utf-8")
    flow.use_devices(other)
    assert flow.window.setup.instruments._file.text() == str(other)
    assert "other.toml:1" in flow.window.setup.instruments._state.text()
    flow.use_devices(study / "devices.toml")
    qtbot.waitUntil(lambda: flow.desk.last is not None)
    flow.use_devices(study / "devices.toml")
    assert "being connected" in flow.window.setup.instruments._state.text()


def test_an_engine_that_goes_after_the_session_is_not_said_to_have_stopped_the_recording(
    flow: Flow, qtbot: Any, recording: FakeEngine
) -> None:
    show(flow, qtbot, recording, states.finished(), "finish")
    recording.alive = False
    qtbot.waitUntil(lambda: flow.window.page == "lost")
    lost = flow.window.lost
    assert lost._title.text() == "The engine has ended" and "complete" in lost._facts.text()
    assert not lost.recover_button.isVisible() and not lost._command.isVisible()


def test_an_engine_that_goes_after_a_failure_leaves_its_reason_on_the_page(
    flow: Flow, qtbot: Any, recording: FakeEngine
) -> None:
    show(flow, qtbot, recording, states.failed(), "lost")
    flow.window.lost.show_outcome("● The file is whole.")
    recording.alive = False
    qtbot.waitUntil(lambda: flow.desk.is_lost)
    assert "The disk is full" in flow.window.lost._facts.text()
    assert flow.window.lost.recover_button.isVisible()
    flow.window.lost.forget()
    assert not flow.window.lost._outcome.text()


def test_a_note_the_engine_could_not_keep_stands_in_its_field_again(
    flow: Flow, qtbot: Any, recording: FakeEngine
) -> None:
    show(flow, qtbot, recording, states.finished(), "finish")
    recording.refuse = {"note": "No space left on device"}
    finish = flow.window.finish
    finish.note_field.setPlainText("loose sensor")
    finish.note_button.click()
    qtbot.waitUntil(lambda: "No space" in flow.window.notice.sentence)
    assert finish.note_field.toPlainText() == "loose sensor" and finish._sent.isHidden()


def test_what_the_engine_says_of_the_file_at_the_end_is_told_and_why_it_held_is_not(
    flow: Flow, qtbot: Any, recording: FakeEngine
) -> None:
    done = states.finished()
    show(flow, qtbot, recording, replace(done, message="The participant's screen is gone."), "finish")
    assert flow.window.finish._reasons.text() == ""
    told = f"The disk did not come back. The whole recording is in {done.summary['file']}."
    recording.show(replace(done, message=told))
    qtbot.waitUntil(lambda: told in flow.window.finish._reasons.text())
    assert flow.window.finish._verdict.text() == "Recorded; look at this"


def test_a_tone_that_failed_once_is_not_said_to_have_failed_again(
    flow: Flow, qtbot: Any, study: Path, started: list[FakeEngine]
) -> None:
    flow.open_study(study)
    qtbot.waitUntil(lambda: flow.desk.last is not None)
    started[0].refuse = {"sound_check": "There is no sound output."}
    room = flow.window.setup.room
    room.tone_button.click()
    qtbot.waitUntil(lambda: "no sound" in room._tone.text())
    started[0].refuse = {}
    room.tone_button.click()
    assert room._tone.text() == "Heard on both sides?"


def test_a_study_folder_that_cannot_be_made_is_told_in_a_sentence(
    flow: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "letter.txt").touch()
    monkeypatch.setattr(dialogs, "_ask_path", lambda _dialog: tmp_path / "letter.txt" / "study")
    flow.window.start.new_button.click()
    assert "letter.txt" in flow.window.notice.sentence


# what is asked


def answered(monkeypatch: pytest.MonkeyPatch, question: str, answer: str) -> list[QWidget]:
    """The windows over which a question is asked from now on; it gets this answer."""
    asked: list[QWidget] = []

    def ask(over: QWidget) -> str:
        asked.append(over)
        return answer

    monkeypatch.setattr(dialogs, question, ask)
    return asked


@pytest.mark.parametrize("answer", [dialogs.STAY, dialogs.CLOSE, dialogs.STOP])
def test_leaving_the_study_of_a_running_session_asks_first(
    flow: Flow, qtbot: Any, recording: FakeEngine, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    asked = answered(monkeypatch, "ask_leaving", answer)
    monkeypatch.setattr(dialogs, "ask_stopping", lambda _over: True)
    flow.window._actions["other"].trigger()
    assert asked == [flow.window]
    stays = answer != dialogs.CLOSE
    assert flow.seat.is_taken is stays and (flow.window.page == "run") is stays
    if answer == dialogs.STOP:
        qtbot.waitUntil(lambda: bool(did(recording, "abort")))
    assert not did(recording, "shutdown")


def test_a_recording_that_has_died_is_not_said_to_go_on(
    flow: Flow, qtbot: Any, recording: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answered(monkeypatch, "ask_closing", dialogs.STAY)
    recording.alive = False
    qtbot.waitUntil(lambda: flow.window.page == "lost")
    with qtbot.waitSignal(flow.window.left):
        flow.window.close()
    assert asked == []
