"""Play, step, speed, and where we are."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from emolab.gui import theme
from emolab.gui.review.ruler import moment
from emolab.gui.widgets.chooser import Chooser
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
        self.where_label.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(4))
        row = QHBoxLayout()
        column.addLayout(row)
        column.addWidget(self.where_label)
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
        self.speed_box = self._make_speeds()
        row.addWidget(self.speed_box)
        row.addStretch(1)
        for control in (*self.findChildren(QPushButton), self.speed_box):
            control.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves Space to the replay

    def show_time(self, time_s: float) -> None:
        """The moment of the cursor, to the millisecond."""
        self.time_label.setText(moment(time_s, 0.001))

    def show_playing(self, is_playing: bool) -> None:
        """What the play button does next."""
        self.play_button.setText("▮▮ Pause" if is_playing else "▶ Play")

    def show_speed(self, speed: float) -> None:
        """Which speed is chosen."""
        self.speed_box.setCurrentIndex(SPEEDS.index(speed))

    def show_where(self, words: str) -> None:
        """What there is to know besides, such as why nothing is heard."""
        self.where_label.setText(words)
        self.where_label.setVisible(bool(words))

    def _step_button(self, words: str, tip: str, signal: SignalInstance, step: int) -> QPushButton:
        button = theme.role(QPushButton(words), "quiet")
        button.setToolTip(tip)
        _narrow(button, 66)
        button.clicked.connect(lambda: signal.emit(step))
        return button

    def _make_speeds(self) -> Chooser:
        box = Chooser("speed")
        box.addItems([f"{speed:g}×" for speed in SPEEDS])
        box.setCurrentIndex(SPEEDS.index(1.0))
        box.setFixedWidth(theme.px(84))
        box.setToolTip("slower (Shift+,), faster (Shift+.)")
        box.activated.connect(lambda at: self.speedRequested.emit(SPEEDS[at]))
        return box


def _narrow(button: QPushButton, width: float) -> None:
    button.setStyleSheet("padding: 0;")
    button.setFixedWidth(theme.px(width))
