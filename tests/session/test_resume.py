"""A session that broke off once or twice: what was used up, what is asked again, in which order it goes on.

Real sessions on a clock that is put forward: the whole EmoMusic protocol, 300 s of rest and 15 clips.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import h5py
import numpy as np
import pytest

from emolab.core import shipped
from emolab.core.clock import SteppedClock
from emolab.core.errors import ConfigError
from emolab.core.event import Event
from emolab.core.stream import Chunk
from emolab.protocol.session_plan import with_clip_paths
from emolab.protocol.steps import Play, Rate, Rest, Step
from emolab.recording.reader import Session
from emolab.recording.writer import SessionWriter
from emolab.session import prepare, resume
from emolab.session.player import Onset, SilentPlayer
from emolab.session.prepare import Prepared, StartRequest, check, lay_out
from emolab.session.respondent import Act, Nobody
from emolab.session.run import Run
from emolab.study import participants
from emolab.study.consent import Version
from tests.training import listened

DAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PAGES_S = 4.0  # consent and instructions, 2 s each; the rest begins then
REST_S, ANSWER_S, CLIP_S, WINDOW_S = 300.0, 12.0, 30.0, 30.0


class Answering(Nobody):
    """Answers each report 12 s after it was asked; the report on the rest only if told so."""

    def __init__(self, answers_baseline: bool = True) -> None:
        self._answers_baseline = answers_baseline

    def acts(self, step: Step, opened_s: float) -> list[Act]:
        if not isinstance(step, Rate):
            return super().acts(step, opened_s)
        if step.clip is None and not self._answers_baseline:
            return []
        at_s = opened_s + ANSWER_S
        return [Act(at_s, "choose", "neutral", "calm"), Act(at_s, "confirm")]


class Mute(SilentPlayer):
    """Plays nothing, and does not ask for the clips' files either."""

    def play(self, path: Path, duration_s: float, requested_s: float) -> None:
        self._onset = Onset(requested_s, 0.0)

    def prepare(self, path: Path, duration_s: float) -> None:
        pass


@dataclass(frozen=True)
class Part:
    """One part of a session, until it broke off at `until_s` of its own clock.

    `by`: "kill" leaves the file as a power cut does, "signal" ends it in order. `deed`: when the
    experimenter does what, `skip` or `pause`; `then`: what else, in order.
    """

    until_s: float
    by: str = "kill"
    respondent: Nobody = field(default_factory=Answering)
    deed: tuple[float, str] = (math.inf, "")
    then: tuple[tuple[float, str], ...] = ()


def record(study: Path, part: Part, request: StartRequest) -> Path:
    """Record one part of a session in `study`."""
    loaded, bank, plan, path = check(request, study)
    plan = with_clip_paths(
        plan, {clip.id: bank.path.parent / bank.entry(clip.id).file for clip in plan.trials}
    )
    prepared = Prepared(request, loaded, loaded.text(None), plan, path, Version("en", 1, "", ""))
    clock = SteppedClock(DAY)
    writer = SessionWriter(path, replace(prepared.header("lab", "", clock.speed), started_utc=DAY))
    writer.open([])
    writer.mark(Event(0.0, "session_started", data=prepared.facts()))
    run = Run(prepared, clock, Mute(), part.respondent, writer.mark)
    run.begin(0.0)
    deeds = [part.deed, *part.then, (math.inf, "")]
    while not run.outcome and min(run.next_s, deeds[0][0]) <= part.until_s:
        if deeds[0][0] <= run.next_s:
            at_s, deed = deeds.pop(0)
            getattr(run.runner, deed)(at_s)
            clock.go_to(at_s)
        else:
            clock.go_to(run.next_s)
        run.tick(clock.now_s())
    if not run.outcome:
        clock.go_to(part.until_s)
        if part.by == "signal":
            run.runner.abort(part.until_s, "interrupted")
            run.tick(part.until_s)
        else:
            writer.mark(Event(part.until_s, "mark", data={"text": "the last that was written"}))
    if run.outcome:
        writer.close(run.outcome)
    else:
        writer.flush()
        writer.let_go()
    return path


def broken_off(study: Path, *parts: Part, protocol: str = "emomusic") -> tuple[resume.Broken, list[Step]]:
    """What a session of these parts came to, and the steps that are left of it."""
    for number, part in enumerate(parts):
        record(study, part, StartRequest(protocol, "P001", answers="simulated", resume=number > 0))
    _, _, left, _ = check(StartRequest(protocol, "P001", answers="simulated", resume=True), study)
    return resume.broken(study, "P001", 0), list(left.steps)


def asks_of_the_rest(steps: Sequence[Step]) -> bool:
    return any(isinstance(step, Rate) and step.clip is None for step in steps)


def test_the_time_of_every_part_counts_against_the_cap(tmp_path: Path) -> None:
    """The first part lasts 395 s from its rest, the second, which has no rest, 500 s from its first clip."""
    broken, steps = broken_off(tmp_path, Part(PAGES_S + 395), Part(2.0 + 500))
    assert broken.elapsed_s == pytest.approx(895, abs=0.01)
    assert broken.is_rested and broken.has_baseline
    assert not any(isinstance(step, Rest) for step in steps) and not asks_of_the_rest(steps)


def test_what_no_longer_fits_under_the_cap_is_skipped_in_the_third_part(tmp_path: Path) -> None:
    paused = Part(2.0 + 790, deed=(20.0, "pause"))  # in its first clip, and the power went in the pause
    broken, steps = broken_off(tmp_path, Part(PAGES_S + 395), paused)
    assert broken.elapsed_s == pytest.approx(1185, abs=0.01)
    left = [step.clip.id for step in steps if isinstance(step, Play)]
    assert len(left) == 12
    last = record(tmp_path, Part(5000.0), StartRequest("emomusic", "P001", answers="simulated", resume=True))
    with Session.open(last) as session:
        assert session.outcome == "complete"
        assert [e.data["clip"] for e in session.events if e.kind == "trial_skipped"] == left
        assert not any(e.kind == "clip_onset" for e in session.events)


def test_a_report_on_the_rest_that_a_signal_cut_off_is_asked_again(tmp_path: Path) -> None:
    asked_s = PAGES_S + REST_S
    broken, steps = broken_off(tmp_path, Part(asked_s + 5, by="signal"))
    assert broken.is_rested and not broken.has_baseline
    assert asks_of_the_rest(steps) and not any(isinstance(step, Rest) for step in steps)
    assert broken.elapsed_s == pytest.approx(305, abs=0.01)


def test_a_report_on_the_rest_given_in_the_second_part_is_not_asked_again(tmp_path: Path) -> None:
    asked_s = PAGES_S + REST_S
    second = Part(2.0 + ANSWER_S + CLIP_S + 1)
    broken, steps = broken_off(tmp_path, Part(asked_s + 5, by="signal"), second)
    assert broken.is_rested and broken.has_baseline and not asks_of_the_rest(steps)
    assert broken.elapsed_s == pytest.approx(305 + ANSWER_S + CLIP_S + 1, abs=0.01)
    assert len(broken.begun) == 1


def test_a_report_on_the_rest_whose_time_ran_out_is_not_asked_again(tmp_path: Path) -> None:
    silent = Part(PAGES_S + REST_S + WINDOW_S + 5, by="signal", respondent=Answering(answers_baseline=False))
    broken, steps = broken_off(tmp_path, silent)
    assert broken.has_baseline and not asks_of_the_rest(steps)


def test_a_report_on_the_rest_that_was_given_stays_when_its_window_is_cut_off(tmp_path: Path) -> None:
    text = lay_out(StartRequest("emomusic", "P001"))[0].source_text
    assert "ends_early: true" in text
    (tmp_path / "whole.yaml").write_text(text.replace("ends_early: true", "ends_early: false"), "utf-8")
    given = Part(PAGES_S + REST_S + ANSWER_S + 2, by="signal")
    broken, steps = broken_off(tmp_path / "study", given, protocol=str(tmp_path / "whole.yaml"))
    assert broken.has_baseline and not asks_of_the_rest(steps)


@pytest.mark.parametrize("by", ["kill", "signal"])
def test_a_rest_that_broke_off_is_made_anew_and_its_time_given_back(tmp_path: Path, by: str) -> None:
    first = Part(PAGES_S + 200, by=by)
    broken, steps = broken_off(tmp_path, first)
    assert broken.elapsed_s == 0 and not broken.is_rested
    assert any(isinstance(step, Rest) for step in steps) and asks_of_the_rest(steps)

    second = Part(2.0 + REST_S + ANSWER_S + 20)
    record(tmp_path, second, StartRequest("emomusic", "P001", answers="simulated", resume=True))
    again = resume.broken(tmp_path, "P001", 0)
    assert again.elapsed_s == pytest.approx(REST_S + ANSWER_S + 20, abs=0.01)
    assert again.is_rested and again.has_baseline and len(again.begun) == 1


def test_a_rest_that_the_experimenter_ended_is_not_made_anew(tmp_path: Path) -> None:
    broken, steps = broken_off(tmp_path, Part(PAGES_S + 10 + 100, deed=(PAGES_S + 10, "skip")))
    assert broken.elapsed_s == pytest.approx(110, abs=0.01) and len(broken.begun) == 3
    assert broken.is_rested and broken.has_baseline
    assert not any(isinstance(step, Rest) for step in steps) and not asks_of_the_rest(steps)


def test_a_rest_that_the_experimenter_left_out_in_a_pause_is_not_made_anew(tmp_path: Path) -> None:
    left_out = Part(PAGES_S + 100, deed=(1.0, "pause"), then=((PAGES_S + 5, "skip"), (PAGES_S + 6, "resume")))
    broken, steps = broken_off(tmp_path, left_out)
    assert broken.elapsed_s == pytest.approx(94, abs=0.01) and len(broken.begun) == 2
    assert not any(isinstance(step, Rest) for step in steps) and not asks_of_the_rest(steps)


@pytest.mark.parametrize("by", ["kill", "signal"])
def test_a_clip_that_the_experimenter_left_out_is_not_played_afterwards(tmp_path: Path, by: str) -> None:
    """In a pause before the second clip; it broke off in the third."""
    whole = [clip.id for clip in lay_out(StartRequest("emomusic", "P001"))[2].trials]
    first_s = PAGES_S + REST_S + ANSWER_S
    paused = Part(
        first_s + 120,
        by=by,
        deed=(first_s + 10, "pause"),
        then=((first_s + 90, "skip"), (first_s + 100, "resume")),
    )
    broken, steps = broken_off(tmp_path, paused)
    with Session.open(broken.paths[0]) as session:
        skipped = [e.data["clip"] for e in session.events if e.kind == "trial_skipped"]
    assert skipped == (whole[1:2] if by == "kill" else whole[1:])
    assert broken.begun == set(whole[:3])
    assert [step.clip.id for step in steps if isinstance(step, Play)] == whole[3:]


def test_what_is_left_promises_no_more_clips_than_its_time_holds(tmp_path: Path) -> None:
    """It was paused in the first clip until 200 s were left: three clips with their reports, and 20 s."""
    paused = Part(PAGES_S + 1000, deed=(PAGES_S + REST_S + ANSWER_S + 5, "pause"))
    record(tmp_path, paused, StartRequest("emomusic", "P001", answers="simulated"))
    plan = check(StartRequest("emomusic", "P001", answers="simulated", resume=True), tmp_path)[2]
    assert plan.cap_s == pytest.approx(200, abs=0.01)
    assert (plan.planned, plan.guaranteed) == (14, 3)
    assert "14 of 15 clips are left, 3 of them guaranteed in the 200 s" in plan.arithmetic


def test_time_in_which_nothing_went_on_does_not_count(tmp_path: Path) -> None:
    """An hour's sleep in the rest, which is made anew, and one of a minute in the first clip."""
    request = StartRequest("emomusic", "P001", answers="simulated")
    loaded, _, plan, path = check(request, tmp_path)
    prepared = Prepared(request, loaded, loaded.text(None), plan, path, Version("en", 1, "", ""))
    path.parent.mkdir(parents=True)
    writer = SessionWriter(path, replace(prepared.header("lab", "", 1.0), started_utc=DAY))
    writer.open([])
    clip = plan.trials[0].id
    for at_s, kind, data in (
        (10.0, "step_started", {"kind": "rest", "step": 1}),
        (100.0, "stood_still", {"seconds": 3600.0, "counted_s": 3600.0}),
        (3700.0, "step_ended", {"kind": "rest", "step": 1, "how": "aborted"}),
        (3750.0, "step_started", {"kind": "rest", "step": 1}),
        (4050.0, "step_ended", {"kind": "rest", "step": 1, "how": "done"}),
        (4060.0, "step_started", {"kind": "play", "step": 3, "clip": clip}),
        (4070.0, "stood_still", {"seconds": 60.0, "counted_s": 60.0}),
        (4140.0, "mark", {"text": "the last that was written"}),
    ):
        writer.mark(Event(at_s, kind, data=data))
    writer.flush()
    writer.let_go()
    found = resume.broken(tmp_path, "P001", 0)
    assert found.is_rested and found.begun == {clip}
    assert found.elapsed_s == pytest.approx(4140 - 3750 - 60)


def test_a_protocol_whose_comments_alone_have_changed_is_the_one_it_was_begun_with(tmp_path: Path) -> None:
    protocol = shipped.protocol("emomusic").resolve()
    copy = tmp_path / "mine.yaml"
    text = protocol.read_text(encoding="utf-8")
    copy.write_text(text, encoding="utf-8")
    begun = StartRequest(str(copy), "P001", answers="simulated")
    study = tmp_path / "study"
    record(study, Part(PAGES_S + 400), begun)
    again = replace(begun, resume=True)
    lines = text.splitlines(keepends=True)
    copy.write_text("# corrected\n" + "".join(line for line in lines if not line.startswith("#")), "utf-8")
    assert copy.read_text(encoding="utf-8") != text
    assert check(again, study)[3].name == "P001_session-0_part-2.h5"
    copy.write_text(text.replace("washout_s: 30", "washout_s: 31"), "utf-8")
    with pytest.raises(ConfigError, match="is not the protocol that"):
        check(again, study)
    copy.write_text("nothing: [of the kind", "utf-8")
    with pytest.raises(ConfigError):
        check(again, study)


# by which rule the clips are ordered

OLD_P001 = ["most_positive", "less_positive", "neutral", "less_negative", "most_negative"]
"""What emolab gave P001 with seed 0 while it counted blocks from 0."""


@pytest.fixture
def old_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """P001 broke off in the fourth clip, recorded as before there was more than one rule."""
    monkeypatch.setattr(prepare, "RULE", 1)
    path = record(
        tmp_path,
        Part(PAGES_S + 316 + 3 * 42, by="signal"),
        StartRequest("emomusic", "P001", answers="simulated"),
    )
    monkeypatch.undo()
    with h5py.File(path, "r+") as file:
        del file.attrs["order_rule"]
    return tmp_path


def states(steps: Sequence[Step]) -> list[str]:
    return list(dict.fromkeys(step.clip.state for step in steps if isinstance(step, Play)))


def clips(path: Path) -> list[str]:
    with Session.open(path) as session:
        return [str(event.data["clip"]) for event in session.events if event.kind == "clip_onset"]


def test_a_session_begun_by_the_old_rule_goes_on_by_it(old_study: Path) -> None:
    request = StartRequest("emomusic", "P001", answers="simulated", resume=True)
    _, _, left, path = check(request, old_study)
    assert left.order_rule == 1 and states(left.steps) == OLD_P001[1:]
    second = record(old_study, Part(2.0 + 200), request)
    assert second == path
    with Session.open(second) as session:
        assert session.header.order_rule == 1
    assert states(check(request, old_study)[2].steps) == OLD_P001[3:]
    heard = clips(old_study / "P001" / "P001_session-0.h5") + clips(second)
    whole = [clip.id for clip in lay_out(request, old_study)[2].trials]
    assert heard == whole[: len(heard)] and len(heard) == 9


def test_whoever_began_by_the_old_rule_has_it_in_later_sessions_and_nobody_else(old_study: Path) -> None:
    first, later = (lay_out(StartRequest("emomusic", "P001", n), old_study)[2] for n in (0, 1))
    assert (first.order_rule, later.order_rule) == (1, 1)
    assert list(first.sequence) == list(later.sequence) == OLD_P001
    assert not {clip.id for clip in first.trials} & {clip.id for clip in later.trials}
    assert lay_out(StartRequest("emomusic", "P002"), old_study)[2].order_rule == 2
    assert lay_out(StartRequest("emomusic", "P001"))[2].order_rule == 2


def test_a_session_keeps_its_own_rule_beside_one_of_another(old_study: Path) -> None:
    """As when an old session came from another computer after a new one was begun."""
    record(old_study, Part(PAGES_S + 400), StartRequest("emomusic", "P002", 1, answers="simulated"))
    folder = old_study / "P002"
    (old_study / "P001" / "P001_session-0.h5").rename(folder / "P002_session-0.h5")
    rules = [lay_out(StartRequest("emomusic", "P002", n), old_study)[2].order_rule for n in (0, 1, 2)]
    assert rules == [1, 2, 1]


def test_what_is_resumed_keeps_its_seed_whichever_is_asked_for(tmp_path: Path) -> None:
    """Its clips are composed, and looked for, before `check` is asked."""
    begun = StartRequest("emomusic", "P001", seed=5, answers="simulated")
    whole = lay_out(begun, tmp_path)[2]
    record(tmp_path, Part(PAGES_S + 400), begun)
    again = lay_out(replace(begun, seed=0, resume=True), tmp_path)[2]
    assert again.trials == whole.trials != lay_out(replace(begun, seed=0))[2].trials


def test_a_date_set_back_between_the_parts_makes_no_negative_gap(tmp_path: Path) -> None:
    left, _ = broken_off(tmp_path, Part(PAGES_S + 400))
    since_s = (datetime.now(UTC) - DAY).total_seconds()  # a clock that is put forward takes no time
    assert left.facts()["gap_s"] == pytest.approx(since_s, abs=60.0)
    assert replace(left, ended_utc=datetime.now(UTC) + timedelta(hours=1)).facts()["gap_s"] is None


def test_a_recording_that_cannot_be_read_tells_no_rule(tmp_path: Path) -> None:
    (tmp_path / "P001").mkdir()
    (tmp_path / "P001" / "P001_session-0.h5").write_bytes(b"nothing")
    assert lay_out(StartRequest("emomusic", "P001", 1), tmp_path)[2].order_rule == 2


def test_a_new_recording_says_by_which_rule_it_was_laid_out(tmp_path: Path) -> None:
    path = record(tmp_path, Part(PAGES_S + 10), StartRequest("emomusic", "P001", answers="simulated"))
    with h5py.File(path) as file:
        assert int(file.attrs["order_rule"]) == 2


def test_the_first_eight_and_24_that_the_program_names_use_the_sequences_equally(tmp_path: Path) -> None:
    named = [participants.allocate(tmp_path).id for _ in range(24)]
    assert (named[0], named[7], named[23]) == ("P001", "P008", "P024")
    for seed in range(3):
        given = [lay_out(StartRequest("emomusic", who, 0, seed), tmp_path)[2].sequence for who in named]
        assert len(set(given[:8])) == 8
        assert all(given.count(each) == 3 for each in set(given))


def test_a_microphone_that_cannot_be_read_keeps_nobody_from_going_on(tmp_path: Path) -> None:
    request = StartRequest("emomusic", "P001", answers="simulated")
    loaded, _, plan, path = check(request, tmp_path)
    prepared = Prepared(request, loaded, loaded.text(None), plan, path, Version("en", 1, "", ""))
    path.parent.mkdir(parents=True)
    writer = SessionWriter(path, replace(prepared.header("lab", "", 1.0), started_utc=DAY))
    writer.open([listened.MICROPHONE])
    times_s = 40.0 + np.arange(400) / 20
    writer.write(Chunk("microphone", times_s, np.zeros((400, 1), np.int16), 60.0))
    for at_s, kind, data in (
        (10.0, "step_started", {"kind": "rest", "step": 1}),
        (50.0, "step_ended", {"kind": "rest", "step": 1, "how": "done"}),
    ):
        writer.mark(Event(at_s, kind, data=data))
    writer.close("interrupted")
    whole = resume.broken(tmp_path, "P001", 0)
    assert whole.elapsed_s == pytest.approx(times_s[-1] - 10)
    listened.rot(path, "microphone")
    found = resume.broken(tmp_path, "P001", 0)
    assert found.is_rested and found.elapsed_s == pytest.approx(50 - 10)
