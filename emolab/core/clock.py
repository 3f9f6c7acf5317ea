"""The session clock: made once by the engine and passed down to everything that stamps.

Times are seconds as float64 from the clock's origin, on the machine's monotonic clock, which
neither NTP nor the user can step. `SessionClock` is the real thing. `PacedClock` runs a
simulated session faster than time without ever outrunning the parts that work for it.
`SteppedClock` goes only when it is told to, for sessions that nobody waits for.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, Protocol

# Before Python 3.13 the monotonic clock of Windows goes in steps of 15.6 ms, half a frame of a camera
# (python/cpython#88494). Both are the same in all processes of a machine, which is what `Clock.at` needs.
CLOCK: Literal["monotonic", "perf_counter"] = (
    "perf_counter" if sys.platform == "win32" and sys.version_info < (3, 13) else "monotonic"
)
now_ns: Callable[[], int] = getattr(time, f"{CLOCK}_ns")
"""Nanoseconds on the clock that everything is stamped with."""


_PAST, _PAST_STEP_NS = 4096, 1_000_000  # where a paced clock stood, a millisecond apart or more


class Follower(Protocol):
    """A part of the program the clock waits for (see `PacedClock`)."""

    def allow_until(self, time_s: float) -> None:
        """Let the clock go up to `time_s`; it halts there until a later time is allowed."""

    def leave(self) -> None:
        """The clock no longer waits for this follower."""


class Clock(Protocol):
    """What the rooms know of a clock."""

    speed: float
    started_utc: datetime

    def now_s(self) -> float:
        """Seconds since the origin."""

    def at(self, monotonic_ns: int) -> float:
        """Session time of a `now_ns` reading, from this or another process."""

    def sleep(self, seconds: float) -> None:
        """Wait for so many session seconds; for paced clocks that is less of the user's time."""

    def follow(self, name: str) -> Follower:
        """Register a part the clock must wait for. The real clock waits for nobody."""


class _Free:
    def allow_until(self, time_s: float) -> None:
        pass

    def leave(self) -> None:
        pass


class SessionClock:
    """Real time: monotonic seconds since this object was made."""

    speed = 1.0

    def __init__(self) -> None:
        self.origin_ns = now_ns()
        self.started_utc = datetime.now(UTC)

    def now_s(self) -> float:
        return (now_ns() - self.origin_ns) * 1e-9

    def at(self, monotonic_ns: int) -> float:
        return (monotonic_ns - self.origin_ns) * 1e-9

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)

    def follow(self, name: str) -> Follower:
        return _Free()


class PacedClock:
    """Simulated time: `speed` times faster, but never past what its followers allow.

    The runner allows up to its next deadline, a simulated source up to a second past what it
    has delivered, the writer up to a few seconds past what it has stored. So a simulated
    session loses nothing on a slow machine: it only takes longer. Thread-safe.
    """

    def __init__(self, speed: float) -> None:
        if not speed > 0:
            raise ValueError(f"speed must be positive, not {speed}")
        self.speed = speed
        self.started_utc = datetime.now(UTC)
        self._lock = threading.Lock()
        self._now_s = 0.0
        self._read_ns = now_ns()
        self._past: deque[tuple[int, float]] = deque([(self._read_ns, 0.0)], _PAST)
        self._limits_s: dict[object, tuple[str, float]] = {}

    def now_s(self) -> float:
        with self._lock:
            read_ns = now_ns()
            target_s = self._now_s + (read_ns - self._read_ns) * 1e-9 * self.speed
            self._read_ns = read_ns
            limit_s = min((limit for _, limit in self._limits_s.values()), default=target_s)
            self._now_s = max(self._now_s, min(target_s, limit_s))
            if read_ns - self._past[-1][0] >= _PAST_STEP_NS:
                self._past.append((read_ns, self._now_s))
            return self._now_s

    def at(self, monotonic_ns: int) -> float:
        """What it showed then, for some seconds back: where it had been held it did not go on."""
        now_s = self.now_s()
        with self._lock:
            known_ns, known_s, most_s = self._read_ns, now_s, float("inf")
            for past_ns, past_s in reversed(self._past):
                if monotonic_ns >= known_ns:
                    break
                known_ns, known_s, most_s = past_ns, past_s, known_s
            return min(known_s + (monotonic_ns - known_ns) * 1e-9 * self.speed, most_s)

    def sleep(self, seconds: float) -> None:
        """Sleep so long that the session time has passed if nobody holds the clock back."""
        if seconds > 0:
            time.sleep(max(seconds / self.speed, 0.0005))

    def follow(self, name: str) -> Follower:
        follower = _Held(self)
        with self._lock:
            self._limits_s[follower] = (name, self._now_s)
        return follower

    def holding(self) -> str | None:
        """Name of the follower that allows least, for finding out who is slow."""
        with self._lock:
            return min(self._limits_s.values(), key=lambda v: v[1], default=(None, 0.0))[0]

    def _allow(self, follower: object, time_s: float) -> None:
        with self._lock:
            if follower in self._limits_s:
                name, limit_s = self._limits_s[follower]
                self._limits_s[follower] = (name, max(limit_s, time_s))

    def _release(self, follower: object) -> None:
        with self._lock:
            self._limits_s.pop(follower, None)


class _Held:
    def __init__(self, clock: PacedClock) -> None:
        self._clock = clock

    def allow_until(self, time_s: float) -> None:
        self._clock._allow(self, time_s)

    def leave(self) -> None:
        self._clock._release(self)


class SteppedClock:
    """Simulated time that stands still until `go_to` moves it. For one thread: sleeping moves it, too.

    `speed` is no measure of anything here; it only says that this was not real time.
    """

    speed = 1000.0

    def __init__(self, started_utc: datetime) -> None:
        self.started_utc = started_utc
        self._now_s = 0.0

    def now_s(self) -> float:
        return self._now_s

    def go_to(self, time_s: float) -> None:
        """Let it be `time_s`; time never goes back."""
        self._now_s = max(self._now_s, time_s)

    def at(self, monotonic_ns: int) -> float:
        return self._now_s  # the machine's own time means nothing here

    def sleep(self, seconds: float) -> None:
        self.go_to(self._now_s + max(seconds, 0.0))

    def follow(self, name: str) -> Follower:
        return _Free()
