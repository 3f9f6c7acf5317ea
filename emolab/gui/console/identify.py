"""Which screen is which: its number and name, large, on each of them for three seconds."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QVBoxLayout, QWidget

from emolab.gui import theme
from emolab.gui.widgets.panel import text

SHOWN_MS = 3000


class ScreenSign(QWidget):
    """One screen's sign; closes by itself, or at a click."""

    def __init__(self, number: int, name: str, is_participants: bool) -> None:
        super().__init__(None, Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        theme.role(self, "panel")
        whose = "the participant sees this screen" if is_participants else "the experimenter's screen"
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.px(48)] * 4)
        for words, role in ((str(number), "figure"), (name, "title"), (whose, "message")):
            label = text(words, role)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(label)


def identify(participants: str) -> list[ScreenSign]:
    """Show a sign on every screen; `participants`: name of the participant's."""
    signs = []
    screens = QGuiApplication.screens()
    for number, screen in enumerate(screens, start=1):
        sign = ScreenSign(number, screen.name(), len(screens) > 1 and screen.name() == participants)
        sign.setScreen(screen)
        sign.adjustSize()
        sign.move(screen.geometry().center() - sign.rect().center())
        sign.show()
        QTimer.singleShot(SHOWN_MS, sign, sign.close)
        signs.append(sign)
    return signs
