"""The analyst's window: replaying, looking, labelling, taking back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication

from emolab.core.errors import DataError
from emolab.core.event import Event
from emolab.gui.app import FaultDoor
from emolab.gui.review import menus, questions
from emolab.gui.review.chart import LEFT_PX
from emolab.gui.review.flow import ReviewFlow
from emolab.gui.review.lane_view import Chosen
from emolab.gui.review.reviews import Reviews
from emolab.recording import label_ledger
from emolab.recording.labels import TimedLabel
from emolab.review.desk import Desk
from tests.gui import review_room as room
from tests.gui.review_room import key, under_review
from tests.recording import made

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return room.record(tmp_path_factory.mktemp("study") / "P07_session-2.h5")


@pytest.fixture
def session(recorded: Path, tmp_path: Path) -> Path:
    return room.copy(recorded, tmp_path)


def mine(flow: ReviewFlow) -> list[TimedLabel]:
    return list(flow.labelling.labels.values())


def test_opening_shows_the_session_and_writes_nothing(qapp: QApplication, session: Path) -> None:
    before = sorted(session.parent.rglob("*"))
    with under_review(session) as flow:
        assert [lane.name for lane in flow.window.lanes.lanes] == ["events", "intended", "reported", "anna"]
        assert flow.window.windowTitle().startswith("P07 session 2")
        assert flow.span.is_whole and flow.window.damage.sentence == ""
        key(flow, Qt.Key.Key_PageDown)
        assert flow.span.cursor_s == 5.0
        assert flow.window.facts.heading.text() == "clip 1 · a-1"
        assert flow.window.facts.rows() == [
            ("intended", "neutral"),
            ("reported", "less positive (thrill), 1.5 s"),
        ]
    assert sorted(session.parent.rglob("*")) == before


def test_the_frame_shown_is_the_one_of_the_moment(qapp: QApplication, session: Path) -> None:
    with under_review(session) as flow:
        shown: dict[str, int] = {}
        flow.window.pictures.shown.connect(lambda camera, index, _: shown.__setitem__(camera, index))
        for time_s in (3.34, 20.0, 0.5):
            flow.seek(time_s)
            expected = {"camera": int(time_s * 30 + 1e-6), "thermal": int(time_s * 9 + 1e-6)}
            room.until(lambda expected=expected: shown == expected)
            image = flow.window.pictures.views["camera"]._image
            assert image is not None
            grey = image.pixelColor(32, 24).red()
            truth = made.picture(int(time_s * 30 + 1e-6))[24, 32, 0]
            assert abs(grey - int(truth)) <= 3


def test_a_number_labels_the_clip_and_a_contradiction_asks_why(qapp: QApplication, session: Path) -> None:
    with under_review(session) as flow:
        flow.seek(7.0)
        key(flow, "4")
        assert mine(flow) == [
            TimedLabel(5.0, 10.0, clip="a-1", state="less_positive")
        ]  # as reported: no question
        key(flow, "2")
        assert flow.window.why.what.text() == "less positive → less negative"
        key(flow, "f", "r", "o", "w", "n", "1")  # typed as a reason, not as a state
        assert mine(flow)[0].state == "less_positive"
        key(flow, Qt.Key.Key_Return)
        assert mine(flow)[0].state == "less_negative"
        assert flow.labelling.acts[-1].why == "frown1"
        assert "less positive → less negative" in flow.window.history.words.text()
        key(flow, "5", Qt.Key.Key_Escape)  # the question is left: nothing changes
        assert mine(flow)[0].state == "less_negative" and not flow.window.why.is_open


def test_a_clip_labelled_otherwise_than_reported_asks_why_at_once(qapp: QApplication, session: Path) -> None:
    with under_review(session) as flow:
        flow.seek(7.0)
        key(flow, "1")
        assert flow.window.why.what.text() == "less positive (thrill) → most negative"
        flow.seek(15.0)
        key(flow, Qt.Key.Key_Escape)
        key(flow, "1")  # nothing was reported for this clip
        assert mine(flow) == [TimedLabel(14.0, 19.0, clip="b-2", state="most_negative")]


def test_undo_outlives_the_window_and_can_be_redone(qapp: QApplication, session: Path) -> None:
    with under_review(session) as flow:
        flow.seek(15.0)
        key(flow, "1", "3", Qt.Key.Key_Return)
        assert [label.state for label in mine(flow)] == ["neutral"]
        key(flow, "z", modifier=CTRL)
        assert [label.state for label in mine(flow)] == ["most_negative"]
    with under_review(session) as flow:
        assert [label.state for label in mine(flow)] == ["most_negative"]
        key(flow, "y", modifier=CTRL)
        assert [label.state for label in mine(flow)] == ["neutral"]
        key(flow, "z", "z", modifier=CTRL)
        assert mine(flow) == [] and not flow.window.history.undo_button.isEnabled()
    assert len(Desk(session, "anna").ledger.acts) == 6


def test_a_label_is_split_moved_and_removed(qapp: QApplication, session: Path) -> None:
    with under_review(session) as flow:
        flow.seek(15.0)
        key(flow, "1")
        flow.seek(16.5)
        key(flow, "s")
        assert [(label.start_s, label.end_s) for label in mine(flow)] == [(14.0, 16.5), (16.5, 19.0)]
        view = flow.window.lanes
        later = next(name for name, label in flow.labelling.labels.items() if label.start_s == 16.5)
        view.choose(Chosen("anna", later))
        box = view.box_of("anna", flow.labelling.labels[later])
        room.drag(view, QPointF(box.right(), box.center().y()), QPointF(view._x(20.0), box.center().y()))
        assert flow.labelling.labels[later].end_s == pytest.approx(20.0, abs=0.05)
        flow.seek(17.0)
        key(flow, "[")
        assert flow.labelling.labels[later].start_s == 17.0
        key(flow, Qt.Key.Key_Delete)
        assert flow.window.why.what.text() == "Remove most negative"
        key(flow, Qt.Key.Key_Return)
        assert [(label.start_s, label.end_s) for label in mine(flow)] == [(14.0, 16.5)]


def test_a_stretch_is_marked_and_labelled(qapp: QApplication, session: Path) -> None:
    with under_review(session) as flow:
        view = flow.window.lanes
        row = view.rect().bottom() - 8
        room.drag(view, QPointF(view._x(11.0), row), QPointF(view._x(12.5), row))
        assert view.mark is not None and view.mark == pytest.approx((11.0, 12.5), abs=0.05)
        key(flow, "5")
        assert [label.state for label in mine(flow)] == ["most_positive"]
        assert mine(flow)[0].start_s == pytest.approx(11.0, abs=0.05) and view.mark is None


def test_words_tags_notes_and_affect_go_to_the_label_chosen(qapp: QApplication, session: Path) -> None:
    with under_review(session) as flow:
        flow.seek(15.0)
        key(flow, "1")
        flow.window.lanes.choose(Chosen("anna", "1.0"))
        panel = flow.window.labels
        panel.word_box.setCurrentText("disgust")
        panel.word_box.activated.emit(panel.word_box.currentIndex())
        panel.tags_field.setFocus()
        key(flow, *"gaze 5", Qt.Key.Key_Return)
        panel.note_field.setFocus()
        key(flow, *"looks away", Qt.Key.Key_Return)
        panel.affectRequested.emit(-0.5, 0.75)
        assert mine(flow) == [
            TimedLabel(14.0, 19.0, "b-2", "most_negative", "disgust", -0.5, 0.75, ("gaze", "5"), "looks away")
        ]


def test_a_note_being_typed_is_kept_when_another_label_is_clicked(qapp: QApplication, session: Path) -> None:
    with under_review(session) as flow:
        for at_s in (6.0, 15.0):
            flow.seek(at_s)
            key(flow, "1", Qt.Key.Key_Return)
        view, panel = flow.window.lanes, flow.window.labels
        first, second = sorted(flow.labelling.labels, key=lambda name: flow.labelling.labels[name].start_s)
        view.choose(Chosen("anna", first))
        room.click(panel.note_field, QPointF(panel.note_field.rect().center()))
        key(flow, *"looks away")
        room.click(view, view.box_of("anna", flow.labelling.labels[second]).center())
        assert view.selected == Chosen("anna", second) and panel.note_field.text() == ""
        assert [label.note for label in mine(flow)] == ["looks away", ""]


def test_a_note_being_typed_stays_when_the_lanes_are_read_anew(qapp: QApplication, session: Path) -> None:
    with under_review(session) as flow:
        flow.seek(15.0)
        key(flow, "1", Qt.Key.Key_Return)
        panel = flow.window.labels
        flow.window.lanes.choose(Chosen("anna", next(iter(flow.labelling.labels))))
        panel.note_field.setFocus()
        key(flow, *"looks")
        flow._show_lanes()  # as a check or a classifier does at its end, and a session that still grows
        key(flow, *" away", Qt.Key.Key_Return)
        assert mine(flow)[0].note == "looks away"
        flow.undo()
        assert panel.note_field.text() == ""


def test_what_others_said_is_never_changed(qapp: QApplication, session: Path) -> None:
    Desk(session, "ben").add(TimedLabel(5.0, 10.0, clip="a-1", state="neutral"))
    ledger = label_ledger.folder_of(session) / "ben.jsonl"
    before = (session.read_bytes(), ledger.read_bytes())
    with under_review(session) as flow:
        for lane, label in (("reported", "1"), ("intended", "1"), ("ben", "1.0")):
            flow.window.lanes.choose(Chosen(lane, label))
            assert not flow.window.labels.word_box.isEnabled()
            key(flow, Qt.Key.Key_Delete)
            assert flow.window.notice.sentence.startswith(f"What {lane} said cannot be removed.")
        flow.seek(6.0)
        key(flow, "1", Qt.Key.Key_Return)  # with ben's label chosen, it is one's own lane that speaks
        assert [label.state for label in mine(flow)] == ["most_negative"]
    assert (session.read_bytes(), ledger.read_bytes()) == before


def test_a_moment_is_marked_and_told_by_its_note(qapp: QApplication, session: Path) -> None:
    with under_review(session) as flow:
        flow.seek(11.0)
        key(flow, "m", *"coughs", Qt.Key.Key_Return)
        assert mine(flow) == [TimedLabel(11.0, 11.0, note="coughs")]
        key(flow, "2")  # the keyboard is back at the desk, and the moment still chosen
        assert mine(flow) == [TimedLabel(11.0, 11.0, state="less_negative", note="coughs")]


def test_what_happened_is_a_lane(qapp: QApplication, tmp_path: Path) -> None:
    more = [
        Event(6.0, "mark", data={"text": "door"}),
        Event(7.0, "gap", data={"stream": "board", "lost": 12, "seconds": 0.5}),
        Event(8.0, "paused"),
        Event(9.0, "resumed"),
    ]
    path = room.record(tmp_path / "P07_session-2.h5", more)
    with under_review(path) as flow:
        lane = flow.window.lanes.lanes[0]
        told = [(label.start_s, label.end_s, lane.words(name)) for name, label in lane.labels.items()]
        assert told == [(6.0, 6.0, "mark: door"), (7.0, 7.5, "gap: board, 12 samples"), (8.0, 9.0, "paused")]


def test_a_trace_is_drawn_while_it_plays(qapp: QApplication, session: Path) -> None:
    with under_review(session) as flow:
        pad = flow.window.labels.pad
        key(flow, "t")
        assert pad.draws
        room.drag(pad, QPointF(20, 20), QPointF(60, 60))
        assert mine(flow) == [] and "plays" in flow.window.notice.sentence
        flow.seek(6.0)
        key(flow, Qt.Key.Key_Space)
        from PySide6.QtTest import QTest

        QTest.mousePress(pad, Qt.MouseButton.LeftButton, pos=pad.rect().center())
        pressed_s = flow.player.now_s()
        room.until(lambda: flow.player.now_s() > pressed_s + 0.4)
        QTest.mouseMove(pad, pad.rect().topRight())
        room.until(lambda: flow.player.now_s() > pressed_s + 0.8)
        QTest.mouseRelease(pad, Qt.MouseButton.LeftButton, pos=pad.rect().topRight())
        (label,) = mine(flow)
        assert 6.0 <= label.start_s < pressed_s + 0.001 and label.end_s > pressed_s + 0.39
        assert label.trace[0][1:] == pytest.approx((0.0, 0.0), abs=0.05)
        assert label.trace[-1][1] > 0.9 and label.trace[-1][2] > 0.9


def test_playing_moves_the_cursor_and_ends_with_the_session(qapp: QApplication, session: Path) -> None:
    with under_review(session) as flow:
        flow.seek(20.0)
        flow.replay.set_speed(0.25)
        key(flow, Qt.Key.Key_Space)
        assert flow.window.transport.play_button.text() == "▮▮ Pause"
        flow.seek(23.0)
        flow.replay.set_speed(4.0)
        room.until(lambda: not flow.player.is_playing)
        assert flow.span.cursor_s == flow.span.end_s
        assert flow.window.transport.play_button.text() == "▶ Play"
        assert "sound output" in flow.window.transport.where_label.text()


def test_speeds_are_chosen_and_follow_the_keys(qapp: QApplication, session: Path) -> None:
    with under_review(session) as flow:
        box = flow.window.transport.speed_box
        box.activated.emit(box.findText("0.25×"))
        assert flow.player.speed == 0.25
        flow.window.action("faster").trigger()
        assert (flow.player.speed, box.currentText()) == (0.5, "0.5×")


def test_on_a_low_screen_facts_and_labels_stand_abreast_and_the_curves_get_the_height(
    qapp: QApplication, session: Path
) -> None:
    with under_review(session) as flow:
        window, chart_px = flow.window, []
        for width, height, is_abreast in ((1366, 768, True), (1280, 720, False), (1920, 1080, False)):
            window.resize(width, height)
            room.until(
                lambda is_abreast=is_abreast: (window.facts_area.y() == window.labels.y()) == is_abreast
            )
            assert window.width() == width, "something needs more room than there is"
            assert window.transport.visibleRegion().boundingRect() == window.transport.rect()
            chart_px.append(window.chart.height())
        low, lower, tall = chart_px
        assert low > 1.2 * lower and tall > low


def test_frames_are_stepped_and_clips_jumped_to(qapp: QApplication, session: Path) -> None:
    with under_review(session) as flow:
        flow.seek(3.0)
        key(flow, ".")
        assert flow.span.cursor_s == pytest.approx(91 / 30, abs=1e-5)
        key(flow, ",", ",")
        assert flow.span.cursor_s == pytest.approx(89 / 30, abs=1e-5)
        key(flow, Qt.Key.Key_Right)
        assert flow.span.cursor_s == pytest.approx(89 / 30 + 1, abs=1e-5)
        key(flow, Qt.Key.Key_PageUp)
        assert flow.span.cursor_s == 0.0
        key(flow, Qt.Key.Key_End)
        assert flow.span.cursor_s == flow.span.end_s


def test_a_click_in_the_curves_seeks_and_dragging_moves_them(qapp: QApplication, session: Path) -> None:
    with under_review(session) as flow:
        chart = flow.window.chart
        room.drag(chart, QPointF(chart.x_of(12.0), 40), QPointF(chart.x_of(12.0), 40))
        assert flow.span.cursor_s == pytest.approx(12.0, abs=0.03)
        key(flow, "+")
        assert flow.span.width_s < 20 and flow.span.from_s < 12 < flow.span.to_s
        from_s, width_s = flow.span.from_s, flow.span.width_s
        room.drag(chart, QPointF(chart.x_of(12.0), 40), QPointF(chart.x_of(12.0) - 100, 40))
        moved_s = 100 / (chart.width() - LEFT_PX) * width_s
        assert flow.span.from_s == pytest.approx(from_s + moved_s, abs=0.02)
        key(flow, "0")
        assert flow.span.is_whole


def test_the_overview_moves_the_window(qapp: QApplication, session: Path) -> None:
    with under_review(session) as flow:
        flow.span.show(4.0, 8.0)
        strip = flow.window.overview
        middle = strip.window.center()
        room.drag(strip, middle, QPointF(strip._x(16.0), middle.y()))
        assert (flow.span.from_s, flow.span.to_s) == pytest.approx((14.0, 18.0), abs=0.05)


def test_a_tampered_ledger_is_told_and_refuses_to_be_written(qapp: QApplication, session: Path) -> None:
    desk = Desk(session, "anna")
    desk.add(TimedLabel(5.0, 10.0, state="neutral"))
    path = label_ledger.folder_of(session) / "anna.jsonl"
    forged = path.read_text().replace("neutral", "most_positive")
    path.write_text(forged)
    with under_review(session) as flow:
        own = flow.window.lanes.lanes[-1]
        assert own.name == "anna" and "line 2" in own.problem
        flow.seek(15.0)
        key(flow, "1")
        assert "line 2" in flow.window.notice.sentence
    assert path.read_text() == forged


def test_another_analyst_gets_a_lane_of_their_own(qapp: QApplication, session: Path) -> None:
    with under_review(session) as flow:
        flow.seek(15.0)
        key(flow, "1")
        flow.set_analyst("ben")
        key(flow, "2")
        lanes = {
            lane.name: [label.state for label in lane.labels.values()] for lane in flow.window.lanes.lanes
        }
        assert lanes["anna"] == ["most_negative"] and lanes["ben"] == ["less_negative"]
        assert flow.window.header.analyst_button.text() == "labels: ben"


def test_a_broken_off_recording_opens_and_says_so(qapp: QApplication, tmp_path: Path) -> None:
    path = made.killed(tmp_path / "P1" / "P1_session-0.h5")
    with under_review(path) as flow:
        assert "broke off" in flow.window.damage.sentence
        assert flow.window.facts.heading.text() == "before the first clip"


def test_every_past_state_can_be_looked_at(qapp: QApplication, session: Path) -> None:
    with under_review(session) as flow:
        flow.seek(15.0)
        key(flow, "1", "5", Qt.Key.Key_Return)
        flow._show_past(1)
        assert [label.state for label in flow.window.lanes.lanes[-1].labels.values()] == ["most_negative"]
        flow._show_past(None)
        assert [label.state for label in flow.window.lanes.lanes[-1].labels.values()] == ["most_positive"]


def test_another_session_takes_the_place_of_this_one_and_faults_are_told_there(
    qapp: QApplication, recorded: Path, tmp_path: Path
) -> None:
    first = room.copy(recorded, tmp_path)
    second = first.with_name("P07_session-3.h5")
    second.write_bytes(first.read_bytes())
    broken = first.with_name("P07_session-4.h5")
    broken.write_bytes(b"no session")
    reviews = Reviews(tmp_path / "review.json", "no such output", "anna")
    left: list[bool] = []
    reviews.left.connect(lambda: left.append(True))
    window = reviews.open(first)
    window.show()
    door = FaultDoor(window)
    reviews.turned.connect(door.turn_to)
    try:
        assert reviews.flow is not None
        reviews.flow.sessionWanted.emit(broken)  # it cannot be opened: this one stays
        assert reviews.flow.window is window and "no emolab session" in window.notice.sentence
        reviews.flow.sessionWanted.emit(second)
        room.until(lambda: reviews.flow is not None and reviews.flow.recording == second)
        shown = reviews.flow.window
        QApplication.processEvents()
        door._tell(DataError("a fault"))
        assert shown.isVisible() and shown.notice.sentence == "a fault" and left == []
        shown.close()
        assert left == [True]
    finally:
        door.close()
        reviews.close()


def test_an_export_outlives_the_window_it_was_asked_in(
    qapp: QApplication, recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = room.copy(recorded, tmp_path)
    second = Path(shutil.copy(first, first.with_name("P07_session-3.h5")))
    reviews = Reviews(tmp_path / "review.json", "no such output", "anna")
    monkeypatch.setattr(questions, "ask_export", lambda _over: ("csv", tmp_path / "tables"))
    try:
        window = reviews.open(first)
        window.show()
        assert reviews.flow is not None
        window.action("export").trigger()
        assert "goes on when this window is closed" in window.notice.sentence
        reviews.turn_to(second)
        shown = reviews.flow.window
        room.until(lambda: "written into" in shown.notice.sentence)
        assert first.stem in shown.notice.sentence and list((tmp_path / "tables").rglob("*.csv"))
    finally:
        reviews.close()


def test_closing_the_last_window_waits_for_an_export(
    qapp: QApplication, recorded: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    session = room.copy(recorded, tmp_path)
    reviews = Reviews(tmp_path / "review.json", "no such output", "anna")
    reviews.open(session).show()
    reviews.exporter.start(session, "csv", tmp_path / "tables")
    reviews.exporter.start(session, "no such format", tmp_path / "others")
    assert reviews.flow is not None
    reviews.flow.window.close()
    reviews.close()
    assert list((tmp_path / "tables").rglob("*.csv"))
    assert "others" in caplog.text, "no window is left to say in that it failed"


def test_the_heads_question_mark_tells_all_keys(
    qapp: QApplication, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, str] = {}
    monkeypatch.setattr(menus, "show_keys", lambda _over, keys: told.update(keys))
    with under_review(recorded) as flow:
        flow.window.header.keys_button.click()
    assert told["Space"] == "Play, or pause" and told["F5"].startswith("Check") and len(told) > 40
