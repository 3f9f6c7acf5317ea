"""What came of the check: every clip with its verdict, conflicts first, and how well all goes together."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from emolab.faces.fer import GROUPS
from emolab.faces.verdict import Verdict
from emolab.gui import theme
from emolab.gui.widgets.fact_table import FactTable
from emolab.gui.widgets.panel import Panel, text
from emolab.review.checks import Check, Validation
from emolab.stats.agreement import Agreement

MARKS = {"agree": "●", "weak": "▲", "conflict": "■", "unknown": "○"}
HEADINGS = ("verdict", "clip", "said", "face", *(f"{group}#" for group in GROUPS), "coverage#", "why")
PLURAL: dict[Verdict, str] = {
    "conflict": "in conflict",
    "weak": "weak",
    "unknown": "unknown",
    "agree": "agree",
}
ORDER: tuple[Verdict, ...] = ("conflict", "weak", "unknown", "agree")


class CheckWindow(QDialog):
    """Not modal: a double click on a clip goes there in the review."""

    seekRequested = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("What was said, and what the face says")
        self.resize(theme.px(1160), theme.px(600))
        self._checks: list[Check] = []
        self.clips = FactTable("clips", HEADINGS, widest=len(HEADINGS) - 1)
        self.clips.cellDoubleClicked.connect(self._go)
        self.summary = text("", "message", wraps=True)
        self.kappa = text("", "", wraps=True)
        self.model = text("", "muted", wraps=True)
        self._cells = [[QLabel("0") for _ in GROUPS] for _ in GROUPS]
        side = Panel("Said × face")
        side.body.addLayout(self._make_table())
        side.body.addWidget(self.kappa)
        side.body.addStretch(1)
        side.body.addWidget(self.model)
        side.setFixedWidth(theme.px(300))
        left = QVBoxLayout()
        left.addWidget(self.summary)
        left.addWidget(self.clips, 1)
        row = QHBoxLayout(self)
        row.addLayout(left, 1)
        row.addWidget(side)

    def show_checks(self, found: Validation, problem: str = "") -> None:
        """Show these checks; `problem`: why there are none, or fewer."""
        self._checks = sorted(found.clips, key=lambda c: (ORDER.index(c.verdict), -c.confidence, c.start_s))
        counts = found.counts
        words = ", ".join(
            f"{counts[verdict]} {'in conflict' if verdict == 'conflict' else verdict}" for verdict in ORDER
        )
        self.summary.setText(problem or words)
        self.clips.show_rows([_row(check) for check in self._checks])
        for cells, counted in zip(self._cells, found.table, strict=True):
            for cell, count in zip(cells, counted, strict=True):
                cell.setText(str(count))
        self.kappa.setText(
            f"Cohen's κ {_told(found.kappa)}\nlinear {_told(found.kappa_linear)}\n"
            "95 % intervals by a bootstrap over clips"
        )
        weights = f", weights {found.weights[:12]}" if found.weights else ""
        against = ", against the same face at rest" if found.baseline else ""
        self.model.setText(f"by the model {found.model}{weights}{against}. No report was changed.")

    def _go(self, row: int) -> None:
        self.seekRequested.emit(self._checks[row].start_s)

    def _make_table(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(theme.px(6))
        for at, group in enumerate(GROUPS):
            grid.addWidget(text(group, "muted"), 0, at + 1)
            grid.addWidget(text(group, "muted"), at + 1, 0)
        for row, cells in enumerate(self._cells):
            for column, cell in enumerate(cells):
                cell.setFont(theme.font(theme.SIZES.large, bold=row == column))
                cell.setAccessibleName(f"said {GROUPS[row]}, face {GROUPS[column]}")
                grid.addWidget(cell, row + 1, column + 1)
        return grid


def _row(check: Check) -> Sequence[str]:
    three = ["–"] * 3 if check.probabilities is None else [f"{p:.2f}" for p in check.probabilities]
    coverage = "–" if check.coverage is None else f"{check.coverage:.0%}"
    verdict = f"{MARKS[check.verdict]} {check.verdict}"
    return (verdict, check.clip, check.group or "no report", check.face, *three, coverage, check.why)


def _told(figure: Agreement) -> str:
    if math.isnan(figure.value):
        return "is not defined: everything was called the same"
    interval = "" if math.isnan(figure.low) else f" ({figure.low:.2f} to {figure.high:.2f})"
    return f"{figure.value:.2f}{interval}, {figure.units} clips"
