"""A classifier at work in the review: asked for, run beside the window, its lane and its card shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QDialog, QWidget

from emolab.core.errors import EmolabError
from emolab.gui.review.classifier_dialog import Asked, ClassifierDialog
from emolab.gui.review.guesser import Guesser
from emolab.gui.review.model_card import show_card
from emolab.review.guesses import was_learnt_from
from emolab.review.lanes import Lane
from emolab.training import people
from emolab.training.opened import DEFAULT, look


class Classifying(QObject):
    """Of one recording. `study`: as its header names it. `window`: on which dialogs lie."""

    progressed = Signal(str)  # words for the button; empty when none is on its way
    ended = Signal(str, str)  # a sentence, its level; empty when all went well
    written = Signal(str)  # the lane

    def __init__(self, recording: Path, participant: str, study: str, window: QWidget) -> None:
        super().__init__(window)
        self._recording, self._participant, self._window = recording, participant, window
        self._study = study
        self._run = DEFAULT  # what was chosen last
        self.guesser = Guesser(self)
        self.guesser.progressed.connect(lambda far, _: self.progressed.emit(f"Stop, {far} %"))
        self.guesser.ended.connect(self._end)

    def ask(self) -> None:
        """Ask which; asked again while one runs, stop it."""
        if self.guesser.is_running:
            self.guesser.stop()
            return
        dialog = ClassifierDialog(self._recording, self._participant, self._run, self._study, self._window)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.start(dialog.asked)

    def start(self, asked: Asked) -> None:
        """Run it beside the window."""
        self._run = asked.run
        self.guesser.start(self._recording, asked.run, asked.window_s, asked.hop_s, asked.music)

    def show_card(self, lane: Lane) -> QDialog:
        """The card of who wrote a lane, as far as its run is still there."""
        alarm = people.told(was_learnt_from(lane.by), self._participant)
        weights = lane.by.get("weights", "")
        try:
            known = look(lane.by.get("run", DEFAULT))
            if known.weights != weights:
                raise EmolabError("the run that wrote this lane holds other weights now")
            words = known.card()
        except EmolabError as error:
            facts = "\n".join(f"- {name}: {value}" for name, value in lane.by.items())
            words = (
                f"# {lane.name}\n\nIts card cannot be shown: {error}.\n\nWhat the lane tells:\n\n{facts}\n"
            )
        return show_card(self._window, f"{lane.name}: the model's card", words, alarm)

    def close(self) -> None:
        """End what runs. Idempotent."""
        self.guesser.close()

    def _end(self, problem: str) -> None:
        self.progressed.emit("")
        told = self.guesser.told
        if problem or told is None:
            self.ended.emit(problem, "look")
            return
        self.written.emit(str(told["lane"]))
        training = people.told(told["in_training"], self._participant)
        if told["in_training"]:
            self.ended.emit(training, "act")
        else:
            known = sum(one["predicted"] is not None for one in told["windows"])
            count = len(told["windows"])
            of = f"{known} of {count} windows" if known < count else f"{count} windows"
            words = training or "Its card tells what that is worth."
            self.ended.emit(f"{told['lane']}: {of} judged. {words}", "look" if training else "well")


def classifiers(lanes: Sequence[Lane]) -> list[Lane]:
    """The lanes that a classifier wrote."""
    return [lane for lane in lanes if lane.by.get("kind") == "classifier"]
