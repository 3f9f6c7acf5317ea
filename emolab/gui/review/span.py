"""The stretch of time that every lane of the review shows, and the cursor in it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

LEAST_S = 0.02
STEP = 1.25  # of one notch of the wheel
FOLLOW_AT = 0.92  # of the width: a cursor that runs turns the page here
TURNED_TO = 0.08


class Span(QObject):
    """From `from_s` to `to_s` of a recording that goes from `begin_s` to `end_s`; session clock."""

    changed = Signal()  # what is shown
    cursorMoved = Signal(float)

    def __init__(self, begin_s: float, end_s: float, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.begin_s, self.end_s = begin_s, max(end_s, begin_s + LEAST_S)
        self.from_s, self.to_s = self.begin_s, self.end_s
        self.cursor_s = begin_s

    @property
    def width_s(self) -> float:
        """Seconds shown."""
        return self.to_s - self.from_s

    @property
    def is_whole(self) -> bool:
        """Whether everything is shown."""
        return (self.from_s, self.to_s) == (self.begin_s, self.end_s)

    def show(self, from_s: float, to_s: float) -> None:
        """Show this stretch, moved and cut so that it lies inside the recording."""
        width_s = min(max(to_s - from_s, LEAST_S), self.end_s - self.begin_s)
        from_s = min(max(from_s, self.begin_s), self.end_s - width_s)
        if (from_s, from_s + width_s) != (self.from_s, self.to_s):
            self.from_s, self.to_s = from_s, from_s + width_s
            if self.end_s - self.to_s < 1e-9:
                self.to_s = self.end_s
            self.changed.emit()

    def zoom(self, notches: float, at_s: float) -> None:
        """Closer by so many notches of the wheel, further for negative ones; `at_s` stays where it is."""
        share = (at_s - self.from_s) / self.width_s
        width_s = min(max(self.width_s / STEP**notches, LEAST_S), self.end_s - self.begin_s)
        self.show(at_s - share * width_s, at_s + (1 - share) * width_s)

    def pan(self, by_s: float) -> None:
        """Later by so much."""
        self.show(self.from_s + by_s, self.to_s + by_s)

    def whole(self) -> None:
        """Show everything."""
        self.show(self.begin_s, self.end_s)

    def set_cursor(self, time_s: float, follows: bool = False) -> None:
        """Put the cursor there. `follows`: it plays, and turns the page when it comes to the edge."""
        time_s = min(max(time_s, self.begin_s), self.end_s)
        if time_s == self.cursor_s:
            return
        self.cursor_s = time_s
        is_seen = self.from_s <= time_s <= self.from_s + FOLLOW_AT * self.width_s
        if follows and not self.is_whole and not is_seen:
            self.show(*self._page_of(time_s))
        self.cursorMoved.emit(time_s)

    def reveal(self, from_s: float, to_s: float | None = None) -> None:
        """Bring a moment or a stretch into view, zooming out only where it would not fit."""
        to_s = from_s if to_s is None else to_s
        if self.from_s <= from_s and to_s <= self.to_s:
            return
        width_s = max(self.width_s, 1.2 * (to_s - from_s))
        middle_s = (from_s + to_s) / 2
        self.show(middle_s - width_s / 2, middle_s + width_s / 2)

    def extend(self, end_s: float) -> None:
        """The recording has grown; what was whole stays whole."""
        if end_s <= self.end_s:
            return
        was_whole, self.end_s = self.is_whole, end_s
        if was_whole:
            self.to_s = end_s
        self.changed.emit()

    def _page_of(self, time_s: float) -> tuple[float, float]:
        from_s = time_s - TURNED_TO * self.width_s
        return from_s, from_s + self.width_s
