"""Shows a `StageView` at any size, on a ground that keeps the light constant, and says when it has
truly been painted. Knows no engine: values in, intentions out."""

from __future__ import annotations

import time
from dataclasses import replace

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from emolab.core.clock import now_ns
from emolab.gui.participant import ground
from emolab.gui.participant.pages import BlankPage, ConsentPage, ListenPage, Page, TextPage, WaitingPage
from emolab.gui.participant.rate import RatePage
from emolab.session.snapshot import StageView

PAGES: dict[str, type[Page]] = {
    "blank": BlankPage,
    "consent": ConsentPage,
    "instruct": TextPage,
    "rest": TextPage,
    "listen": ListenPage,
    "rate": RatePage,
    "pause": TextPage,
    "hold": TextPage,
    "thanks": TextPage,
    "waiting": WaitingPage,  # no engine answers
}
AGAIN_S = 0.3  # a press so soon after one that went on is its second half, not for the page that came
LOCAL_S = 1.0  # so long a choice made here is believed before the engine's word for it


class StageCanvas(QWidget):
    """The participant's page. `is_live` False: a picture of it, that takes no input."""

    painted = Signal(int, object)  # step, monotonic ns: the step's page is on the screen
    proceedAsked = Signal(int, object)  # step, monotonic ns
    choiceMade = Signal(int, str, str, object)  # step, state, word, monotonic ns
    confirmAsked = Signal(int, object)  # step, monotonic ns

    def __init__(self, is_live: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_live = is_live
        self._pages: dict[type[Page], Page] = {}
        self._view: StageView | None = None
        self._is_measuring = False
        self._level = ground.plain_level()
        self._page: Page = self._page_of(BlankPage)
        self._owed: int | None = None  # step whose painting has not been told yet
        self._chosen_s = self._proceeded_s = 0.0
        self._proceeded: int | None = None  # the step last gone on from
        self._painted_timer = QTimer(self)
        self._painted_timer.setSingleShot(True)
        self._painted_timer.timeout.connect(self._tell_painted)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    @property
    def page(self) -> Page:
        """The page shown."""
        return self._page

    def show_view(self, view: StageView) -> None:
        """Show what the engine asks for; cheap when nothing has changed."""
        view = self._with_local_choice(view)
        if view == self._view:
            return
        is_new = self._view is None or (view.step, view.page) != (self._view.step, self._view.page)
        self._view = view
        self._turn_to(PAGES[view.page], view)
        if is_new:
            self._owed = view.step
            self._painted_timer.stop()  # what it was to tell was of the page before
            self.setFocus()

    def show_waiting(self) -> None:
        """Show that no engine answers."""
        self._view = self._owed = None
        self._turn_to(WaitingPage, StageView())

    def set_now(self, now_s: float) -> None:
        """Move the bar of the time left."""
        if isinstance(self._page, RatePage):
            self._page.bar.set_now(now_s)

    def press(self, key: int) -> bool:
        """Give a key to the page; False when it means nothing there."""
        return self._is_live and self._page.press(key)

    def reopen(self) -> None:
        """Let a refused answer be changed, now or when its page comes back."""
        page = self._pages.get(RatePage)
        if isinstance(page, RatePage):
            page.reopen()

    def _turn_to(self, kind: type[Page], view: StageView) -> None:
        page = self._page_of(kind)
        if page is not self._page:
            self._page.hide()
            self._page = page
        page.setGeometry(self.rect())
        page.unit = self._unit()
        page.set_view(view)
        page.show()
        pointer = Qt.CursorShape.ArrowCursor if page.uses_pointer else Qt.CursorShape.BlankCursor
        self.setCursor(pointer if self._is_live else Qt.CursorShape.ArrowCursor)
        self._set_light()

    def _page_of(self, kind: type[Page]) -> Page:
        if kind not in self._pages:
            page = self._pages[kind] = kind(self)
            page.hide()
            page.lightChanged.connect(self._set_light)
            page.proceedAsked.connect(self._proceed)
            if isinstance(page, RatePage):
                page.choiceMade.connect(self._choose)
                page.confirmAsked.connect(self._confirm)
            if not self._is_live:
                page.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        return self._pages[kind]

    def _unit(self) -> float:
        return min(self.width() / 1920, self.height() / 1080)

    def _set_light(self) -> None:
        if self._is_measuring:
            return
        self._is_measuring = True
        measured = None
        while measured != self.size():  # drawing delivers resizes that Qt still had in hand
            measured = self.size()
            self._level = ground.quantised(ground.level_for(self._page, measured))
        self._is_measuring = False
        self.update()

    def _with_local_choice(self, view: StageView) -> StageView:
        """A snapshot older than the choice just made must not undo it on the screen."""
        mine = self._view
        is_fresh = time.monotonic() - self._chosen_s < LOCAL_S
        if mine is not None and is_fresh and view.page == "rate" and view.step == mine.step:
            return replace(view, chosen=mine.chosen, word=mine.word)
        return view

    def _choose(self, state: str, word: str) -> None:
        if self._view is None:
            return
        clicked_ns = now_ns()
        self._chosen_s = time.monotonic()
        self._view = replace(self._view, chosen=state, word=word)
        self._page.set_view(self._view)
        self._set_light()
        self.choiceMade.emit(self._view.step, state, word, clicked_ns)

    def _proceed(self) -> None:
        if self._view is None:
            return
        before_s, self._proceeded_s = self._proceeded_s, time.monotonic()
        if self._proceeded not in (None, self._view.step) and self._proceeded_s - before_s < AGAIN_S:
            return
        self._proceeded = self._view.step
        self.proceedAsked.emit(self._view.step, now_ns())

    def _confirm(self) -> None:
        if self._view is not None:
            self.confirmAsked.emit(self._view.step, now_ns())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._page.setGeometry(self.rect())
        self._page.set_unit(self._unit())
        self._set_light()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), ground.brush(self._level))
        painter.end()
        if self._owed is not None:
            self._painted_timer.start(0)  # children are painted and the picture handed over before it fires

    def _tell_painted(self) -> None:
        if self._owed is not None:
            step, self._owed = self._owed, None
            self.painted.emit(step, now_ns())
