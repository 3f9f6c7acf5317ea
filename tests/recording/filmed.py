"""A recording whose every row can be foretold, offered as instruments would, and what is left of it judged.

    python -m tests.recording.filmed FILE

records until it is killed, and prints twenty times a second until when all streams had been offered.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emolab.core.event import Event
from emolab.core.stream import Chunk, StreamInfo
from emolab.recording.reader import Session
from emolab.recording.recorder import Recorder
from tests.recording.made import BOARD, CAMERA, HEADER, MICROPHONE, THERMAL, number, picture

RATES_HZ = {"board": 1000, "camera": 30, "thermal": 9, "microphone": 48000}
INFOS = (BOARD, CAMERA, THERMAL, MICROPHONE)
STEP_S = 0.05


def rows_of(info: StreamInfo, first: int, n: int) -> NDArray[np.generic]:
    """Samples `first` to `first + n`: noise, which is the same whenever it is asked for."""
    if info.kind == "rgb":
        return np.stack([picture(row) for row in range(first, first + n)])
    width = int(np.prod(info.sample_shape))
    cells = np.arange(first * width, (first + n) * width, dtype=np.uint64)
    noise = (cells * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(48)
    return noise.astype(np.uint16).view(info.dtype).reshape(n, *info.sample_shape)


def offer(recorder: Recorder, until: Callable[[float], bool]) -> None:
    """Offer all streams at their rates until `until(now_s)` is true; it is asked when all is offered."""
    begun = time.monotonic()
    told = dict.fromkeys(RATES_HZ, 0)
    while True:
        now_s = round(time.monotonic() - begun, 6)  # as it is stored
        for info in INFOS:
            rate_hz = RATES_HZ[info.name]
            due = int(now_s * rate_hz) - told[info.name]
            if due > 0:
                times_s = np.arange(told[info.name], told[info.name] + due) / rate_hz
                samples = rows_of(info, told[info.name], due)
                recorder.put(Chunk(info.name, times_s, samples, now_s, tally=None))
                told[info.name] += due
        recorder.mark(Event(now_s, "mark", data={"text": f"{now_s:.3f}"}))
        if until(now_s):
            return
        time.sleep(STEP_S)


def missing_ms(path: Path, offered_s: float) -> dict[str, float]:
    """How much of each stream, and of the events, lacks at the end of a file, in milliseconds.

    Raises `AssertionError` when what is there is not what was offered.
    """
    with Session.open(path) as session:
        lacks = {}
        for info in INFOS:
            stream, rate_hz = session.streams[info.name], RATES_HZ[info.name]
            lacks[info.name] = max(0.0, int(offered_s * rate_hz) - len(stream)) / rate_hz * 1000
            stamped_s = stream.times_s(as_stamped=True)
            assert np.allclose(stamped_s, np.arange(len(stream)) / rate_hz, rtol=0, atol=1e-6), info.name
            if info.kind != "rgb":
                assert np.array_equal(stream.samples(), rows_of(info, 0, len(stream))), info.name
        video = session.video("camera")
        seen = [number(pixels) for _, pixels in video.frames()]
        assert seen == [row % 100 for row in range(len(seen))], "pictures"
        events = [event for event in session.events if event.kind == "mark"]
        assert [event.data["text"] for event in events] == [f"{event.time_s:.3f}" for event in events]
        lacks["events"] = max(0.0, offered_s - (events[-1].time_s if events else 0.0)) * 1000
    return lacks


def main(path: Path) -> None:
    """Record until killed."""
    recorder = Recorder(path, HEADER, INFOS)
    print("open", flush=True)

    def tell(now_s: float) -> bool:
        print(f"{now_s:.3f}", flush=True)
        return False

    offer(recorder, tell)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
