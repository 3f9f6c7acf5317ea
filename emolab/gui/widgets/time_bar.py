"""The time left as a thin bar, without digits."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from emolab.gui import theme


class TimeBar(QWidget):
    """Full when a step opens, empty when it closes; nothing at all for steps that wait.

    `colour`, `track`: of the part left and the part gone; the theme's when not given.
    """

    def __init__(
        self, height_px: int = 4, colour: str = "", track: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._height_px, self._colour, self._track = height_px, colour, track
        self._opened_s, self._closes_s = 0.0, 0.0
        self._left = 1.0
        self._is_open = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("time left")
        theme.notifier().changed.connect(self.update)

    @property
    def left(self) -> float:
        """Share of the time left, 0 to 1."""
        return self._left

    def set_span(self, opened_s: float, closes_s: float | None) -> None:
        """The step's moments on the session clock; None when it waits. Full until `set_now`."""
        if (opened_s, closes_s or 0.0) != (self._opened_s, self._closes_s):
            self._left = 1.0
        self._is_open = closes_s is not None and closes_s > opened_s
        self._opened_s, self._closes_s = opened_s, closes_s or 0.0
        self.update()

    def set_now(self, now_s: float) -> None:
        """Show the time left at `now_s`; repaints only when a pixel would change."""
        if not self._is_open:
            return
        left = (self._closes_s - now_s) / (self._closes_s - self._opened_s)
        left = min(max(left, 0.0), 1.0)
        if abs(left - self._left) * max(self.width(), 1) * self.devicePixelRatioF() >= 0.5:
            self._left = left
            self.setAccessibleDescription(f"{round(left * 10) * 10} percent")
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(160), theme.px(self._height_px))

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._is_open:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        colours, round_px = theme.palette(), self.height() / 2
        painter.setBrush(QColor(self._track or colours.line))
        painter.drawRoundedRect(QRectF(self.rect()), round_px, round_px)
        painter.setBrush(QColor(self._colour or colours.accent))
        painter.drawRoundedRect(QRectF(0, 0, self.width() * self._left, self.height()), round_px, round_px)
        painter.end()
