"""All signals on the time line: one lane each, drawn anew in a few milliseconds at any zoom.

Wheel zooms at the pointer, Shift+wheel and dragging move along, a click puts the cursor there; over the
names the wheel goes through the lanes, where they are more than there is room for. Beside each name stands
its value at the pointer, or at the cursor when the pointer is elsewhere. Under a signal of the body a strip
says how usable it is, under skin conductance another one where a network looked.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QScrollBar, QSizePolicy, QToolTip, QWidget

from emolab.gui import theme
from emolab.gui.review import heat_strip, raster, usable_strip
from emolab.gui.review.heat_strip import Heat
from emolab.gui.review.ruler import RULER_PX, Ruler, paint_ruler
from emolab.gui.review.span import Span
from emolab.review.curves import Track
from emolab.review.timeline import Timeline
from emolab.signals.usable import KINDS

LEFT_PX = 148
LANE_PX = 28  # height of a lane that the smallest window has room for
LOW_PX = 20  # as low as a lane gets before the others are scrolled to
BAR_PX = 8
VALUES_S = 0.2  # between two readings of the values at a cursor that runs
CLICK_PX = 4  # a press that moves less is a click
LEFT = Qt.AlignmentFlag.AlignLeft


@dataclass(frozen=True)
class Stretch:
    """A shaded part of the ground: a clip, from and to."""

    from_s: float
    to_s: float


class Chart(QWidget):
    """Shows the `tracks` of `line` over `span`; where they are too many for its height, some, with a bar."""

    seekRequested = Signal(float)

    def __init__(self, line: Timeline, span: Span, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line, self._span = line, span
        self._every: Sequence[Track] = line.tracks
        self.stretches: Sequence[Stretch] = ()
        self.heats: Sequence[Heat] = ()  # where a network looked at skin conductance
        self._heats_of = ""  # whose
        self.scales_whole = False  # limits of the whole recording rather than of what is shown
        self._image: QImage | None = None
        self._pixels: NDArray[np.uint8] = np.zeros((0, 0, 4), np.uint8)
        self._whole: dict[str, tuple[float, float]] = {}
        self._pointer: QPointF | None = None
        self._pressed: tuple[QPointF, float] | None = None
        self._cursor_x = -1.0  # where it was painted
        self._told_s = 0.0  # when the values beside the names were written last
        self._dragged = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("signals")
        self._bar = QScrollBar(Qt.Orientation.Vertical, self)  # its value: the first lane shown
        self._bar.setCursor(Qt.CursorShape.ArrowCursor)
        self._bar.valueChanged.connect(self.refresh)
        self._measure()
        span.changed.connect(self.refresh)
        span.cursorMoved.connect(self._move_cursor)
        theme.notifier().changed.connect(self._measure)
        theme.notifier().changed.connect(self.refresh)

    @property
    def tracks(self) -> Sequence[Track]:
        """Those that are shown, from above."""
        first = self._bar.value()
        return self._every[first : first + self._bar.pageStep()]

    def show_heats(self, heats: Sequence[Heat], name: str) -> None:
        """Show under the skin's curve where the network of this name looked; nothing for none."""
        if (heats, name) != (self.heats, self._heats_of):
            self.heats, self._heats_of = heats, name
            self.refresh()

    def refresh(self) -> None:
        """Draw the curves anew: more was read, or they are to be seen another way."""
        self._image = None
        self.update()

    def track_ready(self, name: str) -> None:
        """A signal was read, or has grown."""
        self._whole.pop(name, None)
        self.refresh()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(700), theme.px(56 * max(len(self._every), 3) + RULER_PX))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(420), theme.px(LANE_PX * min(max(len(self._every), 2), 4) + RULER_PX))

    # places

    def x_of(self, time_s: float) -> float:
        """Where a moment is, in pixels from the left."""
        left, width = theme.px(LEFT_PX), self._plot_width()
        return left + (time_s - self._span.from_s) / self._span.width_s * width

    def time_at(self, x: float) -> float:
        """The moment at a place."""
        return self._span.from_s + (x - theme.px(LEFT_PX)) / self._plot_width() * self._span.width_s

    def _plot_width(self) -> int:
        return max(self.width() - theme.px(LEFT_PX), 50)

    def _lane(self, at: int) -> QRectF:
        """All curves are equally tall, the one a network looked at twice; strips come on top of that."""
        strips = [self._strips_px(track) for track in self.tracks]
        shares = [2 if self._has_heats(track) else 1 for track in self.tracks]
        curves_px = max(self.height() - theme.px(RULER_PX) - sum(strips), 0)
        edges = [
            round(sum(strips[:k]) + sum(shares[:k]) * curves_px / sum(shares))
            for k in range(len(self.tracks) + 1)
        ]
        return QRectF(theme.px(LEFT_PX), edges[at], self._plot_width(), edges[at + 1] - edges[at])

    def _strips_px(self, track: Track) -> int:
        usable_px = theme.px(usable_strip.TALL_PX) if self._line.usable(track.name) else 0
        return usable_px + (theme.px(heat_strip.TALL_PX) if self._has_heats(track) else 0)

    def _has_heats(self, track: Track) -> bool:
        return bool(self.heats) and track.kind == "eda"

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image is None:
            self._draw()
        painter = QPainter(self)
        assert self._image is not None
        _draw_part(painter, self._image, event.rect())
        painter.setFont(theme.font(theme.SIZES.small))
        if event.rect().left() < theme.px(LEFT_PX) or not self.tracks or self._line.problems:
            self._paint_names(painter)
        self._paint_cursor(painter)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._measure()
        self._image = None

    def _measure(self) -> None:
        """How many lanes there is room for; the bar is there where that is not all."""
        plot_px = self.height() - theme.px(RULER_PX)
        fit = min(max(plot_px // theme.px(LOW_PX), 1), max(len(self._every), 1))
        self._bar.setPageStep(fit)
        self._bar.setRange(0, len(self._every) - fit)
        self._bar.setGeometry(self.width() - theme.px(BAR_PX), 0, theme.px(BAR_PX), max(plot_px, 0))
        self._bar.setVisible(fit < len(self._every))

    def _draw(self) -> None:
        """The curves with their ground, as one image."""
        ratio = self.devicePixelRatioF()
        width, height = max(round(self.width() * ratio), 1), max(round(self.height() * ratio), 1)
        if self._pixels.shape[:2] != (height, width):
            self._pixels = np.empty((height, width, 4), np.uint8)
        left = round(theme.px(LEFT_PX) * ratio)
        plot_width = round(self._plot_width() * ratio)
        plot_height = round((self.height() - theme.px(RULER_PX)) * ratio)
        four = self._pixels.view(np.uint32)[..., 0]  # bytes at once
        ground = np.full(width, _rgb32(theme.palette().sunken), np.uint32)
        four[plot_height:] = ground
        self._shade(ground[left : left + plot_width])
        four[:plot_height] = ground
        image = QImage(self._pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        self._paint_ground(image)
        for at, track in enumerate(self.tracks):
            box = self._lane(at)
            top, bottom = round(box.top() * ratio), round(box.bottom() * ratio) - 1
            self._draw_track(track, self._pixels[top:bottom, left : left + plot_width], ratio)
        self._image = image

    def _shade(self, ground: NDArray[np.uint32]) -> None:
        """Clips, on one row of pixels of the plot."""
        shade = _rgb32(theme.mix(theme.palette().sunken, theme.palette().text, 0.045))
        edges_s = np.array([(each.from_s, each.to_s) for each in self.stretches]).reshape(-1, 2)
        share = np.clip((edges_s - self._span.from_s) / self._span.width_s, 0, 1)
        for first, last in np.rint(share * len(ground)).astype(int).tolist():
            ground[first:last] = shade

    def _paint_ground(self, image: QImage) -> None:
        painter = QPainter(image)
        painter.setFont(theme.font(theme.SIZES.small))
        plot = QRectF(theme.px(LEFT_PX), 0, self._plot_width(), self.height() - theme.px(RULER_PX))
        paint_ruler(painter, Ruler(self._span.from_s, self._span.to_s, plot))
        painter.setPen(QPen(QColor(theme.palette().line), 1))
        for at in range(len(self.tracks)):
            y = self._lane(at).bottom() - 0.5
            painter.drawLine(QPointF(0, y), QPointF(self.width(), y))
        painter.end()

    def _draw_track(self, track: Track, pixels: NDArray[np.uint8], ratio: float) -> None:
        width = pixels.shape[1]
        view = self._line.view(track.name, self._span.from_s, self._span.to_s, width)
        low, high = raster.columns(view, self._span.from_s, self._span.to_s, width)
        limits = self._limits(track, low, high)
        if limits is None:
            return
        colour = QColor(theme.signal_colour(track.kind))
        rgb = (colour.red(), colour.green(), colour.blue())
        margin = max(round(2 * ratio), 1)
        if shares := self._line.usable(track.name):
            tall = max(round(theme.px(usable_strip.TALL_PX) * ratio), 3)
            usable_strip.paint(pixels[-tall:], shares, self._span.from_s, self._span.to_s)
            pixels = pixels[:-tall]
        if self._has_heats(track):
            tall = max(round(theme.px(heat_strip.TALL_PX) * ratio), 4)
            heat_strip.paint(pixels[-tall:-1], self.heats, self._span.from_s, self._span.to_s)
            pixels = pixels[: -tall - 1]
        raster.paint(pixels[margin:-margin], low, high, limits, rgb, raster.THIN_PX * ratio * theme.scale())

    def _limits(self, track: Track, low: raster.Floats, high: raster.Floats) -> tuple[float, float] | None:
        if not self.scales_whole:
            return raster.limits_of(low, high)
        if track.name not in self._whole:
            view = self._line.view(track.name, self._span.begin_s, self._span.end_s, 1024)
            found = raster.limits_of(view.low, view.high)
            if found is None:
                return None
            self._whole[track.name] = found
        return self._whole[track.name]

    def _paint_names(self, painter: QPainter) -> None:
        colours = theme.palette()
        if not self.tracks:
            painter.setPen(QColor(colours.muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "this session holds no signal")
            return
        time_s = self._span.cursor_s if self._pointer is None else self.time_at(self._pointer.x())
        metrics = painter.fontMetrics()
        for at, track in enumerate(self.tracks):
            box = self._lane(at)
            room = QRectF(theme.px(10), box.top(), theme.px(LEFT_PX - 20), box.height())
            name = metrics.elidedText(track.name, Qt.TextElideMode.ElideMiddle, int(room.width()))
            value = self._value(track, time_s)
            painter.setPen(QColor(colours.text))
            if box.height() >= 2.2 * metrics.height():
                upper = room.adjusted(0, 0, 0, -room.height() / 2)
                lower = room.adjusted(0, room.height() / 2, 0, 0)
                painter.drawText(upper, LEFT | Qt.AlignmentFlag.AlignBottom, name)
                painter.setPen(QColor(colours.muted))
                painter.drawText(lower, LEFT | Qt.AlignmentFlag.AlignTop, value)
            else:
                painter.drawText(room, LEFT | Qt.AlignmentFlag.AlignVCenter, name)
            if problem := self._line.problems.get(track.name):
                painter.setPen(QColor(theme.HEALTH["act"].colour))
                painter.drawText(box.adjusted(8, 0, -8, 0), Qt.AlignmentFlag.AlignCenter, f"■ {problem}")

    def _value(self, track: Track, time_s: float) -> str:
        if not self._line.is_ready(track.name):
            return "reading …"
        value = self._line.value_at(track.name, time_s)
        return "nothing here" if math.isnan(value) else f"{figures(value)} {_unit(track.unit)}".strip()

    def _move_cursor(self, time_s: float) -> None:
        """Paint anew where the cursor was and where it is; the values beside the names now and then."""
        x = self.x_of(time_s)
        for at in (self._cursor_x, x):
            self.update(int(at) - theme.px(4), 0, theme.px(8), self.height())
        now_s = time.monotonic()
        if self._pointer is None and now_s - self._told_s > VALUES_S:
            self._told_s = now_s
            self.update(0, 0, theme.px(LEFT_PX), self.height())

    def _paint_cursor(self, painter: QPainter) -> None:
        colours, bottom = theme.palette(), self.height() - theme.px(RULER_PX)
        if self._pointer is not None and self._pointer.x() >= theme.px(LEFT_PX):
            painter.setPen(QPen(QColor(colours.muted), 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(self._pointer.x(), 0), QPointF(self._pointer.x(), bottom))
        x = self._cursor_x = self.x_of(self._span.cursor_s)
        if theme.px(LEFT_PX) - 1 <= x <= self.width():
            painter.setPen(QPen(QColor(colours.accent), theme.px(2)))
            painter.drawLine(QPointF(x, 0), QPointF(x, bottom))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.tip_at(QPointF(event.pos())), self)
            return True
        return super().event(event)

    def tip_at(self, place: QPointF) -> str:
        """How usable the signal under a place is there; empty for what is none of the body."""
        inside = (track for at, track in enumerate(self.tracks) if self._lane(at).contains(place))
        track = next((track for track in inside if track.kind in KINDS), None)
        if track is None:
            return ""
        time_s = self.time_at(place.x())
        told = usable_strip.words(self._line.usable(track.name), time_s)
        lines = [f"{track.name}: {told or self._line.why_not_judged(track.name)}"]
        if track.kind == "eda":
            lines.append(heat_strip.words(self.heats, time_s, self._heats_of))
        return "\n".join(filter(None, lines))

    # mouse

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / 120 or event.angleDelta().x() / 120
        sideways = event.angleDelta().x() and not event.angleDelta().y()
        if event.position().x() < theme.px(LEFT_PX) and self._bar.maximum():
            self._bar.setValue(self._bar.value() - round(math.copysign(max(abs(notches), 1), notches)))
        elif sideways or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._span.pan(-notches * 0.1 * self._span.width_s)
        else:
            self._span.zoom(notches, self.time_at(max(event.position().x(), theme.px(LEFT_PX))))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed, self._dragged = (event.position(), self._span.from_s), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position()
        if self._pressed is not None:
            start, from_s = self._pressed
            by_px = event.position().x() - start.x()
            if abs(by_px) >= CLICK_PX:
                self._dragged = True
            if self._dragged:
                by_s = by_px / self._plot_width() * self._span.width_s
                self._span.show(from_s - by_s, from_s - by_s + self._span.width_s)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed is not None and not self._dragged and event.position().x() >= theme.px(LEFT_PX):
            self.seekRequested.emit(self.time_at(event.position().x()))
        self._pressed = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._span.whole()

    def leaveEvent(self, event: object) -> None:
        self._pointer = None
        self.update()


def _draw_part(painter: QPainter, image: QImage, part: QRect) -> None:
    """Only what is to be painted: a moving cursor touches a few columns."""
    ratio = image.devicePixelRatio()
    source = QRectF(part.x() * ratio, part.y() * ratio, part.width() * ratio, part.height() * ratio)
    painter.drawImage(QRectF(part), image, source)


def figures(value: float) -> str:
    """A value in at most five figures, with a true minus sign."""
    size = abs(value)
    if size and (size < 1e-3 or size >= 1e6):
        return f"{value:.2e}".replace("-", "−")
    places = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 1 else 4
    return f"{value:.{places}f}".replace("-", "−")


def _unit(unit: str) -> str:
    return {"counts": "", "uS": "µS", "degC": "°C", "full scale": ""}.get(unit, unit)


def _rgb32(colour: str) -> int:
    return QColor(colour).rgb()
