"""The two shapes every page is made of: a titled panel, and text that never pushes its neighbours."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QVBoxLayout, QWidget

from emolab.gui import theme


class Panel(QFrame):
    """A group of things that belong together, with its heading. Put them into `body`."""

    def __init__(self, heading: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.role(self, "panel")
        self.setAccessibleName(heading)
        self.body = QVBoxLayout(self)
        gap = theme.px(12)
        self.body.setContentsMargins(theme.px(16), gap, theme.px(16), gap)
        self.body.setSpacing(theme.px(8))
        if heading:
            title = text(heading, "message")
            title.setFont(theme.font(theme.SIZES.large, bold=True))
            self.body.addWidget(title)


class Elided(QLabel):
    """One line that ends in `…` where it does not fit; the whole text is the tool tip."""

    def __init__(self, words: str = "", role: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        if role:
            theme.role(self, role)
        self.setText(words)

    def setText(self, words: str) -> None:  # Qt's own name
        if words != self.text() or not self.toolTip():
            super().setText(words)
            self.setToolTip(words)

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(48), super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), shown)


def text(words: str, role: str = "", wraps: bool = False) -> QLabel:
    """A label in one of the theme's roles; `wraps` lets it take several lines."""
    label = QLabel(words)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wraps)
    if role:
        theme.role(label, role)
    if wraps:
        label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    return label


def say(label: QLabel, words: str) -> None:
    """Show `words`; a label with nothing to say takes no room."""
    if label.text() != words:
        label.setText(words)
    if label.isHidden() == bool(words):
        label.setVisible(bool(words))
