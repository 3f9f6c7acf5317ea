"""A PhysioKit board on a pseudo-terminal: `python -m tests.simulators.physiokit_board --rate 275`.

Prints the port's path, sends when the port is opened, logs each line. In the log `what` is `line`
for a sample, `garbage` for what is none; the half line after each boot is not logged.

`--pattern count`: channels 0 and 1 hold the row's number (low and high ten bits), so that every row
is told from every other. `--pattern signal`: something like skin, breath and two pulses.
"""

from __future__ import annotations

import math

from tests.simulators.pty_port import Board, Player, PtyPort, common_arguments

GARBAGE = (b"12,xx,7,9\r\n", b"1,2\r\n", b"\x00\xff\xfe\r\n", b"5,,5,5\r\n", b"9" * 90 + b"\r\n")


def row(index: int, rate_hz: float, channels: int, pattern: str) -> list[int]:
    """The numbers of row `index`, each 0 to 1023."""
    if pattern == "count":
        values = [index % 1024, index // 1024 % 1024, 1023 - index % 1024, index * 7 % 1024]
        return values[:channels]
    time_s = index / rate_hz
    breath = math.sin(2 * math.pi * 0.25 * time_s)
    beat = (time_s * 1.2) % 1.0
    pulse = math.exp(-(((beat - 0.2) / 0.08) ** 2)) + 0.4 * math.exp(-(((beat - 0.45) / 0.1) ** 2))
    late = (time_s * 1.2 - 0.05) % 1.0
    ear = math.exp(-(((late - 0.2) / 0.09) ** 2)) + 0.3 * math.exp(-(((late - 0.45) / 0.1) ** 2))
    skin = 400 + 60 * math.sin(2 * math.pi * time_s / 40) + 30 * math.exp(-((time_s % 12) / 3))
    values = [int(skin) + index % 2, int(512 + 180 * breath), int(300 + 350 * pulse), int(320 + 280 * ear)]
    return values[:channels]


class PhysioKitBoard(Board):
    """Lines of integers; every `garbage_every`-th line is preceded by one that is no sample."""

    def __init__(self, rate_hz: float, channels: int, pattern: str, garbage_every: int) -> None:
        self._rate_hz = rate_hz
        self._channels = channels
        self._pattern = pattern
        self._garbage_every = garbage_every

    def boot(self, port: PtyPort, now_ns: int) -> None:
        port.send(now_ns, b"23,511\r\n", "partial", "23,511")

    def sample(self, port: PtyPort, index: int, captured_ns: int) -> None:
        if self._garbage_every and index % self._garbage_every == self._garbage_every - 1:
            text = GARBAGE[index // self._garbage_every % len(GARBAGE)]
            port.send(captured_ns, text, "garbage", ascii(text))
            return
        text = ",".join(map(str, row(index, self._rate_hz, self._channels, self._pattern)))
        port.send(captured_ns, text.encode() + b"\r\n", "line", text)


def main() -> None:
    parser = common_arguments(__doc__.splitlines()[0])
    parser.add_argument("--pattern", choices=("signal", "count"), default="signal")
    parser.add_argument("--garbage-every", type=int, default=0, help="replace every n-th line by garbage")
    options = parser.parse_args()
    board = PhysioKitBoard(options.rate, options.channels, options.pattern, options.garbage_every)
    Player(options, board).run()


if __name__ == "__main__":
    main()
