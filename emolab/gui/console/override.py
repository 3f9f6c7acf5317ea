"""The question before a session is recorded although something is red: why, in the experimenter's words."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from emolab.gui import theme
from emolab.gui.console import dialogs
from emolab.gui.widgets.panel import Remark, text

LEAST_WEIGHT = 8  # "too dark" is no reason yet to anybody who reads the file later; "pilot run" is
MOST_LETTERS = 500
MOST_AT_ONCE = 4


def is_reason(words: str) -> bool:
    """Whether `words` say something: a few words, or half as many signs of a script denser than Latin."""
    return sum(1 if letter.isascii() else 2 for letter in words if letter.isalnum()) >= LEAST_WEIGHT


def ask_reason(parent: QWidget, reds: Sequence[str]) -> str:
    """Why the session is to be recorded although `reds`; empty when it is not."""
    dialog = OverrideDialog(reds, parent)
    return dialog.reason if dialogs.ask(dialog) else ""


class OverrideDialog(QDialog):
    """Lists what is red and takes the reason. Esc goes back; Enter records once a reason is typed."""

    def __init__(self, reds: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Record although something is red")
        self.setFixedWidth(theme.px(640))
        column = QVBoxLayout(self)
        column.setSpacing(theme.px(12))
        column.setContentsMargins(*[theme.px(24)] * 4)
        told = "One thing is red. What it spoils cannot be mended later."
        if len(reds) > 1:
            told = f"{len(reds)} things are red. What they spoil cannot be mended later."
        column.addWidget(text(told, "message", wraps=True))
        column.addWidget(_listed(reds))
        caption = QLabel("&Why is it to be recorded nevertheless? The reason is kept in the session's file.")
        caption.setWordWrap(True)
        self.field = QLineEdit()
        self.field.setMaxLength(MOST_LETTERS)
        self.field.setAccessibleName("why it is to be recorded nevertheless")
        self.field.setPlaceholderText("A few words, such as: pilot run, the camera is not needed")
        caption.setBuddy(self.field)
        column.addWidget(caption)
        column.addWidget(self.field)
        buttons = QDialogButtonBox()
        self.record_button = buttons.addButton("Record anyway", QDialogButtonBox.ButtonRole.AcceptRole)
        self.back_button = buttons.addButton("Go back", QDialogButtonBox.ButtonRole.RejectRole)
        theme.role(self.record_button, "danger")
        self.back_button.setAutoDefault(False)
        self.record_button.setDefault(True)
        self.record_button.setEnabled(False)
        self.field.textChanged.connect(lambda words: self.record_button.setEnabled(is_reason(words)))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)
        self.field.setFocus()

    @property
    def reason(self) -> str:
        """What is typed, on one line."""
        return " ".join(self.field.text().split())


def _listed(reds: Sequence[str]) -> QWidget:
    """The red sentences; more than a few scroll."""
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(theme.px(12), theme.px(8), theme.px(12), theme.px(8))
    column.setSpacing(theme.px(8))
    for red in reds:
        remark = Remark()
        remark.say(red, "act")
        column.addWidget(remark)
    if len(reds) <= MOST_AT_ONCE:
        return holder
    column.addStretch(1)
    area = QScrollArea()
    area.setWidget(holder)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setAccessibleName("what is red")
    area.setFixedHeight(theme.px(240))
    return area
