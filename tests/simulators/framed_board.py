"""A board with emolab's sketch on a pseudo-terminal: `python -m tests.simulators.framed_board`.

Prints the port's path, boots when the port is opened, logs each sample. In the log `what` is what was
done to the sample: `sent`, `dropped`, `damaged` or `doubled`; text is counter, microseconds, values.
`--pattern noisy`: something like skin, breath and two pulses with two counts of noise.
`--keeps-running`: a board with USB of its own, which does not boot when its port is opened: counter
and clock run on while nobody listens, and no hello comes before its time.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from random import Random

from emolab.devices.framing import Hello, encode_hello, encode_sample
from tests.simulators.physiokit_board import row
from tests.simulators.pty_port import Board, Player, PtyPort, common_arguments


class FramedBoard(Board):
    """Sample frames with a hello each second; its clock and counter begin anew at each boot."""

    def __init__(self, options: Namespace) -> None:
        self._options = options
        self._hello = Hello((1, 0), options.channels, options.bits, options.announced or options.rate)
        self._pattern = "count" if options.pattern == "count" else "signal"
        self._random = Random(1)
        self._booted_ns, self._booted_index = 0, -1

    def boot(self, port: PtyPort, now_ns: int) -> None:
        if self._options.keeps_running and self._booted_ns:
            return
        self._booted_ns, self._booted_index = now_ns, -1
        port.send(now_ns, b"\0" + encode_hello(self._hello), "hello", "")

    def sample(self, port: PtyPort, index: int, captured_ns: int) -> None:
        options = self._options
        if self._booted_index < 0:
            self._booted_index = index
        if options.reset_at and index == int(options.reset_at * options.rate):
            self.boot(port, captured_ns)
            self._booted_index = index
        counter = options.first_counter + index - self._booted_index
        if options.keeps_running:
            counter = options.first_counter + round((captured_ns - self._booted_ns) * 1e-9 * options.rate)
        device_us = options.first_us + round(
            (captured_ns - self._booted_ns) * 1e-3 * (1 + options.drift_ppm * 1e-6)
        )
        values = tuple(row(index, options.rate, options.channels, self._pattern))
        if options.pattern == "noisy":
            values = tuple(min(max(value + round(self._random.gauss(0, 2)), 0), 1023) for value in values)
        frame = encode_sample(counter, device_us, values, self._hello.width)
        what = self._fate(index)
        if what == "damaged":
            frame = frame[:4] + bytes([frame[4] ^ 0xFF or 1]) + frame[5:]
        sent = {"dropped": b"", "doubled": frame * 2}.get(what, frame)
        port.send(captured_ns, sent, what, f"{counter},{device_us},{','.join(map(str, values))}")
        if counter % round(options.rate * options.hello_s) == 0:
            port.send(captured_ns, encode_hello(self._hello), "hello", "")

    def _fate(self, index: int) -> str:
        for what in ("dropped", "damaged", "doubled"):
            every = getattr(self._options, what)
            if every and index % every == every - 1:
                return what
        return "sent"


def arguments() -> ArgumentParser:
    """The options of this board."""
    assert __doc__ is not None
    parser = common_arguments(__doc__.splitlines()[0])
    parser.set_defaults(baud=250_000)
    parser.add_argument("--bits", type=int, default=10)
    parser.add_argument("--pattern", choices=("count", "noisy"), default="count")
    parser.add_argument("--announced", type=float, default=0.0, help="rate in the hello; 0 = the true one")
    parser.add_argument("--drift-ppm", type=float, default=0.0, help="how fast the board's clock runs")
    parser.add_argument("--first-counter", type=int, default=0)
    parser.add_argument("--first-us", type=int, default=0)
    parser.add_argument("--reset-at", type=float, default=0.0, help="press reset so many seconds in")
    parser.add_argument("--hello-s", type=float, default=1.0, help="seconds between two hellos")
    parser.add_argument("--keeps-running", action="store_true", help="boot once only")
    for what in ("dropped", "damaged", "doubled"):
        parser.add_argument(f"--{what}", type=int, default=0, metavar="N", help=f"every N-th frame is {what}")
    return parser


def main() -> None:
    options = arguments().parse_args()
    Player(options, FramedBoard(options)).run()


if __name__ == "__main__":
    main()
