"""The participant's place: their window, the screen it is on, and which screens there are."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QWidget

from emolab.gui import screens
from emolab.gui.bridge import Bridge
from emolab.gui.console.identify import identify
from emolab.gui.lit import Lit
from emolab.gui.participant.window import ParticipantWindow, is_typing
from emolab.session.snapshot import Snapshot

ASKING = ("consent", "instruct", "rate")  # pages that wait for the participant's hand


class Seat(QObject):
    """At most one participant window. `screensChanged` when a screen came or went."""

    screensChanged = Signal()
    warned = Signal(str)  # what the experimenter must know of where the window went

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.window: ParticipantWindow | None = None
        self._asked = (False, -1)
        self._bridge: Bridge | None = None
        self._lit = Lit()
        app = QGuiApplication.instance()
        app.screenAdded.connect(self._screen_came)  # type: ignore[union-attr]
        app.screenRemoved.connect(self._screen_went)  # type: ignore[union-attr]

    @property
    def is_taken(self) -> bool:
        """Whether a participant window is open."""
        return self.window is not None

    def open(self, bridge: Bridge, screen: str) -> None:
        """Open the participant's window on a screen, or move it there."""
        if self.window is not None and self._bridge is not bridge:
            self.close()
        if self.window is None:
            self.window, self._bridge = ParticipantWindow(bridge), bridge
            self._lit.keep()
        chosen = screens.participant_screen(screen)
        placement = self.window.seat(chosen.name if chosen else None)
        if placement.sentence:
            self.warned.emit(placement.sentence)

    def _screen_came(self, _screen: QScreen) -> None:
        self.screensChanged.emit()
        QTimer.singleShot(0, self, self._go_back)  # Qt's own list is settled only after the signal

    def _screen_went(self, _screen: QScreen) -> None:
        self.screensChanged.emit()

    def _go_back(self) -> None:
        """Take a screen that has come while the session waits for one; a new window had found none."""
        told = self._bridge.snapshot if self._bridge is not None else None
        is_waiting = told is not None and not told.screen
        theirs = screens.participant_screen()
        if is_waiting and theirs is not None and self.window is not None and self.window.watch is None:
            self.window.seat(theirs.name)

    def move_on(self, console: str) -> None:
        """Put the window on the next screen; for when its own does not come back.

        Not over the `console`, by its screen's name, where there is another.
        """
        if self.window is None or self._bridge is None:
            return
        names = [fact.name for fact in screens.screens()]
        names = [name for name in names if name != console] or names
        here = self.window.watch.screen_name if self.window.watch else ""
        following = names[(names.index(here) + 1) % len(names)] if here in names else names[-1]
        self.window.seat(following)
        self._bridge.send({"do": "screen_found", "screen": following})

    def hand_over(self, snapshot: Snapshot, console: QWidget) -> None:
        """Give the keyboard to whom it serves now: the participant's page while it asks, else the console.

        One desktop has one keyboard focus. It moves only once a page, so a click takes it back, not
        before the experimenter has written or answered a dialog, nor when both windows share a screen.
        """
        asks = snapshot.stage.page in ASKING
        if (asks, snapshot.stage.step) == self._asked or self.window is None or self.window.watch is None:
            return
        if not is_typing():
            self._asked = (asks, snapshot.stage.step)
            (self.window if asks else console).activateWindow()

    def close(self) -> None:
        """Take the window away."""
        if self.window is not None:
            window, self.window, self._bridge = self.window, None, None
            window.close()
            window.deleteLater()
            self._lit.let_go()

    def test(self, screen: str) -> None:
        """Show which screen is which."""
        chosen = screens.participant_screen(screen)
        identify(chosen.name if chosen else "")
