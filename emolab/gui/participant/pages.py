"""Text, consent, listening and waiting pages. Everything is placed by hand from the page's size, so
that the text block lies in the same area whatever page comes next."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QScroller, QWidget

from emolab.gui.participant.controls import LOOK, TickBox, WideButton
from emolab.gui.participant.fit import set_text
from emolab.session.snapshot import StageView

COLUMN = 1080  # widest line, at 1080 lines: about seventy letters
CONSENT_COLUMN = 1360
MARGIN = 72
BUTTON = (400, 92)
SHRINKS = (1.0, 0.92, 0.85, 0.78, 0.7, 0.62, 0.55)
# of pages that wait for the reader; what does not fit then is scrolled
INSTRUCT_SHRINKS, CONSENT_SHRINKS = SHRINKS[:5], SHRINKS[:3]
SCROLL_BAR = 16
ENTER_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class Page(QWidget):
    """One page. `uses_pointer`: whether there is something to click now."""

    proceedAsked = Signal()
    lightChanged = Signal()  # what is drawn has changed without a new view

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = StageView()
        self.unit = 1.0

    @property
    def uses_pointer(self) -> bool:
        return False

    def set_view(self, view: StageView) -> None:
        """Show what the engine asks for."""
        self.view = view
        self.arrange()

    def set_unit(self, unit: float) -> None:
        """Scale to the window: 1.0 at 1920 × 1080."""
        self.unit = unit
        self.arrange()

    def press(self, key: int) -> bool:
        """Answer a key; False when it means nothing here."""
        return False

    def arrange(self) -> None:
        """Place everything anew."""

    def px(self, size: float) -> int:
        """Pixels of `size` at 1080 lines."""
        return round(size * self.unit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.arrange()


class ScrolledText(QScrollArea):
    """A text as tall as it needs; in less room it scrolls, by wheel, touch and keys."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.label = _label(None)
        self.setWidget(self.label)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        QScroller.grabGesture(self.viewport(), QScroller.ScrollerGestureType.TouchGesture)

    def press(self, key: int) -> bool:
        """Scroll by a key; False when it is none that scrolls, or all is to be seen."""
        bar = self.verticalScrollBar()
        moves = {
            Qt.Key.Key_Down: bar.singleStep() * 3, Qt.Key.Key_Up: -bar.singleStep() * 3,
            Qt.Key.Key_PageDown: bar.pageStep(), Qt.Key.Key_PageUp: -bar.pageStep(),
        }  # fmt: skip
        if key not in moves or not bar.maximum():
            return False
        bar.setValue(bar.value() + moves[Qt.Key(key)])
        return True

    def place(self, left: int, top: int, width: int, height: int, bar: int) -> None:
        """Put the text, `height` tall at `width`, to be seen whole; or, less tall, with a bar beside it."""
        needed = self.label.heightForWidth(width)
        scrolls = height < needed
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(policy.ScrollBarAlwaysOn if scrolls else policy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setStyleSheet(_bar_sheet(bar))
        self.label.resize(width, needed)
        self.setGeometry(left, top, width + (2 * bar if scrolls else 0), height)


class TextPage(Page):
    """A title, a text, and a button when the step waits for one: instruct, rest, pause, hold, thanks."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = _label(self)
        self.area = ScrolledText(self)
        self.text = self.area.label
        self.button = WideButton(self)
        self.button.setObjectName("continue")
        self.button.clicked.connect(self.proceedAsked)

    @property
    def uses_pointer(self) -> bool:
        return bool(self.view.button)

    def set_view(self, view: StageView) -> None:
        if view.step != self.view.step:
            self.area.verticalScrollBar().setValue(0)
        super().set_view(view)

    def press(self, key: int) -> bool:
        if key in ENTER_KEYS and self.view.button:
            self.proceedAsked.emit()
            return True
        return self.area.press(key)

    def arrange(self) -> None:
        view, width = self.view, min(self.px(COLUMN), self.width() - 2 * self.px(MARGIN))
        self.button.setVisible(bool(view.button))
        self.button.setText(view.button)
        self.button.setAccessibleName(view.button)
        self.button.set_unit(self.unit)
        below = self.px(BUTTON[1] + 64) if view.button else 0
        room = self.height() - 2 * self.px(MARGIN) - below
        heights = self._shrink_to(width, room)
        top = (self.height() - sum(heights) - below) // 2
        left = (self.width() - width) // 2
        self.title.setGeometry(left, top, width, heights[0])
        narrow = width if "\n" in view.text.strip() else _balanced(self.text, width)
        x, y = (self.width() - narrow) // 2, top + heights[0] + heights[1]
        self.area.setVisible(bool(view.text))
        self.area.place(x, y, narrow, heights[2], self.px(SCROLL_BAR))
        size = QSize(self.px(BUTTON[0]), self.px(BUTTON[1]))
        place = QPoint((self.width() - size.width()) // 2, top + sum(heights) + self.px(64))
        self.button.setGeometry(QRect(place, size))

    def _shrink_to(self, width: int, room: int) -> tuple[int, int, int]:
        """Heights of title, gap and text, at the largest size that fits `room`; else what room is left."""
        centre, top = Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignTop
        reads_long = "\n" in self.view.text.strip()  # paragraphs read better from a straight edge
        self.text.setAlignment((Qt.AlignmentFlag.AlignLeft if reads_long else centre) | top)
        heights = (0, 0, 0)
        for share in INSTRUCT_SHRINKS if self.view.button else SHRINKS:
            gap = self.px(32) if self.view.title and self.view.text else 0
            heights = (
                _fill(self.title, self.view.title, self.px(LOOK.title) * share, width, bold=True),
                gap,
                _fill(self.text, self.view.text, self.px(LOOK.body) * share, width),
            )
            if sum(heights) <= room:
                return heights
        title, gap, _ = heights
        return title, gap, max(room - title - gap, 0)


class ConsentPage(Page):
    """The consent text, a box to tick, and a button that works only then."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = _label(self)
        self.area = ScrolledText(self)
        self.text = self.area.label
        self.text.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.agree = TickBox(self)
        self.agree.setObjectName("agree")
        self.agree.toggled.connect(self._agreed)
        self.button = WideButton(self)
        self.button.setObjectName("continue")
        self.button.clicked.connect(self.proceedAsked)

    @property
    def uses_pointer(self) -> bool:
        return True

    def set_view(self, view: StageView) -> None:
        if view.step != self.view.step:
            self.agree.setChecked(False)
            self.area.verticalScrollBar().setValue(0)
        super().set_view(view)

    def press(self, key: int) -> bool:
        if key == Qt.Key.Key_Space:
            self.agree.toggle()
        elif key in ENTER_KEYS and self.button.isEnabled():
            self.proceedAsked.emit()
        else:
            return self.area.press(key)
        return True

    def arrange(self) -> None:
        view, width = self.view, min(self.px(CONSENT_COLUMN), self.width() - 2 * self.px(MARGIN))
        left, gap = (self.width() - width) // 2, self.px(36)
        for control, words in ((self.agree, view.agree), (self.button, view.button)):
            control.set_unit(self.unit)
            control.setText(words)
            control.setAccessibleName(words)
        self.button.setEnabled(self.agree.isChecked())
        button = QSize(self.px(BUTTON[0]) * 3 // 4, self.px(BUTTON[1]))
        sentence = width - button.width() - self.px(32)
        foot = max(self.agree.height_for(sentence), button.height())
        title = _fill(self.title, view.title, self.px(LOOK.title), width, bold=True)
        room = self.height() - 2 * self.px(MARGIN) - title - foot - 2 * gap
        bar = self.px(SCROLL_BAR)
        inner = width - 2 * bar
        shown = self._fit_text(inner, room)
        top = (self.height() - title - shown - foot - 2 * gap) // 2
        self.title.setGeometry(left, top, width, title)
        self.area.place(left, top + title + gap, inner, shown, bar)
        y = top + title + gap + shown + gap
        self.agree.setGeometry(left - self.px(8), y, sentence, foot)
        self.button.setGeometry(
            QRect(QPoint(left + width - button.width(), y + (foot - button.height()) // 2), button)
        )

    def _fit_text(self, width: int, room: int) -> int:
        """Height of the text's area: the text's own, or `room` to scroll it in."""
        text = 0
        for share in CONSENT_SHRINKS:
            text = _fill(self.text, self.view.text, self.px(LOOK.body) * share, width)
            if text <= room:
                break
        return min(text, max(room, 0))

    def _agreed(self, is_agreed: bool) -> None:
        self.button.setEnabled(is_agreed)
        self.lightChanged.emit()


class ListenPage(TextPage):
    """A point to rest the eyes on while the music plays; with words under it only if the study has some."""

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.view.title or self.view.text:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(LOOK.text))
        radius = self.px(9)
        painter.drawEllipse(self.rect().center(), radius, radius)
        painter.end()


class WaitingPage(TextPage):
    """Shown while no engine answers: the sign for a pause, which needs no language, and one sentence."""

    def set_view(self, view: StageView) -> None:
        super().set_view(
            StageView(page="hold", step=view.step, text="Please wait. The experimenter will help.")
        )

    def arrange(self) -> None:
        super().arrange()
        self.text.move(self.text.x(), self.text.y() + self.px(80))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(LOOK.muted))
        middle, bar, tall = self.rect().center(), self.px(16), self.px(64)
        for x in (middle.x() - bar * 1.5, middle.x() + bar * 0.5):
            painter.drawRoundedRect(QRectF(x, middle.y() - tall, bar, tall), bar / 4, bar / 4)
        painter.end()


class BlankPage(Page):
    """The ground alone."""


def _label(parent: QWidget | None) -> QLabel:
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.RichText)
    label.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
    label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    return label


def _fill(label: QLabel, text: str, pixels: float, width: int, bold: bool = False) -> int:
    """Show `text`; returns the height it needs at `width`."""
    label.setVisible(bool(text))
    if not text:
        return 0
    set_text(label, text, pixels, LOOK.text, bold)
    return label.heightForWidth(width)


def _balanced(label: QLabel, width: int) -> int:
    """The least width at which the text needs no more lines: no last line of a single word."""
    height, least = label.heightForWidth(width), width // 2
    while width - least > 8:
        middle = (width + least) // 2
        least, width = (least, middle) if label.heightForWidth(middle) <= height else (middle, width)
    return width


def _bar_sheet(width: int) -> str:
    return (
        f"QScrollBar:vertical {{ background: transparent; width: {width}px; border: none; }}"
        f"QScrollBar::handle:vertical {{ background: {LOOK.faint}; border-radius: {width // 2}px;"
        f" min-height: {width * 3}px; }}"
        "QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page"
        " { background: transparent; height: 0; }"
    )
