"""The state of one stream as a light: shape, colour and word together."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from emolab.gui import theme

SHAPE_PX = 14


class HealthLight(QWidget):
    """● well, ▲ look, ■ act; grey and hollow before anything is known.

    `name`: what the light is of, for screen readers. `shows_word`: the word beside the shape.
    """

    def __init__(self, name: str = "", shows_word: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._shows_word = name, shows_word
        self._level: str | None = None
        self._word = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.notifier().changed.connect(self._restyle)
        self.set_level(None)

    @property
    def level(self) -> str | None:
        """The level shown, None when unknown."""
        return self._level

    @property
    def word(self) -> str:
        """The word shown beside the shape."""
        return self._word

    def set_level(self, level: str | None, message: str = "", word: str = "") -> None:
        """Show `level` (`well`, `look`, `act`, None: unknown). `word` replaces the level's own."""
        self._level = level
        self._word = word or (theme.HEALTH[level].word if level else "waiting")
        self.setAccessibleName(f"{self._name}: {self._word}" if self._name else self._word)
        self.setAccessibleDescription(message)
        self.setToolTip(message)
        self.updateGeometry()
        self.update()

    def _restyle(self) -> None:
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        side = theme.px(SHAPE_PX) + 4
        if not self._shows_word:
            return QSize(side, side)
        metrics = self.fontMetrics()
        width = side + theme.px(theme.SIZES.gap_small) + metrics.horizontalAdvance(self._word) + 2
        return QSize(width, max(side, metrics.height()))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = theme.px(SHAPE_PX)
        paint_shape(painter, QRectF(2, (self.height() - side) / 2, side, side), self._level)
        if self._shows_word:
            painter.setPen(QColor(theme.palette().text))
            left = side + 4 + theme.px(theme.SIZES.gap_small)
            painter.drawText(self.rect().adjusted(left, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self._word)
        painter.end()


def paint_shape(painter: QPainter, box: QRectF, level: str | None) -> None:
    """Paint the shape of a level into `box`."""
    ground = theme.palette().panel
    if level is None:
        painter.setPen(QPen(QColor(theme.palette().muted), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(box.adjusted(1, 1, -1, -1))
        return
    colour = theme.HEALTH[level].colour
    painter.setPen(QPen(QColor(theme.legible(colour, ground)), 1.5))
    painter.setBrush(QColor(colour))
    if level == "well":
        painter.drawEllipse(box.adjusted(1, 1, -1, -1))
    elif level == "look":
        top = QPointF(box.center().x(), box.top() + 0.5)
        painter.drawPolygon(QPolygonF([top, box.bottomRight(), box.bottomLeft()]))
    else:
        painter.drawRect(box.adjusted(1, 1, -1, -1))
