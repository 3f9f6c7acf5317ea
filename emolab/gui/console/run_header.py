"""Where the session is, to be read from two metres away: who, how long, which step, how long still."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from emolab.gui import theme
from emolab.gui.widgets import words
from emolab.gui.widgets.health_light import HealthLight
from emolab.gui.widgets.hold_button import HoldButton
from emolab.gui.widgets.panel import Elided, text
from emolab.gui.widgets.step_strip import StepStrip
from emolab.gui.widgets.time_bar import TimeBar
from emolab.session.snapshot import Level, Phase, Snapshot

PHASE_LEVELS: dict[Phase, Level] = {
    "running": "well", "pausing": "look", "paused": "look", "holding": "act", "failed": "act",
    "finished": "well", "setup": "look",
}  # fmt: skip


class RunHeader(QFrame):
    """Facts at the top of the run page; its one button is `stop_button`, to be held."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.role(self, "bar")
        self._who = Elided("", "heading")
        self._clock = text("", "heading")
        self._phase = HealthLight("session")
        self.stop_button = HoldButton("Stop: hold Esc")
        self.stop_button.setToolTip("Hold for one second to end the session; what is recorded is kept")
        self.strip = StepStrip()
        self._step = Elided("", "title")
        self._left = text("", "figure")
        self._left.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._left.setMinimumWidth(theme.px(130))
        self._left.setAccessibleName("time left in this step")
        self._next = Elided("", "message")
        self._bar = TimeBar(height_px=6)
        self._span: tuple[float, float | None] | None = None
        top = QHBoxLayout()
        top.setSpacing(theme.px(24))
        top.addWidget(self._who, 1)
        top.addWidget(self._clock)
        top.addWidget(self._phase)
        top.addWidget(self.stop_button)
        now = QGridLayout()
        now.setHorizontalSpacing(theme.px(24))
        now.setVerticalSpacing(0)
        now.addWidget(self._left, 0, 0, 2, 1)
        now.addWidget(self._step, 0, 1)
        now.addWidget(self._next, 1, 1)
        now.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(16), theme.px(8), theme.px(16), theme.px(8))
        column.setSpacing(theme.px(6))
        column.addLayout(top)
        column.addWidget(self.strip)
        column.addLayout(now)
        column.addWidget(self._bar)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Bring the facts up to date."""
        who = " · ".join(
            filter(None, (snapshot.participant, f"session {snapshot.session}", snapshot.protocol))
        )
        self._who.setText(who)
        self._clock.setText(_clock_line(snapshot))
        level = PHASE_LEVELS[snapshot.phase]
        word = words.PHASE_WORDS[snapshot.phase]
        if (self._phase.level, self._phase.word) != (level, word):
            self._phase.set_level(level, snapshot.message, word)
        self.strip.set_steps(snapshot.steps)
        self._show_step(snapshot)

    def _show_step(self, snapshot: Snapshot) -> None:
        total = words.trials(snapshot)
        step, following = words.current_step(snapshot), words.next_step(snapshot)
        if step is not None and step.status == "waiting":  # the session has halted before it
            step, following = None, step
        self._step.setText(words.step_name(step, total) if step else words.PHASE_WORDS[snapshot.phase])
        self._next.setText(f"next: {words.step_name(following, total)}" if following else "next: the end")
        left_s = words.step_left_s(snapshot)
        self._left.setText(words.countdown(left_s) if left_s is not None else "waits")
        span = (snapshot.step_opened_s, snapshot.step_closes_s)
        if span != self._span:
            self._span = span
            self._bar.set_span(*span)
        self._bar.set_now(snapshot.now_s)


def _clock_line(snapshot: Snapshot) -> str:
    elapsed_s = words.elapsed_s(snapshot)
    if elapsed_s is None:
        return f"before the rest, ≤ {words.clock(snapshot.cap_s)}" if snapshot.cap_s else "before the rest"
    return f"{words.clock(elapsed_s)} of ≤ {words.clock(snapshot.cap_s)}"
