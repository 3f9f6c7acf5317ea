"""What is measured of each kind of signal: how it is read from a recording, and which figures it gives.

A new one is an entry in `MODALITIES`: a function from a recording to something that can be asked for a
window (`over`, `good_share`), and the features it gives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from emolab.core.errors import DataError
from emolab.recording.reader import RecordedStream, Session
from emolab.signals.eda.skin import SKIN_FEATURES, read_skin
from emolab.signals.feature import Feature
from emolab.signals.ppg import PULSE_FEATURES, Pulse, read_pulse
from emolab.signals.respiration import BREATH_FEATURES, read_breath
from emolab.signals.thermal import HEAT_FEATURES, read_heat

PREFERRED_SITE = "ear"  # the paper's; another one is taken where less than half of it can be used
USABLE = 0.5
FRAMES = 512  # thermal frames read at once


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
    found: list[tuple[str, Pulse]] = []
    troubles = []
    for stream, index in _channels(session, "ppg"):
        name = f"{stream.name}/{stream.info.channels[index].name}"
        try:
            found.append((name, read_pulse(stream.values(index), stream.times_s())))
        except DataError as error:
            troubles.append(f"{name}: {error}")
    if not found:
        raise DataError("; ".join(troubles))
    found.sort(key=lambda pair: PREFERRED_SITE not in pair[0])
    start_s, end_s = -np.inf, np.inf
    name, body = found[0]
    if body.good_share(start_s, end_s) < USABLE and len(found) > 1:
        best_name, best = max(found, key=lambda pair: pair[1].good_share(start_s, end_s))
        if best_name != name:
            share = body.good_share(start_s, end_s)
            return Source(best, best_name, f"taken because only {share:.0%} of {name} can be used")
    return Source(body, name, "; ".join(troubles))


def _breath(session: Session) -> Source:
    stream, index = _channels(session, "respiration")[0]
    return Source(
        read_breath(stream.values(index), stream.times_s()),
        f"{stream.name}/{stream.info.channels[index].name}",
    )


def _skin(session: Session) -> Source:
    stream, index = _channels(session, "eda")[0]
    channel = stream.info.channels[index]
    body = read_skin(stream.values(index), stream.times_s(), channel.unit)
    return Source(body, f"{stream.name}/{channel.name}")


def _heat(session: Session) -> Source:
    stream = next((s for s in session.streams.values() if s.info.kind == "thermal"), None)
    if stream is None or not len(stream):
        raise DataError("no thermal camera was recorded")

    def frames(start: int, stop: int) -> np.ndarray:
        return stream.values(0, start, stop)

    return Source(read_heat(frames, stream.times_s()), stream.name)


MODALITIES: dict[str, Modality] = {
    "ppg": Modality("Pulse", PULSE_FEATURES, _pulse),
    "respiration": Modality("Breath", BREATH_FEATURES, _breath),
    "thermal": Modality("Face temperature", HEAT_FEATURES, _heat),
    "eda": Modality("Skin conductance", SKIN_FEATURES, _skin),
}


def _channels(session: Session, kind: str) -> list[tuple[RecordedStream, int]]:
    """Every channel of a kind that delivered something. Raises `DataError` when there is none."""
    found = [
        (stream, index)
        for stream in session.streams.values()
        for index, channel in enumerate(stream.info.channels)
        if channel.kind == kind and not stream.info.is_image and len(stream)
    ]
    if not found:
        raise DataError(f"no {kind} channel was recorded")
    return found
