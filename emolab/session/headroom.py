"""How much room the engine has left, and what it gives up when that gets little: what is shown, never
what is recorded.

    all ──room gets tight──▸ plots ──room gets short──▸ nothing
     ◂──────────────── there was room for some seconds ────────────────

`all`: windows see everything. `plots`: no pictures of cameras. `nothing`: no plots either. Participant's
pages, lights, and every byte that goes to the file are as before. Room is the least of what this
computer, the control group and the limit set for the process leave free; a recorder that falls behind
counts as lack of room, too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

Shown = Literal["all", "plots", "nothing"]
LEVELS: tuple[Shown, ...] = ("all", "plots", "nothing")

TIGHT_BYTES, SHORT_BYTES = 256 << 20, 128 << 20  # a laboratory's frames for some seconds, while they wait
TIGHT_QUEUE, SHORT_QUEUE = 0.5, 0.9  # of the recorder's room
EASE = 1.5  # what comes back must have so much more room than what goes away
CALM_LOOKS = 5


@dataclass(frozen=True)
class Room:
    """Memory at one moment. `whose`: who sets the limit that is nearest."""

    free_bytes: int
    whose: str
    own_bytes: int


def measure() -> Room:
    """The room of this process now."""
    process = psutil.Process()
    memory = process.memory_info()
    leaves = [(psutil.virtual_memory().available, "this computer"), *_limits(process, memory.vms)]
    free_bytes, whose = min(leaves)
    return Room(max(free_bytes, 0), whose, memory.rss)


def _limits(process: psutil.Process, own_bytes: int) -> Iterator[tuple[int, str]]:
    """Limits set for the process and for the groups it is in, on Linux; none elsewhere."""
    if not sys.platform.startswith("linux"):
        return
    soft, _ = process.rlimit(psutil.RLIMIT_AS)
    if soft != psutil.RLIM_INFINITY:
        yield soft - own_bytes, "the limit set for emolab"
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "":
                yield from group_limits(Path("/sys/fs/cgroup"), path, "memory.max", "memory.current")
            elif "memory" in controllers.split(","):
                root = Path("/sys/fs/cgroup/memory")
                yield from group_limits(root, path, "memory.limit_in_bytes", "memory.usage_in_bytes")


def group_limits(root: Path, path: str, limit: str, usage: str) -> Iterator[tuple[int, str]]:
    """What a control group and those above it leave free; pages of files it would drop count as free."""
    inside = Path(os.path.normpath(root / path.lstrip("/")))
    place = inside if inside.is_relative_to(root) else root  # a container sees no group but its own
    while place.is_relative_to(root):
        with suppress(OSError, ValueError):  # no such file, or "max"
            most = int((place / limit).read_text())
            rows = (row.split() for row in (place / "memory.stat").read_text().splitlines())
            files = {name: int(size) for name, size in rows}
            dropped = files.get("total_inactive_file", files.get("inactive_file", 0))
            yield most - int((place / usage).read_text()) + dropped, "the group emolab runs in"
        place = place.parent


class Headroom:
    """Looks once a second, and says what may be shown. `meter`: measures the room."""

    def __init__(self, meter: Callable[[], Room] = measure) -> None:
        self.shown: Shown = "all"
        self.why = ""  # for the lights, while something is not shown
        self._meter = meter
        self._first_own: int | None = None
        self._calm = 0

    def look(self, queue: float = 0.0) -> dict[str, Any] | None:
        """The facts of a `memory` event when what may be shown has changed, else None.

        `queue`: how full the recorder's queues are, 0 to 1.
        """
        room = self._meter()
        self._first_own = room.own_bytes if self._first_own is None else self._first_own
        before = LEVELS.index(self.shown)
        level = _level(room.free_bytes, queue)
        eased = _level(int(room.free_bytes / EASE), queue * EASE)
        self._calm = self._calm + 1 if eased < before else 0
        if level < before:
            level = eased if self._calm >= CALM_LOOKS else before
        if level == before:
            return None
        self._calm = 0
        self.shown = LEVELS[level]
        self.why = _why(room, queue) if level else ""
        return {
            "shown": self.shown,
            "free_mb": round(room.free_bytes / 1e6),
            "whose": room.whose,
            "own_mb": round(room.own_bytes / 1e6),
            "grown_mb": round((room.own_bytes - self._first_own) / 1e6),
            "queue": round(queue, 3),
        }


def _level(free_bytes: int, queue: float) -> int:
    if free_bytes < SHORT_BYTES or queue > SHORT_QUEUE:
        return 2
    return int(free_bytes < TIGHT_BYTES or queue > TIGHT_QUEUE)


def _why(room: Room, queue: float) -> str:
    if queue > TIGHT_QUEUE:
        return f"{queue:.0%} of what can wait to be written waits; close what else uses disk and processor"
    return f"{room.whose} leaves only {room.free_bytes / 1e6:.0f} MB of memory; close other programs"
