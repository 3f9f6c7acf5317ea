"""One line across the run page for what needs a hand or an eye now: shape, word, and what to do."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from emolab.gui import theme
from emolab.gui.widgets.health_light import paint_shape
from emolab.gui.widgets.panel import text
from emolab.session.snapshot import Level, Snapshot


def concern(snapshot: Snapshot) -> tuple[Level, str, str] | None:
    """`(level, word, sentence)` of the most urgent thing, or None when nothing asks for attention."""
    if snapshot.phase == "holding":
        return "act", "Holding", snapshot.message or "The session waits before the next clip."
    if snapshot.phase == "paused" and snapshot.message:  # by the program: the sentence says how to go on
        return "act", "Paused", snapshot.message
    if snapshot.message:  # it will hold when this step ends, for this reason
        return "act", "Act", snapshot.message
    silent = [stream for stream in snapshot.streams if stream.level == "act"]
    if silent:
        more = f" ({len(silent) - 1} more)" if len(silent) > 1 else ""
        return "act", "Act", silent[0].message + more
    if snapshot.phase == "paused":
        return "look", "Paused", snapshot.message or "The session waits here. Resume with P."
    if snapshot.phase == "pausing":
        return "look", "Pausing", "The session pauses when this step ends. Press P to go on without a pause."
    if snapshot.phase == "running" and not snapshot.screen:
        return "look", "Look", "The participant has no page yet. Put it on a screen."
    return None


class Banner(QFrame):
    """Hidden while all is well. `retryRequested` from its button, offered for what may be tried again."""

    retryRequested = Signal()
    moveRequested = Signal()  # the participant's page to another screen

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._level: Level = "look"
        self._word = text("", "heading")
        self._sentence = text("", "message", wraps=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(56), theme.px(8), theme.px(16), theme.px(8))
        row.setSpacing(theme.px(16))
        row.addWidget(self._word)
        row.addWidget(self._sentence, 1)
        self.retry_button = QPushButton("Retry  (Ctrl+R)")
        self.retry_button.clicked.connect(self.retryRequested)
        row.addWidget(self.retry_button)
        self.move_button = QPushButton("Use another screen  (Ctrl+Shift+P)")
        self.move_button.clicked.connect(self.moveRequested)
        row.addWidget(self.move_button)
        self.hide()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the most urgent concern, if there is one."""
        found = concern(snapshot)
        if found is None:
            if not self.isHidden():
                self.hide()
            return
        level, word, sentence = found
        if (level, word, sentence) != (self._level, self._word.text(), self._sentence.text()):
            self._level = level
            self._word.setText(word)
            self._sentence.setText(sentence)
            self.setAccessibleName(f"{word}: {sentence}")
            self.update()
        is_red = any(stream.level == "act" for stream in snapshot.streams)
        holds = snapshot.phase == "holding" and bool(snapshot.screen)  # a pause ends with P
        self.move_button.setVisible(not snapshot.screen and (bool(snapshot.message) or not is_red))
        self.retry_button.setVisible(level == "act" and (is_red or holds))
        if self.isHidden():
            self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours, colour = theme.palette(), theme.HEALTH[self._level].colour
        painter.fillRect(self.rect(), QColor(theme.mix(colours.panel, colour, 0.22)))
        painter.fillRect(0, 0, theme.px(6), self.height(), QColor(colour))
        side = theme.px(24)
        paint_shape(painter, QRectF(theme.px(20), (self.height() - side) / 2, side, side), self._level)

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), max(super().sizeHint().height(), theme.px(52)))
