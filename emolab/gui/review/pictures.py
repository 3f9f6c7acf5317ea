"""The cameras side by side, each showing the frame of the moment."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from emolab.gui import theme
from emolab.gui.review.fetcher import Fetcher
from emolab.gui.review.ruler import moment
from emolab.gui.widgets.frame_view import FrameView
from emolab.gui.widgets.panel import Elided
from emolab.review.timeline import Timeline


class Pictures(QWidget):
    """Ask it for a moment with `show_time`. `close_threads` before the recording is closed."""

    shown = Signal(str, int, float)  # camera, frame, its time: it is on the screen now

    def __init__(self, line: Timeline, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.views: dict[str, FrameView] = {}
        self.index: dict[str, int] = {}
        self._captions: dict[str, Elided] = {}
        self._fetchers: dict[str, Fetcher] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(8))
        for camera in line.cameras:
            row.addLayout(self._make(line, camera), 1)
        if not line.cameras:
            empty = FrameView(lambda: None, "no camera", empty="no camera in this session")
            row.addWidget(empty)

    def show_time(self, time_s: float) -> None:
        """The frames of a moment, as soon as they are decoded."""
        for fetcher in self._fetchers.values():
            fetcher.ask(time_s)

    def close_threads(self) -> None:
        """End the decoding. Idempotent."""
        for fetcher in self._fetchers.values():
            fetcher.close()

    def _make(self, line: Timeline, camera: str) -> QVBoxLayout:
        view = FrameView(lambda: None, camera, empty="…")
        caption = Elided(camera, "muted")
        caption.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        fetcher = Fetcher(line, camera, self)
        fetcher.fetched.connect(
            lambda index, time_s, frame, camera=camera: self._show(camera, index, time_s, frame)
        )
        fetcher.failed.connect(lambda index, why, camera=camera: self._fail(camera, index, why))
        self.views[camera], self._captions[camera], self._fetchers[camera] = view, caption, fetcher
        column = QVBoxLayout()
        column.setSpacing(theme.px(2))
        column.addWidget(view, 1)
        column.addWidget(caption)
        return column

    def _show(self, camera: str, index: int, time_s: float, frame: Any) -> None:
        self.index[camera] = index
        self.views[camera].show_frame(time_s, frame)
        self._captions[camera].setText(f"{camera} · {moment(time_s, 0.001)} · frame {index + 1}")
        self.shown.emit(camera, index, time_s)

    def _fail(self, camera: str, index: int, why: str) -> None:
        self.views[camera].empty = "■ this frame is damaged"
        self.views[camera].show_frame(-1.0, None)
        self._captions[camera].setText(f"{camera} · frame {index + 1} · {why}")
