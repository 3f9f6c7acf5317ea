"""The pre-flight on the set-up page: how far the look is, then every check, the worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from emolab.gui import theme
from emolab.gui.console.check_row import CheckRow
from emolab.gui.widgets.panel import Panel, Remark, say, text
from emolab.session.snapshot import CheckView, Level, Snapshot

LOOKING = "Looking at everything for ten seconds; nothing is recorded."
SIT_STILL = "Let the participant sit still: sensors on, face to the camera."
MEND = "Mend what is red, or leave it out, then check again with F5."
ORDER: tuple[Level, ...] = ("act", "look", "well")
COUNTED = {"act": "to act on", "look": "to look at", "well": "well"}


class PreflightPanel(Panel):
    """Lies over the instruments while it is open. `closeRequested` by its button."""

    closeRequested = Signal()
    retryRequested = Signal(str)
    leaveOutRequested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Check before the session", parent)
        self.rows: list[CheckRow] = []
        self._checks: tuple[CheckView, ...] = ()
        self._number = 0  # of the check the engine last told of
        self.is_awaited = False  # asked for, and not begun yet: what the engine still shows is the last one
        self.summary = Remark("message")
        self.close_button = QPushButton("Instruments (Esc)")
        self.close_button.setToolTip("Back to the instruments; the results are kept")
        self.close_button.clicked.connect(self.closeRequested)
        top = QHBoxLayout()
        top.setSpacing(theme.px(12))
        self._looking = text(LOOKING, "message")
        top.addWidget(self._looking, 1, Qt.AlignmentFlag.AlignVCenter)
        top.addWidget(self.summary, 1, Qt.AlignmentFlag.AlignVCenter)
        top.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(top)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(theme.px(6))
        self.bar.setAccessibleName("progress of the check")
        self.body.addWidget(self.bar)
        self._hint = text("", "muted", wraps=True)
        self.body.addWidget(self._hint)
        self._list = QVBoxLayout()
        self._list.setContentsMargins(0, 0, theme.px(8), 0)
        self._list.setSpacing(theme.px(4))
        holder = QWidget()
        outer = QVBoxLayout(holder)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addLayout(self._list)
        outer.addStretch(1)
        self.results = QScrollArea()
        self.results.setWidgetResizable(True)
        self.results.setWidget(holder)
        self.results.setFrameShape(QFrame.Shape.NoFrame)
        self.results.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.results.setAccessibleName("results of the check")  # takes the focus: arrows scroll the list
        self.body.addWidget(self.results, 1)
        self._look(0.0)

    def begin(self) -> None:
        """A check has just been asked for."""
        self.is_awaited = True
        self._fill(())
        self._look(0.0)

    def refuse(self) -> None:
        """The engine will not check now; what it showed before is shown again."""
        self.is_awaited = False

    def forget(self) -> None:
        """Another engine: nothing is known of it."""
        self.is_awaited = False
        self._number = 0
        self._fill(())
        self._look(0.0)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Bring the bar, or the list, up to date."""
        progress = snapshot.preflight_progress
        if progress is not None:
            self.is_awaited = False
            self._fill(())
            self._look(progress)
        elif not self.is_awaited or snapshot.preflight_number > self._number:  # over while we stood still
            self.is_awaited = False
            self._fill(snapshot.preflight)
            self._sum_up()
        self._number = snapshot.preflight_number
        out = {stream.name for stream in snapshot.streams if stream.is_left_out}
        for row in self.rows:
            row.show_out(bool(row.check.stream) and row.check.stream in out)

    def _look(self, progress: float) -> None:
        self.bar.setVisible(True)
        self.bar.setValue(round(1000 * progress))
        self._looking.setVisible(True)
        self.summary.say("")
        say(self._hint, SIT_STILL)

    def _sum_up(self) -> None:
        counts = Counter(check.level for check in self._checks)
        said = ", ".join(f"{counts[level]} {COUNTED[level]}" for level in ORDER if counts[level])
        worst: Level = next((level for level in ORDER if counts[level]), "look")
        self.bar.hide()
        self._looking.hide()
        self.summary.say(f"{said}." if said else "Nothing has been checked yet.", worst)
        say(self._hint, MEND if counts["act"] else "")

    def _fill(self, checks: Sequence[CheckView]) -> None:
        """One row a check; made anew only when the results change."""
        if tuple(checks) == self._checks:
            return
        self._checks = tuple(checks)
        for row in self.rows:
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows.clear()
        handled: set[str] = {""}
        for check in sorted(checks, key=lambda check: ORDER.index(check.level)):
            row = CheckRow(check, check.stream not in handled)  # one pair of buttons an instrument
            handled.add(check.stream)
            row.retryRequested.connect(self.retryRequested)
            row.leaveOutRequested.connect(self.leaveOutRequested)
            self._list.addWidget(row)
            self.rows.append(row)
        self.results.verticalScrollBar().setValue(0)
