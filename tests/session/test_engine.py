"""The engine takes a session from its first page to a whole file, whatever is asked of it meanwhile."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emolab.core import shipped
from emolab.core.errors import ConfigError
from emolab.devices import config
from emolab.devices.source import Source
from emolab.protocol.load import load
from emolab.recording.inspect import inspect
from emolab.recording.reader import Session
from emolab.recording.recorder import Recorder
from emolab.session import folder, occupied
from emolab.session.address import read_address
from emolab.session.client import EngineClient, find_engine
from emolab.session.engine import Engine
from emolab.session.health import SILENT_AFTER_S
from emolab.study import consent, participants
from tests.session.live import (
    BOARD,
    CAMERA,
    NOW_NS,
    do,
    engine_on,
    events,
    finish,
    go_on,
    start,
    step_kind,
    trial,
)

pytestmark = pytest.mark.usefixtures("stimuli")


def test_a_session_runs_from_the_first_page_to_a_whole_file(tmp_path: Path) -> None:
    with engine_on(tmp_path, BOARD + CAMERA) as engine:
        path = start(engine)
        facts = finish(engine)
    assert path == tmp_path / "P001" / "P001_session-0.h5"
    assert facts["complete"] and facts["verdict"] == "good"
    assert facts["trials"] == {"planned": 5, "done": 5, "skipped": 0}
    assert len(facts["answers"]) == 6 and all(answer["state"] for answer in facts["answers"])
    assert {stream["lost"] for stream in facts["streams"]} == {0}
    onsets = events(path, "clip_onset")
    assert all(abs(event.time_s - event.data["requested_s"]) < 1e-6 for event in onsets)
    assert folder.truth_path(path).is_file()
    assert not (tmp_path / ".emolab" / "engine.json").exists(), "the study is free again"


def test_a_pause_waits_for_the_end_of_the_report_and_resume_goes_on(tmp_path: Path) -> None:
    with engine_on(tmp_path) as engine:
        path = start(engine)
        go_on(engine, lambda: step_kind(engine) == "play")
        do(engine, "pause")
        assert step_kind(engine) == "play", "a clip is not cut"
        go_on(engine, lambda: engine.run is not None and engine.run.runner.status.phase == "paused")
        paused_s = engine.clock.now_s()
        go_on(engine, lambda: engine.clock.now_s() > paused_s + 5)
        do(engine, "resume")
        facts = finish(engine)
    assert facts["trials"]["done"] == 5
    first, second, *_ = events(path, "clip_onset")
    (paused,), (resumed,) = events(path, "paused"), events(path, "resumed")
    assert first.time_s < paused.time_s < resumed.time_s <= second.time_s
    assert resumed.time_s - paused.time_s >= 5


def test_a_skipped_clip_is_recorded_with_its_reason_and_is_not_asked_about(tmp_path: Path) -> None:
    with engine_on(tmp_path) as engine:
        path = start(engine)
        go_on(engine, lambda: step_kind(engine) == "play")
        do(engine, "skip")
        facts = finish(engine)
    assert facts["trials"] == {"planned": 5, "done": 4, "skipped": 1}
    (skipped,) = events(path, "trial_skipped")
    assert skipped.data["reason"] == "skipped by the experimenter"
    assert skipped.data["clip"] not in [answer["clip"] for answer in facts["answers"]]


def test_a_repeated_clip_is_heard_twice(tmp_path: Path) -> None:
    with engine_on(tmp_path) as engine:
        path = start(engine)
        go_on(engine, lambda: step_kind(engine) == "rate" and trial(engine) == 1)
        do(engine, "repeat")
        facts = finish(engine)
    heard = [event.data["clip"] for event in events(path, "clip_onset")]
    assert heard[0] == heard[1] and len(set(heard)) == len(heard) - 1
    assert facts["outcome"] == "complete"


def test_each_report_of_a_repeated_clip_counts_from_its_own_painting(tmp_path: Path) -> None:
    with engine_on(tmp_path) as engine:
        path = start(engine, answers="window")
        assert engine.run is not None
        run = engine.run
        for is_again in (False, True):
            if is_again:
                do(engine, "repeat")
                do(engine, "resume")
                go_on(engine, lambda: step_kind(engine) == "play")
            while not (step_kind(engine) == "rate" and trial(engine) == 1):
                hurry(engine)
            asked_s = run.runner.status.opened_s
            do(engine, "pause")
            go_on(engine, lambda asked_s=asked_s: engine.clock.now_s() > asked_s + 4)
            step = run.runner.status.index
            do(engine, "shown", step=step, time_ns=NOW_NS)
            assert run.runner.status.opened_s > asked_s + 3, "painted late, so asked late"
            go_on(engine, lambda asked_s=asked_s: engine.clock.now_s() > asked_s + 5)
            do(engine, "choose", step=step, state="neutral", time_ns=NOW_NS)
            do(engine, "confirm", step=step, time_ns=NOW_NS)
            go_on(engine, lambda: run.runner.status.phase == "paused")
        do(engine, "abort")
        finish(engine)
    given = [event.data for event in events(path, "answer") if event.data["state"]]
    assert [data["state"] for data in given] == ["neutral", "neutral"]
    assert all(data["response_s"] < 3 for data in given)


def hurry(engine: Engine) -> None:
    """Go on to the next step: a page is read for a second, everything but a clip is skipped."""
    assert engine.run is not None
    opened_s = engine.run.runner.status.opened_s
    go_on(engine, lambda: engine.clock.now_s() > opened_s + 1)
    step, kind = engine.run.runner.status.index, step_kind(engine)
    if kind == "instruct":
        do(engine, "proceed", step=step, time_ns=NOW_NS)
    elif kind != "play":
        do(engine, "skip")
    go_on(engine, lambda: engine.run is not None and engine.run.runner.status.index != step)


def test_aborting_keeps_what_was_recorded_and_accounts_for_every_clip(tmp_path: Path) -> None:
    with engine_on(tmp_path) as engine:
        path = start(engine)
        go_on(engine, lambda: trial(engine) == 2)
        do(engine, "abort")
        facts = finish(engine)
    assert facts["outcome"] == "aborted" and not facts["complete"]
    assert facts["trials"]["done"] + facts["trials"]["skipped"] == 5
    assert facts["streams"][0]["samples"] > 10 * 250
    assert events(path)[-1].data == {"outcome": "aborted"}


def test_an_interrupted_session_is_a_whole_file_that_says_so(tmp_path: Path) -> None:
    with engine_on(tmp_path) as engine:
        start(engine)
        go_on(engine, lambda: trial(engine) == 1)
        engine.interrupt("signal")
        facts = finish(engine)
    assert facts["outcome"] == "interrupted"


def test_shutting_down_in_mid_session_finishes_the_file_first(tmp_path: Path) -> None:
    with engine_on(tmp_path) as engine:
        start(engine)
        go_on(engine, lambda: trial(engine) == 1)
        do(engine, "shutdown")
        engine.serve()
        engine.close()
        assert engine.phase == "finished" and engine.summary["outcome"] == "interrupted"


def test_marks_and_notes_go_into_the_file_and_later_notes_beside_it(tmp_path: Path) -> None:
    with engine_on(tmp_path) as engine:
        with pytest.raises(ConfigError, match="start the session first"):
            do(engine, "note", text="too early")
        path = start(engine)
        go_on(engine, lambda: step_kind(engine) == "rest")
        do(engine, "mark", text="moved")
        do(engine, "note", text="cold hands \ud800")  # half a surrogate pair cannot be written as UTF-8
        finish(engine)
        before = path.read_bytes()
        do(engine, "note", text="left happy")
    said = [event.data["text"] for event in events(path, "mark", "note")]
    assert sorted(said) == ["cold hands ?", "moved"]
    assert path.read_bytes() == before, "a recording is never rewritten"
    (line,) = folder.notes_path(path).read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["data"] == {"text": "left happy"}


def test_without_the_participants_screen_the_next_clip_waits(tmp_path: Path) -> None:
    with engine_on(tmp_path) as engine:
        path = start(engine)
        go_on(engine, lambda: trial(engine) == 1)
        do(engine, "screen_lost", screen="HDMI-1")
        go_on(engine, lambda: engine.run is not None and engine.run.runner.status.phase == "holding")
        assert len(engine.run.runner.status.held_by) == 1 if engine.run else False
        do(engine, "screen_found", screen="HDMI-1")
        finish(engine)
    kinds = [event.kind for event in events(path, "screen_lost", "paused", "screen_found", "resumed")]
    assert kinds == ["screen_lost", "paused", "screen_found", "resumed"]
    (lost,), (found,) = events(path, "screen_lost"), events(path, "screen_found")
    onsets = [event.time_s for event in events(path, "clip_onset")]
    assert not [onset_s for onset_s in onsets if lost.time_s < onset_s < found.time_s]
    assert len(onsets) == 5


def test_a_new_window_on_a_screen_of_its_own_ends_the_wait_for_the_lost_one(tmp_path: Path) -> None:
    with engine_on(tmp_path) as engine:
        path = start(engine)
        go_on(engine, lambda: trial(engine) == 1)
        do(engine, "attach", screen="HDMI-1")
        do(engine, "screen_lost", screen="HDMI-1")
        go_on(engine, lambda: engine.run is not None and engine.run.runner.status.phase == "holding")
        do(engine, "attach", screen="HDMI-1")  # emolab was started anew, the cable is back
        assert engine.screen == "HDMI-1" and not engine.holds
        facts = finish(engine)
    assert facts["trials"]["done"] == 5
    (resumed,) = events(path, "resumed")
    assert resumed.data["reason"].startswith("The participant's screen is gone")


def test_a_new_window_without_a_screen_of_its_own_does_not_end_the_wait(tmp_path: Path) -> None:
    with engine_on(tmp_path) as engine:
        start(engine)
        go_on(engine, lambda: trial(engine) == 1)
        do(engine, "screen_lost", screen="HDMI-1")
        go_on(engine, lambda: engine.run is not None and engine.run.runner.status.phase == "holding")
        do(engine, "attach", screen="eDP-1", is_own=False)
        waited_s = engine.clock.now_s()
        go_on(engine, lambda: engine.clock.now_s() > waited_s + 5)
        assert engine.run is not None and engine.run.runner.status.phase == "holding"
        assert not engine.screen, "the console offers another screen"
        do(engine, "screen_found", screen="eDP-1")  # the experimenter took the offer
        assert finish(engine)["trials"]["done"] == 5


def test_a_screen_lost_during_set_up_still_holds_the_session(tmp_path: Path) -> None:
    with engine_on(tmp_path) as engine:
        do(engine, "screen_lost", screen="HDMI-1")
        path = start(engine)
        go_on(engine, lambda: engine.run is not None and engine.run.runner.status.phase == "holding")
        do(engine, "screen_found", screen="HDMI-1")
        finish(engine)
    assert events(path, "paused")[0].data["reason"].startswith("The participant's screen is gone")


def test_lights_stay_as_the_session_ended_and_call_nobody_to_a_silent_board(tmp_path: Path) -> None:
    """A window that stays open after the end showed every instrument in red, with "Retry"."""
    with engine_on(tmp_path) as engine:
        start(engine)
        finish(engine)
        ended_s = engine.clock.now_s()
        go_on(engine, lambda: engine.clock.now_s() > ended_s + 2 * SILENT_AFTER_S)
        (light,) = engine.health()
    assert light.level == "well", light.message


def test_one_engine_records_one_session(tmp_path: Path) -> None:
    with engine_on(tmp_path) as engine:
        start(engine)
        with pytest.raises(ConfigError, match="has begun its session"):
            start(engine, session=1)
        do(engine, "abort")
        finish(engine)
        with pytest.raises(ConfigError, match="has begun its session"):
            start(engine, session=1)


def test_an_engine_killed_earlier_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / ".emolab").mkdir()
    stale = {"port": 9, "token": "0" * 32, "pid": 1, "rings": "/nowhere"}
    (tmp_path / ".emolab" / "engine.json").write_text(json.dumps(stale))
    with engine_on(tmp_path) as engine:
        start(engine)
        assert engine.phase == "running"


def test_a_second_engine_on_a_study_is_refused_and_leaves_the_first_alone(tmp_path: Path) -> None:
    with engine_on(tmp_path) as engine:
        start(engine)
        with pytest.raises(ConfigError, match=r"already runs on .*attach to it"), engine_on(tmp_path):
            pass
        do(engine, "abort")
        assert finish(engine)["outcome"] == "aborted"


def test_no_window_can_attach_before_the_device_file_has_proved_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the console says 'disconnected' instead of which key is missing."""
    announced: list[object] = []
    build = config.build

    def slow(*given: Any) -> list[Source]:
        announced.append(find_engine(tmp_path))
        return build(*given)

    monkeypatch.setattr(config, "build", slow)
    with engine_on(tmp_path):
        assert find_engine(tmp_path) is not None
    assert announced == [None]


def test_who_withdraws_while_the_session_begins_is_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit = participants.admit

    def admit_and_withdraw(study: Path, participant: str) -> None:
        admit(study, participant)
        participants.mark_withdrawn(study, participant)

    monkeypatch.setattr(participants, "admit", admit_and_withdraw)
    with engine_on(tmp_path) as engine:
        path = start(engine)
        assert engine.phase == "finished" and "P001 withdrew" in engine.message
        with Session.open(path) as session:
            assert session.outcome == "interrupted"


def test_whoever_withdraws_finds_a_session_running_as_long_as_its_file_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each side marks first and looks then: a session is told before it asks whether somebody withdrew."""
    check_open, close = participants.check_open, Recorder.close
    told: list[str] = []

    def withdraw(study: Path, participant: str) -> None:
        if (study / "P001" / "P001_session-0.h5").exists():
            told.append(occupied.why_not(study, participant))
            participants.mark_withdrawn(study, participant)
        check_open(study, participant)

    def slowly(recorder: Recorder, outcome: str, timeout_s: float) -> None:
        told.append(occupied.why_not(tmp_path, "P001"))
        close(recorder, outcome, timeout_s)

    monkeypatch.setattr(participants, "check_open", withdraw)
    monkeypatch.setattr(Recorder, "close", slowly)
    with engine_on(tmp_path) as engine:
        start(engine)
        assert engine.phase == "finished" and "P001 withdrew" in engine.message
        assert told == ["Session 0 of P001 is being recorded."] * 2
        assert not occupied.why_not(tmp_path, "P001")


def test_a_window_hears_of_the_end_of_a_session_that_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine_on(tmp_path) as engine:
        start(engine)
        address = read_address(tmp_path)
        assert address is not None
        told: list[str] = []
        with closing(EngineClient(address)) as window, monkeypatch.context() as patch:
            patch.setattr(engine.player, "close", lambda: told.append(window.snapshot().phase))
            engine.close()
        assert told == ["finished"]


def test_a_session_nobody_answers_holds_no_consent(tmp_path: Path) -> None:
    with engine_on(tmp_path) as engine:
        path = start(engine, answers="none")
        go_on(engine, lambda: engine.run is not None and engine.run.runner.status.index > 1)
        engine.interrupt("enough")
        finish(engine)
    assert not events(path, "consent")
    assert inspect(path)["consent"]["given_s"] is None


def test_a_session_keeps_the_text_shown_and_the_participants_number(tmp_path: Path) -> None:
    page = load(shipped.protocol("quick")).text("en").consent
    consent.keep(tmp_path, "en", replace(page, text="Approved by the board."))
    with engine_on(tmp_path) as engine:
        path = start(engine)
        assert engine.run is not None and engine.run.stage().text == "Approved by the board."
        finish(engine)
    (version,) = consent.versions(tmp_path)
    started, agreed = (
        next(event.data for event in events(path) if event.kind == kind)
        for kind in ("session_started", "consent")
    )
    assert agreed == version.facts() | {"by": "simulated"} and started["consent"] == version.facts()
    assert started["participant_number"] == 1 == participants.number_of(tmp_path, "P001")
