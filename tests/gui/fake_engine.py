"""A stand-in for `EngineClient`: shows a state, fills real shared rings, keeps the commands it gets."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from emolab.core.ring import FrameSlot, SampleRing
from emolab.session.snapshot import Snapshot, StreamHealth
from tests.gui.engine_states import BOARD, setup


@dataclass
class Address:
    pid: int = 4711


class FakeEngine:
    """Answers like `EngineClient`. `alive = False` makes it an engine that died.

    Each `snapshot()` lets session time go on by what passed in real time (unless `frozen`), and
    writes the samples of that time into the rings.
    """

    def __init__(
        self, folder: Path, snapshot: Snapshot | None = None, frozen: bool = False, extra_boards: int = 0
    ) -> None:
        self.address = Address()
        self.alive, self.frozen = True, frozen
        self.commands: list[dict[str, Any]] = []
        self.refuse: dict[str, str] = {}  # a command's name to the sentence that refuses it
        self._folder = folder
        self._made_at_s = time.monotonic()
        self._rings: dict[str, SampleRing] = {}
        self._slots: dict[str, FrameSlot] = {}
        self._until_s: dict[str, float] = {}
        self._extra = extra_boards
        self.show(snapshot or setup())

    def show(self, snapshot: Snapshot) -> None:
        """Be in this state from now on."""
        extra = tuple(replace(BOARD, name=f"board{i + 2}") for i in range(self._extra))
        self._base = replace(snapshot, streams=(*snapshot.streams, *extra))
        self._made_at_s = time.monotonic()
        self._until_s.clear()

    def snapshot(self) -> Snapshot:
        if not self.alive:
            raise ConnectionResetError("the other end has gone")
        base = self._base  # a bridge asks in its thread: another state may be shown meanwhile
        passed_s = 0.0 if self.frozen else time.monotonic() - self._made_at_s
        now_s = base.now_s + (passed_s if base.phase != "finished" else 0.0)
        streams = tuple(self._feed(stream, now_s) for stream in base.streams)
        return replace(base, now_s=now_s, streams=streams)

    def send(self, command: dict[str, Any]) -> dict[str, Any]:
        if not self.alive:
            raise ConnectionResetError("the other end has gone")
        self.commands.append(command)
        if command["do"] in self.refuse:
            return {"error": self.refuse[command["do"]]}
        return {"ok": True}

    def close(self) -> None:
        pass

    def _feed(self, stream: StreamHealth, now_s: float) -> StreamHealth:
        """Write what came since the last snapshot; the stream with its ring named."""
        if stream.age_s is None:
            return stream
        path = self._folder / f"{stream.name}.ring"
        start_s = self._until_s.get(stream.name, now_s - 40.0)
        self._until_s[stream.name] = now_s
        if stream.is_image:
            self._feed_frame(stream, path, now_s)
        elif stream.level != "act" or stream.name not in self._rings:
            self._feed_samples(stream, path, start_s, now_s)
        return replace(stream, ring=str(path))

    def _feed_samples(self, stream: StreamHealth, path: Path, start_s: float, now_s: float) -> None:
        rate_hz = min(stream.rate_hz or 250.0, 250.0)
        if stream.name not in self._rings:
            self._rings[stream.name] = SampleRing.create(path, stream.channels, int(rate_hz * 130))
        times_s = np.arange(np.ceil(start_s * rate_hz), np.floor(now_s * rate_hz)) / rate_hz
        if len(times_s):
            values = np.stack([signal(kind, times_s) for kind in stream.kinds], axis=1)
            self._rings[stream.name].write(times_s, values.astype(np.float32))

    def _feed_frame(self, stream: StreamHealth, path: Path, now_s: float) -> None:
        is_thermal = stream.kind == "thermal"
        if stream.name not in self._slots:
            self._slots[stream.name] = (
                FrameSlot.create(path, (120, 160), "uint16", scale=0.01, offset=-273.15)
                if is_thermal
                else FrameSlot.create(path, (360, 480, 3))
            )
        self._slots[stream.name].write(
            now_s, _heat(int(now_s * 8) % 32) if is_thermal else _face(int(now_s * 8) % 32)
        )


def signal(kind: str, times_s: np.ndarray) -> np.ndarray:
    """Something that looks like the kind: beats at 72 a minute, breath at 15, a slow skin with responses."""
    if kind == "ppg":
        phase = (times_s * 1.2) % 1.0
        return 512 + 180 * np.exp(-((phase - 0.2) ** 2) / 0.008) + 60 * np.exp(-((phase - 0.5) ** 2) / 0.01)
    if kind == "respiration":
        return 500 + 120 * np.sin(2 * np.pi * 0.25 * times_s)
    if kind == "eda":
        since = times_s % 9.0
        return 4.2 + 0.2 * np.sin(times_s / 20) + 0.5 * (np.exp(-since / 2.0) - np.exp(-since / 0.7))
    return -32 + 8 * np.sin(times_s * 3.1) * np.sin(times_s * 0.7)


def oval(height: int, width: int, now_s: float) -> np.ndarray:
    """1 in the middle of a face-like oval, 0 outside; it breathes a little."""
    y, x = np.mgrid[0:height, 0:width]
    middle = height * (0.5 + 0.005 * np.sin(1.6 * now_s))
    away = ((x - width / 2) / (width * 0.17)) ** 2 + ((y - middle) / (height * 0.33)) ** 2
    return np.clip(1.4 - away, 0.0, 1.0)


@cache
def _face(step: int) -> np.ndarray:
    return face(step / 8)


@cache
def _heat(step: int) -> np.ndarray:
    return heat(step / 8)


def face(now_s: float) -> np.ndarray:
    """An RGB frame with a face-like oval."""
    inside = oval(360, 480, now_s)[..., None]
    ground, skin = np.array([52, 58, 66]), np.array([196, 158, 134])
    return (ground + (skin - ground) * (inside > 0.35) * (0.7 + 0.3 * inside)).astype(np.uint8)


def heat(now_s: float) -> np.ndarray:
    """A thermal frame, raw: a face of 35 °C before a wall of 22 °C."""
    return ((22 + 13 * oval(120, 160, now_s) + 273.15) * 100).astype(np.uint16)
