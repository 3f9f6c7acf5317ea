"""The newest samples of a stream in memory shared between processes: one writer, many readers.

The engine writes, windows read; neither waits for the other. A ring is an ordinary file mapped
into memory (in `/dev/shm` where the system has it), so it works on all three systems and
vanishes with the folder it lies in. `SampleRing` holds rows of numbers, `FrameSlot` one image.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError

_HEADER_BYTES = 65536  # a JSON description (some 2000 names), then the live counters in its last words
_COUNTERS = 8


class _Mapped:
    """A header (JSON, counters) followed by raw bytes."""

    def __init__(self, path: Path, description: dict | None, payload_bytes: int) -> None:
        self.path = path
        if description is not None:
            header = json.dumps(description).encode()
            if len(header) > _HEADER_BYTES - _COUNTERS * 8:
                raise DataError(f"ring {path.name}: too many channel names for its header")
            with path.open("wb") as file:
                file.write(header)
                file.truncate(_HEADER_BYTES + payload_bytes)
                if sys.platform.startswith("linux"):
                    # else a write where memory has run out ends the whole process (SIGBUS)
                    os.posix_fallocate(file.fileno(), 0, _HEADER_BYTES + payload_bytes)
        self._map = np.memmap(path, dtype=np.uint8, mode="r+" if description is not None else "r")
        head = bytes(self._map[: _HEADER_BYTES - _COUNTERS * 8])
        self.description: dict = json.loads(head.rstrip(b"\0"))
        self.counters = self._map[_HEADER_BYTES - _COUNTERS * 8 : _HEADER_BYTES].view(np.int64)
        self.payload = self._map[_HEADER_BYTES:]


class SampleRing:
    """The last `capacity` rows of `(time_s, channel values)`.

    Make one with `create` in the writing process and `attach` in each reading one.
    """

    def __init__(self, mapped: _Mapped) -> None:
        self._mapped = mapped
        self.path = mapped.path
        self.channels: tuple[str, ...] = tuple(mapped.description["channels"])
        self.capacity: int = mapped.description["capacity"]
        split = self.capacity * 8
        self._times = mapped.payload[:split].view(np.float64)
        values = mapped.payload[split : split + self.capacity * len(self.channels) * 4].view(np.float32)
        self._values = values.reshape(self.capacity, len(self.channels))

    @classmethod
    def create(cls, path: Path, channels: tuple[str, ...], capacity: int) -> SampleRing:
        """A new, empty ring in the file `path`. Raises `OSError` when there is no room for it."""
        description = {"channels": list(channels), "capacity": capacity}
        return cls(_Mapped(path, description, capacity * (8 + 4 * len(channels))))

    @classmethod
    def attach(cls, path: Path) -> SampleRing:
        """Read a ring another process writes. Raises `FileNotFoundError` when it is gone."""
        return cls(_Mapped(path, None, 0))

    @property
    def written(self) -> int:
        """Rows written since the ring was made."""
        return int(self._mapped.counters[0])

    def write(self, times_s: NDArray[np.float64], values: NDArray) -> None:
        """Append rows: `times_s` `(n,)`, `values` `(n, k)`. Only the newest `capacity` are kept."""
        n, written = len(times_s), self.written
        if n > self.capacity:
            written += n - self.capacity
            times_s, values, n = times_s[-self.capacity :], values[-self.capacity :], self.capacity
        at = (written + np.arange(n)) % self.capacity
        self._mapped.counters[1] = written + n  # readers distrust rows from here on back
        self._times[at] = times_s
        self._values[at] = values
        self._mapped.counters[0] = written + n

    def newest(self, rows: int) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Up to `rows` newest rows: `(times_s (n,), values (n, k))`, copies, oldest first.

        Rows the writer may have overwritten while we copied are left out.
        """
        end = self.written
        start = max(end - min(rows, self.capacity), 0)
        at = np.arange(start, end) % self.capacity
        times_s, values = self._times[at], self._values[at]
        overwritten = int(self._mapped.counters[1]) - self.capacity - start
        if overwritten > 0:
            times_s, values = times_s[overwritten:], values[overwritten:]
        return times_s, values


class FrameSlot:
    """The newest frame of a camera: `shape` `(h, w, 3)` for RGB, `(h, w)` for thermal.

    `scale`, `offset`: a thermal pixel's temperature is `raw * scale + offset` in °C.
    """

    def __init__(self, mapped: _Mapped) -> None:
        self._mapped = mapped
        self.path = mapped.path
        description = mapped.description
        self.shape: tuple[int, ...] = tuple(description["shape"])
        self.dtype = np.dtype(description["dtype"])
        self.scale: float = description["scale"]
        self.offset: float = description["offset"]
        used = int(np.prod(self.shape)) * self.dtype.itemsize
        self._pixels = mapped.payload[:used].view(self.dtype).reshape(self.shape)

    @classmethod
    def create(
        cls, path: Path, shape: tuple[int, ...], dtype: str = "uint8", scale: float = 1.0, offset: float = 0.0
    ) -> FrameSlot:
        """A new, empty slot in the file `path`. Raises `OSError` when there is no room for it."""
        description = {"shape": list(shape), "dtype": dtype, "scale": scale, "offset": offset}
        return cls(_Mapped(path, description, int(np.prod(shape)) * np.dtype(dtype).itemsize))

    @classmethod
    def attach(cls, path: Path) -> FrameSlot:
        """Look at a slot another process fills. Raises `FileNotFoundError` when it is gone."""
        return cls(_Mapped(path, None, 0))

    def write(self, time_s: float, frame: NDArray) -> None:
        """Replace the frame; `frame` has the slot's shape."""
        counters = self._mapped.counters
        counters[0] = int(counters[0]) // 2 * 2 + 1  # odd: being written, also after a write that failed
        self._pixels[...] = frame
        counters[1] = int(time_s * 1e6)
        counters[0] += 1

    def read(self) -> tuple[float, NDArray] | None:
        """`(time_s, frame copy)`, or None when there is none yet or it changed while we copied."""
        counters = self._mapped.counters
        before = int(counters[0])
        if before == 0 or before % 2:
            return None
        time_s, frame = counters[1] / 1e6, self._pixels.copy()
        return (float(time_s), frame) if int(counters[0]) == before else None
