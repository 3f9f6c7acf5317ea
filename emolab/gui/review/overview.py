"""The whole session as a strip: its clips, one signal, and the window that the lanes show.

Dragging the window moves it, dragging an edge widens it, a click elsewhere brings it there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from emolab.gui import theme
from emolab.gui.review import raster
from emolab.gui.review.chart import LEFT_PX
from emolab.gui.review.label_paint import colour_of
from emolab.gui.review.span import Span
from emolab.recording.labels import TimedLabel
from emolab.review.curves import Track
from emolab.review.timeline import Timeline

TALL_PX = 44
BLOCK_PX = 8
GRIP_PX = 6
LEAST_PX = 6  # the window can always be seen and taken hold of


class Overview(QWidget):
    """`show_labels` gives the coloured blocks: what the participant said."""

    seekRequested = Signal(float)

    def __init__(self, line: Timeline, span: Span, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line, self._span = line, span
        self._labels: Sequence[TimedLabel] = ()
        self._image: QImage | None = None
        self._cursor_x = -1.0  # where it was painted
        self._held: tuple[str, float, float, float] | None = None  # part, x, from_s, to_s
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("overview of the whole session")
        span.changed.connect(self.update)
        span.cursorMoved.connect(self._move_cursor)
        theme.notifier().changed.connect(self.refresh)

    def show_labels(self, labels: Sequence[TimedLabel]) -> None:
        """What was said, as blocks under the signal."""
        self._labels = labels
        self.refresh()

    def refresh(self) -> None:
        """Draw the signal anew."""
        self._image = None
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(700), theme.px(TALL_PX))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(420), theme.px(TALL_PX))

    def resizeEvent(self, event: object) -> None:
        self._image = None

    def _left(self) -> int:
        return theme.px(LEFT_PX)

    def _width(self) -> int:
        return max(self.width() - self._left(), 50)

    def _x(self, time_s: float) -> float:
        whole_s = self._span.end_s - self._span.begin_s
        return self._left() + (time_s - self._span.begin_s) / whole_s * self._width()

    def _time(self, x: float) -> float:
        whole_s = self._span.end_s - self._span.begin_s
        return self._span.begin_s + (x - self._left()) / self._width() * whole_s

    @property
    def window(self) -> QRectF:  # type: ignore[override]
        """Where the window is drawn."""
        left, right = self._x(self._span.from_s), self._x(self._span.to_s)
        lack = max(theme.px(LEAST_PX) - (right - left), 0) / 2
        return QRectF(left - lack, 1, right - left + 2 * lack, self.height() - 2)

    def _track(self) -> Track | None:
        wanted = [track for track in self._line.tracks if track.kind == "eda"] or list(self._line.tracks)
        return wanted[0] if wanted else None

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image is None:
            self._image = self._drawn()
        painter = QPainter(self)
        colours = theme.palette()
        painter.drawImage(QPointF(0, 0), self._image)
        painter.setFont(theme.font(theme.SIZES.small))
        painter.setPen(QColor(colours.muted))
        room = QRectF(theme.px(10), 0, self._left() - theme.px(20), self.height())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "whole session")
        window = self.window
        veil = QColor(colours.ground)
        veil.setAlphaF(0.55)
        painter.fillRect(QRectF(self._left(), 0, window.left() - self._left(), self.height()), veil)
        painter.fillRect(QRectF(window.right(), 0, self.width() - window.right(), self.height()), veil)
        painter.setPen(QPen(QColor(colours.accent), theme.px(2)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(window.adjusted(1, 0, -1, 0), 3, 3)
        x = self._cursor_x = self._x(self._span.cursor_s)
        painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        painter.end()

    def _move_cursor(self, time_s: float) -> None:
        if abs(self._x(time_s) - self._cursor_x) >= 0.5:
            for x in (self._cursor_x, self._x(time_s)):
                self.update(int(x) - theme.px(4), 0, theme.px(8), self.height())

    def _drawn(self) -> QImage:
        ratio = self.devicePixelRatioF()
        width, height = round(self.width() * ratio), round(self.height() * ratio)
        colours = theme.palette()
        image = QImage(max(width, 1), max(height, 1), QImage.Format.Format_RGB32)
        image.fill(QColor(colours.sunken))
        left, plot = round(self._left() * ratio), round(self._width() * ratio)
        track = self._track()
        tall = height - round(theme.px(BLOCK_PX) * ratio) - 4
        if track is not None and tall > 4:
            view = self._line.view(track.name, self._span.begin_s, self._span.end_s, plot)
            low, high = raster.columns(view, self._span.begin_s, self._span.end_s, plot)
            limits = raster.limits_of(low, high)
            if limits is not None:
                pixels = np.frombuffer(image.bits(), np.uint8).reshape(height, width, 4)
                colour = QColor(theme.signal_colour(track.kind))
                rgb = (colour.red(), colour.green(), colour.blue())
                raster.paint(pixels[2 : 2 + tall, left : left + plot], low, high, limits, rgb, ratio)
        image.setDevicePixelRatio(ratio)
        painter = QPainter(image)
        for label in self._labels:
            x, end = self._x(label.start_s), self._x(label.end_s)
            box = QRectF(x, self.height() - theme.px(BLOCK_PX) - 1, max(end - x, 2), theme.px(BLOCK_PX))
            painter.fillRect(box, QColor(colour_of(label)))
        painter.end()
        return image

    # mouse

    def _part(self, x: float) -> str:
        window, grip = self.window, theme.px(GRIP_PX)
        if abs(x - window.left()) <= grip and window.width() > 3 * grip:
            return "left"
        if abs(x - window.right()) <= grip and window.width() > 3 * grip:
            return "right"
        return "window" if window.left() <= x <= window.right() and not self._span.is_whole else "elsewhere"

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        x, part = event.position().x(), self._part(event.position().x())
        if part == "elsewhere":
            time_s = self._time(x)
            if not self._span.is_whole:
                half_s = self._span.width_s / 2
                self._span.show(time_s - half_s, time_s + half_s)
            self.seekRequested.emit(time_s)
            part = "window"
        self._held = (part, x, self._span.from_s, self._span.to_s)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        if self._held is None:
            grips = self._part(x) in ("left", "right")
            self.setCursor(Qt.CursorShape.SizeHorCursor if grips else Qt.CursorShape.ArrowCursor)
            return
        part, start_x, from_s, to_s = self._held
        by_s = self._time(x) - self._time(start_x)
        if part == "left":
            self._span.show(min(from_s + by_s, to_s - 0.1), to_s)
        elif part == "right":
            self._span.show(from_s, max(to_s + by_s, from_s + 0.1))
        else:
            self._span.show(from_s + by_s, to_s + by_s)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._held = None

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._span.zoom(event.angleDelta().y() / 120, self._time(event.position().x()))
        event.accept()
