"""Which classifier is to judge this session, and how it is cut; the model's card stands beside the choice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from emolab.core.errors import EmolabError
from emolab.gui import theme
from emolab.gui.review.model_card import Alarm, CardView
from emolab.gui.widgets.panel import Elided, text
from emolab.training import people
from emolab.training.opened import DEFAULT, look

WINDOW_S, HOP_S = (10.0, 600.0, 30.0), (0.5, 600.0, 10.0)  # least, most, at first


@dataclass(frozen=True)
class Asked:
    """What is to be run. `window_s`, `hop_s`: 0 for clips as windows. `music`: where it is wanted."""

    run: str
    window_s: float = 0.0
    hop_s: float = 0.0
    music: str = ""


class ClassifierDialog(QDialog):
    """Filled by `show_run`; `asked` is what was chosen."""

    def __init__(
        self,
        recording: Path,
        participant: str,
        run: str = DEFAULT,
        study: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """`study`: as the recording's header names it."""
        super().__init__(parent)
        self.setWindowTitle("Run a classifier")
        self.resize(theme.px(900), theme.px(620))
        self._recording, self._participant, self._run, self._study = recording, participant, run, study
        self._music = ""
        self.shipped_button = QRadioButton("The one that comes with emolab")
        self.own_button = QRadioButton("A run of mine:")
        self.folder_button = QPushButton("Choose a folder…")
        self.folder = Elided("none chosen", "muted")
        self.music_label, self.music_button = text("It listens, too:"), QPushButton("Music figures…")
        self.music = Elided("a table of the clips' ComParE figures, as PMEmo has", "muted")
        self.clips_button = QRadioButton("Each clip as a whole")
        self.windows_button = QRadioButton("Windows of")
        self.window_box = _seconds(*WINDOW_S, "length of a window")
        self.hop_box = _seconds(*HOP_S, "from one window to the next")
        self.alarm, self.card = Alarm(), CardView()
        self.problem = text("", "message", wraps=True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.run_button = self.buttons.addButton("Run", QDialogButtonBox.ButtonRole.AcceptRole)
        theme.role(self.run_button, "primary")
        self._lay_out()
        self._connect()
        self.clips_button.setChecked(True)
        (self.shipped_button if run == DEFAULT else self.own_button).setChecked(True)
        self.show_run(run)

    @property
    def asked(self) -> Asked:
        """What is to be run."""
        music = "" if self.music_button.isHidden() else self._music
        if self.clips_button.isChecked():
            return Asked(self._run, music=music)
        return Asked(self._run, self.window_box.value(), self.hop_box.value(), music)

    def take_music(self, table: str) -> None:
        """Figures of the music, for a model that wants them."""
        self._music = table
        self.music.setText(table)
        self.run_button.setEnabled(not self.problem.text())

    def show_run(self, run: str) -> None:
        """Choose a run, and show what it is worth."""
        self._run = run
        if run != DEFAULT:
            self.folder.setText(run)
        try:
            known = look(run)
        except EmolabError as error:
            self._tell(str(error))
            self._show_music(False)
            self.card.show_card("")
            self.alarm.say("")
            self.run_button.setEnabled(False)
            return
        self._tell("")
        self.card.show_card(known.card())
        mine = known.learnt_from(self._recording, self._participant, self._study)
        self.alarm.say(" ".join(filter(None, (people.told(mine, self._participant), *known.alarms))))
        self._show_music(known.listens)
        self.run_button.setEnabled(bool(self._music) or not known.listens)

    def _connect(self) -> None:
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.shipped_button.clicked.connect(lambda: self.show_run(DEFAULT))
        self.own_button.clicked.connect(self._ask_folder)
        self.folder_button.clicked.connect(self._ask_folder)
        self.music_button.clicked.connect(self._ask_music)
        self.windows_button.toggled.connect(self.window_box.setEnabled)
        self.windows_button.toggled.connect(self.hop_box.setEnabled)

    def _tell(self, problem: str) -> None:
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))

    def _show_music(self, is_wanted: bool) -> None:
        for widget in (self.music_label, self.music_button, self.music):
            widget.setVisible(is_wanted)

    def _ask_music(self) -> None:
        found, _ = QFileDialog.getOpenFileName(
            self, "Figures of the clips' music", self._near(), "Tables (*.csv)"
        )
        if found:
            self.take_music(found)

    def _ask_folder(self) -> None:
        found = QFileDialog.getExistingDirectory(
            self, "The folder of a run ('emolab train --out')", self._near()
        )
        if found:
            self.own_button.setChecked(True)
            self.show_run(found)
        elif self._run == DEFAULT:
            self.shipped_button.setChecked(True)

    def _near(self) -> str:
        return str(Path(self._run).parent if self._run != DEFAULT else self._recording.parent.parent)

    def _lay_out(self) -> None:
        models, cuts = QButtonGroup(self), QButtonGroup(self)
        for button in (self.shipped_button, self.own_button):
            models.addButton(button)
        for button in (self.clips_button, self.windows_button):
            cuts.addButton(button)
        choice = QGridLayout()
        choice.setHorizontalSpacing(theme.px(8))
        choice.setVerticalSpacing(theme.px(8))
        choice.addWidget(text("Model", "heading"), 0, 0, 1, 3)
        choice.addWidget(self.shipped_button, 1, 0, 1, 3)
        choice.addWidget(self.own_button, 2, 0)
        choice.addWidget(self.folder_button, 2, 1)
        choice.addWidget(self.folder, 2, 2)
        choice.addWidget(self.music_label, 3, 0)
        choice.addWidget(self.music_button, 3, 1)
        choice.addWidget(self.music, 3, 2)
        choice.setColumnStretch(2, 1)
        windows = QHBoxLayout()
        windows.setSpacing(theme.px(8))
        for widget in (self.windows_button, self.window_box, text("every"), self.hop_box):
            windows.addWidget(widget)
        windows.addStretch(1)
        self.window_box.setEnabled(False)
        self.hop_box.setEnabled(False)
        column = QVBoxLayout(self)
        column.setSpacing(theme.px(8))
        column.addLayout(choice)
        column.addSpacing(theme.px(8))
        column.addWidget(text("What it judges at once", "heading"))
        column.addWidget(self.clips_button)
        column.addLayout(windows)
        column.addSpacing(theme.px(8))
        column.addWidget(self.alarm)
        column.addWidget(self.problem)
        column.addWidget(self.card, 1)
        column.addWidget(self.buttons)


def _seconds(least: float, most: float, first: float, name: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(least, most)
    box.setDecimals(1)
    box.setSuffix(" s")
    box.lineEdit().setTextMargins(*(theme.px(theme.SIZES.gap_small), 0) * 2)  # a style sheet's are not heard
    box.setValue(first)
    box.setAccessibleName(name)
    return box
