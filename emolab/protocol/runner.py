"""Walks a session plan step by step: a pure state machine without sleep, thread or Qt.

                 begin                    proceed
    (not begun) ───────► waiting ◄──────────────────────┐
                            │ proceed                   │ a page with a button
                            ▼         step over         │
          ┌───────────── boundary ◄───────────────── running
          │ pause or hold   │ else                      ▲
          │ asked for       └───────────────────────────┤ the next step that may start
          ▼                                             │
    paused / holding ───────────────────────────────────┘
          │              resume / release
          │      no step left: finished            abort, at any moment: aborted
          ▼
    a pause takes effect before the next rest, clip or wash-out, never inside a step

Time is an argument. `tick(now_s)` is called until it returns None; each command carries the
moment it was due, so a late tick delays nothing after it. What is asked of the runner (pause,
skip, answers) is applied by the following ticks in order of its time. `started` tells the true
onset of a step, from which its length, and the time of an answer, are then counted.

Decisions
- The cap: a trial starts only if its clip and its whole report window end by the cap, counted
  from the rest's onset; else it is recorded as skipped with that reason. A report window is cut
  at the cap when late onsets used up the last seconds.
- A report not confirmed in time is missing, whatever was chosen; the choice stays on record.
- Skipping a clip skips its report; skipping a report leaves it missing; skipping while paused
  skips the step that would come next. Aborting records every trial not heard as skipped, so
  trials rated, missing and skipped always add up to those planned.
- Repeating plays the current trial again, or between trials the last one; should it have been
  rated already, both reports are on record and the later one stands.
- A standstill pauses the session and does not count against the cap. What was due meanwhile is due at
  its end, a report gets its time back, a rest that lacks more than `REST_GAP_S` is made anew.
- The thanks page ends the session; it is left standing, nobody is waited for.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from emolab.core.errors import DataError
from emolab.core.label import RatedLabel
from emolab.protocol.cap import latest_end_s, trial_fits, washout_is_of_use
from emolab.protocol.commands import (
    Answer,
    Choice,
    Close,
    Command,
    Finished,
    Held,
    How,
    Marked,
    Outcome,
    Paused,
    Phase,
    Progress,
    Rated,
    Released,
    Resumed,
    RunnerStatus,
    Show,
    TrialSkipped,
)
from emolab.protocol.session_plan import SessionPlan
from emolab.protocol.steps import Instruct, Mark, Pause, Play, Rate, Rest, Step, longest_s

_EXPERIMENTER = "the experimenter"
REST_GAP_S = 10.0  # of 300 s; who slept through more has no baseline


@dataclass(order=True)
class _Request:
    """Something asked of the runner, applied in order of time, then of asking."""

    time_s: float
    number: int
    act: Callable[[float], None] = field(compare=False)


class Runner:
    """One session. Used by one thread; see the module for what it does and when."""

    def __init__(self, plan: SessionPlan) -> None:
        self.plan = plan
        self._outbox: deque[Command] = deque()
        self._inbox: list[_Request] = []
        self._asked = 0
        self._time_s = -math.inf  # of the last thing that happened
        self._index = -1  # of the step shown, or about to be
        self._is_open = False
        self._is_halted = False
        self._outcome: Outcome | None = None
        self._wants_pause, self._paused_by = False, _EXPERIMENTER
        self._holds: list[str] = []
        self._shown_s = self._opened_s = 0.0
        self._closes_s: float | None = None
        self._run_started_s: float | None = None
        self._choices: list[tuple[str, str | None]] = []
        self._is_confirmed = False
        self._last_play: int | None = None
        self._skipped: set[int] = set()
        self._progress: list[Progress] = ["waiting"] * len(plan.steps)
        self._owed_s = 0.0  # wash-out that did not fit any more: what follows it must not start

    # what the engine asks

    def begin(self, now_s: float) -> None:
        """Start with the first page. Asking again does nothing."""
        self._ask(now_s, self._do_begin)

    def proceed(self, now_s: float) -> None:
        """The participant goes on from a page that waits; ignored elsewhere."""
        self._ask(now_s, partial(self._do_proceed, now_s))

    def pause(self, now_s: float) -> None:
        """Pause before the next rest, clip or wash-out."""
        self._ask(now_s, partial(self._do_pause, _EXPERIMENTER))

    def resume(self, now_s: float) -> None:
        """End the pause, or take it back before it took effect."""
        self._ask(now_s, self._do_resume)

    def stood_still(self, from_s: float, to_s: float, seconds: float, reason: str) -> None:
        """No tick came for `seconds`, some of which the clock may have slept; to be told before the next."""
        self._ask(from_s, partial(self._do_stand_still, to_s, seconds, reason))

    def hold(self, now_s: float, reason: str) -> None:
        """Hold like a pause, made by the program; several reasons add up."""
        self._ask(now_s, partial(self._do_hold, reason))

    def release(self, now_s: float, reason: str | None = None) -> None:
        """Let go of one reason to hold, or of all."""
        self._ask(now_s, partial(self._do_release, reason))

    def skip(self, now_s: float, step: int | None = None) -> None:
        """End the step shown, or while paused leave out the one to come next; only `step` if given."""
        self._ask(now_s, partial(self._do_skip, step))

    def repeat(self, now_s: float) -> None:
        """Play the current or last trial again, if the cap allows."""
        self._ask(now_s, self._do_repeat)

    def mark(self, now_s: float, text: str) -> None:
        """Note a moment."""
        self._ask(now_s, lambda time_s: self._say(Marked(text, time_s)))

    def abort(self, now_s: float, outcome: Outcome = "aborted") -> None:
        """End the session at once. `outcome`: `aborted` by a person, or `interrupted` by a signal."""
        self._ask(now_s, partial(self._do_abort, outcome))

    def started(self, index: int, onset_s: float) -> None:
        """The step shown as `index` truly began at `onset_s`; ignored when it is over.

        Moves the step's end, and the rest's onset. Raises `DataError` when the onset is no number.
        """
        if not math.isfinite(onset_s):
            raise DataError(f"step {index} cannot have started at {onset_s}; pass its session-clock onset")
        if not (self._is_open and index == self._index):
            return
        onset_s = max(onset_s, self._shown_s)  # a stamp may lie a little before what it answers
        if self._run_started_s == self._opened_s:
            self._run_started_s = onset_s
        self._opened_s = onset_s
        self._closes_s = self._end_of(self.plan.steps[index], onset_s)

    def tick(self, now_s: float, answer: Answer | None = None) -> Command | None:
        """The next thing to do that is due at `now_s`, or None; `answer`: what the participant did."""
        if answer is not None:
            self._ask(answer.time_s, partial(self._do_answer, answer))
        while not self._outbox and self._advance(now_s):
            pass
        return self._outbox.popleft() if self._outbox else None

    @property
    def next_s(self) -> float:
        """Time of the next thing that happens by itself; infinite while waiting for a person."""
        if self._outbox:
            return self._time_s
        return min(self._request_s(), self._deadline_s())

    @property
    def wants_pause(self) -> bool:
        """Whether it is paused, or will be: `resume` ends that."""
        return self._wants_pause

    @property
    def status(self) -> RunnerStatus:
        """Where the session is, frozen."""
        steps = self.plan.steps
        is_inside = 0 <= self._index < len(steps) and self._outcome is None
        progress = list(self._progress)
        if is_inside and self._is_open:
            progress[self._index] = "now"
        chosen, word = self._choices[-1] if self._choices else (None, None)
        return RunnerStatus(
            phase=self._phase(),
            index=self._index if is_inside else -1,
            step=steps[self._index] if is_inside else None,
            opened_s=self._opened_s,
            closes_s=self._closes_s if self._is_open else None,
            run_started_s=self._run_started_s,
            ends_s=self._latest_end_s(),
            will_pause=self._outcome is None and not self._is_halted and self._must_halt(),
            held_by=tuple(self._holds),
            chosen=chosen,
            word=word,
            is_confirmed=self._is_open and self._is_confirmed,
            skipped=tuple(sorted(self._skipped)),
            progress=tuple(progress),
        )

    # time

    def _ask(self, time_s: float, act: Callable[[float], None]) -> None:
        if self._outcome is None:
            self._asked += 1
            heapq.heappush(self._inbox, _Request(time_s, self._asked, act))

    def _request_s(self) -> float:
        return self._inbox[0].time_s if self._inbox else math.inf

    def _deadline_s(self) -> float:
        return self._closes_s if self._is_open and self._closes_s is not None else math.inf

    def _advance(self, now_s: float) -> bool:
        """Do the earliest thing due, if any; a request at the very deadline comes before it."""
        request_s, deadline_s = self._request_s(), self._deadline_s()
        if min(request_s, deadline_s) > now_s:
            return False
        self._time_s = max(self._time_s, min(request_s, deadline_s))
        if request_s <= deadline_s:
            heapq.heappop(self._inbox).act(self._time_s)
        else:
            self._end_step(self._time_s, "done")
        return True

    def _say(self, command: Command) -> None:
        self._outbox.append(command)

    # steps

    def _go_on(self, time_s: float) -> None:
        """Open the next step that may start; or halt before it, or finish."""
        while self._index < len(self.plan.steps):
            step = self.plan.steps[self._index]
            if isinstance(step, Play | Rate) and step.trial in self._skipped:
                self._pass_over()
            elif isinstance(step, Play) and not self._fits(self._index, time_s + self._owed_s):
                self._skip_trial(step, time_s, f"could end after the cap of {self.plan.cap_s:g} s")
            elif isinstance(step, Pause) and not self._washout_is_of_use(time_s):
                self._owed_s = step.duration_s
                self._pass_over()
            elif self._must_halt() and (self._is_halted or isinstance(step, Rest | Play | Pause)):
                self._halt(time_s)
                return
            else:
                self._open(step, time_s)
                if self._is_open:
                    return
        self._finish(time_s, "complete")

    def _washout_is_of_use(self, time_s: float) -> bool:
        return washout_is_of_use(self.plan.steps, self._index, self._elapsed_s(time_s), self.plan.cap_s)

    def _open(self, step: Step, time_s: float) -> None:
        self._is_open, self._is_halted = True, False
        self._shown_s = self._opened_s = time_s
        self._is_confirmed = False
        if self._run_started_s is None and not isinstance(step, Instruct | Mark):
            self._run_started_s = time_s
        if isinstance(step, Play):
            self._last_play = self._index
        self._owed_s = 0.0
        self._closes_s = self._end_of(step, time_s)
        start_s = self._run_started_s
        planned_s = None if start_s is None else start_s + self.plan.planned_times_s[self._index]
        self._say(Show(self._index, step, time_s, planned_s, self._closes_s))
        if isinstance(step, Mark):
            self._say(Marked(step.name, time_s))
        if longest_s(step) == 0:
            self._close(time_s, "done")

    def _end_of(self, step: Step, onset_s: float) -> float | None:
        length_s = longest_s(step)
        if length_s is None:
            return None
        if isinstance(step, Rate) and step.trial and self._run_started_s is not None:
            return max(onset_s, min(onset_s + length_s, self._run_started_s + self.plan.cap_s))
        return onset_s + length_s

    def _close(self, time_s: float, how: How) -> None:
        self._say(Close(self._index, self.plan.steps[self._index], time_s, how))
        self._progress[self._index] = "done" if how == "done" else "skipped"
        self._is_open = False
        self._choices = []
        self._index += 1

    def _end_step(self, time_s: float, how: How) -> None:
        """End the step shown, leaving its report missing if it has none, and go on."""
        step = self.plan.steps[self._index]
        if isinstance(step, Rate) and not self._is_confirmed:
            self._rate(step, time_s, is_given=False)
        if isinstance(step, Play) and how != "done":
            self._close(time_s, how)
            self._tell_skipped(step, time_s, f"skipped by {_EXPERIMENTER}")
        else:
            self._close(time_s, how)
        self._go_on(time_s)

    def _rate(self, step: Rate, time_s: float, is_given: bool) -> None:
        clip = step.clip.id if step.clip else None
        if is_given:
            chosen, word = self._choices[-1]
            label = RatedLabel(clip, chosen, word, time_s - self._opened_s, len(self._choices) - 1)
        else:
            label = RatedLabel(clip, None, None, None, len(self._choices))
        self._is_confirmed = True
        self._say(Rated(label, self._index, time_s))

    def _tell_skipped(self, step: Play, time_s: float, reason: str) -> None:
        self._skipped.add(step.trial)
        self._say(TrialSkipped(step.clip.id, step.clip.state, reason, time_s))

    def _skip_trial(self, step: Play, time_s: float, reason: str) -> None:
        self._tell_skipped(step, time_s, reason)
        self._pass_over()

    def _pass_over(self) -> None:
        self._progress[self._index] = "skipped"
        self._index += 1

    def _finish(self, time_s: float, outcome: Outcome) -> None:
        self._outcome = outcome
        self._is_halted = False
        self._inbox.clear()
        self._say(Finished(outcome, time_s))

    # the cap

    def _elapsed_s(self, time_s: float) -> float:
        return 0.0 if self._run_started_s is None else time_s - self._run_started_s

    def _fits(self, index: int, time_s: float) -> bool:
        return trial_fits(self.plan.steps, index, self._elapsed_s(time_s), self.plan.cap_s)

    def _latest_end_s(self) -> float | None:
        if self._run_started_s is None or self._outcome is not None:
            return None
        at_s = self._closes_s if self._is_open and self._closes_s is not None else self._time_s
        index, elapsed_s = self._index + self._is_open, self._elapsed_s(at_s)
        end_s = latest_end_s(self.plan.steps, index, elapsed_s, self.plan.cap_s, self._skipped)
        return self._run_started_s + max(min(end_s, self.plan.cap_s), self._elapsed_s(self._time_s))

    # pause and hold

    def _must_halt(self) -> bool:
        return self._wants_pause or bool(self._holds)

    def _halt(self, time_s: float) -> None:
        if self._is_halted:
            return
        self._is_halted = True
        for reason in self._holds:
            self._say(Held(time_s, reason))
        if self._wants_pause:
            self._say(Paused(time_s, self._paused_by))

    def _phase(self) -> Phase:
        if self._outcome is not None:
            return "finished" if self._outcome == "complete" else "aborted"
        if self._is_halted:
            return "holding" if self._holds else "paused"
        if self._is_open and self._closes_s is not None:
            return "running"
        return "waiting"

    # requests, at the moment they take effect

    def _do_begin(self, time_s: float) -> None:
        if self._index < 0:
            self._index = 0
            self._go_on(time_s)

    def _do_proceed(self, asked_s: float, time_s: float) -> None:
        is_page = self._is_open and isinstance(self.plan.steps[self._index], Instruct)
        if is_page and asked_s >= self._opened_s:  # an older click was meant for the page before
            self._end_step(time_s, "done")

    def _do_answer(self, answer: Answer, time_s: float) -> None:
        step = self.plan.steps[self._index] if self._is_open else None
        if not isinstance(step, Rate) or self._is_confirmed or answer.time_s < self._opened_s:
            return
        if answer.kind == "choose":
            choice = (answer.state or "", answer.word or None)
            if not self._choices or self._choices[-1] != choice:
                self._choices.append(choice)
                clip = step.clip.id if step.clip else None
                self._say(Choice(self._index, clip, *choice, time_s - self._opened_s, time_s))
        elif self._choices:
            self._rate(step, time_s, is_given=True)
            if step.ends_early:
                self._end_step(time_s, "done")

    def _do_pause(self, reason: str, time_s: float) -> None:
        if not self._wants_pause:
            self._wants_pause, self._paused_by = True, reason
            if self._is_halted:
                self._say(Paused(time_s, reason))

    def _do_resume(self, time_s: float) -> None:
        if self._wants_pause:
            self._wants_pause = False
            if self._is_halted:
                self._say(Resumed(time_s, self._paused_by))
                self._go_on(time_s)

    def _do_stand_still(self, until_s: float, seconds: float, reason: str, time_s: float) -> None:
        step = self.plan.steps[self._index] if self._is_open else None
        lost_s, is_first = max(until_s - time_s, 0.0), self._run_started_s == self._opened_s
        if self._run_started_s is not None:
            self._run_started_s += lost_s
        if self._closes_s is not None:
            self._closes_s = max(self._closes_s + lost_s * isinstance(step, Rate), until_s)
        self._do_pause(reason, time_s)
        if isinstance(step, Rest) and seconds > REST_GAP_S:
            self._close(time_s, "aborted")
            self._time_s = max(time_s, until_s)
            self._index -= 1
            self._progress[self._index] = "waiting"
            self._run_started_s = None if is_first else self._run_started_s
            self._halt(self._time_s)

    def _do_hold(self, reason: str, time_s: float) -> None:
        if reason not in self._holds:
            self._holds.append(reason)
            if self._is_halted:
                self._say(Held(time_s, reason))

    def _do_release(self, reason: str | None, time_s: float) -> None:
        let_go = [held for held in self._holds if reason in (None, held)]
        self._holds = [held for held in self._holds if held not in let_go]
        if self._is_halted and let_go:
            for held in let_go:
                self._say(Released(time_s, held))
            self._go_on(time_s)

    def _do_skip(self, step_meant: int | None, time_s: float) -> None:
        if step_meant not in (None, self._index):
            self._say(Marked("nothing is skipped: the step that was meant is over", time_s))
        elif self._is_open:
            self._end_step(time_s, "skipped")
        elif self._is_halted:
            step = self.plan.steps[self._index]
            if isinstance(step, Play):
                self._skip_trial(step, time_s, f"skipped by {_EXPERIMENTER}")
            else:
                if isinstance(step, Rate):
                    self._rate(step, time_s, is_given=False)
                self._say(Marked(f"{step.name} left out by {_EXPERIMENTER}", time_s))
                self._pass_over()
            self._go_on(time_s)

    def _do_repeat(self, time_s: float) -> None:
        index = self._last_play
        play = self.plan.steps[index] if index is not None else None
        if index is None or not isinstance(play, Play):
            self._say(Marked("there is no clip to repeat yet", time_s))
            return
        if not self._fits(index, time_s):
            self._say(Marked(f"{play.name} is not repeated: it could end after the cap", time_s))
            return
        if self._is_open:
            self._close(time_s, "skipped")
        self._say(Marked(f"{play.name} is repeated", time_s))
        self._index = index
        self._skipped.discard(play.trial)
        for later in range(index, len(self._progress)):
            self._progress[later] = "waiting"
        self._go_on(time_s)

    def _do_abort(self, outcome: Outcome, time_s: float) -> None:
        reason = f"session {outcome}"
        if self._is_open:
            step = self.plan.steps[self._index]
            if isinstance(step, Rate) and not self._is_confirmed:
                self._rate(step, time_s, is_given=False)
            self._close(time_s, "aborted")
            if isinstance(step, Play):
                self._tell_skipped(step, time_s, reason)
        for index in range(max(self._index, 0), len(self.plan.steps)):
            step = self.plan.steps[index]
            if isinstance(step, Play) and step.trial not in self._skipped:
                self._tell_skipped(step, time_s, reason)
            self._progress[index] = "skipped"
        self._finish(time_s, outcome)
