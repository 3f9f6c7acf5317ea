"""One section of the report in the window: words, tables, figures, from top to bottom."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QScrollArea, QVBoxLayout, QWidget

from emolab.analysis.page import Part, Picture, Section, Table, Words
from emolab.gui import theme
from emolab.gui.analysis.figure_view import FigureView
from emolab.gui.widgets.fact_table import FactTable
from emolab.gui.widgets.panel import Panel, Remark, text
from emolab.session.snapshot import Level

WIDEST_PX = 1280  # a line of text longer than that is lost on the way back
MOST_ROWS = 16  # of a table that are seen without scrolling in it
ROW_PX = 30
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
        page = QWidget()
        page.setMaximumWidth(theme.px(WIDEST_PX))
        column = QVBoxLayout(page)
        column.setContentsMargins(theme.px(24), theme.px(16), theme.px(24), theme.px(24))
        column.setSpacing(theme.px(16))
        column.addWidget(text(section.title, "heading"))
        if section.lead:
            column.addWidget(text(section.lead, "message", wraps=True))
        self.figures: list[FigureView] = []
        for part in section.parts:
            column.addWidget(self._made(part))
        column.addStretch(1)
        self.setWidget(page)

    def _made(self, part: Part) -> QWidget:
        if isinstance(part, Words):
            return _words(part)
        if isinstance(part, Table):
            return _folded(part) if part.folded else _table(part)
        assert isinstance(part, Picture)
        view = FigureView(part)
        view.saveRequested.connect(self.saveRequested)
        self.figures.append(view)
        return view


def _words(part: Words) -> QWidget:
    if part.mood not in LEVELS:
        words = text(part.text, "", wraps=True)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return words
    remark = Remark("")
    remark.say(part.text, LEVELS[part.mood])
    return remark


def _table(part: Table) -> QWidget:
    panel = Panel(part.caption)
    panel.body.addWidget(_facts(part))
    if part.note:
        panel.body.addWidget(text(part.note, "muted", wraps=True))
    return panel


def _folded(part: Table) -> QWidget:
    """A table behind a button with its caption, made when it is first asked for."""
    panel = Panel()
    button = QPushButton(f"▸ {part.caption}")
    theme.role(button, "quiet")
    button.setCheckable(True)
    panel.body.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
    made: list[QWidget] = []

    def turn(is_open: bool) -> None:
        button.setText(f"{'▾' if is_open else '▸'} {part.caption}")
        if not made:
            made.append(_facts(part))
            if part.note:
                made.append(text(part.note, "muted", wraps=True))
            for widget in made:
                panel.body.addWidget(widget)
        for widget in made:
            widget.setVisible(is_open)

    button.toggled.connect(turn)
    return panel


def _facts(part: Table) -> FactTable:
    """The table; columns of numbers are set to the right, the widest column takes the room."""
    columns = [[row[at] for row in part.rows] for at in range(len(part.head))]
    heads = [
        f"{head}#" if at and all(len(cell) < 32 for cell in column) else head
        for at, (head, column) in enumerate(zip(part.head, columns, strict=True))
    ]
    longest = [max((len(cell) for cell in column), default=0) for column in columns]
    table = FactTable(part.caption, heads, widest=longest.index(max(longest)) if longest else 0)
    table.show_rows(part.rows)
    rows = min(max(len(part.rows), 1), MOST_ROWS)
    table.setFixedHeight(
        theme.px(ROW_PX) * rows + table.horizontalHeader().sizeHint().height() + theme.px(18)
    )
    return table
