"""What each kind of simulated instrument makes of the body: `render(times, counters)` to samples.

A new kind of instrument is one class here, with the four facts and `render`, and one line in
`SCENES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emolab.core.stream import Channel
from emolab.devices.simulation.body import noise
from emolab.devices.simulation.ease import Array
from emolab.devices.simulation.heat import KELVIN_PER_COUNT, ZERO_C_K, HeatPicture
from emolab.devices.simulation.participant import SimulatedParticipant
from emolab.devices.simulation.photo import Photo, photograph
from emolab.devices.simulation.portrait import PULSE_SHARE, Portrait

Counters = NDArray[np.int64]

ADC_MAX = 4095  # 12 bit
EDA_US_PER_COUNT = 25.6 / 4096
EDA_NOISE_US = 0.004
ROOM_NOISE = 1.0  # int16 levels, −90 dBFS: a very quiet room, and small once compressed
MUSIC_LEVEL = 60.0
_TABLE_BITS = 16


class Scene(Protocol):
    """One instrument's view. `has_counter`: whether the device counts and stamps its samples."""

    channels: tuple[Channel, ...]
    dtype: str
    sample_shape: tuple[int, ...]
    has_counter: bool
    facts: Mapping[str, Any]

    def render(self, person: SimulatedParticipant, times_s: Array, counters: Counters) -> NDArray[Any]:
        """The samples `(n, *sample_shape)` taken at `times_s`."""


class BoardScene:
    """Skin conductance, respiration and pulse at finger and ear through a 12-bit converter."""

    channels: tuple[Channel, ...] = (
        Channel("gsr", "eda", "uS", EDA_US_PER_COUNT),
        Channel("respiration", "respiration"),
        Channel("ppg_finger", "ppg"),
        Channel("ppg_ear", "ppg"),
    )
    dtype = "uint16"
    sample_shape: tuple[int, ...] = (4,)
    has_counter = True

    def __init__(self) -> None:
        self.facts: Mapping[str, Any] = {"model": "simulated board", "adc_bits": 12}

    def render(self, person: SimulatedParticipant, times_s: Array, counters: Counters) -> NDArray[Any]:
        body, salt = person.body, person.seed
        breath = body.respiration(times_s)
        conductance_us = body.conductance(times_s) + EDA_NOISE_US * noise(counters, salt + 1)
        values = np.empty((len(times_s), 4))
        values[:, 0] = conductance_us / EDA_US_PER_COUNT
        values[:, 1] = 2048 + 900 * breath + 3 * noise(counters, salt + 2)
        # the pulse's foot wanders with the breath, more at the finger than at the ear
        values[:, 2] = (
            1500 + 1300 * body.pulse(times_s, "finger") + 90 * breath + 6 * noise(counters, salt + 4)
        )
        values[:, 3] = 1700 + 600 * body.pulse(times_s, "ear") + 40 * breath + 5 * noise(counters, salt + 5)
        return np.clip(np.rint(values), 0, ADC_MAX).astype(np.uint16)


class RgbScene:
    """The face: photographed where scikit-image is installed (see `photo`), else drawn (see `portrait`)."""

    channels: tuple[Channel, ...] = (Channel("rgb", "rgb", "8-bit"),)
    dtype = "uint8"
    has_counter = False

    def __init__(self, width: int, height: int) -> None:
        self.sample_shape: tuple[int, ...] = (height, width, 3)
        picture = photograph()
        self._portrait = Portrait(width, height) if picture is None else Photo(width, height, picture)
        self.facts: Mapping[str, Any] = {
            "model": "simulated camera",
            "pulse_share": PULSE_SHARE,
            "face": self._portrait.face,
        }

    def render(self, person: SimulatedParticipant, times_s: Array, counters: Counters) -> NDArray[Any]:
        seen = zip(
            counters.tolist(),
            times_s.tolist(),
            person.body.level("valence", times_s).tolist(),
            person.body.pulse(times_s, "face").tolist(),
            person.presence(times_s).tolist(),
            person.body.respiration(times_s).tolist(),
            strict=True,
        )
        frames = np.empty((len(times_s), *self.sample_shape), dtype=np.uint8)
        for frame, facts in zip(frames, seen, strict=True):
            self._portrait.draw(frame, *facts)
        return frames


class ThermalScene:
    """The warm face; see `heat`."""

    channels: tuple[Channel, ...] = (Channel("thermal", "thermal", "degC", KELVIN_PER_COUNT, -ZERO_C_K),)
    dtype = "uint16"
    has_counter = False

    def __init__(self, width: int, height: int) -> None:
        self.sample_shape: tuple[int, ...] = (height, width)
        self._picture = HeatPicture(width, height)
        self.facts: Mapping[str, Any] = {
            "model": "simulated thermal camera",
            "radiometry": {"form": "linear", "kelvin_per_count": KELVIN_PER_COUNT},
            "roi": self._picture.regions,
        }

    def render(self, person: SimulatedParticipant, times_s: Array, counters: Counters) -> NDArray[Any]:
        body = person.body
        breath = body.respiration(times_s)
        face_c, nose_c = body.level("face_c", times_s), body.level("nose_c", times_s)
        return self._picture.draw(counters, face_c, nose_c, breath, person.seed + 6)


class AudioScene:
    """A quiet room, and the clip played in it as a soft rumble."""

    channels: tuple[Channel, ...] = (Channel("sound", "audio", "full scale", 1 / 32768),)
    dtype = "int16"
    sample_shape: tuple[int, ...] = (1,)
    has_counter = False

    def __init__(self) -> None:
        self.facts: Mapping[str, Any] = {"model": "simulated microphone"}
        rng = np.random.default_rng(48)
        size = 1 << _TABLE_BITS
        self._room = np.rint(rng.normal(0.0, ROOM_NOISE, size)).astype(np.int16)
        spectrum = np.fft.rfft(rng.standard_normal(size))
        spectrum[size // 100 :] = 0.0  # low sounds only: the next sample is much like this one
        music = np.fft.irfft(spectrum, size)
        self._music = (music * (MUSIC_LEVEL / music.std())).astype(np.float32)

    def render(self, person: SimulatedParticipant, times_s: Array, counters: Counters) -> NDArray[Any]:
        index = counters & ((1 << _TABLE_BITS) - 1)
        sound = self._room[index]
        loudness = person.loudness(times_s)
        if loudness is not None:
            sound = sound + np.rint(self._music[index] * loudness).astype(np.int16)
        return sound[:, np.newaxis]
