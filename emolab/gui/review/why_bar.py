"""Asks why, when something that was said is said otherwise. Enter keeps it, Escape leaves it as it was."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QWidget

from emolab.gui import theme
from emolab.gui.widgets.panel import text


class WhyBar(QFrame):
    """`ask` opens it; it closes when it was answered."""

    opened = Signal()
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.role(self, "bar")
        self._answered: Callable[[str], None] | None = None
        self.what = text("", "message")
        self.field = QLineEdit()
        self.field.setPlaceholderText("why? (may stay empty)")
        self.field.setAccessibleName("reason")
        self.field.installEventFilter(self)
        self.keep_button = theme.role(QPushButton("Keep (Enter)"), "primary")
        self.leave_button = QPushButton("Leave as it was (Esc)")
        self.field.returnPressed.connect(self.keep)
        self.keep_button.clicked.connect(self.keep)
        self.leave_button.clicked.connect(self.leave)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(12), theme.px(2), theme.px(8), theme.px(2))
        row.setSpacing(theme.px(8))
        row.addWidget(self.what)
        row.addWidget(self.field, 1)
        row.addWidget(self.keep_button)
        row.addWidget(self.leave_button)

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return self._answered is not None

    def ask(self, what: str, answered: Callable[[str], None]) -> None:
        """Say what changes, and call back with the reason. An earlier question is left unanswered."""
        self._answered = answered
        self.what.setText(what)
        self.field.clear()
        self.opened.emit()
        self.field.setFocus()

    def keep(self) -> None:
        """It stands, with the reason typed."""
        answered, self._answered = self._answered, None
        self.closed.emit()
        if answered is not None:
            answered(self.field.text().strip())

    def leave(self) -> None:
        """It does not happen."""
        self._answered = None
        self.closed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        is_escape = (
            event.type() == QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
        )
        if is_escape:
            self.leave()
            return True
        return super().eventFilter(watched, event)
