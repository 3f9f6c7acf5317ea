"""A simulated instrument: one view of the simulated participant that all of them share.

    [[instrument]]
    kind = "simulated"
    name = "board"
    stream = "board"          # board | rgb | thermal | audio
    rate_hz = 250             # as announced; frames a second for the cameras
    true_rate_hz = 254.9      # as it really is; left out: as announced, but a board's 250 is 254.9
    jitter_ms = 0.5           # each sample comes up to so much early, as its stamp tells; left out: 0
    width = 320               # cameras only, with height
    height = 240
    faults = [{ kind = "unplug", at_s = 60, for_s = 5 }]     # see simulation/faults.py

Wiring. None: heart, skin, breath, face temperature and answers of `simulation.participant` respond
to what the engine says is played; what was really so is known (`participant_for(clock).truth()`).

What comes. `board`: `(n, 4)` uint16, a 12-bit converter's counts of gsr (scaled to µS), respiration,
ppg_finger and ppg_ear, with the board's counter and microseconds. `rgb`: `(n, h, w, 3)` uint8, a face
with its frame number along the bottom (`frame_number`): a photographed one where scikit-image is
installed, else drawn, as `info.instrument["face"]` says. `thermal`: `(n, h, w)` uint16,
hundredths of a kelvin. `audio`: `(n, 1)` int16. In real time a chunk holds what came in 30 ms, on a
paced clock up to half a second, on a stepped one all since it was read last; a paced clock waits until
each second is delivered, except while the instrument is unplugged or stalled.

What is lost. A sample that came damaged counts as corrupt and lost, those of a stall as lost once
it is over; while unplugged the instrument takes none, and its counter goes on where it was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from emolab.core.clock import Clock, Follower, SteppedClock
from emolab.core.errors import ConfigError, DeviceError, DeviceNotFound
from emolab.core.stream import Chunk, StreamInfo, Tally
from emolab.devices.config import InstrumentKeys, read_keys
from emolab.devices.simulation.faults import Fault
from emolab.devices.simulation.pace import Pace, lot
from emolab.devices.simulation.participant import SimulatedParticipant, participant_for
from emolab.devices.simulation.portrait import frame_number
from emolab.devices.simulation.scenes import AudioScene, BoardScene, RgbScene, Scene, ThermalScene

__all__ = ["Simulated", "SimulatedParticipant", "demo_device_file", "frame_number", "participant_for"]

CHUNK_S = 0.03
PACED_CHUNK_S = 0.5
PACED_WALL_S = 0.02  # of the user's time between two chunks on a paced clock
AHEAD_S = 1.0  # how far the clock may go past what was delivered
SHORTEST_NAP_S = 0.0005
GARBAGE_SHARE = 0.5
RATES_HZ = {"board": 250.0, "rgb": 10.0, "thermal": 9.0, "audio": 48000.0}
SIZES = {"rgb": (320, 240), "thermal": (80, 60)}
BOARD_TRUE_HZ = 254.9  # real boards of nominally 250 Hz are as far off


class SimulatedKeys(InstrumentKeys):
    """The keys of a `kind = "simulated"` table."""

    stream: Literal["board", "rgb", "thermal", "audio"]
    rate_hz: float | None = Field(None, gt=0.0, le=192000.0)
    true_rate_hz: float | None = Field(None, gt=0.0, le=192000.0)
    jitter_ms: float = Field(0.0, ge=0.0)
    width: int | None = Field(None, ge=48, le=4096)
    height: int | None = Field(None, ge=36, le=4096)
    faults: tuple[Fault, ...] = ()

    @model_validator(mode="after")
    def _only_cameras_have_a_size(self) -> SimulatedKeys:
        if self.stream not in SIZES and (self.width or self.height):
            raise ValueError(f"'width' and 'height' mean nothing for stream {self.stream!r}; take them out")
        return self


class Simulated:
    """One simulated instrument. See the module's first lines for keys and samples."""

    def __init__(self, keys: SimulatedKeys, clock: Clock, person: SimulatedParticipant) -> None:
        self._keys, self._clock, self._person = keys, clock, person
        self._least_s, self._most_s = _chunk_range_s(clock)
        nominal_hz = keys.rate_hz or RATES_HZ[keys.stream]
        usual_hz = BOARD_TRUE_HZ if (keys.stream, nominal_hz) == ("board", 250.0) else nominal_hz
        true_hz = keys.true_rate_hz or usual_hz
        self._scene = _scene(keys)
        if keys.jitter_ms * true_hz >= 1000.0:
            raise ConfigError(
                f"instrument {keys.name!r}: key 'jitter_ms': {keys.jitter_ms:g} is longer than the "
                f"{1000.0 / true_hz:.3g} ms from sample to sample; lower it"
            )
        self._pace = Pace(true_hz, keys.faults, keys.jitter_ms * 1e-3)
        self._outages = sorted(
            (f for f in keys.faults if f.kind in ("unplug", "stall")), key=lambda f: f.at_s
        )
        self._garbage = [f for f in keys.faults if f.kind == "garbage"]
        self._follower: Follower | None = None
        self._is_open = self._was_gone = False
        self._delivered_s = 0.0
        self._tally = Tally()
        self.info = StreamInfo(
            keys.name,
            self._scene.channels,
            nominal_hz,
            self._scene.dtype,
            self._scene.sample_shape,
            {**self._scene.facts, "simulated": True, "faults": [_told(fault) for fault in keys.faults]},
        )
        self._facts = person.streams[keys.name] = {
            "nominal_rate_hz": nominal_hz,
            "true_rate_hz": true_hz,
            "samples": 0,
            "faults": [_told(fault) for fault in keys.faults],
            **vars(self._tally),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], clock: Clock) -> Simulated:
        """From its table of the device file, watching the participant of `clock`. Raises `ConfigError`."""
        return cls(read_keys(config, SimulatedKeys), clock, participant_for(clock))

    def open(self) -> None:
        """Begin to take samples now. Raises `DeviceNotFound` while a scripted `unplug` lasts."""
        now_s = self._clock.now_s()
        for fault in self._outages:
            if fault.kind == "unplug" and fault.covers(now_s):
                raise DeviceNotFound(self._gone(fault))
        self._delivered_s = now_s
        self._pace.restart(now_s)
        if self._was_gone:
            self._count(reopened=1)
        self._was_gone, self._is_open = False, True
        self._hold_clock()

    def read(self, timeout_s: float) -> Chunk | None:
        """The samples since the last call, waiting at most `timeout_s` of the user's time.

        Raises `DeviceError` when it is not open, or when a scripted `unplug` has come.
        """
        if not self._is_open:
            raise DeviceError(f"simulated instrument {self.info.name!r} is not open; open it before reading")
        left_s = timeout_s
        while True:
            now_s = self._clock.now_s()
            outage = next((fault for fault in self._outages if fault.until_s > self._delivered_s), None)
            outage_s = outage.at_s if outage is not None else math.inf
            if outage is not None and self._delivered_s >= outage_s:
                ready_s = self._endure(outage, now_s)
            else:
                ready_s = self._due_s(outage_s)
                if now_s >= ready_s:
                    latest_s = max(ready_s, self._delivered_s + self._most_s)
                    chunk = self._take(min(now_s, latest_s, outage_s))
                    if chunk is not None:
                        return chunk
            if now_s >= ready_s:
                continue
            if left_s <= 0.0:
                return None
            left_s -= self._nap(min(ready_s - now_s, left_s * self._clock.speed))

    def close(self) -> None:
        """Stop taking samples and let the clock go on without this instrument."""
        self._is_open = False
        self._let_clock_go()

    def _due_s(self, outage_s: float) -> float:
        """When the next chunk is worth taking: something to tell, or a fault beginning."""
        next_s = math.nextafter(self._pace.next_s, math.inf)
        return min(max(self._delivered_s + self._least_s, next_s), outage_s)

    def _endure(self, outage: Fault, now_s: float) -> float:
        """Be unplugged or stalled; returns when that is over."""
        self._let_clock_go()
        if outage.kind == "unplug":
            self._is_open, self._was_gone = False, True
            raise DeviceError(self._gone(outage))
        if now_s >= outage.until_s:
            missed, _, _ = self._pace.take(outage.until_s)
            self._count(lost=len(missed))
            self._delivered_s = outage.until_s
            self._hold_clock()
        return outage.until_s

    def _take(self, until_s: float) -> Chunk | None:
        """The samples before `until_s` that arrive whole; None when there are none."""
        counters, times_s, device_us = self._pace.take(until_s)
        self._delivered_s = until_s
        whole = ~self._is_damaged(counters, times_s)
        damaged = len(counters) - int(whole.sum())
        if damaged:
            self._count(lost=damaged, corrupt=damaged)
            counters, times_s, device_us = counters[whole], times_s[whole], device_us[whole]
        chunk = None
        if len(counters):
            samples = self._scene.render(self._person, times_s, counters)
            self._facts["samples"] += len(counters)
            chunk = Chunk(
                self.info.name,
                times_s,
                samples,
                self._clock.now_s(),
                counters if self._scene.has_counter else None,
                device_us if self._scene.has_counter else None,
                self._tally,
            )
        self._allow_clock()
        return chunk

    def _is_damaged(self, counters: NDArray[np.int64], times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        damaged = np.zeros(len(counters), dtype=bool)
        for fault in self._garbage:
            share = GARBAGE_SHARE if fault.share is None else fault.share
            damaged |= (times_s >= fault.at_s) & (times_s < fault.until_s) & (lot(counters) < share)
        return damaged

    def _count(self, **more: int) -> None:
        grown = {key: getattr(self._tally, key) + value for key, value in more.items()}
        self._tally = replace(self._tally, **grown)
        self._facts.update(grown)

    def _nap(self, seconds: float) -> float:
        """Sleep so many session seconds or a little more; returns the user's seconds that costs."""
        seconds = max(seconds, SHORTEST_NAP_S * self._clock.speed)
        self._clock.sleep(seconds)
        return seconds / self._clock.speed

    def _hold_clock(self) -> None:
        if self._follower is None:
            self._follower = self._clock.follow(f"simulated {self.info.name}")
        self._allow_clock()

    def _allow_clock(self) -> None:
        if self._follower is not None:
            self._follower.allow_until(max(self._delivered_s, self._pace.next_s) + AHEAD_S)

    def _let_clock_go(self) -> None:
        if self._follower is not None:
            self._follower.leave()
            self._follower = None

    def _gone(self, fault: Fault) -> str:
        until = f"until second {fault.until_s:g}" if math.isfinite(fault.until_s) else "for good"
        return (
            f"simulated instrument {self.info.name!r} is unplugged {until}, as its device file says; "
            "wait, or take the fault out of the file"
        )


def demo_device_file() -> str:
    """A device file with the whole simulated laboratory: board, camera, thermal camera, microphone."""
    tables = (("board", "board"), ("camera", "rgb"), ("thermal", "thermal"), ("microphone", "audio"))
    head = "# The simulated participant, seen by four instruments. Keys: emolab/devices/simulated.py\n"
    return head + "".join(
        f'\n[[instrument]]\nkind = "simulated"\nname = "{name}"\nstream = "{stream}"\n'
        for name, stream in tables
    )


def _chunk_range_s(clock: Clock) -> tuple[float, float]:
    """How much a chunk holds, least and most."""
    if isinstance(clock, SteppedClock):  # whoever steps it decides
        return 0.0, math.inf
    if clock.speed == 1.0:
        return CHUNK_S, PACED_CHUNK_S
    return min(max(CHUNK_S, PACED_WALL_S * clock.speed), PACED_CHUNK_S), PACED_CHUNK_S


def _scene(keys: SimulatedKeys) -> Scene:
    if keys.stream == "board":
        return BoardScene()
    if keys.stream == "audio":
        return AudioScene()
    width, height = SIZES[keys.stream]
    size = (keys.width or width, keys.height or height)
    return RgbScene(*size) if keys.stream == "rgb" else ThermalScene(*size)


def _told(fault: Fault) -> dict[str, Any]:
    """The fault as facts for files; `until_s` None when it lasts."""
    facts = fault.model_dump(exclude_none=True, exclude={"for_s"})
    return {**facts, "until_s": fault.until_s if math.isfinite(fault.until_s) else None}
