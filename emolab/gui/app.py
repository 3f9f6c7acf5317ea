"""Opens the windows, and is the last door for errors: each becomes a sentence, none is swallowed."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import platformdirs
from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtWidgets import QApplication, QMainWindow, QMessageBox, QWidget

from emolab.core.errors import EmolabError
from emolab.core.settings import Settings
from emolab.gui import theme
from emolab.gui.console.desk import Desk
from emolab.gui.console.flow import Flow
from emolab.gui.console.memory import Memory
from emolab.gui.console.menus import menus
from emolab.gui.console.window import ConsoleWindow

log = logging.getLogger(__name__)

COMFORT = 0.96  # of the screen
TITLE_PX = 40  # of the frame that the desktop puts on top: unknown before the window is shown
MOST_DIALOGS = 3  # a fault in every repaint must not bury the screen in dialogs


def run(study: Path | None, settings: Settings, *, attach: bool = False) -> int:
    """The program until its windows are closed. `attach`: at once to the engine that runs on `study`.

    Returns the exit code. A session that records goes on when this returns.
    """
    app = _make_app(settings)
    app.setQuitOnLastWindowClosed(False)  # the participant's window may be the last one visible
    flow = open_console(settings, Memory(_state_folder() / "console.json"))
    flow.window.left.connect(app.quit)
    door = FaultDoor(flow.window)
    flow.begin(study, attach=attach)
    show(flow.window)
    try:
        return app.exec()
    finally:
        door.close()
        flow.desk.hang_up()


def run_review(recording: Path, settings: Settings, analyst: str | None = None) -> int:
    """The review of a recording until its window is closed. `analyst`: whose labels; else as last time.

    Returns the exit code. Raises `RecordingError` when the recording cannot be opened.
    """
    from emolab.gui.review.reviews import Reviews

    app = _make_app(settings)
    reviews = Reviews(_state_folder() / "review.json", settings.sound, analyst)
    window = reviews.open(recording)
    reviews.left.connect(app.quit)
    door = FaultDoor(window)
    reviews.turned.connect(door.turn_to)
    show(window)
    try:
        return app.exec()
    finally:
        door.close()
        reviews.close()


def run_analysis(place: Path, out: Path | None, settings: Settings) -> int:
    """The analysis window of a study or a recording until it is closed. `out`: else beside `place`.

    Returns the exit code.
    """
    from emolab.gui.analysis.flow import AnalysisFlow, beside

    app = _make_app(settings)
    place = place.expanduser().resolve()
    flow = AnalysisFlow(place, out or beside(place))
    flow.window.left.connect(app.quit)
    door = FaultDoor(flow.window)
    show(flow.window)
    try:
        return app.exec()
    finally:
        door.close()
        flow.close()


def _make_app(settings: Settings) -> QApplication:
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("emolab")
    app.setApplicationDisplayName("emolab")
    theme.apply(app, settings.theme)  # type: ignore[arg-type]
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Qt's loop would never run Python's handler
    return app


def _state_folder() -> Path:
    return Path(platformdirs.user_state_dir("emolab"))


def open_console(settings: Settings, memory: Memory) -> Flow:
    """The console's window with everything behind it, not yet shown."""
    window = ConsoleWindow()
    flow = Flow(window, Desk(window), settings, memory)
    window.set_menus(menus(flow))
    return flow


def show(window: QMainWindow) -> None:
    """On the first screen, as large as is comfortable there."""
    room = QApplication.primaryScreen().availableGeometry().adjusted(0, 0, 0, -TITLE_PX)
    window.resize(room.size().boundedTo(QSize(theme.px(1680), theme.px(1000))) * COMFORT)
    window.move(room.center() - window.rect().center())
    window.show()


if TYPE_CHECKING:  # neither is loaded for a console, which does not need them: SciPy takes a second
    from emolab.gui.analysis.window import AnalysisWindow
    from emolab.gui.review.window import ReviewWindow

    HasNotice = ConsoleWindow | ReviewWindow | AnalysisWindow


class FaultDoor(QObject):
    """Turns what nobody caught into a log entry and a dialog; our own errors into a notice."""

    _caught = Signal(object)

    def __init__(self, window: HasNotice) -> None:
        super().__init__(window)
        self._window = window
        self._open: list[QWidget] = []
        self._before = sys.excepthook, threading.excepthook
        self._caught.connect(self._tell, Qt.ConnectionType.QueuedConnection)
        sys.excepthook = self._take
        threading.excepthook = lambda args: self._take(args.exc_type, args.exc_value, args.exc_traceback)

    def turn_to(self, window: HasNotice) -> None:
        """Tell it in this window from now on; the one before may go."""
        self._window = window
        self.setParent(window)

    def close(self) -> None:
        """Give the hooks back."""
        sys.excepthook, threading.excepthook = self._before

    def _take(
        self, kind: type[BaseException], fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, fault or kind(), trace)
            return
        log.error("uncaught", exc_info=(kind, fault or kind(), trace))
        self._caught.emit(fault)

    def _tell(self, fault: BaseException) -> None:
        if isinstance(fault, EmolabError):
            self._window.notice.say(str(fault), "act")
            return
        if len(self._open) >= MOST_DIALOGS:
            return
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("emolab")
        box.setText(f"Something went wrong in this window: {type(fault).__name__}: {fault}")
        box.setInformativeText(
            "A recording is not touched by it. If it happens again, report the details below."
        )
        box.setDetailedText("".join(traceback.format_exception(fault)))
        box.setModal(False)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.finished.connect(lambda _answer: self._open.remove(box))
        self._open.append(box)
        box.show()
