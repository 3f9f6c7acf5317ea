"""The room: which screen the participant looks at, and whether the sound is heard."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from emolab.gui import theme
from emolab.gui.screens import ScreenFact
from emolab.gui.widgets.chooser import Chooser
from emolab.gui.widgets.panel import Panel, Remark, say, text

HEARD = "Heard on both sides?"
ONE_SCREEN = (
    "Only one screen is connected: the participant's page will be a window here. "
    "Connect the second screen before a real session."
)


class RoomPanel(Panel):
    """`testRequested(name)`: show which screen is which; `toneRequested`: play the check tone."""

    screenChosen = Signal(str)
    testRequested = Signal(str)
    toneRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Screen and sound", parent)
        self.wanted = ""  # the user's own choice, kept while that screen is not there
        self.chooser = Chooser("The participant's screen")
        self.chooser.currentIndexChanged.connect(self._choose)
        self.test_button = QPushButton("&Test")
        self.test_button.setToolTip("Show a number on every screen for three seconds")
        self.test_button.clicked.connect(lambda: self.testRequested.emit(self.chosen))
        self.tone_button = QPushButton("Play a t&one")
        self.tone_button.clicked.connect(self._play)
        self._tone = text(HEARD, "muted", wraps=True)
        caption = QLabel("P&articipant sees")
        caption.setBuddy(self.chooser)
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.px(12))
        grid.setVerticalSpacing(theme.px(8))
        grid.addWidget(caption, 0, 0)
        grid.addWidget(self.chooser, 0, 1)
        grid.addWidget(self.test_button, 0, 2)
        grid.addWidget(QLabel("Sound"), 1, 0)
        grid.addWidget(self._tone, 1, 1)
        grid.addWidget(self.tone_button, 1, 2)
        grid.setColumnStretch(1, 1)
        self.body.addLayout(grid)
        self.warning = Remark()
        self.body.addWidget(self.warning)

    @property
    def chosen(self) -> str:
        """Name of the screen chosen for the participant, empty for a window on this one."""
        return str(self.chooser.currentData() or "")

    def want_screen(self, name: str) -> None:
        """Choose this screen whenever it is there, until the user chooses another."""
        self.wanted = name
        if (at := self.chooser.findData(name)) >= 0:
            with QSignalBlocker(self.chooser):
                self.chooser.setCurrentIndex(at)

    def show_screens(self, screens: list[ScreenFact], here: str = "") -> None:
        """Offer every screen but the one this window is on: `here`, the primary one if not told."""
        now = self.chosen
        own = next((fact for fact in screens if fact.name == here), screens[0] if screens else None)
        with QSignalBlocker(self.chooser):
            self.chooser.clear()
            for fact in screens:
                if len(screens) > 1 and fact is own:
                    continue
                size = fact.geometry.size() * fact.scale
                where = f"{fact.name} · {size.width()}×{size.height()}"
                self.chooser.addItem(where if len(screens) > 1 else "A window here", fact.name)
            wanted = self.chooser.findData(self.wanted)
            self.chooser.setCurrentIndex(max(wanted if wanted >= 0 else self.chooser.findData(now), 0))
        self.warning.say("" if len(screens) > 1 else ONE_SCREEN)

    def _choose(self, _index: int) -> None:
        self.wanted = self.chosen
        self.screenChosen.emit(self.chosen)

    def _play(self) -> None:
        self.show_tone(HEARD)
        self.toneRequested.emit()

    def show_tone(self, message: str) -> None:
        """What came of the tone."""
        say(self._tone, message)
