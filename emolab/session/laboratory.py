"""How things stand in an engine: instruments, sound, windows, what holds it up, its session if there is one.

`readiness`, `watch` and `standstill` look at it, `live_session` runs a session in it, `engine` serves it to
windows. It is touched by the engine's thread alone; pumps and other threads come in through `post` and
`report`.
"""

from __future__ import annotations

import logging
import queue
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from emolab.core.clock import Clock
from emolab.core.errors import DeviceError
from emolab.core.event import Event
from emolab.core.settings import Settings
from emolab.devices import config
from emolab.recording.recorder import Recorder
from emolab.session import diary, folder
from emolab.session.health import judge
from emolab.session.hub import Hub
from emolab.session.outlets import Outlets
from emolab.session.player import Player, SilentPlayer, SoundPlayer
from emolab.session.preflight import Preflight
from emolab.session.prepare import Prepared
from emolab.session.pump import Pump
from emolab.session.rings import Rings
from emolab.session.run import Run
from emolab.session.snapshot import LogLine, Phase, StreamHealth
from emolab.session.sound_seeker import SoundSeeker
from emolab.session.stimuli import Rendering
from emolab.session.windows import Windows

log = logging.getLogger(__name__)

JOIN_S = 2.0  # for all pumps together: a session ends within five seconds
LOG_LINES = 20


class Laboratory:
    """A study folder's instruments on one clock, and one session with them.

    Raises `ConfigError` where the device file has a slip, `MissingExtra` where LSL is wanted without pylsl.
    """

    def __init__(self, study: Path, devices: config.DeviceFile, clock: Clock, settings: Settings) -> None:
        self.study, self.devices, self.settings = study, devices, settings
        self.clock: Clock = clock
        self.phase: Phase = "setup"
        self.message = ""
        self.is_shutting_down = False
        self.preflight: Preflight | None = None
        self.run: Run | None = None
        self.recorder: Recorder | None = None
        self.prepared: Prepared | None = None
        self.zero_s = 0.0
        self.summary: dict[str, Any] = {}
        self.log: deque[LogLine] = deque(maxlen=LOG_LINES)
        self.free_bytes = 0
        self.holds: dict[str, str] = {}  # by name ("screen", "sound", ...), why the protocol waits
        self.windows = Windows()
        self.screen = ""
        self.player: Player = SilentPlayer()
        self.sound_fault = ""  # why nothing can be heard, with the remedy
        self.rendering = Rendering(settings)
        self._seeker: SoundSeeker | None = None
        # not a SimpleQueue: in CPython 3.11 a signal at the wrong moment makes its get wait for ever
        self._inbox: queue.Queue[Callable[[], None]] = queue.Queue()
        self._reports: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._last_lights: tuple[StreamHealth, ...] | None = None  # once nothing is read any more
        folder.make(study)
        self.rings = Rings()
        self._outlets: Outlets | None = None
        try:
            sources = config.build(devices, clock)
            if settings.lsl:
                self._outlets = Outlets(clock, study.resolve().name, self.report)
            self.hub = Hub(clock, self.rings.folder, self._outlets, self.rings.spare)
            self.pumps = {
                source.info.name: Pump(source.info.name, source, clock, self.hub, self.report)
                for source in sources
            }
        except BaseException:
            self.rings.close()
            raise

    def publish(self) -> None:
        """Let all who look know how things stand now: the session has begun, or ended."""

    # instruments and sound

    def switch_on(self, *, with_sound: bool = True) -> None:
        """Open everything: pumps run, lights come on, nothing is recorded yet."""
        if with_sound:
            try:
                self.player = SoundPlayer(self.clock, self.settings.sound)
            except DeviceError as error:
                self.sound_fault = str(error)
        if self._outlets is not None:
            self._outlets.start()
        for pump in self.pumps.values():
            pump.start()

    def switch_off(self) -> None:
        """Close instruments and sound; what windows look at stays. Idempotent."""
        self.stop_pumps()
        self.stop_seeking()
        self.player.close()

    def sweep(self) -> None:
        """Take away what others look at: outlets and rings. Idempotent."""
        if self._outlets is not None:
            self._outlets.close()
        self.rings.close()

    def stop_pumps(self) -> None:
        """Read nothing any more; the lights stay as they were."""
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

    def health(self) -> tuple[StreamHealth, ...]:
        """The light of each instrument now; after the session, as it ended: silence is no fault then."""
        if self._last_lights is not None:
            return self._last_lights
        now_s = self.clock.now_s()
        return tuple(
            judge(name, self.hub.streams.get(name), pump.status, now_s) for name, pump in self.pumps.items()
        )

    def left_out(self) -> list[str]:
        """The instruments that the experimenter has left out."""
        return [name for name, pump in self.pumps.items() if pump.status.state == "left_out"]

    def use_player(self, player: Player) -> None:
        """Play through this one from now on; `watch` lets the session go on once it has settled."""
        self.player.close()
        self.player, self.sound_fault = player, ""
        self.stop_seeking()
        if self.run is not None:
            self.run.change_player(player)

    def reopen_sound(self) -> None:
        """Try the sound output again. Raises `DeviceError` when it still cannot be opened."""
        self.player.close()
        self.use_player(SoundPlayer(self.clock, self.settings.sound))

    def seek_sound(self, found: Callable[[Player, float], None]) -> None:
        """Try the sound output until it plays; then `found` is called from another thread (`SoundSeeker`)."""
        self.stop_seeking()
        self._seeker = SoundSeeker(self.clock, self.settings.sound, found)
        self._seeker.start()

    def stop_seeking(self) -> None:
        """Try the sound output no longer."""
        if self._seeker is not None:
            self._seeker.stop()

    # what happens, told

    def post(self, item: Callable[[], None]) -> None:
        """Have the engine's thread do something. From any thread."""
        self._inbox.put(item)

    def report(self, event: Event) -> None:
        """Record an event and tell it on the console. From any thread."""
        self._reports.put(event)
        self.post(self.take_reports)

    def take_reports(self) -> None:
        """Record what has been reported and still waits."""
        with suppress(queue.Empty):
            while True:
                self.record(self._reports.get_nowait())

    def record(self, event: Event) -> None:
        """Record an event and tell it at once, from the engine's own thread."""
        if self.recorder is not None:
            self.recorder.mark(event)
        self.tell(event)

    def tell(self, event: Event) -> None:
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

    def note(self, text: str) -> None:
        """Keep a remark of the experimenter: in the file, or beside it once the session has finished."""
        event = Event(self.clock.now_s(), "note", data={"text": text})
        if self.phase in ("finished", "failed") and self.prepared is not None:
            with folder.notes_path(self.prepared.path).open("a", encoding="utf-8") as file:
                file.write(event.shifted(-self.zero_s).to_json() + "\n")
            self.tell(event)
        else:
            self.record(event)

    # what the session waits for

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

    @property
    def is_answered_at_window(self) -> bool:
        """Whether the session's participant sits before a window; else nobody answers, or a simulated one."""
        return self.prepared is not None and self.prepared.request.answers == "window"

    # windows

    def window_came(self, connection: int, screen: str, is_own: bool = True) -> None:
        """A participant's window has attached on `screen`; `is_own` False: it has none to itself now."""
        self.windows.came(connection)
        self.screen = screen if is_own or "screen" not in self.holds else ""
        self.record(Event(self.clock.now_s(), "window_attached", data={"screen": screen}))
        self.release("window")
        if is_own:  # what an earlier window missed
            self.release("screen")

    def window_gone(self, connection: int) -> None:
        """A connection has ended; with the last participant's window, the session waits for another."""
        if not self.windows.gone(connection):
            return
        self.screen = ""
        self.record(Event(self.clock.now_s(), "window_lost"))
        if self.is_answered_at_window:
            self.hold("window", "The window has gone. Start emolab again and attach to this session.")
