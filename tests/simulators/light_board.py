"""A PhysioKit board whose first channel is a light sensor at a virtual screen, late by a known delay.

    python -m tests.simulators.light_board --screen FILE --place 1280,0,1024,768 --delay-ms 25

Options and log are those of `physiokit_board`; the other channels carry its signals.
"""

from __future__ import annotations

from pathlib import Path

from tests.simulators.light import Lamp, Picture
from tests.simulators.physiokit_board import row
from tests.simulators.pty_port import Board, Player, PtyPort, common_arguments

DARK, BRIGHT = 90, 870


class LightBoard(Board):
    """Lines of integers."""

    def __init__(self, lamp: Lamp, delay_ms: float, rate_hz: float, channels: int) -> None:
        self._lamp, self._delay_ns, self._rate_hz, self._channels = lamp, delay_ms * 1e6, rate_hz, channels

    def boot(self, port: PtyPort, now_ns: int) -> None:
        port.send(now_ns, b"23,511\r\n", "partial", "23,511")

    def sample(self, port: PtyPort, index: int, captured_ns: int) -> None:
        light = BRIGHT if self._lamp.was_on(captured_ns - self._delay_ns) else DARK
        others = row(index, self._rate_hz, self._channels, "signal")[1:]
        text = ",".join(map(str, (light + index % 2, *others)))
        port.send(captured_ns, text.encode() + b"\r\n", "line", text)


def main() -> None:
    parser = common_arguments(__doc__.splitlines()[0])
    parser.add_argument("--screen", type=Path, required=True, help="Xvfb's file of its screen")
    parser.add_argument("--place", required=True, help="x,y,width,height of what the sensor sees")
    parser.add_argument("--delay-ms", type=float, default=0.0)
    options = parser.parse_args()
    lamp = Lamp(Picture(options.screen, options.place))
    Player(options, LightBoard(lamp, options.delay_ms, options.rate, options.channels)).run()


if __name__ == "__main__":
    main()
