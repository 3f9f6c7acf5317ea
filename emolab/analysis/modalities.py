"""What is measured of each kind of signal: how it is read from a recording, and which figures it gives.

A new one is an entry in `MODALITIES`: a function from a recording to something that can be asked for a
window (`over`, `good_share`), and the features it gives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.core.stream import Channel
from emolab.recording.reader import Session
from emolab.signals.eda.skin import SKIN_FEATURES, read_skin
from emolab.signals.feature import Feature
from emolab.signals.ppg import PULSE_FEATURES, Pulse, read_pulse
from emolab.signals.respiration import BREATH_FEATURES, read_breath
from emolab.signals.thermal.heat import HEAT_FEATURES, read_heat

PREFERRED_SITE = "ear"  # the paper's; another one is taken where less than half of it can be used
USABLE = 0.5
FALLING = ("PhysioKit",)  # boards with a Grove GSR: their counts fall when conductance rises


class Body(Protocol):
    """A signal of a whole session, read once."""

    def over(self, start_s: float, end_s: float) -> dict[str, float]:
        """Every feature of a window, NaN where it cannot be measured."""
        ...

    def good_share(self, start_s: float, end_s: float) -> float:
        """How much of a window can be used, 0 to 1."""
        ...


@dataclass(frozen=True)
class Source:
    """What was read: `stream/channel`, and a remark worth reading, if any."""

    body: Body
    name: str
    remark: str = ""


@dataclass(frozen=True)
class Modality:
    """A kind of signal. `read` raises `DataError` saying why there is nothing to measure."""

    title: str
    features: tuple[Feature, ...]
    read: Callable[[Session], Source]


def _pulse(session: Session) -> Source:
    """The ear's pulse, or the best other one where that is mostly unusable."""
    found: list[tuple[str, Pulse, float]] = []
    troubles = []
    for line in _lines(session, "ppg"):
        try:
            pulse = read_pulse(line.values, line.times_s)
        except DataError as error:
            troubles.append(f"{line.name}: {error}")
            continue
        share = pulse.good_share(float(line.times_s[0]), float(line.times_s[-1]))
        found.append((line.name, pulse, share))
    if not found:
        raise DataError("; ".join(troubles))
    found.sort(key=lambda one: PREFERRED_SITE not in one[0])
    name, body, share = found[0]
    best_name, best, best_share = max(found, key=lambda one: one[2])
    if share < USABLE and best_share > share:
        return Source(best, best_name, f"taken because only {share:.0%} of {name} can be used")
    return Source(body, name, "; ".join(troubles))


def _breath(session: Session) -> Source:
    line = _lines(session, "respiration")[0]
    breath = read_breath(
        line.values, line.times_s, unit=line.channel.unit, adc_range=line.ends, name=line.name
    )
    return Source(breath, line.name)


def _skin(session: Session) -> Source:
    line = _lines(session, "eda")[0]
    skin = read_skin(
        line.values,
        line.times_s,
        line.channel.unit,
        adc_range=line.ends,
        is_falling=True if line.model in FALLING and line.channel.unit == "counts" else None,
        name=line.name,
    )
    return Source(skin, line.name)


def _heat(session: Session) -> Source:
    stream = next((s for s in session.streams.values() if s.info.kind == "thermal"), None)
    if stream is None or not len(stream):
        raise DataError("no thermal camera was recorded")
    told = stream.info.channels[0]
    heat = read_heat(stream.samples, stream.times_s(), scale=told.scale, offset=told.offset, name=stream.name)
    return Source(heat, stream.name)


MODALITIES: dict[str, Modality] = {
    "ppg": Modality("Pulse", PULSE_FEATURES, _pulse),
    "respiration": Modality("Breath", BREATH_FEATURES, _breath),
    "thermal": Modality("Face temperature", HEAT_FEATURES, _heat),
    "eda": Modality("Skin conductance", SKIN_FEATURES, _skin),
}


@dataclass(frozen=True)
class _Line:
    """One channel, read. `ends`: of its converter in the channel's unit, where they are known."""

    name: str
    channel: Channel
    times_s: NDArray[np.float64]
    values: NDArray[np.float64]
    ends: tuple[float, float] | None
    model: str


def _lines(session: Session, kind: str) -> list[_Line]:
    """Every channel of a kind that delivered something. Raises `DataError` when there is none."""
    found = []
    for stream in session.streams.values():
        for index, channel in enumerate(stream.info.channels):
            if channel.kind != kind or stream.info.is_image or not len(stream):
                continue
            bits = stream.info.instrument.get("adc_bits") or stream.info.instrument.get("bits")
            top = (1 << int(bits)) - 1 if bits else None
            ends = None if top is None else (channel.offset, top * channel.scale + channel.offset)
            name = f"{stream.name}/{channel.name}"
            model = str(stream.info.instrument.get("model", ""))
            found.append(_Line(name, channel, stream.times_s(), stream.values(index), ends, model))
    if not found:
        raise DataError(f"no {kind} channel was recorded")
    return found
