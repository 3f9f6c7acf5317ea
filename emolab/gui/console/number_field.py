"""A whole number to type, with Up and Down to step it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QIntValidator, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget


class NumberField(QLineEdit):
    """`valueChanged(int)` when it holds another number; empty counts as the lowest."""

    valueChanged = Signal(int)

    def __init__(self, name: str, low: int, high: int, parent: QWidget | None = None) -> None:
        super().__init__(str(low), parent)
        self._low, self._high = low, high
        self.setAccessibleName(name)
        self.setValidator(QIntValidator(low, high, self))
        self.textChanged.connect(lambda _text: self.valueChanged.emit(self.value()))

    def value(self) -> int:
        """The number."""
        text = self.text()
        return min(max(int(text), self._low), self._high) if text.isdecimal() else self._low

    def set_value(self, number: int) -> None:
        """Show a number, brought inside the range."""
        self.setText(str(min(max(number, self._low), self._high)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()), 0)
        if step:
            self.set_value(self.value() + step)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QEvent) -> None:
        self.set_value(self.value())  # what was left empty shows what it counts as
        super().focusOutEvent(event)  # type: ignore[arg-type]
