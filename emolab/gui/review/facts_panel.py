"""What is known of the clip at the cursor: intended, reported, seen in the face, decided."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QWidget

from emolab.gui import theme
from emolab.gui.review.label_paint import paint_label
from emolab.gui.widgets.panel import Elided, Panel
from emolab.recording.labels import TimedLabel
from emolab.recording.trials import Trial
from emolab.review.guesses import is_classifier, was_learnt_from
from emolab.review.history import name_of
from emolab.review.lanes import Lane, Source

ROWS = 6
CHIP_PX = 18


class Chip(QWidget):
    """A label's colour and pattern, small."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label: TimedLabel | None = None
        self._source: Source = "person"
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_label(self, label: TimedLabel | None, source: Source) -> None:
        """Show it; None for none."""
        self._label, self._source = label, source
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(CHIP_PX), theme.px(CHIP_PX))

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._label is not None:
            painter = QPainter(self)
            painter.setFont(theme.font(theme.SIZES.small))
            paint_label(painter, QRectF(self.rect()).adjusted(1, 1, -1, -1), self._label, self._source)
            painter.end()


class FactsPanel(Panel):
    """Filled by `show_trial`."""

    cardRequested = Signal(str)  # of the classifier that wrote this lane

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.body.setContentsMargins(*[theme.px(8), theme.px(6)] * 2)
        self.body.setSpacing(theme.px(2))
        self.heading = Elided("", "message")
        self.heading.setFont(theme.font(theme.SIZES.large, bold=True))
        self.body.addWidget(self.heading)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(theme.px(8))
        self._grid.setVerticalSpacing(theme.px(1))
        self._grid.setColumnStretch(2, 1)
        self.body.addLayout(self._grid)
        self.body.addStretch(1)
        self._rows = [self._make_row(row) for row in range(ROWS)]

    def rows(self) -> list[tuple[str, str]]:
        """The words shown, row by row."""
        return [(name.text(), what.text()) for name, _, what, _ in self._rows if not name.isHidden()]

    def show_trial(self, trial: Trial | None, lanes: Sequence[Lane]) -> None:
        """Show a trial with what each lane says of it."""
        if trial is None:
            self.heading.setText("before the first clip")
            self._show([])
            return
        where = "rest" if trial.number == 0 else f"clip {trial.number} · {trial.clip}"
        self.heading.setText(where + (f" · {trial.how}" if trial.how not in (None, "done") else ""))
        shown: list[tuple[Lane, TimedLabel | None, str]] = []
        for lane in lanes:
            name = _of_trial(lane, trial)
            label = lane.labels[name] if name else None
            if lane.source == "person":
                shown.append((lane, label, _reported(trial)))
            elif name:
                shown.append((lane, label, _more(lane, name)))
        self._show(shown)

    def _show(self, shown: Sequence[tuple[Lane, TimedLabel | None, str]]) -> None:
        for at, (name, chip, what, card) in enumerate(self._rows):
            is_used = at < len(shown)
            for widget in (name, chip, what):
                widget.setVisible(is_used)
            card.setVisible(is_used and bool(shown[at][0].guesses))
            if is_used:
                lane, label, words = shown[at]
                name.setText(lane.name)
                chip.show_label(label, lane.source)
                what.setText(_with_training(lane, words))
                what.setStyleSheet(f"color: {theme.red_text()}" if lane.in_training else "")

    def _make_row(self, row: int) -> tuple[Elided, Chip, Elided, QPushButton]:
        name, chip, what = Elided("", "muted"), Chip(), Elided("")
        card = theme.role(QPushButton("card ▸"), "quiet")
        card.setToolTip("What this model is, and what it is worth")
        letters, pad = theme.px(theme.SIZES.small), theme.px(4)
        card.setStyleSheet(f"min-height: 0; padding: 0 {pad}px; font-size: {letters}px; border: none")
        card.setFixedHeight(theme.px(CHIP_PX))
        card.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        card.clicked.connect(lambda: self.cardRequested.emit(name.text()))
        name.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        name.setFixedWidth(theme.px(84))
        for words in (name, what):
            words.setFont(theme.font(theme.SIZES.small))
        self._grid.addWidget(name, row, 0)
        self._grid.addWidget(chip, row, 1)
        self._grid.addWidget(what, row, 2)
        self._grid.addWidget(card, row, 3)
        for widget in (name, chip, what, card):
            widget.hide()
        return name, chip, what, card


def _of_trial(lane: Lane, trial: Trial) -> str | None:
    """What a lane says of a trial: by its clip, else the label that covers the middle of it."""
    of_clip = [
        name
        for name, label in lane.labels.items()
        if label.clip == trial.clip and label.start_s < trial.end_s and label.end_s > trial.start_s
    ]
    if of_clip:
        return of_clip[-1]
    found = lane.at((trial.start_s + trial.end_s) / 2)
    return found[0] if found else None


def _more(lane: Lane, name: str) -> str:
    """A label in words, with how much of the clip a face was seen."""
    if name in lane.guesses:
        return f"{lane.words(name)}, usable {lane.guesses[name].usable:.0%}"
    check = lane.checks.get(name)
    if check is None or check.coverage is None:
        return lane.words(name)
    return f"{lane.words(name)}, coverage {check.coverage:.0%}"


def _with_training(lane: Lane, words: str) -> str:
    """What a classifier says, with whether it has learnt from this participant: that is not always known."""
    if lane.in_training:
        return f"{theme.HEALTH['act'].symbol} {words}, was in its training"
    is_open = is_classifier(lane.by) and was_learnt_from(lane.by) is None
    return f"{words}, whether in its training is not known" if is_open else words


def _reported(trial: Trial) -> str:
    if trial.said is None:
        return "no report in time" if trial.was_asked else "not reported"
    words = name_of(trial.said)
    if trial.response_s is not None:
        words += f", {trial.response_s:.1f} s"
    if trial.changes:
        words += f", changed {trial.changes} ×"
    return words
