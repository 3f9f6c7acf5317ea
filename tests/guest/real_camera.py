"""The kernel's test camera: its picture moves two pixels a frame, so that each frame tells its number.

One recording, four acts: all is well; this process is stopped for over a second, three times;
the camera drops one frame in five (its own fault injection); it is unplugged and plugged in again.
"""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

from emolab.devices.rgb_camera import RgbCamera
from tests.guest.recorded import recorded

NODE = "/dev/video0"
DRIVER = Path("/sys/bus/platform/drivers/vivid")
DEVICE = "vivid.0"
SIZE_PX, RATE_HZ = (180, 320), 5  # little: the guest encodes slowly
WELL_FRAMES, DROPPY_FRAMES = 25, 40
SETTLED = 8  # frames after which the estimate of what is lost has closed its cases
STALLS, STALL_S, BETWEEN_S = 3, 1.3, 1.0  # the driver holds ten frames, two seconds
DROP_PERCENT = 20
AWAY_S = 1.5

QUERYCTRL, S_CTRL = 0xC0445624, 0xC008561C  # from linux/videodev2.h
NEXT = 0x80000000
MOVE_RIGHT_SLOW = 4  # of the menu of "Horizontal Movement"; three is no movement


def controls(node: str = NODE) -> dict[str, int]:
    """The camera's controls by name."""
    found, number = {}, 0
    handle = os.open(node, os.O_RDWR)
    try:
        while True:
            row = bytearray(struct.pack("=I64x", number | NEXT))
            try:
                fcntl.ioctl(handle, QUERYCTRL, row)
            except OSError:
                return found
            number, _, name = struct.unpack_from("=II32s", row)
            found[name.split(b"\0")[0].decode()] = number
    finally:
        os.close(handle)


def set_control(name: str, value: int, node: str = NODE) -> None:
    """Set one control from beside whoever uses the camera."""
    number = controls(node)[name]
    handle = os.open(node, os.O_RDWR)
    try:
        fcntl.ioctl(handle, S_CTRL, struct.pack("=Ii", number, value))
    finally:
        os.close(handle)


def stall_this_process() -> None:
    """Be stopped a few times, as by a machine that is busy elsewhere; returns when it is over."""
    one = f"kill -STOP {os.getpid()}; sleep {STALL_S}; kill -CONT {os.getpid()}; sleep {BETWEEN_S}"
    subprocess.run(f"for i in $(seq {STALLS}); do {one}; done", shell=True, check=True)


def measure(folder: Path) -> dict[str, Any]:
    """Record into `camera.h5`; the counts after each act, and when it ended."""
    set_control("Horizontal Movement", MOVE_RIGHT_SLOW)
    height, width = SIZE_PX
    table = {
        "kind": "rgb_camera",
        "name": "face",
        "source": 0,
        "width": width,
        "height": height,
        "fps": RATE_HZ,
    }
    acts: list[dict[str, Any]] = []
    with recorded("face", lambda clock: RgbCamera.from_config(table, clock), folder / "camera.h5") as take:

        def ended(act: str) -> None:
            take.wait_for_samples(SETTLED)
            acts.append({"act": act, "until_s": take.clock.now_s(), **take.facts()})

        ended("begin")
        take.wait_for_samples(WELL_FRAMES)
        ended("well")
        stall_this_process()
        ended("stalled")
        set_control("Percentage of Dropped Buffers", DROP_PERCENT)
        take.wait_for_samples(DROPPY_FRAMES)
        set_control("Percentage of Dropped Buffers", 0)
        ended("dropping")
        pulled_s = take.clock.now_s()
        (DRIVER / "unbind").write_text(DEVICE)
        take.wait_for_event("device_lost")
        time.sleep(AWAY_S)
        (DRIVER / "bind").write_text(DEVICE)
        back_s = take.clock.now_s()
        take.wait_for_event("device_found")
        ended("pulled")
    return {"acts": acts, "pulled_s": pulled_s, "back_s": back_s}
