"""What is measured of each kind of signal: how it is read from a recording, and which figures it gives.

A new one is an entry in `MODALITIES`: a function from a recording to something that can be asked for a
window (`over`, `good_share`), and the features it gives. One that is made of others (`of`) gets their
sources after the recording, and is absent where one of them is; it stands after them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.core.stream import Channel
from emolab.recording import converter
from emolab.recording.reader import RecordedStream, Session
from emolab.recording.timeline import read_timeline
from emolab.signals.body import MICROSIEMENS
from emolab.signals.eda.conductance import UNITS_US
from emolab.signals.eda.convex import STATUSES
from emolab.signals.eda.skin import SKIN_FEATURES, read_skin
from emolab.signals.feature import Feature
from emolab.signals.loudness import LOUDNESS_FEATURES, read_loudness
from emolab.signals.ppg import PULSE_FEATURES, Pulse, read_pulse
from emolab.signals.respiration import BREATH_FEATURES, Breath, read_breath
from emolab.signals.rsa import RSA_FEATURES, read_rsa
from emolab.signals.thermal.heat import HEAT_FEATURES, FaceHeat, read_heat

PREFERRED_SITE = "ear"  # the paper's; another one is taken where less than half of it can be used
USABLE = 0.5
FOUND, BY_CAMERA, NOT_SEEN = "found in the thermal picture", "by the colour camera", "not seen"
GUESSED = (
    "was taken to {} when conductance rises, a guess from the shape of its responses: nothing in the "
    "recording tells; say it with 'falls' in the device file before the next one"
)
UPSIDE_DOWN = (
    "is upside down: its counts fall when conductance rises, and a positive scale made {} of them, so that "
    "its level and responses tell the opposite; give a negative 'scale' in the device file, or none, before "
    "the next one"
)
SOUND_ROWS = 1 << 20  # read together: 40 minutes at 48 kHz would fill the memory


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
    """What was read: `stream/channel`, and a remark worth reading, if any.

    `ways`: of a film, in how many frames its face was found, and how.
    """

    body: Body
    name: str
    remark: str = ""
    ways: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Modality:
    """A kind of signal. `read` raises `DataError` saying why there is nothing to measure.

    `of`: the kinds it is made of; `read` is given the source of each, after the recording.
    """

    title: str
    features: tuple[Feature, ...]
    read: Callable[..., Source]
    of: tuple[str, ...] = ()


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
    found.sort(key=lambda one: not _is_preferred(one[0]))
    name, body, share = found[0]
    best_name, best, best_share = max(found, key=lambda one: one[2])
    if share < USABLE and best_share > share:
        return Source(best, best_name, f"taken because only {share:.0%} of {name} can be used")
    return Source(body, name, "; ".join(troubles))


def _is_preferred(name: str) -> bool:
    """Whether a `stream/channel` is of the ear: a wearable's finger is not."""
    return PREFERRED_SITE in re.split(r"[^a-z]+", name.rpartition("/")[2].lower())


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
        is_falling=line.is_falling,
        name=line.name,
    )
    remarks = []
    if skin.status in STATUSES[1:]:
        remarks.append(f"cvxEDA {skin.status} before it was solved: level and responses are approximate")
    if line.counts_fall and line.channel.unit in (*MICROSIEMENS, *UNITS_US) and line.channel.scale > 0:
        remarks.append(UPSIDE_DOWN.format(line.channel.unit))
    if line.is_falling is None and not skin.conductance.is_us:
        way = "fall" if skin.conductance.is_turned else "rise"
        remarks.append(GUESSED.format(way))
    return Source(skin, line.name, "; ".join(remarks))


def _heat(session: Session) -> Source:
    stream = next((s for s in session.streams.values() if s.info.kind == "thermal"), None)
    if stream is None or not len(stream):
        raise DataError("no thermal camera was recorded")
    told = stream.info.channels[0]
    heat = read_heat(stream.samples, stream.times_s(), scale=told.scale, offset=told.offset, name=stream.name)
    return Source(heat, stream.name, ways=ways_of(heat))


def ways_of(heat: FaceHeat) -> dict[str, int]:
    """In how many frames of a film its face was found."""
    found = int(heat.is_sound.sum())
    return {FOUND: found, NOT_SEEN: len(heat) - found}


def _sound(session: Session) -> Source:
    stream = next((s for s in session.streams.values() if s.info.kind == "audio"), None)
    if stream is None or not len(stream):
        raise DataError("no microphone was recorded")
    rate_hz = stream.info.nominal_rate_hz
    if rate_hz is None:
        raise DataError(f"{stream.name} does not say how many samples a second it has")
    return Source(read_loudness(_pieces(stream), rate_hz, name=stream.name), stream.name)


def _pieces(stream: RecordedStream) -> Iterator[tuple[NDArray[np.float64], NDArray[np.generic]]]:
    """Times and samples, some seconds at a time: of each piece without a hole the first and the last time.

    Reading all times takes twice as long as hearing the sound, and `inspect` has just done so.
    """
    line = read_timeline(stream)
    if not line.is_ascending:
        for start in range(0, len(stream), SOUND_ROWS):
            samples = stream.samples(start, start + SOUND_ROWS)
            yield stream.times_s(start, start + len(samples)), samples
        return
    for start in range(0, len(stream), SOUND_ROWS):
        samples = stream.samples(start, start + SOUND_ROWS)
        stop = start + len(samples)
        inner = line.marks[(line.marks > start) & (line.marks < stop)]
        begins, ends = np.concatenate([[start], inner]), np.concatenate([inner, [stop]]) - 1
        spans_s = np.interp(np.stack([begins, ends], axis=-1), line.marks, line.marks_s)
        yield from zip(spans_s, np.split(samples, inner - start), strict=True)


def _rsa(_session: Session, pulse: Source, breath: Source) -> Source:
    assert isinstance(pulse.body, Pulse) and isinstance(breath.body, Breath)
    rsa = read_rsa(breath.body, pulse.body.beats_s, np.where(pulse.body.own, pulse.body.rr_ms, np.nan))
    return Source(rsa, f"{pulse.name} and {breath.name}")


MODALITIES: dict[str, Modality] = {
    "ppg": Modality("Pulse", PULSE_FEATURES, _pulse),
    "respiration": Modality("Breath", BREATH_FEATURES, _breath),
    "thermal": Modality("Face temperature", HEAT_FEATURES, _heat),
    "eda": Modality("Skin conductance", SKIN_FEATURES, _skin),
    "rsa": Modality("Respiratory sinus arrhythmia", RSA_FEATURES, _rsa, of=("ppg", "respiration")),
    "audio": Modality("Sound", LOUDNESS_FEATURES, _sound),
}


@dataclass(frozen=True)
class _Line:
    """One channel, read. `ends`: of its converter in the channel's unit, where they are known.

    `is_falling`, `counts_fall`: as `converter` tells of values and of counts.
    """

    name: str
    channel: Channel
    times_s: NDArray[np.float64]
    values: NDArray[np.float64]
    ends: tuple[float, float] | None
    is_falling: bool | None
    counts_fall: bool | None


def _lines(session: Session, kind: str) -> list[_Line]:
    """Every channel of a kind that delivered something. Raises `DataError` when there is none."""
    found = []
    for stream in session.streams.values():
        for index, channel in enumerate(stream.info.channels):
            if channel.kind != kind or stream.info.is_image or not len(stream):
                continue
            name = f"{stream.name}/{channel.name}"
            ends = converter.ends(stream.info, channel)
            falls = converter.is_falling(stream.info, channel)
            counts_fall = converter.counts_fall(stream.info, channel)
            times_s, values = stream.times_s(), stream.values(index)
            found.append(_Line(name, channel, times_s, values, ends, falls, counts_fall))
    if not found:
        raise DataError(f"no {kind} channel was recorded")
    return found
