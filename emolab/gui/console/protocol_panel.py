"""What the participant goes through: the protocol, how many clips fit, and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from emolab.gui import theme
from emolab.gui.console.planning import PlanView
from emolab.gui.widgets import words
from emolab.gui.widgets.chooser import Chooser
from emolab.gui.widgets.panel import Panel, Remark, say, text


class ProtocolPanel(Panel):
    """Chooser and plan; `changed` when another protocol is chosen, `fileRequested` to look for one."""

    changed = Signal()
    fileRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Protocol", parent)
        self.chooser = Chooser("Protocol")
        self.chooser.currentIndexChanged.connect(lambda _index: self.changed.emit())
        self.file_button = QPushButton("&File…")
        self.file_button.setToolTip("Choose a protocol file of your own")
        self.file_button.clicked.connect(self.fileRequested)
        row = QHBoxLayout()
        row.addWidget(self.chooser, 1)
        row.addWidget(self.file_button)
        self.body.addLayout(row)
        self._plan = text("", wraps=True)
        self.problem = Remark()
        self._why = text("", "muted", wraps=True)
        self.why_button = QPushButton("&Why?")
        self.why_button.setCheckable(True)
        self.why_button.setAccessibleName("Why so many clips: show the arithmetic")
        theme.role(self.why_button, "quiet")
        self.why_button.toggled.connect(self._show_why)
        row = QHBoxLayout()
        row.addWidget(self._plan, 1)
        row.addWidget(self.why_button)
        self.body.addLayout(row)
        self.body.addWidget(self.problem)
        self.body.addWidget(self._why)
        self._why.hide()
        self._arithmetic = ""

    @property
    def path(self) -> str:
        """Path of the chosen protocol file, empty when there is none."""
        return str(self.chooser.currentData() or "")

    def show_protocols(self, paths: Sequence[Path], chosen: Path | None = None) -> None:
        """Offer these files, by their names."""
        with QSignalBlocker(self.chooser):
            self.chooser.clear()
            for path in paths:
                self.chooser.addItem(path.stem, str(path))
        self.choose(chosen or (paths[0] if paths else None))

    def choose(self, path: Path | None) -> None:
        """Choose a file, one of the offered or a new one."""
        if path is None:
            return
        with QSignalBlocker(self.chooser):
            if self.chooser.findData(str(path)) < 0:
                self.chooser.addItem(path.stem, str(path))
            self.chooser.setCurrentIndex(self.chooser.findData(str(path)))
        self.changed.emit()

    def show_plan(self, plan: PlanView | None) -> None:
        """The plan for the participant entered, or why there is none."""
        self.problem.say(plan.error if plan is not None else "", "act")
        if plan is None or plan.error:
            say(self._plan, "")
            self._arithmetic = ""
        else:
            say(
                self._plan,
                f"{words.counted(plan.planned, 'clip')} planned, {plan.guaranteed} guaranteed\n"
                f"at most {words.clock(plan.cap_s)} from the rest on",
            )
            self._arithmetic = "\n".join(plan.arithmetic)
        self.why_button.setVisible(bool(self._arithmetic))
        self._show_why(self.why_button.isChecked())

    def _show_why(self, is_wanted: bool) -> None:
        say(self._why, self._arithmetic if is_wanted else "")
