"""The experimenter's window: five pages, one menu, and nothing it knows for itself.

It shows the page a snapshot asks for and passes on what the pages emit; `flow` answers.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QMainWindow, QPushButton, QStackedWidget, QWidget

from emolab.gui import theme
from emolab.gui.actions import Action, install
from emolab.gui.bridge import Bridge
from emolab.gui.console.finish_page import FinishPage
from emolab.gui.console.lost_page import LostPage
from emolab.gui.console.planning import PlanView
from emolab.gui.console.readiness import Used, Withdrawn
from emolab.gui.console.run_page import RunPage
from emolab.gui.console.setup_page import SetupPage
from emolab.gui.console.start_page import StartPage
from emolab.gui.widgets.notice import Notice
from emolab.session.snapshot import Snapshot

RUN_KEYS = ("pause", "skip", "repeat", "mark", "words", "freeze", "classifier", "stop", "retry")


class ConsoleWindow(QMainWindow):
    """Pages `start`, `setup`, `run`, `finish`, `lost`; `page` tells which is shown."""

    screenEntered = Signal()  # it has been moved to another screen
    closeRequested = Signal()  # the user wants to close; call `leave()` when that is all right
    left = Signal()  # it is closed

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("console")
        self.setWindowTitle("emolab")
        self.start, self.setup, self.run = StartPage(), SetupPage(), RunPage()
        self.finish, self.lost = FinishPage(), LostPage()
        self._pages: dict[str, QWidget] = {
            "start": self.start,
            "setup": self.setup,
            "run": self.run,
            "finish": self.finish,
            "lost": self.lost,
        }
        self._stack = QStackedWidget()
        for page in self._pages.values():
            self._stack.addWidget(page)
        self.setCentralWidget(self._stack)
        self.notice = Notice(self._stack)
        self._actions: dict[str, QAction] = {}
        self._may_close = False
        self._is_followed = False
        self.resize(theme.px(1280), theme.px(720))
        self.show_page("start")

    @property
    def page(self) -> str:
        """Name of the page shown."""
        return next(name for name, page in self._pages.items() if page is self._stack.currentWidget())

    def set_menus(self, menus: dict[str, list[Action]]) -> None:
        """Fill the menu bar: title to actions."""
        for title, actions in menus.items():
            self._actions |= install(self, actions, self.menuBar().addMenu(title))
        for action in self._actions.values():
            action.setAutoRepeat(False)  # a key held down is one wish
        self.show_page(self.page)

    def show_page(self, name: str) -> None:
        """Show a page; keys that mean nothing there are switched off."""
        page = self._pages[name]
        if self._stack.currentWidget() is not page:
            self._stack.setCurrentWidget(page)
            _focus_first(name, self)
        if "check" in self._actions:
            self._actions["check"].setEnabled(name == "setup")
        for key in RUN_KEYS:
            if key in self._actions:
                self._actions[key].setEnabled(name == "run" or (key == "retry" and name == "setup"))

    def watch(self, bridge: Bridge | None) -> None:
        """Take live samples from this bridge."""
        self.setup.watch(bridge)
        self.run.watch(bridge)
        self.finish.forget()
        self.lost.forget()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the page the snapshot asks for, up to date."""
        if snapshot.phase == "setup":
            self.show_page("setup")
            self.setup.show_snapshot(snapshot)
        elif snapshot.phase == "finished":
            self.show_page("finish")
            self.finish.show_snapshot(snapshot)
            self.finish.add_words(self.run.hand.take_words())
        elif snapshot.phase == "failed":
            self.show_page("lost")
            self.lost.show_failure(snapshot)
            self.lost.show_words(self._half_written(), is_engine_there=True)
        else:
            self.show_page("run")
            self.run.show_snapshot(snapshot)
        who = f"{snapshot.participant} · " if snapshot.participant else ""
        self.setWindowTitle(f"{who}{Path(snapshot.study).name} · emolab" if snapshot.study else "emolab")

    def show_loss(self, reason: str, last: Snapshot | None) -> None:
        """The engine has gone."""
        self.lost.show_loss(reason, last)
        self.lost.show_words(self._half_written(), is_engine_there=False)
        self.show_page("lost")

    def _half_written(self) -> str:
        """What nobody has sent yet."""
        return " ".join(filter(None, (self.run.hand.take_words(), self.finish.take_note())))

    def show_study(self, study: Path, used: Used, withdrawn: Withdrawn | None = None) -> None:
        """A study is open: its set-up page."""
        self.setup.show_study(study, used, withdrawn)
        self.show_page("setup")

    def show_plan(self, plan: PlanView | None) -> None:
        """The plan for the form as it stands."""
        self.setup.show_plan(plan)

    def leave(self) -> None:
        """Close now, without asking again."""
        self._may_close = True
        self.close()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses the button that has the focus; on the run page a stray Enter does nothing."""
        focused = self.focusWidget()
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_enter and isinstance(focused, QPushButton) and self.page != "run":
            focused.click()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        handle = self.windowHandle()
        if handle is not None and not self._is_followed:
            self._is_followed = True
            handle.screenChanged.connect(lambda _screen: self.screenEntered.emit())

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._may_close:
            super().closeEvent(event)
            self.left.emit()
        else:
            event.ignore()
            QTimer.singleShot(0, self.closeRequested.emit)  # Qt does not close a window while it is closing


def _focus_first(name: str, window: ConsoleWindow) -> None:
    """Put the keyboard where the page begins; no button may catch a stray Enter on the run
    page, nor when a session ends by itself."""
    first: dict[str, QWidget] = {
        "setup": window.setup.participant.pseudonym,
        "finish": window.finish,
        "lost": window.lost.recover_button,
        "run": window.run,
    }
    if name in first:
        first[name].setFocus(Qt.FocusReason.OtherFocusReason)
