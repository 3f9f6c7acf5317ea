"""What happens when something is asked for: the one place that knows pages, engine and study folder.

start page ──study──▸ set-up ──start──▸ run ──▸ finish ──next──▸ set-up
                        ▲ devices file → engine    │ engine died
                        └────────── lost ◂─────────┘
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from emolab.core.errors import EmolabError
from emolab.core.settings import Settings
from emolab.gui import screens
from emolab.gui.bridge import Bridge
from emolab.gui.console import chores, dialogs, override, planning, readiness
from emolab.gui.console.desk import Desk
from emolab.gui.console.memory import Memory
from emolab.gui.console.readiness import Form, pseudonym_error
from emolab.gui.console.reading import Reading
from emolab.gui.console.seat import Seat
from emolab.gui.console.window import ConsoleWindow
from emolab.session import folder
from emolab.session.client import find_engine
from emolab.session.mend import Mended
from emolab.session.prepare import NEVERTHELESS
from emolab.session.snapshot import Snapshot
from emolab.study import participants

PLAN_AFTER_MS = 150  # of quiet, so that a typed pseudonym is planned once
CHECK_S = 10.0
DEVICES_FILE = "devices.toml"
DEMO_SPEED = 2.0  # other than 1 it runs without sound, so that it works on every machine


class Flow(QObject):
    """Answers the console's intentions. `window` and `desk` are given, so tests bring their own."""

    def __init__(self, window: ConsoleWindow, desk: Desk, settings: Settings, memory: Memory) -> None:
        super().__init__(window)
        self.window, self.desk, self.settings, self.memory = window, desk, settings, memory
        self.seat = Seat(self)
        self.study: Path | None = None
        self.devices: Path | None = None
        self._speed = 1.0
        self._looked_at: Path | None = None  # the study whose engine is being asked how it stands
        self._has_seated = False
        self._asked: Form | None = None  # for the start under way
        self._is_starting = False  # until the engine has begun or refused: a double click is one start
        self._plan_timer = QTimer(self)
        self._plan_timer.setSingleShot(True)
        self._plan_timer.timeout.connect(self.plan)
        self._chores = chores.Chores(self)
        self.reading = Reading(window, memory, self._sits)
        self._connect_engine()
        self._connect_pages()
        self._chores.peeked.connect(self._peeked)
        self._chores.proposed.connect(self._proposed)
        self._chores.recovered.connect(window.lost.show_outcome)
        self._chores.mending.connect(self._show_mending)
        self._chores.mended.connect(self._show_mended)
        self._chores.failed.connect(lambda sentence: window.notice.say(sentence, "act"))
        self.show_screens()

    # studies

    def begin(self, study: Path | None, *, attach: bool = False) -> None:
        """Show the first page: the study given, or the start page with the one opened last."""
        if study is not None and attach:
            self.attach(study)
        elif study is not None:
            self.open_study(study)
        else:
            recent = self.memory.study or self.settings.study
            self.window.start.show_recent(recent)
            self.window.show_page("start")
            if recent is not None and self._runs_on(recent):
                self.window.start.show_running(recent, None)
                self._peek(recent)

    def open_study(self, study: Path) -> None:
        """Open a study folder; one whose engine runs is looked at first."""
        study = study.expanduser().resolve()
        if self._runs_on(study):
            self._peek(study)
            return
        self.desk.end()
        self._speed = 1.0
        self.enter(study)
        self._chores.mend(study)
        remembered = self.memory.of(study).get("devices")
        devices = Path(remembered) if remembered else study / DEVICES_FILE
        self.use_devices(devices if devices.is_file() else None)

    def try_demo(self) -> None:
        """A study of its own with the simulated participant."""
        study, devices = chores.demo_study()
        self.memory.keep(study, devices=str(devices), protocol=str(planning.demo_protocol()))
        if self._runs_on(study):
            self._peek(study)
            return
        self._speed = DEMO_SPEED
        self.enter(study)
        self.use_devices(devices)

    def use_devices(self, devices: Path | None) -> None:
        """Connect the instruments a devices file names."""
        assert self.study is not None
        self.devices = devices
        self.window.setup.instruments.show_devices(devices)
        simulated = False
        if devices is not None:
            try:
                simulated = chores.is_simulated(devices)
                self.memory.keep(self.study, devices=str(devices))
                self.desk.start(self.study, devices, self._speed)
            except EmolabError as error:
                self.desk.end()
                self.window.setup.instruments.show_problem(str(error))
        self.window.setup.participant.show_simulated(simulated)

    def attach(self, study: Path) -> None:
        """Go on with the engine that runs on a study, and with the devices file it was started on."""
        self.enter(study)
        self.devices = self._remembered_devices()
        try:
            simulated = self.devices is not None and chores.is_simulated(self.devices)
        except EmolabError:  # the file has gone since; the engine has long read it
            simulated = False
        self.window.setup.participant.show_simulated(simulated)
        self.desk.attach(study)

    def enter(self, study: Path) -> None:
        """Show the set-up page of a study, filled with what was chosen last."""
        self.study, self._looked_at = study, None
        used = {(who, number) for who, number, _ in folder.sessions(study)}
        last = self.memory.of(study)
        self.memory.keep(study)
        setup = self.window.setup
        protocol = Path(last["protocol"]) if Path(str(last.get("protocol", ""))).is_file() else None
        setup.protocol.show_protocols(planning.shipped_protocols(), protocol)
        setup.participant.want_language(str(last.get("language") or self.settings.language))
        setup.room.want_screen(str(last.get("screen", "")))
        setup.participant.fill(folder.next_pseudonym(study), 0, int(last.get("seed", 0)))
        setup.mended.clear()
        self.window.show_study(study, used, participants.withdrawn(study))
        self.show_screens()
        self.plan()

    def _skip(self) -> None:
        """The step that is seen: should it end before the engine hears, no other is skipped."""
        last = self.desk.last
        self.desk.send("skip", **({} if last is None else {"step": last.step}))

    def _runs_on(self, study: Path) -> bool:
        """Whether an engine runs on a study, other than the one just told to end."""
        address = find_engine(study)
        return address is not None and address.pid != self.desk.ended_pid

    def _peek(self, study: Path) -> None:
        self._looked_at = study
        self._chores.peek(study)

    def _peeked(self, study: Path, snapshot: Snapshot | None) -> None:
        if study != self._looked_at:  # a study has been opened meanwhile
            return
        self._looked_at = None
        if snapshot is not None and snapshot.phase not in ("setup", "finished", "failed"):
            self.window.start.show_running(study, snapshot)
            self.window.show_page("start")
            self.window.start.attach_button.setFocus()
        elif snapshot is not None:
            self.attach(study)
        else:
            self.window.start.show_running(None, None)

    # set-up

    def plan(self) -> None:
        """Lay the session out for the form as it stands."""
        form = self.window.setup.form
        if not form.protocol:
            self.window.show_plan(None)
            return
        if self.study is not None:
            self.window.setup.show_broken(planning.broken_off(self.study, form.participant, form.session))
        pseudonym = "P0" if pseudonym_error(form.participant) else form.participant
        plan = planning.lay_out(
            Path(form.protocol),
            pseudonym,
            form.session,
            form.seed,
            self.study,
            self.window.setup.participant.wanted_language,  # the form has it once the plan offers it
        )
        self.window.show_plan(plan)

    def go_on_with(self, participant: str, session: int) -> None:
        """Fill the form for what is left of a session that broke off."""
        panel = self.window.setup.participant
        panel.fill(participant, session)
        self.plan()
        panel.resume.setChecked(True)

    def start_session(self, form: Form) -> None:
        """Seat the participant and record; with something red only for a reason."""
        if self.desk.last is None or self._is_starting:
            return
        red = [readiness.sentence(check) for check in readiness.reds(self.desk.last)]
        if not red:
            self._start(form)
        elif reason := override.ask_reason(self.window, red):
            self._start(form, reason)

    def check_everything(self, form: Form) -> None:
        """Let the engine look at everything, without recording."""
        found = [
            {
                "name": fact.name,
                "width": round(fact.geometry.width() * fact.scale),
                "height": round(fact.geometry.height() * fact.scale),
                "x": fact.geometry.x(),
                "y": fact.geometry.y(),
            }
            for fact in screens.screens()
        ]
        self.desk.send("preflight", **asdict(form), seconds=CHECK_S, screens=found)

    def _start(self, form: Form, reason: str = "") -> None:
        if self.desk.bridge is None or self.study is None:
            return
        self._asked, self._is_starting = form, True
        room, wanted = self.window.setup.room, self.window.setup.participant.wanted_language
        self.memory.keep(
            self.study,
            protocol=form.protocol,
            seed=form.seed,
            language=wanted,
            screen=room.wanted or room.chosen,
        )
        self._has_seated = True
        self.seat.open(self.desk.bridge, room.chosen)
        self.desk.send("start", **asdict(form), **({"override": reason} if reason else {}))

    def show_screens(self) -> None:
        """Offer the screens there are."""
        self.window.setup.room.show_screens(screens.screens(), self.window.screen().name())

    def next_participant(self) -> None:
        """Back to the set-up page, with a fresh engine on the same instruments."""
        assert self.study is not None
        self.seat.close()
        if self.desk.last is not None:
            self._speed = self.desk.last.speed  # of an engine another window had started
        devices = self.devices or self._remembered_devices()
        self.desk.end()
        self.enter(self.study)
        self._chores.mend(self.study)
        self.use_devices(devices)

    def retry(self) -> None:
        """Try again whatever is not well: red instruments, and the sound while it holds the session."""
        last = self.desk.last
        if last is None:
            return
        for stream in last.streams:
            if stream.level == "act":
                self.desk.send("retry", stream=stream.name)
        if last.phase == "holding" and last.screen:
            self.desk.send("retry", stream="sound")

    def move_participant(self) -> None:
        """Put the participant's page on the next screen, or open it when there is none."""
        if self.seat.is_taken:
            self.seat.move_on(self.window.screen().name())
        elif self.desk.bridge is not None:
            self.seat.open(self.desk.bridge, self.window.setup.room.chosen)

    def _remembered_devices(self) -> Path | None:
        assert self.study is not None
        path = self.memory.of(self.study).get("devices")
        return Path(path) if path else None

    # closing

    def stop_by_word(self) -> None:
        """End the session after the word was typed."""
        if dialogs.ask_stopping(self.window):
            self.stop()

    def stop(self) -> None:
        """End the session in order; its file is complete."""
        if self.desk.is_recording:
            self.desk.send("abort")

    def close(self) -> None:
        """The user closes the console: a running session is asked about."""
        if not self._may_leave(dialogs.ask_closing):
            return
        self.reading.stop()
        self.seat.close()
        self.window.finish.send_note()
        self.desk.end()
        self.window.leave()

    def leave_study(self) -> None:
        """Back to the start page; a running session is asked about."""
        if not self._may_leave(dialogs.ask_leaving):
            return
        self.window.finish.send_note()
        self.desk.end()
        self.begin(None)

    def _may_leave(self, ask: Callable[[QWidget], str]) -> bool:
        """Whether the engine may be let go of; of one that has died there is nothing to ask."""
        if not self.desk.is_recording or self.desk.is_lost:
            return True
        answer = ask(self.window)
        if answer == dialogs.STOP:
            self.stop_by_word()
        return answer == dialogs.CLOSE

    # wiring

    def _connect_engine(self) -> None:
        self.desk.bridgeChanged.connect(self._bridge_changed)
        self.desk.snapshotChanged.connect(self._show)
        self.desk.engineLost.connect(self.window.show_loss)
        self.desk.engineFailed.connect(self.window.setup.instruments.show_problem)
        self.desk.commandFailed.connect(self._refused)
        self.seat.warned.connect(self.window.notice.say)
        self.seat.screensChanged.connect(self.show_screens)
        self.window.screenEntered.connect(self.show_screens)

    def _connect_pages(self) -> None:
        start, setup, run = self.window.start, self.window.setup, self.window.run
        start.recentRequested.connect(self.open_study)
        start.attachRequested.connect(lambda study: self.begin(study, attach=True))
        start.demoRequested.connect(self.try_demo)
        start.openRequested.connect(lambda: self._ask(dialogs.ask_study, self.open_study))
        start.newRequested.connect(lambda: self._ask(dialogs.ask_new_study, self.open_study))
        setup.studyRequested.connect(self.leave_study)
        setup.formChanged.connect(lambda _form: self._plan_timer.start(PLAN_AFTER_MS))
        setup.startRequested.connect(self.start_session)
        setup.checkRequested.connect(self.check_everything)
        setup.mended.resumeRequested.connect(self.go_on_with)
        setup.mended.folderRequested.connect(lambda path: chores.open_folder(path.parent))
        setup.preflight.retryRequested.connect(lambda name: self.desk.send("retry", stream=name))
        setup.preflight.leaveOutRequested.connect(lambda name: self.desk.send("leave_out", stream=name))
        setup.protocol.fileRequested.connect(lambda: self._ask(dialogs.ask_protocol, setup.protocol.choose))
        setup.instruments.chooseRequested.connect(lambda: self._ask(dialogs.ask_devices, self.use_devices))
        setup.instruments.proposeRequested.connect(lambda: self._chores.propose(self._study() / DEVICES_FILE))
        setup.instruments.retryRequested.connect(lambda name: self.desk.send("retry", stream=name))
        setup.instruments.leaveOutRequested.connect(lambda name: self.desk.send("leave_out", stream=name))
        setup.room.testRequested.connect(self.seat.test)
        setup.room.toneRequested.connect(lambda: self.desk.send("sound_check"))
        run.stopRequested.connect(self.stop)
        run.banner.retryRequested.connect(self.retry)
        run.banner.moveRequested.connect(self.move_participant)
        run.hand.pauseRequested.connect(lambda: self.desk.send("pause"))
        run.hand.resumeRequested.connect(lambda: self.desk.send("resume"))
        run.hand.skipRequested.connect(self._skip)
        run.hand.repeatRequested.connect(lambda: self.desk.send("repeat"))
        run.hand.markRequested.connect(lambda words: self.desk.send("mark", text=words))
        run.hand.noteRequested.connect(lambda words: self.desk.send("note", text=words))
        for page in (self.window.finish, self.window.lost):
            page.noteRequested.connect(lambda words: self.desk.send("note", text=words))
        self.window.finish.openFolderRequested.connect(lambda path: chores.open_folder(path.parent))
        self.window.finish.reviewRequested.connect(chores.open_review)
        self.window.finish.analysisRequested.connect(chores.open_analysis)
        self.window.finish.nextRequested.connect(self.next_participant)
        self.window.lost.recoverRequested.connect(self._chores.recover)
        self.window.lost.againRequested.connect(self.next_participant)
        self.window.closeRequested.connect(self.close)

    def _sits(self) -> tuple[Path | None, str]:
        """The study that is open, and who is recorded in it."""
        last = self.desk.last
        return self.study, last.participant if last is not None else ""

    def _bridge_changed(self, bridge: Bridge | None) -> None:
        self._has_seated = self._is_starting = False
        if bridge is None:
            self.reading.stop()
            self.seat.close()
        self.window.watch(bridge)
        if self.devices is not None:
            self.window.setup.instruments.show_devices(self.devices)

    def _show(self, snapshot: Snapshot) -> None:
        if snapshot.phase != "setup":
            self._is_starting = False
        self.window.show_snapshot(snapshot)
        self.seat.hand_over(snapshot, self.window)
        if self.desk.is_recording and not self._has_seated:
            self._has_seated = True  # attached to a session that runs: its participant needs a page
            if not snapshot.screen and self.desk.bridge is not None:
                self.seat.open(self.desk.bridge, self.window.setup.room.chosen)

    def _refused(self, asked: str, sentence: str) -> None:
        if asked == "start":
            self._is_starting = False
            if not self.desk.is_recording:  # else it was a second start: the participant's page stays
                self.seat.close()
                self._has_seated = False
            if sentence.endswith(NEVERTHELESS) and self._asked is not None:
                QTimer.singleShot(0, self, lambda: self._ask_why(sentence))
                return
        if asked == "preflight":
            self.window.setup.preflight.refuse()
            self.window.setup.close_checks()
        if asked == "sound_check":
            self.window.setup.room.show_tone(f"▲ {sentence}")
            self.desk.send("retry", stream="sound")
        if asked == "note":
            self.window.finish.take_back()
        self.window.notice.say(sentence)

    def _ask_why(self, refusal: str) -> None:
        """The engine saw red where the window did not yet: the same question as before Start."""
        form, self._asked = self._asked, None
        last = self.desk.last
        red = [readiness.sentence(check) for check in readiness.reds(last)] if last is not None else []
        reason = override.ask_reason(self.window, red or [refusal.removesuffix(NEVERTHELESS).strip()])
        if form is not None and reason:
            self._start(form, reason)

    def _proposed(self, devices: Path) -> None:
        if devices.parent != self.study:  # another study has been opened meanwhile
            return
        self.window.notice.say(
            f"{devices.name} is written into the study; correct in it what is guessed.", "well"
        )
        if self.window.page == "setup" and not self._is_starting:
            self.use_devices(devices)

    def _show_mending(self, study: Path, count: int) -> None:
        if study == self.study:
            self.window.setup.mended.show_work(count)

    def _show_mended(self, study: Path, mended: list[Mended]) -> None:
        if study == self.study:
            self.window.setup.mended.show_mended(mended)
            self.plan()  # what had broken off may be gone on with now

    def ask_review(self) -> None:
        """Open a recording in the analyst's window, which lives beside this one."""
        path = dialogs.ask_recording(self.window, self.study)
        if path is not None:
            chores.open_review(path)

    def analyse_study(self) -> None:
        """Open the study's figures and tests in a window of their own, a process of its own."""
        if self.study is None:
            self.window.notice.say("There is no study open; choose one first.")
        else:
            chores.open_analysis(self.study)

    def _study(self) -> Path:
        assert self.study is not None
        return self.study

    def _ask(
        self, question: Callable[[QWidget, Path | None], Path | None], use: Callable[[Path], None]
    ) -> None:
        try:
            answer = question(self.window, self.study)
        except OSError as error:
            self.window.notice.say(f"{error.filename}: {error.strerror}; choose another place.")
            return
        if answer is not None:
            use(answer)
