"""One section of the report in the window: words, tables, figures, from top to bottom."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from emolab.analysis.page import Part, Picture, Section, Table, Words
from emolab.gui import theme
from emolab.gui.analysis.figure_view import FigureView
from emolab.gui.widgets.fact_table import FactTable
from emolab.gui.widgets.panel import Panel, Remark, text
from emolab.session.snapshot import Level

WIDEST_PX = 1280  # a line of text longer than that is lost on the way back
WORDS_PX = 800  # and that is as much as is read with ease
ROW_PX = 30
_NUMBER = re.compile(r"[–—-]?|[<>≤≥≈]? ?[\[(]?[−+-]?\.?\d(?!.*[^\W\d_]{4}).*")  # "< .001", "[−0.6, 1]", "–"
Follow = Callable[[FactTable], None]
LEVELS: dict[str, Level] = {"well": "well", "look": "look", "act": "act"}


class SectionView(QScrollArea):
    """Shows a `Section`; figures are drawn when it is shown, not before."""

    saveRequested = Signal(object)  # FigureView

    def __init__(self, section: Section, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.section = section
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setObjectName("section")
        thick_px = theme.px(2)
        self.setStyleSheet(
            f"#section {{ border: {thick_px}px solid transparent; }}"
            f"#section:focus {{ border-color: {theme.palette().accent}; }}"
        )
        page = self._sheet = _Sheet()
        page.setMaximumWidth(theme.px(WIDEST_PX))
        column = QVBoxLayout(page)
        column.setContentsMargins(theme.px(24), theme.px(16), theme.px(24), theme.px(24))
        column.setSpacing(theme.px(16))
        column.addWidget(text(section.title, "heading"))
        if section.lead:
            column.addWidget(_Prose(section.lead, "message"))
        self.figures: list[FigureView] = []
        for part in section.parts:
            column.addWidget(self._made(part))
        column.addStretch(1)
        self.setWidget(page)

    def _made(self, part: Part) -> QWidget:
        if isinstance(part, Words):
            return _words(part)
        if isinstance(part, Table):
            return _folded(part, self._follow) if part.folded else _table(part, self._follow)
        assert isinstance(part, Picture)
        view = FigureView(part)
        view.saveRequested.connect(self.saveRequested)
        self.figures.append(view)
        return view

    def _follow(self, table: FactTable) -> None:
        """Keep the chosen row of a table in sight: the tables themselves do not scroll."""
        middle = table.visualItemRect(table.currentItem()).center()
        at = table.viewport().mapTo(self._sheet, middle)
        self.ensureVisible(self._sheet.width() // 2, at.y(), 0, theme.px(48))


class _Sheet(QWidget):
    """As high as its width asks for; a label's own idea of its least height is that of a narrow column."""

    def minimumSizeHint(self) -> QSize:
        least = super().minimumSizeHint()
        layout = self.layout()
        return QSize(least.width(), 0) if layout is not None and layout.hasHeightForWidth() else least


class _Prose(QLabel):
    """Words to be read and copied, in lines that are not too long."""

    def __init__(self, words: str, role: str = "") -> None:
        super().__init__(words)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.setMaximumWidth(theme.px(WORDS_PX))
        if role:
            theme.role(self, role)

    def heightForWidth(self, width: int) -> int:
        return super().heightForWidth(min(width, self.maximumWidth()))


class _Facts(FactTable):
    """A table of the report, with all its rows: what scrolls is the page."""

    chosen = Signal(object)  # this table

    def __init__(self, part: Table) -> None:
        columns = [[row[at] for row in part.rows] for at in range(len(part.head))]
        longest = [max((len(cell) for cell in column), default=0) for column in columns]
        heads = [
            f"{head}#" if at and any(column) and all(map(_NUMBER.fullmatch, column)) else head
            for at, (head, column) in enumerate(zip(part.head, columns, strict=True))
        ]
        self._widest = longest.index(max(longest)) if longest else 0
        super().__init__(part.caption, heads, self._widest)
        self.setStyleSheet(
            "QTableView { background: transparent; border: none; }"
            "QHeaderView { background: transparent; }"
            f"QHeaderView::section {{ border-bottom: 1px solid {theme.palette().line}; }}"
        )
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.horizontalHeader().setMinimumSectionSize(theme.px(48))
        self.verticalHeader().setDefaultSectionSize(theme.px(ROW_PX))
        self.show_rows(part.rows)
        self.currentCellChanged.connect(self._tell)

    def resizeEvent(self, event: QResizeEvent) -> None:
        header = self.horizontalHeader()
        hints = [
            max(self.sizeHintForColumn(at), header.sectionSizeHint(at)) for at in range(self.columnCount())
        ]
        is_tight = sum(hints) > event.size().width()
        modes = QHeaderView.ResizeMode
        header.setSectionResizeMode(self._widest, modes.Stretch if is_tight else modes.ResizeToContents)
        self.setWordWrap(is_tight)
        super().resizeEvent(event)
        self.verticalHeader().setMinimumSectionSize(theme.px(ROW_PX))
        self.resizeRowsToContents()
        bar = self.horizontalScrollBar()
        extra = bar.sizeHint().height() if bar.maximum() > 0 else 0
        self.setFixedHeight(header.sizeHint().height() + self.verticalHeader().length() + extra)

    def _tell(self) -> None:
        if self.currentItem() is not None:
            self.chosen.emit(self)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.angleDelta().x():
            super().wheelEvent(event)
        else:
            event.ignore()  # the page scrolls


def _words(part: Words) -> QWidget:
    if part.mood not in LEVELS:
        return _Prose(part.text)
    remark = Remark("")
    remark.say(part.text, LEVELS[part.mood])
    return remark


def _table(part: Table, follow: Follow) -> QWidget:
    panel = Panel(part.caption)
    _fill(panel.body, part, follow)
    return panel


def _folded(part: Table, follow: Follow) -> QWidget:
    """A table behind a button with its caption, made when it is first asked for."""
    panel = Panel()
    panel.setAccessibleName(part.caption)
    button = QPushButton(f"▸  {part.caption}")
    theme.role(button, "quiet")
    button.setStyleSheet(
        "QPushButton { text-align: left; font-weight: 600; } QPushButton:checked { border: none; }"
    )
    button.setCheckable(True)
    panel.body.setContentsMargins(*(theme.px(4),) * 4)
    panel.body.addWidget(button)
    inside = QWidget()
    inside.hide()
    room = QVBoxLayout(inside)
    room.setContentsMargins(theme.px(12), 0, theme.px(12), theme.px(8))
    panel.body.addWidget(inside)

    def turn(is_open: bool) -> None:
        button.setText(f"{'▾' if is_open else '▸'}  {part.caption}")
        if is_open and not room.count():
            _fill(room, part, follow)
        inside.setVisible(is_open)

    button.toggled.connect(turn)
    return panel


def _fill(room: QBoxLayout, part: Table, follow: Follow) -> None:
    table = _Facts(part)
    table.chosen.connect(follow)
    room.addWidget(table)
    if part.note:
        room.addWidget(_Prose(part.note, "muted"))
