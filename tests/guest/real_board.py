"""Two boards behind the kernel's own USB, pulled out and put back while they are recorded.

The hub cuts the port's power, which is what a pulled cable is to it. The PhysioKit board is pulled while
another program (a modem manager, a serial monitor) has its port open too, so that the kernel gives
it another name when it comes back.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emolab.core.clock import SessionClock, now_ns
from emolab.devices.emolab_board import EmolabBoard
from emolab.devices.physiokit import PhysioKit
from emolab.devices.serial_link import known_ports
from emolab.devices.source import Source
from tests.guest.recorded import Take, recorded

SWITCH = Path("/sys/bus/usb/devices/1-0:1.0/usb1-port1/disable")
PORT = "/dev/ttyACM0"
RATE_HZ = 250
BEFORE, AFTER = 750, 750
AWAY_S = 1.5
FLAGS = os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK


@contextmanager
def board(log: Path, *options: str) -> Iterator[None]:
    """The board runs while the block does."""
    command = [sys.executable, "-m", "tests.guest.gadget_board", "--watch", str(os.getpid())]
    command += ["--log", str(log), "--rate", str(RATE_HZ), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            process.stdout.readline()
            yield
        finally:
            process.terminate()
            process.wait(20)


@contextmanager
def opened_by_another(port: str) -> Iterator[None]:
    """Another program has the port open meanwhile."""
    with open(port, "rb", buffering=0, opener=lambda path, _: os.open(path, FLAGS)) as handle:
        program = subprocess.Popen(["sleep", "600"], stdin=handle)
    try:
        yield
    finally:
        program.kill()
        program.wait(20)


def pulled(take: Take) -> dict[str, Any]:
    """Pull the cable, wait, put it back: when that was, and which ports there were."""
    take.wait_for_samples(BEFORE)
    pulled_s = take.clock.now_s()
    SWITCH.write_text("1")
    take.wait_for_event("device_lost")
    time.sleep(AWAY_S)
    away = known_ports()
    SWITCH.write_text("0")
    back_s = take.wait_for("a port", lambda: len(known_ports()) > len(away))
    ports = {"away": away, "back": known_ports()}
    take.wait_for_event("device_found")
    take.wait_for_samples(AFTER)
    zero_ns = now_ns() - round(take.clock.now_s() * 1e9)
    return {"pulled_s": pulled_s, "back_s": back_s, "ports": ports, "zero_ns": zero_ns, **take.facts()}


def measure(folder: Path) -> dict[str, Any]:
    """Both boards, each in a recording of its own, with a log of what it sent."""
    table = {"name": "board", "port": PORT}

    def emolab(clock: SessionClock) -> Source:
        return EmolabBoard.from_config({**table, "kind": "emolab_board"}, clock)

    def physiokit(clock: SessionClock) -> Source:
        return PhysioKit.from_config({**table, "kind": "physiokit", "nominal_rate_hz": RATE_HZ}, clock)

    with board(folder / "emolab.log"), recorded("board", emolab, folder / "emolab.h5") as take:
        results = {"emolab": pulled(take)}
    with (
        board(folder / "physiokit.log", "--physiokit"),
        recorded("board", physiokit, folder / "physiokit.h5") as take,
        opened_by_another(PORT),
    ):
        results["physiokit"] = pulled(take)
    return results
