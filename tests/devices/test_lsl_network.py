"""LSL over a network: a sender on a second host with a clock of its own, and a cable that is pulled.

The hosts are two network namespaces of this machine, joined by a virtual cable; nothing reaches its
real network. The sender's clock is a thousand seconds ahead (a time namespace).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.simulators.lsl_world import configuration, sender

pytest.importorskip("pylsl", reason="the extra 'lsl' is not installed")

RECEIVER = Path(__file__).parents[1] / "simulators" / "lsl_receiver.py"
AHEAD_S = 1000
NEW_CLOCK = ("unshare", "--time", "--fork", "--kill-child", "--monotonic", str(AHEAD_S))


class Hosts:
    """Two hosts: `sends` and `takes` are commands to run something on either."""

    def __init__(self, tag: str) -> None:
        self.names = (f"emo-{tag}-a", f"emo-{tag}-b")
        self.cable = f"em{tag}a"
        self.sends = ("ip", "netns", "exec", self.names[0], *NEW_CLOCK)
        self.takes = ("ip", "netns", "exec", self.names[1])

    def pull_cable(self) -> None:
        self._ip("link", "set", self.cable, "down")

    def plug_cable(self) -> None:
        self._ip("link", "set", self.cable, "up")
        self._ip("route", "replace", "224.0.0.0/4", "dev", self.cable)

    def _ip(self, *words: str) -> None:
        subprocess.run(["ip", "-n", self.names[0], *words], check=True, capture_output=True)


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    if not sys.platform.startswith("linux") or not shutil.which("ip") or not shutil.which("unshare"):
        pytest.skip("two hosts need Linux with 'ip' and 'unshare'")
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    made = Hosts(f"{os.getpid() % 100000}")
    ends = (made.cable, f"em{os.getpid() % 100000}b")
    try:
        for name in made.names:
            done = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
            if done.returncode:
                pytest.skip(f"no network namespace can be made here: {done.stderr.strip()}")
        make = ["ip", "link", "add", ends[0], "netns", made.names[0], "type", "veth"]
        make += ["peer", "name", ends[1], "netns", made.names[1]]
        done = subprocess.run(make, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no virtual cable can be made here: {done.stderr.strip()}")
        for at, (name, end) in enumerate(zip(made.names, ends, strict=True), 1):
            for words in (
                ("addr", "add", f"10.99.0.{at}/24", "dev", end),
                ("link", "set", "lo", "up"),
                ("link", "set", end, "up"),
                ("route", "add", "224.0.0.0/4", "dev", end),
            ):
                subprocess.run(["ip", "-n", name, *words], check=True, capture_output=True)
        yield made
    finally:
        for name in made.names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """LSL that asks the hosts of the same network."""
    (tmp_path / "lsl_api.cfg").write_text(configuration("link"), encoding="utf-8")
    return {"LSLAPICFG": str(tmp_path / "lsl_api.cfg")}


def receiver(
    hosts: Hosts, environment: dict[str, str], seconds: float, **table: object
) -> subprocess.Popen[str]:
    words = [*hosts.takes, sys.executable, str(RECEIVER)]
    words += [json.dumps({"kind": "lsl", "name": "it", **table}), str(seconds)]
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment, "PYTHONPATH": root},
    )


@pytest.mark.slow
def test_a_sender_whose_clock_is_a_thousand_seconds_ahead_is_placed_within_a_millisecond(
    hosts: Hosts, environment: dict[str, str]
) -> None:
    plan = {"name": "far cap", "rate_hz": 250.0, "channels": 4, "count": 1500}
    with sender(*hosts.sends, environment=environment, **plan) as other:
        taken = receiver(hosts, environment, 10.0, stream="far cap")
        first_s = other.go()
        said, _ = taken.communicate(timeout=60)
    report = json.loads(said.splitlines()[-1])
    times_s, stamps_s, values = (np.array(column) for column in zip(*report["rows"], strict=True))
    assert values.tolist() == [k % 100 for k in range(1500)]
    assert np.abs(stamps_s - (first_s + np.arange(1500) / 250)).max() < 2e-6
    off_s = times_s - (stamps_s - AHEAD_S)
    offsets_s = [data["offset_s"] for kind, _, data in report["events"] if kind == "clock_offset"]
    assert np.abs(off_s).max() < 1e-3
    assert len(offsets_s) >= 2 and np.abs(np.array(offsets_s) + AHEAD_S).max() < 1e-3
    print(f"offsets {offsets_s}, stamps off by {np.abs(off_s).max() * 1e6:.0f} µs at most")


@pytest.mark.slow
@pytest.mark.parametrize(("rate_hz", "told_within_s"), [(100.0, 4.0), (0.0, 30.0)])
def test_a_pulled_cable_is_told_and_the_stream_is_back_when_it_is_plugged(
    hosts: Hosts, environment: dict[str, str], rate_hz: float, told_within_s: float
) -> None:
    plan = {"name": "cable", "rate_hz": rate_hz, "steps": [0.01], "count": 100_000}
    with sender(*hosts.sends, environment=environment, **plan) as other:
        taken = receiver(hosts, environment, told_within_s + 8, stream="cable")
        other.go()
        assert taken.stdout is not None and taken.stdout.readline() == "first\n"
        time.sleep(1)
        hosts.pull_cable()
        pulled_s = time.monotonic()
        time.sleep(told_within_s)
        hosts.plug_cable()
        plugged_s = time.monotonic()
        said, _ = taken.communicate(timeout=60)
    report = json.loads(said.splitlines()[-1])
    lost = [at_s for kind, at_s, _ in report["events"] if kind == "device_lost"]
    found = [at_s for kind, at_s, _ in report["events"] if kind == "device_found"]
    assert len(lost) == 1 and pulled_s < lost[0] < plugged_s
    assert len(found) == 1 and found[0] > plugged_s
    assert report["has_ended"] and report["rows"][-1][0] > found[0]
    times_s = np.array([row[0] for row in report["rows"]])
    assert (np.diff(times_s) > 0).all()
    print(f"lost after {lost[0] - pulled_s:.2f} s, back after {found[0] - plugged_s:.2f} s")
