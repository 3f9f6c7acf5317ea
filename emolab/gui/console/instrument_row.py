"""One instrument on the set-up page: light, rate, losses, level, and the two ways out when it fails."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from emolab.gui import theme
from emolab.gui.bridge import Bridge
from emolab.gui.console.sparkline import Sparkline
from emolab.gui.console.thumbnail import Thumbnail
from emolab.gui.widgets import words
from emolab.gui.widgets.health_light import HealthLight
from emolab.gui.widgets.panel import Elided, say, text
from emolab.session.snapshot import StreamHealth

FACTS_PX = 128
MOST_SPARKLINES = 4  # of one instrument; further channels are seen on the run page


class InstrumentRow(QFrame):
    """`retryRequested(name)` and `leaveOutRequested(name)`; both are offered only when it is not well."""

    retryRequested = Signal(str)
    leaveOutRequested = Signal(str)

    def __init__(self, stream: StreamHealth, bridge: Bridge | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.role(self, "sunken")
        self.setAccessibleName(f"instrument {stream.name}")
        self._shown: StreamHealth | None = None
        self.light = HealthLight(stream.name)
        self.light.setMinimumWidth(theme.px(76))
        self._name = Elided(stream.name)
        self._name.setFont(theme.font(bold=True))
        self._kind = Elided(_kind_words(stream), "muted")
        self._rate = text("")
        self._rate.setFixedWidth(theme.px(FACTS_PX))
        self._lost = Elided("")
        self._message = text("", wraps=True)
        self.retry_button = QPushButton("Retry")
        self.retry_button.setAccessibleName(f"Retry {stream.name}")
        self.retry_button.clicked.connect(lambda: self.retryRequested.emit(stream.name))
        self.leave_out_button = QPushButton("Leave out")
        self.leave_out_button.setAccessibleName(f"Leave out {stream.name}")
        self.leave_out_button.clicked.connect(lambda: self.leaveOutRequested.emit(stream.name))
        self._levels: Sequence[Sparkline | Thumbnail] = _levels(stream, bridge)
        self._lay_out()
        self.show_health(stream)

    def show_health(self, stream: StreamHealth) -> None:
        """Show how the instrument is; only what changed is written anew."""
        for level in self._levels:
            level.refresh()
        before, self._shown = self._shown, stream
        if before is None or (before.level, before.message) != (stream.level, stream.message):
            word = (
                "out"
                if stream.is_left_out
                else "opening"
                if stream.level == "look" and stream.age_s is None
                else ""
            )
            self.light.set_level(stream.level, stream.message, word)
            say(self._message, stream.message)
            self.retry_button.setText("Take back in" if stream.is_left_out else "Retry")
            self.leave_out_button.setVisible(not stream.is_left_out)
            self._buttons.setVisible(stream.level == "act" or stream.is_left_out)
        self._rate.setText(words.rate(stream.rate_hz))
        self._rate.setToolTip(words.timekeeping(stream))
        bad = f", bad {stream.corrupt}" if stream.corrupt else ""
        drift = words.drift(stream)
        self._lost.setText(f"lost {stream.lost}{bad}{drift and ' · ' + drift}")

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(theme.px(12), theme.px(6), theme.px(12), theme.px(6))
        grid.setHorizontalSpacing(theme.px(12))
        grid.setVerticalSpacing(theme.px(2))
        levels = QHBoxLayout()
        levels.setSpacing(theme.px(8))
        for level in self._levels:
            levels.addWidget(level, 0 if isinstance(level, Thumbnail) else 1)
        if self._levels and isinstance(self._levels[0], Thumbnail):
            levels.addStretch(1)
        grid.addWidget(self.light, 0, 0)
        grid.addLayout(_pair(self._name, self._kind), 0, 1)
        grid.addLayout(_pair(self._rate, self._lost), 0, 2)
        grid.addLayout(levels, 0, 3)
        self._buttons = QWidget()
        buttons = QHBoxLayout(self._buttons)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.addWidget(self.retry_button)
        buttons.addWidget(self.leave_out_button)
        grid.addWidget(self._buttons, 0, 4)
        grid.addWidget(self._message, 1, 1, 1, 4)
        grid.setColumnMinimumWidth(1, theme.px(168))
        grid.setColumnMinimumWidth(2, theme.px(FACTS_PX))
        grid.setColumnStretch(3, 1)


def _pair(upper: QWidget, lower: QWidget) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(theme.px(2))
    column.addStretch(1)
    column.addWidget(upper)
    column.addWidget(lower)
    column.addStretch(1)
    return column


def _kind_words(stream: StreamHealth) -> str:
    names = {"eda": "skin", "ppg": "pulse", "rgb": "camera", "audio": "sound", "thermal": "thermal camera"}
    seen = dict.fromkeys(names.get(kind, kind) for kind in stream.kinds or (stream.kind,))
    return ", ".join(seen)


def _levels(stream: StreamHealth, bridge: Bridge | None) -> Sequence[Sparkline | Thumbnail]:
    if bridge is None:
        return []
    name = stream.name
    if stream.is_image:
        return [Thumbnail(lambda: bridge.frame(name), name)]
    return [
        Sparkline(lambda: bridge.ring(name), i, kind, f"{name} {channel}")
        for i, (channel, kind) in enumerate(zip(stream.channels, stream.kinds, strict=False))
    ][:MOST_SPARKLINES]
