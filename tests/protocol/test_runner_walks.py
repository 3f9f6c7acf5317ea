"""Whatever is asked of the runner, and whenever: what must never break.

A walk is a list of moves drawn by hypothesis: time passes, the participant answers, the
experimenter and the program interfere. After each walk the session is aborted or left to end.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from emolab.core.label import STATE_KEYS, state
from emolab.protocol.runner import (
    Answer,
    Choice,
    Close,
    Command,
    Finished,
    Held,
    Paused,
    Rated,
    Released,
    Resumed,
    Runner,
    Show,
    TrialSkipped,
)
from emolab.protocol.steps import Instruct, Pause, Play, Rate, Rest
from tests.protocol.worlds import of, plan

ASKED = ("proceed", "pause", "resume", "hold", "release", "skip", "mark", "repeat", "stand still")
MOVES = ("wait", "next", "choose", "confirm", "late", *ASKED)
moves = st.lists(
    st.tuples(st.sampled_from(MOVES), st.floats(0, 60), st.sampled_from(STATE_KEYS)), max_size=80
)
plans = st.builds(
    plan,
    name=st.sampled_from(("emomusic", "quick")),
    participant=st.integers(0, 30),
    seed=st.integers(0, 100),
    neutral_position=st.sampled_from(("middle", "first", "last", "rotate")),
    washout_s=st.just(7.0),
    ends_early=st.booleans(),
    cap_s=st.sampled_from((90.0, 400.0, 1200.0)),
    rest_s=st.just(10.0),
    report_s=st.sampled_from((3.0, 8.0)),
    clip_s=st.sampled_from((2.0, 5.0)),
    clips_per_state=st.just(1),
)


class Walk:
    """One walk, begun after so many of the two first pages: all that was said, the status checked."""

    def __init__(self, runner: Runner, pages: int = 2) -> None:
        self.runner = runner
        self.said: list[Command] = []
        self.now_s = 0.0
        runner.begin(0.0)
        self.drain()
        for _ in range(pages):
            runner.proceed(0.0)
            self.drain()

    def drain(self, answer: Answer | None = None) -> None:
        while (command := self.runner.tick(self.now_s, answer)) is not None:
            answer = None
            self.said.append(command)
            assert command.time_s <= self.now_s
        status = self.runner.status
        assert len(status.progress) == len(self.runner.plan.steps)
        is_shown = status.index >= 0 and status.progress[status.index] == "now"
        assert status.progress.count("now") == is_shown
        assert is_shown or status.phase != "running"
        assert self.runner.next_s > self.now_s
        if status.ends_s is not None and status.run_started_s is not None and status.phase == "running":
            assert status.ends_s >= self.now_s or math.isclose(status.ends_s, self.now_s)

    def move(self, kind: str, amount: float, key: str) -> None:
        runner = self.runner
        match kind:
            case "wait":
                self.now_s += amount
            case "next" if math.isfinite(runner.next_s):
                self.now_s = runner.next_s
            case "choose":
                self.drain(Answer("choose", key, state(key).words[0] if amount > 30 else None, self.now_s))
            case "confirm":
                self.drain(Answer("confirm", None, None, self.now_s))
            case "hold":
                runner.hold(self.now_s, "screen lost" if amount > 30 else "sound gone")
            case "release":
                runner.release(self.now_s, None if amount > 30 else "screen lost")
            case "stand still":  # the clock sleeps, too, or it does not
                still_s, self.now_s = self.now_s, self.now_s + (amount if key == "neutral" else 0.0)
                runner.stood_still(still_s, self.now_s, amount, "the computer stood still")
            case "mark":
                runner.mark(self.now_s, "here")
            case "late":  # a device reports the true onset of what is shown
                runner.started(runner.status.index, self.now_s)
            case "proceed" | "pause" | "resume" | "skip" | "repeat":
                getattr(runner, kind)(self.now_s)
        self.drain()

    def finish(self) -> None:
        """Lead the session to its end, answering nothing more."""
        for _ in range(500):
            if self.runner.status.phase in ("finished", "aborted"):
                return
            for kind in ("resume", "proceed"):
                self.move(kind, 0, "neutral")
            self.runner.release(self.now_s)
            self.drain()
            self.move("next", 0, "neutral")
        raise AssertionError("the session does not end")


def assert_story_is_whole(runner: Runner, said: list[Command]) -> None:
    times = [command.time_s for command in said]
    assert all(before <= after for before, after in pairwise(times))
    assert isinstance(said[-1], Finished) and len(of(said, Finished)) == 1
    shown: Show | None = None
    for command in said:
        match command:
            case Show():
                assert shown is None, "two steps are shown at once"
                shown = command
            case Close():
                assert shown is not None and (shown.index, shown.step) == (command.index, command.step)
                shown = None
            case Choice() | Rated() if shown is not None:
                assert isinstance(shown.step, Rate) and shown.index == command.index
    assert shown is None, "a step is never closed"
    assert len(of(said, Paused)) - len(of(said, Resumed)) in (0, 1)
    assert len(of(said, Held)) - len(of(said, Released)) in (0, 1, 2)


def assert_cap_is_kept(runner: Runner, said: list[Command]) -> None:
    start_s = runner.status.run_started_s
    for show in of(said, Show):
        if isinstance(show.step, Play):
            assert start_s is not None
            report_s = next(s.window_s for s in runner.plan.steps if isinstance(s, Rate))
            assert show.time_s + show.step.duration_s + report_s <= start_s + runner.plan.cap_s + 1e-6


def outcomes(said: list[Command]) -> dict[str, list[str]]:
    """How each clip's attempts ended, in order."""
    ended: dict[str, list[str]] = {}
    for command in said:
        if isinstance(command, Rated) and command.label.clip:
            ended.setdefault(command.label.clip, []).append("rated" if command.label.state else "missing")
        if isinstance(command, TrialSkipped):
            ended.setdefault(command.clip, []).append("skipped")
    return ended


@settings(max_examples=400, deadline=None)
@given(plans, moves, st.integers(0, 2))
def test_no_walk_breaks_the_story(session: Any, walk: list[tuple[str, float, str]], pages: int) -> None:
    runner = Runner(session)
    walked = Walk(runner, pages)
    for move in walk:
        walked.move(*move)
    walked.finish()
    assert_story_is_whole(runner, walked.said)
    assert_cap_is_kept(runner, walked.said)
    ended = outcomes(walked.said)
    assert set(ended) == {clip.id for clip in session.trials}
    if not any(kind == "repeat" for kind, _, _ in walk):
        assert all(len(ways) == 1 for ways in ended.values())


@settings(max_examples=150, deadline=None)
@given(plans, moves, st.sampled_from(("aborted", "interrupted")))
def test_aborting_any_walk_accounts_for_every_trial(session: Any, walk: list, outcome: Any) -> None:
    runner = Runner(session)
    walked = Walk(runner)
    for move in walk:
        if move[0] != "repeat":
            walked.move(*move)
    runner.abort(walked.now_s, outcome)
    walked.drain() if runner.status.phase in ("finished", "aborted") else walked.move("wait", 0, "neutral")
    assert_story_is_whole(runner, walked.said)
    ended = outcomes(walked.said)
    assert {clip: len(ways) for clip, ways in ended.items()} == {clip.id: 1 for clip in session.trials}


@settings(max_examples=150, deadline=None)
@given(plans, moves)
def test_opposites_never_touch_without_a_washout_unless_it_was_skipped(session: Any, walk: list) -> None:
    runner = Runner(session)
    walked = Walk(runner)
    for move in walk:
        if move[0] not in ("skip", "repeat"):
            walked.move(*move)
    walked.finish()
    music = [show.step for show in of(walked.said, Show) if isinstance(show.step, Play | Pause)]
    for before, after in pairwise(music):
        if isinstance(before, Play) and isinstance(after, Play):
            assert state(before.clip.state).rank * state(after.clip.state).rank >= 0


@settings(max_examples=100, deadline=None)
@given(plans, st.lists(st.floats(0, 9), min_size=40, max_size=40), st.integers(1, 40))
def test_late_ticks_change_no_time(session: Any, responses: list[float], stride: int) -> None:
    """The same answers give the same record, ticked at each deadline or every now and then."""

    def record(step_s: float | None) -> list[Command]:
        runner, said, now_s, left = Runner(session), [], 0.0, list(responses)
        runner.begin(0.0)
        pending: list[Answer] = []
        while not (said and isinstance(said[-1], Finished)):
            assert now_s < 10_000
            while (command := runner.tick(now_s, pending.pop(0) if pending else None)) is not None or pending:
                if command is None:
                    continue
                said.append(command)
                if isinstance(command, Show) and isinstance(command.step, Instruct):
                    runner.proceed(command.time_s)
                if isinstance(command, Show) and isinstance(command.step, Rate):
                    at_s = command.time_s + left.pop()
                    pending = [Answer("choose", "neutral", None, at_s), Answer("confirm", None, None, at_s)]
            now_s = runner.next_s if step_s is None else now_s + step_s
        return said

    assert record(float(stride)) == record(None)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 2), st.integers(0, 1000))
def test_an_undisturbed_session_keeps_the_cap(participant: int, session: int, seed: int) -> None:
    runner = Runner(plan(participant=participant, session=session, seed=seed))
    walked = Walk(runner)
    walked.finish()
    start_s = runner.status.run_started_s
    assert start_s is not None and walked.said[-1].time_s - start_s <= 1200
    assert any(isinstance(show.step, Rest) for show in of(walked.said, Show))
