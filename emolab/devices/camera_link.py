"""A live camera behind OpenCV, read by a thread of its own.

OpenCV's `read` may block for half a minute when a camera dies, so it never runs in the caller's
thread: this one opens, grabs, stamps and converts, and the caller waits for its frames only as
long as it likes. Frames nobody takes are thrown away, oldest first, and counted.

Stamps. With V4L2 (Linux) OpenCV hands on the kernel's own stamp of the buffer, on the monotonic
clock: the end of the read-out, before USB latency and decoding; that one is used. So frames may wait
in the driver while this program is held up, ten of them; with fewer buffers they were lost there.
Elsewhere the clock is read when `grab` returns: after exposure and transport, and after decoding
except for MJPEG over HTTP. What lies before cannot be seen from here; a clapper filmed beside a
recorded click measures it.

MJPEG over HTTP is taken as packets and decoded here: the stamp comes first, it costs a quarter
less, and a picture that arrived cut short is counted as corrupt instead of shown half grey.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable

import cv2
from numpy.typing import NDArray

from emolab.core.clock import Clock, now_ns
from emolab.core.errors import DeviceError, DeviceNotFound, DeviceTimeout
from emolab.core.stream import Tally
from emolab.devices.addresses import shown
from emolab.devices.frames import DropEstimate, Frame

OPEN_TIMEOUT_S = 4.0
LINGER_S = 2.0  # a pump comes back half a second after it gave up
SILENCE_TIMEOUT_S = 2.0
HELD_FRAMES = 16
BURST_S = 0.004  # a frame that comes faster than this after the one before was waiting in a buffer
BURST_FRAMES = 200
BUFFERS = 10  # the most that OpenCV takes
LONGEST_WAIT_NS = 10_000_000_000
AHEAD_NS = 200_000_000  # a stamp that the driver worked out may lie a little in the future

# OpenCV reads these: no libav chatter on stderr, no ten seconds of waiting for a dead webcam; and no
# twenty frames only to guess a rate that we measure anyway (rtsp over tcp is OpenCV's own default)
os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp|fpsprobesize;0")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


class CameraLink:
    """Frames of one live camera.

    `source`: index or address. `prepare(capture)` sets what the camera needs before its first
    frame. `convert(image)` turns OpenCV's image into the stream's; it runs in the link's thread
    and may raise `DeviceError`. `what`: the camera's name in messages, like `camera "face"`.
    """

    def __init__(
        self,
        what: str,
        source: int | str,
        clock: Clock,
        prepare: Callable[[cv2.VideoCapture], None],
        convert: Callable[[NDArray], NDArray],
    ) -> None:
        self._what = what
        self._source = int(source) if isinstance(source, str) and source.isdecimal() else source
        self._clock = clock
        self._prepare = prepare
        self._convert = convert
        self._drops = DropEstimate()
        self._overrun = 0
        self._corrupt = 0
        self._openings = 0
        self._session: _Session | None = None
        self._opening: _Session | None = None  # of which is not known yet what comes of it
        self.facts: dict[str, object] = {}

    def open(self) -> NDArray:
        """Connect and wait for the first frame, which is returned and not delivered again.

        A camera that is still being opened since the last call is waited for, not opened a second time.
        """
        self.close()
        session = self._opening
        if session is None or not session.take_up():
            session = self._opening = _Session(self)
            session.start()
        self._session = session
        with session.news:
            came = session.news.wait_for(
                lambda: session.first is not None or session.failure, OPEN_TIMEOUT_S + 2
            )
        if session.failure is not None or not came or session.first is None:
            self.close()
            if session.failure is not None:
                self._opening = None
                raise session.failure
            raise DeviceTimeout(self._still_opening() if session.is_opening else self._not_answering())
        self._opening = None
        self._openings += 1
        self.facts = session.facts
        return session.first

    def take(self, timeout_s: float) -> Frame | None:
        """The next frame. Raises `DeviceTimeout` after 2 s of silence, `DeviceError` when it is gone."""
        session = self._session
        if session is None:
            raise DeviceError(f"{self._what} is not open; open it before reading")
        with session.news:
            session.news.wait_for(lambda: session.frames or session.failure, timeout_s)
            if session.frames:
                return session.frames.popleft()
            if session.failure is not None:
                raise session.failure
            silence_s = time.monotonic() - session.heard_s
        if silence_s > SILENCE_TIMEOUT_S:
            raise DeviceTimeout(
                f"{self._what} has sent no frame for {silence_s:.0f} s from {shown(self._source)}; "
                "check the cable or address, then Retry"
            )
        return None

    def close(self) -> None:
        """Stop the thread. One that hangs inside OpenCV lets go of the camera when OpenCV returns.

        Or `LINGER_S` later, when it was opening the camera: until then the next `open` may take it up.
        """
        session, self._session = self._session, None
        if session is not None:
            session.stopping = True
            session.join(0.5)
        self._drops.restart()

    def _still_opening(self) -> str:
        where = f"{'number ' if isinstance(self._source, int) else ''}{shown(self._source)}"
        return (
            f"{self._what} at {where} is still being opened; some cameras take a minute and more. Wait, and "
            "if nothing comes, check the cable or address"
        )

    def _not_answering(self) -> str:
        where = shown(self._source)
        if isinstance(self._source, int):
            return (
                f"{self._what} is not answering at number {where}; check the cable, close what else "
                "uses it, see with 'emolab doctor' which cameras there are, then Retry"
            )
        return f"{self._what} is not answering at {where}; check the cable or address, then Retry"


class _Session(threading.Thread):
    """One connection, from opening to closing or failing. Shares its fields under `news`."""

    def __init__(self, link: CameraLink) -> None:
        super().__init__(name=f"{link._what} reader", daemon=True)
        self.link = link
        self.news = threading.Condition()
        self.first: NDArray | None = None
        self.frames: deque[Frame] = deque()
        self.failure: DeviceError | None = None
        self.heard_s = time.monotonic()
        self.stopping = False
        self.is_opening = True  # until its first image, or until that is given up
        self.reopened = link._openings
        self.facts: dict[str, object] = {}
        self._driver: BufferStamps | None = None
        self._is_packets = False

    def take_up(self) -> bool:
        """Go on with an opening that was given up, or hear why it failed just now; False when it is over."""
        with self.news:
            if self.is_opening:
                self.stopping = False
                self.news.notify_all()
                return True
            return self.failure is not None and time.monotonic() - self.heard_s < LINGER_S

    def run(self) -> None:
        try:
            capture = self._connect()
            try:
                self._skip_burst(capture)
                while not self.stopping:
                    self._deliver(capture)
            finally:
                capture.release()
        except DeviceError as error:
            self._fail(error)
        except Exception as error:  # whatever OpenCV throws must reach the pump, not die with this thread
            self._fail(DeviceError(f"{self.link._what} failed: {error}; unplug it, plug it in, then Retry"))

    def _connect(self) -> cv2.VideoCapture:
        source = self.link._source
        if isinstance(source, str) and "://" in source:
            limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(OPEN_TIMEOUT_S * 1000)]
            limits += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(1.5 * SILENCE_TIMEOUT_S * 1000)]
            limits += [cv2.CAP_PROP_N_THREADS, 1]  # frame threads would hold frames back
            capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits)
            is_mjpeg = int(capture.get(cv2.CAP_PROP_FOURCC)) == cv2.VideoWriter.fourcc(*"MJPG")
            self._is_packets = is_mjpeg and capture.set(cv2.CAP_PROP_FORMAT, -1)
        else:
            capture = cv2.VideoCapture(source)
        if not capture.isOpened():
            raise DeviceNotFound(self.link._not_answering())
        backend = capture.getBackendName()
        if backend == "V4L2" and sys.platform == "linux":
            self._driver = BufferStamps()
        # elsewhere a queue inside the driver would be stamped late
        capture.set(cv2.CAP_PROP_BUFFERSIZE, BUFFERS if self._driver else 1)
        self.link._prepare(capture)
        self.facts = {"backend": backend, "fps": capture.get(cv2.CAP_PROP_FPS)}
        return capture

    def _skip_burst(self, capture: cv2.VideoCapture) -> None:
        """Show the first frame, then pass over those that had piled up before anyone listened."""
        image, _ = self._grab(capture)
        with self.news:
            self.news.wait_for(lambda: not self.stopping, LINGER_S)
            self.is_opening = False
        while image is None and not self.stopping:
            image, _ = self._grab(capture)
        if image is None or self.stopping:
            return
        with self.news:
            self.first = self.link._convert(image)
            self.heard_s = time.monotonic()  # connecting may take longer than silence may last
            self.facts["stamps"] = (
                "kernel buffer" if self._driver and self._driver.is_kernels else "after grab"
            )
            self.news.notify_all()
        for _ in range(BURST_FRAMES):
            before_s = time.monotonic()
            if not capture.grab():
                raise DeviceError(self.link._not_answering())
            self.heard_s = time.monotonic()
            if self.heard_s - before_s > BURST_S:
                return

    def _grab(self, capture: cv2.VideoCapture) -> tuple[NDArray | None, int]:
        """An image, None for a corrupt one, and its capture time on the monotonic clock, ns.

        Raises `DeviceError` when nothing comes any more.
        """
        if not capture.grab():
            raise DeviceError(self.link._not_answering())
        stamp_ns = now_ns()
        if self._driver is not None:
            stamp_ns = self._driver.captured_ns(int(capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6), stamp_ns)
        is_whole, image = capture.retrieve()
        if not is_whole:
            raise DeviceError(self.link._not_answering())
        return (whole_jpeg(image) if self._is_packets else image), stamp_ns

    def _deliver(self, capture: cv2.VideoCapture) -> None:
        link = self.link
        image, stamp_ns = self._grab(capture)
        time_s = link._clock.at(stamp_ns)
        lost = link._drops.see(time_s)
        if image is None:
            link._corrupt += 1
            return
        converted = link._convert(image)
        with self.news:
            if len(self.frames) >= HELD_FRAMES:
                self.frames.popleft()
                link._overrun += 1
            tally = Tally(lost + link._overrun, link._corrupt, reopened=self.reopened)
            self.frames.append(Frame(time_s, link._clock.now_s(), converted, tally))
            self.heard_s = time.monotonic()
            self.news.notify_all()

    def _fail(self, error: DeviceError) -> None:
        with self.news:
            self.failure, self.is_opening = error, False
            self.heard_s = time.monotonic()
            self.news.notify_all()


class BufferStamps:
    """Capture times from a driver's stamps of its buffers.

    `is_kernels`: they are of the monotonic clock. Some drivers use another one, and then they are worth
    nothing here; which it is, the first of them tells, for frames may wait long when a machine is busy.
    """

    def __init__(self) -> None:
        self.is_kernels: bool | None = None

    def captured_ns(self, stamped_ns: int, in_hand_ns: int) -> int:
        """The better of a frame's two stamps: by the driver, and when we had it."""
        if self.is_kernels is None:
            self.is_kernels = -AHEAD_NS < in_hand_ns - stamped_ns < LONGEST_WAIT_NS
        return min(stamped_ns, in_hand_ns) if self.is_kernels else in_hand_ns


def whole_jpeg(packet: NDArray) -> NDArray | None:
    """The picture in a JPEG packet, `(h, w, 3)` BGR; None when it was cut short or is no JPEG."""
    data = packet.reshape(-1)
    # libjpeg fills what is missing with grey and is content: look for the end marker ourselves
    if data.size < 4 or b"\xff\xd9" not in data[-64:].tobytes():
        return None
    return cv2.imdecode(data, cv2.IMREAD_COLOR)
