"""A thermal camera: 16-bit frames from a Y16 camera, an FFV1 file or a row of TIFF pictures.

    [[instrument]]
    kind = "thermal_camera"
    name = "thermal"
    source = 1                     # index of a Y16 camera, or a file, a folder, or "warm/*.tiff"
    rate_hz = 9                    # needed for TIFF pictures only; for a camera: as announced
    loop = false                   # a file or folder begins again at its end

    [instrument.radiometry]        # optional; without it the recording holds plain counts
    form = "linear"
    kelvin_per_count = 0.01

Wiring. A UVC core (FLIR Lepton on a PureThermal board, Boson, and others) shows as a camera that
offers the pixel format `Y16 `. Set it to its radiometric mode with the maker's tool: high gain,
automatic shutter on, AGC off. Let it warm up for ten minutes, one metre before the face, with
no window between. Frames repeat and freeze for about half a second while the shutter closes.

What comes. One frame a chunk: `(1, h, w)` uint16, raw counts; the channel's scale and offset
turn linear counts into degrees. The Planck form is no straight line: there the channel stays in
counts, and `radiometry.to_celsius` applies the parameters that stand in
`instrument["radiometry"]`. A file's frames are played at the times it gives them, TIFF pictures
`1 / rate_hz` apart in the order of the numbers in their names. Lost frames of a live camera are
an estimate (`frames.DropEstimate`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import av
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
from emolab.devices.radiometry import ZERO_C_K, Linear, Radiometry

GUESS_PX = (120, 160)  # the commonest core, a Lepton 3
TIFF_SUFFIXES = (".tif", ".tiff")
GREY_FORMATS = ("gray16le", "gray16be", "gray14le", "gray12le", "gray10le")


class ThermalKeys(InstrumentKeys):
    """The keys of a `kind = "thermal_camera"` table."""

    source: int | str
    rate_hz: float | None = Field(None, gt=0, le=1000)
    loop: bool = False
    radiometry: Radiometry | None = None

    _source = field_validator("source")(check_source)


class ThermalCamera:
    """Frames of one thermal camera. Make it with `from_config`; used by one thread."""

    def __init__(self, keys: ThermalKeys, clock: Clock) -> None:
        self._keys = keys
        self._what = f'camera "{keys.name}"'
        self._is_live = is_live(keys.source)
        self._clock = clock
        self._frames: FrameSource | None = None
        self._shape = GUESS_PX
        self._rate_hz = keys.rate_hz
        self._is_known = False
        self._facts: dict[str, Any] = {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], clock: Clock) -> ThermalCamera:
        """The camera of one table. Raises `ConfigError` naming the key that is wrong."""
        return cls(read_keys(config, ThermalKeys), clock)

    @property
    def info(self) -> StreamInfo:
        """Before the first `open` the frame size is a guess."""
        form = self._keys.radiometry
        instrument = {
            "model": "Y16 camera" if self._is_live else "thermal file",
            "source": shown(self._keys.source),
            "opencv": cv2.__version__,
            "pyav": av.__version__,
            "lost_is": "estimated from stamps" if self._is_live else "exact",
            "radiometry": form.model_dump() if form else None,
            **self._facts,
        }
        if isinstance(form, Linear):
            channel = Channel("thermal", "thermal", "degC", form.kelvin_per_count, -ZERO_C_K)
        else:
            channel = Channel("thermal", "thermal", "counts")
        return StreamInfo(self._keys.name, (channel,), self._rate_hz, "uint16", self._shape, instrument)

    def open(self) -> None:
        """Connect and learn the frame size.

        Raises `DeviceNotFound` or `DeviceTimeout` when there is no camera, file or frame, and
        `DeviceError` when the frames have not 16 bits or not the size they had before.
        """
        if self._frames is None:
            self._frames = self._live() if self._is_live else self._stored()
        try:
            shape = self._frames.open().shape
            if self._is_known and shape != self._shape:
                raise DeviceError(self._other_size(shape))
        except DeviceError:
            self._frames.close()
            raise
        self._shape, self._is_known = (shape[0], shape[1]), True
        if isinstance(self._frames, CameraLink):
            self._facts = dict(self._frames.facts)
            announced_hz = float(self._facts.get("fps") or 0)
            self._rate_hz = self._keys.rate_hz or (announced_hz if 1 <= announced_hz <= 1000 else None)

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
        return CameraLink(self._what, self._keys.source, self._clock, _prepare_y16, self._to_counts)

    def _stored(self) -> FrameFile:
        """The file, folder or pattern as frames; looks which of them it is."""
        place = Path(str(self._keys.source)).expanduser()
        what = f"{self._what}: {place}"
        if place.is_file() and place.suffix.lower() not in TIFF_SUFFIXES:
            rate_hz = _check_video(self._what, place)
            self._rate_hz = self._keys.rate_hz or rate_hz
            period_s = 1 / (rate_hz or self._rate_hz or 9.0)
            return FrameFile(
                what, partial(play_video, self._what, place), self._clock, self._keys.loop, period_s
            )
        paths = tiff_paths(place)
        if not paths:
            raise DeviceNotFound(
                f"{what} is no file, and no folder or pattern with .tif or .tiff pictures; "
                "correct 'source' in the device file (a camera is given by its number without quotes)"
            )
        rate_hz = self._keys.rate_hz
        if rate_hz is None:
            raise DeviceError(
                f"{what}: TIFF pictures carry no times; add rate_hz (pictures a second) to the device file"
            )
        play = partial(play_tiffs, self._what, paths, rate_hz)
        return FrameFile(what, play, self._clock, self._keys.loop, 1 / rate_hz)

    def _to_counts(self, image: NDArray) -> NDArray[np.uint16]:
        """What OpenCV hands out for Y16: `(h, w)` uint16, or the same as pairs of bytes."""
        if image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 2:
            image = np.ascontiguousarray(image).view("<u2")[..., 0]
        if image.dtype == np.uint16 and image.ndim == 2:
            return image
        raise DeviceError(
            f"{self._what} gives {image.dtype} frames of shape {image.shape}, not 16-bit grey; "
            "switch it to its radiometric (Y16) mode with the maker's tool"
        )

    def _other_size(self, shape: tuple[int, ...]) -> str:
        gives, wanted = f"{shape[1]}×{shape[0]}", f"{self._shape[1]}×{self._shape[0]}"
        return (
            f"{self._what} gives frames of {gives} pixels where {wanted} were expected; "
            "one stream has one frame size, so set the camera back and Retry"
        )


def _prepare_y16(capture: cv2.VideoCapture) -> None:
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"Y16 "))
    capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)


def _check_video(what: str, path: Path) -> float | None:
    """The file's mean rate. Raises `DeviceError` when it is no 16-bit grey video."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            pixels = stream.codec_context.pix_fmt
            rate_hz = float(stream.average_rate) if stream.average_rate else None
    except (av.FFmpegError, IndexError) as error:
        raise DeviceError(
            f"{what}: {path} is no video ({error}); give an FFV1 gray16 file or TIFF pictures"
        ) from error
    if pixels not in GREY_FORMATS:
        raise DeviceError(
            f"{what}: {path} holds {pixels} frames, not 16-bit grey; store thermal video as FFV1 gray16, "
            'or use kind = "rgb_camera" for an ordinary video'
        )
    return rate_hz


def play_video(what: str, path: Path) -> Iterator[tuple[float, NDArray[np.uint16]]]:
    """Seconds from the first frame, and the frame, bit for bit as stored."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "SLICE"  # frame threads would read ahead of the time they play
        first_s: float | None = None
        for frame in container.decode(stream):
            if frame.time is None:
                raise DeviceError(f"{what}: {path} has a frame without a time; store it again as .mkv")
            first_s = frame.time if first_s is None else first_s
            yield frame.time - first_s, frame.to_ndarray().astype(np.uint16, copy=False)


def tiff_paths(place: Path) -> list[Path]:
    """The pictures of a folder, a pattern or a single file, by the numbers in their names."""
    if place.is_dir():
        found = [path for path in place.iterdir() if path.suffix.lower() in TIFF_SUFFIXES]
    elif place.is_file():
        found = [place]
    else:
        found = list(place.parent.glob(place.name)) if place.parent.is_dir() else []
        found = [path for path in found if path.suffix.lower() in TIFF_SUFFIXES]
    return sorted(
        found, key=lambda path: [int(part) if part.isdecimal() else part for part in _parts(path.name)]
    )


def _parts(name: str) -> list[str]:
    return re.split(r"(\d+)", name)  # text and number in turn, so that like is compared with like


def play_tiffs(what: str, paths: list[Path], rate_hz: float) -> Iterator[tuple[float, NDArray[np.uint16]]]:
    """Every page of every picture, `1 / rate_hz` apart. Raises `DeviceError` for one not 16-bit grey."""
    number = 0
    for path in paths:
        is_read, pages = cv2.imreadmulti(str(path), flags=cv2.IMREAD_UNCHANGED)
        if not is_read:
            raise DeviceError(
                f"{what}: {path} is no TIFF picture OpenCV can read; take it out or store it again"
            )
        for page in pages:
            if page.dtype != np.uint16 or page.ndim != 2:
                raise DeviceError(
                    f"{what}: {path} is not 16-bit grey; store raw counts, not a coloured picture"
                )
            yield number / rate_hz, np.asarray(page)
            number += 1
