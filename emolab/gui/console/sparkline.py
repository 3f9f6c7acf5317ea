"""The level of one channel over the last seconds, as a line the height of a word."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from emolab.core.ring import SampleRing
from emolab.gui import theme

SPAN_S = 5.0
POINTS = 120


class Sparkline(QWidget):
    """Draws when `refresh` is called. `ring` gives the samples, or None as long as there are none."""

    def __init__(
        self,
        ring: Callable[[], SampleRing | None],
        channel: int,
        kind: str,
        name: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._ring, self._channel, self._kind = ring, channel, kind
        self._values: NDArray = np.empty(0)
        self._written = -1
        self.setAccessibleName(f"level of {name}")
        self.setToolTip(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.notifier().changed.connect(self.update)

    def refresh(self) -> None:
        """Take what is new; nothing is repainted when nothing came."""
        ring = self._ring()
        if ring is None or ring.written == self._written:
            return
        self._written = ring.written
        times_s, rows = ring.newest(ring.capacity)
        values = (
            rows[np.searchsorted(times_s, times_s[-1] - SPAN_S) :, self._channel]
            if len(times_s)
            else rows[:, 0]
        )
        step = max(len(values) // POINTS, 1)
        self._values = values[::step]
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(90), theme.px(28))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(40), theme.px(28))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        values = self._values[np.isfinite(self._values)]
        if len(values) < 2:
            painter.setPen(QPen(QColor(theme.palette().edge), 1, Qt.PenStyle.DotLine))
            painter.drawLine(0, self.height() // 2, self.width(), self.height() // 2)
            return
        low, span = float(values.min()), max(float(np.ptp(values)), 1e-9)
        x = np.linspace(1, self.width() - 1, len(values))
        y = self.height() - 3 - (values - low) / span * (self.height() - 6)
        colour = theme.signal_colour(self._kind, theme.palette().panel)
        painter.setPen(QPen(QColor(colour), 1.5 * theme.scale()))
        painter.drawPolyline(QPolygonF([QPointF(a, b) for a, b in zip(x, y, strict=True)]))
