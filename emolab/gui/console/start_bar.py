"""The foot of the set-up page: what stands in the way, the check of everything, and Start."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from emolab.gui import theme
from emolab.gui.console.readiness import Blocker
from emolab.gui.widgets.panel import Remark
from emolab.session.snapshot import Level

READY = "Everything is ready."
START, START_ANYWAY = "Start session  (Ctrl+Return)", "Start anyway…  (Ctrl+Return)"
ASKS = "Starting asks for a reason, which is kept in the file."


class StartBar(QFrame):
    """`check_button`, `results_button` (while there are results to go back to) and `start_button`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.role(self, "bar")
        self.readiness = Remark("message")
        self.results_button = QPushButton("Results of the &check")
        theme.role(self.results_button, "quiet")
        self.check_button = QPushButton("Check everything  (F5)")
        self.start_button = QPushButton(START)
        theme.role(self.start_button, "primary")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(16), theme.px(8), theme.px(16), theme.px(8))
        row.setSpacing(theme.px(12))
        row.addWidget(self.readiness, 1, Qt.AlignmentFlag.AlignVCenter)
        for button in (self.results_button, self.check_button, self.start_button):
            button.setMinimumHeight(theme.px(48))
            row.addWidget(button)

    def show_blockers(self, found: Sequence[Blocker]) -> None:
        """Switch Start on or off and say why, the nearest first; what can be overridden leaves it on."""
        hard = [blocker for blocker in found if not blocker.can_override]
        self.start_button.setEnabled(not hard)
        is_red = bool(found) and not hard
        self.start_button.setText(START_ANYWAY if is_red else START)
        if (look := "danger" if is_red else "primary") != self.start_button.property("role"):
            theme.role(self.start_button, look)
        more = f"  (and {len(found) - 1} more)" if len(found) > 1 else ""
        if found:
            worst: Level = "act" if any(blocker.level == "act" for blocker in found) else "look"
            self.readiness.say(f"{found[0].message}{more}", worst)
        else:
            self.readiness.say(READY, "well")
        self.readiness.setToolTip("\n".join(blocker.message for blocker in found))
        why = hard[0].message if hard else f"{found[0].message} {ASKS}" if found else ""
        self.start_button.setAccessibleDescription(why)
        self.start_button.setToolTip(why or "Start the session")

    def show_check(self, why_not: str, has_results: bool) -> None:
        """Switch the check on or off; `has_results`: the last one's can be looked at again."""
        self.check_button.setEnabled(not why_not)
        self.check_button.setToolTip(why_not or "Look at everything for ten seconds; nothing is recorded")
        self.check_button.setAccessibleDescription(why_not)
        self.results_button.setVisible(has_results)
