"""What happens when something is asked for in the review: the one place that knows all its parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from emolab.core.errors import EmolabError
from emolab.gui.review import questions
from emolab.gui.review.agreement_window import AgreementWindow
from emolab.gui.review.chart import Stretch
from emolab.gui.review.check_window import CheckWindow
from emolab.gui.review.checker import Checker
from emolab.gui.review.classifying import Classifying, classifiers
from emolab.gui.review.heat_strip import Heat
from emolab.gui.review.labelling import Labelling
from emolab.gui.review.lane_view import Chosen
from emolab.gui.review.replay import Replay
from emolab.gui.review.span import Span
from emolab.gui.review.window import ReviewWindow
from emolab.gui.widgets import words
from emolab.recording.labels import TimedLabel
from emolab.recording.trials import Trial, trial_at, trials
from emolab.review.guesses import heats
from emolab.review.lanes import Lane, conflicts, lanes, validation_of
from emolab.review.timeline import Timeline
from emolab.study.sessions import sessions

GROW_MS = 2000  # how often a session still being recorded is looked at


class ReviewFlow(QObject):
    """One recording under review. `analyst`: whose labels. `sound`: output, None for the system's."""

    sessionWanted = Signal(object)  # Path: the window is to show another one
    exportWanted = Signal(object, str, object)  # Path, the format, the folder it is to be written into
    analystChosen = Signal(str)
    _ready = Signal(str)  # from the reading thread

    def __init__(self, recording: Path, analyst: str, sound: str | int | None = None) -> None:
        """Raises `RecordingError` when the recording cannot be opened."""
        super().__init__()
        self.recording, self._is_closed = recording, False
        self.line = Timeline(recording, self._ready.emit)
        self.span = Span(self.line.begin_s, self.line.end_s, self)
        self.window = ReviewWindow(self.line, self.span)
        self.replay = Replay(self.line, self.span, sound, self)
        self.player = self.replay.player
        self.trials: list[Trial] = []
        self._lanes: list[Lane] = []
        self._trial_shown: Trial | None = None
        self._trace: list[tuple[float, float, float]] = []
        self._checker = Checker(self)
        header = self.line.session.header
        self.classifying = Classifying(recording, header.participant, header.study, self.window)
        self._checks, self._agreement = CheckWindow(self.window), AgreementWindow(self.window)
        self.labelling = self._make_labelling(analyst)
        self._grow = QTimer(self)
        self._grow.setInterval(GROW_MS)
        self._grow.timeout.connect(self._look_again)
        self._connect()
        self._show_session()
        self.seek(self.span.begin_s)
        if self.line.is_live:
            self._grow.start()

    def close(self) -> None:
        """Let go of the recording and the sound card. Idempotent."""
        self._is_closed = True
        self._grow.stop()
        self._checker.close()
        self.classifying.close()
        self.replay.close()
        self.window.pictures.close_threads()
        self.line.close()

    def seek(self, time_s: float) -> None:
        """Go to a moment."""
        self.replay.seek(time_s)

    def show_clip(self) -> None:
        """The clip at the cursor with its report, as wide as the window."""
        trial = trial_at(self.trials, self.span.cursor_s)
        if trial is not None:
            margin_s = 0.15 * (trial.end_s - trial.start_s)
            self.span.show(trial.start_s - margin_s, trial.end_s + margin_s)

    def step_trials(self, by: int) -> None:
        """To the begin of the clip before or after."""
        starts = sorted({trial.start_s for trial in self.trials})
        now_s = self.player.now_s()
        later = [start_s for start_s in starts if start_s > now_s + 1e-3]
        earlier = [start_s for start_s in starts if start_s < now_s - 1e-3]
        if found := later[:1] if by > 0 else earlier[-1:]:
            self.seek(found[0])

    def toggle_scale(self) -> None:
        """Curves fill their lane with what is shown, or with the whole session."""
        chart = self.window.chart
        chart.scales_whole = not chart.scales_whole
        chart.refresh()

    # labels

    def give_state(self, rank: int) -> None:
        """Say a state of the label chosen, the stretch marked, or the clip at the cursor."""
        view = self.window.lanes
        before = len(self.labelling.acts)
        self.labelling.give_state(rank, self._own(), view.mark, self.span.cursor_s, self.trials)
        if len(self.labelling.acts) > before:
            view.set_mark(None)

    def set_edge(self, *, is_end: bool) -> None:
        """The chosen label of one's own begins or ends here; without one, the mark does."""
        now_s, own = self.span.cursor_s, self._own()
        if own is not None:
            label = self.labelling.labels[own]
            start_s, end_s = (label.start_s, now_s) if is_end else (now_s, label.end_s)
            if end_s > start_s:
                self.labelling.move(own, start_s, end_s)
            return
        start_s, end_s = self.window.lanes.mark or (now_s, now_s)
        start_s, end_s = (min(start_s, now_s), now_s) if is_end else (now_s, max(end_s, now_s))
        self.window.lanes.set_mark((start_s, end_s))

    def mark_moment(self) -> None:
        """A label of this very moment, to be given tags or a note."""
        name = self.labelling.add_moment(self.span.cursor_s)
        if name is not None:
            self.window.lanes.choose(Chosen(self.labelling.analyst, name))
            self.window.labels.note_field.setFocus()

    def split(self) -> None:
        """Make two of the label chosen, or of one's own at the cursor."""
        name = self._own() or self._own_here()
        if name is None:
            self._say("There is no label of yours at the cursor to split.")
            return
        self.labelling.split(name, self.span.cursor_s)

    def remove(self) -> None:
        """Take the chosen label of one's own away; what others said stays."""
        name = self._own()
        if name is None:
            chosen = self.window.lanes.selected
            whose = f"What {chosen.lane} said cannot be removed." if chosen else "No label is chosen."
            self._say(f"{whose} Choose one in your own lane.")
            return
        self.labelling.remove(name)

    def undo(self) -> None:
        """Take the last act back."""
        self.labelling.undo()

    def redo(self) -> None:
        """Do it again."""
        self.labelling.redo()

    def toggle_drawing(self) -> None:
        """Draw valence and arousal in the pad while the session plays, or no longer."""
        self.window.labels.show_drawing(not self.window.labels.pad.draws)

    def set_analyst(self, name: str) -> None:
        """Whose lane is written from now on. Raises `ConfigError` for a name that cannot be one."""
        self.labelling = self._make_labelling(name)
        self.analystChosen.emit(name)
        self._show_lanes()

    # questions and errands

    def ask_session(self) -> None:
        """Another recording."""
        path = questions.ask_session(self.window, self.recording)
        if path is not None:
            self.sessionWanted.emit(path)

    def ask_analyst(self) -> None:
        """Another name."""
        name = questions.ask_analyst(self.window, self.labelling.analyst)
        if name:
            self._try(lambda: self.set_analyst(name))

    def show_history(self) -> None:
        """All acts of one's own."""
        questions.show_history(self.window, self.labelling, self._show_past)

    def export(self) -> None:
        """Write this session for other programs."""
        wanted = questions.ask_export(self.window)
        if wanted is not None:
            self.exportWanted.emit(self.recording, *wanted)

    def check(self) -> None:
        """Compare what was said with the face; asked again while that runs, stop it."""
        if self._checker.is_running:
            self._checker.stop()
        else:
            self._checker.start(self.recording)

    def next_conflict(self) -> None:
        """Go to the next conflict, the surest first, and round again."""
        found = conflicts(self._lanes)
        if not found:
            self._say("There is no conflict. 'Check labels' compares what was said with the face.")
            return
        starts = [check.start_s for check in found]
        here = trial_at(self.trials, self.span.cursor_s)
        at = starts.index(here.start_s) + 1 if here is not None and here.start_s in starts else 0
        check = found[at % len(found)]
        self.seek(check.start_s)
        self.span.reveal(check.start_s, check.end_s)

    def show_checks(self) -> None:
        """Every clip with its verdict."""
        lane = next((lane for lane in self._lanes if lane.checks), None)
        if lane is None:
            self._say("Nothing was checked yet. Press F5 to compare what was said with the face.")
            return
        self._checks.show_checks(validation_of(lane, self.recording))
        self._checks.show()
        self._checks.raise_()

    def show_card(self, name: str = "") -> None:
        """The card of the classifier of a lane, of the lane chosen, or of the first there is."""
        chosen = self.window.lanes.selected
        wanted = name or (chosen.lane if chosen else "")
        found = classifiers(self._lanes)
        lane = next((lane for lane in found if lane.name == wanted), found[0] if found else None)
        if lane is None:
            self._say("No classifier has judged this session yet. Press F6 to run one.")
            return
        self.classifying.show_card(lane)

    def show_agreement(self) -> None:
        """How far lanes agree."""
        self._agreement.show_lanes(_judging(self._lanes), self.trials)
        self._agreement.show()
        self._agreement.raise_()

    # showing

    def _show_track(self, name: str) -> None:
        """A signal can be seen. Told by a thread: the window may have gone meanwhile."""
        if not self._is_closed:
            self.window.chart.track_ready(name)
            self.window.overview.refresh()

    def _connect(self) -> None:
        window = self.window
        self._ready.connect(self._show_track)
        for view in (window.chart, window.overview, window.lanes):
            view.seekRequested.connect(self.seek)
        transport = window.transport
        self.replay.moved.connect(self._show_time)
        self.replay.played.connect(transport.show_playing)
        self.replay.sped.connect(transport.show_speed)
        self.replay.silent.connect(transport.show_where)
        transport.playRequested.connect(self.replay.play_or_pause)
        transport.frameRequested.connect(self.replay.step_frames)
        transport.trialRequested.connect(self.step_trials)
        transport.speedRequested.connect(self.replay.set_speed)
        window.lanes.chosen.connect(lambda _: self._show_label())
        window.lanes.chosen.connect(lambda _: self._show_heats())
        window.lanes.edgesMoved.connect(lambda *edges: self.labelling.move(*edges))
        panel = window.labels
        panel.stateRequested.connect(self.give_state)
        panel.wordRequested.connect(self._on_own(lambda name, word: self.labelling.give_word(name, word)))
        panel.tagsRequested.connect(self._on_own(lambda name, tags: self.labelling.give_tags(name, tags)))
        panel.noteRequested.connect(self._on_own(lambda name, note: self.labelling.give_note(name, note)))
        panel.affectRequested.connect(self._give_affect)
        panel.traceRequested.connect(panel.show_drawing)
        panel.pad.drawn.connect(self._draw)
        panel.pad.released.connect(self._end_trace)
        window.history.undoRequested.connect(self.undo)
        window.history.redoRequested.connect(self.redo)
        window.history.historyRequested.connect(self.show_history)
        header = window.header
        header.sessionRequested.connect(self.sessionWanted)
        header.analystRequested.connect(self.ask_analyst)
        header.conflictRequested.connect(self.next_conflict)
        header.checkRequested.connect(self.check)
        header.classifierRequested.connect(self.classifying.ask)
        header.agreementRequested.connect(self.show_agreement)
        header.exportRequested.connect(self.export)
        header.keysRequested.connect(lambda: window.action("keys").trigger())
        self._checker.progressed.connect(lambda far, _: window.header.show_checking(f"Stop, {far} %"))
        self._checker.ended.connect(self._checked)
        self._checks.seekRequested.connect(self.seek)
        self.classifying.progressed.connect(header.show_classifying)
        self.classifying.written.connect(lambda _: self._show_lanes())
        self.classifying.ended.connect(lambda words, level: self.window.notice.say(words, level))
        window.facts.cardRequested.connect(self.show_card)
        window.left.connect(self.close)

    def _show_session(self) -> None:
        header, told = self.line.session.header, self.line.session
        study = self.recording.parent.parent
        found = [path for *_, path in sessions(study)] if study.is_dir() else []
        self.window.header.show_sessions(found or [self.recording], self.recording)
        state = {"complete": "", "recording": "still being recorded"}.get(told.outcome, told.outcome)
        if told.outcome == "recording" and not self.line.is_live:
            state = "broken off"
        facts = (words.clock(self.line.end_s - self.line.begin_s), state)
        self.window.header.show_facts(" · ".join(filter(None, facts)))
        self.window.setWindowTitle(f"{header.participant} session {header.session} · review · emolab")
        self.trials = trials(self.line.events, self.line.end_s)
        self.window.chart.stretches = [Stretch(trial.start_s, trial.end_s) for trial in self.trials]
        self.window.damage.say(self.line.damage, "look")
        self._show_lanes()

    def _show_lanes(self) -> None:
        """Read every lane; one's own stands even while it is empty."""
        found = [lane for lane in lanes(self.line) if lane.name != self.labelling.analyst]
        own = Lane(self.labelling.analyst, "analyst", self.labelling.labels, problem=self.labelling.problem)
        self._lanes = [*found, own]
        self.window.lanes.show_lanes(self._lanes, own.name)
        self._show_heats()
        reported = next(lane for lane in self._lanes if lane.name == "reported")
        self.window.overview.show_labels(list(reported.labels.values()))
        self.window.header.show_analyst(own.name)
        is_checked = any(lane.checks for lane in self._lanes)
        self.window.header.show_conflicts(len(conflicts(self._lanes)) if is_checked else None)
        if self._agreement.isVisible():
            self._agreement.show_lanes(_judging(self._lanes), self.trials)
        acts = self.labelling.acts
        self.window.history.show_act(
            acts[-1] if acts else None, own.name, self.labelling.can_undo, self.labelling.can_redo
        )
        self._show_label()
        self._show_facts()

    def _show_heats(self) -> None:
        """Where a network looked, under the skin's curve: that of the lane chosen, else of the first."""
        chosen = self.window.lanes.selected
        found = [lane for lane in classifiers(self._lanes) if heats(lane.guesses.values())]
        lane = next((one for one in found if chosen and one.name == chosen.lane), found[0] if found else None)
        shown = heats(lane.guesses.values()) if lane is not None else ()
        self.window.chart.show_heats([Heat(*one) for one in shown], lane.name if lane else "")

    def _show_time(self, time_s: float) -> None:
        pad = self.window.labels.pad
        if pad.draws and pad.is_held and pad.point is not None and self.player.is_playing:
            self._draw(*pad.point)
        self.window.transport.show_time(time_s)
        self.window.pictures.show_time(time_s)
        trial = trial_at(self.trials, time_s)
        if trial is not self._trial_shown:
            self._show_facts()

    def _show_facts(self) -> None:
        self._trial_shown = trial_at(self.trials, self.span.cursor_s)
        self.window.facts.show_trial(self._trial_shown, _judging(self._lanes))

    def _show_label(self) -> None:
        chosen = self.window.lanes.selected
        lane = next((lane for lane in self._lanes if chosen and lane.name == chosen.lane), None)
        label: TimedLabel | None = lane.labels.get(chosen.label) if lane and chosen else None
        is_own = lane is None or lane.name == self.labelling.analyst
        name = chosen.label if chosen else ""
        self.window.labels.show_label(label, is_own, lane.name if lane else "", name)

    def _show_past(self, number: int | None) -> None:
        """The own lane as it stood after an act; None: as it stands."""
        if number is None:
            self._show_lanes()
            return
        own = self.labelling.analyst
        past = Lane(own, "analyst", self.labelling.at(number))
        self.window.lanes.show_lanes([*(lane for lane in self._lanes if lane.name != own), past], own)

    def _checked(self, problem: str) -> None:
        """The check has ended."""
        self.window.header.show_checking("")
        self._show_lanes()
        if problem:
            self.window.notice.say(problem, "look")
        else:
            self.show_checks()

    def _look_again(self) -> None:
        """Show what has been recorded since."""
        if self.line.refresh():
            self.span.extend(self.line.end_s)
            self.player.extend(self.line.end_s)
            self._show_session()
        if not self.line.is_live:
            self._grow.stop()

    # small things

    def _make_labelling(self, analyst: str) -> Labelling:
        made = Labelling(self.recording, analyst, self.window.why.ask, self)
        made.changed.connect(self._show_lanes)
        made.refused.connect(lambda why: self.window.notice.say(why, "act"))
        return made

    def _own(self) -> str | None:
        """The label chosen, when it is one's own."""
        chosen: Chosen | None = self.window.lanes.selected
        return chosen.label if chosen and chosen.lane == self.labelling.analyst else None

    def _own_here(self) -> str | None:
        """A label of one's own at the cursor."""
        own = next(lane for lane in self._lanes if lane.name == self.labelling.analyst)
        found = own.at(self.span.cursor_s)
        return found[0] if found else None

    def _on_own(self, act: Callable[[str, Any], None]) -> Callable[[Any], None]:
        """The act on the label chosen, when that is one's own."""

        def do(value: Any) -> None:
            name = self._own()
            if name is not None:
                act(name, value)

        return do

    def _give_affect(self, valence: float, arousal: float) -> None:
        self.labelling.give_affect(self._own(), valence, arousal, self.span.cursor_s, self.window.lanes.mark)

    def _draw(self, valence: float, arousal: float) -> None:
        time_s = self.player.now_s()
        if not self.player.is_playing:
            self._say("Start the replay first: a trace is drawn while it plays.")
            return
        if not self._trace or time_s > self._trace[-1][0]:
            self._trace.append((round(time_s, 3), valence, arousal))

    def _end_trace(self) -> None:
        points, self._trace = self._trace, []
        self.labelling.add_trace(points)

    def _say(self, sentence: str) -> None:
        self.window.notice.say(sentence)

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except EmolabError as error:
            self.window.notice.say(str(error), "act")


def _judging(every: list[Lane]) -> list[Lane]:
    """The lanes that say something of clips."""
    return [lane for lane in every if lane.source != "event"]
