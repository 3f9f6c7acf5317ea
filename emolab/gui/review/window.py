"""The analyst's window: pictures and facts above, one time line below. It knows nothing for itself."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QCloseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QScrollArea,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from emolab.gui import theme
from emolab.gui.actions import Action, install
from emolab.gui.review.chart import Chart
from emolab.gui.review.facts_panel import FactsPanel
from emolab.gui.review.header import Header
from emolab.gui.review.history_bar import HistoryBar
from emolab.gui.review.label_panel import LabelPanel
from emolab.gui.review.lane_view import LaneView
from emolab.gui.review.overview import Overview
from emolab.gui.review.pictures import Pictures
from emolab.gui.review.span import Span
from emolab.gui.review.transport import Transport
from emolab.gui.review.why_bar import WhyBar
from emolab.gui.widgets.notice import Notice
from emolab.gui.widgets.panel import Remark
from emolab.review.timeline import Timeline

SIDE_PX = 372
FACTS_PX = 84  # at least: the clip, what was intended, what was said
LOW_PX, LOW_WIDE_PX = (
    900,
    1360,
)  # less high and so wide, facts and labels stand abreast: the curves need height
LOW_SIDE_PX = 350
SHARES, LOW_SHARES = (2, 3), (1, 2)  # of pictures and facts, and of the time line


class ReviewWindow(QMainWindow):
    """One session. `line` and `span` are given; `flow` connects the parts."""

    left = Signal()  # it is closed

    def __init__(self, line: Timeline, span: Span, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("review")
        self.header, self.transport = Header(), Transport()
        self.damage = Remark("message")
        self.pictures = Pictures(line)
        self.facts, self.labels = FactsPanel(), LabelPanel()
        self.overview, self.chart = Overview(line, span), Chart(line, span)
        self.lanes, self.why, self.history = LaneView(span), WhyBar(), HistoryBar()
        self._actions: dict[str, QAction] = {}
        self._is_low: bool | None = None
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.damage)
        column.addWidget(self._make_desk(), 1)
        column.addWidget(self._make_foot())
        self.setCentralWidget(middle)
        self.notice = Notice(middle)
        self.resize(theme.px(1366), theme.px(768))
        self.chart.setFocus()

    def set_menus(self, menus: dict[str, list[Action]]) -> None:
        """Fill the menu bar: title to actions."""
        for title, actions in menus.items():
            self._actions |= install(self, actions, self.menuBar().addMenu(title))

    def action(self, key: str) -> QAction:
        """One of the menus' actions."""
        return self._actions[key]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_low = self.height() < theme.px(LOW_PX) and self.width() >= theme.px(LOW_WIDE_PX)
        if is_low == self._is_low:
            return
        self._is_low = is_low
        direction = QBoxLayout.Direction
        self._side.setDirection(direction.LeftToRight if is_low else direction.TopToBottom)
        low = 2 * theme.px(LOW_SIDE_PX) + self._side.spacing()
        self._holder.setFixedWidth(low if is_low else theme.px(SIDE_PX))
        self._side.setStretchFactor(self.labels, 1 if is_low else 0)
        self._desk.setSizes([share * self.height() for share in (LOW_SHARES if is_low else SHARES)])

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.left.emit()

    def _make_lanes(self) -> QScrollArea:
        area = self._scrolled(self.lanes)
        area.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.lanes.grown.connect(lambda: area.setFixedHeight(self.lanes.seen_px))
        return area

    def _scrolled(self, panel: QWidget) -> QScrollArea:
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(panel)
        return area

    def _make_foot(self) -> QStackedWidget:
        """The history, and in its place the question why: nothing above moves when it is asked."""
        foot = QStackedWidget()
        foot.addWidget(self.history)
        foot.addWidget(self.why)
        foot.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.why.opened.connect(lambda: foot.setCurrentWidget(self.why))
        self.why.closed.connect(lambda: foot.setCurrentWidget(self.history))
        self.why.closed.connect(self.chart.setFocus)
        return foot

    def _make_desk(self) -> QSplitter:
        above = QWidget()
        row = QHBoxLayout(above)
        row.setContentsMargins(theme.px(12), theme.px(8), theme.px(12), theme.px(8))
        row.setSpacing(theme.px(12))
        left = QVBoxLayout()
        left.setSpacing(theme.px(6))
        left.addWidget(self.pictures, 1)
        left.addWidget(self.transport)
        row.addLayout(left, 1)
        self._holder = QWidget()
        self._side = QBoxLayout(QBoxLayout.Direction.TopToBottom, self._holder)
        self._side.setContentsMargins(0, 0, 0, 0)
        self._side.setSpacing(theme.px(8))
        self.facts_area = self._scrolled(self.facts)
        self.facts_area.setMinimumHeight(theme.px(FACTS_PX))
        self._side.addWidget(self.facts_area, 1)
        self._side.addWidget(self.labels)
        row.addWidget(self._holder)
        below = theme.role(QFrame(), "bar")
        column = QVBoxLayout(below)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addWidget(self.overview)
        column.addWidget(self.chart, 1)
        column.addWidget(self._make_lanes())
        self._desk = QSplitter(Qt.Orientation.Vertical)
        for part, share in zip((above, below), SHARES, strict=True):
            self._desk.addWidget(part)
            self._desk.setStretchFactor(self._desk.indexOf(part), share)
        self._desk.setChildrenCollapsible(False)
        return self._desk
