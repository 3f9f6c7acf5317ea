"""The engine: owns clock, instruments, runner, recorder and player; starts and stops them in order.

    setup ──start──▸ running ──the runner ends──▸ finished ──▸ gone
                        └──────the recorder fails──▸ failed ──▸ gone

It runs in a process of its own (`emolab engine`, spawned by a console) or in the foreground of
`emolab record`. One engine records one session. All state is touched only by the thread that
calls `serve`; pumps and windows reach it through one inbox, and windows get frozen snapshots.
"""

from __future__ import annotations

import logging
import queue
import shutil
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from emolab.core.clock import Clock
from emolab.core.errors import ConfigError, DeviceError, EmolabError, RecordingError
from emolab.core.event import Event
from emolab.core.settings import Settings
from emolab.devices import config
from emolab.recording.inspect import inspect
from emolab.recording.recorder import Recorder
from emolab.session import commands, diary, folder, preflight, view
from emolab.session.health import judge
from emolab.session.hub import Hub
from emolab.session.link import Server
from emolab.session.loopback import search_with
from emolab.session.outlets import Outlets
from emolab.session.player import Player, SilentPlayer, SoundPlayer
from emolab.session.prepare import Prepared, StartRequest, check, prepare
from emolab.session.pump import Pump
from emolab.session.respondent import respondent_for
from emolab.session.rings import Rings
from emolab.session.run import Run
from emolab.session.snapshot import LogLine, Phase, Snapshot, StreamHealth
from emolab.session.standstill import Standstill
from emolab.session.stimuli import Rendering, missing
from emolab.session.watch import Watch
from emolab.study import participants

log = logging.getLogger(__name__)

TICK_S = 0.005
SNAPSHOT_STEP_S = 1 / 40  # windows ask thirty times a second
LOOK_STEP_S = 1.0  # `watch` and lonely engines are looked at this often
LINGER_S = 60.0  # an engine no window looks at goes, unless it records
JOIN_S = 2.0  # for all pumps together: a session ends within five seconds
CLOSE_S = 30.0
LEAST_FREE_BYTES = 100 << 20  # the recorder stops at 16 MB
LOG_LINES = 20


class Engine:
    """One session's engine on a study folder. `with_sound`: False for sessions nobody hears."""

    def __init__(
        self,
        study: Path,
        devices: config.DeviceFile,
        clock: Clock,
        settings: Settings,
        *,
        with_sound: bool = True,
    ) -> None:
        self.study, self.devices, self.settings = study, devices, settings
        self.clock: Clock = clock
        self.phase: Phase = "setup"
        self.message = ""
        self.run: Run | None = None
        self.preflight: preflight.Preflight | None = None
        self.recorder: Recorder | None = None
        self.prepared: Prepared | None = None
        self.zero_s = 0.0
        self.screen = ""
        self.summary: dict[str, Any] = {}
        self.log: deque[LogLine] = deque(maxlen=LOG_LINES)
        self.free_bytes = 0
        self.is_shutting_down = False
        self.holds: dict[str, str] = {}
        self.sound_fault = ""  # why nothing can be heard, with the remedy
        self._with_sound = with_sound
        # not a SimpleQueue: in CPython 3.11 a signal at the wrong moment makes its get wait for ever
        self._inbox: queue.Queue[Callable[[], None]] = queue.Queue()
        self._reports: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._interrupted = ""
        self._windows: dict[int, str] = {}
        self._asked_s: dict[int, float] = {}  # when each connection last asked how things stand, monotonic
        self._line = Snapshot(study=str(study)).to_json()  # a window may ask before `arm` has published
        self._due = {"snapshot": 0.0, "look": 0.0}
        self._last_lights: tuple[StreamHealth, ...] | None = None  # once nothing is read any more
        self.watch, self.standstill = Watch(), Standstill()
        self._lonely_since = time.monotonic()
        folder.make(study)
        self._rings = Rings()
        self._outlets: Outlets | None = None
        try:
            sources = config.build(devices, clock)  # first: no window may attach to what a slip will end
            self._server = Server(study, self._rings.folder, self._answer, self._gone)
            folder.tidy(study)
            if settings.lsl:
                self._outlets = Outlets(clock, study.resolve().name, self.report)
            self.hub = Hub(clock, self._rings.folder, self._outlets, self._rings.spare)
            self.pumps = {
                source.info.name: Pump(source.info.name, source, clock, self.hub, self.report)
                for source in sources
            }
        except BaseException:
            self._sweep()
            raise
        self._follower = clock.follow("engine")
        self.player: Player = SilentPlayer()
        self.rendering = Rendering(settings)

    # life

    def arm(self, *, render: bool = True) -> None:
        """Open everything: pumps run, lights come on, nothing is recorded yet.

        `render`: compose the clips that this machine has not got yet, in the background.
        """
        if self._with_sound:
            try:
                self.player = SoundPlayer(self.clock, self.settings.sound)
            except DeviceError as error:
                self.sound_fault = str(error)
        for pump in self.pumps.values():
            pump.start()
        if render:
            self.rendering.start()
        self._publish()

    def serve(self, until: Callable[[], bool] | None = None) -> None:
        """Run until shut down, or until `until()` is true."""
        while not self.is_shutting_down and not (until is not None and until()):
            self._turn()

    def interrupt(self, why: str) -> None:
        """End the session in order, from a signal handler: complete file, marked as interrupted."""
        self._interrupted = why

    @property
    def is_interrupted(self) -> bool:
        """Whether a signal has asked to end."""
        return bool(self._interrupted)

    def close(self) -> None:
        """Stop whatever still runs and give the study free. Idempotent."""
        if self.preflight is not None:
            self.preflight.cancel(JOIN_S)
        if self.run is not None and self.phase == "running":
            self.run.runner.abort(self.clock.now_s(), outcome="interrupted")
            self._tick(self.clock.now_s())
            if self.phase == "running":
                self._finish()
        self.watch.close()
        self._stop_pumps()
        self.player.close()
        self._sweep()

    def start(self, request: StartRequest) -> None:
        """Start recording. Raises `ConfigError` or `RecordingError` with the remedy, changing nothing."""
        if self.phase != "setup":
            raise ConfigError("this engine has begun its session already; the next one needs a new engine")
        _, bank, plan, _ = check(request, self.study)
        if self.rendering.is_busy and missing(bank, [clip.id for clip in plan.trials], self.settings):
            raise ConfigError(f"{self.rendering.progress}; start when they are ready")
        if (free_bytes := shutil.disk_usage(self.study).free) < LEAST_FREE_BYTES:
            raise ConfigError(
                f"the disk of {self.study} has only {free_bytes / 1e6:.0f} MB left; free some, or choose "
                "a study folder on another disk"
            )
        if request.answers == "window" and self.sound_fault:
            raise ConfigError(f"The participant would hear nothing: {self.sound_fault}")
        overridden = preflight.gate(self, request.override)
        self.rendering.stop()  # the other clips can wait until the session is over
        prepared = prepare(request, self.study, self.settings)
        for step_path in {clip.path for clip in prepared.plan.trials if clip.path}:
            self.player.prepare(step_path, prepared.study.clip_s)
        self._begin(prepared)
        if overridden is not None:
            self.record(overridden)
        try:  # who withdrew in this very moment: withdrawing looks for a running session after its first mark
            participants.check_open(self.study, request.participant)
        except ConfigError as error:
            self._break_off(str(error))

    def health(self) -> tuple[StreamHealth, ...]:
        """The light of each instrument now; after the session, as it ended: silence is no fault then."""
        if self._last_lights is not None:
            return self._last_lights
        now_s = self.clock.now_s()
        return tuple(
            judge(name, self.hub.streams.get(name), pump.status, now_s) for name, pump in self.pumps.items()
        )

    def report(self, event: Event) -> None:
        """Record an event and tell it on the console. From any thread."""
        self._reports.put(event)
        self._inbox.put(self._take_reports)

    def _take_reports(self) -> None:
        with suppress(queue.Empty):
            while True:
                self.record(self._reports.get_nowait())

    def record(self, event: Event) -> None:
        """The same at once, from the engine's own thread."""
        if self.recorder is not None:
            self.recorder.mark(event)
        self._tell(event)

    def _tell(self, event: Event) -> None:
        """Tell the console of an event, and whoever listens through LSL. From any thread."""
        if self._outlets is not None:
            self._outlets.mark(event, self.zero_s)
        try:
            line = diary.line(event.shifted(-self.zero_s))
        except Exception:  # a fault in what is only shown must never end a recording
            log.exception("event %s cannot be told", event.kind)
            return
        if line is not None:
            self.log.append(line)

    def hold(self, what: str, reason: str) -> None:
        """Let the protocol wait before the next clip until `release(what)`."""
        self.holds[what] = reason
        if self.run is not None:
            self.run.runner.hold(self.clock.now_s(), reason)

    def release(self, what: str) -> None:
        """One reason to wait is gone."""
        reason = self.holds.pop(what, None)
        if reason is not None and self.run is not None:
            self.run.runner.release(self.clock.now_s(), reason)

    def note(self, text: str) -> None:
        """Keep a remark of the experimenter: in the file, or beside it once the session has finished."""
        event = Event(self.clock.now_s(), "note", data={"text": text})
        if self.phase in ("finished", "failed") and self.prepared is not None:
            with folder.notes_path(self.prepared.path).open("a", encoding="utf-8") as file:
                file.write(event.shifted(-self.zero_s).to_json() + "\n")
            self._tell(event)
        else:
            self.record(event)

    def reopen_sound(self) -> None:
        """Try the sound output again. Raises `DeviceError` when it still cannot be opened."""
        self.player.close()
        self.use_player(SoundPlayer(self.clock, self.settings.sound))

    def use_player(self, player: Player) -> None:
        """Play through this one from now on; `watch` lets the session go on once it has settled."""
        self.player.close()
        self.player, self.sound_fault = player, ""
        self.watch.stop_seeking()
        if self.run is not None:
            self.run.change_player(player)

    def post(self, item: Callable[[], None]) -> None:
        """Have the engine's thread do something. From any thread."""
        self._inbox.put(item)

    # one turn of the loop

    def _turn(self) -> None:
        self.standstill.look(self)  # first: what was due meanwhile must not all happen now
        now_s = self.clock.now_s()
        if self._interrupted and self.phase == "running" and self.run is not None:
            self.run.runner.abort(now_s, outcome="interrupted")
        elif self._interrupted:
            self.is_shutting_down = True
        if self.run is not None and self.phase == "running":
            self._tick(now_s)
        self._look()
        if time.monotonic() >= self._due["snapshot"]:
            is_watched = self._server.connections > 0
            self._due["snapshot"] = time.monotonic() + (SNAPSHOT_STEP_S if is_watched else LOOK_STEP_S / 4)
            self._publish()
        self._wait(now_s)

    def _tick(self, now_s: float) -> None:
        """Let the session do what is due; whatever goes wrong in it, its recording is ended in order."""
        assert self.run is not None and self.recorder is not None
        try:
            self.run.tick(now_s)
        except Exception as error:
            log.exception("the session cannot go on")
            self._break_off(f"the session's course failed: {type(error).__name__}: {error}")
            return
        if self.recorder.error is not None:
            self._fail(self.recorder.error)
        elif self.run.outcome:
            self._finish()

    def _do(self, item: Callable[[], None]) -> None:
        """Carry out one thing from the inbox; commands have told their faults themselves."""
        self.standstill.look(self)  # a click made meanwhile moves the session as a turn does
        try:
            item()
        except Exception as error:
            log.exception("the engine could not take a message")
            if self.recorder is not None:
                said = f"{type(error).__name__}: {error}"
                self.recorder.mark(
                    Event(self.clock.now_s(), "error", data={"where": "engine", "message": said})
                )

    def _wait(self, now_s: float) -> None:
        """Let simulated time go on as far as we can follow, then sleep until something is due."""
        next_s = self.run.next_s if self.run is not None and self.phase == "running" else now_s + 1.0
        self._follower.allow_until(min(next_s, now_s + 1.0))
        try:
            timeout_s = min(max(next_s - now_s, 0.0) / self.clock.speed, TICK_S / max(self.clock.speed, 1.0))
            self._do(self._inbox.get(timeout=max(timeout_s, 0.0002)))
            while True:
                self._do(self._inbox.get_nowait())
        except queue.Empty:
            pass

    def _look(self) -> None:
        if time.monotonic() < self._due["look"]:
            return
        self._due["look"] = time.monotonic() + LOOK_STEP_S
        self.watch.look(self)
        if self._server.connections or self.phase == "running":
            self._lonely_since = time.monotonic()
        elif time.monotonic() - self._lonely_since > LINGER_S:
            log.info("no window for %.0f s: the engine goes", LINGER_S)
            self.is_shutting_down = True

    def _publish(self) -> None:
        try:
            self._line = view.snapshot_of(self).to_json()
        except Exception:  # a fault in what is only shown must never end a recording
            log.exception("the snapshot failed")

    # a session's beginning and end

    def _begin(self, prepared: Prepared) -> None:
        header = prepared.header(self.study.resolve().name, self.devices.text, self.clock.speed)
        streams = [
            self.hub.streams[name].info
            for name, pump in self.pumps.items()
            if pump.status.state != "left_out"
        ]
        participants.admit(self.study, prepared.request.participant)
        prepared.path.parent.mkdir(parents=True, exist_ok=True)
        with self.hub.keep() as hand_over:
            now_s = self.clock.now_s()  # from here on every sample is kept
            recorder = Recorder(prepared.path, header, streams, now_s, clock=self.clock, on_event=self._tell)
            hand_over(recorder.put)
        self.zero_s, self.prepared, self.recorder = now_s, prepared, recorder
        answers = prepared.request.answers
        ear = self.hub.listen() if isinstance(self.player, SoundPlayer) else None
        self.run = Run(
            prepared,
            self.clock,
            self.player,
            respondent_for(answers, self.clock),
            self.record,
            search_with(ear, self.report),
        )
        left_out = [name for name, pump in self.pumps.items() if pump.status.state == "left_out"]
        facts = {**prepared.facts(), "left_out": left_out}
        self.record(Event(now_s, "session_started", data=facts))
        if self.screen:  # the window came before there was a file to tell it
            self.record(Event(now_s, "window_attached", data={"screen": self.screen}))
        self.phase = "running"
        for what, reason in self.holds.items():
            if not (what == "sound" and answers != "window"):
                self.run.runner.hold(now_s, reason)
        self.run.begin(now_s)
        self._publish()  # whoever asked for the start finds the session in the next snapshot

    def _finish(self) -> None:
        """Protocol, pumps, drain, writer: in this order, each with its time limit."""
        assert self.run is not None and self.recorder is not None and self.prepared is not None
        outcome = self.run.outcome or "interrupted"
        self.record(Event(self.clock.now_s(), "session_ended", data={"outcome": outcome}))
        self._stop_pumps()
        self._take_reports()  # a marker belongs to its row, even the last
        self.hub.leave_off()
        path = self.prepared.path
        try:
            self.recorder.close(outcome, CLOSE_S)
            if self.recorder.path != path:
                self.message = (
                    f"The disk of {path} did not come back. The whole recording is in {self.recorder.path}; "
                    f"when the disk is back, 'emolab recover {path}' puts it there, too."
                )
                path = self.recorder.path
            self.run.write_truth(folder.truth_path(path), self.zero_s)
            self.summary = inspect(path)
            self.phase = "finished"
        except Exception as error:  # whatever it is, the console must hear where the file stands
            self.phase = "failed"
            self.message = _why_it_stopped(error, path)
        self._publish()

    def _break_off(self, why: str) -> None:
        """The session cannot go on, but its recording is sound: finish the file, and say why."""
        assert self.run is not None and self.prepared is not None
        self.record(Event(self.clock.now_s(), "error", data={"where": "session", "message": why}))
        self.player.stop()
        self.run.outcome = "interrupted"
        self._finish()
        if self.phase == "finished":
            self.message = (
                f"The session was ended early because {why}. All that was recorded is in "
                f"{self.prepared.path}; please report this, with the engine's log."
            )
            self._publish()

    def _fail(self, error: Exception) -> None:
        """The recorder cannot go on: stop, and say what is safe."""
        assert self.run is not None and self.recorder is not None and self.prepared is not None
        self._stop_pumps()
        self.hub.leave_off()
        self.player.stop()
        with suppress(EmolabError, OSError):
            self.recorder.close("interrupted", CLOSE_S)
        if self.recorder.trouble is None or not self.recorder.trouble.is_grave:  # else it may never answer
            with suppress(EmolabError, OSError):
                self.summary = inspect(self.prepared.path)
        self.phase = "failed"
        self.message = _why_it_stopped(error, self.prepared.path)
        self._publish()

    def _stop_pumps(self) -> None:
        try:
            self._last_lights = self.health()
        except Exception:  # a fault in what is only shown must never end a recording
            log.exception("the last lights are not known")
        for pump in self.pumps.values():
            pump.stop()
        deadline = time.monotonic() + JOIN_S
        for pump in self.pumps.values():
            if not pump.join(max(deadline - time.monotonic(), 0.01)):
                log.warning("pump %s did not end within %.0f s", pump.name, JOIN_S)

    def _sweep(self) -> None:
        if hasattr(self, "_server"):
            self._server.close()
        if self._outlets is not None:
            self._outlets.close()
        self._rings.close()

    # windows, from the link's threads

    def _answer(self, command: dict[str, Any], connection: int) -> str:
        if command.get("do") == "snapshot":
            self._asked_s[connection] = time.monotonic()
            return self._line
        return commands.post(self, self._inbox.put, command, connection)

    def windows_silent_s(self) -> float | None:
        """For how long no attached window has asked how things stand; None when there is none that asks."""
        asked_s = [self._asked_s[window] for window in self._windows if window in self._asked_s]
        return time.monotonic() - max(asked_s) if asked_s else None

    def _gone(self, connection: int) -> None:
        self._inbox.put(lambda: self._window_gone(connection))

    def window_came(self, connection: int, screen: str, is_own: bool = True) -> None:
        """A participant window has attached on `screen`; `is_own` False: it has none to itself now."""
        self._windows[connection] = screen
        self.screen = screen if is_own or "screen" not in self.holds else ""
        self.record(Event(self.clock.now_s(), "window_attached", data={"screen": screen}))
        self.release("window")
        if is_own:  # what an earlier window missed
            self.release("screen")

    def _window_gone(self, connection: int) -> None:
        self._asked_s.pop(connection, None)
        if self._windows.pop(connection, None) is None or self._windows:
            return
        self.screen = ""
        self.record(Event(self.clock.now_s(), "window_lost"))
        if self.prepared is not None and self.prepared.request.answers == "window":
            self.hold("window", "The window has gone. Start emolab again and attach to this session.")


def _why_it_stopped(error: Exception, path: Path) -> str:
    """For the experimenter; the recorder's own errors say already what is safe and what to do."""
    if isinstance(error, RecordingError):
        return f"The recording stopped: {error}."
    log.error("the recording stopped", exc_info=error)
    what = str(error) if isinstance(error, EmolabError) else f"{type(error).__name__}: {error}"
    return (
        f"The recording stopped: {what}. What was recorded until then is safe in {path}; 'emolab recover' "
        "makes it whole."
    )
