"""The engine stood still: the computer slept, swapped, or somebody stopped the process.

All that was due meanwhile would happen at the next turn, and an hour's sleep would read as an hour of
clips heard and reports not given. So before anything is done, the runner is told from when to when
nothing went on, the clip that played is marked as broken off, and the session pauses until the
experimenter goes on. Where nobody sits at a window nobody could go on, so the session does by itself.

Only real time is watched: a simulated clock waits for its engine.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from emolab.core.clock import SessionClock
from emolab.core.event import Event
from emolab.protocol.runner import REST_GAP_S
from emolab.protocol.steps import Rest, Step
from emolab.session.laboratory import Laboratory
from emolab.session.run import Run
from emolab.session.wallclock import sleepless_s

log = logging.getLogger(__name__)

# Turns are 5 ms apart. A busy disk or a full processor takes tenths of a second, on machines that should not
# record seconds; what is due then is only late, and the sound has gone on. Sleep and swapping take longer.
STILL_S = 5.0
LONG_S = REST_GAP_S  # somebody who waited for something has waited for something else since
GRACE_S = 5.0  # until windows and the sound card are judged again: they stood still, too

HOLD = "standstill"  # its name in `Laboratory.holds`


class Standstill:
    """One session's. `read`: seconds on a clock that goes on while the machine sleeps."""

    def __init__(self, read: Callable[[], float] = sleepless_s) -> None:
        self._read = read
        self._last: tuple[float, float] | None = None  # session clock, and `read`
        self._ended_s = -GRACE_S  # time.monotonic

    @property
    def is_fresh(self) -> bool:
        """Whether it has just gone on: what has been silent meanwhile is not silent for that."""
        return time.monotonic() - self._ended_s < GRACE_S

    def look(self, lab: Laboratory) -> None:
        """See whether anything went on since the last look; to be called before anything is done."""
        run = lab.run
        if run is None or lab.phase != "running" or not isinstance(lab.clock, SessionClock):
            self._last = None
            return
        if HOLD in lab.holds and not run.runner.wants_pause:  # the experimenter has gone on
            del lab.holds[HOLD]
        elif HOLD in lab.holds:  # last: what else holds, a lost sound card say, is told first
            lab.holds[HOLD] = lab.holds.pop(HOLD)
        last, self._last = self._last, (lab.clock.now_s(), self._read())
        if last is None or (seconds := self._last[1] - last[1]) <= STILL_S:
            return
        self._ended_s = time.monotonic()
        try:
            self._tell(lab, run, last[0], self._last[0], seconds)
        except Exception:  # a fault in the session's course: its next tick ends it in order
            log.exception("the standstill of %.1f s could not be dealt with", seconds)

    def _tell(self, lab: Laboratory, run: Run, from_s: float, to_s: float, seconds: float) -> None:
        step, clip = run.runner.status.step, run.silence()
        data = {"seconds": round(seconds, 3), "counted_s": round(to_s - from_s, 3)}
        lab.record(Event(from_s, "stood_still", data=data | ({"clip": clip} if clip else {})))
        if run.runner.status.phase in ("paused", "holding") and seconds < LONG_S:
            return  # nothing was due; trying the sound card again may take that long
        run.runner.stood_still(from_s, to_s, seconds, f"the computer stood still for {_words(seconds)}")
        run.tick(to_s)
        if clip and run.runner.status.step is not step:  # its end was in the standstill; the card plays on
            lab.player.stop()
        if lab.is_answered_at_window:
            lab.holds[HOLD] = (
                f"The computer stood still for {_words(seconds)}. {_remedy(step, clip, seconds)}"
            )
        else:
            run.runner.resume(to_s)


def _words(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _remedy(step: Step | None, clip: str, seconds: float) -> str:
    if clip:
        return f"Clip {clip} was broken off: R plays it again. Go on with P when all is well."
    if isinstance(step, Rest) and seconds > REST_GAP_S:
        return "The rest was broken off, and begins anew when you go on with P; S leaves it out."
    return "See that all is well, and go on with P."
