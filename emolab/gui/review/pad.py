"""Valence across, arousal up: a click says how it felt, drawing while it plays says how it went on."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from emolab.gui import theme

SIDE_PX = 100
TAIL = 40  # points of a trace that are shown behind the pointer


class Pad(QWidget):
    """Both from −1 to 1. While `draws`, holding the button down is a trace: `drawn` at each move."""

    picked = Signal(float, float)  # valence, arousal: clicked
    drawn = Signal(float, float)  # while the button is held and it draws
    released = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.draws = False
        self._point: tuple[float, float] | None = None
        self._tail: list[tuple[float, float]] = []
        self.is_held = False
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("valence and arousal")
        self.setToolTip("Valence from left to right, arousal from bottom to top, each −1 to 1")
        theme.notifier().changed.connect(self.update)

    @property
    def point(self) -> tuple[float, float] | None:
        """Valence and arousal shown."""
        return self._point

    def show_point(self, valence: float | None, arousal: float | None) -> None:
        """Show a label's; None where it has none."""
        if not self.is_held:
            given = valence is not None or arousal is not None
            self._point = (valence or 0.0, arousal or 0.0) if given else None
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(SIDE_PX), theme.px(SIDE_PX))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(theme.font(theme.SIZES.small))
        colours = theme.palette()
        painter.fillRect(self.rect(), QColor(colours.sunken))
        painter.setPen(QPen(QColor(colours.accent if self.draws else colours.line), 2 if self.draws else 1))
        painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        painter.setPen(QPen(QColor(colours.line), 1))
        middle = QRectF(self.rect()).center()
        painter.drawLine(QPointF(middle.x(), 2), QPointF(middle.x(), self.height() - 2))
        painter.drawLine(QPointF(2, middle.y()), QPointF(self.width() - 2, middle.y()))
        painter.setPen(QColor(colours.muted))
        room = QRectF(self.rect()).adjusted(5, 3, -5, -3)
        painter.drawText(room, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, "aroused")
        painter.drawText(room, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, "still")
        painter.drawText(
            room.adjusted(0, 0, 0, -4), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "−"
        )
        painter.drawText(
            room.adjusted(0, 0, 0, -4), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, "+"
        )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if len(self._tail) > 1:
            painter.setPen(QPen(QColor(theme.SIGNAL_COLOURS["mark"]), theme.px(2)))
            painter.drawPolyline(QPolygonF([self._place(*point) for point in self._tail]))
        if self._point is not None:
            painter.setPen(QPen(QColor(colours.text), theme.px(2)))
            painter.setBrush(QColor(theme.SIGNAL_COLOURS["mark"]))
            painter.drawEllipse(self._place(*self._point), theme.px(5), theme.px(5))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.is_held, self._tail = True, []
            self._take(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.is_held:
            self._take(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if not self.is_held:
            return
        self.is_held, self._tail = False, []
        if self.draws:
            self.released.emit()
        elif self._point is not None:
            self.picked.emit(*self._point)
        self.update()

    def _take(self, place: QPointF) -> None:
        valence = place.x() / max(self.width(), 1) * 2 - 1
        arousal = 1 - place.y() / max(self.height(), 1) * 2
        self._point = (_inside(valence), _inside(arousal))
        if self.draws:
            self._tail = [*self._tail[-TAIL:], self._point]
            self.drawn.emit(*self._point)
        self.update()

    def _place(self, valence: float, arousal: float) -> QPointF:
        return QPointF((valence + 1) / 2 * self.width(), (1 - arousal) / 2 * self.height())


def _inside(value: float) -> float:
    return round(min(max(value, -1.0), 1.0), 2)
