"""Any stream of the lab streaming layer (LSL) as an instrument: EEG caps, eye trackers, other programs.

    [[instrument]]
    kind = "lsl"
    name = "eeg"
    stream = "BioSemi"             # the stream's own name; this or one of the next three, or several:
    type = "EEG"                   # all that are given must agree
    source_id = "biosemi-0042"
    host = "lab-pc-2"
    timeout_s = 2.0                # a stream with a rate that is silent for so long is lost
    channels = ["gsr", { name = "belt", kind = "respiration" }]   # all of them, in the stream's order

    [instrument.scaling]           # value = raw * scale + offset; left out: the stream's own unit
    gsr = { unit = "uS", scale = 0.001 }

Without `channels` they carry the names the stream gives them (`ch1`, `ch2` … when it gives none)
and are of the kind `lsl`. Needs the extra `lsl`: pip install 'emolab[lsl]'.

Wiring. The sending program runs on this machine or on one in the same network, best by cable.
Senders are found by multicast: firewalls must let UDP 16571 and TCP and UDP 16572 to 16604 pass.
Where multicast is forbidden, list the sender under KnownPeers in liblsl's own `lsl_api.cfg`.

What comes. float32, double64, int8, int16, int32 and int64 streams are kept as they are, with the
rate they announce, or none. Text streams (markers) lose nothing either: each marker is an event
`mark` with its text, and a row of the stream with its `number`, which the event names too.

Times. A sample's time is the sender's stamp, moved onto the session clock by the difference of the
two machines' clocks, which LSL measures over the network every two seconds. We take it over every five and
work it in gently (`lsl_link.Correction`). Nothing of this is lost to the analyst: the sender's own
stamps are the stream's device clock, in microseconds, so time less device clock is what was applied
to that very row; and every difference measured is an event `clock_offset` (`offset_s`, to be added
to the sender's stamps to get this machine's LSL time). How well a sender stamps is up to the sender:
a constant delay in front of it is in no stamp. Samples that arrive before the first measurement, 0.6 s
after opening, wait for it. A stamp that is no number cannot be placed: that row counts as corrupt.

Faults. A sender that ends is noticed at once, and one that is only silent after `timeout_s`, or, when it
has no rate, once its clock has not answered for 15 s; the pump then looks for it until it is back.
liblsl's own silent recovery is off: it would join two clocks without a word.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from emolab.core.clock import Clock
from emolab.core.errors import DeviceError, DeviceNotFound, DeviceTimeout
from emolab.core.event import Event
from emolab.core.stream import Channel, Chunk, StreamInfo, Tally
from emolab.devices.channels import NamedChannel, Scaling, make_channels
from emolab.devices.config import InstrumentKeys, read_keys
from emolab.devices.lsl_link import Correction, pylsl, session_less_lsl_s

FIND_S = 1.05  # liblsl asks every half second: three times, to hear of a second stream of that name
CONNECT_S = 0.5
GATHER_S = 0.005  # so that a stream of single samples comes as 200 chunks a second, not 1000
ROWS = 1024
BUFFER_S = 60
MEASURE_S = 5.0
FIRST_MEASURE_S = 5.0
DEAF_S = 15.0  # two true measurements never agree to the last bit
MOST_CHANNELS = 2000
NAMES_CHARACTERS = 60_000  # what a ring has room for
DESCRIPTION_CHARACTERS = 16_000
TEXT = "string"
DTYPES = {"double64": "float64"} | {form: form for form in ("float32", "int8", "int16", "int32", "int64")}


class LslKeys(InstrumentKeys):
    """An `lsl` table of the device file."""

    stream: str | None = None
    type: str | None = None
    source_id: str | None = None
    host: str | None = None
    timeout_s: float = Field(2.0, gt=0, le=60)
    channels: list[str | NamedChannel] | None = Field(None, min_length=1, max_length=MOST_CHANNELS)
    scaling: dict[str, Scaling] = Field(default_factory=dict)

    @field_validator("stream", "type", "source_id", "host")
    @classmethod
    def _can_be_asked_for(cls, value: str | None) -> str | None:
        if value is not None and (not value or ("'" in value and '"' in value)):
            raise ValueError("must not be empty, nor hold both kinds of quotes")
        return value

    @model_validator(mode="after")
    def _is_whole(self) -> LslKeys:
        if not self.wanted():
            raise ValueError(
                'say which stream, by at least one of stream = "its name", type, source_id, host'
            )
        if self.channels is not None:
            make_channels(self.channels, self.scaling)
        return self

    def wanted(self) -> dict[str, str]:
        """LSL's words for what the stream must be, and the values."""
        asked = {"name": self.stream, "type": self.type, "source_id": self.source_id, "hostname": self.host}
        return {word: value for word, value in asked.items() if value is not None}


def predicate(wanted: Mapping[str, str]) -> str:
    """The question put to the network: an XPath 1.0 predicate."""
    quotes = {word: '"' if "'" in value else "'" for word, value in wanted.items()}
    return " and ".join(f"{word}={quotes[word]}{value}{quotes[word]}" for word, value in wanted.items())


class LslStream:
    """One LSL stream. Also a `Teller`: markers and clock offsets come as events."""

    def __init__(self, keys: LslKeys, clock: Clock) -> None:
        self._keys, self._clock = keys, clock
        self._wanted = keys.wanted()
        self._inlet: Any = None
        self._is_known = False  # the stream was open once: it must come back as it was
        self._is_text = False
        self._correction = Correction()
        self._waiting: list[tuple[NDArray[Any], NDArray[np.float64]]] = []  # for the first offset
        self._events: list[Event] = []
        self._number = 0
        self._tally = Tally()
        self._opened_s = self._heard_s = 0.0  # session times, like the next two
        self._measured_s = self._answered_s = 0.0
        self._offset_s = math.nan
        self._between_s = 0.0  # from this machine's LSL time to session time
        named = make_channels(keys.channels, keys.scaling) if keys.channels else (Channel("ch1", "lsl"),)
        about = {"model": "LSL", **self._wanted}
        self._info = StreamInfo(keys.name, named, None, "float64", (len(named),), about)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], clock: Clock) -> LslStream:
        """The source of an `lsl` table. Raises `ConfigError` naming the key that is wrong."""
        return cls(read_keys(config, LslKeys), clock)

    @property
    def info(self) -> StreamInfo:
        return self._info

    def open(self) -> None:
        """Find the stream and subscribe.

        Raises `DeviceNotFound` when no stream answers, `DeviceError` when several do, when it is not
        what it was or what `channels` says, `DeviceTimeout` when it answers but does not connect,
        `MissingExtra` without pylsl.
        """
        if self._inlet is not None:
            return
        lsl = pylsl()
        inlet = lsl.StreamInlet(self._find(lsl), max_buflen=BUFFER_S, recover=False)
        try:
            inlet.open_stream(CONNECT_S)
            told = inlet.info(CONNECT_S)
        except (lsl.util.TimeoutError, lsl.util.LostError) as error:
            raise DeviceTimeout(
                f"{self._who()} answers but does not connect; let TCP 16572 to 16604 pass "
                "the firewalls of both machines"
            ) from error
        self._take(lsl, told)
        self._inlet = inlet
        self._correction, self._waiting = Correction(), []
        self._between_s = session_less_lsl_s(self._clock)
        self._opened_s = self._heard_s = self._answered_s = self._clock.now_s()
        self._measured_s, self._offset_s = -math.inf, math.nan

    def read(self, timeout_s: float) -> Chunk | None:
        """The samples that arrived, None when none did or their clock is not measured yet.

        Raises `DeviceError` when the sender has ended, `DeviceTimeout` when it or its clock is silent.
        """
        lsl = pylsl()
        try:
            samples, stamps_s = self._pull(timeout_s)
            self._measure(lsl)
        except lsl.util.LostError as error:
            raise DeviceError(
                f"{self._who()} has ended; start the program that sends it, emolab waits for it"
            ) from error
        arrival_s = self._clock.now_s()
        if len(stamps_s):
            self._heard_s = arrival_s
            self._waiting.append((samples, stamps_s))
        else:
            self._check_silence(arrival_s)
        if not self._correction.is_known or not self._waiting:
            return None
        samples = np.concatenate([rows for rows, _ in self._waiting])
        stamps_s = np.concatenate([stamps for _, stamps in self._waiting])
        self._waiting = []
        return self._chunk(samples, stamps_s, arrival_s)

    def told(self) -> list[Event]:
        """Markers, and offsets as they were measured, since the last call."""
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """Unsubscribe."""
        self._inlet = None  # its destructor hangs up

    # opening

    def _find(self, lsl: Any) -> Any:
        """The one stream that is meant."""
        found = lsl.resolve_bypred(predicate(self._wanted), 1 if self._is_known else 2, FIND_S)
        if len(found) == 1:
            return found[0]
        if found:
            several = ", ".join(f"{one.name()} ({one.source_id()}) on {one.hostname()}" for one in found)
            raise DeviceError(
                f"{self._who()} could be any of {several}; stop all but one, or tell them apart by "
                "'source_id' or 'host'"
            )
        others = [] if self._is_known else sorted({one.name() for one in lsl.resolve_streams(FIND_S / 2)})
        there = f"there are {', '.join(others)}" if others else "start the program that sends it"
        raise DeviceNotFound(f"{self._who()} is not on this network; {there}")

    def _take(self, lsl: Any, told: Any) -> None:
        """Take the stream's own description over, or refuse what does not fit."""
        formats = {getattr(lsl, f"cf_{form}"): dtype for form, dtype in DTYPES.items()}
        self._is_text = told.channel_format() == lsl.cf_string
        form = TEXT if self._is_text else formats.get(told.channel_format(), "")
        if not form:
            raise DeviceError(f"{self._who()} sends samples of an unknown format; update pylsl")
        rate_hz = told.nominal_srate()
        channels = (Channel("number", "lsl", ""),) if self._is_text else self._channels(told)
        info = replace(
            self._info,
            channels=channels,
            nominal_rate_hz=rate_hz if 0 < rate_hz < math.inf else None,
            dtype="int64" if self._is_text else form,
            sample_shape=(len(channels),),
            instrument={
                "model": "LSL",
                "stream": told.name(),
                "type": told.type(),
                "source_id": told.source_id(),
                "host": told.hostname(),
                "uid": told.uid(),
                "format": form,
                "timeout_s": self._keys.timeout_s,
                "description": told.as_xml()[:DESCRIPTION_CHARACTERS],
                "pylsl": lsl.__version__,
                "liblsl": lsl.library_version(),
            },
        )
        if self._is_known and _shape(info) != _shape(self._info):
            raise DeviceError(
                f"{self._who()} has come back as {_told(info)}, it was {_told(self._info)}; "
                "set the sender back, or start emolab again"
            )
        self._info, self._is_known = info, True
        if told.source_id():
            self._wanted = {**self._wanted, "source_id": told.source_id()}

    def _channels(self, told: Any) -> tuple[Channel, ...]:
        """One channel each, named as the device file says, else as the stream does."""
        count = told.channel_count()
        if count > MOST_CHANNELS:
            raise DeviceError(f"{self._who()} has {count} channels; emolab takes {MOST_CHANNELS}: send fewer")
        if self._keys.channels is not None and len(self._keys.channels) != count:
            raise DeviceError(
                f"{self._who()} has {count} channels, 'channels' names "
                f"{len(self._keys.channels)}; name them all"
            )
        labels = [(label or "")[:32] for label in told.get_channel_labels() or []]
        is_told = len(set(labels)) == count and all(labels) and len(json.dumps(labels)) < NAMES_CHARACTERS
        if not is_told:
            labels = [f"ch{at}" for at in range(1, count + 1)]
        units = told.get_channel_units() or []
        entries = self._keys.channels or [NamedChannel(name=label, kind="lsl") for label in labels]
        try:
            channels = make_channels(entries, self._keys.scaling)
        except ValueError as error:
            raise DeviceError(f"{self._who()}: {error}; correct the device file") from error
        own = [(unit or "")[:16] or "a.u." for unit in (units if len(units) == count else [None] * count)]
        return tuple(
            channel if channel.name in self._keys.scaling else replace(channel, unit=unit)
            for channel, unit in zip(channels, own, strict=True)
        )

    # reading

    def _pull(self, timeout_s: float) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """What has come: wait for a first sample, then a little for more."""
        assert self._inlet is not None
        samples, stamps_s = self._inlet.pull_chunk(timeout_s, 1, as_numpy=True)
        if len(stamps_s):
            time.sleep(GATHER_S)
            more, more_s = self._inlet.pull_chunk(0.0, ROWS, as_numpy=True)
            samples, stamps_s = np.concatenate([samples, more]), np.concatenate([stamps_s, more_s])
        return samples, stamps_s

    def _measure(self, lsl: Any) -> None:
        """Take over the newest clock offset when it is due; this never waits."""
        now_s = self._clock.now_s()
        if now_s - self._measured_s < MEASURE_S:
            return
        try:
            offset_s = self._inlet.time_correction(0.0)
        except lsl.util.TimeoutError as error:
            if now_s - self._opened_s < FIRST_MEASURE_S:
                return
            raise DeviceTimeout(
                f"{self._who()}: its clock does not answer; let UDP 16572 to 16604 pass "
                "the firewalls of both machines"
            ) from error
        self._measured_s = now_s
        if offset_s != self._offset_s:
            self._answered_s, self._offset_s = now_s, offset_s
            self._correction.measured(offset_s + self._between_s)
            data = {"stream": self._info.name, "offset_s": round(offset_s, 9)}
            self._events.append(Event(now_s, "clock_offset", data=data))
        elif now_s - self._answered_s > DEAF_S:
            raise DeviceTimeout(
                f"{self._who()} has not answered for {DEAF_S:.0f} s; check the network and the sender"
            )

    def _check_silence(self, now_s: float) -> None:
        if self._info.nominal_rate_hz and now_s - self._heard_s > self._silence_s():
            raise DeviceTimeout(
                f"{self._who()} has sent nothing for {self._silence_s():g} s; "
                "look at the program that sends it"
            )

    def _silence_s(self) -> float:
        """A stream slower than its time-out may be silent for three of its samples."""
        return max(self._keys.timeout_s, 3 / (self._info.nominal_rate_hz or math.inf))

    def _chunk(self, samples: NDArray[Any], stamps_s: NDArray[np.float64], arrival_s: float) -> Chunk | None:
        """The rows with their times."""
        good = np.abs(stamps_s) < 1e11  # the microseconds of later ones fit no file; NaN is not below either
        if not good.all():
            self._tally = replace(self._tally, corrupt=self._tally.corrupt + int((~good).sum()))
            samples, stamps_s = samples[good], stamps_s[good]
        if not len(stamps_s):
            return None
        times_s = self._correction.apply(stamps_s)
        if self._is_text:
            samples = self._mark(samples, times_s)
        device_us = np.rint(stamps_s * 1e6).astype(np.int64)
        return Chunk(self._info.name, times_s, samples, arrival_s, device_us=device_us, tally=self._tally)

    def _mark(self, samples: NDArray[Any], times_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """Make an event of each marker; returns their numbers `(n, 1)`."""
        numbers = self._number + 1 + np.arange(len(samples))
        self._number = int(numbers[-1])
        for row, time_s, number in zip(samples, times_s, numbers, strict=True):
            words = [word.decode("utf-8", "backslashreplace") for word in row]
            text = words[0] if len(words) == 1 else json.dumps(words, ensure_ascii=False)
            data = {"text": text, "stream": self._info.name, "number": int(number)}
            self._events.append(Event(float(time_s), "mark", data=data))
        return numbers[:, None]

    def _who(self) -> str:
        asked = ", ".join(f"{word} {value!r}" for word, value in self._keys.wanted().items())
        return f"instrument {self._keys.name!r}: the LSL stream with {asked}"


def _shape(info: StreamInfo) -> tuple[Any, ...]:
    """What must not change while a session is recorded."""
    return info.dtype, info.sample_shape, info.nominal_rate_hz, info.channels


def _told(info: StreamInfo) -> str:
    rate = f"{info.nominal_rate_hz:g} Hz" if info.nominal_rate_hz else "no rate"
    return f"{len(info.channels)} channels of {info.dtype}, {rate}"
