"""The finish page: what the session holds, what to look at, a last note, and the next participant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from emolab.gui import theme
from emolab.gui.widgets import words
from emolab.gui.widgets.fact_table import FactTable
from emolab.gui.widgets.health_light import HealthLight
from emolab.gui.widgets.panel import Elided, Panel, say, text
from emolab.session.snapshot import Level, Snapshot

VERDICT_WORDS: dict[str, tuple[Level, str]] = {
    "good": ("well", "All is recorded"),
    "look": ("look", "Recorded; look at this"),
    "bad": ("act", "Recorded, but not as planned"),
}


class FinishPage(QWidget):
    """Shows `snapshot.summary`; emits what is to be done with the file."""

    noteRequested = Signal(str)
    openFolderRequested = Signal(object)  # Path of the file
    reviewRequested = Signal(object)  # Path of the file
    analysisRequested = Signal(object)  # Path of the file
    nextRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[dict[str, Any], str] | None = None
        self._kept = ""  # the note sent last
        self._path = Path()
        self.streams = FactTable(
            "streams", ("stream", "kind", "samples#", "true rate#", "gaps#", "lost#", "bad#"), widest=1
        )
        self.answers = FactTable("answers", ("clip", "state", "word", "after#"), widest=2)
        body = QGridLayout()
        body.setContentsMargins(*[theme.px(12)] * 4)
        body.setSpacing(theme.px(12))
        streams, answers = Panel("Streams"), Panel("Answers")
        streams.body.addWidget(self.streams, 1)
        answers.body.addWidget(self.answers, 1)
        body.addWidget(streams, 0, 0)
        body.addWidget(self._make_note_panel(), 1, 0)
        body.addWidget(answers, 0, 1, 2, 1)
        body.setColumnStretch(0, 11)
        body.setColumnStretch(1, 7)
        body.setRowStretch(0, 3)
        body.setRowStretch(1, 2)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(0)
        page.addWidget(self._make_header())
        page.addLayout(body, 1)
        page.addWidget(self._make_bar())

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show what was recorded; written once, when the summary arrives."""
        if self._shown == (snapshot.summary, snapshot.message):
            return
        self._shown = dict(snapshot.summary), snapshot.message
        facts = snapshot.summary
        self._path = Path(str(facts.get("file") or snapshot.path))
        self._who.setText(
            " · ".join((snapshot.participant, f"session {snapshot.session}", snapshot.protocol))
        )
        self._show_verdict(snapshot)
        done = facts.get("trials", {})
        self._facts.setText(
            f"{words.clock(facts.get('duration_s'))} recorded  ·  "
            f"{done.get('done', 0)} of {words.counted(done.get('planned', 0), 'clip')} heard, "
            f"{done.get('skipped', 0)} skipped  ·  {words.size(snapshot.bytes_written)}"
        )
        self._file.setText(str(self._path))
        self.streams.show_rows([_stream_row(stream) for stream in facts.get("streams", [])])
        answers = facts.get("answers", [])
        self.answers.show_rows([_answer_row(answer) for answer in answers])
        for row, answer in enumerate(answers):
            if answer.get("state") in theme.VALENCE_COLOURS:
                self.answers.mark_cell(row, 1, theme.VALENCE_COLOURS[answer["state"]])
        self._sent.hide()

    def _show_verdict(self, snapshot: Snapshot) -> None:
        facts, reasons = snapshot.summary, list(snapshot.summary.get("reasons", []))
        level, sentence = VERDICT_WORDS.get(str(facts.get("verdict", "look")), VERDICT_WORDS["look"])
        if self._path.name and self._path.name in snapshot.message:  # else why it held, which is over
            reasons.insert(0, snapshot.message)
            level, sentence = VERDICT_WORDS["look"] if level == "well" else (level, sentence)
        self._light.set_level(level)
        self._verdict.setText(sentence)
        say(self._reasons, "\n".join(f"· {reason}" for reason in reasons))

    def _make_header(self) -> QFrame:
        bar = theme.role(QFrame(), "bar")
        self._light = HealthLight("session", shows_word=False)
        self._verdict = text("", "title")
        self._who = Elided("", "heading")
        self._who.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._reasons = text("", "message", wraps=True)
        self._facts = text("", "message")
        self._file = Elided("", "muted")
        top = QHBoxLayout()
        top.setSpacing(theme.px(12))
        top.addWidget(self._light)
        top.addWidget(self._verdict)
        top.addWidget(self._who, 1)
        column = QVBoxLayout(bar)
        column.setContentsMargins(theme.px(16), theme.px(12), theme.px(16), theme.px(12))
        column.addLayout(top)
        for label in (self._reasons, self._facts, self._file):
            column.addWidget(label)
        return bar

    def _make_note_panel(self) -> Panel:
        panel = Panel("Note")
        self.note_field = QPlainTextEdit()
        self.note_field.setAccessibleName("note on this session")
        self.note_field.setPlaceholderText(
            "anything the analyst should know: coughing, a loose sensor, a pause"
        )
        self.note_field.setTabChangesFocus(True)
        self.note_button = QPushButton("Keep the &note")
        self.note_button.clicked.connect(self.send_note)
        self._sent = text("● kept beside the file", "muted")
        self._sent.hide()
        row = QHBoxLayout()
        row.addWidget(self.note_button)
        row.addWidget(self._sent)
        row.addStretch(1)
        panel.body.addWidget(self.note_field, 1)
        panel.body.addLayout(row)
        return panel

    def _make_bar(self) -> QFrame:
        bar = theme.role(QFrame(), "bar")
        self.folder_button = QPushButton("&Open the folder")
        self.folder_button.clicked.connect(lambda: self.openFolderRequested.emit(self._path))
        self.next_button = QPushButton("Ne&xt participant  (Ctrl+Return)")
        theme.role(self.next_button, "primary")
        self.next_button.setMinimumHeight(theme.px(48))
        self.next_button.clicked.connect(self._go_on)
        row = QHBoxLayout(bar)
        row.setContentsMargins(theme.px(16), theme.px(8), theme.px(16), theme.px(8))
        self.review_button = QPushButton("&Review this session")
        self.review_button.clicked.connect(lambda: self.reviewRequested.emit(self._path))
        row.addWidget(self.folder_button)
        row.addWidget(self.review_button)
        self.analysis_button = theme.role(QPushButton("&Analyse it"), "quiet")
        self.analysis_button.setToolTip("Figures and tables of this session, in a window of their own")
        self.analysis_button.clicked.connect(lambda: self.analysisRequested.emit(self._path))
        row.addWidget(self.analysis_button)
        row.addStretch(1)
        row.addWidget(self.next_button)
        return bar

    def add_words(self, found: str) -> None:
        """Words half written when the session ended: go on with them in the note."""
        if found:
            self.note_field.appendPlainText(found)
            self.note_field.moveCursor(QTextCursor.MoveOperation.End)
            self.note_field.setFocus()

    def take_note(self) -> str:
        """What stands in the field, which is empty then."""
        found = self.note_field.toPlainText().strip()
        self.note_field.clear()
        return found

    def forget(self) -> None:
        """Another engine: what was written here was of another session."""
        self._shown, self._kept = None, ""
        self.note_field.clear()

    def send_note(self) -> None:
        """Keep what is written, if anything is: words already typed are not thrown away."""
        if found := self.take_note():
            self._kept = found
            self._sent.show()
            self.noteRequested.emit(found)

    def take_back(self) -> None:
        """The engine could not keep the note sent last: its words are in the field again."""
        if self._kept:
            self.note_field.setPlainText("\n".join(filter(None, (self._kept, self.take_note()))))
            self._kept = ""
            self._sent.hide()

    def _go_on(self) -> None:
        self.send_note()
        self.nextRequested.emit()


def _stream_row(facts: dict[str, Any]) -> tuple[str, ...]:
    nominal = facts.get("nominal_rate_hz")
    announced = f" (of {nominal:g})" if nominal else ""
    rate = f"{facts['true_rate_hz']:.1f} Hz{announced}" if facts.get("true_rate_hz") else "–"
    return (
        str(facts["name"]), str(facts["kind"]), f"{facts['samples']:,}".replace(",", " "), rate,
        str(facts["gaps"]), str(facts["lost"]), str(facts["corrupt"]),
    )  # fmt: skip


def _answer_row(facts: dict[str, Any]) -> tuple[str, ...]:
    state, response_s = facts.get("state"), facts.get("response_s")
    return (
        str(facts.get("clip") or "baseline"),
        words.state_name(state) if state else "▲ none given",
        str(facts.get("word") or ""),
        f"{response_s:.1f} s" if response_s is not None else "",
    )
