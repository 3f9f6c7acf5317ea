"""What the engine looks at once a second: its disk, its room, the date, the windows, the sound card.

Nothing here may end a recording; what is not well becomes an event, a light, or a hold.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from emolab.core.clock import Clock, SessionClock
from emolab.core.errors import DeviceError
from emolab.core.event import Event
from emolab.session.awake import Awake
from emolab.session.diskroom import DiskRoom
from emolab.session.headroom import Headroom
from emolab.session.player import Player, SoundPlayer
from emolab.session.wallclock import WallClock

if TYPE_CHECKING:
    from emolab.session.engine import Engine

log = logging.getLogger(__name__)

SOUND = "sound output"  # as events name it
FROZEN_S = 5.0  # windows ask thirty times a second
FROZEN = "The participant's window does not respond. Wait for it, or end it and start emolab again."
RETRY_S = 0.5
SETTLE_STEP_S = 0.1
START_S = 4.0  # PulseAudio may take two seconds to its first callback


class Watch:
    """One engine's. `look` is called in the engine's thread."""

    def __init__(self, headroom: Headroom | None = None) -> None:
        self.headroom = headroom or Headroom()
        self._room = DiskRoom()
        self._date = WallClock()
        self._awake = Awake()
        self._seeker: SoundSeeker | None = None
        self._silent_s = 0.0
        self._frozen_s: float | None = None  # since when the windows do not respond

    def look(self, engine: Engine) -> None:
        """See what has changed since the last look."""
        now_s = engine.clock.now_s()
        engine.free_bytes = self._room.look(engine.study)
        self._make_room(engine, now_s)
        self._stay_awake(engine, now_s)
        if (date := self._date.look()) is not None:
            engine.record(Event(now_s, "clock_set", data=date))
        if engine.run is not None and engine.phase == "running":
            engine.run.check_sound(now_s)
        self._see_windows(engine, now_s)
        if not engine.sound_fault and not engine.standstill.is_fresh and (why := engine.player.failure()):
            self._sound_lost(engine, why, now_s)
        if "sound" in engine.holds and not engine.sound_fault and engine.player.is_settled():
            engine.release("sound")

    def close(self) -> None:
        """Let the computer sleep, and seek the sound card no longer."""
        self._awake.close()
        self.stop_seeking()

    def stop_seeking(self) -> None:
        """Seek the sound card no longer."""
        if self._seeker is not None:
            self._seeker.stop()

    def _stay_awake(self, engine: Engine, now_s: float) -> None:
        """While a session runs in real time; what came of it is told when it changes."""
        before = self._awake.by, self._awake.why_not
        try:
            self._awake.follow(engine.phase == "running" and isinstance(engine.clock, SessionClock))
        except Exception:  # a system that answers in a way nobody thought of
            log.exception("the computer cannot be kept awake")
            return
        if engine.phase == "running" and (self._awake.by, self._awake.why_not) != before:
            data = {"by": self._awake.by, "refused": self._awake.why_not}
            engine.record(Event(now_s, "awake", data=data))

    def _make_room(self, engine: Engine, now_s: float) -> None:
        """Show less while memory or the recorder's queue run short, so that the recording goes on."""
        try:
            facts = self.headroom.look(0.0 if engine.recorder is None else engine.recorder.fullness)
        except Exception:  # a system that tells nothing of its memory
            log.exception("the room left cannot be measured")
            return
        if facts is not None:
            engine.hub.show(self.headroom.shown, self.headroom.why)
            engine.record(Event(now_s, "memory", data=facts))

    def _see_windows(self, engine: Engine, now_s: float) -> None:
        """Hold before the next clip while the participant's window hangs; one that died tells by itself."""
        silent_s = engine.windows_silent_s()
        if engine.standstill.is_fresh:  # who was not there could not be asked
            return
        if self._frozen_s is None and silent_s is not None and silent_s > FROZEN_S:
            self._frozen_s = now_s - silent_s
            engine.record(Event(now_s, "window_frozen", data={"silent_s": round(silent_s, 3)}))
            if engine.prepared is not None and engine.prepared.request.answers == "window":
                engine.hold("frozen", FROZEN)
        elif self._frozen_s is not None and (silent_s is None or silent_s < 1.0):
            if silent_s is not None:
                frozen_s = round(now_s - self._frozen_s, 3)
                engine.record(Event(now_s, "window_thawed", data={"frozen_s": frozen_s}))
            self._frozen_s = None
            engine.release("frozen")

    def _sound_lost(self, engine: Engine, why: str, now_s: float) -> None:
        """Mark the clip that nobody hears any more, hold before the next, and seek the card."""
        engine.sound_fault, self._silent_s = why, now_s
        clip = engine.run.silence() if engine.run is not None and engine.phase == "running" else ""
        engine.hold("sound", why)
        data = {"stream": SOUND, "reason": why, **({"clip": clip} if clip else {})}
        engine.record(Event(now_s, "device_lost", data=data))
        self.close()
        found = partial(self._sound_found, engine)
        self._seeker = SoundSeeker(engine.clock, engine.settings.sound, found)
        self._seeker.start()

    def _sound_found(self, engine: Engine, player: Player, settling_s: float) -> None:
        """Have the engine's thread take the player; called by the seeker."""

        def take() -> None:
            if not engine.sound_fault or engine.phase not in ("setup", "running"):
                player.close()  # somebody was faster, or nobody needs it any more
                return
            now_s = engine.clock.now_s()
            data = {
                "stream": SOUND,
                "away_s": round(now_s - self._silent_s, 3),
                "settling_s": round(settling_s, 3),
            }
            engine.record(Event(now_s, "device_found", data=data))
            engine.use_player(player)

        engine.post(take)


class SoundSeeker(threading.Thread):
    """Tries to open the sound output until it plays; then `found` is called with the player, and for how
    long it has been open."""

    def __init__(
        self, clock: Clock, device: str | int | None, found: Callable[[Player, float], None]
    ) -> None:
        super().__init__(name="sound seeker", daemon=True)
        self._clock, self._device, self._found = clock, device, found
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        while not self._stopping.wait(RETRY_S):
            try:
                player = SoundPlayer(self._clock, self._device)
            except DeviceError:
                continue
            except Exception:
                log.exception("the sound output cannot be opened again")
                return
            if self._plays(player):
                return
            player.close()

    def _plays(self, player: Player) -> bool:
        """Hand a player over once its stamps have settled; a card that hangs opens, but never gets there."""
        opened_s, settling_s = self._clock.now_s(), 0.0
        while not self._stopping.wait(SETTLE_STEP_S) and (settling_s < START_S or not player.failure()):
            settling_s = self._clock.now_s() - opened_s
            if player.is_settled():
                self._found(player, settling_s)
                return True
        return False
