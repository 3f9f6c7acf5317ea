"""Stand-ins for time, for the parts that must be tested without waiting."""

from __future__ import annotations

from datetime import UTC, datetime


class FakeFollower:
    def allow_until(self, time_s: float) -> None:
        pass

    def leave(self) -> None:
        pass


class FakeClock:
    """A clock that stands until `advance` or `sleep` moves it."""

    speed = 1.0

    def __init__(self, now_s: float = 0.0) -> None:
        self._now_s = now_s
        self.started_utc = datetime(2026, 1, 1, tzinfo=UTC)

    def now_s(self) -> float:
        return self._now_s

    def at(self, monotonic_ns: int) -> float:
        return monotonic_ns * 1e-9

    def sleep(self, seconds: float) -> None:
        self._now_s += max(seconds, 0.0)

    def advance(self, seconds: float) -> None:
        self._now_s += seconds

    def follow(self, name: str) -> FakeFollower:
        return FakeFollower()
