"""Recordings of any length for the benchmarks of the review, made with the engine's own writer.

Six signals at 250 Hz (a board of four with jitter in its stamps, a board of two without), a colour camera
640 x 480 at 30 frames/s, a thermal camera 160 x 120 at 9, sound at 48 kHz. Ten seconds of video are encoded
and their packets repeated, ten seconds of thermal frames and of sound likewise: making eight hours would
else take as long as encoding them. `grain` is the camera's noise: 2 grey levels make 0.7 MB/s of it, as a
webcam indoors does; without any, eight hours fit in a gigabyte.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emolab.core.event import Event
from emolab.core.stream import Channel, Chunk, StreamInfo
from emolab.recording.header import SessionHeader
from emolab.recording.video import EncodedFrames, H264Encoder
from emolab.recording.writer import SessionWriter

RATE_HZ = 250.0
FPS, THERMAL_FPS, SOUND_HZ = 30, 9, 48_000
CLIP_S = 10
SPIKE = 60_000  # of one sample, far above all others: it must be seen at every zoom
STATES = ("most_negative", "less_negative", "neutral", "less_positive", "most_positive")
HEADER = SessionHeader("P01", 1, 7, "en", "bench", "none", "name: bench\n", "")


def _board(name: str, channels: tuple[tuple[str, str], ...]) -> StreamInfo:
    told = tuple(Channel(each, kind, "counts", 0.01, 0.5) for each, kind in channels)
    return StreamInfo(name, told, RATE_HZ, "uint16", (len(told),), {"model": "made"})


BODY = _board("board", (("skin", "eda"), ("pulse", "ppg"), ("ear", "ppg"), ("belt", "respiration")))
HEART = _board("heart", (("lead", "lsl"), ("arm", "lsl")))
CAMERA = StreamInfo("camera", (Channel("rgb", "rgb", "8 bit"),), FPS, "uint8", (480, 640, 3))
THERMAL = StreamInfo(
    "thermal", (Channel("skin", "thermal", "°C", 0.01, -273.15),), THERMAL_FPS, "uint16", (120, 160)
)
SOUND = StreamInfo(
    "microphone",
    (Channel("voice", "audio", "", 1 / 32768),),
    SOUND_HZ,
    "int16",
    (1,),
    {"stamped_by": "driver"},
)


@dataclass(frozen=True)
class Length:
    """A recording of so many seconds, with so much noise in its video."""

    seconds: int
    grain: float = 0.0

    @property
    def file(self) -> str:
        """Its name in the folder where recordings are kept."""
        return f"P01_bench-{self.seconds}-{self.grain:g}.h5"


def made(folder: Path, length: Length) -> Path:
    """The recording, made unless it is there."""
    path = folder / "bench" / "P01" / length.file
    if not path.exists():
        making = path.with_name(f"making-{path.name}")
        making.unlink(missing_ok=True)
        record(making, length)
        making.rename(path)
    return path


def record(path: Path, length: Length) -> None:
    """Write it."""
    writer = SessionWriter(path, HEADER)
    writer.open([BODY, HEART, CAMERA, THERMAL, SOUND])
    rng = np.random.default_rng(length.seconds)
    film, thermal, sound = _film(length.grain), _thermal(), _sound()
    body, heart = _body(rng), _heart(rng)
    for begin_s in range(0, length.seconds, CLIP_S):
        for info, samples in ((BODY, body), (HEART, heart), (THERMAL, thermal), (SOUND, sound)):
            rate_hz = info.nominal_rate_hz or 1.0
            times_s = begin_s + np.arange(len(samples)) / rate_hz
            if info is BODY:
                times_s = times_s + rng.uniform(0, 3e-4, len(times_s))
            if info in (BODY, HEART):
                samples = _at(samples, begin_s, length.seconds)
            writer.write(Chunk(info.name, times_s, samples, float(times_s[-1]) + 0.004))
        writer.write_encoded(replace(film, times_s=film.times_s + begin_s, arrival_s=begin_s + CLIP_S + 0.01))
        if begin_s % 600 == 0:
            writer.flush()
    for event in _events(length.seconds):
        writer.mark(event)
    writer.close()


def _at(samples: NDArray[np.uint16], begin_s: int, seconds: int) -> NDArray[np.uint16]:
    """The same ten seconds, drifting over the session; one spike in the middle of it."""
    drift = int(3000 * (1 + np.sin(2 * np.pi * begin_s / 900)))
    moved = samples + np.uint16(drift)
    if begin_s <= seconds // 2 < begin_s + CLIP_S:
        moved[len(moved) // 3] = SPIKE
    return moved


def _body(rng: np.random.Generator) -> NDArray[np.uint16]:
    at_s = np.arange(int(CLIP_S * RATE_HZ)) / RATE_HZ
    beats = np.maximum(np.sin(2 * np.pi * 1.2 * at_s), 0) ** 3
    columns = [
        4000 + 200 * np.sin(2 * np.pi * 0.1 * at_s),
        9000 + 2500 * beats,
        8000 + 1800 * np.roll(beats, 20),
        12000 + 3000 * np.sin(2 * np.pi * 0.3 * at_s),
    ]
    clean = np.stack(columns, axis=1)
    return (clean + rng.normal(0, 12, clean.shape)).astype(np.uint16)


def _heart(rng: np.random.Generator) -> NDArray[np.uint16]:
    at_s = np.arange(int(CLIP_S * RATE_HZ)) / RATE_HZ
    lead = 10_000 + 6000 * np.exp(-(((at_s % (1 / 1.2)) - 0.3) ** 2) / (2 * 0.01**2))
    arm = 15_000 + rng.normal(0, 300, len(at_s)) * (1 + 4 * (np.sin(at_s) > 0.8))
    return (np.stack([lead, arm], axis=1) + rng.normal(0, 8, (len(at_s), 2))).astype(np.uint16)


def _film(grain: float) -> EncodedFrames:
    """A head that sways before a wall, each frame's number in a row of black and white blocks."""
    encoder = H264Encoder(CAMERA)
    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[0:480, 0:640]
    wall = np.where(columns < 200, 90.5, 110.5)
    parts = []
    for first in range(0, CLIP_S * FPS, FPS):
        numbers = range(first, first + FPS)
        frames = np.empty((FPS, 480, 640, 3), np.uint8)
        for place, number in enumerate(numbers):
            x = 320 + 15 * np.sin(2 * np.pi * number / (CLIP_S * FPS))
            head = ((columns - x) / 45) ** 2 + ((rows - 250) / 60) ** 2 < 1
            plane = np.where(head, 170.5, wall) + rng.normal(0, grain, wall.shape)
            for bit in range(9):
                plane[8:24, 16 + 24 * bit : 32 + 24 * bit] = 235 if number >> bit & 1 else 16
            frames[place] = np.clip(plane, 0, 255)[..., None]
        times_s = np.array(numbers) / FPS
        parts.append(encoder.encode(Chunk("camera", times_s, frames, float(times_s[-1]))))
    return replace(
        parts[0],
        times_s=np.concatenate([part.times_s for part in parts]),
        packets=tuple(packet for part in parts for packet in part.packets),
        is_key=tuple(is_key for part in parts for is_key in part.is_key),
    )


def frame_number(pixels: NDArray[np.uint8]) -> int:
    """The number burnt into a frame, modulo the clip's 300."""
    return sum(1 << bit for bit in range(9) if pixels[16, 24 + 24 * bit].mean() > 128)


def _thermal() -> NDArray[np.uint16]:
    """A warm head in a cool room, in steps of 4 °C."""
    rows, columns = np.mgrid[0:120, 0:160]
    frames = []
    for number in range(CLIP_S * THERMAL_FPS):
        x = 80 + 6 * np.sin(2 * np.pi * number / (CLIP_S * THERMAL_FPS))
        warm = 22 + 12 * np.exp(-(((columns - x) / 25) ** 2) - ((rows - 60) / 32) ** 2)
        frames.append(np.round(warm / 4) * 400 + 27_315)
    return np.stack(frames).astype(np.uint16)


def _sound() -> NDArray[np.int16]:
    """A tone each second, and between them now and then the last bit's noise."""
    at_s = np.arange(CLIP_S * SOUND_HZ) / SOUND_HZ
    tone = 9000 * np.sin(2 * np.pi * 440 * at_s) * (at_s % 1 < 0.1)
    return (tone + (np.random.default_rng(5).random(len(at_s)) < 0.02)).astype(np.int16)[:, None]


def _events(seconds: int) -> list[Event]:
    """A clip and an answer each eighty seconds."""
    found = [Event(0.0, "session_started", data={"planned": seconds // 80})]
    for number, onset_s in enumerate(range(20, seconds - 60, 80)):
        name, state = f"clip-{number:03}", STATES[number % 5]
        found += [
            Event(onset_s, "clip_onset", onset_s, {"clip": name, "state": state, "fitted_s": float(onset_s)}),
            Event(onset_s + 30.0, "clip_ended", data={"clip": name, "how": "done"}),
            Event(
                onset_s + 34.0,
                "answer",
                data={"clip": name, "state": STATES[number % 3], "word": None, "response_s": 3.0},
            ),
        ]
    return found
