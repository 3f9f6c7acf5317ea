"""The foot: the newest act of one's own, undo and redo, and the way to all of them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from emolab.gui import theme
from emolab.gui.widgets.panel import Elided
from emolab.recording.label_ledger import Act
from emolab.review.history import told


class HistoryBar(QFrame):
    """Told what happened last by `show_act`."""

    undoRequested = Signal()
    redoRequested = Signal()
    historyRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.role(self, "bar")
        self.words = Elided("", "muted")
        self.undo_button = theme.role(QPushButton("Undo"), "quiet")
        self.redo_button = theme.role(QPushButton("Redo"), "quiet")
        self.all_button = theme.role(QPushButton("History…"), "quiet")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(12), 0, theme.px(8), 0)
        row.addWidget(self.words, 1)
        for button, signal, tip in (
            (self.undo_button, self.undoRequested, "Ctrl+Z"),
            (self.redo_button, self.redoRequested, "Ctrl+Y"),
            (self.all_button, self.historyRequested, "H"),
        ):
            button.setToolTip(tip)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(signal)
            row.addWidget(button)
        self.show_act(None, "", False, False)

    def show_act(self, act: Act | None, analyst: str, can_undo: bool, can_redo: bool) -> None:
        """The newest act, None when there is none."""
        if act is None:
            self.words.setText("Nothing labelled yet. What you label is kept at once, and can be undone.")
        else:
            at = act.utc.astimezone().strftime("%H:%M")
            self.words.setText(f"{at} {analyst}: {told(act)}")
        self.undo_button.setEnabled(can_undo)
        self.redo_button.setEnabled(can_redo)
