"""The experimenter's hand: pause, skip, repeat, mark, note. Each button shows its key."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QWidget

from emolab.gui import theme
from emolab.gui.console.armed_button import ArmedButton
from emolab.gui.widgets import words
from emolab.session.snapshot import Snapshot

RUNS = ("running", "pausing", "paused", "holding")


class ActionBar(QFrame):
    """Emits what is asked for; the text field serves both mark and note."""

    pauseRequested = Signal()
    resumeRequested = Signal()
    skipRequested = Signal()
    repeatRequested = Signal()
    markRequested = Signal(str)
    noteRequested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.role(self, "bar")
        self._resumes = False
        self.pause_button = QPushButton()
        self.pause_button.clicked.connect(self.pause_or_resume)
        self.skip_button = ArmedButton("Skip  (S)", "Skip: Enter")
        self.skip_button.confirmed.connect(self.skipRequested)
        self.repeat_button = ArmedButton("Repeat  (R)", "Repeat: Enter")
        self.repeat_button.confirmed.connect(self.repeatRequested)
        self.words_field = QLineEdit()
        self.words_field.setPlaceholderText("what you see, for a mark or a note  (N)")
        self.words_field.setAccessibleName("words for a mark or a note")
        self.words_field.setMaxLength(500)
        self.words_field.returnPressed.connect(self.note)
        self.mark_button = QPushButton("Mark  (M)")
        self.mark_button.setToolTip("Mark this very moment, with the words if there are any")
        self.mark_button.clicked.connect(self.mark)
        self.note_button = QPushButton("Note  (Enter)")
        self.note_button.clicked.connect(self.note)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(16), theme.px(8), theme.px(16), theme.px(8))
        row.setSpacing(theme.px(8))
        for button in (self.pause_button, self.skip_button, self.repeat_button):
            button.setMinimumHeight(theme.px(44))
            row.addWidget(button)
        row.addSpacing(theme.px(16))
        row.addWidget(self.words_field, 1)
        for button in (self.mark_button, self.note_button):
            button.setMinimumHeight(theme.px(44))
            row.addWidget(button)
        self.pause_button.setMinimumWidth(theme.px(206))
        for armed in (self.skip_button, self.repeat_button):
            armed.setMinimumWidth(theme.px(128))
        self._show_phase("running")
        self._phase = "running"
        self._step = -1

    def pause_or_resume(self) -> None:
        """Pause at the next step, or go on."""
        if self.pause_button.isEnabled():
            (self.resumeRequested if self._resumes else self.pauseRequested).emit()

    def mark(self) -> None:
        """Mark this moment with the words in the field, if any."""
        self.markRequested.emit(self.take_words())

    def note(self) -> None:
        """Write the words in the field down."""
        if found := self.take_words():
            self.noteRequested.emit(found)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Offer what is possible now; what was asked of one step is not done to the next."""
        if snapshot.step != self._step:
            self._step = snapshot.step
            self.skip_button.let_go()
            self.repeat_button.let_go()
        if snapshot.phase != self._phase:
            self._phase = snapshot.phase
            self._show_phase(snapshot.phase)
        step = words.current_step(snapshot)
        can_skip = snapshot.phase in RUNS and step is not None
        if self.skip_button.isEnabled() != can_skip:
            self.skip_button.setEnabled(can_skip)
            self.repeat_button.setEnabled(can_skip)

    def _show_phase(self, phase: str) -> None:
        self._resumes = phase in ("pausing", "paused")
        self.pause_button.setText("Resume  (P)" if self._resumes else "Pause at next step  (P)")
        theme.role(self.pause_button, "primary" if phase == "paused" else "")
        self.pause_button.setEnabled(phase in ("running", "pausing", "paused"))

    def take_words(self) -> str:
        """What stands in the field, which is empty then."""
        found = self.words_field.text().strip()
        self.words_field.clear()
        if self.words_field.hasFocus():
            self.setFocus()  # not nowhere: a held Esc must still reach the page
        return found
