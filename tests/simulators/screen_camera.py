"""A network camera that films a virtual screen, late by a known delay: MJPEG over HTTP.

    python -m tests.simulators.screen_camera --screen FILE --place 1280,0,1024,768 --fps 30 --delay-ms 60

prints its address on the first line. Each frame shows the screen as it was at one moment, and leaves
`--delay-ms` after it.
"""

from __future__ import annotations

import argparse
import socketserver
import time
from collections import deque
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import cv2

from tests.simulators.light import Picture

STEP_PX = 4


class _Camera(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(("127.0.0.1", 0), _Viewer)
        self.options = options
        self.picture = Picture(options.screen, options.place)

    def handle_error(self, request: object, client_address: object) -> None:
        """A viewer that leaves is no error."""


class _Viewer(BaseHTTPRequestHandler):
    server: _Camera

    def do_GET(self) -> None:
        options, picture = self.server.options, self.server.picture
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        begun_s, number = time.monotonic(), 0
        waiting: deque[tuple[float, bytes]] = deque()
        while True:
            frame_s = begun_s + number / options.fps
            wake_s = min([frame_s, *(due_s for due_s, _ in list(waiting)[:1])])
            time.sleep(max(wake_s - time.monotonic(), 0.0))
            if wake_s == frame_s:
                taken_s = time.monotonic()
                jpeg = cv2.imencode(".jpg", picture.grey(STEP_PX))[1].tobytes()
                waiting.append((taken_s + options.delay_ms / 1e3, jpeg))
                number += 1
            while waiting and waiting[0][0] <= time.monotonic():
                jpeg = waiting.popleft()[1]
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")

    def log_message(self, format: str, *args: object) -> None:
        pass


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--screen", type=Path, required=True, help="Xvfb's file of its screen")
    parser.add_argument("--place", required=True, help="x,y,width,height of what the camera sees")
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    with _Camera(parser.parse_args()) as camera:
        print(f"http://127.0.0.1:{camera.server_address[1]}/camera.mjpeg", flush=True)
        camera.serve_forever(poll_interval=0.5)


if __name__ == "__main__":
    main()
