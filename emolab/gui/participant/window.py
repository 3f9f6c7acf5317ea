"""The participant's window: full screen, frameless, and all it does is show and pass on."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QWidget

from emolab.gui.bridge import Bridge
from emolab.gui.participant.canvas import StageCanvas
from emolab.gui.participant.keys import meant
from emolab.gui.screens import Placement, ScreenWatch, place
from emolab.session.snapshot import Snapshot

BAR_MS = 33
RUNNING = ("running", "pausing", "paused", "holding")
SCROLLING = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class ParticipantWindow(QWidget):
    """Shows `snapshot.stage` and sends what the participant does to the engine.

    `seat(screen)` puts it on a screen and keeps it there. No key and no window button closes
    it; the program does, with `close()`.
    """

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("participant")
        self.setWindowTitle("emolab · participant")
        self.watch: ScreenWatch | None = None
        self.canvas = StageCanvas(parent=self)
        self.canvas.show_waiting()
        self._bridge = bridge
        self._screen = ""
        self._lender: QWidget | None = None
        bridge.snapshotChanged.connect(self._show)
        bridge.engineLost.connect(self._lost)
        bridge.engineFound.connect(self._attach)
        bridge.commandFailed.connect(self._refused)
        self.canvas.painted.connect(self._shown)
        self.canvas.proceedAsked.connect(self._proceed)
        self.canvas.choiceMade.connect(self._choose)
        self.canvas.confirmAsked.connect(self._confirm)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._move_bar)
        self._timer.start(BAR_MS)

    def seat(self, screen_name: str | None) -> Placement:
        """Show the window on a screen, full size, and keep it there (see `screens.place`).

        The engine is told which screen it is, and when that goes or comes back.
        """
        placement = place(self, screen_name)
        if self.watch is not None:
            self.watch.stop()
            self.watch = None
        if placement.is_full_screen:
            self.watch = ScreenWatch(self, placement.screen)
            self.watch.lost.connect(lambda name: self._bridge.send({"do": "screen_lost", "screen": name}))
            self.watch.found.connect(lambda name: self._bridge.send({"do": "screen_found", "screen": name}))
        self._screen = placement.screen
        self._attach()
        return placement

    def _attach(self) -> None:
        if not self._screen:
            return
        is_own = self.watch is not None and self.watch.is_there
        if self.watch is not None and not is_own:  # first: else the session might go on in between
            self._bridge.send({"do": "screen_lost", "screen": self._screen})
        self._bridge.send({"do": "attach", "screen": self._screen, "is_own": is_own})

    def _show(self, snapshot: Snapshot) -> None:
        before = self.canvas.page.view.step, self.canvas.page.uses_pointer
        self.canvas.show_view(snapshot.stage)
        if before != (self.canvas.page.view.step, self.canvas.page.uses_pointer):
            self._pass_keys()

    def _lost(self, _reason: str) -> None:
        self.canvas.show_waiting()
        self._pass_keys()

    def _pass_keys(self) -> None:
        """Borrow the keyboard while a page waits for an answer, and give it back afterwards.

        There is one keyboard focus for both windows. It is not taken from a text field, a menu or
        a dialog: what the experimenter types there must not answer for the participant.
        """
        if self.canvas.page.uses_pointer:
            active = QApplication.activeWindow()
            if self.watch is not None and active is not self and not is_typing():
                self._lender = active
                self.activateWindow()
        elif self._lender is not None:
            lender, self._lender = self._lender, None
            if self.isActiveWindow() and lender in QApplication.topLevelWidgets():
                lender.activateWindow()

    def _refused(self, asked: str, _sentence: str) -> None:
        if asked == "confirm":
            self.canvas.reopen()

    def _move_bar(self) -> None:
        if self.isVisible():
            self.canvas.set_now(self._bridge.now_s())

    def _shown(self, step: int, time_ns: int) -> None:
        snapshot = self._bridge.snapshot
        if step >= 0 and snapshot is not None and snapshot.phase in RUNNING:
            self._bridge.send({"do": "shown", "step": step, "time_ns": time_ns})

    def _proceed(self, step: int, time_ns: int) -> None:
        self._bridge.send({"do": "proceed", "step": step, "time_ns": time_ns})

    def _choose(self, step: int, state: str, word: str, time_ns: int) -> None:
        command = {"do": "choose", "step": step, "state": state, "word": word, "time_ns": time_ns}
        self._bridge.send(command)

    def _confirm(self, step: int, time_ns: int) -> None:
        self._bridge.send({"do": "confirm", "step": step, "time_ns": time_ns})

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.isAutoRepeat() and event.key() not in SCROLLING:
            return  # a key still held from the page before must not answer this one
        if not self.canvas.press(meant(event)):
            event.ignore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.canvas.setGeometry(self.rect())

    def closeEvent(self, event: QCloseEvent) -> None:
        if event.spontaneous():
            event.ignore()
            return
        self._timer.stop()
        if self.watch is not None:
            self.watch.stop()
        super().closeEvent(event)


def is_typing() -> bool:
    """Whether somebody writes into a field, a menu or a dialog, whose keys are theirs."""
    focus = QApplication.focusWidget()
    takes_text = focus is not None and focus.testAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)
    return takes_text or bool(QApplication.activeModalWidget() or QApplication.activePopupWidget())
