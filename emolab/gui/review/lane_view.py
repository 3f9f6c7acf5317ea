"""The lanes of labels under the signals, on the same time line.

A click chooses a label; in one's own lane dragging over nothing marks a stretch, dragging an edge of a
chosen label moves it. What others said can be looked at and never touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from emolab.gui import theme
from emolab.gui.review.chart import CLICK_PX, LEFT_PX
from emolab.gui.review.label_paint import has_words, paint_label
from emolab.gui.review.ruler import moment
from emolab.gui.review.span import Span
from emolab.recording.labels import TimedLabel
from emolab.review.lanes import Lane

ROW_PX = 25
MOST_ROWS = 7  # to be seen at once; with more the lanes scroll
GRIP_PX = 5  # so near an edge it is taken hold of
LEAST_S = 0.05  # of a label or a mark


@dataclass(frozen=True)
class Chosen:
    """A label in a lane, by names."""

    lane: str
    label: str


class _InOrder:
    """The labels of a lane by their begin, with their names, and their edges `(n, 2)` in seconds."""

    def __init__(self, lane: Lane) -> None:
        self.labels = sorted(lane.labels.items(), key=lambda pair: pair[1].start_s)
        self.edges_s = np.array([(label.start_s, label.end_s) for _, label in self.labels]).reshape(-1, 2)


class LaneView(QWidget):
    """Shows `lanes` over `span`; `own` is the name of the lane that can be changed."""

    chosen = Signal(object)  # Chosen, or None for nothing
    seekRequested = Signal(float)
    marked = Signal(object)  # (from_s, to_s), or None
    grown = Signal()  # there are more lanes, or fewer
    edgesMoved = Signal(str, float, float)  # label of the own lane, its new start and end

    def __init__(self, span: Span, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._span = span
        self.lanes: Sequence[Lane] = ()
        self._in_order: list[_InOrder] = []  # of each lane
        self.own = ""
        self.selected: Chosen | None = None
        self.mark: tuple[float, float] | None = None
        self._pressed: QPointF | None = None
        self._grip: tuple[str, TimedLabel, bool] | None = None  # label, as it was, whether its end
        self._moved: TimedLabel | None = None
        self._marks = False
        self._image: QPixmap | None = None
        self._cursor_x = -1.0  # where it was painted
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # what is being typed is kept before another is chosen
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("labels")
        span.changed.connect(self._redraw)
        span.cursorMoved.connect(self._move_cursor)
        theme.notifier().changed.connect(self._redraw)

    def show_lanes(self, lanes: Sequence[Lane], own: str) -> None:
        """Show these lanes; a label that is gone is no longer chosen."""
        self.lanes, self.own = lanes, own
        self._in_order = [_InOrder(lane) for lane in lanes]
        chosen = self.selected
        if chosen and not any(lane.name == chosen.lane and chosen.label in lane.labels for lane in lanes):
            self.choose(None)
        self.setAccessibleDescription(", ".join(f"{lane.name}: {len(lane.labels)} labels" for lane in lanes))
        self.updateGeometry()
        self.grown.emit()
        self._redraw()

    def choose(self, chosen: Chosen | None) -> None:
        """Choose a label, or none."""
        if chosen != self.selected:
            self.selected = chosen
            self.chosen.emit(chosen)
            self._redraw()

    def set_mark(self, mark: tuple[float, float] | None) -> None:
        """Mark a stretch for the next label, or nothing."""
        if mark != self.mark:
            self.mark = mark
            self.marked.emit(mark)
            self._redraw()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(700), theme.px(ROW_PX) * max(len(self.lanes), 1) + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(420), self.sizeHint().height())

    @property
    def seen_px(self) -> int:
        """The height in which all lanes, or as many as may be, are to be seen."""
        return theme.px(ROW_PX) * min(max(len(self.lanes), 1), MOST_ROWS) + 2

    # places

    def box_of(self, lane: str, label: TimedLabel) -> QRectF:
        """Where a label is drawn."""
        row = [one.name for one in self.lanes].index(lane)
        left, right = self._x(label.start_s), self._x(label.end_s)
        tall = theme.px(ROW_PX)
        return QRectF(left, row * tall + 3, max(right - left, 2.0), tall - 6)

    def _x(self, time_s: float) -> float:
        return theme.px(LEFT_PX) + (time_s - self._span.from_s) / self._span.width_s * self._width()

    def _time(self, x: float) -> float:
        return self._span.from_s + (x - theme.px(LEFT_PX)) / self._width() * self._span.width_s

    def _width(self) -> int:
        return max(self.width() - theme.px(LEFT_PX), 50)

    def _lane_at(self, y: float) -> Lane | None:
        row = int(y // theme.px(ROW_PX))
        return self.lanes[row] if 0 <= row < len(self.lanes) else None

    def _label_at(self, place: QPointF) -> Chosen | None:
        lane = self._lane_at(place.y())
        if lane is None or place.x() < theme.px(LEFT_PX):
            return None
        near_px = theme.px(GRIP_PX)
        found = [
            (label.is_moment, label.start_s, name)
            for name, label in lane.labels.items()
            if self._x(label.start_s) - near_px
            <= place.x()
            <= max(self._x(label.end_s), self._x(label.start_s) + near_px) + near_px
        ]
        exact = [entry for entry in found if lane.labels[entry[2]].start_s <= self._time(place.x())]
        return Chosen(lane.name, max(exact or found)[2]) if found else None

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image is None:
            self._image = self._drawn()
        painter = QPainter(self)
        painter.drawPixmap(QPointF(0, 0), self._image)
        x = self._cursor_x = self._x(self._span.cursor_s)
        if theme.px(LEFT_PX) - 1 <= x <= self.width():
            painter.setPen(QPen(QColor(theme.palette().accent), theme.px(2)))
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._image = None

    def _redraw(self) -> None:
        """Draw the lanes anew; a cursor that moves over them does not ask for that."""
        self._image = None
        self.update()

    def _drawn(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        image = QPixmap(self.size() * ratio)
        image.setDevicePixelRatio(ratio)
        painter = QPainter(image)
        painter.setFont(theme.font(theme.SIZES.small))
        colours = theme.palette()
        painter.fillRect(self.rect(), QColor(colours.sunken))
        tall, left = theme.px(ROW_PX), theme.px(LEFT_PX)
        for row, lane in enumerate(self.lanes):
            top = row * tall
            if lane.name == self.own:
                painter.fillRect(QRectF(0, top, self.width(), tall), QColor(colours.panel))
            painter.setPen(QPen(QColor(colours.line), 1))
            painter.drawLine(QPointF(0, top + tall - 0.5), QPointF(self.width(), top + tall - 0.5))
            self._paint_name(painter, lane, QRectF(theme.px(10), top, left - theme.px(20), tall))
            painter.setClipRect(QRectF(left, top, self._width(), tall))
            self._paint_lane(painter, row, QRectF(left, top, self._width(), tall))
            painter.setClipping(False)
        self._paint_mark(painter)
        painter.end()
        return image

    def _move_cursor(self, time_s: float) -> None:
        for x in (self._cursor_x, self._x(time_s)):
            self.update(int(x) - theme.px(4), 0, theme.px(8), self.height())

    def _paint_name(self, painter: QPainter, lane: Lane, box: QRectF) -> None:
        colours = theme.palette()
        painter.setPen(QColor(colours.text if lane.name == self.own else colours.muted))
        words = f"{lane.name} (you)" if lane.name == self.own else lane.name
        if lane.in_training:
            painter.setPen(QColor(theme.red_text()))
            words = f"{theme.HEALTH['act'].symbol} {words}"
        shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, int(box.width()))
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)

    def _paint_lane(self, painter: QPainter, row: int, box: QRectF) -> None:
        lane, labels = self.lanes[row], self._in_order[row].labels
        if lane.source == "event" and not lane.labels:
            painter.setPen(QColor(theme.palette().muted))
            painter.drawText(box.adjusted(8, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, "nothing to remark")
        if lane.problem or (lane.name == self.own and not lane.labels and not self.mark):
            painter.setPen(QColor(theme.palette().muted))
            words = f"■ {lane.problem}" if lane.problem else "1 to 5 labels the clip at the cursor"
            painter.drawText(box.adjusted(8, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, words)
        chosen = self.selected.label if self.selected and self.selected.lane == lane.name else None
        edges_s = self._in_order[row].edges_s
        if self._grip and self._moved and lane.name == self.own:
            labels = [(name, self._moved if name == self._grip[0] else label) for name, label in labels]
            edges_s = np.array([(label.start_s, label.end_s) for _, label in labels]).reshape(-1, 2)
        x = box.left() + (edges_s - self._span.from_s) * (box.width() / self._span.width_s)
        seen = (edges_s[:, 1] >= self._span.from_s) & (edges_s[:, 0] <= self._span.to_s)
        for at in np.flatnonzero(seen).tolist():
            name, label = labels[at]
            left, right = x[at].tolist()
            shape = QRectF(left, box.top() + 3, max(right - left, 2.0), box.height() - 6)
            if label.is_moment:  # its words may go on to the next
                shape.setRight(min([*(x[at + 1 : at + 2, 0] - 4).tolist(), box.right()]))
            words = lane.words(name) if has_words(shape, label) else ""
            paint_label(painter, shape, label, lane.source, words, name == chosen)

    def _paint_mark(self, painter: QPainter) -> None:
        if self.mark is None or self.own not in [lane.name for lane in self.lanes]:
            return
        box = self.box_of(self.own, TimedLabel(*self.mark))
        accent = QColor(theme.palette().accent)
        painter.setPen(QPen(accent, theme.px(2), Qt.PenStyle.DashLine))
        accent.setAlphaF(0.15)
        painter.setBrush(accent)
        painter.drawRect(box)

    # mouse

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / 120
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._span.pan(-notches * 0.1 * self._span.width_s)
        else:
            self._span.zoom(notches, self._time(max(event.position().x(), theme.px(LEFT_PX))))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._pressed, self._marks = event.position(), False
        self._grip = self._grip_at(event.position())
        if self._grip is None:
            self.choose(self._label_at(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = event.position()
        if self._pressed is None:
            grips = self._grip_at(place) is not None
            self.setCursor(Qt.CursorShape.SizeHorCursor if grips else Qt.CursorShape.ArrowCursor)
            return
        if self._grip is not None:
            self._moved = self._dragged(place)
        elif abs(place.x() - self._pressed.x()) >= CLICK_PX and self._is_own(self._pressed):
            self._marks = True
            ends = sorted((self._time(self._pressed.x()), self._time(place.x())))
            ends = [min(max(end, self._span.begin_s), self._span.end_s) for end in ends]
            self.set_mark((ends[0], max(ends[1], ends[0] + LEAST_S)))
        self._redraw()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, grip, moved = self._pressed, self._grip, self._moved
        self._pressed = self._grip = self._moved = None
        if pressed is None:
            return
        if grip is not None:
            if moved is not None and moved != grip[1]:
                self.edgesMoved.emit(grip[0], moved.start_s, moved.end_s)
        elif not self._marks and pressed.x() >= theme.px(LEFT_PX):
            self.set_mark(None)
            self.seekRequested.emit(self._time(event.position().x()))
        self._redraw()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        found = self._label_at(event.position())
        if found is not None:
            label = self._label(found)
            margin_s = 0.1 * max(label.end_s - label.start_s, 1.0)
            self._span.show(label.start_s - margin_s, label.end_s + margin_s)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            found = self._label_at(QPointF(event.pos()))
            if found is not None:
                QToolTip.showText(event.globalPos(), self._tip(found), self)
                return True
        return super().event(event)

    def _tip(self, chosen: Chosen) -> str:
        lane = next(one for one in self.lanes if one.name == chosen.lane)
        label = lane.labels[chosen.label]
        lines = [
            f"{chosen.lane}: {lane.words(chosen.label)}",
            f"{moment(label.start_s, 0.1)} to {moment(label.end_s, 0.1)}",
        ]
        lines += [label.clip] if label.clip else []
        lines += ["the model has learnt from this participant"] if lane.in_training else []
        lines += [label.note] if label.note else []
        return "\n".join(lines)

    def _label(self, chosen: Chosen) -> TimedLabel:
        return next(lane for lane in self.lanes if lane.name == chosen.lane).labels[chosen.label]

    def _is_own(self, place: QPointF) -> bool:
        lane = self._lane_at(place.y())
        return lane is not None and lane.name == self.own and place.x() >= theme.px(LEFT_PX)

    def _grip_at(self, place: QPointF) -> tuple[str, TimedLabel, bool] | None:
        """The edge of the chosen label of one's own under the pointer."""
        chosen = self.selected
        if chosen is None or chosen.lane != self.own or not self._is_own(place):
            return None
        label = self._label(chosen)
        if label.is_moment or label.trace:
            return None
        for is_end, edge_s in ((False, label.start_s), (True, label.end_s)):
            if abs(place.x() - self._x(edge_s)) <= theme.px(GRIP_PX):
                return chosen.label, label, is_end
        return None

    def _dragged(self, place: QPointF) -> TimedLabel:
        assert self._grip is not None
        _, label, is_end = self._grip
        time_s = min(max(self._time(place.x()), self._span.begin_s), self._span.end_s)
        if is_end:
            return replace(label, end_s=max(time_s, label.start_s + LEAST_S))
        return replace(label, start_s=min(time_s, label.end_s - LEAST_S))
