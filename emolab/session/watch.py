"""What the engine looks at once a second: its disk, its room, the date, the windows, the sound card.

Nothing here may end a recording; what is not well becomes an event, a light, or a hold.
"""

from __future__ import annotations

import logging
from functools import partial

from emolab.core.clock import SessionClock
from emolab.core.event import Event
from emolab.session.awake import Awake
from emolab.session.diskroom import DiskRoom
from emolab.session.headroom import Headroom
from emolab.session.laboratory import Laboratory
from emolab.session.player import Player
from emolab.session.standstill import Standstill
from emolab.session.wallclock import WallClock

log = logging.getLogger(__name__)

SOUND = "sound output"  # as events name it
FROZEN_S = 5.0  # windows ask thirty times a second
FROZEN = "The participant's window does not respond. Wait for it, or end it and start emolab again."


class Watch:
    """One session's. `look` is called in the engine's thread."""

    def __init__(self, standstill: Standstill) -> None:
        self.headroom = Headroom()
        self._standstill = standstill
        self._room = DiskRoom()
        self._date = WallClock()
        self._awake = Awake()
        self._silent_s = 0.0
        self._frozen_s: float | None = None  # since when the windows do not respond

    def look(self, lab: Laboratory) -> None:
        """See what has changed since the last look."""
        now_s = lab.clock.now_s()
        lab.free_bytes = self._room.look(lab.study)
        self._make_room(lab, now_s)
        self._stay_awake(lab, now_s)
        if (date := self._date.look()) is not None:
            lab.record(Event(now_s, "clock_set", data=date))
        if lab.run is not None and lab.phase == "running":
            lab.run.check_sound(now_s)
        self._see_windows(lab, now_s)
        if not lab.sound_fault and not self._standstill.is_fresh and (why := lab.player.failure()):
            self._sound_lost(lab, why, now_s)
        if "sound" in lab.holds and not lab.sound_fault and lab.player.is_settled():
            lab.release("sound")

    def close(self) -> None:
        """Let the computer sleep."""
        self._awake.close()

    def _stay_awake(self, lab: Laboratory, now_s: float) -> None:
        """While a session runs in real time; what came of it is told when it changes."""
        before = self._awake.by, self._awake.why_not
        try:
            self._awake.follow(lab.phase == "running" and isinstance(lab.clock, SessionClock))
        except Exception:  # a system that answers in a way nobody thought of
            log.exception("the computer cannot be kept awake")
            return
        if lab.phase == "running" and (self._awake.by, self._awake.why_not) != before:
            data = {"by": self._awake.by, "refused": self._awake.why_not}
            lab.record(Event(now_s, "awake", data=data))

    def _make_room(self, lab: Laboratory, now_s: float) -> None:
        """Show less while memory or the recorder's queue run short, so that the recording goes on."""
        try:
            facts = self.headroom.look(0.0 if lab.recorder is None else lab.recorder.fullness)
        except Exception:  # a system that tells nothing of its memory
            log.exception("the room left cannot be measured")
            return
        if facts is not None:
            lab.hub.show(self.headroom.shown, self.headroom.why)
            lab.record(Event(now_s, "memory", data=facts))

    def _see_windows(self, lab: Laboratory, now_s: float) -> None:
        """Hold before the next clip while the participant's window hangs; one that died tells by itself."""
        silent_s = lab.windows.silent_s()
        if self._standstill.is_fresh:  # who was not there could not be asked
            return
        if self._frozen_s is None and silent_s is not None and silent_s > FROZEN_S:
            self._frozen_s = now_s - silent_s
            lab.record(Event(now_s, "window_frozen", data={"silent_s": round(silent_s, 3)}))
            if lab.is_answered_at_window:
                lab.hold("frozen", FROZEN)
        elif self._frozen_s is not None and (silent_s is None or silent_s < 1.0):
            if silent_s is not None:
                frozen_s = round(now_s - self._frozen_s, 3)
                lab.record(Event(now_s, "window_thawed", data={"frozen_s": frozen_s}))
            self._frozen_s = None
            lab.release("frozen")

    def _sound_lost(self, lab: Laboratory, why: str, now_s: float) -> None:
        """Mark the clip that nobody hears any more, hold before the next, and seek the card."""
        lab.sound_fault, self._silent_s = why, now_s
        clip = lab.run.silence() if lab.run is not None and lab.phase == "running" else ""
        lab.hold("sound", why)
        data = {"stream": SOUND, "reason": why, **({"clip": clip} if clip else {})}
        lab.record(Event(now_s, "device_lost", data=data))
        lab.seek_sound(partial(self._sound_found, lab))

    def _sound_found(self, lab: Laboratory, player: Player, settling_s: float) -> None:
        """Have the engine's thread take the player; called by the seeker."""

        def take() -> None:
            if not lab.sound_fault or lab.phase not in ("setup", "running"):
                player.close()  # somebody was faster, or nobody needs it any more
                return
            now_s = lab.clock.now_s()
            data = {
                "stream": SOUND,
                "away_s": round(now_s - self._silent_s, 3),
                "settling_s": round(settling_s, 3),
            }
            lab.record(Event(now_s, "device_found", data=data))
            lab.use_player(player)

        lab.post(take)
