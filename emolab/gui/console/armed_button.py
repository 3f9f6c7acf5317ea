"""A button that asks once more, by another movement: press it, then Enter."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, Qt
from PySide6.QtWidgets import QPushButton, QWidget

ARMED_MS = 4000


class ArmedButton(QPushButton):
    """`confirmed` after a press and then Enter within four seconds; anything else lets it go."""

    confirmed = Signal()

    def __init__(self, text: str, question: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._text, self._question = text, question
        self.is_armed = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.let_go)
        self.setAutoDefault(False)
        self.clicked.connect(self.arm)

    def arm(self) -> None:
        """Ask for the second movement."""
        if self.isEnabled():
            self.is_armed = True
            self.setText(self._question)
            self.setFocus()
            self._timer.start(ARMED_MS)

    def let_go(self) -> None:
        """Ask no longer."""
        self.is_armed = False
        self._timer.stop()
        self.setText(self._text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.is_armed and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.let_go()
            self.confirmed.emit()
            return
        if self.is_armed and event.key() == Qt.Key.Key_Escape:
            self.let_go()
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.let_go()
        super().focusOutEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.EnabledChange and not self.isEnabled() and self.is_armed:
            self.let_go()
        super().changeEvent(event)
