"""What happened last, newest at the bottom, each line with its time in the session."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QWidget

from emolab.gui import theme
from emolab.gui.widgets import words
from emolab.session.snapshot import LogLine, Snapshot


class LogPanel(QListWidget):
    """The newest lines of the session's diary."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[LogLine, ...] = ()
        self.setAccessibleName("what happened")
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setUniformItemSizes(True)
        self.setMinimumHeight(theme.px(72))

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Write the lines anew when there is a new one; stay at the end unless scrolled away."""
        if snapshot.log == self._shown:
            return
        self._shown = snapshot.log
        bar = self.verticalScrollBar()
        was_at_end = bar.value() >= bar.maximum()
        self.clear()
        start_s = snapshot.run_started_s or 0.0
        for line in snapshot.log:
            sign = "" if line.level == "well" else theme.HEALTH[line.level].symbol + " "
            before = "−" if line.time_s < start_s else ""
            item = QListWidgetItem(f"{before}{words.clock(abs(line.time_s - start_s))}  {sign}{line.text}")
            item.setToolTip(line.text)
            self.addItem(item)
        if was_at_end:
            self.scrollToBottom()
