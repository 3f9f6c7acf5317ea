"""One line of the pre-flight: its light, what was found, the remedy, and the two ways out."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QPushButton, QWidget

from emolab.gui import theme
from emolab.gui.console import readiness
from emolab.gui.widgets.health_light import HealthLight
from emolab.gui.widgets.panel import Elided, text
from emolab.session.snapshot import CheckView


class CheckRow(QFrame):
    """`retryRequested(stream)` and `leaveOutRequested(stream)`; `is_handled`: whether they are offered."""

    retryRequested = Signal(str)
    leaveOutRequested = Signal(str)

    def __init__(self, check: CheckView, is_handled: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.check = check
        self.is_well = check.level == "well"
        theme.role(self, "" if self.is_well else "sunken")
        self.setAccessibleName(f"{theme.HEALTH[check.level].word}: {check.name}: {readiness.sentence(check)}")
        self.light = HealthLight(check.name)
        self.light.setMinimumWidth(theme.px(60))
        name = Elided(check.name)
        name.setFont(theme.font(bold=not self.is_well))
        what = check.what[:1].upper() + check.what[1:].rstrip(".") + "."
        # what is well is one line each, so that all of it is seen at once
        self._what = Elided(what, "muted") if self.is_well else text(what, wraps=True)
        self._remedy = text(check.remedy, wraps=True)
        self._remedy.setVisible(bool(check.remedy))
        self.retry_button = QPushButton("Retry")
        self.retry_button.clicked.connect(lambda: self.retryRequested.emit(check.stream))
        self.leave_out_button = QPushButton("Leave out")
        self.leave_out_button.setAccessibleName(f"Leave out {check.stream}")
        self.leave_out_button.clicked.connect(lambda: self.leaveOutRequested.emit(check.stream))
        grid = QGridLayout(self)
        gap = theme.px(2 if self.is_well else 6)
        grid.setContentsMargins(theme.px(12), gap, theme.px(12), gap)
        grid.setHorizontalSpacing(theme.px(12))
        grid.setVerticalSpacing(theme.px(2))
        top = Qt.AlignmentFlag.AlignTop
        grid.addWidget(self.light, 0, 0, top)
        grid.addWidget(name, 0, 1, top)
        grid.addWidget(self._what, 0, 2)
        grid.addWidget(self._remedy, 1, 2)
        grid.addWidget(self.retry_button, 0, 3, 2, 1)
        grid.addWidget(self.leave_out_button, 0, 4, 2, 1)
        grid.setColumnMinimumWidth(1, theme.px(150))
        grid.setColumnStretch(2, 1)
        self._is_handled = is_handled and not self.is_well
        self.show_out(False)

    def show_out(self, is_out: bool) -> None:
        """Whether its instrument has been left out since."""
        self.light.set_level("look" if is_out else self.check.level, "", "out" if is_out else "")
        words = "Take back in" if is_out else "Retry"
        self.retry_button.setText(words)
        self.retry_button.setAccessibleName(f"{words} {self.check.stream}")
        self.retry_button.setVisible(self._is_handled)
        self.leave_out_button.setVisible(self._is_handled and not is_out)
