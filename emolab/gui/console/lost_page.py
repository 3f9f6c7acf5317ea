"""The page for the one thing that must not happen: the engine has died. What is kept, what to do."""

from __future__ import annotations

import logging
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from emolab.gui import theme
from emolab.gui.widgets import words
from emolab.gui.widgets.health_light import paint_shape
from emolab.gui.widgets.panel import Panel, say, text
from emolab.session.snapshot import Snapshot

log = logging.getLogger(__name__)


class _Sign(QWidget):
    """The red square, large."""

    def sizeHint(self) -> QSize:
        return QSize(theme.px(56), theme.px(56))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        side = theme.px(48)
        paint_shape(painter, QRectF(2, 2, side, side), "act")


class LostPage(QWidget):
    """Says how far the recording goes; recover it, or set up again."""

    recoverRequested = Signal(object)  # Path of the file
    againRequested = Signal()
    noteRequested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path = Path()
        self._title = text("The recording has stopped", "title")
        self._facts = text("", "message", wraps=True)
        self._remedy = text("", "message", wraps=True)
        self._command = text("", "message", wraps=True)
        self._draft = text("", "message", wraps=True)
        for line in (self._command, self._draft):
            line.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._outcome = text("", "message", wraps=True)
        self.recover_button = QPushButton("&Recover the file")
        theme.role(self.recover_button, "primary")
        self.recover_button.clicked.connect(lambda: self.recoverRequested.emit(self._path))
        self.again_button = QPushButton("Set &up again")
        self.again_button.clicked.connect(self.againRequested)
        panel = Panel()
        panel.body.setSpacing(theme.px(16))
        top = QHBoxLayout()
        top.setSpacing(theme.px(16))
        top.addWidget(_Sign())
        top.addWidget(self._title, 1)
        panel.body.addLayout(top)
        for label in (self._facts, self._remedy, self._command, self._draft, self._outcome):
            panel.body.addWidget(label)
        row = QHBoxLayout()
        row.addWidget(self.recover_button)
        row.addWidget(self.again_button)
        row.addStretch(1)
        panel.body.addLayout(row)
        panel.setMaximumWidth(theme.px(860))
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(panel, 20)
        across.addStretch(1)
        page = QVBoxLayout(self)
        page.setContentsMargins(*[theme.px(24)] * 4)
        page.addStretch(1)
        page.addLayout(across)
        page.addStretch(2)

    def show_loss(self, reason: str, last: Snapshot | None) -> None:
        """The engine went, for `reason`; `last` is the newest snapshot there was."""
        log.error("engine lost: %s", reason)
        say(self._outcome, "")
        if last is not None and last.phase in ("finished", "failed"):
            self._show_end(last)
            return
        was_recording = last is not None and bool(last.path)
        self.recover_button.setVisible(was_recording)
        if last is None or not last.path:
            self._path = Path()
            self._title.setText("The instruments are disconnected")
            self._facts.setText("The engine has ended before the session began. Nothing was being recorded.")
            self._remedy.setText("Set up again; if it happens twice, run 'emolab doctor'.")
            say(self._command, "")
            return
        self._path = Path(last.path)
        self._title.setText("The recording has stopped")
        at = words.clock(words.elapsed_s(last) if last.run_started_s is not None else last.now_s)
        done = sum(step.kind == "play" and step.status == "done" for step in last.steps)
        self._facts.setText(
            f"The engine has ended. Until {at} everything is on disk but the last second: "
            f"{words.size(last.bytes_written)}, {done} of {words.counted(words.trials(last), 'clip')} heard."
        )
        self._remedy.setText(
            "Ask the participant to wait. Recovering makes the file whole again; it takes seconds."
        )
        say(self._command, f"emolab recover {last.path}")

    def _show_end(self, last: Snapshot) -> None:
        """The engine went when its session was over."""
        self.show_failure(last)
        if last.phase == "finished":
            self._title.setText("The engine has ended")
            self._facts.setText(f"The session was over before. Its file is complete: {last.path}")
            self._remedy.setText("Set up again for the next participant.")
            say(self._command, "")
            self.recover_button.hide()

    def show_failure(self, snapshot: Snapshot) -> None:
        """The engine lives, but its recording failed."""
        self._path = Path(snapshot.path)
        self._title.setText("The recording has stopped")
        self._facts.setText(snapshot.message)
        self._remedy.setText(
            f"{words.size(snapshot.bytes_written)} are on disk. Tell the participant to wait."
        )
        say(self._command, f"emolab recover {snapshot.path}" if snapshot.path else "")
        self.recover_button.setVisible(bool(snapshot.path))

    def show_words(self, found: str, *, is_engine_there: bool) -> None:
        """Words half written when it happened. An engine that lives is asked to keep them; whether it can,
        on a disk that is full say, it tells, so they stand here to be copied all the same."""
        if found:
            say(self._draft, f"You were writing: {found}")
            if is_engine_there:
                self.noteRequested.emit(found)

    def forget(self) -> None:
        """Another engine: what was written here was of another session."""
        say(self._draft, "")
        say(self._outcome, "")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colour = theme.HEALTH["act"].colour
        painter.fillRect(self.rect(), QColor(theme.mix(theme.palette().ground, colour, 0.22)))
        painter.fillRect(0, 0, self.width(), theme.px(8), QColor(colour))

    def show_outcome(self, sentence: str) -> None:
        """What came of recovering."""
        say(self._outcome, sentence)
