"""A small table of facts to read: no editing, no sorting, rows as they come."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from emolab.gui import theme

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class FactTable(QTableWidget):
    """`columns` are its headings; one that ends in `#` holds numbers and is set to the right.

    `widest`: the column that takes the room that is left.
    """

    def __init__(
        self, name: str, columns: Sequence[str], widest: int = 0, parent: QWidget | None = None
    ) -> None:
        super().__init__(0, len(columns), parent)
        self.setAccessibleName(name)
        self._is_number = [column.endswith("#") for column in columns]
        for at, (column, is_number) in enumerate(zip(columns, self._is_number, strict=True)):
            heading = QTableWidgetItem(column.rstrip("#"))
            heading.setTextAlignment(_RIGHT if is_number else _LEFT)
            self.setHorizontalHeaderItem(at, heading)
        self.verticalHeader().hide()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(widest, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)

    def show_rows(self, rows: Sequence[Sequence[str]]) -> None:
        """Show these rows instead of the present ones."""
        self.setRowCount(len(rows))
        for at, row in enumerate(rows):
            for column, words in enumerate(row):
                item = QTableWidgetItem(words)
                item.setToolTip(words)
                item.setTextAlignment(_RIGHT if self._is_number[column] else _LEFT)
                self.setItem(at, column, item)

    def mark_cell(self, row: int, column: int, colour: str) -> None:
        """Put a square of `colour` before a cell's words."""
        square = QPixmap(theme.px(12), theme.px(12))
        square.fill(QColor(colour))
        if (item := self.item(row, column)) is not None:
            item.setIcon(QIcon(square))

    def sizeHintForColumn(self, column: int) -> int:
        return super().sizeHintForColumn(column) + theme.px(14)
