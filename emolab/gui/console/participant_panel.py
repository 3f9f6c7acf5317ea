"""Who comes today: pseudonym, session number, language and seed."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLabel, QLineEdit, QWidget

from emolab.gui import theme
from emolab.gui.console.number_field import NumberField
from emolab.gui.widgets.chooser import Chooser
from emolab.gui.widgets.panel import Panel, Remark, say, text

LANGUAGE_NAMES = {"en": "English", "zh": "中文", "de": "Deutsch", "fr": "Français", "es": "Español"}


class ParticipantPanel(Panel):
    """Four fields; `changed` after each edit. What is wrong stands right under them.

    `wanted_language` is the user's own choice, kept while a protocol has no texts for it.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Participant", parent)
        self.pseudonym = QLineEdit()
        self.pseudonym.setMaxLength(32)
        self.pseudonym.setPlaceholderText("P001")
        self.pseudonym.setToolTip("Letters, digits and hyphens with a number; never a name")
        self.session = NumberField("Session", 0, 99)
        self.language = Chooser("Language")
        self.seed = NumberField("Seed", 0, 999_999)
        self.seed.setToolTip("The study's seed: the same for all participants keeps orders counterbalanced")
        fields = QGridLayout()
        fields.setHorizontalSpacing(theme.px(12))
        fields.setVerticalSpacing(theme.px(8))
        _place(fields, 0, "&Pseudonym", self.pseudonym)
        _place(fields, 2, "Sessio&n", self.session)
        _place(fields, 0, "&Language", self.language, row=1)
        _place(fields, 2, "S&eed", self.seed, row=1)
        fields.setColumnStretch(1, 3)
        fields.setColumnStretch(3, 2)
        self.body.addLayout(fields)
        self.simulated = QCheckBox("The simulated participant answers by itself")
        self.simulated.hide()
        self.body.addWidget(self.simulated)
        self.resume = QCheckBox()
        self.resume.hide()
        self.body.addWidget(self.resume)
        self.consent = text("", "muted", wraps=True)
        self.consent.setToolTip("Every version shown is kept in the study's folder 'consent'")
        self.consent.hide()
        self.body.addWidget(self.consent)
        self.problem = Remark()
        self.body.addWidget(self.problem)
        self.wanted_language = "en"
        self.show_languages(("en",), "en")
        self.show_problem("")
        self.pseudonym.textChanged.connect(self._tidy)
        self.language.currentIndexChanged.connect(self._choose_language)  # before `changed` tells of it
        for signal in (self.session.valueChanged, self.seed.valueChanged, self.language.currentIndexChanged):
            signal.connect(lambda _value: self.changed.emit())
        self.resume.toggled.connect(lambda _is_on: self.changed.emit())

    def fill(self, pseudonym: str, session: int, seed: int | None = None) -> None:
        """Put a suggestion into the fields, without a `changed` for each."""
        with QSignalBlocker(self.pseudonym), QSignalBlocker(self.session), QSignalBlocker(self.seed):
            self.pseudonym.setText(pseudonym)
            self.session.set_value(session)
            if seed is not None:
                self.seed.set_value(seed)
        self.changed.emit()

    def want_language(self, language: str) -> None:
        """Choose this language whenever a protocol has texts for it, until the user chooses another."""
        self.wanted_language = language
        if (at := self.language.findData(language)) >= 0:
            with QSignalBlocker(self.language):
                self.language.setCurrentIndex(at)

    def show_languages(self, languages: tuple[str, ...], otherwise: str) -> None:
        """Offer the languages a protocol has texts for; `otherwise`: where the wanted one is missing."""
        with QSignalBlocker(self.language):
            if tuple(self.language.itemData(i) for i in range(self.language.count())) != languages:
                self.language.clear()
                for code in languages:
                    self.language.addItem(_language_name(LANGUAGE_NAMES, code), code)
            chosen = self.wanted_language if self.wanted_language in languages else otherwise
            self.language.setCurrentIndex(max(self.language.findData(chosen), 0))

    def show_consent(self, said: str) -> None:
        """Which consent text the participant will see; empty while that is not known."""
        say(self.consent, said)

    def show_simulated(self, is_simulated: bool) -> None:
        """Offer to let the simulated participant answer, where all instruments are simulated."""
        self.simulated.setVisible(is_simulated)
        self.simulated.setChecked(is_simulated)

    def show_broken(self, offer: str) -> None:
        """Offer to go on with a session that broke off, in these words; empty for no offer."""
        if offer == (self.resume.text() if not self.resume.isHidden() else ""):
            return
        with QSignalBlocker(self.resume):
            self.resume.setChecked(False)
        self.resume.setText(offer)
        self.resume.setVisible(bool(offer))

    @property
    def is_resuming(self) -> bool:
        """Whether the session that broke off is to be gone on with."""
        return not self.resume.isHidden() and self.resume.isChecked()

    def show_problem(self, message: str) -> None:
        """What must be mended here before Start; empty for nothing."""
        self.problem.say(message, "act")

    def _choose_language(self, _index: int) -> None:
        self.wanted_language = str(self.language.currentData())

    def _tidy(self, typed: str) -> None:
        if typed != typed.strip():
            self.pseudonym.setText(typed.strip())
            return
        self.changed.emit()


def _language_name(names: Mapping[str, str], code: str) -> str:
    return names.get(code, code)


def _place(grid: QGridLayout, column: int, caption: str, field: QWidget, row: int = 0) -> None:
    label = QLabel(caption)
    label.setBuddy(field)
    field.setAccessibleName(caption.replace("&", ""))
    grid.addWidget(label, row, column)
    grid.addWidget(field, row, column + 1)
