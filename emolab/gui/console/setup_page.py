"""The set-up page: who, what and with which instruments; it starts when nothing is red, or with a reason."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from emolab.gui import theme
from emolab.gui.bridge import Bridge
from emolab.gui.console.instruments_panel import InstrumentsPanel
from emolab.gui.console.mended_bar import MendedBar
from emolab.gui.console.participant_panel import ParticipantPanel
from emolab.gui.console.planning import PlanView
from emolab.gui.console.preflight_panel import PreflightPanel
from emolab.gui.console.protocol_panel import ProtocolPanel
from emolab.gui.console.readiness import Blocker, Form, Used, Withdrawn, blockers, check_blocker
from emolab.gui.console.room_panel import RoomPanel
from emolab.gui.console.start_bar import StartBar
from emolab.gui.widgets.panel import Elided
from emolab.session.snapshot import Snapshot


class SetupPage(QWidget):
    """Emits `formChanged(Form)` after each edit, `startRequested(Form)` and `checkRequested(Form)`."""

    formChanged = Signal(object)
    startRequested = Signal(object)
    checkRequested = Signal(object)
    studyRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.participant = ParticipantPanel()
        self.protocol = ProtocolPanel()
        self.room = RoomPanel()
        self.instruments = InstrumentsPanel()
        self.preflight = PreflightPanel()
        self.mended = MendedBar()
        self._right = QStackedWidget()
        self._used: Used = ()
        self._withdrawn: Withdrawn = {}
        self._plan: PlanView | None = None
        self._snapshot: Snapshot | None = None
        self._said: tuple[Blocker, ...] | None = None
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(0)
        page.addWidget(self._make_header())
        page.addWidget(self.mended)
        page.addLayout(self._make_columns(), 1)
        self._foot = StartBar()
        self.readiness, self.start_button = self._foot.readiness, self._foot.start_button
        self.check_button, self.results_button = self._foot.check_button, self._foot.results_button
        page.addWidget(self._foot)
        self.start_button.clicked.connect(lambda: self.startRequested.emit(self.form))
        self.check_button.clicked.connect(self._check)
        self.results_button.clicked.connect(self.open_checks)
        self.participant.changed.connect(self._tell)
        self.protocol.changed.connect(self._tell)
        self.preflight.closeRequested.connect(self.close_checks)
        self._escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.close_checks)
        self._escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._escape.setEnabled(False)
        self._weigh()

    @property
    def form(self) -> Form:
        """What is entered now."""
        return Form(
            participant=self.participant.pseudonym.text(),
            session=self.participant.session.value(),
            seed=self.participant.seed.value(),
            language=str(self.participant.language.currentData() or "en"),
            protocol=self.protocol.path,
            answers="simulated" if self.participant.simulated.isChecked() else "window",
            resume=self.participant.is_resuming,
        )

    def watch(self, bridge: Bridge | None) -> None:
        """Take live samples from this bridge; None while no engine runs."""
        self._snapshot = None
        self.instruments.watch(bridge)
        self.preflight.forget()
        self.close_checks()
        self._weigh()

    def show_study(self, study: Path, used: Used, withdrawn: Withdrawn | None = None) -> None:
        """Name the study, what is recorded in it already, and who withdrew."""
        self._used, self._withdrawn = used, withdrawn or {}
        self._study.setText(f"Study  ▸  {study.name}")
        self._study.setToolTip(str(study))
        self._weigh()

    def show_broken(self, offer: str) -> None:
        """Offer to go on with the session the form names; empty when it did not break off."""
        self.participant.show_broken(offer)
        self._weigh()

    def show_plan(self, plan: PlanView | None) -> None:
        """The plan for the form as it stands."""
        self._plan = plan
        self.protocol.show_plan(plan)
        self.participant.show_consent(plan.consent if plan is not None else "")
        if plan is not None and plan.languages:
            self.participant.show_languages(plan.languages, plan.language)
        self._weigh()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Bring instruments and readiness up to date."""
        self._snapshot = snapshot
        self.instruments.show_snapshot(snapshot)
        self.preflight.show_snapshot(snapshot)
        self._weigh()

    @property
    def are_checks_open(self) -> bool:
        """Whether the pre-flight lies over the instruments."""
        return self._right.currentWidget() is self.preflight

    def open_checks(self) -> None:
        """Show the pre-flight in the place of the instruments; Esc goes back."""
        self._right.setCurrentWidget(self.preflight)
        self._escape.setEnabled(True)
        self.preflight.results.setFocus()
        self._weigh()

    def close_checks(self) -> None:
        """Back to the instruments; the results are kept."""
        if not self.are_checks_open:
            return
        self._right.setCurrentWidget(self.instruments)
        self._escape.setEnabled(False)
        self._weigh()
        self.check_button.setFocus()

    def _check(self) -> None:
        if self.preflight.is_awaited:
            return
        self.preflight.begin()
        self.open_checks()
        self.checkRequested.emit(self.form)

    def _tell(self) -> None:
        self._weigh()
        self.formChanged.emit(self.form)

    def _weigh(self) -> None:
        """Judge whether Start is possible, and say why not right beside it."""
        error = self._plan.error if self._plan else ""
        found = tuple(
            sorted(
                blockers(self.form, error, self._used, self._snapshot, self._withdrawn),
                key=lambda b: (b.level != "act", b.can_override),
            )
        )
        self._weigh_check(error)
        if found == self._said:
            return
        self._said = found
        of_participant = next((b.message for b in found if b.field == "participant"), "")
        self.participant.show_problem(of_participant if self.form.participant else "")
        self._foot.show_blockers(found)

    def _weigh_check(self, plan_error: str) -> None:
        """Whether everything can be checked now, and whether there are results to go back to."""
        why_not = check_blocker(self.form, plan_error, self._snapshot)
        has_results = self._snapshot is not None and bool(self._snapshot.preflight)
        self._foot.show_check(why_not, has_results and not self.are_checks_open)

    def _make_header(self) -> QFrame:
        bar = theme.role(QFrame(), "bar")
        row = QHBoxLayout(bar)
        row.setContentsMargins(theme.px(16), theme.px(8), theme.px(16), theme.px(8))
        self._study = Elided("Study", "heading")
        self.study_button = QPushButton("Other stud&y…")
        theme.role(self.study_button, "quiet")
        self.study_button.clicked.connect(self.studyRequested)
        row.addWidget(self._study, 1)
        row.addWidget(self.study_button)
        return bar

    def _make_columns(self) -> QHBoxLayout:
        left = QVBoxLayout()
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(theme.px(12))
        for panel in (self.participant, self.protocol, self.room):
            left.addWidget(panel)
        left.addStretch(1)
        holder = QWidget()
        holder.setLayout(left)
        scroll = QScrollArea()
        scroll.setWidget(holder)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setFixedWidth(theme.px(470))
        columns = QHBoxLayout()
        columns.setContentsMargins(*[theme.px(12)] * 4)
        columns.setSpacing(theme.px(12))
        columns.addWidget(scroll)
        self._right.addWidget(self.instruments)
        self._right.addWidget(self.preflight)
        columns.addWidget(self._right, 1)
        return columns
