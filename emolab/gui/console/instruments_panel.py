"""Every instrument with its light, rate, losses and live level, and what to do when it is not well."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from emolab.gui import theme
from emolab.gui.bridge import Bridge
from emolab.gui.console.instrument_row import InstrumentRow
from emolab.gui.widgets.panel import Elided, Panel, say, text
from emolab.session.snapshot import Snapshot

CONNECTING = "The instruments are being connected."
NO_FILE = (
    "The instruments of a study are named in a devices file.\n"
    "Choose one, or let emolab look at what is plugged in and propose one."
)


class InstrumentsPanel(Panel):
    """The devices file and one row an instrument; made anew only when the instruments change."""

    chooseRequested = Signal()
    proposeRequested = Signal()
    retryRequested = Signal(str)
    leaveOutRequested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Instruments", parent)
        self._bridge: Bridge | None = None
        self.rows: dict[str, InstrumentRow] = {}
        self._known: tuple[tuple[str, tuple[str, ...]], ...] = ()
        self._file = Elided("No devices file yet", "muted")
        self.choose_button = QPushButton("&Devices file…")
        self.choose_button.clicked.connect(self.chooseRequested)
        self.propose_button = QPushButton("P&ropose")
        self.propose_button.setToolTip("Look at what is plugged in and write a devices file into the study")
        self.propose_button.clicked.connect(self.proposeRequested)
        top = QHBoxLayout()
        top.addWidget(self._file, 1)
        top.addWidget(self.choose_button)
        top.addWidget(self.propose_button)
        self.body.addLayout(top)
        self._state = text("", "message", wraps=True)
        self._state.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._state.setContentsMargins(0, theme.px(64), 0, 0)
        self.body.addWidget(self._state, 1)
        self._list = QVBoxLayout()
        self._list.setContentsMargins(0, 0, theme.px(8), 0)
        self._list.setSpacing(theme.px(4))
        holder = QWidget()
        outer = QVBoxLayout(holder)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addLayout(self._list)
        outer.addStretch(1)
        self._scroll = scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(holder)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.body.addWidget(scroll, 1)
        self.show_devices(None)

    def watch(self, bridge: Bridge | None) -> None:
        """Take live samples from this bridge from now on."""
        self._bridge = bridge
        self._clear()
        if bridge is None:
            self.show_devices(None)

    def show_devices(self, path: Path | None) -> None:
        """Name the devices file in use; None when there is none yet."""
        self._file.setText(str(path) if path else "No devices file yet")
        self._explain("" if self.rows else (CONNECTING if path else NO_FILE))
        theme.role(self.propose_button, "" if path else "primary")

    def show_problem(self, message: str) -> None:
        """Say why the instruments cannot be used at all."""
        self._clear()
        self._explain(f"■ {message}")

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Bring every row up to date."""
        known = tuple((stream.name, stream.channels) for stream in snapshot.streams)
        if known != self._known:  # channels are known only once an instrument has opened
            self._clear()
            self._known = known
            for stream in snapshot.streams:
                row = InstrumentRow(stream, self._bridge)
                row.retryRequested.connect(self.retryRequested)
                row.leaveOutRequested.connect(self.leaveOutRequested)
                self._list.addWidget(row)
                self.rows[stream.name] = row
        self._explain("" if known else CONNECTING)
        for stream in snapshot.streams:
            self.rows[stream.name].show_health(stream)

    def _explain(self, words: str) -> None:
        """Say in the middle why there are no rows; with no words the rows are shown."""
        say(self._state, words)
        if self._scroll.isHidden() != bool(words):
            self._scroll.setVisible(not words)

    def _clear(self) -> None:
        for row in self.rows.values():
            self._list.removeWidget(row)
            row.deleteLater()
        self.rows.clear()
        self._known = ()
