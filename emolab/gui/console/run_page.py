"""The run page: where are we, is every stream alive, what does the participant see, what can I do."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from emolab.gui import theme
from emolab.gui.bridge import Bridge
from emolab.gui.console.action_bar import ActionBar
from emolab.gui.console.banner import Banner
from emolab.gui.console.health_bar import HealthBar
from emolab.gui.console.log_panel import LogPanel
from emolab.gui.console.run_header import RunHeader
from emolab.gui.console.signals_panel import SignalsPanel
from emolab.gui.console.watch_panel import WatchPanel
from emolab.session.snapshot import Snapshot

RELEASE_MS = 80  # X11 tells a held key as releases and presses; on a busy machine Qt cannot join them


class RunPage(QWidget):
    """Panels around a running session. `stopRequested` after Esc was held for a second."""

    stopRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.header = RunHeader()
        self.banner = Banner()
        self.signals = SignalsPanel()
        self.watch_panel = WatchPanel()
        self.log = LogPanel()
        self.health = HealthBar()
        self.hand = ActionBar()
        self.header.stop_button.confirmed.connect(self._stop)
        self._release = QTimer(self)
        self._release.setSingleShot(True)
        self._release.timeout.connect(self._let_go)
        self._has_stopped = False
        right = QVBoxLayout()
        right.setSpacing(theme.px(8))
        right.addWidget(self.watch_panel, 3)
        right.addWidget(self.log, 1)
        middle = QHBoxLayout()
        middle.setContentsMargins(*[theme.px(8)] * 4)
        middle.setSpacing(theme.px(8))
        middle.addWidget(self.signals, 17)
        middle.addLayout(right, 10)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(0)
        page.addWidget(self.header)
        page.addWidget(self.banner)
        page.addLayout(middle, 1)
        page.addWidget(self.health)
        page.addWidget(self.hand)

    def watch(self, bridge: Bridge | None) -> None:
        """Take live samples from this bridge; nothing of the session before it stays."""
        self.signals.watch(bridge)
        self.watch_panel.watch(bridge)
        self.hand.take_words()
        self._release.stop()
        self._let_go()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Bring every panel up to date."""
        for panel in (
            self.header,
            self.banner,
            self.signals,
            self.watch_panel,
            self.log,
            self.health,
            self.hand,
        ):
            panel.show_snapshot(snapshot)

    def _stop(self) -> None:
        self._has_stopped = True
        self._release.start(RELEASE_MS)  # a mouse button has no key to be released
        self.stopRequested.emit()

    def _let_go(self) -> None:
        self._has_stopped = False
        self.header.stop_button.let_go()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._release.stop()
            if not self._has_stopped:  # the key is still held after it has done its work
                self.header.stop_button.press_and_hold()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._release.start(RELEASE_MS)
        else:
            super().keyReleaseEvent(event)
