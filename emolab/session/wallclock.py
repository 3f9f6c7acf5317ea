"""The computer's date, watched: a step of it moves no sample, but explains what other programs wrote.

Times in a recording are on the monotonic clock; the file's `started_utc` is the date as it was believed
at its start. When the date is set meanwhile, by hand or by the network, the two no longer agree with
other devices' logs: the step is told with the date as it is now.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

STEP_S = 0.25  # more than a network clock corrects in a second


class WallClock:
    """Looked at once a second. `read`: seconds on the wall clock, and on one nobody sets."""

    def __init__(self, read: Callable[[], tuple[float, float]] | None = None) -> None:
        self._read = read or _now
        self._ahead_s = self._difference_s()

    def look(self) -> dict[str, Any] | None:
        """By how much the date was set since the last look, and what it is now; None when it was not."""
        ahead_s = self._difference_s()
        by_s, self._ahead_s = ahead_s - self._ahead_s, ahead_s
        if abs(by_s) < STEP_S:
            return None
        utc = datetime.fromtimestamp(self._read()[0], UTC)
        return {"by_s": round(by_s, 3), "utc": utc.isoformat(timespec="milliseconds")}

    def _difference_s(self) -> float:
        """Wall clock less steady clock; of three readings the one least disturbed between the two."""
        readings = []
        for _ in range(3):
            began_s = time.perf_counter()
            wall_s, steady_s = self._read()
            readings.append((time.perf_counter() - began_s, wall_s - steady_s))
        return min(readings)[1]


def sleepless_s() -> float:
    """Seconds on a clock that nobody sets, and that goes on while the machine sleeps.

    `time.monotonic` does so on Windows alone.
    """
    name = {"linux": "CLOCK_BOOTTIME", "darwin": "CLOCK_MONOTONIC_RAW"}.get(sys.platform, "")
    number = getattr(time, name, None)
    return time.monotonic() if number is None else time.clock_gettime(number)


def _now() -> tuple[float, float]:
    return time.time(), sleepless_s()
