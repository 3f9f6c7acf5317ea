"""A recording to be killed: writes at the rate of its clock and tells how far it got.

    python -m tests.recording.victim FILE

Prints one line when the file is open and then, twenty times a second, the session time up to
which samples and events were offered. It ends only when it is killed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from emolab.core.event import Event
from emolab.recording.recorder import Recorder
from tests.recording.made import BOARD, CAMERA, HEADER, THERMAL, chunk

RATES_HZ = {"board": 1000, "camera": 30, "thermal": 9}


def main(path: Path) -> None:
    """Record until killed."""
    infos = (BOARD, CAMERA, THERMAL)
    recorder = Recorder(path, HEADER, infos)
    print("open", flush=True)
    begun = time.monotonic()
    told = dict.fromkeys(RATES_HZ, 0)
    while True:
        now_s = round(time.monotonic() - begun, 6)  # as it is stored
        for info in infos:
            due = int(now_s * RATES_HZ[info.name]) - told[info.name]
            if due > 0:
                recorder.put(chunk(info, told[info.name], due, RATES_HZ[info.name]))
                told[info.name] += due
        recorder.mark(Event(now_s, "mark", data={"text": f"{now_s:.3f}"}))
        print(f"{now_s:.3f}", flush=True)
        time.sleep(0.05)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
