"""Outlined buttons and the box to tick, large enough for a finger; painted, so that they look
the same on every system. `set_unit` scales them with the window (1.0 at 1080 lines)."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractButton, QWidget

from emolab.gui import theme
from emolab.gui.participant.fit import font_of

LOOK = theme.PARTICIPANT
RADIUS = 12
TICK = ((0.18, 0.54), (0.42, 0.76), (0.84, 0.26))


class Control(QAbstractButton):
    """A button that takes Space only: all other keys belong to the page."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.unit = 1.0
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_unit(self, unit: float) -> None:
        """Scale to the window."""
        self.unit = unit
        self.update()

    def px(self, size: float) -> float:
        """Pixels of `size` at 1080 lines."""
        return size * self.unit

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            super().keyPressEvent(event)
        else:
            event.ignore()

    def outline(self, painter: QPainter, width: float, colour: str, fill: str = "") -> None:
        """Paint the rounded outline of the whole control."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(colour), self.px(width)))
        painter.setBrush(QColor(fill) if fill else Qt.BrushStyle.NoBrush)
        inset = self.px(width) / 2 + self.px(1)
        box = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
        painter.drawRoundedRect(box, self.px(RADIUS), self.px(RADIUS))


class WideButton(Control):
    """The one button of a page: its label, or a tick when it has none."""

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        enabled = self.isEnabled()
        width = 5 if self.hasFocus() or self.isDown() else 3
        self.outline(painter, width if enabled else 1.5, LOOK.text if enabled else LOOK.faint)
        colour = QColor(LOOK.text if enabled else LOOK.faint)
        if self.text():
            font = font_of(self.px(LOOK.body), bold=True)
            room = self.width() - self.px(32)
            wide = QFontMetrics(font).horizontalAdvance(self.text())
            if wide > room:
                font.setPixelSize(max(int(font.pixelSize() * room / wide), 6))
            painter.setFont(font)
            painter.setPen(colour)
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())
        else:
            side = self.px(36)
            box = QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)
            paint_tick(painter, box, colour, self.px(5))
        painter.end()


class TickBox(Control):
    """A box to tick and the sentence that is agreed to."""

    BOX = 48
    GAP = 24

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)

    def height_for(self, width: int) -> int:
        """Height that the sentence needs at `width`."""
        room = int(width - self.px(self.BOX + self.GAP + 16))
        flags = Qt.TextFlag.TextWordWrap
        wrapped = QFontMetrics(font_of(self.px(LOOK.body))).boundingRect(
            0, 0, room, 10_000, flags, self.text()
        )
        return int(max(self.px(self.BOX + 16), wrapped.height() + self.px(16)))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = self.px(self.BOX)
        box = QRectF(self.px(8), (self.height() - side) / 2, side, side)
        painter.setPen(QPen(QColor(LOOK.text), self.px(5 if self.hasFocus() else 3)))
        painter.drawRoundedRect(box, self.px(RADIUS / 2), self.px(RADIUS / 2))
        if self.isChecked():
            inset = side * 0.1
            paint_tick(painter, box.adjusted(inset, inset, -inset, -inset), QColor(LOOK.text), self.px(6))
        painter.setFont(font_of(self.px(LOOK.body)))
        painter.setPen(QColor(LOOK.text))
        left = int(side + self.px(self.GAP + 8))
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
        painter.drawText(self.rect().adjusted(left, 0, 0, 0), int(flags), self.text())
        painter.end()


def paint_tick(painter: QPainter, box: QRectF, colour: QColor, width: float) -> None:
    """Paint a tick into `box`."""
    pen = QPen(colour, width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    points = [QPointF(box.left() + x * box.width(), box.top() + y * box.height()) for x, y in TICK]
    painter.drawPolyline(QPolygonF(points))
