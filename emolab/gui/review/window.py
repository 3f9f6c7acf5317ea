"""The analyst's window: pictures and facts above, one time line below. It knows nothing for itself."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QCloseEvent
from PySide6.QtWidgets import (
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
        side = QVBoxLayout()
        side.setSpacing(theme.px(8))
        facts = self._scrolled(self.facts)
        facts.setMinimumHeight(theme.px(FACTS_PX))
        side.addWidget(facts, 1)
        side.addWidget(self.labels)
        holder = QWidget()
        holder.setLayout(side)
        side.setContentsMargins(0, 0, 0, 0)
        holder.setFixedWidth(theme.px(SIDE_PX))
        row.addWidget(holder)
        below = theme.role(QFrame(), "bar")
        column = QVBoxLayout(below)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addWidget(self.overview)
        column.addWidget(self.chart, 1)
        column.addWidget(self._make_lanes())
        desk = QSplitter(Qt.Orientation.Vertical)
        desk.addWidget(above)
        desk.addWidget(below)
        desk.setStretchFactor(0, 2)
        desk.setStretchFactor(1, 3)
        desk.setChildrenCollapsible(False)
        return desk
