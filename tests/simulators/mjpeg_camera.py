"""A network camera as a program of its own: MJPEG over HTTP, every frame numbered.

    python -m tests.simulators.mjpeg_camera --fps 30 --size 640x480 --log frames.csv

prints `http://127.0.0.1:PORT/camera.mjpeg` on its first line and serves until it is ended. The
number stands in black and white blocks in the upper left corner, which survive JPEG and H.264;
`read_number` reads it back. The camera starts when its first viewer comes and runs freely from
there: number k belongs to the moment `start + k / fps` whether anyone watches or not, and every viewer
gets all frames from its connection on, late rather than never. `--log` gets one line
`number,monotonic_ns` for each frame sent, written as the frame is handed to the socket.
SIGUSR1 halves its rate, as the dark does.
"""

from __future__ import annotations

import argparse
import os
import signal
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

BLOCK_PX = 20
BITS = 16  # two rows of eight blocks, then the same again inverted, so that a misreading shows


def draw_number(frame: NDArray[np.uint8], number: int) -> None:
    """Draw `number` (below 65536) into the upper left 160×80 px of a `(h, w)` or `(h, w, 3)` frame."""
    for row, bits in enumerate((number >> 8, number & 255, ~(number >> 8), ~number)):
        for column in range(8):
            white = bits >> (7 - column) & 1
            y, x = row * BLOCK_PX, column * BLOCK_PX
            frame[y : y + BLOCK_PX, x : x + BLOCK_PX] = 255 if white else 0


def read_number(frame: NDArray[np.uint8]) -> int:
    """The number drawn into a frame. Raises `ValueError` when the blocks contradict each other."""
    grey = frame if frame.ndim == 2 else frame[..., 1]
    centres = grey[BLOCK_PX // 2 : 4 * BLOCK_PX : BLOCK_PX, BLOCK_PX // 2 : 8 * BLOCK_PX : BLOCK_PX]
    rows = np.packbits(centres > 127, axis=1)[:, 0].astype(int)
    if rows[0] ^ rows[2] != 255 or rows[1] ^ rows[3] != 255:
        raise ValueError(f"no frame number here: block rows read {rows.tolist()}")
    return int(rows[0] << 8 | rows[1])


class _Camera(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """The listening socket and what the camera is told to do wrong."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(("127.0.0.1", options.port), _Viewer)
        self.options = options
        self.start_ns: int | None = None
        self.newest, self.slow_from = 0, 1 << 60
        self.log = Path(options.log).open("w", buffering=1) if options.log else None  # noqa: SIM115
        width, height = (int(side) for side in options.size.split("x"))
        ramp = np.linspace(60, 190, width).astype(np.uint8)
        self.background = np.repeat(np.repeat(ramp[None, :], height, axis=0)[..., None], 3, axis=2)

    def slow_down(self, *_: object) -> None:
        """Give half as many frames a second from now on, as cameras do when it gets dark."""
        self.slow_from = min(self.slow_from, self.newest)

    def handle_error(self, request: object, client_address: object) -> None:
        """A viewer that leaves is no error."""


class _Viewer(BaseHTTPRequestHandler):
    server: _Camera

    def do_GET(self) -> None:
        options, camera = self.server.options, self.server
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        frame = camera.background.copy()
        start_ns = camera.start_ns = camera.start_ns or time.monotonic_ns()
        number = int((time.monotonic_ns() - start_ns) * 1e-9 * options.fps) + 1
        while True:
            camera.newest = number
            late = max(number - camera.slow_from, 0)
            wait_s = (number + late) / options.fps - (time.monotonic_ns() - start_ns) * 1e-9
            if wait_s > 0:
                time.sleep(wait_s)
            if options.die_after is not None and number > options.die_after:
                os._exit(0)  # as a camera whose plug was pulled: no farewell
            if options.stall_after is not None and number > options.stall_after:
                threading.Event().wait()
            if number not in options.skip:
                draw_number(frame, number % (1 << BITS))
                jpeg = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
                self._send(jpeg[: len(jpeg) // 2] if number in options.cut else jpeg, number)
            number += 1

    def _send(self, jpeg: bytes, number: int) -> None:
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
        sent_ns = time.monotonic_ns()
        self.wfile.write(head + jpeg + b"\r\n")
        if self.server.log:
            self.server.log.write(f"{number},{sent_ns}\n")

    def log_message(self, format: str, *args: object) -> None:
        pass


def _numbers(text: str) -> set[int]:
    """`"3,7-9"` is {3, 7, 8, 9}."""
    numbers: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        numbers.update(range(int(first), int(last or first) + 1))
    return numbers


def main(arguments: list[str] | None = None) -> None:
    """Serve until ended, for `--seconds` at most."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--log", help="CSV of number,monotonic_ns for each frame sent")
    parser.add_argument("--skip", type=_numbers, default=set(), help="numbers never sent, like 20,30-32")
    parser.add_argument("--cut", type=_numbers, default=set(), help="numbers whose JPEG is sent cut in half")
    parser.add_argument("--die-after", type=int, help="number after which the camera vanishes")
    parser.add_argument("--stall-after", type=int, help="number after which it says nothing more")
    options = parser.parse_args(arguments)
    with _Camera(options) as camera:
        if hasattr(signal, "SIGUSR1"):
            signal.signal(signal.SIGUSR1, camera.slow_down)
        print(f"http://127.0.0.1:{camera.server_address[1]}/camera.mjpeg", flush=True)
        if options.seconds is not None:
            threading.Timer(options.seconds, os._exit, (0,)).start()
        camera.serve_forever(poll_interval=0.5)


@contextmanager
def running_camera(*arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The program, started: yields its address and its process, and ends it afterwards."""
    command = [sys.executable, "-m", "tests.simulators.mjpeg_camera", *arguments]
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), process
    finally:
        process.kill()
        process.wait(60)
        process.stdout.close()


if __name__ == "__main__":
    main()
