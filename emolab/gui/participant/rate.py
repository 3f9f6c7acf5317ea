"""The report: five wide buttons with the words of the scale.

A first click (or key 1 to 5, or ← →) chooses a step; inside the chosen one a second click (or
↑ ↓) may pick the word that fits best. Enter or the button below confirms. Until then all can
be changed. The chosen step is told by a filled circle with a tick, a thick outline and bold
words, not by colour. All five look alike before, so that none invites.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QWidget

from emolab.gui import theme
from emolab.gui.participant.controls import LOOK, Control, WideButton, paint_tick
from emolab.gui.participant.fit import fitting, font_of, set_text
from emolab.gui.participant.pages import BUTTON, ENTER_KEYS, MARGIN, Page
from emolab.gui.widgets.time_bar import TimeBar
from emolab.session.snapshot import Choice, StageView

GAP = 24
BAR = (680, 6)  # short enough that the light changes by less than two percent while it empties
CIRCLE = 52
ROW = 96
INSET = 24
CARD_HEIGHT = INSET + CIRCLE + 20 + 3 * ROW + 12
FIRST_KEY = Qt.Key.Key_1.value


class WordButton(Control):
    """One word inside a chosen step."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.pixels = float(LOOK.choice)
        self.is_open = False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colour = LOOK.text
        if self.is_open and self.isChecked():
            self.outline(painter, 2, LOOK.text, LOOK.text)
            colour = theme.PARTICIPANT.ground
        elif self.is_open:
            self.outline(painter, 1.5, LOOK.muted if self.hasFocus() else LOOK.faint)
        font = font_of(self.pixels, bold=self.is_open)
        if QFontMetrics(font).horizontalAdvance(self.text()) > self.width() - self.px(8):
            font = font_of(self.pixels * 0.9, bold=False)
        painter.setFont(font)
        painter.setPen(QColor(colour))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextWrapAnywhere
        inset = round(self.px(4))
        painter.drawText(self.rect().adjusted(inset, 0, -inset, 0), int(flags), self.text())
        painter.end()


class Card(Control):
    """One step of the scale: a circle, three words, and the key that chooses it."""

    wordPicked = Signal(int)

    def __init__(self, number: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.number = number
        self.setCheckable(True)
        self.setObjectName(f"choice_{number}")
        self.words = [WordButton(self) for _ in range(3)]
        for at, word in enumerate(self.words):
            word.setObjectName(f"word_{number}_{at + 1}")
            word.clicked.connect(lambda _checked, at=at: self.wordPicked.emit(at))

    def show_choice(self, choice: Choice, pixels: float) -> None:
        """Words of the step, all cards in the same size."""
        self.setAccessibleName(f"{self.number}: {', '.join(choice.words)}")
        for word, text in zip(self.words, choice.words, strict=True):
            word.setText(text)
            word.setAccessibleName(text)
            word.pixels = pixels

    def mark(self, is_chosen: bool, word_at: int | None) -> None:
        """Show whether this is the chosen step, and which of its words is picked."""
        self.setChecked(is_chosen)
        for at, word in enumerate(self.words):
            word.is_open = is_chosen
            word.setChecked(is_chosen and at == word_at)
            word.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, not is_chosen)
            word.setFocusPolicy(Qt.FocusPolicy.TabFocus if is_chosen else Qt.FocusPolicy.NoFocus)
            word.update()
        self.update()

    def arrange(self, unit: float) -> None:
        """Place the words."""
        self.set_unit(unit)
        inset, row = round(self.px(16)), round(self.px(ROW))
        top = round(self.px(INSET + CIRCLE + 20))
        for at, word in enumerate(self.words):
            word.set_unit(unit)
            word.setGeometry(inset, top + at * row, self.width() - 2 * inset, row - round(self.px(8)))

    def nextCheckState(self) -> None:
        """The page decides what is chosen."""

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        chosen = self.isChecked()
        if chosen:
            self.outline(painter, 7, LOOK.text)
        else:
            self.outline(painter, 4 if self.hasFocus() or self.isDown() else 2, LOOK.muted)
        side = self.px(CIRCLE)
        circle = QRectF((self.width() - side) / 2, self.px(INSET), side, side)
        painter.setPen(QPen(QColor(LOOK.text if chosen else LOOK.muted), self.px(2)))
        painter.setBrush(QColor(LOOK.text) if chosen else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(circle)
        if chosen:
            inset = side * 0.2
            inner = circle.adjusted(inset, inset, -inset, -inset)
            paint_tick(painter, inner, QColor(theme.PARTICIPANT.ground), self.px(5))
        else:
            painter.setFont(font_of(self.px(LOOK.small)))
            painter.drawText(circle, Qt.AlignmentFlag.AlignCenter, str(self.number))
        painter.end()


class RatePage(Page):
    """Question, five cards, the button that confirms, and the bar of the time left."""

    choiceMade = Signal(str, str)  # state, word; both as stored
    confirmAsked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title, self.text, self.hint = QLabel(self), QLabel(self), QLabel(self)
        for label in (self.title, self.text, self.hint):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter)
        self.cards = [Card(number, self) for number in range(1, 6)]
        for card in self.cards:
            card.clicked.connect(lambda _checked, card=card: self._choose(card.number - 1))
            card.wordPicked.connect(lambda at, card=card: self._pick(card.number - 1, at))
        self.button = WideButton(self)
        self.button.setObjectName("confirm")
        self.button.clicked.connect(self._confirm)
        self.bar = TimeBar(BAR[1], colour=LOOK.muted, track="#5A5D62", parent=self)
        self.is_confirmed = False

    @property
    def uses_pointer(self) -> bool:
        return True

    @property
    def choices(self) -> list[Choice]:
        """The steps in order of rank, most negative left."""
        return sorted(self.view.choices, key=lambda choice: choice.rank)

    def set_view(self, view: StageView) -> None:
        returns = self.isHidden() and view.opened_s != self.view.opened_s  # its clip was repeated
        if view.step != self.view.step or returns or not view.chosen:  # nothing was there to confirm
            self.is_confirmed = False
        self.is_confirmed |= view.is_confirmed
        self.bar.set_span(view.opened_s, view.closes_s)
        super().set_view(view)

    def reopen(self) -> None:
        """The engine refused the confirmation: the choice can be changed again."""
        self.is_confirmed = False
        self.arrange()
        self.lightChanged.emit()

    def press(self, key: int) -> bool:
        at = self._chosen_at()
        if FIRST_KEY <= key < FIRST_KEY + len(self.choices):
            self._choose(key - FIRST_KEY)
        elif key in ENTER_KEYS:
            self._confirm()
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            last, step = len(self.choices) - 1, 1 if key == Qt.Key.Key_Right else -1
            start = (0 if step > 0 else last) if at is None else min(max(at + step, 0), last)
            self._choose(start)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and at is not None:
            self._move_word(at, 1 if key == Qt.Key.Key_Down else -1)
        else:
            return False
        return True

    def arrange(self) -> None:
        if not self.view.choices:
            return
        self._fill()
        margin, gap = self.px(MARGIN), self.px(GAP)
        width = (self.width() - 2 * margin - 4 * gap) // 5
        height, button = self.px(CARD_HEIGHT), self.px(BUTTON[1])
        line = self.width() - 2 * margin
        title, text = self.title.heightForWidth(line), self.text.heightForWidth(line)
        hint = self.px(16) + self.hint.heightForWidth(line)
        total = title + text + self.px(40) + height + self.px(48) + button + hint
        top = max((self.height() - total) // 2 - self.px(8), 0)
        self.title.setGeometry(margin, top, line, title)
        self.text.setGeometry(margin, top + title, line, text)
        y = top + title + text + self.px(40)
        pixels = self._word_pixels(width)
        for at, (card, choice) in enumerate(zip(self.cards, self.choices, strict=False)):
            card.setGeometry(QRect(margin + at * (width + gap), y, width, height))
            card.show_choice(choice, pixels)
            card.arrange(self.unit)
        y += height + self.px(48)
        self.button.setGeometry((self.width() - self.px(BUTTON[0])) // 2, y, self.px(BUTTON[0]), button)
        self.hint.setGeometry(margin, y + button + self.px(16), line, hint - self.px(16))
        bar = QSize(self.px(BAR[0]), max(self.px(BAR[1]), 3))
        self.bar.setGeometry(
            QRect(QPoint((self.width() - bar.width()) // 2, self.height() - self.px(60)), bar)
        )
        self._mark()

    def _fill(self) -> None:
        set_text(self.title, self.view.title, self.px(LOOK.title), LOOK.text, bold=True)
        set_text(self.text, self.view.text, self.px(LOOK.body), LOOK.muted)
        set_text(self.hint, self.view.hint, self.px(LOOK.small), LOOK.muted)
        self.button.set_unit(self.unit)
        self.button.setText("" if self.is_confirmed else self.view.button)  # without a label: a tick
        self.button.setAccessibleName(self.view.button or self.view.hint)

    def _word_pixels(self, width: int) -> float:
        words = [word for choice in self.choices for word in choice.words]
        return fitting(self.px(LOOK.choice), words, width - self.px(16 * 2 + 24))

    def _mark(self) -> None:
        chosen = self._chosen_at()
        for at, (card, choice) in enumerate(zip(self.cards, self.choices, strict=False)):
            word_at = choice.keys.index(self.view.word) if self.view.word in choice.keys else None
            card.mark(at == chosen, word_at)
            card.setEnabled(not self.is_confirmed or at == chosen)
        self.button.setEnabled(chosen is not None and not self.is_confirmed)

    def _chosen_at(self) -> int | None:
        states = [choice.state for choice in self.choices]
        return states.index(self.view.chosen) if self.view.chosen in states else None

    def _choose(self, at: int) -> None:
        if not self.is_confirmed and at != self._chosen_at():
            self.choiceMade.emit(self.choices[at].state, "")

    def _pick(self, at: int, word_at: int) -> None:
        choice = self.choices[at]
        if not self.is_confirmed and choice.keys[word_at] != self.view.word:
            self.choiceMade.emit(choice.state, choice.keys[word_at])

    def _move_word(self, at: int, step: int) -> None:
        keys = self.choices[at].keys
        if self.view.word in keys:
            self._pick(at, min(max(keys.index(self.view.word) + step, 0), len(keys) - 1))
        else:
            self._pick(at, 0 if step > 0 else len(keys) - 1)

    def _confirm(self) -> None:
        if self._chosen_at() is not None and not self.is_confirmed:
            self.is_confirmed = True
            self.arrange()
            self.lightChanged.emit()
            self.confirmAsked.emit()
