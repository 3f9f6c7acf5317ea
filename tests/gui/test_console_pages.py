"""The console's pages: what they show of a snapshot, and what they ask for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt

from emolab.core.ring import SampleRing
from emolab.gui.console import armed_button
from emolab.gui.console.armed_button import ArmedButton
from emolab.gui.console.finish_page import FinishPage
from emolab.gui.console.log_panel import LogPanel
from emolab.gui.console.lost_page import LostPage
from emolab.gui.console.planning import PlanView
from emolab.gui.console.run_page import RunPage
from emolab.gui.console.setup_page import SetupPage
from emolab.gui.console.start_bar import READY
from emolab.gui.console.start_page import StartPage
from emolab.gui.console.strip_chart import Lane, StripChart
from emolab.gui.widgets.notice import Notice
from emolab.gui.widgets.steady_range import SteadyRange
from tests.gui import engine_states as states
from tests.gui.fake_engine import FakeEngine
from tests.gui.windows import PATIENCE_MS

PLAN = PlanView("EmoMusic", 15, 14, 1200.0, ("1230 s > 1200 s",), ("en", "zh"), "en")


@pytest.fixture
def shown(qtbot, dressed):
    """Shows a page at the smallest size it must fit."""
    made = []

    def show(page):
        made.append(page)
        page.resize(1366, 700)
        page.show()
        return page

    yield show
    for page in made:
        page.close()
        page.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def setup_page(shown):
    page = shown(SetupPage())
    page.show_study(Path("/studies/emomusic"), {("P013", 0)})
    page.protocol.show_protocols([Path("/protocols/emomusic.yaml"), Path("/protocols/quick.yaml")])
    page.show_plan(PLAN)
    page.participant.fill("P014", 0)
    return page


# start page


def test_a_running_session_is_the_first_thing_offered(shown, qtbot):
    page = shown(StartPage())
    page.show_recent(Path("/studies/emomusic"))
    page.show_running(Path("/studies/emomusic"), states.running())
    assert "P014, session 1, 09:04" in page._attach_text.text()
    with qtbot.waitSignal(page.attachRequested) as asked:
        page.attach_button.click()
    assert asked.args == [Path("/studies/emomusic")]


def test_a_study_is_named_with_its_ampersand(shown):
    page = shown(StartPage())
    page.show_recent(Path("/studies/R&D"))
    assert page.recent_button.text() == "Open R&&D"  # one of two is an underline


def test_exactly_one_button_is_the_next_thing_to_do(shown):
    page = shown(StartPage())

    def primary():
        buttons = (page.attach_button, page.recent_button, page.open_button, page.new_button)
        return [b for b in buttons if b.isVisible() and b.property("role") == "primary"]

    assert primary() == [page.open_button]
    page.show_recent(Path("/studies/emomusic"))
    assert primary() == [page.recent_button]
    page.show_running(Path("/studies/emomusic"), None)
    assert primary() == [page.attach_button]


# set-up page


def test_start_is_off_and_says_why_until_all_is_ready(setup_page):
    assert not setup_page.start_button.isEnabled()
    assert "devices file" in setup_page.readiness.sentence
    setup_page.show_snapshot(states.one_red())
    assert setup_page.readiness.sentence == "Camera is not answering. Check the USB cable, then Retry."
    assert setup_page.start_button.accessibleDescription() == setup_page.readiness.sentence
    setup_page.show_snapshot(states.setup())
    assert setup_page.start_button.isEnabled()
    assert setup_page.readiness.sentence == READY


def test_start_hands_over_what_was_entered(setup_page, qtbot):
    setup_page.show_snapshot(states.setup())
    setup_page.participant.language.setCurrentIndex(1)
    setup_page.participant.seed.set_value(7)
    with qtbot.waitSignal(setup_page.startRequested) as asked:
        setup_page.start_button.click()
    form = asked.args[0]
    assert (form.participant, form.session, form.seed, form.language) == ("P014", 0, 7, "zh")
    assert form.protocol == str(Path("/protocols/emomusic.yaml"))
    assert form.answers == "window"


def test_a_used_pseudonym_is_refused_under_its_field_before_start(setup_page, qtbot):
    setup_page.show_snapshot(states.setup())
    setup_page.participant.pseudonym.clear()
    qtbot.keyClicks(setup_page.participant.pseudonym, "P013")
    assert "Take session 1" in setup_page.participant.problem.sentence
    assert not setup_page.start_button.isEnabled()
    setup_page.participant.session.set_value(1)
    assert setup_page.participant.problem.sentence == ""
    assert setup_page.start_button.isEnabled()


def test_a_name_is_refused(setup_page, qtbot):
    setup_page.participant.pseudonym.setText("Anna")
    assert "never a name" in setup_page.participant.problem.sentence


def test_blanks_around_a_pseudonym_are_dropped(setup_page, qtbot):
    setup_page.participant.pseudonym.setText(" P020 ")
    assert setup_page.form.participant == "P020"


def test_a_plan_that_fails_is_told_where_the_protocol_is_chosen(setup_page):
    setup_page.show_snapshot(states.setup())
    setup_page.show_plan(PlanView(error="mine.yaml:14: the clip is missing"))
    assert setup_page.protocol.problem.sentence == "mine.yaml:14: the clip is missing"
    assert not setup_page.start_button.isEnabled()


def test_the_arithmetic_of_the_plan_is_shown_on_request(setup_page):
    assert not setup_page.protocol._why.isVisible()
    setup_page.protocol.why_button.click()
    assert setup_page.protocol._why.text() == "1230 s > 1200 s"


def test_a_red_instrument_offers_two_ways_out(setup_page, qtbot):
    setup_page.show_snapshot(states.one_red())
    row = setup_page.instruments.rows["camera"]
    assert row.light.level == "act"
    assert not setup_page.instruments.rows["board"].retry_button.isVisible()
    with qtbot.waitSignal(setup_page.instruments.retryRequested) as asked:
        row.retry_button.click()
    assert asked.args == ["camera"]
    with qtbot.waitSignal(setup_page.instruments.leaveOutRequested) as asked:
        row.leave_out_button.click()
    assert asked.args == ["camera"]


def test_an_instrument_left_out_can_be_taken_back(setup_page):
    out = replace(states.CAMERA, level="look", age_s=None, is_left_out=True, message="left out")
    setup_page.show_snapshot(states.setup(streams=(out,)))
    row = setup_page.instruments.rows["camera"]
    assert row.light.word == "out"
    assert row.retry_button.isVisible() and row.retry_button.text() == "Take back in"
    assert not row.leave_out_button.isVisible()


def test_rows_are_kept_while_the_instruments_stay_the_same(setup_page):
    setup_page.show_snapshot(states.setup())
    before = setup_page.instruments.rows["board"]
    setup_page.show_snapshot(states.one_red())
    assert setup_page.instruments.rows["board"] is before


def test_simulated_answers_are_offered_for_simulated_instruments_only(setup_page):
    assert not setup_page.participant.simulated.isVisible()
    setup_page.participant.show_simulated(True)
    assert setup_page.participant.simulated.isVisible()
    assert setup_page.form.answers == "simulated"
    setup_page.participant.show_simulated(False)
    assert setup_page.form.answers == "window"


def test_numbers_step_with_up_and_down_and_stay_in_range(setup_page, qtbot):
    field = setup_page.participant.session
    qtbot.keyClick(field, Qt.Key.Key_Up)
    assert field.value() == 1
    for _ in range(3):
        qtbot.keyClick(field, Qt.Key.Key_Down)
    assert field.value() == 0
    field.clear()
    assert setup_page.form.session == 0


# run page


@pytest.fixture
def run_page(shown):
    return shown(RunPage())


def test_the_run_page_tells_who_where_and_how_long_still(run_page):
    run_page.show_snapshot(states.running())
    header = run_page.header
    assert header._who.text() == "P014 · session 1 · EmoMusic"
    assert header._clock.text() == "09:04 of ≤ 20:00"
    assert header._step.text() == "clip 7 of 15 · neutral"
    assert header._left.text() == "18 s"
    assert header._next.text() == "next: report 7 of 15"


def test_before_the_rest_no_time_runs(run_page):
    run_page.show_snapshot(states.running(run_started_s=None, step=0, step_closes_s=None))
    assert run_page.header._clock.text() == "before the rest, ≤ 20:00"
    assert run_page.header._left.text() == "waits"


def test_pause_becomes_resume(run_page, qtbot):
    run_page.show_snapshot(states.running())
    with qtbot.waitSignal(run_page.hand.pauseRequested):
        run_page.hand.pause_button.click()
    run_page.show_snapshot(states.paused())
    assert run_page.hand.pause_button.text().startswith("Resume")
    with qtbot.waitSignal(run_page.hand.resumeRequested):
        run_page.hand.pause_button.click()


def test_skipping_takes_a_second_different_movement(run_page, qtbot, monkeypatch):
    monkeypatch.setattr(armed_button, "ARMED_MS", PATIENCE_MS)
    run_page.show_snapshot(states.running())
    button = run_page.hand.skip_button
    with qtbot.assertNotEmitted(run_page.hand.skipRequested, wait=50):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert button.text() == "Skip: Enter"
    with qtbot.waitSignal(run_page.hand.skipRequested):
        qtbot.keyClick(button, Qt.Key.Key_Return)
    assert button.text().startswith("Skip  (")


def test_an_armed_button_lets_go_when_the_focus_leaves(shown, qtbot):
    button = shown(ArmedButton("Skip", "Skip: Enter"))
    button.arm()
    button.let_go()
    with qtbot.assertNotEmitted(button.confirmed, wait=50):
        qtbot.keyClick(button, Qt.Key.Key_Return)


def test_a_skip_that_was_not_confirmed_in_its_step_does_not_skip_the_next(run_page, qtbot):
    run_page.show_snapshot(states.running(7))
    for button in (run_page.hand.skip_button, run_page.hand.repeat_button):
        run_page.show_snapshot(states.running(7))
        button.arm()
        run_page.show_snapshot(states.running(7, now_s=400.0))
        assert button.is_armed
        run_page.show_snapshot(states.reporting(7))
        assert not button.is_armed
    with qtbot.assertNotEmitted(run_page.hand.skipRequested, wait=50):
        qtbot.keyClick(run_page.hand.skip_button, Qt.Key.Key_Return)


def test_a_mark_takes_the_words_along_and_empties_the_field(run_page, qtbot):
    run_page.show_snapshot(states.running())
    run_page.hand.words_field.setText("coughing")
    with qtbot.waitSignal(run_page.hand.markRequested) as asked:
        run_page.hand.mark_button.click()
    assert asked.args == ["coughing"]
    with qtbot.waitSignal(run_page.hand.markRequested) as asked:
        run_page.hand.mark_button.click()
    assert asked.args == [""]


def test_a_note_without_words_is_no_note(run_page, qtbot):
    with qtbot.assertNotEmitted(run_page.hand.noteRequested, wait=50):
        run_page.hand.note_button.click()
    run_page.hand.words_field.setText("left the room")
    with qtbot.waitSignal(run_page.hand.noteRequested) as asked:
        qtbot.keyClick(run_page.hand.words_field, Qt.Key.Key_Return)
    assert asked.args == ["left the room"]


def test_stopping_takes_a_held_second(run_page, qtbot):
    run_page.show_snapshot(states.running())
    run_page.setFocus()
    with qtbot.assertNotEmitted(run_page.stopRequested, wait=300):
        qtbot.keyClick(run_page, Qt.Key.Key_Escape)
    qtbot.keyPress(run_page, Qt.Key.Key_Escape)
    assert run_page.header.stop_button.share < 0.9
    with qtbot.waitSignal(run_page.stopRequested):
        pass
    qtbot.keyRelease(run_page, Qt.Key.Key_Escape)


def test_a_stop_whose_key_was_released_elsewhere_does_not_hold_up_the_next_sessions(run_page, qtbot):
    run_page.show_snapshot(states.running())
    run_page.setFocus()
    for _ in range(2):
        qtbot.keyPress(run_page, Qt.Key.Key_Escape)
        with qtbot.waitSignal(run_page.stopRequested):
            pass
        qtbot.keyPress(run_page, Qt.Key.Key_Escape)  # repeated by the keyboard; another page gets the release
        run_page.watch(None)


def test_the_banner_says_what_to_do_and_goes_when_all_is_well(run_page, qtbot):
    run_page.show_snapshot(states.running())
    assert not run_page.banner.isVisible()
    run_page.show_snapshot(states.unwell())
    assert "Check the USB cable" in run_page.banner.accessibleName()
    with qtbot.waitSignal(run_page.banner.retryRequested):
        run_page.banner.retry_button.click()
    run_page.show_snapshot(states.running())
    assert not run_page.banner.isVisible()


def test_after_a_standstill_p_goes_on_and_there_is_nothing_to_retry(run_page, qtbot):
    run_page.show_snapshot(
        replace(states.paused(), message="The computer stood still for 60 min. Go on with P.")
    )
    assert run_page.banner.isVisible() and "60 min" in run_page.banner.accessibleName()
    assert not run_page.banner.retry_button.isVisible()
    with qtbot.waitSignal(run_page.hand.resumeRequested):
        run_page.hand.pause_button.click()
    run_page.show_snapshot(replace(states.paused(), message="Go on.", streams=states.unwell().streams))
    assert run_page.banner.retry_button.isVisible(), "a red instrument can be tried again meanwhile"


def test_a_lost_screen_offers_another_screen(run_page, qtbot):
    run_page.show_snapshot(states.holding())
    assert not run_page.banner.retry_button.isVisible()
    with qtbot.waitSignal(run_page.banner.moveRequested):
        run_page.banner.move_button.click()


def test_health_is_told_by_shape_word_and_number(run_page):
    run_page.show_snapshot(states.unwell())
    light, caption = run_page.health._lights["board"]
    assert light.level == "act"
    assert caption.text() == "board  act · – Hz"
    assert "612 MB recorded" in run_page.health._disk.text()


def test_the_log_counts_from_the_rest_and_is_written_only_when_it_grew(shown, monkeypatch):
    log = shown(LogPanel())
    log.show_snapshot(states.running())
    lines = [log.item(i).text() for i in range(log.count())]
    assert lines[0].startswith("−00:48")
    assert lines[1] == "00:00  rest began"
    assert lines[6].endswith("▲ thermal: 4 frames lost")
    monkeypatch.setattr(log, "clear", lambda: pytest.fail("nothing changed"))
    log.show_snapshot(states.running())


# live signals


@pytest.fixture
def ring(tmp_path):
    made = SampleRing.create(tmp_path / "board.ring", ("skin",), 40_000)
    yield made


def chart_of(shown, ring):
    chart = shown(StripChart(lambda name: ring))
    chart.set_lanes([Lane("board", 0, "eda", "skin", "µS", SteadyRange())])
    return chart


def test_the_newest_sample_stands_at_the_right_edge_whatever_clock_the_snapshot_is_on(shown, ring):
    times_s = np.arange(0, 60, 0.004)
    ring.write(times_s, np.sin(times_s)[:, None])
    chart = chart_of(shown, ring)
    chart.refresh(now_s=5.0)  # the recording began when the engine was 55 s old
    lane = chart.lanes[0]
    assert lane.x[-1] == pytest.approx(0.0, abs=0.05)
    assert lane.x[0] == pytest.approx(-10.0, abs=0.05)
    assert lane.newest == pytest.approx(np.sin(times_s[-1]), abs=1e-4)


def test_a_stream_that_stopped_ends_before_now(shown, ring):
    times_s = np.arange(0, 20, 0.004)
    ring.write(times_s, np.sin(times_s)[:, None])
    chart = chart_of(shown, ring)
    chart.refresh(now_s=20.0)
    chart.refresh(now_s=24.0)
    assert chart.lanes[0].x[-1] == pytest.approx(-4.0, abs=0.05)


def test_a_peak_survives_two_minutes_on_a_narrow_window(shown, ring):
    times_s = np.arange(0, 120, 0.004)
    values = np.zeros(len(times_s))
    values[15_000] = 9.0
    ring.write(times_s, values[:, None])
    chart = chart_of(shown, ring)
    chart.set_span(120.0)
    chart.refresh(now_s=120.0)
    assert np.nanmax(chart.lanes[0].y) == 9.0
    assert len(chart.lanes[0].x) < 4 * chart.width()


def test_nothing_is_drawn_anew_before_a_pixel_would_change(shown, ring, monkeypatch):
    ring.write(np.arange(0, 20, 0.004), np.zeros((5000, 1)))
    chart = chart_of(shown, ring)
    chart.set_span(120.0)
    chart.refresh(now_s=20.0)
    monkeypatch.setattr(chart, "update", lambda: pytest.fail("too soon"))
    chart.refresh(now_s=20.03)


def test_a_frozen_chart_stands(shown, ring):
    ring.write(np.arange(0, 20, 0.004), np.ones((5000, 1)))
    chart = chart_of(shown, ring)
    chart.refresh(now_s=20.0)
    chart.set_frozen(True)
    ring.write(np.arange(20, 30, 0.004), np.full((2500, 1), 5.0))
    chart.refresh(now_s=30.0)
    assert chart.lanes[0].newest == 1.0


def test_lanes_are_named_by_their_stream_only_where_they_would_be_mistaken(run_page, tmp_path):
    engine = FakeEngine(tmp_path, states.running(), extra_boards=1)
    run_page.signals.show_snapshot(engine.snapshot())
    names = [lane.name for lane in run_page.signals.chart.lanes]
    assert names[0] == "skin · board" and names[-1] == "pulse ear · board2"
    assert "microphone" in names


# finish and lost pages


def test_the_finish_page_tells_verdict_facts_and_answers(shown):
    page = shown(FinishPage())
    page.show_snapshot(states.finished(good=True))
    assert page._verdict.text() == "All is recorded"
    assert "15 of 15 clips heard" in page._facts.text()
    assert page.streams.rowCount() == 7 and page.answers.rowCount() == 15
    assert page.answers.item(0, 1).text() == "less negative"


def test_a_session_that_fell_short_says_why(shown):
    page = shown(FinishPage())
    page.show_snapshot(states.finished(good=False))
    assert page._light.level == "look"
    assert "camera lost 212 frames" in page._reasons.text()
    assert page.answers.item(0, 1).text() == "▲ none given"


def test_words_typed_on_the_finish_page_are_kept_when_going_on(shown, qtbot):
    page = shown(FinishPage())
    page.show_snapshot(states.finished())
    page.note_field.setPlainText("the left electrode was loose")
    asked = []
    page.noteRequested.connect(asked.append)
    with qtbot.waitSignal(page.nextRequested):
        page.next_button.click()
    assert asked == ["the left electrode was loose"]


def test_the_lost_page_names_what_is_kept_and_the_command(shown, qtbot):
    page = shown(LostPage())
    page.show_loss("gone", states.running())
    assert "09:04" in page._facts.text() and "6 of 15 clips" in page._facts.text()
    assert page._command.text() == "emolab recover /home/lab/emomusic-2026/P014/P014_session-1.h5"
    with qtbot.waitSignal(page.recoverRequested) as asked:
        page.recover_button.click()
    assert asked.args[0].name == "P014_session-1.h5"


def test_losing_the_engine_before_the_session_loses_nothing(shown):
    page = shown(LostPage())
    page.show_loss("gone", states.setup())
    assert "Nothing was being recorded" in page._facts.text()
    assert not page.recover_button.isVisible()


def test_a_notice_lies_inside_its_window_and_a_click_sends_it_away(shown, qtbot):
    page = shown(StartPage())
    notice = Notice(page)
    notice.say("board: " + "the cable is loose, " * 20)
    assert page.rect().contains(notice.geometry())
    qtbot.mouseClick(notice, Qt.MouseButton.LeftButton)
    assert notice.sentence == ""
