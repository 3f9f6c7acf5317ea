"""A simulated instrument on a clock the test moves: what it delivers, in one piece."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.core.stream import Tally
from emolab.devices.simulated import Simulated, SimulatedParticipant, participant_for
from tests.fakes import FakeClock


@dataclass(frozen=True)
class Delivered:
    times_s: NDArray[np.float64]
    samples: NDArray[Any]
    counter: NDArray[np.int64] | None
    device_us: NDArray[np.int64] | None
    tally: Tally
    chunks: int


class SimulatedBench:
    """One instrument of the participant `P001` of `seed`, opened at time 0; `advance` reads on."""

    def __init__(self, stream: str, seed: int = 1, **keys: Any) -> None:
        self.clock = FakeClock()
        self.person: SimulatedParticipant = participant_for(self.clock)
        self.person.begin(seed, "P001")
        table: Mapping[str, Any] = {"kind": "simulated", "name": stream, "stream": stream, **keys}
        self.source = Simulated.from_config(table, self.clock)
        self._chunks: list[Any] = []

    def advance(self, until_s: float, step_s: float = 0.5) -> None:
        """Let time pass in steps, reading all there is after each."""
        steps = math.ceil((until_s - self.clock.now_s()) / step_s)
        for _ in range(steps):
            self.clock.advance(min(step_s, until_s - self.clock.now_s()))
            while (chunk := self.source.read(0.0)) is not None:
                self._chunks.append(chunk)

    def delivered(self) -> Delivered:
        first = self._chunks[0]
        return Delivered(
            np.concatenate([chunk.times_s for chunk in self._chunks]),
            np.concatenate([chunk.samples for chunk in self._chunks]),
            None if first.counter is None else np.concatenate([chunk.counter for chunk in self._chunks]),
            None if first.device_us is None else np.concatenate([chunk.device_us for chunk in self._chunks]),
            self._chunks[-1].tally,
            len(self._chunks),
        )


def value(bench: SimulatedBench, channel: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times and values, in the channel's unit, of all that was delivered."""
    delivered = bench.delivered()
    how = bench.source.info.channels[channel]
    return delivered.times_s, delivered.samples[:, channel] * how.scale + how.offset
