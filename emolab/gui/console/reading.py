"""Which classifier the console reads out in a study: chosen once, remembered, shown beside the curves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject

from emolab.core.errors import EmolabError
from emolab.gui.console import dialogs
from emolab.gui.console.memory import Memory
from emolab.gui.console.readout import ReadOut
from emolab.gui.console.window import ConsoleWindow
from emolab.training.opened import DEFAULT, look

KEY = "classifier"


class Reading(QObject):
    """`sits`: the study that is open, None without one, and who is recorded in it."""

    def __init__(
        self, window: ConsoleWindow, memory: Memory, sits: Callable[[], tuple[Path | None, str]]
    ) -> None:
        super().__init__(window)
        self._window, self._memory, self._sits = window, memory, sits
        self._readout = ReadOut(self)
        signals = window.run.signals
        signals.readOutWanted.connect(self.read)
        self._readout.said.connect(signals.show_reading)
        self._readout.ended.connect(self._ended)

    def read(self, is_wanted: bool) -> None:
        """Let the classifier judge what is recorded, beside the engine, or end that."""
        study, participant = self._sits()
        if not is_wanted:
            self._readout.stop()
        elif study is not None:
            self._readout.start(study, participant, self.run_of(study))

    def stop(self) -> None:
        """End it. Idempotent."""
        self._readout.stop()

    def run_of(self, study: Path) -> str:
        """The folder of the run chosen in a study, or emolab's own."""
        return str(self._memory.of(study).get(KEY) or DEFAULT)

    def ask(self) -> None:
        """Ask which one, and go on with that if one is read out now."""
        study, _ = self._sits()
        if study is None:
            self._window.notice.say("Open a study first: each remembers its own classifier.", "look")
            return
        before = self.run_of(study)
        run = dialogs.ask_classifier(self._window, before, DEFAULT)
        if run is not None:
            self.choose(study, run)

    def choose(self, study: Path, run: str) -> None:
        """Read this one out in a study from now on; what is no classifier is told and changes nothing."""
        try:
            known = look(run)
        except EmolabError as error:
            self._window.notice.say(str(error), "look")
            return
        self._memory.keep(study, **{KEY: "" if run == DEFAULT else run})
        told = f"{known.name}, {known.target}" if known.target else known.name
        self._window.notice.say(f"C reads out {told} in this study from now on.", "well")
        button = self._window.run.signals.classifier_button
        if button.isChecked():
            button.setChecked(False)
            button.setChecked(True)

    def _ended(self, why: str) -> None:
        signals = self._window.run.signals
        signals.classifier_button.setChecked(False)
        signals.show_reading("")
        if why:
            self._window.notice.say(why, "look")
