"""The shapes every page is made of: a titled panel, text that never pushes its neighbours, a remark."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from emolab.gui import theme
from emolab.gui.widgets.health_light import SHAPE_PX, paint_shape
from emolab.session.snapshot import Level


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
            title.setTextFormat(Qt.TextFormat.RichText)  # a style sheet's size takes the weight away
            title.setText(f"<b>{escape(heading)}</b>")
            self.body.addWidget(title)


class Elided(QLabel):
    """One line that gives way with `…` where it does not fit; the whole text is the tool tip.

    `mode`: where the `…` stands.
    """

    def __init__(
        self,
        words: str = "",
        role: str = "",
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._mode = mode
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
        shown = self.fontMetrics().elidedText(self.text(), self._mode, self.width())
        painter.drawText(self.rect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), shown)


class Remark(QWidget):
    """A sentence with its shape in front: ● well, ▲ look, ■ act. Hidden while there is nothing to say."""

    def __init__(self, role: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._level: Level = "look"
        self._words = text("", role, wraps=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(SHAPE_PX + 10), 0, 0, 0)
        row.addWidget(self._words)
        self.hide()

    @property
    def sentence(self) -> str:
        """What is said now, empty when nothing is."""
        return "" if self.isHidden() else self._words.text()

    def say(self, words: str, level: Level = "look") -> None:
        """Say it, or with no words say nothing."""
        if (words, level) == (self._words.text(), self._level) and self.isHidden() == (not words):
            return
        self._level = level
        self._words.setText(words)
        self.setAccessibleName(f"{level}: {words}" if words else "")
        self.setVisible(bool(words))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = theme.px(SHAPE_PX)
        line = self._words.fontMetrics().height()
        top = (self.height() - line) / 2 if self.height() < 1.8 * line else 0.0
        paint_shape(painter, QRectF(1, top + (line - side) / 2, side, side), self._level)


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
