"""The last seconds of every signal, one lane a channel, in one widget and one painting.

One painting of 13 lanes costs a fifth of what 13 plot widgets cost (33 ms a frame, a whole core
at 30 Hz). Hair lines are what Qt strokes fast, so a curve is drawn as two or three of them. It is
redrawn no oftener than a pixel changes: 30 times a second for 10 s across, 7 for two minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from emolab.core.ring import SampleRing
from emolab.gui import theme
from emolab.gui.widgets.curve import unbroken
from emolab.gui.widgets.envelope import envelope
from emolab.gui.widgets.steady_range import SteadyRange

SPANS_S = (10.0, 30.0, 120.0)
LEFT_PX = 148  # name, newest value, unit
AXIS_PX = 22
TICKS = 5


@dataclass
class Lane:
    """One channel: where its samples lie, how it is named, and what was drawn last."""

    stream: str
    column: int
    kind: str
    name: str
    unit: str
    limits: SteadyRange
    x: NDArray = field(default_factory=lambda: np.empty(0))  # seconds before now
    y: NDArray = field(default_factory=lambda: np.empty(0))
    range: tuple[float, float] = (0.0, 1.0)
    newest: float | None = None


class StripChart(QWidget):
    """`ring(stream)` gives a stream's samples or None. Draws when `refresh` is called."""

    def __init__(self, ring: Callable[[str], SampleRing | None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ring = ring
        self.lanes: list[Lane] = []
        self._span_s = SPANS_S[0]
        self._is_frozen = False
        self._drawn_s = -1e9
        self._ahead_s: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("live signals")
        theme.notifier().changed.connect(self.update)

    @property
    def span_s(self) -> float:
        """Seconds shown."""
        return self._span_s

    def set_lanes(self, lanes: list[Lane]) -> None:
        """Show these channels from now on."""
        self.lanes = lanes
        self._drawn_s, self._ahead_s = -1e9, None
        self.setAccessibleDescription(", ".join(lane.name for lane in lanes))
        self.update()

    def set_span(self, seconds: float) -> None:
        """Show the last `seconds`."""
        self._span_s = seconds
        self._drawn_s = -1e9

    def set_frozen(self, is_frozen: bool) -> None:
        """Let the picture stand, or go on."""
        self._is_frozen = is_frozen
        self.update()

    def refresh(self, now_s: float) -> None:
        """Draw up to now, if a pixel would change; `now_s`: the snapshot's."""
        width = self._plot_width()
        if self._is_frozen or 0 <= now_s - self._drawn_s < self._span_s / width:
            return
        self._drawn_s = now_s
        rings = {stream: self._ring(stream) for stream in dict.fromkeys(lane.stream for lane in self.lanes)}
        end_s = now_s + self._offset_s(rings, now_s)
        read = {stream: self._read(ring, end_s) for stream, ring in rings.items()}
        for lane in self.lanes:
            self._take(lane, read[lane.stream], end_s, width)
        self.update()

    def _offset_s(self, rings: Mapping[str, SampleRing | None], now_s: float) -> float:
        """How far the rings' clock is ahead of the snapshot's.

        They count from the engine's start, it from the recording's. The newest sample tells; the
        largest seen holds, so that the picture runs smoothly.
        """
        newest = [ring.newest(1)[0] for ring in rings.values() if ring is not None]
        seen = [float(times_s[-1]) - now_s for times_s in newest if len(times_s)]
        if seen:
            self._ahead_s = max(seen) if self._ahead_s is None else max(self._ahead_s, *seen)
        return self._ahead_s or 0.0

    def sizeHint(self) -> QSize:
        return QSize(theme.px(560), theme.px(60 * max(len(self.lanes), 3)))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(320), theme.px(160))

    def _plot_width(self) -> int:
        return max(self.width() - theme.px(LEFT_PX) - theme.px(8), 50)

    def _read(self, ring: SampleRing | None, end_s: float) -> tuple[NDArray, NDArray] | None:
        if ring is None:
            return None
        times_s, rows = ring.newest(_rows_of(ring, self._span_s))
        first = int(np.searchsorted(times_s, end_s - self._span_s))
        return times_s[first:], rows[first:]

    def _take(self, lane: Lane, read: tuple[NDArray, NDArray] | None, end_s: float, width: int) -> None:
        if read is None or not len(read[0]) or lane.column >= read[1].shape[1]:
            lane.x, lane.y, lane.newest = np.empty(0), np.empty(0), None
            return
        times_s, values = read[0], read[1][:, lane.column]
        lane.newest = float(values[-1])
        x, lane.y = envelope(times_s, values, self._span_s, width)
        lane.x = x - end_s
        finite = lane.y[np.isfinite(lane.y)]
        if len(finite):
            lane.range = lane.limits.update(float(finite.min()), float(finite.max()), end_s)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(theme.font(theme.SIZES.small))
        colours = theme.palette()
        painter.fillRect(self.rect(), QColor(colours.sunken))
        left = theme.px(LEFT_PX)
        plot = QRectF(left, 0, self._plot_width(), self.height() - theme.px(AXIS_PX))
        self._paint_axis(painter, plot)
        if not self.lanes:
            painter.setPen(QColor(colours.muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "no signal in this session")
            return
        tall = plot.height() / len(self.lanes)
        for i, lane in enumerate(self.lanes):
            self._paint_lane(painter, lane, QRectF(left, i * tall, plot.width(), tall))

    def _paint_axis(self, painter: QPainter, plot: QRectF) -> None:
        colours = theme.palette()
        for tick in range(TICKS + 1):
            x = plot.left() + plot.width() * tick / TICKS
            painter.setPen(QPen(QColor(colours.line), 1))
            painter.drawLine(QPointF(x, 0), QPointF(x, plot.bottom()))
            seconds = self._span_s * (1 - tick / TICKS)
            word = f"−{seconds:g} s" if seconds else ("frozen" if self._is_frozen else "now")
            box = QRectF(x - 60, plot.bottom(), 60 if tick == TICKS else 120, theme.px(AXIS_PX))
            align = Qt.AlignmentFlag.AlignRight if tick == TICKS else Qt.AlignmentFlag.AlignHCenter
            painter.setPen(QColor(colours.muted))
            painter.drawText(box, align | Qt.AlignmentFlag.AlignVCenter, word)

    def _paint_lane(self, painter: QPainter, lane: Lane, box: QRectF) -> None:
        colours = theme.palette()
        painter.setPen(QPen(QColor(colours.line), 1))
        painter.drawLine(QPointF(0, box.bottom()), QPointF(box.right(), box.bottom()))
        self._paint_name(painter, lane, QRectF(theme.px(10), box.top(), theme.px(LEFT_PX - 18), box.height()))
        if len(lane.x) < 2:
            painter.setPen(QColor(colours.muted))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "no samples")
            return
        low, high = lane.range
        margin = theme.px(3)
        x = box.right() + lane.x * (box.width() / self._span_s)
        y = box.bottom() - margin - (lane.y - low) / (high - low) * (box.height() - 2 * margin)
        painter.setPen(QPen(QColor(theme.signal_colour(lane.kind)), 0))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(box)
        hairs = round(1.6 * self.devicePixelRatioF() * theme.scale())
        for part in unbroken(x, y):
            for _ in range(hairs):
                painter.drawPolyline(part)
                part.translate(0, 0.7 / self.devicePixelRatioF())
        painter.setClipping(False)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_name(self, painter: QPainter, lane: Lane, box: QRectF) -> None:
        metrics = painter.fontMetrics()
        value = "" if lane.newest is None else f"{_figures(lane.newest)} {_unit(lane.unit)}".strip()
        name = metrics.elidedText(lane.name, Qt.TextElideMode.ElideMiddle, int(box.width()))
        painter.setPen(QColor(theme.palette().text))
        if box.height() >= 2.2 * metrics.height():
            painter.drawText(box.adjusted(0, 0, 0, -box.height() / 2), _LEFT_BOTTOM, name)
            painter.setPen(QColor(theme.palette().muted))
            painter.drawText(box.adjusted(0, box.height() / 2, 0, 0), _LEFT_TOP, value)
        else:
            painter.drawText(box, _LEFT_MIDDLE, name)


_LEFT_BOTTOM = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom
_LEFT_TOP = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
_LEFT_MIDDLE = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


def _figures(value: float) -> str:
    places = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{places}f}".replace("-", "−")


def _unit(unit: str) -> str:
    return {"counts": "", "uS": "µS", "degC": "°C"}.get(unit, unit)


def _rows_of(ring: SampleRing, span_s: float) -> int:
    """How many rows `span_s` takes, from the times of the newest ones."""
    times_s, _ = ring.newest(64)
    if len(times_s) < 2 or times_s[-1] <= times_s[0]:
        return ring.capacity
    rate_hz = (len(times_s) - 1) / (times_s[-1] - times_s[0])
    return min(ring.capacity, int(span_s * rate_hz * 1.2) + 64)
