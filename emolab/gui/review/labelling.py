"""An analyst at work: keys and fields become acts in the ledger. Nothing is written before the first act."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from emolab.core.errors import EmolabError
from emolab.recording import label_ledger
from emolab.recording.label_ledger import Act
from emolab.recording.labels import TimedLabel
from emolab.recording.trials import Trial
from emolab.review.desk import Desk
from emolab.review.history import name_of
from emolab.review.relabel import Proposal, propose, with_word

Why = Callable[[str, Callable[[str], None]], None]  # what changes, what to do with the reason
LEAST_S = 0.05


class Labelling(QObject):
    """One analyst's lane of one recording. `ask_why`: how a reason is asked for."""

    changed = Signal()  # the labels
    refused = Signal(str)  # why nothing happened

    def __init__(self, recording: Path, analyst: str, ask_why: Why, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._recording, self._ask_why = recording, ask_why
        self.analyst = label_ledger.check_name(analyst)
        self._desk: Desk | None = None
        self.problem = ""  # why the lane can be neither read nor written
        if (label_ledger.folder_of(recording) / f"{analyst}.jsonl").exists():
            try:
                self._desk = Desk(recording, analyst)
            except EmolabError as error:
                self.problem = str(error)

    @property
    def labels(self) -> Mapping[str, TimedLabel]:
        """The labels as they stand."""
        return self._desk.labels if self._desk else {}

    @property
    def acts(self) -> Sequence[Act]:
        """All that was done, oldest first."""
        return self._desk.ledger.acts if self._desk else ()

    @property
    def can_undo(self) -> bool:
        """Whether there is an act to take back."""
        return self._desk is not None and self._desk.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is one to do again."""
        return self._desk is not None and self._desk.can_redo

    def at(self, number: int) -> Mapping[str, TimedLabel]:
        """The labels after act `number`."""
        return self._desk.at(number) if self._desk else {}

    def give_state(
        self,
        rank: int,
        selected: str | None,
        marked: tuple[float, float] | None,
        cursor_s: float,
        every: Sequence[Trial],
    ) -> None:
        """Say a state where `relabel.propose` puts it; asks why when something else was said there."""
        self._put(propose(rank, self.labels, selected, marked, cursor_s, every))

    def give_word(self, name: str, word: str | None) -> None:
        """Say one of the state's words, or none."""
        self._change(name, lambda label: with_word(label, word))

    def give_affect(
        self,
        name: str | None,
        valence: float,
        arousal: float,
        cursor_s: float,
        marked: tuple[float, float] | None,
    ) -> None:
        """Say valence and arousal of a label, or of the stretch marked, or of this moment."""
        if name is not None:
            self._change(name, lambda label: replace(label, valence=valence, arousal=arousal))
            return
        start_s, end_s = marked or (cursor_s, cursor_s)
        self._do(lambda desk: desk.add(TimedLabel(start_s, end_s, valence=valence, arousal=arousal)))

    def give_tags(self, name: str, tags: tuple[str, ...]) -> None:
        """Say these tags."""
        self._change(name, lambda label: replace(label, tags=tags))

    def give_note(self, name: str, note: str) -> None:
        """Write a note on a label."""
        self._change(name, lambda label: replace(label, note=note))

    def add_moment(self, time_s: float) -> str | None:
        """A label of a moment that says nothing yet; its name, None when it was refused."""
        made: list[str] = []
        self._do(lambda desk: made.append(desk.add(TimedLabel(time_s, time_s))))
        return made[0] if made else None

    def add_trace(self, points: Sequence[tuple[float, float, float]]) -> None:
        """A trace drawn while the session played: `(time_s, valence, arousal)`, in order of time."""
        if len(points) > 1:
            trace = tuple(points)
            self._do(lambda desk: desk.add(TimedLabel(trace[0][0], trace[-1][0], trace=trace)))

    def move(self, name: str, start_s: float, end_s: float) -> None:
        """Let a label begin and end elsewhere."""
        self._change(name, lambda label: replace(label, start_s=start_s, end_s=max(end_s, start_s + LEAST_S)))

    def split(self, name: str, at_s: float) -> None:
        """Make two of one."""
        self._do(lambda desk: desk.split(name, at_s))

    def remove(self, name: str) -> None:
        """Take a label away, after asking why."""
        label = self.labels[name]
        self._ask_why(f"Remove {name_of(label)}", lambda why: self._do(lambda desk: desk.remove(name, why)))

    def undo(self) -> None:
        """Take the last act back."""
        self._do(lambda desk: desk.undo())

    def redo(self) -> None:
        """Do again what was taken back."""
        self._do(lambda desk: desk.redo())

    def _put(self, proposal: Proposal) -> None:
        name, label = proposal.name, proposal.label
        if name is not None and self.labels.get(name) == label:
            return

        def put(why: str) -> None:
            if name is None:
                self._do(lambda desk: desk.add(label, why))
            else:
                self._do(lambda desk: desk.change(name, label, why))

        if proposal.differs_from is None:
            put("")
        else:
            self._ask_why(f"{name_of(proposal.differs_from)} → {name_of(label)}", put)

    def _change(self, name: str, how: Callable[[TimedLabel], TimedLabel]) -> None:
        if name in self.labels:
            self._do(lambda desk: desk.change(name, how(desk.labels[name])))

    def _do(self, act: Callable[[Desk], object]) -> None:
        """One act, begun with a ledger if there is none yet; a refusal is told and changes nothing."""
        try:
            if self.problem:
                raise EmolabError(self.problem)
            if self._desk is None:
                self._desk = Desk(self._recording, self.analyst)
            act(self._desk)
        except EmolabError as error:
            self.refused.emit(str(error))
        self.changed.emit()
