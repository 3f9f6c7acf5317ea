"""The card of a model: what it is worth, from whom it has learnt, and a red line when that is this person."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from emolab.gui import theme
from emolab.gui.widgets.panel import text


class Alarm(QFrame):
    """A sentence that is red, with a shape beside it; hidden while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = text("", "message", wraps=True)
        self._shape = QLabel(theme.HEALTH["act"].symbol)
        row = QHBoxLayout(self)
        row.setContentsMargins(*[theme.px(8)] * 4)
        row.addWidget(self._shape, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.words, 1)
        self._dress()
        theme.notifier().changed.connect(self._dress)
        self.hide()

    def say(self, sentence: str) -> None:
        """Say it; empty: nothing to say."""
        self.words.setText(sentence)
        self.setVisible(bool(sentence))

    def _dress(self) -> None:
        red = theme.HEALTH["act"].colour
        ground = theme.mix(theme.palette().panel, red, 0.16)
        self.setObjectName("alarm")
        self.setStyleSheet(f"#alarm {{ background: {ground}; border: 1px solid {red}; border-radius: 6px; }}")
        self._shape.setStyleSheet(f"color: {red};")


class CardView(QTextBrowser):
    """A card in Markdown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("the model's card")
        self.setOpenLinks(False)  # a card is read, and leads nowhere
        self.setFrameShape(QFrame.Shape.NoFrame)

    def show_card(self, markdown: str) -> None:
        """Show it from its begin; pictures are left out."""
        self.setMarkdown("\n".join(line for line in markdown.splitlines() if not line.startswith("![")))
        self._set_apart()
        self.verticalScrollBar().setValue(0)

    def _set_apart(self) -> None:
        """Air above headings, and below them and paragraphs: Qt's Markdown has none."""
        block = self.document().firstBlock()
        while block.isValid():
            form = block.blockFormat()
            if form.headingLevel() > 1:
                form.setTopMargin(theme.px(theme.SIZES.gap))
            if QTextCursor(block).currentTable() is None:
                form.setBottomMargin(theme.px(theme.SIZES.gap_small))
            QTextCursor(block).setBlockFormat(form)
            block = block.next()


def show_card(parent: QWidget, title: str, markdown: str, alarm: str) -> QDialog:
    """The card in a window of its own, beside the review."""
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    dialog.resize(theme.px(760), theme.px(620))
    red, view = Alarm(), CardView()
    red.say(alarm)
    view.show_card(markdown)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.close)
    column = QVBoxLayout(dialog)
    column.addWidget(red)
    column.addWidget(view, 1)
    column.addWidget(buttons)
    dialog.show()
    return dialog
