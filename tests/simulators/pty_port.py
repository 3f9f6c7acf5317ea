"""A pseudo-terminal that behaves like a board on USB: boots when opened, sends at the line's speed.

What is queued with `send` leaves when a wire of `baud` would have carried its last bit (ten bits
a byte), or with the next burst, whichever is later. The reader's side is a plain serial port for
pyserial; closing ours is what pulling the cable is.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
import tty
from argparse import ArgumentParser, Namespace
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TextIO


def common_arguments(description: str) -> ArgumentParser:
    """The options all boards have."""
    parser = ArgumentParser(description=description)
    parser.add_argument("--rate", type=float, default=275.0, help="true samples a second")
    parser.add_argument("--channels", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=0.0, help="of sending; 0 = until SIGTERM")
    parser.add_argument(
        "--linger", type=float, default=1.0, help="seconds the port stays after the last sample"
    )
    parser.add_argument("--baud", type=int, default=115200, help="speed of the wire; 0 = no limit")
    parser.add_argument("--burst-ms", type=float, default=0.0, help="hand over only so often, as USB does")
    parser.add_argument(
        "--boot", type=float, default=0.2, help="seconds from the port's opening to the first byte"
    )
    parser.add_argument("--log", type=Path, help="one line a sample: captured_ns, written_ns, what, text")
    parser.add_argument("--link", type=Path, help="symbolic link kept on the port, also after a replug")
    parser.add_argument("--unplug-at", type=float, default=0.0, help="pull the cable so many seconds in")
    parser.add_argument("--unplug-when", type=Path, help="pull the cable once as soon as this file is there")
    parser.add_argument("--replug-after", type=float, default=0.0, help="put it back; 0 = never")
    return parser


class PtyPort:
    """One pseudo-terminal and the wire into it."""

    def __init__(self, baud: int, burst_ms: float, link: Path | None, log: TextIO | None) -> None:
        self._ns_a_byte = 10e9 / baud if baud else 0.0
        self._burst_ns = burst_ms * 1e6
        self._link = link
        self._log = log
        self._queue: deque[tuple[float, int, bytes, str, str]] = deque()
        self._busy_ns = 0.0
        self._is_late = False
        self._master = -1
        self.path = ""

    def plug_in(self) -> str:
        """Make the port; returns its path."""
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        # with no slave open the master sees a hang-up: that is how we know when a reader comes
        os.close(slave)
        if self._link is not None:
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(self.path)
        return self.path

    def unplug(self) -> None:
        """Pull the cable: a reader's next read fails, what was queued is lost."""
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        if self._master >= 0:
            os.close(self._master)
        self._master = -1
        self._queue.clear()
        self._busy_ns = 0.0

    @property
    def has_reader(self) -> bool:
        """True while somebody has the port open."""
        poll = select.poll()
        poll.register(self._master, select.POLLOUT)
        return not any(event & select.POLLHUP for _, event in poll.poll(0))

    def send(self, captured_ns: int, data: bytes, what: str, text: str) -> None:
        """Queue bytes captured at `captured_ns`; `what` and `text` are for the log."""
        due_ns = max(captured_ns, self._busy_ns) + len(data) * self._ns_a_byte
        self._busy_ns = due_ns
        if due_ns - captured_ns > 1e9 and not self._is_late:
            self._is_late = True
            print("the wire is too slow for this rate: samples leave a second late", file=sys.stderr)
        if self._burst_ns:
            due_ns = -(-due_ns // self._burst_ns) * self._burst_ns
        self._queue.append((due_ns, captured_ns, data, what, text))

    def flush_due(self) -> None:
        """Write all that is due by now in one go."""
        now_ns = time.monotonic_ns()
        due = []
        while self._queue and self._queue[0][0] <= now_ns:
            due.append(self._queue.popleft())
        if not due:
            return
        self.write(b"".join(entry[2] for entry in due))
        if self._log is not None:
            self._log.writelines(f"{entry[1]}\t{now_ns}\t{entry[3]}\t{entry[4]}\n" for entry in due)

    def flush_log(self) -> None:
        """Make the log whole for whoever reads it now."""
        if self._log is not None:
            self._log.flush()

    def write(self, data: bytes) -> None:
        """Put bytes on the wire, waiting until all have gone."""
        while data:
            data = data[os.write(self._master, data) :]

    def next_due_ns(self) -> float | None:
        """When the next queued bytes are due; None when the queue is empty."""
        return self._queue[0][0] if self._queue else None


class Board:
    """What a board sends, made by each simulator; `Player` gives it time."""

    def boot(self, port: PtyPort, now_ns: int) -> None:
        """Queue what comes first after power-up."""

    def sample(self, port: PtyPort, index: int, captured_ns: int) -> None:
        """Queue sample `index`."""
        raise NotImplementedError


class Player:
    """Runs a board on a port as the options say; `make_port(log)` makes another than a pseudo-terminal."""

    def __init__(
        self,
        options: Namespace,
        board: Board,
        make_port: Callable[[TextIO | None], PtyPort] | None = None,
    ) -> None:
        self._options = options
        self._board = board
        self._stops = False
        self._unplug_when = options.unplug_when
        self._log = options.log.open("w", buffering=1 << 16) if options.log else None
        self._port = (
            make_port(self._log)
            if make_port is not None
            else PtyPort(options.baud, options.burst_ms, options.link, self._log)
        )

    def run(self) -> None:
        """Print the port's path, then play until the end, SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        print(self._port.plug_in(), flush=True)
        try:
            sent, unplug_at = 0, self._options.unplug_at
            while not self._stops:
                self._wait_for_reader()
                limit_s = unplug_at or self._options.seconds
                sent, is_over = self._play(sent, limit_s)
                if is_over and (unplug_at or self._is_to_be_pulled()):
                    unplug_at, self._unplug_when = 0.0, None
                    self._port.unplug()
                    if not self._options.replug_after:
                        break
                    self._sleep(self._options.replug_after)
                    self._port.plug_in()
                elif is_over:
                    self._sleep(self._options.linger)
                    break
        finally:
            time.sleep(0.1)  # what was written last is still on its way to the reader
            self._port.unplug()
            if self._log is not None:
                self._log.close()

    def _play(self, first: int, limit_s: float) -> tuple[int, bool]:
        """Send samples from `first` on until the limit or the reader leaves: (next, limit reached)."""
        period_ns = 1e9 / self._options.rate
        started_ns = time.monotonic_ns()
        self._board.boot(self._port, started_ns)
        index = first
        while not self._stops:
            now_ns = time.monotonic_ns()
            while started_ns + (index - first) * period_ns <= now_ns:
                captured_ns = int(started_ns + (index - first) * period_ns)
                if limit_s and index / self._options.rate >= limit_s:
                    self._drain()
                    return index, True
                self._board.sample(self._port, index, captured_ns)
                index += 1
            if self._is_to_be_pulled():
                return index, True
            if not self._port.has_reader:
                self._port.flush_log()
                return index, False
            self._port.flush_due()
            wake_ns = started_ns + (index - first) * period_ns
            due_ns = self._port.next_due_ns()
            wake_ns = min(wake_ns, due_ns) if due_ns is not None else wake_ns
            time.sleep(max(wake_ns - time.monotonic_ns(), 200_000) * 1e-9)
        return index, True

    def _is_to_be_pulled(self) -> bool:
        return self._unplug_when is not None and self._unplug_when.exists()

    def _drain(self) -> None:
        while not self._stops and self._port.next_due_ns() is not None and self._port.has_reader:
            self._port.flush_due()
            time.sleep(0.001)

    def _wait_for_reader(self) -> None:
        while not self._stops and not self._port.has_reader:
            time.sleep(0.005)
        self._sleep(self._options.boot)

    def _sleep(self, seconds: float) -> None:
        ends_s = time.monotonic() + seconds
        while not self._stops and time.monotonic() < ends_s:
            time.sleep(0.01)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stops = True
