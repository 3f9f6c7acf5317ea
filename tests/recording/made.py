"""Streams and chunks of known truth for the tests of the recording room."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from emolab.core.stream import Channel, Chunk, StreamInfo
from emolab.recording.header import SessionHeader

BOARD = StreamInfo(
    "board",
    (
        Channel("gsr", "eda", "µS", 0.01, 0.5),
        Channel("belt", "respiration"),
        Channel("finger", "ppg"),
        Channel("ear", "ppg"),
    ),
    250.0,
    "uint16",
    (4,),
    {"model": "PhysioKit", "port": "loop://"},
)
CAMERA = StreamInfo("camera", (Channel("rgb", "rgb", "8 bit"),), 30.0, "uint8", (48, 64, 3))
THERMAL = StreamInfo("thermal", (Channel("skin", "thermal", "°C", 0.01, -273.15),), 9.0, "uint16", (12, 16))
MICROPHONE = StreamInfo("microphone", (Channel("voice", "audio", "", 1 / 32768),), 48000.0, "int16", (1,))
FLOAT_MICROPHONE = StreamInfo("float_microphone", (Channel("voice", "audio"),), 48000.0, "float32", (1,))
EVERYTHING = (BOARD, CAMERA, THERMAL, MICROPHONE, FLOAT_MICROPHONE)
HEADER = SessionHeader(
    "P07", 2, 99, "zh", "Müller study", "quick", "name: 音乐\n", '[[instrument]]\nname = "µ"\n'
)


def picture(index: int) -> np.ndarray:
    """A smooth picture whose brightness tells its number, modulo 100."""
    rows, columns = np.mgrid[0:48, 0:64]
    plane = 28 + 2 * (index % 100) + (rows + columns) / 8
    return np.stack([plane, plane, plane], axis=-1).astype(np.uint8)


def number(pixels: np.ndarray) -> int:
    """The number of the picture `picture` made, from its brightness."""
    return round((float(pixels.mean()) - 28 - 6.5) / 2)


def chunk(
    info: StreamInfo, first: int, n: int, rate_hz: float, start_s: float = 0.0, **more: object
) -> Chunk:
    """Samples `first` to `first + n` of a stream that starts at `start_s`, true content known."""
    rows = np.arange(first, first + n)
    times_s = start_s + rows / rate_hz
    if info.kind == "rgb":
        samples = np.stack([picture(row) for row in rows])
    else:
        generator = next(np.random.default_rng((int(row) // 64, 5)) for row in rows[:1])
        if info.dtype == "float32":
            samples = generator.normal(size=(n, *info.sample_shape)).astype(np.float32)
        else:
            limits = np.iinfo(info.dtype)
            samples = generator.integers(
                limits.min, limits.max, (n, *info.sample_shape), info.dtype, endpoint=True
            )
    return Chunk(info.name, times_s, samples, float(times_s[-1]) + 0.004, **more)  # type: ignore[arg-type]


def killed(path: Path) -> Path:
    """Record two seconds of the board at `path`, in a process that dies without closing the file."""
    path.parent.mkdir(exist_ok=True)
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", _DIES, str(path)], check=False, cwd=root)
    assert path.exists()
    return path


_DIES = """
import os, sys
from pathlib import Path
from emolab.core.event import Event
from emolab.recording.writer import SessionWriter
from tests.recording.made import BOARD, HEADER, chunk
writer = SessionWriter(Path(sys.argv[1]), HEADER)
writer.open([BOARD])
writer.mark(Event(0.0, "session_started", data={"planned": 2}))
writer.write(chunk(BOARD, 0, 500, 250.0))
writer.flush()
os._exit(9)
"""
