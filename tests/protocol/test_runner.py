"""The runner: one session after another, each told as a story with exact times."""

from __future__ import annotations

import math

import pytest

from emolab.core.errors import DataError
from emolab.protocol.runner import (
    Answer,
    Choice,
    Close,
    Command,
    Finished,
    Held,
    Marked,
    Paused,
    Rated,
    Released,
    Resumed,
    Runner,
    Show,
    TrialSkipped,
)
from emolab.protocol.steps import Instruct, Pause, Play, Rate, Rest
from tests.protocol.worlds import after, of, plan, run

# times of a session whose rest began at 0, baseline unanswered: first clip, its report
CLIP_1_S, RATE_1_S, CLIP_2_S = 330.0, 360.0, 390.0


class Story:
    """A runner with the rest begun at session time 0, and all that it said since."""

    def __init__(self, **changed: object) -> None:
        self.runner = Runner(plan(**changed))  # type: ignore[arg-type]
        self.said: list[Command] = []
        self.runner.begin(-2.0)
        self.runner.proceed(-1.0)
        self.runner.proceed(0.0)
        self.until(0.0)
        assert self.runner.status.run_started_s == 0.0
        self.said.clear()

    def until(self, now_s: float) -> list[Command]:
        """Let time pass and return what was said meanwhile."""
        new = []
        while (command := self.runner.tick(now_s)) is not None:
            new.append(command)
        self.said += new
        return new

    def answer(
        self, kind: str, time_s: float, state: str | None = None, word: str | None = None
    ) -> list[Command]:
        first = self.runner.tick(time_s, Answer(kind, state, word, time_s))  # type: ignore[arg-type]
        new = [] if first is None else [first]
        self.said += new
        return new + self.until(time_s)

    @property
    def step(self) -> object:
        return self.runner.status.step


def test_a_participant_who_never_answers_gets_14_trials_and_the_session_ends_at_1170_s() -> None:
    runner = Runner(plan())
    commands = run(runner)
    assert len([show for show in of(commands, Show) if isinstance(show.step, Play)]) == 14
    (skip,) = of(commands, TrialSkipped)
    assert skip.reason == "could end after the cap of 1200 s"
    assert [rated.label.state for rated in of(commands, Rated)] == [None] * 15  # 14 and the baseline
    start_s = runner.status.run_started_s
    assert start_s is not None
    assert commands[-1] == Finished("complete", start_s + 1170)
    assert skip.time_s == start_s + 1170
    assert runner.status.phase == "finished" and runner.status.skipped == (15,)


@pytest.mark.parametrize(("report_s", "clips"), [(8.0, 15), (28.0, 15), (28.1, 14), (29.9, 14)])
def test_all_15_fit_when_reports_take_28_s(report_s: float, clips: int) -> None:
    commands = run(Runner(plan()), after(report_s))
    assert len(of(commands, Rated)) == clips + 1
    assert all(rated.label.state is not None for rated in of(commands, Rated))
    assert len(of(commands, TrialSkipped)) == 15 - clips


def test_the_quick_session_runs_all_five_clips_even_unanswered() -> None:
    runner = Runner(plan("quick"))
    commands = run(runner)
    assert len(of(commands, TrialSkipped)) == 0
    start_s = runner.status.run_started_s
    assert start_s is not None and commands[-1].time_s - start_s == 83


def test_pages_wait_for_the_participant_and_thanks_does_not() -> None:
    runner = Runner(plan("quick"))
    assert runner.status.phase == "waiting" and runner.status.index == -1
    assert math.isinf(runner.next_s)
    runner.begin(1.0)
    assert runner.next_s == 1.0
    consent = runner.tick(1.0)
    assert isinstance(consent, Show) and consent.step == Instruct("consent", "consent")
    assert (consent.planned_s, consent.closes_s) == (None, None)
    assert runner.tick(500.0) is None and math.isinf(runner.next_s)
    assert runner.status.phase == "waiting"
    runner.proceed(500.0)
    assert runner.tick(500.0) == Close(0, consent.step, 500.0, "done")
    commands = run(Runner(plan("quick")))
    shown, closed, finished = commands[-3:]
    assert isinstance(shown, Show) and shown.step == Instruct("thanks", "thanks")
    assert shown.time_s == closed.time_s == finished.time_s


def test_a_second_click_on_one_page_does_not_turn_the_next() -> None:
    runner = Runner(plan())
    runner.begin(0.0)
    runner.proceed(1.0)
    assert [type(c) for c in (runner.tick(1.0), runner.tick(1.0))] == [Show, Close]
    instruct = runner.tick(1.0)
    assert isinstance(instruct, Show) and instruct.index == 1
    runner.proceed(0.9)  # arrives late, but was made on the first page
    assert runner.tick(2.0) is None
    assert runner.status.index == 1


def test_deadlines_are_exact_however_late_the_tick() -> None:
    story = Story()
    new = story.until(300.004)
    assert [command.time_s for command in new] == [300.0, 300.0]
    assert isinstance(new[1], Show) and (new[1].planned_s, new[1].closes_s) == (300.0, 330.0)
    later = of(story.until(777.7), Show)
    assert [show.time_s for show in later] == list(range(330, 777, 30))


def test_next_s_is_the_deadline_and_nothing_happens_before_it() -> None:
    story = Story()
    assert story.runner.next_s == 300.0
    assert story.until(299.999) == []
    assert len(story.until(300.0)) == 2


def test_a_clip_lasts_from_its_true_onset() -> None:
    story = Story()
    story.until(CLIP_1_S)
    index = story.runner.status.index
    story.runner.started(index, 330.25)
    assert story.runner.status.opened_s == 330.25
    assert story.runner.next_s == 360.25
    (closed, rate) = story.until(361.0)
    assert (closed.time_s, rate.time_s) == (360.25, 360.25)
    story.runner.started(index, 340.0)  # over already
    assert story.runner.next_s == 390.25


def test_the_rest_s_true_onset_is_what_the_cap_counts_from() -> None:
    story = Story()
    story.runner.started(2, 0.5)
    assert story.runner.status.run_started_s == 0.5
    commands = story.until(10_000.0)
    assert commands[-1] == Finished("complete", 1170.5)


def test_an_onset_that_is_no_time_is_refused() -> None:
    with pytest.raises(DataError, match="step 2 cannot have started at nan"):
        Story().runner.started(2, math.nan)


def test_choices_are_recorded_until_confirmed() -> None:
    story = Story()
    story.until(RATE_1_S)
    story.runner.started(story.runner.status.index, 360.1)
    clip = story.runner.plan.trials[0].id
    (first,) = story.answer("choose", 362.1, "neutral")
    assert isinstance(first, Choice)
    assert (first.clip, first.state, first.word, first.time_s) == (clip, "neutral", None, 362.1)
    assert first.response_s == pytest.approx(2.0)
    (second,) = story.answer("choose", 363.1, "less_positive", "thrill")
    assert isinstance(second, Choice) and (second.state, second.word) == ("less_positive", "thrill")
    assert story.answer("choose", 363.5, "less_positive", "thrill") == []  # the same again is no change
    assert (story.runner.status.chosen, story.runner.status.word) == ("less_positive", "thrill")
    rated, closed, shown = story.answer("confirm", 364.1)
    assert isinstance(rated, Rated)
    assert (rated.label.clip, rated.label.state, rated.label.word, rated.label.changes) == (
        clip,
        "less_positive",
        "thrill",
        1,
    )
    assert rated.label.response_s == pytest.approx(4.0)
    assert closed == Close(rated.index, closed.step, 364.1, "done")
    assert isinstance(shown, Show) and isinstance(shown.step, Play) and shown.time_s == 364.1


def test_confirming_without_a_choice_is_ignored() -> None:
    story = Story()
    story.until(RATE_1_S)
    assert story.answer("confirm", 361.0) == []
    assert isinstance(story.step, Rate)


def test_a_choice_not_confirmed_in_time_is_a_missing_report() -> None:
    story = Story()
    story.until(RATE_1_S)
    story.answer("choose", 365.0, "neutral", "calm")
    rated = story.until(CLIP_2_S)[0]
    assert isinstance(rated, Rated)
    assert (rated.label.state, rated.label.word, rated.label.response_s) == (None, None, None)
    assert rated.label.changes == 1 and rated.time_s == CLIP_2_S


def test_answers_outside_a_report_are_ignored() -> None:
    story = Story()
    story.until(CLIP_1_S)
    assert story.answer("choose", 340.0, "neutral") == []
    story.until(RATE_1_S + 1)
    assert story.runner.tick(RATE_1_S + 1, Answer("choose", "neutral", None, 359.0)) is None  # too old
    assert story.runner.status.chosen is None


def test_an_answer_given_in_time_counts_though_the_tick_comes_late() -> None:
    story = Story()
    story.until(RATE_1_S)
    story.answer("choose", 389.0, "neutral")
    rated = story.runner.tick(390.5, Answer("confirm", None, None, 389.99))
    assert isinstance(rated, Rated) and rated.label.state == "neutral" and rated.time_s == 389.99


def test_the_whole_window_is_waited_for_when_confirming_does_not_end_it() -> None:
    story = Story(ends_early=False)
    story.until(RATE_1_S)
    story.answer("choose", 362.0, "neutral")
    (rated,) = story.answer("confirm", 363.0)
    assert isinstance(rated, Rated) and rated.label.response_s == 3.0
    assert story.runner.status.is_confirmed
    assert story.answer("choose", 364.0, "less_positive") == []  # settled
    closed, shown = story.until(CLIP_2_S)
    assert closed.time_s == shown.time_s == CLIP_2_S
    assert len(of(story.said, Rated)) == 2  # the baseline's and this one


@pytest.mark.parametrize(
    ("kind", "state", "word"),
    [
        ("choose", "joyful", None),
        ("choose", None, None),
        ("choose", "neutral", "sad"),
        ("guess", "neutral", None),
    ],
)
def test_answers_that_are_none_cannot_be_made(kind: str, state: str | None, word: str | None) -> None:
    with pytest.raises(DataError):
        Answer(kind, state, word, 0.0)  # type: ignore[arg-type]


def test_a_pause_takes_effect_before_the_next_clip() -> None:
    story = Story()
    story.until(CLIP_1_S)
    story.runner.pause(335.0)
    assert story.until(389.0)[-1].time_s == RATE_1_S  # the report is still asked
    assert story.runner.status.will_pause
    assert story.until(400.0)[-1] == Paused(CLIP_2_S, "the experimenter")
    assert story.runner.status.phase == "paused" and math.isinf(story.runner.next_s)
    story.runner.resume(450.0)
    resumed, shown = story.until(450.0)
    assert resumed == Resumed(450.0, "the experimenter")
    assert isinstance(shown, Show) and shown.time_s == 450.0 and shown.planned_s == CLIP_2_S


def test_a_pause_taken_back_in_time_leaves_no_trace() -> None:
    story = Story()
    story.until(CLIP_1_S)
    story.runner.pause(335.0)
    story.runner.resume(340.0)
    assert [type(command) for command in story.until(CLIP_2_S)] == [Close, Show, Rated, Close, Show]


def test_a_pause_asked_for_on_the_first_page_holds_the_rest() -> None:
    runner = Runner(plan())
    for ask in (runner.begin, runner.pause, runner.proceed, runner.proceed):
        ask(0.0)
    while runner.tick(0.0) is not None:
        pass
    assert runner.status.phase == "paused" and isinstance(runner.status.step, Rest)
    assert runner.status.run_started_s is None
    runner.resume(100.0)
    runner.tick(100.0)
    shown = runner.tick(100.0)
    assert isinstance(shown, Show) and runner.status.run_started_s == 100.0


def test_time_spent_in_a_pause_counts_against_the_cap() -> None:
    story = Story()
    story.runner.pause(310.0)
    story.until(CLIP_1_S)
    story.runner.resume(CLIP_1_S + 600)
    commands = story.until(10_000)
    assert len([show for show in of(commands, Show) if isinstance(show.step, Play)]) == 4
    assert len(of(commands, TrialSkipped)) == 11
    assert commands[-1].time_s <= 1200


def test_a_hold_waits_until_every_reason_is_gone() -> None:
    story = Story()
    story.until(CLIP_1_S)
    story.runner.hold(331.0, "screen lost")
    story.runner.hold(332.0, "sound card gone")
    held = of(story.until(CLIP_2_S), Held)
    assert [(h.time_s, h.reason) for h in held] == [(CLIP_2_S, "screen lost"), (CLIP_2_S, "sound card gone")]
    assert story.runner.status.phase == "holding"
    assert story.runner.status.held_by == ("screen lost", "sound card gone")
    story.runner.release(400.0, "screen lost")
    assert story.until(400.0) == [Released(400.0, "screen lost")]
    story.runner.release(410.0)
    released, shown = story.until(410.0)
    assert released == Released(410.0, "sound card gone") and isinstance(shown, Show)


def test_a_hold_and_a_pause_each_need_their_own_end() -> None:
    story = Story()
    story.until(CLIP_1_S)
    story.runner.hold(331.0, "screen lost")
    story.until(CLIP_2_S)
    story.runner.pause(395.0)
    assert story.until(395.0) == [Paused(395.0, "the experimenter")]
    story.runner.release(396.0)
    assert of(story.until(396.0), Show) == [] and story.runner.status.phase == "paused"
    story.runner.resume(397.0)
    assert len(of(story.until(397.0), Show)) == 1


def test_a_skip_of_a_step_that_is_over_skips_no_other() -> None:
    """Asked for a blink before the clip's end, it took the next one."""
    story = Story()
    story.until(CLIP_1_S)
    meant = story.runner.status.index
    story.runner.skip(340.0, step=meant - 1)
    assert story.until(340.0) == [Marked("nothing is skipped: the step that was meant is over", 340.0)]
    story.runner.skip(341.0, step=meant)
    assert isinstance(story.until(341.0)[0], Close)


def test_skipping_a_clip_skips_its_report() -> None:
    story = Story()
    story.until(CLIP_1_S)
    story.runner.skip(340.0)
    closed, skipped, shown = story.until(340.0)
    clip = story.runner.plan.trials[0]
    assert isinstance(closed, Close) and closed.how == "skipped"
    assert skipped == TrialSkipped(clip.id, clip.state, "skipped by the experimenter", 340.0)
    assert isinstance(shown, Show) and isinstance(shown.step, Play) and shown.step.trial == 2
    assert story.runner.status.progress[4:7] == ("skipped", "skipped", "now")


def test_skipping_a_report_leaves_it_missing() -> None:
    story = Story()
    story.until(RATE_1_S)
    story.answer("choose", 361.0, "neutral")
    story.runner.skip(362.0)
    rated, closed, _ = story.until(362.0)
    assert isinstance(rated, Rated) and rated.label.state is None
    assert isinstance(closed, Close) and closed.how == "skipped"


def test_skipping_while_paused_leaves_out_the_next_clip() -> None:
    story = Story()
    story.runner.pause(310.0)
    story.until(CLIP_1_S)
    story.runner.skip(340.0)
    (skipped,) = story.until(340.0)
    assert isinstance(skipped, TrialSkipped) and skipped.clip == story.runner.plan.trials[0].id
    assert story.runner.status.phase == "paused"
    story.runner.resume(350.0)
    (shown,) = of(story.until(350.0), Show)
    assert shown.step.trial == 2


def test_repeating_plays_the_current_clip_again() -> None:
    story = Story()
    story.until(RATE_1_S)
    story.answer("choose", 361.0, "neutral")
    story.runner.repeat(362.0)
    closed, marked, shown = story.until(362.0)
    assert isinstance(closed, Close) and isinstance(closed.step, Rate) and closed.how == "skipped"
    assert marked == Marked("clip 1 of 15 is repeated", 362.0)
    assert isinstance(shown, Show) and isinstance(shown.step, Play) and shown.step.trial == 1
    story.until(392.0)
    assert story.runner.status.chosen is None  # nothing of the first attempt is left
    assert len(of(story.said, Rated)) == 1  # the baseline's only


def test_repeating_between_trials_plays_the_last_one() -> None:
    story = Story()
    story.runner.pause(340.0)
    story.until(CLIP_2_S)
    story.runner.repeat(395.0)
    assert story.until(395.0) == [Marked("clip 1 of 15 is repeated", 395.0)]
    story.runner.resume(400.0)
    (shown,) = of(story.until(400.0), Show)
    assert shown.step.trial == 1
    (next_shown,) = of(story.until(460.0), Show)[1:]
    assert next_shown.step.trial == 2


def test_a_clip_left_out_stays_out_when_the_one_before_is_repeated() -> None:
    story = Story()
    story.runner.pause(340.0)
    story.until(CLIP_2_S)
    story.runner.skip(391.0)
    story.runner.repeat(392.0)
    story.runner.resume(393.0)
    story.until(10_000.0)
    trials = [show.step.trial for show in of(story.said, Show) if isinstance(show.step, Play)]
    assert trials[:3] == [1, 1, 3]


def test_a_clip_skipped_by_mistake_can_be_repeated() -> None:
    story = Story()
    story.until(CLIP_1_S)
    story.runner.skip(340.0)
    story.runner.repeat(341.0)  # by now clip 2 plays: that one is repeated
    (shown,) = of(story.until(341.0), Show)[1:]
    assert shown.step.trial == 2
    story.runner.pause(342.0)
    story.runner.skip(343.0)
    story.runner.repeat(344.0)
    story.runner.resume(345.0)
    assert of(story.until(345.0), Show)[-1].step.trial == 2
    assert story.runner.status.skipped == (1,)


def test_nothing_is_repeated_before_the_first_clip_or_past_the_cap() -> None:
    story = Story()
    story.runner.repeat(10.0)
    assert story.until(10.0) == [Marked("there is no clip to repeat yet", 10.0)]
    story.until(1150.0)
    trial = story.runner.status.step
    story.runner.repeat(1150.0)
    assert story.until(1150.0) == [
        Marked("clip 14 of 15 is not repeated: it could end after the cap", 1150.0)
    ]
    assert story.runner.status.step == trial


@pytest.mark.parametrize("outcome", ["aborted", "interrupted"])
def test_aborting_accounts_for_every_trial(outcome: str) -> None:
    story = Story()
    story.until(CLIP_2_S)
    story.runner.abort(400.0, outcome)  # type: ignore[arg-type]
    commands = story.until(400.0)
    assert isinstance(commands[0], Close) and commands[0].how == "aborted"
    assert [skip.reason for skip in of(commands, TrialSkipped)] == [f"session {outcome}"] * 14
    assert commands[-1] == Finished(outcome, 400.0)  # type: ignore[arg-type]
    assert story.runner.status.phase == "aborted" and math.isinf(story.runner.next_s)
    story.runner.skip(401.0)
    assert story.until(10_000.0) == []


def test_aborting_in_a_report_leaves_it_missing_and_aborting_before_the_start_is_possible() -> None:
    story = Story()
    story.until(RATE_1_S)
    story.runner.abort(361.0)
    commands = story.until(361.0)
    assert len(of(commands, Rated)) == 1 and len(of(commands, TrialSkipped)) == 14
    runner = Runner(plan())
    runner.abort(1.0)
    assert isinstance(runner.tick(1.0), TrialSkipped)


def test_marks_are_noted_when_they_are_made() -> None:
    story = Story()
    story.runner.mark(12.5, "participant coughed")
    assert story.until(20.0) == [Marked("participant coughed", 12.5)]


def test_a_washout_is_shown_and_never_played_into_the_cap() -> None:
    story = Story(neutral_position="first")
    commands = story.until(10_000.0)
    (washout,) = (show for show in of(commands, Show) if isinstance(show.step, Pause))
    assert washout.closes_s == washout.time_s + 30
    assert len([show for show in of(commands, Show) if isinstance(show.step, Play)]) == 14
    assert commands[-1] == Finished("complete", 1200.0)


def test_when_no_clip_fits_after_the_washout_it_is_left_out_with_them() -> None:
    story = Story(neutral_position="first")
    story.runner.pause(800.0)  # paused before clip 9, the last but the second half
    story.until(810.0)
    assert story.runner.status.phase == "paused" and story.runner.status.step.trial == 9  # type: ignore[union-attr]
    story.runner.resume(1055.0)
    commands = story.until(10_000.0)
    # at 1115 the pause and a trial would end at 1205; a trial alone would fit, but not be washed out
    assert [type(show.step) for show in of(commands, Show)] == [Play, Rate, Instruct]
    assert len(of(commands, TrialSkipped)) == 6
    assert commands[-1] == Finished("complete", 1115.0)


def test_a_report_is_cut_at_the_cap_when_onsets_came_late() -> None:
    story = Story(neutral_position="first")
    late_s = 0.01
    now_s = 0.0
    while story.runner.status.phase != "finished":
        for show in of(story.until(now_s), Show):
            if isinstance(show.step, Play) and show.step.trial == 14:
                story.runner.started(show.index, show.time_s + late_s)
        now_s = story.runner.next_s if math.isfinite(story.runner.next_s) else now_s
    assert story.said[-1] == Finished("complete", 1200.0)


def test_the_latest_end_is_told_at_any_moment() -> None:
    story = Story()
    assert story.runner.status.ends_s == 1170
    story.until(RATE_1_S)
    story.answer("choose", 361.0, "neutral")
    story.answer("confirm", 361.0)  # 29 s won: 15 trials still do not fit for sure
    assert story.runner.status.ends_s == 1141
    story.until(391.0)
    story.answer("choose", 391.0, "neutral")
    story.answer("confirm", 391.0)
    assert story.runner.status.ends_s == 391 + 13 * 60


def test_an_answer_at_the_very_end_of_the_window_counts() -> None:
    story = Story()
    story.until(RATE_1_S)
    story.answer("choose", 361.0, "neutral")
    rated = story.runner.tick(CLIP_2_S, Answer("confirm", None, None, CLIP_2_S))
    assert isinstance(rated, Rated) and rated.label.state == "neutral"


def test_an_onset_stamped_before_the_command_counts_from_the_command() -> None:
    story = Story()
    story.until(CLIP_1_S)
    story.runner.started(story.runner.status.index, CLIP_1_S - 0.001)
    assert (story.runner.status.opened_s, story.runner.next_s) == (CLIP_1_S, RATE_1_S)


def test_leaving_out_the_rest_while_paused_stays_paused_before_its_report() -> None:
    runner = Runner(plan())
    for ask in (runner.begin, runner.pause, runner.proceed, runner.proceed, runner.skip):
        ask(0.0)
    said: list[Command] = []
    while (command := runner.tick(0.0)) is not None:
        said.append(command)
    assert said[-1] == Marked("rest left out by the experimenter", 0.0)
    assert runner.status.phase == "paused" and isinstance(runner.status.step, Rate)
    runner.skip(1.0)
    rated, marked = runner.tick(1.0), runner.tick(1.0)
    assert isinstance(rated, Rated) and (rated.label.clip, rated.label.state) == (None, None)
    assert marked == Marked("baseline report left out by the experimenter", 1.0)
    assert runner.status.phase == "paused" and isinstance(runner.status.step, Play)


def test_a_clip_left_out_is_told_once_though_the_session_is_aborted_before_its_place() -> None:
    story = Story()
    story.runner.pause(340.0)
    story.until(CLIP_2_S)
    story.runner.skip(391.0)
    story.runner.repeat(392.0)
    story.runner.abort(393.0)
    story.until(393.0)
    told = [skip.clip for skip in of(story.said, TrialSkipped)]
    assert len(told) == len(set(told)) == 15  # the first one, heard and rated, is to be heard again


# a standstill: nobody ticks, and then far too much is due at once

STILL = "the computer stood still"


def stand_still(story: Story, from_s: float, to_s: float, seconds: float | None = None) -> list[Command]:
    """Nobody ticks between these moments; what is said at the first tick thereafter."""
    story.until(from_s)
    story.runner.stood_still(from_s, to_s, to_s - from_s if seconds is None else seconds, STILL)
    return story.until(to_s)


def test_an_hours_standstill_in_a_clip_costs_that_clip_and_nothing_else() -> None:
    story = Story()
    woke_s = CLIP_1_S + 3600.0
    said = stand_still(story, CLIP_1_S + 10.0, woke_s)
    (closed,), (report,) = of(said, Close), of(said, Show)
    assert (closed.time_s, closed.how) == (woke_s, "done"), "its end was due in the standstill"
    assert isinstance(report.step, Rate) and report.time_s == woke_s and report.closes_s == woke_s + 30.0
    assert not of(said, Rated), "who was not asked has not failed to answer"
    assert story.runner.wants_pause
    story.answer("choose", woke_s + 5.0, "neutral")
    assert story.answer("confirm", woke_s + 6.0)[-1] == Paused(woke_s + 6.0, STILL)
    assert not story.until(woke_s + 59.0), "somebody has to go on"
    story.runner.resume(woke_s + 60.0)
    after_s = story.until(woke_s + 60.0)
    assert isinstance(after_s[-1], Show) and isinstance(after_s[-1].step, Play)


def test_a_standstill_does_not_count_against_the_cap() -> None:
    story = Story()
    woke_s = CLIP_1_S + 40_000.0
    stand_still(story, CLIP_1_S + 10.0, woke_s)
    story.runner.resume(woke_s)
    story.until(1e6)
    shown_s = [show.time_s for show in of(story.said, Show) if isinstance(show.step, Play)]
    assert len(shown_s) == 14 and all(at_s > woke_s for at_s in shown_s[1:])
    assert len(of(story.said, TrialSkipped)) == 1, "the fifteenth does not fit, as ever"


def test_a_short_standstill_moves_no_end_that_is_still_to_come() -> None:
    story = Story()
    assert not stand_still(story, CLIP_1_S + 10.0, CLIP_1_S + 14.0)
    (closed, *_) = of(story.until(RATE_1_S), Close)
    assert closed.time_s == RATE_1_S
    said = story.until(RATE_1_S + 100.0)
    assert said[-1] == Paused(CLIP_2_S, STILL)


def test_a_report_gets_the_time_back_that_nobody_could_use() -> None:
    story = Story()
    assert not stand_still(story, RATE_1_S + 20.0, RATE_1_S + 200.0)
    story.answer("choose", RATE_1_S + 205.0, "neutral")
    story.answer("confirm", RATE_1_S + 206.0)
    (rated,) = of(story.said[-3:], Rated)
    assert rated.label.state == "neutral"


def test_a_click_made_during_the_standstill_moves_nothing_past_its_end() -> None:
    story = Story()
    story.until(RATE_1_S + 1.0)
    story.runner.stood_still(RATE_1_S + 1.0, RATE_1_S + 3600.0, 3599.0, STILL)
    story.answer("choose", RATE_1_S + 1800.0, "neutral")
    assert story.until(RATE_1_S + 3600.0) == [] and isinstance(story.step, Rate)
    assert story.runner.status.chosen == "neutral"


@pytest.mark.parametrize("counted_s", [0.0, 3600.0], ids=["the clock slept, too", "the clock went on"])
def test_a_rest_that_was_slept_through_is_made_anew_and_the_cap_counts_from_it(counted_s: float) -> None:
    story = Story()
    woke_s = 100.0 + counted_s
    closed, paused = stand_still(story, 100.0, woke_s, 3600.0)
    assert isinstance(closed, Close) and isinstance(closed.step, Rest) and closed.how == "aborted"
    assert closed.time_s == 100.0, "nobody rested after that"
    assert paused == Paused(woke_s, STILL)
    assert story.runner.status.progress[story.runner.status.index] == "waiting"
    assert not story.until(woke_s + 500.0), "somebody has to go on"
    story.runner.resume(woke_s + 500.0)
    resumed, again = story.until(woke_s + 500.0)
    assert resumed == Resumed(woke_s + 500.0, STILL)
    assert isinstance(again, Show) and isinstance(again.step, Rest) and again.closes_s == woke_s + 800.0
    assert story.runner.status.run_started_s == woke_s + 500.0


def test_a_rest_that_lacks_a_few_seconds_goes_on_and_the_session_pauses_after_its_report() -> None:
    story = Story()
    assert not stand_still(story, 100.0, 103.0)
    said = story.until(400.0)
    assert [close.how for close in of(said, Close)] == ["done", "done"]
    assert said[-1] == Paused(CLIP_1_S, STILL)
