"""An emolab that receives one LSL stream, as a program: run as `lsl_receiver.py TABLE SECONDS`.

TABLE is the instrument's table as JSON. Prints a line as soon as rows come, and at the end one JSON
object: events (kind, time, data), rows (time on the machine's monotonic clock, the sender's stamp,
first value) and how long closing took.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from emolab.core.clock import SessionClock
from emolab.core.event import Event
from emolab.core.stream import Chunk
from emolab.devices.lsl import LslStream
from emolab.session.hub import Hub
from emolab.session.pump import Pump


def main(table: dict[str, Any], seconds: float) -> None:
    clock, events, rows = SessionClock(), list[Event](), list[tuple[float, float, float]]()

    def take(chunk: Chunk) -> None:
        assert chunk.device_us is not None
        if not rows:
            print("first", flush=True)
        times_s = chunk.times_s + clock.origin_ns * 1e-9
        stamps_s = chunk.device_us * 1e-6
        rows.extend(zip(times_s.tolist(), stamps_s.tolist(), chunk.samples[:, 0].tolist(), strict=True))

    source = LslStream.from_config(table, clock)
    with tempfile.TemporaryDirectory() as rings:
        hub = Hub(clock, Path(rings))
        with hub.keep() as hand_over:
            hand_over(take)
        pump = Pump("it", source, clock, hub, events.append)
        pump.start()
        time.sleep(seconds)
        asked_s = time.monotonic()
        pump.stop()
        has_ended = pump.join(10)
    told = [(event.kind, event.time_s + clock.origin_ns * 1e-9, dict(event.data)) for event in events]
    closing_s = time.monotonic() - asked_s
    print(json.dumps({"events": told, "rows": rows, "closing_s": closing_s, "has_ended": has_ended}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), float(sys.argv[2]))
