"""Which screens there are, and a participant window that stays on its own.

Qt leaves a window where its screen was when that is unplugged (invisible), or the desktop moves
it over the experimenter's. `ScreenWatch` hides it instead and puts it back when the screen is
there again; both are noticed within a second.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QWidget

POLL_MS = 500


@dataclass(frozen=True)
class ScreenFact:
    """A screen: `geometry` in Qt's pixels, `scale` device pixels to each of them."""

    name: str
    geometry: QRect
    is_primary: bool
    scale: float


@dataclass(frozen=True)
class Placement:
    """Where a window went. `sentence` says what the experimenter must know, empty when all is well."""

    screen: str
    is_full_screen: bool
    sentence: str = ""


def screens() -> list[ScreenFact]:
    """All screens, the primary one first."""
    primary = QGuiApplication.primaryScreen()
    facts = [ScreenFact(s.name(), s.geometry(), s is primary, s.devicePixelRatio()) for s in _all()]
    return sorted(facts, key=lambda fact: not fact.is_primary)


def participant_screen(preferred: str | None = None) -> ScreenFact | None:
    """The screen the participant should see, None when there is only one.

    `preferred` by name when it is there, else the first that is not primary.
    """
    found = screens()
    if len(found) < 2:
        return None
    wanted = next((s for s in found if s.name == preferred), None)
    return wanted or next(s for s in found if not s.is_primary)


def place(window: QWidget, screen_name: str | None) -> Placement:
    """Show `window` without a frame over the whole of a screen.

    Without a second screen (`screen_name` None or unknown) it becomes a normal window of a
    comfortable size, and the placement says so.
    """
    screen = _screen(screen_name)
    if screen is None or len(_all()) < 2:
        return _place_windowed(window)
    window.hide()
    window.setWindowFlag(Qt.WindowType.FramelessWindowHint, True)
    window.setScreen(screen)
    window.setGeometry(screen.geometry())
    window.showFullScreen()
    window.setGeometry(screen.geometry())  # without a window manager nobody else does it
    return Placement(screen.name(), True)


def _place_windowed(window: QWidget) -> Placement:
    primary = QGuiApplication.primaryScreen()
    window.hide()
    window.setWindowFlag(Qt.WindowType.FramelessWindowHint, False)
    room = primary.availableGeometry()
    window.setScreen(primary)
    size = room.size() * 0.66
    window.setGeometry(QRect(room.bottomRight() - QPoint(size.width(), size.height()), size))
    window.showNormal()
    return Placement(
        primary.name(),
        False,
        "Only one screen is connected, so the participant's page is a normal window here; "
        "connect a second screen before a real session.",
    )


class ScreenWatch(QObject):
    """Keeps a placed window on its screen.

    Emits `lost(name)` within a second of the screen going and hides the window; emits
    `found(name)` when it is back and places the window again.
    """

    lost = Signal(str)
    found = Signal(str)

    def __init__(self, window: QWidget, screen_name: str, parent: QObject | None = None) -> None:
        super().__init__(parent or window)
        self.screen_name = screen_name
        self.is_there = _screen(screen_name) is not None
        self._window = window
        app = QGuiApplication.instance()
        app.screenAdded.connect(self._look_soon)  # type: ignore[union-attr]
        app.screenRemoved.connect(self._look_soon)  # type: ignore[union-attr]
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(POLL_MS)

    def watch(self, screen_name: str) -> None:
        """Watch another screen from now on."""
        self.screen_name = screen_name
        self.is_there = _screen(screen_name) is not None

    def stop(self) -> None:
        """Stop watching, for good."""
        self._timer.stop()
        self.deleteLater()

    def _look_soon(self, _screen: QScreen) -> None:
        QTimer.singleShot(0, self, self._look)  # Qt's own list is settled only after the signal

    def _look(self) -> None:
        if not self._timer.isActive():
            return
        screen = _screen(self.screen_name)
        if screen is None and self.is_there:
            self.is_there = False
            self._window.hide()
            self.lost.emit(self.screen_name)
        elif screen is not None and not self.is_there:
            self.is_there = True
            place(self._window, self.screen_name)
            self.found.emit(self.screen_name)
        elif screen is not None and self._window.isVisible() and self._has_strayed(screen):
            place(self._window, self.screen_name)

    def _has_strayed(self, screen: QScreen) -> bool:
        return not screen.geometry().contains(self._window.geometry().center())


def _all() -> list[QScreen]:
    return QGuiApplication.screens()


def _screen(name: str | None) -> QScreen | None:
    return next((s for s in _all() if s.name() == name), None)
