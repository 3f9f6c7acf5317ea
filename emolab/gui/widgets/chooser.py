"""One of several: a combo box whose arrow is drawn in the theme's own line."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy, QWidget

from emolab.gui import theme

ARROW_PX = 28


class Chooser(QComboBox):
    """A style sheet that rounds a combo box leaves it the old arrow's corners; this one has none."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setStyleSheet(
            f"QComboBox {{ padding-right: {theme.px(ARROW_PX)}px; }}"
            "QComboBox::drop-down { border: none; width: 0; }"
        )

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # it scrolls the page; a choice made in passing would not be noticed

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = theme.palette()
        colour = colours.text if self.isEnabled() else colours.muted
        painter.setPen(QPen(QColor(colour), 1.5 * theme.scale(), Qt.PenStyle.SolidLine))
        side, middle = theme.px(4), QPointF(self.width() - theme.px(ARROW_PX) / 2, self.height() / 2)
        painter.drawPolyline(
            QPolygonF(
                [
                    middle + QPointF(-side, -side / 2),
                    middle + QPointF(0, side / 2),
                    middle + QPointF(side, -side / 2),
                ]
            )
        )
