"""The window of the timing test: black, and white at planned moments; it knows when it painted.

It is painted the way the participant's pages are, so what is measured here holds for them. The stamp
is taken when the display server has taken the picture; until it is seen there is still the screen's
own delay, which is what a camera or a light sensor at the screen measures.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from PySide6.QtCore import QEventLoop, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QColor, QGuiApplication, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

from emolab.core.clock import Clock, now_ns
from emolab.core.errors import ConfigError
from emolab.gui.screens import participant_screen, place, screens

Result = TypeVar("Result")

BLACK, WHITE = QColor(0, 0, 0), QColor(255, 255, 255)
AHEAD_MS = 3  # wake up so early and wait the rest: timers may be a millisecond late
POLL_MS = 50


class _Door(QObject):
    """Brings a plan from the test's thread to the window's."""

    planned = Signal(object)


class FlashWindow(QWidget):
    """A whole screen of black or white; `session.synctest.Flasher`. Made with `open`.

    `sentence`: what the experimenter must know of where it went, empty when all is well.
    """

    def __init__(self, application: QApplication) -> None:
        super().__init__()
        self.name = ""
        self.sentence = ""
        self._application = application  # kept alive as long as its window
        self._colour = BLACK
        self._steps: list[tuple[float, bool]] = []
        self._clock: Clock | None = None
        self._painted_s: list[float] = []
        self._stop: Callable[[], None] = lambda: None
        self._door = _Door(self)
        self._door.planned.connect(self._plan, Qt.ConnectionType.QueuedConnection)
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._step)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setCursor(Qt.CursorShape.BlankCursor)
        self.setWindowTitle("emolab · timing test")

    @classmethod
    def open(cls, screen: str | None = None) -> FlashWindow:
        """Black, over the participant's screen or the one named.

        Raises `ConfigError` when there is none of that name.
        """
        application = QApplication.instance() or QApplication(sys.argv[:1])
        assert isinstance(application, QApplication)
        application.setQuitOnLastWindowClosed(False)  # the test ends in order, with its results
        names = [fact.name for fact in screens()]
        if screen is not None and screen not in names:
            raise ConfigError(f"there is no screen {screen!r}; there are {', '.join(names)}")
        theirs = participant_screen(screen)
        window = cls(application)
        placement = place(window, screen or (theirs.name if theirs is not None else None))
        window.name = placement.screen
        if not placement.is_full_screen:
            window.sentence = "Only one screen is connected, so a window on it flashed."
        window.activateWindow()
        return window

    def begin(self, steps: Sequence[tuple[float, float]], clock: Clock) -> None:
        """Turn white at the first moment of each step and black at the second, session clock."""
        self._door.planned.emit((list(steps), clock))

    def painted_s(self) -> Sequence[float]:
        """When each white page was painted so far, session clock."""
        return list(self._painted_s)

    def during(self, work: Callable[[], Result], stop: Callable[[], None]) -> Result:
        """What `work` returns or raises; it runs in a thread while the window lives, then closes.

        `stop` is called when Esc is pressed or the window is closed.
        """
        results: list[Result] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                results.append(work())
            except BaseException as error:  # raised again below, in the thread that asked
                errors.append(error)

        self._stop = stop
        thread = threading.Thread(target=run, name="synctest", daemon=True)
        loop, poll = QEventLoop(), QTimer()
        poll.timeout.connect(lambda: None if thread.is_alive() else loop.quit())
        poll.start(POLL_MS)
        thread.start()
        loop.exec()
        poll.stop()
        self._timer.stop()
        self.close()
        if errors:
            raise errors[0]
        return results[0]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._colour)
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._stop()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._stop()

    def _plan(self, planned: tuple[list[tuple[float, float]], Clock]) -> None:
        steps, self._clock = planned
        self._steps = [step for on_s, off_s in steps for step in ((on_s, True), (off_s, False))]
        self._painted_s = []
        self._wait()

    def _wait(self) -> None:
        if self._steps and self._clock is not None:
            left_ms = (self._steps[0][0] - self._clock.now_s()) * 1e3
            self._timer.start(max(int(left_ms) - AHEAD_MS, 0))

    def _step(self) -> None:
        assert self._clock is not None
        at_s, is_white = self._steps.pop(0)
        while self._clock.now_s() < at_s:
            time.sleep(0.0002)
        self._colour = WHITE if is_white else BLACK
        self.repaint()
        QGuiApplication.sync()  # the display server has it now
        painted_ns = now_ns()
        if is_white:
            self._painted_s.append(self._clock.at(painted_ns))
        self._wait()
