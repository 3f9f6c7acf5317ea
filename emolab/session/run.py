"""One session as it goes: the runner's commands become sound, pages and events.

The engine calls `tick` often; nothing here waits. What the participant does arrives either from
the window (`choose`, `confirm`, `proceed`) or from a respondent that acts by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from emolab.core.clock import Clock
from emolab.core.errors import EmolabError
from emolab.core.event import Event
from emolab.protocol import runner as rn
from emolab.protocol.steps import Play, Rate, Rest, Step, kind_of, longest_s
from emolab.session.loopback import OnsetSearch
from emolab.session.player import Player
from emolab.session.prepare import Prepared
from emolab.session.respondent import Act, Respondent
from emolab.session.snapshot import StageView, StepStatus, StepView
from emolab.session.stage import stage_view

ONSET_POLL_S = 0.01


class Run:
    """Drives one session. `record` receives its events in order of happening."""

    def __init__(
        self,
        prepared: Prepared,
        clock: Clock,
        player: Player,
        respondent: Respondent,
        record: Callable[[Event], None],
        search: OnsetSearch | None = None,
    ) -> None:
        self.prepared = prepared
        self.runner = rn.Runner(prepared.plan)
        self.outcome = ""
        self._clock, self._player, self._respondent, self._record = clock, player, respondent, record
        self._search = search
        self._acts: list[Act] = []
        self._playing: rn.Show | None = None  # its onset is not known yet
        self._heard: rn.Show | None = None  # the clip that sounds now
        self._silenced: rn.Show | None = None  # the sound card went while it was to be heard
        self._shown: set[int] = set()
        self._underruns = player.underruns()

    # what the engine asks

    def begin(self, now_s: float) -> None:
        """Show the first page."""
        self._respondent.begin(self.prepared.request.seed, self.prepared.request.participant)
        self.runner.begin(now_s)
        self.tick(now_s)

    def tick(self, now_s: float) -> None:
        """Do all that is due at `now_s`."""
        while self._acts and self._acts[0].time_s <= now_s:
            self._act(self._acts.pop(0))
        self._drain(now_s)
        self._watch_sound(now_s)
        if self._search is not None:
            self._search.look()

    @property
    def next_s(self) -> float:
        """When something is due next by itself."""
        due = [self.runner.next_s]
        if self._acts:
            due.append(self._acts[0].time_s)
        if self._playing is not None:
            due.append(self._clock.now_s() + ONSET_POLL_S)
        return min(due)

    def shown(self, step: int, time_s: float) -> None:
        """The window has painted a step's page: a report's time counts from then."""
        status = self.runner.status
        if step == status.index and step not in self._shown:
            self._shown.add(step)
            if isinstance(status.step, Rate):
                self.runner.started(step, time_s)

    def proceed(self, step: int, time_s: float) -> None:
        """The participant goes on from a page of text."""
        status = self.runner.status
        if step == status.index and time_s >= status.opened_s:  # an older click was for the page before
            is_consent = getattr(status.step, "page", "") == "consent" and status.phase == "waiting"
            if is_consent and (by := self.prepared.request.answers) != "none":  # nobody cannot agree
                self._record(Event(time_s, "consent", data=self.prepared.consent.facts() | {"by": by}))
            self.runner.proceed(time_s)
            self._drain(time_s)

    def choose(self, step: int, state: str, word: str, time_s: float) -> None:
        """The participant picks a state (and word) and may still change it."""
        if step == self.runner.status.index:
            self._drain(time_s, rn.Answer("choose", state, word or None, time_s))

    def confirm(self, step: int, time_s: float) -> None:
        """The participant stands by the choice."""
        if step == self.runner.status.index:
            self._drain(time_s, rn.Answer("confirm", None, None, time_s))

    def change_player(self, player: Player) -> None:
        """Go on with another player: the sound card was opened again."""
        self._player, self._underruns = player, player.underruns()

    def silence(self) -> str:
        """The sound has gone: the clip that plays now was not heard to its end. Its name, empty for none."""
        show = self._heard or self._playing
        self._silenced = show
        return show.step.clip.id if show is not None and isinstance(show.step, Play) else ""

    def write_truth(self, path: Path, zero_s: float) -> None:
        """Keep what the simulated participant knows to be true, beside the recording."""
        self._respondent.write_truth(path, zero_s)

    def stage(self) -> StageView:
        """What the participant sees now."""
        return stage_view(self.runner.status, self.prepared.texts)

    def steps(self) -> tuple[StepView, ...]:
        """The time line."""
        plan = self.prepared.plan
        return tuple(
            _step_view(index, *facts)
            for index, facts in enumerate(
                zip(plan.steps, plan.planned_times_s, self.runner.status.progress, strict=True)
            )
        )

    # what the runner commands

    def _drain(self, now_s: float, answer: Any = None) -> None:
        command = self.runner.tick(now_s, answer)
        while command is not None:
            self._obey(command)
            command = self.runner.tick(now_s)

    def _obey(self, command: Any) -> None:
        match command:
            case rn.Show():
                self._show(command)
            case rn.Close():
                self._close(command)
            case rn.Choice(clip=clip, state=state, word=word, response_s=response_s):
                data = {"clip": clip, "state": state, "word": word, "response_s": response_s}
                self._record(Event(command.time_s, "answer_changed", data=data))
            case rn.Rated(label=label):
                self._record(Event(command.time_s, "answer", data=vars(label) | {"step": command.index}))
            case rn.TrialSkipped(clip=clip, state=state, reason=reason):
                data = {"clip": clip, "state": state, "reason": reason}
                self._record(Event(command.time_s, "trial_skipped", data=data))
            case rn.Paused() | rn.Held():
                self._acts.clear()
                self._record(Event(command.time_s, "paused", data={"reason": command.reason}))
            case rn.Resumed() | rn.Released():
                self._record(Event(command.time_s, "resumed", data={"reason": command.reason}))
            case rn.Marked():
                self._record(Event(command.time_s, "mark", data={"text": command.text}))
            case rn.Finished():
                self._player.stop()
                self.outcome = command.outcome

    def _show(self, command: rn.Show) -> None:
        step, index = command.step, command.index
        self._shown.discard(index)  # a repeated clip's report is painted anew
        data = {"step": index, "kind": kind_of(step), "name": step.name}
        if isinstance(step, Play | Rate) and step.clip is not None:
            data |= {"clip": step.clip.id, "state": step.clip.state, "trial": step.trial}
        self._record(Event(command.time_s, "step_started", command.planned_s, data))
        if isinstance(step, Rest):
            self._respondent.rest(command.time_s)
        if isinstance(step, Play) and step.clip.path is not None:
            self._play(command, step.clip.path, step.duration_s)
        else:
            self._prepare_next(index)
        self._acts = self._respondent.acts(step, command.time_s)

    def _close(self, command: rn.Close) -> None:
        self._acts.clear()
        step = command.step
        data: dict[str, Any] = {"step": command.index, "kind": kind_of(step), "how": command.how}
        if isinstance(step, Play):
            data |= {"clip": step.clip.id, "state": step.clip.state}
            onset = self._player.onset()
            is_cut = self._silenced is not None and command.how == "done"
            heard: dict[str, Any] = {"clip": step.clip.id, "how": "silenced" if is_cut else command.how}
            if onset is not None:  # the line has 30 s of stamps now: the better estimate
                heard |= {"fitted_s": onset.time_s, "residual_ms": onset.residual_ms}
            self._record(Event(command.time_s, "clip_ended", data=heard))
            self._playing = self._heard = self._silenced = None
            if command.how != "done":
                self._player.stop()
        self._record(Event(command.time_s, "step_ended", data=data))

    # sound and deeds

    def _play(self, show: rn.Show, path: Path, duration_s: float) -> None:
        """Start a clip, or leave it out when its file has gone since the session began."""
        try:
            self._player.play(path, duration_s, show.time_s)
        except EmolabError as error:
            self._record(Event(show.time_s, "error", data={"where": path.name, "message": str(error)}))
            self.runner.skip(show.time_s)
            return
        self._playing = show
        self._watch_sound(show.time_s)

    def _prepare_next(self, index: int) -> None:
        for step in self.prepared.plan.steps[index:]:
            if isinstance(step, Play) and step.clip.path is not None:
                with suppress(EmolabError):  # playing it will tell
                    self._player.prepare(step.clip.path, step.duration_s)
                return

    def _watch_sound(self, now_s: float) -> None:
        if self._playing is not None and (onset := self._player.onset()) is not None:
            show, step = self._playing, self._playing.step
            assert isinstance(step, Play)
            self._playing, self._heard = None, show
            self.runner.started(show.index, onset.time_s)
            self._respondent.hear(step.clip, onset.time_s, step.duration_s)
            data = {
                "clip": step.clip.id,
                "state": step.clip.state,
                "trial": step.trial,
                "requested_s": show.time_s,
                "fitted_s": onset.time_s,
                "residual_ms": onset.residual_ms,
            }
            self._record(Event(onset.time_s, "clip_onset", show.time_s, data))
            if self._search is not None and step.clip.path is not None:
                self._search.ask(step.clip.id, step.clip.path, onset.time_s)
        if (underruns := self._player.underruns()) > self._underruns:
            self._tell_underrun(now_s, {"count": underruns - self._underruns})
            self._underruns = underruns

    def check_sound(self, now_s: float) -> None:
        """Tell when the sound has slipped without an underrun being reported; asked once a second."""
        if slip_ms := self._player.slip_ms():
            self._tell_underrun(now_s, {"slip_ms": round(slip_ms, 2)})

    def _tell_underrun(self, now_s: float, data: dict[str, Any]) -> None:
        if self._heard is not None and isinstance(self._heard.step, Play):
            data |= {"clip": self._heard.step.clip.id}
        self._record(Event(now_s, "audio_underrun", data=data))

    def _act(self, act: Act) -> None:
        index = self.runner.status.index
        if act.kind == "proceed":
            self.proceed(index, act.time_s)
        elif act.kind == "choose":
            self.choose(index, act.state, act.word, act.time_s)
        else:
            self.confirm(index, act.time_s)


def _step_view(index: int, step: Step, planned_s: float, status: StepStatus) -> StepView:
    view = StepView(index, kind_of(step), step.name, status, planned_s, longest_s(step))
    if isinstance(step, Play | Rate) and step.clip is not None:
        clip = step.clip
        return replace(view, trial=step.trial, clip=clip.id, state=clip.state, title=clip.title)
    return view
