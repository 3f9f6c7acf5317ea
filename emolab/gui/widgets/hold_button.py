"""A button that must be held down, for what cannot be undone."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QEvent, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QWidget

from emolab.gui import theme

MOST_MS = 100  # of a look: a window that stood still does not know whether the key was released
_KEYS = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)


class HoldButton(QPushButton):
    """Emits `confirmed` after it was held for `hold_s` by mouse, touch, Space or Enter.

    A window may also hold it for a key of its own: `press_and_hold()`, `let_go()`. How far it
    has come is painted as a growing fill; letting go early does nothing. A key lets go, too, when
    another window becomes active: that one would get its release.
    """

    confirmed = Signal()

    def __init__(self, text: str, hold_s: float = 1.0, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._hold_ms = hold_s * 1000
        self._held_ms = 0
        self._elapsed = QElapsedTimer()  # since the last look
        self._timer = QTimer(self)
        self._timer.setInterval(16)
        self._timer.timeout.connect(self._tick)
        self.pressed.connect(self.press_and_hold)
        self.released.connect(self.let_go)
        self.setAccessibleDescription(f"hold for {hold_s:g} s")
        theme.role(self, "danger")

    @property
    def share(self) -> float:
        """How much of the hold is done, 0 to 1."""
        if not self._timer.isActive():
            return 0.0
        return min(self._held_ms / self._hold_ms, 1.0)

    def press_and_hold(self) -> None:
        """Begin to hold."""
        if not self._timer.isActive() and self.isEnabled():
            self._held_ms = 0
            self._elapsed.start()
            self._timer.start()

    def let_go(self) -> None:
        """Stop holding; before the time is up nothing happens."""
        self._timer.stop()
        self.update()

    def _tick(self) -> None:
        self._held_ms += min(self._elapsed.restart(), MOST_MS)
        if not self.isDown() and not self.isActiveWindow():  # a key that an input method passed on late
            self.let_go()
        elif self.share >= 1.0:
            self.let_go()
            self.confirmed.emit()
        self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowDeactivate and not self.isDown():
            self.let_go()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _KEYS:
            if not event.isAutoRepeat():
                self.press_and_hold()
            return
        super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() in _KEYS:
            if not event.isAutoRepeat():
                self.let_go()
            return
        super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.let_go()
        super().focusOutEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.share > 0:
            painter = QPainter(self)
            fill = QColor(theme.HEALTH["act"].colour)
            fill.setAlpha(120)
            painter.fillRect(QRectF(0, 0, self.width() * self.share, self.height()), fill)
            painter.end()
