"""A thermal camera on the network, for machines without a UVC core: 16-bit frames over TCP, numbered.

    python -m tests.simulators.thermal_network --fps 9 [--port 0]

prints `tcp://127.0.0.1:PORT` on its first line; every viewer gets the frames from its connection on
(FFV1 gray16 in NUT), as `thermal_file` makes them. It is a live camera to emolab: it can vanish,
come back on the same port, or fall silent (SIGSTOP).
"""

from __future__ import annotations

import argparse
import contextlib
import socketserver
import time
from fractions import Fraction

import av

from tests.simulators.thermal_file import thermal_frame

LIVE = {"flush_packets": "1"}
KEPT_FRAMES = 32  # shown in turn: making noise takes longer than sending it


class _Sink:
    """What PyAV writes into: a socket, forwards only."""

    def __init__(self, handler: socketserver.StreamRequestHandler) -> None:
        self._file = handler.wfile

    def write(self, data: bytes) -> int:
        self._file.write(data)
        return len(data)


class _Viewer(socketserver.StreamRequestHandler):
    server: _Camera

    def handle(self) -> None:
        fps, frames = self.server.fps, self.server.frames
        with (
            contextlib.suppress(OSError, av.FFmpegError),
            av.open(_Sink(self), "w", format="nut", buffer_size=1024, options=LIVE) as container,
        ):
            stream = container.add_stream("ffv1", rate=Fraction(fps).limit_denominator(1000))
            stream.height, stream.width = frames[0].shape
            stream.pix_fmt = "gray16le"
            started_s = time.monotonic()
            for number in range(1 << 30):
                time.sleep(max(started_s + number / fps - time.monotonic(), 0.0))
                frame = av.VideoFrame.from_ndarray(frames[number % KEPT_FRAMES], format="gray16le")
                frame.pts, frame.time_base = number, Fraction(1, 1) / Fraction(fps).limit_denominator(1000)
                for packet in stream.encode(frame):
                    container.mux(packet)


class _Camera(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, fps: float) -> None:
        super().__init__(("127.0.0.1", port), _Viewer)
        self.fps = fps
        self.frames = [thermal_frame(number) for number in range(KEPT_FRAMES)]

    def handle_error(self, request: object, client_address: object) -> None:
        """A viewer that leaves is no error."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fps", type=float, default=9.0)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    with _Camera(options.port, options.fps) as camera:
        print(f"tcp://127.0.0.1:{camera.server_address[1]}", flush=True)
        camera.serve_forever(poll_interval=0.5)


if __name__ == "__main__":
    main()
