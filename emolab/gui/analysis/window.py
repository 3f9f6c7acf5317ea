"""The analysis window: choices above, sections at the left, the chosen one at the right."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QCloseEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QMainWindow,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from emolab.analysis.page import Page
from emolab.gui import theme
from emolab.gui.actions import Action, install
from emolab.gui.analysis.section_view import SectionView
from emolab.gui.widgets.chooser import Chooser
from emolab.gui.widgets.notice import Notice
from emolab.gui.widgets.panel import Elided, text

LIST_PX = 240
CONFLICTS = {False: "with clips the face contradicts", True: "without clips the face contradicts"}
Z = {"table": "z-scores over the whole table", "participant": "z-scores within each participant"}


class AnalysisWindow(QMainWindow):
    """Knows nothing for itself; `flow` tells it what to show."""

    analyseRequested = Signal()
    stopRequested = Signal()
    reportRequested = Signal()
    folderRequested = Signal()
    saveRequested = Signal(object)  # FigureView
    choicesChanged = Signal()
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("analysis")
        self.title, self.where = Elided("", "title"), Elided("", "muted")
        self.lane_box, self.z_box = Chooser("whose labels"), Chooser("z-scores")
        for key, words in Z.items():
            self.z_box.addItem(words, key)
        self.drop_box = Chooser("conflicts")
        for drops, words in CONFLICTS.items():
            self.drop_box.addItem(words, drops)
        self.go_button = theme.role(QPushButton("&Analyse"), "primary")
        self.stop_button = QPushButton("&Stop")
        self.bar, self.doing = QProgressBar(), Elided("", "muted")
        self.sections, self.pages = QListWidget(), QStackedWidget()
        self.report_button = QPushButton("Open the &report")
        self.folder_button = QPushButton("Open the &folder")
        self.facts = text("", "muted")
        self._actions: dict[str, QAction] = {}
        self.page: Page | None = None
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._make_head())
        column.addWidget(self._make_body(), 1)
        column.addWidget(self._make_foot())
        self.setCentralWidget(middle)
        self.notice = Notice(middle)
        self._connect()
        self.show_idle()
        self.show_empty("")
        self.resize(theme.px(1366), theme.px(768))

    def set_menus(self, menus: dict[str, list[Action]]) -> None:
        """Fill the menu bar: title to actions."""
        for title, actions in menus.items():
            self._actions |= install(self, actions, self.menuBar().addMenu(title))

    def show_lanes(self, lanes: Sequence[tuple[str, str]], chosen: str) -> None:
        """Offer these labels, `(words, lane)`."""
        self.lane_box.clear()
        for words, lane in lanes:
            self.lane_box.addItem(words, lane)
        self.lane_box.setCurrentIndex(max(self.lane_box.findData(chosen), 0))

    def show_page(self, page: Page) -> None:
        """Show a report; the section that was open stays open."""
        row = max(self.sections.currentRow(), 0)
        self._clear()
        for section in page.sections:
            self.sections.addItem(section.title)
            self.pages.addWidget(QWidget())  # made when it is first looked at
        self.page = page
        told = (f"{fact.symbol} {fact.number} {fact.what}".strip() for fact in page.facts)
        self.facts.setText("     ".join(told))
        self.sections.show()
        self.sections.setCurrentRow(min(row, len(page.sections) - 1))

    def show_empty(self, words: str) -> None:
        """Say what there is to analyse; nothing was, yet."""
        self._clear()
        self.page = None
        page = QWidget()
        column = QVBoxLayout(page)
        told = text(words, "message", wraps=True)
        told.setAlignment(Qt.AlignmentFlag.AlignCenter)
        row = QHBoxLayout()  # an aligned label would not get the height that its width asks for
        row.addStretch(1)
        row.addWidget(told, 2)
        row.addStretch(1)
        column.addStretch(1)
        column.addLayout(row)
        column.addStretch(2)
        self.pages.addWidget(page)
        self.sections.hide()
        self.facts.setText("")

    def allow(self, go: bool, report: bool, folder: bool) -> None:
        """What can be asked for now."""
        for button, key, may in (
            (self.go_button, "analyse", go),
            (self.report_button, "report", report),
            (self.folder_button, "folder", folder),
        ):
            button.setEnabled(may)
            if key in self._actions:
                self._actions[key].setEnabled(may)
        for box in (self.lane_box, self.drop_box, self.z_box):
            box.setVisible(go)

    def show_progress(self, percent: int, what: str) -> None:
        """Something that takes its time is going on; percent −1: it is short and cannot be stopped."""
        self.bar.setRange(
            0, 100 if percent > 0 else 0
        )  # until there is something to tell, it moves by itself
        self.bar.setValue(max(percent, 0))
        self.doing.setText(what)
        for widget in (self.bar, self.doing):
            widget.setVisible(True)
        self.stop_button.setVisible(percent >= 0)
        self.go_button.setVisible(False)

    def show_idle(self) -> None:
        """Nothing is going on."""
        for widget in (self.bar, self.doing, self.stop_button):
            widget.setVisible(False)
        self.go_button.setVisible(True)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.left.emit()

    def leave(self) -> None:
        """Close it."""
        self.close()

    def _clear(self) -> None:
        self.sections.clear()
        while (widget := self.pages.widget(0)) is not None:
            self.pages.removeWidget(widget)
            widget.deleteLater()

    def _turn(self, row: int) -> None:
        if self.page is None or not 0 <= row < len(self.page.sections):
            return
        if not isinstance(self.pages.widget(row), SectionView):
            view = SectionView(self.page.sections[row])
            view.saveRequested.connect(self.saveRequested)
            before = self.pages.widget(row)
            self.pages.insertWidget(row, view)
            if before is not None:
                self.pages.removeWidget(before)
                before.deleteLater()
        self.pages.setCurrentIndex(row)

    def _connect(self) -> None:
        self.go_button.clicked.connect(self.analyseRequested)
        self.stop_button.clicked.connect(self.stopRequested)
        self.report_button.clicked.connect(self.reportRequested)
        self.folder_button.clicked.connect(self.folderRequested)
        self.sections.currentRowChanged.connect(self._turn)
        for box in (self.lane_box, self.drop_box, self.z_box):
            box.activated.connect(lambda _at: self.choicesChanged.emit())
        theme.notifier().changed.connect(self._redraw)

    def _redraw(self) -> None:
        """Figures are drawn in the colours and sizes that held when they were made."""
        if self.page is not None:
            self.show_page(self.page)

    def _make_head(self) -> QWidget:
        head = theme.role(QFrame(), "bar")
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addWidget(self.title)
        names.addWidget(self.where)
        choices = QHBoxLayout()
        for box in (self.lane_box, self.drop_box, self.z_box):
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            box.setMaximumWidth(theme.px(288))
            choices.addWidget(box, 4)
        choices.addStretch(1)
        self.bar.setMinimumWidth(theme.px(96))
        self.bar.setMaximumWidth(theme.px(240))
        self.bar.setTextVisible(False)
        self.doing.setMinimumWidth(theme.px(72))
        self.doing.setMaximumWidth(theme.px(180))
        work = QHBoxLayout()
        work.addStretch(1)
        work.addWidget(self.doing, 4)
        work.addWidget(self.bar, 4)
        work.addWidget(self.stop_button)
        work.addWidget(self.go_button)
        first = QHBoxLayout()
        first.addLayout(names, 3)
        first.addLayout(work, 2)
        column = QVBoxLayout(head)
        column.setContentsMargins(theme.px(24), theme.px(12), theme.px(24), theme.px(12))
        column.setSpacing(theme.px(8))
        column.addLayout(first)
        column.addLayout(choices)
        return head

    def _make_body(self) -> QWidget:
        body = QWidget()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self.sections.setFixedWidth(theme.px(LIST_PX))
        self.sections.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.sections.setStyleSheet(
            f"QListWidget {{ border: {theme.px(2)}px solid transparent; border-radius: 0;"
            f" padding: {theme.px(6)}px; }}"
            f"QListWidget:focus {{ border-color: {theme.palette().accent}; }}"
            f"QListWidget::item {{ padding: {theme.px(8)}px; }}"
        )
        self.sections.setAccessibleName("sections")
        row.addWidget(self.sections)
        row.addWidget(self.pages, 1)
        return body

    def _make_foot(self) -> QWidget:
        foot = theme.role(QFrame(), "bar")
        row = QHBoxLayout(foot)
        row.setContentsMargins(theme.px(24), theme.px(8), theme.px(24), theme.px(8))
        row.addWidget(self.facts, 1)
        row.addWidget(self.report_button)
        row.addWidget(self.folder_button)
        return foot
