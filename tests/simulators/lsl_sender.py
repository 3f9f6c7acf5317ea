"""A sender of one LSL stream whose every sample and stamp is known. Run as a program with one JSON plan:

    name, type, source_id, format   as LSL has them
    channels, rate_hz               rate 0: irregular
    labels, units                   of the channels, optional
    count                           samples to send, then it stays and is silent
    steps                           of the stamps, used in turn; left out: 1 / rate_hz
    texts                           of a string stream, a list of rows; "hex:ff00" stands for raw bytes

It prints a JSON line when it can be found, waits for "go" and a receiver, prints the first stamp and
sends: sample k is k + channel (modulo 100), stamped `first + sum(steps[:k])`, at that moment.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
import time
from typing import Any

import pylsl


def main(plan: dict[str, Any]) -> None:
    channels, rate_hz = plan.get("channels", 1), plan.get("rate_hz", 0.0)
    form = plan.get("format", "float32")
    info = pylsl.StreamInfo(
        plan["name"], plan.get("type", "Test"), channels, rate_hz, form, plan.get("source_id", plan["name"])
    )
    if "labels" in plan:
        info.set_channel_labels(plan["labels"])
    if "units" in plan:
        info.set_channel_units(plan["units"])
    outlet = pylsl.StreamOutlet(info)
    print(json.dumps({"ready_s": time.monotonic()}), flush=True)
    sys.stdin.readline()
    while not outlet.have_consumers():
        time.sleep(0.001)
    stamp_s = pylsl.local_clock() + 0.05
    print(stamp_s, flush=True)
    steps = itertools.cycle(plan.get("steps") or [1 / rate_hz])
    for k in range(plan["count"]):
        if math.isfinite(stamp_s):
            time.sleep(max(stamp_s - pylsl.local_clock(), 0.0))
        if form == "string":
            row: list[Any] = [
                bytes.fromhex(text[4:]) if text.startswith("hex:") else text for text in plan["texts"][k]
            ]
        else:
            row = [(k + channel) % 100 for channel in range(channels)]
        outlet.push_sample(row, stamp_s)
        stamp_s += next(steps)
    time.sleep(600)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
