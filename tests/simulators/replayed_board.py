"""A recording of PhysioKit's played again through a pseudo-terminal, by the board's own clock.

    python -m tests.simulators.replayed_board FILE.csv [--seconds 60] [--burst-ms 16] [--log FILE]

Prints the port's path and sends when it is opened, each line when the board's milliseconds say.
"""

from __future__ import annotations

import csv
import time
from argparse import ArgumentParser
from pathlib import Path

from tests.simulators.pty_port import PtyPort

BOOT_S = 0.2
LINGER_S = 1.0


def lines(path: Path) -> list[tuple[float, bytes]]:
    """When each line was sent, in seconds from the first, and the line."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    first_ms = float(rows[0]["arduino_ts"])
    names = list(rows[0])[:4]
    return [
        (
            (float(row["arduino_ts"]) - first_ms) / 1e3,
            ",".join(str(int(float(row[name]))) for name in names).encode() + b"\r\n",
        )
        for row in rows
    ]


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seconds", type=float, default=0.0, help="only so much of it; 0 = all")
    parser.add_argument("--burst-ms", type=float, default=0.0)
    parser.add_argument("--log", type=Path, help="one line a row: due_ns, written_ns, what, text")
    options = parser.parse_args()
    sent = [entry for entry in lines(options.file) if not options.seconds or entry[0] <= options.seconds]
    log = options.log.open("w", buffering=1 << 16) if options.log else None
    port = PtyPort(0, options.burst_ms, None, log)
    print(port.plug_in(), flush=True)
    while not port.has_reader:
        time.sleep(0.005)
    time.sleep(BOOT_S)
    started_ns = time.monotonic_ns()
    port.send(started_ns, b"23,511\r\n", "partial", "")
    for at_s, line in sent:
        due_ns = started_ns + int(at_s * 1e9)
        while (wait_ns := due_ns - time.monotonic_ns()) > 0:
            port.flush_due()
            next_ns = port.next_due_ns()
            if next_ns is not None:  # a burst is to leave before the next line
                wait_ns = min(wait_ns, max(int(next_ns) - time.monotonic_ns(), 100_000))
            time.sleep(wait_ns * 1e-9)
        port.send(due_ns, line, "line", "")
        port.flush_due()
    while port.next_due_ns() is not None:
        port.flush_due()
        time.sleep(0.001)
    if log is not None:
        log.close()
    time.sleep(LINGER_S)
    port.unplug()


if __name__ == "__main__":
    main()
