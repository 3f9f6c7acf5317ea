"""The top line: which session, whose labels, the conflicts, and what can be done with all of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from emolab.gui import theme
from emolab.gui.widgets.chooser import Chooser
from emolab.gui.widgets.panel import Elided

CLASSIFY = "Classifier…"


class Header(QFrame):
    """Emits what is wanted; shows what it is told."""

    sessionRequested = Signal(object)  # Path
    analystRequested = Signal()
    conflictRequested = Signal()
    checkRequested = Signal()
    classifierRequested = Signal()
    agreementRequested = Signal()
    exportRequested = Signal()
    keysRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.role(self, "bar")
        self._paths: list[Path] = []
        self._now = -1
        self.session_box = Chooser("session")
        self.session_box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.session_box.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.session_box.setFixedWidth(theme.px(172))
        self.session_box.activated.connect(lambda at: self.sessionRequested.emit(self._paths[at]))
        self.facts = Elided("", "muted")
        self.analyst_button = self._button("labels: …", self.analystRequested, "Whose labels these are")
        self.conflict_button = self._button("", self.conflictRequested, "Go to the next one (N)")
        self.check_button = self._button(
            "Check labels", self.checkRequested, "Compare what was said with the face"
        )
        self.classifier_button = self._button(
            CLASSIFY, self.classifierRequested, "Let a trained model judge clips or windows (F6)"
        )
        self.agreement_button = self._button("Agreement", self.agreementRequested, "How far lanes agree")
        self.export_button = self._button("Export…", self.exportRequested, "Write this session for others")
        self.keys_button = self._button("?", self.keysRequested, "All keys")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(12), theme.px(4), theme.px(12), theme.px(4))
        row.setSpacing(theme.px(8))
        row.addWidget(self.session_box)
        row.addWidget(self.facts, 1)
        for button in (
            self.analyst_button, self.conflict_button, self.check_button,
            self.classifier_button, self.agreement_button, self.export_button, self.keys_button,
        ):  # fmt: skip
            row.addWidget(button)
        self.show_conflicts(None)

    def show_sessions(self, paths: Sequence[Path], now: Path) -> None:
        """The sessions of the study, and which one is shown."""
        self._paths = list(paths)
        self.session_box.clear()
        self.session_box.addItems([path.stem.replace("_", " ") for path in paths])
        self._now = self._paths.index(now) if now in self._paths else -1
        self.session_box.setCurrentIndex(self._now)

    def show_again(self) -> None:
        """Back to the session that is shown: another one could not be opened."""
        self.session_box.setCurrentIndex(self._now)

    def show_analyst(self, name: str) -> None:
        """Whose lane is written."""
        self.analyst_button.setText(f"labels: {name}")

    def show_conflicts(self, count: int | None) -> None:
        """How many; None before anything was checked."""
        self.conflict_button.setVisible(count is not None)
        if count is not None:
            words = "no conflict" if not count else "1 conflict ▸" if count == 1 else f"{count} conflicts ▸"
            self.conflict_button.setText(words)
            self.conflict_button.setEnabled(count > 0)

    def show_facts(self, words: str) -> None:
        """What else there is to know of the session."""
        self.facts.setText(words)

    def show_checking(self, words: str) -> None:
        """A check is on its way, `words` how far; empty: none is."""
        self.check_button.setText(words or "Check labels")

    def show_classifying(self, words: str) -> None:
        """A classifier is on its way, `words` how far; empty: none is."""
        self.classifier_button.setText(words or CLASSIFY)

    def _button(self, words: str, signal: SignalInstance, tip: str) -> QPushButton:
        button = QPushButton(words)
        button.setToolTip(tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(signal)
        return button
