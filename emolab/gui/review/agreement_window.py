"""How far the lanes agree: which are compared, over which units, and every figure with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtWidgets import QCheckBox, QDialog, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from emolab.core.errors import EmolabError
from emolab.gui import theme
from emolab.gui.widgets.chooser import Chooser
from emolab.gui.widgets.fact_table import FactTable
from emolab.gui.widgets.panel import text
from emolab.recording.trials import Trial
from emolab.review.agreement import WHATS, Figure, compare
from emolab.review.lanes import Lane

WORDS = {
    "state": "five states",
    "group": "negative, neutral, positive",
    "valence": "valence",
    "arousal": "arousal",
}
HEADINGS = ("figure", "lanes", "value#", "95 % interval", "units#", "")
WINDOWS_S = (None, 1.0, 5.0, 10.0, 30.0)


class AgreementWindow(QDialog):
    """Not modal; `show_lanes` whenever a lane has changed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Agreement between lanes")
        self.resize(theme.px(820), theme.px(560))
        self._lanes: Sequence[Lane] = ()
        self._trials: Sequence[Trial] = ()
        self._boxes: dict[str, QCheckBox] = {}
        self.what_box, self.unit_box = Chooser("what is compared"), Chooser("units")
        for what in WHATS:
            self.what_box.addItem(WORDS[what], what)
        for window_s in WINDOWS_S:
            self.unit_box.addItem("clips" if window_s is None else f"windows of {window_s:g} s", window_s)
        for box in (self.what_box, self.unit_box):
            box.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            box.setFixedWidth(theme.px(260))
            box.activated.connect(self._compare)
        self._lane_row = QHBoxLayout()
        self.windowing = text("", "muted", wraps=True)
        self.figures = FactTable("figures", HEADINGS, widest=len(HEADINGS) - 1)
        choices = QHBoxLayout()
        choices.addWidget(self.what_box)
        choices.addWidget(self.unit_box)
        choices.addStretch(1)
        column = QVBoxLayout(self)
        column.setSpacing(theme.px(8))
        column.addLayout(self._lane_row)
        column.addLayout(choices)
        column.addWidget(self.windowing)
        column.addWidget(self.figures, 1)

    def show_lanes(self, lanes: Sequence[Lane], every: Sequence[Trial]) -> None:
        """Offer these lanes; those that say something and were not switched off are compared."""
        off = {name for name, box in self._boxes.items() if box.isEnabled() and not box.isChecked()}
        while (item := self._lane_row.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self._lanes, self._trials, self._boxes = lanes, every, {}
        for lane in lanes:
            box = self._boxes[lane.name] = QCheckBox(lane.name)
            box.setEnabled(bool(lane.labels))
            box.setChecked(bool(lane.labels) and lane.name not in off)
            box.toggled.connect(self._compare)
            self._lane_row.addWidget(box)
        self._lane_row.addStretch(1)
        self._compare()

    def _compare(self) -> None:
        chosen = [lane for lane in self._lanes if self._boxes[lane.name].isChecked()]
        try:
            found = compare(chosen, self._trials, self.what_box.currentData(), self.unit_box.currentData())
        except EmolabError as error:
            self.windowing.setText(str(error))
            self.figures.show_rows([])
            return
        self.windowing.setText(found.windowing)
        most = max((len(one.lanes) for one in found.figures), default=0)
        self.figures.show_rows([_row(one, most) for one in found.figures])


def _row(figure: Figure, lanes: int) -> Sequence[str]:
    who = "all" if len(figure.lanes) == lanes > 2 else " × ".join(figure.lanes)
    got = figure.agreement
    if got is None or math.isnan(got.value):
        return (figure.name, who, "–", "–", "–", figure.why)
    interval = "–" if math.isnan(got.low) else f"{got.low:.2f} to {got.high:.2f}"
    return (figure.name, who, f"{got.value:.2f}", interval, str(got.units), "")
