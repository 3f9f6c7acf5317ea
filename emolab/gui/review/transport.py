"""Play, step, speed, and where we are."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from emolab.gui import theme
from emolab.gui.review.ruler import moment
from emolab.gui.widgets.panel import Elided, text
from emolab.review.player import SPEEDS


class Transport(QWidget):
    """Emits what is wanted; shows what it is told."""

    playRequested = Signal()  # or pause
    frameRequested = Signal(int)  # −1 or 1
    trialRequested = Signal(int)  # −1 or 1
    speedRequested = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.play_button = QPushButton("▶ Play")
        self.play_button.setMinimumWidth(theme.px(92))
        self.play_button.setToolTip("Space")
        self.play_button.clicked.connect(self.playRequested)
        self.time_label = text("00:00.000", "heading")
        self.time_label.setFont(theme.font(theme.SIZES.heading, bold=True))
        self.time_label.setAccessibleName("moment of the session")
        self.where_label = Elided("", "muted")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(8))
        row.addWidget(self.play_button)
        row.addWidget(self.time_label)
        for words, tip, signal, step in (
            ("◂ frame", "one frame back (,)", self.frameRequested, -1),
            ("frame ▸", "one frame on (.)", self.frameRequested, 1),
            ("◂ clip", "the clip before (Page up)", self.trialRequested, -1),
            ("clip ▸", "the next clip (Page down)", self.trialRequested, 1),
        ):
            row.addWidget(self._step_button(words, tip, signal, step))
        self._speeds = QButtonGroup(self)
        for speed in SPEEDS:
            row.addWidget(self._speed_button(speed))
        row.addWidget(self.where_label, 1)
        for button in self.findChildren(QPushButton):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves Space to the replay

    def show_time(self, time_s: float) -> None:
        """The moment of the cursor, to the millisecond."""
        self.time_label.setText(moment(time_s, 0.001))

    def show_playing(self, is_playing: bool) -> None:
        """What the play button does next."""
        self.play_button.setText("▮▮ Pause" if is_playing else "▶ Play")

    def show_speed(self, speed: float) -> None:
        """Which speed is chosen."""
        for button in self._speeds.buttons():
            button.setChecked(button.property("speed") == speed)

    def show_where(self, words: str) -> None:
        """What there is to know besides, such as why nothing is heard."""
        self.where_label.setText(words)

    def _step_button(self, words: str, tip: str, signal: SignalInstance, step: int) -> QPushButton:
        button = theme.role(QPushButton(words), "quiet")
        button.setToolTip(tip)
        _narrow(button, 66)
        button.clicked.connect(lambda: signal.emit(step))
        return button

    def _speed_button(self, speed: float) -> QPushButton:
        button = theme.role(QPushButton(f"{speed:g}×"), "quiet")
        button.setCheckable(True)
        button.setProperty("speed", speed)
        button.setChecked(speed == 1.0)
        _narrow(button, 46)
        button.setAccessibleName(f"speed {speed:g} times")
        button.clicked.connect(lambda: self.speedRequested.emit(speed))
        self._speeds.addButton(button)
        return button


def _narrow(button: QPushButton, width: float) -> None:
    button.setStyleSheet("padding: 0;")
    button.setFixedWidth(theme.px(width))
