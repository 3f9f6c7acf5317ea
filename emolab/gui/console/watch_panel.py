"""What the participant sees, and how the cameras see the participant."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from emolab.core.ring import FrameSlot
from emolab.gui import theme
from emolab.gui.bridge import Bridge
from emolab.gui.participant.mirror import StageMirror
from emolab.gui.widgets.frame_view import FrameView
from emolab.gui.widgets.panel import Elided, text
from emolab.session.snapshot import Snapshot

PICTURES_HZ = 12.0  # enough to see a face move; each picture is scaled anew


class WatchPanel(QFrame):
    """The mirror on top, the cameras side by side below it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.role(self, "panel")
        self._bridge: Bridge | None = None
        self._cameras: dict[str, FrameView] = {}
        self._drawn_s = -1.0
        self.mirror = StageMirror()
        self.mirror.setMinimumHeight(theme.px(120))
        self._screen = Elided("", "muted")
        self._views = QGridLayout()
        self._views.setSpacing(theme.px(6))
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.px(8)] * 4)
        column.setSpacing(theme.px(4))
        column.addWidget(self._screen)
        column.addWidget(self.mirror, 5)
        column.addLayout(self._views, 4)
        self._none = text("no camera in this session", "muted")
        self._none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self._none)

    def watch(self, bridge: Bridge | None) -> None:
        """Show this bridge's cameras from now on."""
        self._bridge = bridge
        self._clear()
        self.mirror.show_waiting()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Bring mirror and pictures up to date."""
        where = snapshot.screen or "no participant window"
        self._screen.setText(f"participant sees · {where}")
        self.mirror.show_view(snapshot.stage, snapshot.now_s)
        names = [stream.name for stream in snapshot.streams if stream.is_image]
        if names != list(self._cameras):
            self._make(names)
        if abs(snapshot.now_s - self._drawn_s) >= 1 / PICTURES_HZ:
            self._drawn_s = snapshot.now_s
            for view in self._cameras.values():
                view.refresh()

    def _make(self, names: list[str]) -> None:
        self._clear()
        for at, name in enumerate(names):
            view = FrameView(partial(self._frame, name), name)
            view.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
            view.setMinimumHeight(theme.px(84))
            self._views.addWidget(view, 2 * (at // 2), at % 2)
            self._views.addWidget(Elided(name, "muted"), 2 * (at // 2) + 1, at % 2)
            self._views.setColumnStretch(at % 2, 1)
            self._cameras[name] = view
        self._none.setVisible(not names)

    def _frame(self, name: str) -> FrameSlot | None:
        return self._bridge.frame(name) if self._bridge is not None else None

    def _clear(self) -> None:
        while (item := self._views.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self._cameras.clear()
