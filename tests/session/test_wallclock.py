"""The computer's date is set while a session runs: told with the date, and nothing else happens."""

from __future__ import annotations

import sys
import time

import pytest

from emolab.session.wallclock import WallClock, sleepless_s

NOON_S = 1_790_000_000.0


class Clocks:
    """A wall clock and a steady one that a test sets."""

    def __init__(self) -> None:
        self.wall_s, self.steady_s = NOON_S, 100.0

    def __call__(self) -> tuple[float, float]:
        return self.wall_s, self.steady_s

    def pass_by(self, seconds: float, drift: float = 0.0) -> None:
        self.wall_s += seconds * (1 + drift)
        self.steady_s += seconds


def test_a_step_is_told_once_with_the_date_as_it_is_now() -> None:
    clocks = Clocks()
    watch = WallClock(clocks)
    clocks.pass_by(1.0)
    assert watch.look() is None
    clocks.pass_by(1.0)
    clocks.wall_s -= 3600.0
    assert watch.look() == {"by_s": -3600.0, "utc": "2026-09-21T13:13:22.000+00:00"}
    clocks.pass_by(1.0)
    assert watch.look() is None


def test_a_clock_that_the_network_slows_down_or_a_machine_that_slept_is_no_step() -> None:
    clocks = Clocks()
    watch = WallClock(clocks)
    for seconds in (1.0, 1.0, 7200.0 * 10, 1.0):
        clocks.pass_by(seconds, drift=500e-6 if seconds == 1.0 else 0.0)
        assert watch.look() is None


@pytest.mark.parametrize(
    ("system", "name"), [("linux", "CLOCK_BOOTTIME"), ("darwin", "CLOCK_MONOTONIC_RAW"), ("win32", "")]
)
def test_the_steady_clock_is_the_one_that_goes_on_in_sleep_on_every_system(
    monkeypatch: pytest.MonkeyPatch, system: str, name: str
) -> None:
    clocks_s = {"": 100.0, "CLOCK_BOOTTIME": 3700.0, "CLOCK_MONOTONIC_RAW": 3701.0}
    with monkeypatch.context() as machine:
        machine.setattr(sys, "platform", system)
        machine.setattr(time, "monotonic", lambda: clocks_s[""])
        machine.setattr(time, "clock_gettime", clocks_s.__getitem__, raising=False)
        for known in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC_RAW"):
            machine.setattr(time, known, known, raising=False)
        found_s = sleepless_s()
    assert found_s == clocks_s[name]


def test_the_clocks_of_this_machine_agree_with_themselves() -> None:
    watch = WallClock()
    assert watch.look() is None
