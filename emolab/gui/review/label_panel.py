"""What can be said of a stretch: one of five states, a word, valence and arousal, tags, a note."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from emolab.core.label import STATES, state
from emolab.gui import theme
from emolab.gui.review.pad import Pad
from emolab.gui.review.ruler import moment
from emolab.gui.widgets.chooser import Chooser
from emolab.gui.widgets.panel import Elided, Panel
from emolab.recording.labels import TimedLabel

LOW_PX = 28  # of a field: everything here can be done by key, and the curves need the height


class LabelPanel(Panel):
    """Shows the label chosen; emits what is to be said. It changes nothing itself."""

    stateRequested = Signal(int)  # rank, −2 to 2
    wordRequested = Signal(object)  # a word of the state, or None
    tagsRequested = Signal(tuple)
    noteRequested = Signal(str)
    affectRequested = Signal(float, float)  # valence, arousal
    traceRequested = Signal(bool)  # draw while it plays

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self._shown = ("", "")  # whose label, and what the lane calls it
        self.title = Elided("", "muted")
        self.body.addWidget(self.title)
        self.state_buttons = {one.rank: self._state_button(one.rank) for one in STATES}
        states = QHBoxLayout()
        states.setSpacing(theme.px(4))
        for button in self.state_buttons.values():
            states.addWidget(button, 1)
        self.body.addLayout(states)
        self._make_fields()
        self.pad = Pad()
        self.pad.picked.connect(self.affectRequested)
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.px(8))
        grid.setVerticalSpacing(theme.px(4))
        grid.setColumnStretch(0, 4)
        grid.setColumnStretch(1, 5)
        grid.addWidget(self.word_box, 0, 0)
        grid.addWidget(self.tags_field, 0, 1)
        grid.addWidget(self.note_field, 1, 0, 1, 2)
        grid.addWidget(self.trace_button, 2, 0, 1, 2)
        grid.addWidget(self.pad, 0, 2, 3, 1)
        self.body.addLayout(grid)
        self.show_label(None, may_edit=True)

    def show_label(self, label: TimedLabel | None, may_edit: bool, whose: str = "", name: str = "") -> None:
        """Show a label, or None: what the next one will be about. `may_edit`: it is one's own.

        `name`: what the lane calls it. What is being typed about the label that is shown already stays.
        """
        is_own = label is not None and may_edit
        is_same, self._shown = (whose, name) == self._shown, (whose, name)
        if label is None:
            self.title.setText("1 to 5 labels the clip at the cursor; drag in your lane to mark a stretch")
        else:
            until = "" if label.is_moment else f" to {moment(label.end_s, 0.1)}"
            stretch = f"{moment(label.start_s, 0.1)}{until}"
            told = (
                f"{whose}: {stretch}"
                if may_edit
                else f"{whose}: {stretch}, cannot be changed; 1 to 5 says yours"
            )
            self.title.setText(told)
        self._show_state(label)
        for field in (self.word_box, self.tags_field, self.note_field):
            field.setEnabled(is_own)
        blocked = [QSignalBlocker(field) for field in (self.word_box, self.tags_field, self.note_field)]
        self._fill_words(label)
        for field, said in (
            (self.tags_field, " ".join(label.tags) if label else ""),
            (self.note_field, label.note if label else ""),
        ):
            if not (is_same and is_own and field.hasFocus() and field.isModified()):
                field.setText(said)
        del blocked
        self.pad.show_point(label.valence if label else None, label.arousal if label else None)

    def show_drawing(self, draws: bool) -> None:
        """Whether the pad draws a trace."""
        self.pad.draws = draws
        self.trace_button.setChecked(draws)
        self.pad.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        is_key = event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent)
        if is_key and event.key() == Qt.Key.Key_Escape:  # type: ignore[attr-defined]
            watched.clearFocus()  # type: ignore[attr-defined]
            return True
        return super().eventFilter(watched, event)

    def _show_state(self, label: TimedLabel | None) -> None:
        given = state(label.state).rank if label and label.state else None
        for rank, button in self.state_buttons.items():
            button.setChecked(rank == given)

    def _fill_words(self, label: TimedLabel | None) -> None:
        self.word_box.clear()
        if label is None or not label.state:
            return
        words = state(label.state).words
        self.word_box.addItems(["no word", *words])
        self.word_box.setCurrentIndex(0 if label.word is None else 1 + words.index(label.word))

    def _state_button(self, rank: int) -> QPushButton:
        one = next(one for one in STATES if one.rank == rank)
        colour = theme.VALENCE_COLOURS[one.key]
        button = QPushButton(f"{rank + 3}")
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setToolTip(f"{one.key.replace('_', ' ')}: {', '.join(one.words)} (key {rank + 3})")
        button.setAccessibleName(one.key.replace("_", " "))
        edge = f"{theme.px(3)}px solid {theme.palette().text}"
        button.setStyleSheet(
            f"QPushButton {{ background: {colour}; color: {theme.ink_on(colour)}; padding: 0; "
            f"min-width: {theme.px(30)}px; min-height: {theme.px(LOW_PX)}px; }}"
            f"QPushButton:checked {{ border: {edge}; font-weight: 700; }}"
        )
        button.clicked.connect(lambda: self.stateRequested.emit(rank))
        return button

    def _make_fields(self) -> None:
        self.word_box = Chooser("word")
        self.word_box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        low = f"QComboBox {{ min-height: {theme.px(LOW_PX)}px; }}"
        self.word_box.setStyleSheet(self.word_box.styleSheet() + low)
        self.word_box.activated.connect(self._say_word)
        self.tags_field = self._field("tags, apart by spaces", "tags")
        self.tags_field.editingFinished.connect(
            lambda: self.tagsRequested.emit(tuple(dict.fromkeys(self.tags_field.text().split())))
        )
        self.note_field = self._field("a note", "note")
        self.note_field.editingFinished.connect(
            lambda: self.noteRequested.emit(self.note_field.text().strip())
        )
        self.trace_button = theme.role(QPushButton("Draw while it plays (T)"), "quiet")
        self.trace_button.setStyleSheet(f"min-height: {theme.px(LOW_PX)}px;")
        self.trace_button.setCheckable(True)
        self.trace_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.trace_button.setToolTip(
            "Hold the button in the field on the right while it plays: a trace of valence and arousal"
        )
        self.trace_button.clicked.connect(self.traceRequested)

    def _field(self, hint: str, name: str) -> QLineEdit:
        field = QLineEdit()
        field.setPlaceholderText(hint)
        field.setAccessibleName(name)
        field.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        field.returnPressed.connect(field.clearFocus)
        field.installEventFilter(self)
        field.setStyleSheet(f"min-height: {theme.px(LOW_PX)}px;")
        return field

    def _say_word(self, at: int) -> None:
        self.wordRequested.emit(self.word_box.itemText(at) if at else None)
