"""A colour camera: webcam, network camera or video file, through OpenCV.

    [[instrument]]
    kind = "rgb_camera"
    name = "face"
    source = 0                     # index, or "http://…", "rtsp://user:password@…", or a file
    width = 1280                   # these four are optional
    height = 720
    fps = 30
    fourcc = "MJPG"

Wiring. A webcam goes straight into the computer, not through a hub shared with another camera.
USB 2 carries 1280×720 at 30 frames a second only as `fourcc = "MJPG"`; switch off auto exposure
where the room is dim, or the camera halves its rate by itself. A network camera wants a cable,
not WiFi. The face should be 200 pixels wide or more, lit from the front by steady light. On
macOS the terminal needs the right to use the camera (System Settings > Privacy > Camera).

What comes. One frame a chunk: `(1, h, w, 3)` uint8, RGB. How it is stamped is told in
`camera_link`, and stands in the recording as `instrument["stamps"]`. Cameras number nothing, so
lost frames are an estimate from the stamps (`frames.DropEstimate`). A file is played at its own
times (or at `fps`), then it has ended; `loop = true` plays it again and again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from emolab.core.clock import Clock
from emolab.core.errors import DeviceError, DeviceNotFound
from emolab.core.stream import Channel, Chunk, StreamInfo
from emolab.devices.addresses import check_source, is_live, shown
from emolab.devices.camera_link import CameraLink
from emolab.devices.config import InstrumentKeys, read_keys
from emolab.devices.frames import FrameFile, FrameSource

GUESS_PX = (480, 640)  # what most cameras give when nothing is asked for


class RgbKeys(InstrumentKeys):
    """The keys of a `kind = "rgb_camera"` table."""

    source: int | str
    width: int | None = Field(None, gt=0)
    height: int | None = Field(None, gt=0)
    fps: float | None = Field(None, gt=0, le=1000)
    fourcc: str | None = Field(None, min_length=4, max_length=4)
    loop: bool = False

    _source = field_validator("source")(check_source)


class RgbCamera:
    """Frames of one colour camera. Make it with `from_config`; used by one thread."""

    def __init__(self, keys: RgbKeys, clock: Clock) -> None:
        self._keys = keys
        self._what = f'camera "{keys.name}"'
        self._is_live = is_live(keys.source)
        self._clock = clock
        self._frames: FrameSource | None = None
        self._shape = (keys.height or GUESS_PX[0], keys.width or GUESS_PX[1], 3)
        self._rate_hz = keys.fps
        self._is_known = False
        self._facts: dict[str, Any] = {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], clock: Clock) -> RgbCamera:
        """The camera of one table. Raises `ConfigError` naming the key that is wrong."""
        return cls(read_keys(config, RgbKeys), clock)

    @property
    def info(self) -> StreamInfo:
        """Before the first `open` the frame size is what was asked for, or a guess."""
        instrument = {
            "model": "OpenCV camera" if self._is_live else "video file",
            "source": shown(self._keys.source),
            "opencv": cv2.__version__,
            "lost_is": "estimated from stamps" if self._is_live else "exact",
            **self._facts,
        }
        channel = Channel("rgb", kind="rgb", unit="8-bit")
        return StreamInfo(self._keys.name, (channel,), self._rate_hz, "uint8", self._shape, instrument)

    def open(self) -> None:
        """Connect and learn the frame size.

        Raises `DeviceNotFound` or `DeviceTimeout` when there is no camera or no frame, and
        `DeviceError` when the frames have not the size asked for or the size they had before.
        """
        if self._frames is None:
            self._frames = self._live() if self._is_live else self._file()
        try:
            self._check_size(self._frames.open().shape)
        except DeviceError:
            self._frames.close()
            raise
        if isinstance(self._frames, CameraLink):
            self._facts = dict(self._frames.facts)
            announced_hz = float(self._facts.get("fps") or 0)
            # for MJPEG over HTTP nobody announces a rate, and OpenCV says 25 all the same
            is_announced = 1 <= announced_hz <= 1000 and "://" not in str(self._keys.source)
            self._rate_hz = self._keys.fps or (announced_hz if is_announced else None)

    def read(self, timeout_s: float) -> Chunk | None:
        """One frame, waiting at most `timeout_s`."""
        if self._frames is None:
            raise DeviceError(f"{self._what} is not open; open it before reading")
        frame = self._frames.take(timeout_s)
        if frame is None:
            return None
        if frame.image.shape != self._shape:
            raise DeviceError(self._other_size(frame.image.shape))
        times_s = np.array([frame.time_s])
        return Chunk(self._keys.name, times_s, frame.image[None], frame.arrival_s, tally=frame.tally)

    def close(self) -> None:
        """Let go of the camera."""
        if self._frames is not None:
            self._frames.close()

    def _live(self) -> CameraLink:
        return CameraLink(self._what, self._keys.source, self._clock, self._prepare, to_rgb)

    def _prepare(self, capture: cv2.VideoCapture) -> None:
        keys = self._keys
        if keys.fourcc:
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*keys.fourcc))
        for prop, value in (
            (cv2.CAP_PROP_FRAME_WIDTH, keys.width),
            (cv2.CAP_PROP_FRAME_HEIGHT, keys.height),
            (cv2.CAP_PROP_FPS, keys.fps),
        ):
            if value:
                capture.set(prop, value)

    def _file(self) -> FrameFile:
        path = Path(str(self._keys.source)).expanduser()
        if not path.is_file():
            raise DeviceNotFound(
                f"{self._what}: there is no file {path}; correct 'source' in the device file "
                "(a camera is given by its number without quotes, or by its http:// or rtsp:// address)"
            )
        capture = cv2.VideoCapture(str(path))
        stored_hz = capture.get(cv2.CAP_PROP_FPS) if capture.isOpened() else 0.0
        capture.release()
        if not stored_hz > 0:
            raise DeviceError(f"{self._what}: {path} is no video OpenCV can read; convert it to mp4 or mkv")
        self._rate_hz = self._keys.fps or float(stored_hz)
        play = partial(play_file, path, self._keys.fps)
        return FrameFile(
            f"{self._what}: the file {path}", play, self._clock, self._keys.loop, 1 / self._rate_hz
        )

    def _check_size(self, shape: tuple[int, ...]) -> None:
        keys = self._keys
        asked = (keys.height or shape[0], keys.width or shape[1], 3)
        if shape != (self._shape if self._is_known else asked):
            raise DeviceError(self._other_size(shape))
        self._shape = (shape[0], shape[1], 3)
        self._is_known = True

    def _other_size(self, shape: tuple[int, ...]) -> str:
        gives, wanted = f"{shape[1]}×{shape[0]}", f"{self._shape[1]}×{self._shape[0]}"
        return (
            f"{self._what} gives frames of {gives} pixels where {wanted} were expected; "
            "set width and height in the device file to what it gives, or change the camera's setting"
        )


def to_rgb(image: NDArray) -> NDArray:
    """`(h, w, 3)` RGB from OpenCV's BGR, or from grey."""
    code = cv2.COLOR_GRAY2RGB if image.ndim == 2 else cv2.COLOR_BGR2RGB
    return cv2.cvtColor(image, code)


def play_file(path: Path, fps: float | None) -> Iterator[tuple[float, NDArray]]:
    """Seconds from the first frame, and the frame: at the file's own times, or `fps` apart."""
    capture = cv2.VideoCapture(str(path))
    try:
        first_ms: float | None = None
        number = 0
        while capture.grab():
            time_ms = capture.get(cv2.CAP_PROP_POS_MSEC)
            first_ms = time_ms if first_ms is None else first_ms
            is_whole, image = capture.retrieve()
            if is_whole:
                yield (number / fps if fps else (time_ms - first_ms) / 1000), to_rgb(image)
            number += 1
    finally:
        capture.release()
