"""What is plugged into this machine and what it is made of, as plain facts.

Nothing here opens a serial port (an Arduino restarts when it is opened), and nothing raises:
what cannot be looked at is reported as not there. `discover` says what the facts mean.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import TypeVar

from emolab.devices.microphone import SoundDevice, sound_devices

TRIAL_MB = 32
PROBED_INDICES = 4

# USB makers of boards that speak over a serial port
BOARD_MAKERS = {
    0x2341: "Arduino",
    0x2A03: "Arduino",
    0x1A86: "CH340",
    0x10C4: "CP210x",
    0x0403: "FTDI",
    0x16C0: "Teensy",
    0x239A: "Adafruit",
    0x303A: "Espressif",
}
THERMAL_WORDS = ("flir", "lepton", "boson", "purethermal", "thermal", "seek", "y16")
LIBRARIES = (
    ("numpy", True),
    ("scipy", True),
    ("h5py", True),
    ("av", True),
    ("opencv-python-headless", True),
    ("pyserial", True),
    ("sounddevice", True),
    ("psutil", True),
    ("soundfile", True),
    ("pydantic", True),
    ("PyYAML", True),
    ("PySide6-Essentials", True),
    ("pylsl", False),
    ("scikit-image", False),
)


@dataclass(frozen=True)
class SerialPort:
    """A serial port. `maker`: of a known board, else empty. `is_allowed`: this user may open it."""

    device: str
    description: str
    usb_id: str
    maker: str
    is_allowed: bool


@dataclass(frozen=True)
class Camera:
    """A camera by OpenCV's index. `is_thermal`: its name says so."""

    index: int
    name: str
    is_thermal: bool
    is_allowed: bool


@dataclass(frozen=True)
class Library:
    """An installed library, or a missing one (`version` empty)."""

    name: str
    version: str
    is_required: bool


@dataclass(frozen=True)
class Disk:
    """Where recordings go. `write_mb_s`: as measured, None when it was not or could not be."""

    path: str
    free_bytes: int
    is_writable: bool
    write_mb_s: float | None = None


Row = TypeVar("Row")


def serial_ports() -> tuple[SerialPort, ...]:
    """The ports the system lists, unopened. Pseudo-terminals and network addresses are never listed."""
    return _or_none(_serial_ports)


def _serial_ports() -> tuple[SerialPort, ...]:
    from serial.tools import list_ports

    return tuple(
        SerialPort(
            port.device,
            port.description if port.description not in (None, "n/a") else "",
            f"{port.vid:04x}:{port.pid:04x}" if port.vid is not None and port.pid is not None else "",
            BOARD_MAKERS.get(port.vid or 0, ""),
            _is_allowed(port.device),
        )
        for port in sorted(list_ports.comports(), key=lambda port: port.device)
    )


def cameras() -> tuple[Camera, ...]:
    """On Linux what the kernel lists, unopened; elsewhere the first four indices that open."""
    return _or_none(_listed_cameras if sys.platform == "linux" else _probed_cameras)


def _listed_cameras(folder: Path = Path("/sys/class/video4linux")) -> tuple[Camera, ...]:
    found = []
    for entry in folder.glob("video*") if folder.is_dir() else ():
        node = entry / "index"
        if node.is_file() and node.read_text().strip() != "0":
            continue  # a camera's second node carries metadata, no frames
        name = (entry / "name").read_text().strip()
        found.append(_camera(int(entry.name.removeprefix("video")), name, _is_allowed(f"/dev/{entry.name}")))
    return tuple(sorted(found, key=lambda camera: camera.index))


def _probed_cameras() -> tuple[Camera, ...]:
    import cv2

    found = []
    for index in range(PROBED_INDICES):
        capture = cv2.VideoCapture(index)
        if capture.isOpened():
            size = (int(capture.get(prop)) for prop in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
            found.append(_camera(index, f"camera {index}, {'×'.join(map(str, size))}", True))
        capture.release()
    return tuple(found)


def _camera(index: int, name: str, is_allowed: bool) -> Camera:
    return Camera(index, name, any(word in name.lower() for word in THERMAL_WORDS), is_allowed)


def audio_devices() -> tuple[SoundDevice, ...]:
    """PortAudio's devices, inputs and outputs; none when PortAudio itself is missing."""
    return _or_none(sound_devices)


def libraries() -> tuple[Library, ...]:
    """The libraries emolab stands on, with their versions, PortAudio among them."""
    found = []
    for name, is_required in LIBRARIES:
        try:
            found.append(Library(name, importlib.metadata.version(name), is_required))
        except importlib.metadata.PackageNotFoundError:
            found.append(Library(name, "", is_required))
    return (*found, Library("PortAudio", _portaudio_version(), True))


def _portaudio_version() -> str:
    try:
        import sounddevice

        return str(sounddevice.get_portaudio_version()[1]).split(",")[0].removeprefix("PortAudio ")
    except Exception:  # OSError without the library; whatever it is, there is no sound
        return ""


def disk(path: Path, *, measure: bool = False) -> Disk:
    """Free space at `path` (or the nearest folder above that exists), and its speed if asked."""
    place = next((folder for folder in (path, *path.absolute().parents) if folder.is_dir()), Path.cwd())
    try:
        free_bytes = shutil.disk_usage(place).free
    except OSError:
        free_bytes = 0
    is_writable = os.access(place, os.W_OK)
    speed = _write_mb_s(place) if measure and is_writable and free_bytes > 4 * TRIAL_MB * 1_000_000 else None
    return Disk(str(place.absolute()), free_bytes, is_writable, speed)


def _write_mb_s(folder: Path) -> float | None:
    """How fast 32 MB reach the disk for good; the file has no name and vanishes."""
    block = os.urandom(1_000_000)
    try:
        with TemporaryFile(dir=folder) as file:
            start_s = time.monotonic()
            for _ in range(TRIAL_MB):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
            return round(TRIAL_MB / max(time.monotonic() - start_s, 1e-6), 1)
    except OSError:
        return None


def _is_allowed(device: str) -> bool:
    return not device.startswith("/") or os.access(device, os.R_OK | os.W_OK)


def _or_none(look: Callable[[], Sequence[Row]]) -> tuple[Row, ...]:
    try:
        return tuple(look())
    except Exception:  # a doctor who falls ill helps nobody; the findings say what is missing
        return ()
