"""A board behind a real USB port: `python -m tests.guest.gadget_board --watch 123 --log board.log`.

The simulated board of emolab's sketch, one that keeps running when its port is opened, with the
kernel's USB gadget for a wire: what is written to `/dev/ttyGS0` comes out of `/dev/ttyACM0`. The
kernel does not tell a gadget whether its port is open, so the process that will open it is watched;
meanwhile nothing is sent. `--physiokit`: PhysioKit's board instead, which boots whenever it is opened.
"""

from __future__ import annotations

import os
import select
import tty
from pathlib import Path
from typing import TextIO

from tests.simulators import framed_board
from tests.simulators.physiokit_board import PhysioKitBoard
from tests.simulators.pty_port import Board, Player, PtyPort

NODE = "/dev/ttyGS0"
WAIT_S = 0.2


class GadgetPort(PtyPort):
    """The gadget's end of the cable. `watched`: the process whose opening of a `ttyACM` counts."""

    def __init__(self, watched: int, log: TextIO | None) -> None:
        super().__init__(baud=0, burst_ms=0.0, link=None, log=log)
        self._watched = Path(f"/proc/{watched}/fd")

    def plug_in(self) -> str:
        self._master = os.open(NODE, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._master)
        return NODE

    @property
    def has_reader(self) -> bool:
        for link in self._watched.iterdir():
            try:
                if str(link.readlink()).startswith("/dev/ttyACM"):
                    return True
            except OSError:
                continue  # closed meanwhile
        return False

    def write(self, data: bytes) -> None:
        """As much as goes within a moment; the rest is lost, as it is on a board."""
        while data:
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:
                if not select.select([], [self._master], [], WAIT_S)[1]:
                    return
            except OSError:  # hung up: the host has let go of the device
                os.close(self._master)
                self.plug_in()
                return


def main() -> None:
    parser = framed_board.arguments()
    parser.add_argument("--watch", type=int, required=True, help="process that opens the port")
    parser.add_argument("--physiokit", action="store_true")
    options = parser.parse_args()
    options.keeps_running = True
    board: Board = framed_board.FramedBoard(options)
    if options.physiokit:
        board = PhysioKitBoard(options.rate, options.channels, "count", 0)
    Player(options, board, lambda log: GadgetPort(options.watch, log)).run()


if __name__ == "__main__":
    main()
