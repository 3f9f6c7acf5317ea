"""What a stream is, and what flows through it.

An instrument delivers one stream: one time base with one or more channels. A PhysioKit board
is one stream whose channels are skin conductance, respiration and pulse; a camera is one
stream whose samples are frames. Times are data: they are measured, never rebuilt from a
nominal rate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError

KINDS = ("eda", "respiration", "ppg", "rgb", "thermal", "audio", "lsl")


@dataclass(frozen=True)
class Channel:
    """One quantity of a stream: `value = raw * scale + offset`, in `unit`.

    `falls`: whether values fall when skin conductance rises; None where nobody said.
    """

    name: str
    kind: str
    unit: str = "counts"
    scale: float = 1.0
    offset: float = 0.0
    falls: bool | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise DataError(f"channel {self.name!r}: kind {self.kind!r} is none of {', '.join(KINDS)}")


@dataclass(frozen=True)
class StreamInfo:
    """A stream before its first sample.

    `name`: unique in a session, the instrument's name. `channels`: at least one; an image
    stream has exactly one. `nominal_rate_hz`: as announced, None when irregular. `dtype`: numpy
    name of the raw samples. `sample_shape`: shape of one sample: `(k,)` for k channels,
    `(h, w, 3)` or `(h, w)` for frames. `instrument`: model, port, firmware, settings, library
    versions: whatever the analyst will want to know in two years, JSON-able.
    """

    name: str
    channels: tuple[Channel, ...]
    nominal_rate_hz: float | None
    dtype: str
    sample_shape: tuple[int, ...]
    instrument: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.channels:
            raise DataError(f"stream {self.name!r} has no channel")
        if len(self.sample_shape) == 1 and self.sample_shape[0] != len(self.channels):
            raise DataError(
                f"stream {self.name!r}: {len(self.channels)} channels but samples of {self.sample_shape}"
            )

    @property
    def is_image(self) -> bool:
        """True for frames (RGB or thermal), False for one row of numbers a sample."""
        return len(self.sample_shape) > 1

    @property
    def kind(self) -> str:
        """The kind all channels share, or `mixed`."""
        kinds = {channel.kind for channel in self.channels}
        return kinds.pop() if len(kinds) == 1 else "mixed"

    @property
    def may_be_silent(self) -> bool:
        """True for markers and the like: they have no rate, and nothing coming is no fault."""
        return self.nominal_rate_hz is None and self.kind == "lsl"

    @property
    def sample_bytes(self) -> int:
        """Bytes of one raw sample."""
        return math.prod(self.sample_shape) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class Tally:
    """What an instrument has seen go wrong since it was opened; each number only grows.

    `lost`: samples known to be missing (from a counter, or from stamps). `corrupt`: frames or
    lines that were no sample. `duplicated`: samples that came twice and were kept once.
    `reopened`: times the instrument went away and came back.
    """

    lost: int = 0
    corrupt: int = 0
    duplicated: int = 0
    reopened: int = 0


@dataclass(frozen=True)
class Chunk:
    """Consecutive samples of one stream, `n >= 1` of them.

    `times_s`: `(n,)` float64, session clock, capture time as well as the instrument lets us
    know it. `samples`: `(n, *sample_shape)`, raw. `arrival_s`: session time at which the
    program had them in hand. `counter`: `(n,)` int64, the device's own sample counter, already
    unwrapped, or None. `device_us`: `(n,)` int64, the device's own clock in microseconds,
    already unwrapped, or None. `tally`: the instrument's counts after these samples, or None.
    """

    stream: str
    times_s: NDArray[np.float64]
    samples: NDArray[Any]
    arrival_s: float
    counter: NDArray[np.int64] | None = None
    device_us: NDArray[np.int64] | None = None
    tally: Tally | None = None

    def __post_init__(self) -> None:
        n = len(self.times_s)
        for other in (self.samples, self.counter, self.device_us):
            if other is not None and len(other) != n:
                raise DataError(f"chunk of {self.stream!r}: {n} times but {len(other)} values")

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def nbytes(self) -> int:
        """Bytes of raw samples held."""
        return int(self.samples.nbytes)
