"""Every signal of the session as live lanes, with how much time is shown."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from emolab.gui import theme
from emolab.gui.bridge import Bridge
from emolab.gui.console.strip_chart import SPANS_S, Lane, StripChart
from emolab.gui.widgets.panel import Elided
from emolab.gui.widgets.steady_range import SteadyRange
from emolab.session.snapshot import Snapshot

SPAN_WORDS = {10.0: "10 s", 30.0: "30 s", 120.0: "2 min"}
LEAST_RANGE = {"counts": 4.0, "dBFS": 6.0}  # so that a quiet channel's noise does not fill its lane


class SignalsPanel(QFrame):
    """`frozen(bool)` when the picture is held or let go, `readOutWanted(bool)` when a classifier's is."""

    frozen = Signal(bool)
    readOutWanted = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.role(self, "panel")
        self._bridge: Bridge | None = None
        self._known: tuple[tuple[str, tuple[str, ...]], ...] = ()
        self.chart = StripChart(lambda name: self._bridge.ring(name) if self._bridge else None)
        self._spans = QButtonGroup(self)
        bar = QHBoxLayout()
        bar.setSpacing(theme.px(4))
        for span_s in SPANS_S:
            button = QPushButton(SPAN_WORDS[span_s])
            button.setCheckable(True)
            button.setAccessibleName(f"show the last {SPAN_WORDS[span_s]}")
            button.setChecked(span_s == self.chart.span_s)
            button.clicked.connect(lambda _checked, s=span_s: self.chart.set_span(s))
            self._spans.addButton(button)
            bar.addWidget(button)
        self.reading = Elided("", "muted")
        self.reading.setAccessibleName("classifier's read-out")
        bar.addSpacing(theme.px(8))
        bar.addWidget(self.reading, 1)
        self.classifier_button = QPushButton("Classifier  (C)")
        self.classifier_button.setCheckable(True)
        self.classifier_button.setToolTip(
            "Read out what a classifier makes of the last 30 s (C); Ctrl+Shift+C: which one"
        )
        self.classifier_button.toggled.connect(self.readOutWanted)
        bar.addWidget(self.classifier_button)
        self.freeze_button = QPushButton("Freeze  (F)")
        self.freeze_button.setCheckable(True)
        self.freeze_button.toggled.connect(self.chart.set_frozen)
        self.freeze_button.toggled.connect(self.frozen)
        bar.addWidget(self.freeze_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.px(8)] * 4)
        column.setSpacing(theme.px(6))
        column.addWidget(self.chart, 1)
        column.addLayout(bar)

    def watch(self, bridge: Bridge | None) -> None:
        """Draw this bridge's samples from now on."""
        self._bridge = bridge
        self._known = ()
        self.freeze_button.setChecked(False)
        self.chart.set_lanes([])

    def show_reading(self, words: str, tip: str = "") -> None:
        """What a classifier says now; `tip`: what else there is to know of it."""
        theme.role(self.reading, "alarm" if words.startswith(theme.HEALTH["act"].symbol) else "muted")
        self.reading.setText(words)
        self.reading.setToolTip(tip or words)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Draw what is new; lanes are made anew only when the channels change."""
        signals = [stream for stream in snapshot.streams if stream.channels and not stream.is_image]
        known = tuple((stream.name, stream.channels) for stream in signals)
        if known != self._known:
            self._known = known
            names = [channel for stream in signals for channel in stream.channels]
            self.chart.set_lanes(
                [
                    Lane(
                        stream=stream.name,
                        column=column,
                        kind=stream.kinds[column] if column < len(stream.kinds) else stream.kind,
                        name=_lane_name(stream.name, channel, names.count(channel) > 1),
                        unit=stream.units[column] if column < len(stream.units) else "",
                        limits=_limits(stream.units[column] if column < len(stream.units) else ""),
                    )
                    for stream in signals
                    for column, channel in enumerate(stream.channels)
                ]
            )
        self.chart.refresh(snapshot.now_s)


def _lane_name(stream: str, channel: str, is_ambiguous: bool) -> str:
    if channel == "level":  # the hub's name for what is shown of a sound
        return stream
    name = channel.replace("_", " ")
    return f"{name} · {stream}" if is_ambiguous else name


def _limits(unit: str) -> SteadyRange:
    return SteadyRange(LEAST_RANGE.get(unit, 0.02))
