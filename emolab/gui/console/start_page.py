"""The first page: what emolab is for, and the ways in. A session that runs already comes first."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from emolab.gui import theme
from emolab.gui.widgets import words
from emolab.gui.widgets.panel import Elided, Panel, say, text
from emolab.session.snapshot import Snapshot

ABOUT = (
    "emolab runs a music-emotion session and keeps everything that happens, the signals, the cameras, "
    "the sound and the answers, in one file on one clock. A study is a folder: one file a session lies in it."
)


class StartPage(QWidget):
    """Choose a study, try the demo, or go back to the session that runs."""

    openRequested = Signal()
    newRequested = Signal()
    demoRequested = Signal()
    recentRequested = Signal(object)  # Path of the study opened last
    attachRequested = Signal(object)  # Path of the study whose engine runs

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recent: Path | None = None
        self._running: Path | None = None
        column = QVBoxLayout()
        column.setSpacing(theme.px(theme.SIZES.gap))
        column.addStretch(1)
        column.addWidget(text("emolab", "title"))
        about = text(ABOUT, "message", wraps=True)
        column.addWidget(about)
        column.addWidget(self._make_attach_panel())
        column.addWidget(self._make_study_panel())
        column.addWidget(self._make_demo_panel())
        column.addStretch(2)
        row = QHBoxLayout(self)
        row.setContentsMargins(*[theme.px(theme.SIZES.gap_large)] * 4)
        row.addStretch(1)
        holder = QWidget()
        holder.setLayout(column)
        holder.setMaximumWidth(theme.px(760))
        row.addWidget(holder, 20)
        row.addStretch(1)
        self.show_recent(None)
        self.show_running(None, None)

    def show_recent(self, study: Path | None) -> None:
        """Offer the study opened last; None when there is none."""
        self._recent = study
        self.recent_button.setVisible(study is not None)
        self.recent_button.setText(f"Open {study.name}".replace("&", "&&") if study else "")
        say(self._recent_path, str(study) if study else "")
        self._rank_buttons()

    def show_running(self, study: Path | None, snapshot: Snapshot | None) -> None:
        """Say that a session runs on `study` and offer to attach; None when none does."""
        self._running = study
        self._attach_panel.setVisible(study is not None)
        self._rank_buttons()
        if study is None:
            return
        if snapshot is not None and snapshot.participant:
            at = words.clock(words.elapsed_s(snapshot))
            facts = f"{snapshot.participant}, session {snapshot.session}, {at}"
        else:
            facts = "no participant yet"
        self._attach_text.setText(f"A session is running ({facts}) in {study.name}. Attach?")

    def _rank_buttons(self) -> None:
        """One button alone is the next thing to do: attach, else the last study, else any study."""
        theme.role(self.recent_button, "" if self._running else "primary")
        theme.role(self.open_button, "" if self._running or self._recent else "primary")

    def _make_attach_panel(self) -> Panel:
        self._attach_panel = Panel()
        self._attach_panel.setAccessibleName("A session is running")
        self._attach_text = text("", "heading", wraps=True)
        self.attach_button = QPushButton("&Attach to the running session")
        theme.role(self.attach_button, "primary")
        self.attach_button.clicked.connect(lambda: self.attachRequested.emit(self._running))
        self._attach_panel.body.addWidget(self._attach_text)
        self._attach_panel.body.addWidget(self.attach_button, 0, Qt.AlignmentFlag.AlignLeft)
        return self._attach_panel

    def _make_study_panel(self) -> Panel:
        panel = Panel("Study")
        self._recent_path = Elided("", "muted")
        self.recent_button = QPushButton()
        self.recent_button.clicked.connect(lambda: self.recentRequested.emit(self._recent))
        self.open_button = QPushButton("&Open a study folder…")
        self.open_button.clicked.connect(self.openRequested)
        self.new_button = QPushButton("&New study folder…")
        self.new_button.clicked.connect(self.newRequested)
        row = QHBoxLayout()
        row.setSpacing(theme.px(8))
        for button in (self.recent_button, self.open_button, self.new_button):
            row.addWidget(button)
        row.addStretch(1)
        panel.body.addWidget(self._recent_path)
        panel.body.addLayout(row)
        return panel

    def _make_demo_panel(self) -> Panel:
        panel = Panel("First time here?")
        panel.body.addWidget(
            text(
                "The demo is a short session with a simulated participant: every page, no instruments.",
                wraps=True,
            )
        )
        self.demo_button = QPushButton("Try the &demo")
        self.demo_button.clicked.connect(self.demoRequested)
        panel.body.addWidget(self.demo_button, 0, Qt.AlignmentFlag.AlignLeft)
        return panel
