"""What everything is stamped with, on every system and Python that emolab is for."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emolab.core.clock import PacedClock, SessionClock, now_ns

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("system", "version", "clock"),
    [
        ("win32", (3, 12), "perf_counter"),  # its monotonic clock goes in steps of 15.6 ms
        ("win32", (3, 13), "monotonic"),
        ("linux", (3, 11), "monotonic"),
        ("darwin", (3, 11), "monotonic"),
    ],
)
def test_each_system_has_a_clock_finer_than_a_frame(
    system: str, version: tuple[int, int], clock: str
) -> None:
    program = (
        "import datetime, random, sys, tempfile, threading, time, typing\n"
        f"sys.platform, sys.version_info = {system!r}, {version!r}\n"
        "from emolab.core import clock\n"
        f"print(clock.CLOCK, clock.now_ns is time.{clock}_ns)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.split() == [clock, "True"]


def test_a_session_s_clock_is_the_one_that_everything_is_stamped_with() -> None:
    clock = SessionClock()
    before_s, stamp_ns, after_s = clock.now_s(), now_ns(), clock.now_s()
    assert before_s <= clock.at(stamp_ns) <= after_s
    time.sleep(0.01)
    assert clock.at(now_ns()) >= 0.01


def test_a_paced_clock_knows_what_it_showed_before_it_was_held() -> None:
    clock = PacedClock(50.0)
    held = clock.follow("test")
    held.allow_until(2.0)
    begun_ns = now_ns()
    while clock.now_s() < 1.0:
        time.sleep(0.001)
    before_s, stamp_ns, after_s = clock.now_s(), now_ns(), clock.now_s()
    time.sleep(0.2)  # ten seconds of it, of which it is allowed one
    assert clock.now_s() == 2.0
    assert before_s <= clock.at(stamp_ns) <= after_s
    assert clock.at(now_ns()) == pytest.approx(2.0, abs=0.1)
    assert clock.at(begun_ns - 20_000_000) < 0.0
    held.leave()
    assert clock.now_s() >= 2.0


def test_nothing_is_stamped_with_another_clock() -> None:
    other = re.compile(r"time\.(monotonic|perf_counter)_ns\b")
    rooms = [path for path in (ROOT / "emolab").rglob("*.py") if path.name != "clock.py"]
    assert [path.name for path in rooms if other.search(path.read_text(encoding="utf-8"))] == []
