"""The footer of the run page: a light for every stream, what is on disk, what is left of it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from emolab.gui import theme
from emolab.gui.widgets import words
from emolab.gui.widgets.health_light import HealthLight
from emolab.gui.widgets.panel import Elided, text
from emolab.session.snapshot import Snapshot, StreamHealth

_MIDDLE = Qt.TextElideMode.ElideMiddle  # name and fact are both worth seeing
MOST = 8  # streams told one by one; more are counted by their level


class HealthBar(QFrame):
    """`● board 254.9 Hz` for each stream, then bytes written and free."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.role(self, "bar")
        self._lights: dict[str, tuple[HealthLight, Elided]] = {}
        self._told: dict[str, tuple[str, str]] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(theme.px(16), theme.px(6), theme.px(16), theme.px(6))
        self._row.setSpacing(theme.px(6))
        self._disk = text("")
        self._disk.setAccessibleName("disk")
        self._row.addWidget(self._disk)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Bring lights and bytes up to date."""
        shown = snapshot.streams[:MOST]
        if [stream.name for stream in shown] != list(self._lights):
            self._make(shown)
        for stream in shown:
            light, caption = self._lights[stream.name]
            told = (stream.level, stream.message)
            if self._told.get(stream.name) != told:
                self._told[stream.name] = told
                light.set_level(stream.level, stream.message)
            caption.setText(f"{stream.name}  {_fact(stream)}")
            caption.setToolTip(". ".join(filter(None, (caption.text(), words.timekeeping(stream)))))
        more = len(snapshot.streams) - len(shown)
        rest = f"+ {more} more  ·  " if more else ""
        free = f"  ·  {words.size(snapshot.free_bytes)} free" if snapshot.free_bytes else ""
        self._disk.setText(f"{rest}{words.size(snapshot.bytes_written)} recorded{free}")

    def _make(self, streams: tuple[StreamHealth, ...]) -> None:
        for pair in self._lights.values():
            for widget in pair:
                self._row.removeWidget(widget)
                widget.deleteLater()
        self._lights.clear()
        self._told.clear()
        for at, stream in enumerate(streams):
            light, caption = HealthLight(stream.name, shows_word=False), Elided(mode=_MIDDLE)
            self._row.insertWidget(2 * at, light)
            self._row.insertWidget(2 * at + 1, caption, 1)
            self._lights[stream.name] = light, caption


def _fact(stream: StreamHealth) -> str:
    if stream.is_left_out:
        return "left out"
    fact = f"lost {stream.lost}" if stream.lost else words.rate(stream.rate_hz)
    return fact if stream.level == "well" else f"{theme.HEALTH[stream.level].word} · {fact}"
