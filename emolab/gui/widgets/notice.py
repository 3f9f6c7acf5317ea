"""A sentence that appears over the page and goes by itself: refusals, and what was done."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QWidget

from emolab.gui import theme
from emolab.gui.widgets.health_light import paint_shape
from emolab.gui.widgets.panel import text
from emolab.session.snapshot import Level

SHOWN_MS = 9000


class Notice(QWidget):
    """Lies over its parent, near the bottom; a click sends it away."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self._level: Level = "look"
        self._sentence = text("", "message", wraps=True)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(52), theme.px(12), theme.px(16), theme.px(12))
        row.addWidget(self._sentence)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        parent.installEventFilter(self)
        self.hide()

    @property
    def sentence(self) -> str:
        """What is said now, empty when nothing is."""
        return "" if self.isHidden() else self._sentence.text()

    def say(self, sentence: str, level: Level = "look") -> None:
        """Show `sentence` for some seconds."""
        self._level = level
        self._sentence.setText(sentence)
        self.setAccessibleName(sentence)
        self._place()
        self.show()
        self.raise_()
        self._timer.start(SHOWN_MS)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return super().eventFilter(watched, event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = theme.palette()
        painter.setPen(QPen(QColor(theme.HEALTH[self._level].colour), theme.px(2)))
        painter.setBrush(QColor(colours.panel))
        round_px = theme.px(theme.SIZES.radius)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), round_px, round_px)
        side = theme.px(20)
        paint_shape(painter, QRectF(theme.px(18), (self.height() - side) / 2, side, side), self._level)

    def _place(self) -> None:
        room = self._over.rect()
        wanted = self.fontMetrics().horizontalAdvance(self._sentence.text()) * 1.2 + theme.px(90)
        width = int(min(max(wanted, theme.px(280)), room.width() - theme.px(48), theme.px(760)))
        height = max(self._row.heightForWidth(width), theme.px(48))
        self.setGeometry((room.width() - width) // 2, room.height() - height - theme.px(84), width, height)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground, False)
