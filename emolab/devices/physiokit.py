"""PhysioKit's boards: one to four physiological signals as lines of text over USB.

    [[instrument]]
    kind = "physiokit"
    name = "board"
    port = "/dev/ttyUSB0"          # or COM3, socket://host:port, rfc2217://host:port
    channels = ["gsr", "respiration", "ppg_finger", "ppg_ear"]   # in the board's order
    baud = 115200                  # this and what follows is optional
    nominal_rate_hz = 250
    adc_bits = 10                  # larger values are garbage; left out: what fits 16 bits
    latency_s = 0.0                # a measured constant delay of capture to arrival, subtracted

    [instrument.scaling]           # value = raw * scale + offset; left out: counts
    gsr = { unit = "uS", scale = -0.054, offset = 27.65 }   # counts fall, so the scale is negative

Wiring
    An Arduino-compatible board (Uno, Nano, Leonardo, Teensy, Due) with up to four sensors, each
    powered from the board's 3.3 V or 5 V and GND, its signal on one analogue input, in the
    order of the sketch; PhysioKit's own order is
        A0  skin conductance (Grove GSR, two fingers)        gsr
        A1  respiration (stretch belt)                       respiration
        A2  pulse at the finger (reflective PPG)             ppg_finger
        A3  pulse at the ear lobe (reflective PPG)           ppg_ear
    The board hangs on USB. Participants must be isolated from the mains: run the computer on
    battery or put an isolator of medical grade between it and the board.

Scaling of the skin conductance
    The Grove's counts fall when conductance rises: a positive scale to microsiemens is refused, unless
    `falls = false` says that another sensor is wired. A straight line is an approximation: the one above,
    of ten bits, is right within 8 % from 2 to 10 µS and a fifth too low at 20, where the Grove reads 512
    without fingers. Its own formula is `GroveGsr` in `signals.eda.front_end`. Left out, counts stay counts
    and are turned by the analysis.

Bytes
    115200 baud, 8 data bits, no parity, 1 stop bit; any other speed by `baud`. One line a sample:
    1 to 4 unsigned decimal integers joined by `,` and ended by CR LF, `512,498,77,1023\\r\\n`. No
    stamp, no counter, no checksum. After a reset, and when the port is opened, the first line is
    partial: everything up to the first LF is dropped and is not counted as corrupt. The board
    announces about 250 Hz; real ones send 250 to 275: the true rate is measured (`stamps`), for which
    the rows of the first second are held back, then handed over read by read; none is left out.

What is counted
    `corrupt`: lines that are no sample: another number of fields, anything but digits, a value
    beyond the converter or the stored type, or far too long. Each stands for one row in time, so the
    rows after it keep their place. Without a counter nobody can know of whole lines that were
    lost: `lost` stays 0, a pause shows as a jump in the times.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import serial
from pydantic import Field, field_validator, model_validator

from emolab.core.clock import Clock
from emolab.core.errors import DeviceTimeout
from emolab.core.stream import Channel, Chunk, StreamInfo, Tally
from emolab.devices.channels import NamedChannel, Scaling, make_channels
from emolab.devices.config import InstrumentKeys, read_keys
from emolab.devices.serial_link import SerialLink, check_port
from emolab.devices.stamps import Stamper

REST_S = 0.003  # shorter than a row takes: eight would hide half of the pauses of 4 ms
SILENT_S = 5.0  # an Uno's boot loader takes two after the port is opened


class PhysioKitKeys(InstrumentKeys):
    """A `physiokit` table of the device file."""

    port: str
    baud: int = Field(115200, gt=0)
    nominal_rate_hz: float = Field(250.0, gt=0, le=10_000)
    channels: list[str | NamedChannel] = Field(
        ["gsr", "respiration", "ppg_finger", "ppg_ear"], min_length=1, max_length=4
    )
    adc_bits: int | None = Field(None, ge=8, le=32)
    latency_s: float = Field(0.0, ge=0, le=1)
    scaling: dict[str, Scaling] = Field(default_factory=dict)

    _port = field_validator("port")(check_port)

    @model_validator(mode="after")
    def _channels_are_known(self) -> PhysioKitKeys:
        self.made_channels()
        return self

    def made_channels(self) -> tuple[Channel, ...]:
        """The channels as a stream has them."""
        return make_channels(self.channels, self.scaling, grove_of="a PhysioKit")


class LineParser:
    """Bytes in, rows out; the same rows however the bytes are cut.

    `fields`: numbers a line must have. `limit`: the largest value allowed. `corrupt` counts the lines
    that were none; `lines` counts all since the last `resync`, good or not.
    """

    def __init__(self, fields: int, limit: int) -> None:
        self._fields = fields
        self._limit = limit
        self._longest = fields * (len(str(limit)) + 1)  # digits and commas, CR for the last comma
        self._tail = b""
        self._overflows = False  # what came since the last LF is already too long to be a line
        self._is_synced = False
        self.lines = 0
        self.corrupt = 0

    def resync(self) -> None:
        """The port was opened or the board reset: what follows begins in mid-line."""
        self._tail, self._overflows, self._is_synced, self.lines = b"", False, False, 0

    def feed(self, data: bytes) -> tuple[list[int], list[tuple[int, ...]]]:
        """The numbers (from 0) of the good lines that `data` completes, and their values."""
        numbers: list[int] = []
        rows: list[tuple[int, ...]] = []
        *lines, tail = (self._tail + data).split(b"\n")
        for line in lines:
            is_synced, self._is_synced = self._is_synced, True
            overflows, self._overflows = self._overflows, False
            if not is_synced:
                continue
            row = None if overflows else self._row(line)
            if row is None:
                self.corrupt += 1
            else:
                numbers.append(self.lines)
                rows.append(row)
            self.lines += 1
        if len(tail) > self._longest:
            self._overflows, tail = True, b""  # keep no more of it than that it was too long
        self._tail = tail
        return numbers, rows

    def _row(self, line: bytes) -> tuple[int, ...] | None:
        """The line's values, or None when it is no sample."""
        if len(line) > self._longest:
            return None
        texts = line.removesuffix(b"\r").split(b",")
        if len(texts) != self._fields or not all(text.isdigit() for text in texts):
            return None
        row = tuple(map(int, texts))
        return row if max(row) <= self._limit else None


class _Rows(NamedTuple):
    """Rows of one read: their numbers and values, when they came, and the damaged lines by then."""

    numbers: list[int]
    rows: list[tuple[int, ...]]
    arrival_s: float
    corrupt: int


class PhysioKit:
    """A PhysioKit board as a source of one stream."""

    def __init__(self, keys: PhysioKitKeys, clock: Clock) -> None:
        channels = keys.made_channels()
        bits = keys.adc_bits or 16
        self._keys = keys
        self._clock = clock
        self._link = SerialLink(keys.name, keys.port, keys.baud, clock, rest_s=REST_S)
        self._parser = LineParser(len(channels), (1 << bits) - 1)
        self._stamper = Stamper(1 / keys.nominal_rate_hz)
        self._held: list[_Rows] = []  # read while the stamps settle
        self._ready: deque[Chunk] = deque()
        self._reopened = 0
        self._was_lost = False
        self._heard_s = 0.0
        self._info = StreamInfo(
            name=keys.name,
            channels=channels,
            nominal_rate_hz=keys.nominal_rate_hz,
            dtype="uint16" if bits <= 16 else "uint32",
            sample_shape=(len(channels),),
            instrument={
                "model": "PhysioKit",
                "port": keys.port,
                "baud": keys.baud,
                "adc_bits": keys.adc_bits,
                "latency_s": keys.latency_s,
                "stamped_by": "arrival",
                "pyserial": serial.__version__,
            },
        )

    @classmethod
    def from_config(cls, config: Mapping[str, Any], clock: Clock) -> PhysioKit:
        """The source of a `physiokit` table. Raises `ConfigError` naming the key that is wrong."""
        return cls(read_keys(config, PhysioKitKeys), clock)

    @property
    def info(self) -> StreamInfo:
        return self._info

    def open(self) -> None:
        """Open the port. Raises what `SerialLink.open` raises."""
        if self._link.is_open:
            return
        self._link.open()
        self._parser.resync()
        self._stamper.restart()
        self._held.clear()
        self._ready.clear()
        self._reopened += self._was_lost
        self._was_lost = False
        self._heard_s = self._clock.now_s()

    def read(self, timeout_s: float) -> Chunk | None:
        """The rows that arrived, None when none was completed.

        Raises `DeviceError` when the port has gone, `DeviceTimeout` when nothing that is a
        sample has come for five seconds.
        """
        if self._ready:
            return self._ready.popleft()
        try:
            data, arrival_s = self._link.read(timeout_s)
        except OSError:
            self._was_lost = True
            raise
        numbers, rows = self._parser.feed(data)
        if not rows:
            self._check_silence(arrival_s)
            return None
        self._heard_s = arrival_s
        self._held.append(_Rows(numbers, rows, arrival_s, self._parser.corrupt))
        if not self._stamper.is_settled:
            self._stamper.observe(numbers[-1], arrival_s)
            return None
        self._stamp_held()
        return self._ready.popleft()

    def close(self) -> None:
        """Close the port."""
        self._link.close()

    def _stamp_held(self) -> None:
        """Make chunks of the rows in hand, each with when it came: one each read, one more at first."""
        numbers = [number for held in self._held for number in held.numbers]
        times_s = self._stamper.stamp(np.array(numbers, np.int64), self._held[-1].arrival_s)
        lasts = np.cumsum([len(held.rows) for held in self._held]) - 1
        too_late_s = np.max(times_s[lasts] - [held.arrival_s for held in self._held])
        times_s = times_s - max(too_late_s, 0.0) - self._keys.latency_s  # nothing comes before its time
        first = 0
        for held in self._held:
            until = first + len(held.rows)
            samples = np.array(held.rows, self._info.dtype)
            tally = Tally(corrupt=held.corrupt, reopened=self._reopened)
            self._ready.append(
                Chunk(self._info.name, times_s[first:until], samples, held.arrival_s, tally=tally)
            )
            first = until
        self._held.clear()

    def _check_silence(self, now_s: float) -> None:
        if now_s - self._heard_s < SILENT_S:
            return
        self._was_lost = True
        self._link.close()
        raise DeviceTimeout(
            f"instrument {self._keys.name!r}: no sample on {self._keys.port} for {SILENT_S:.0f} s "
            f"({self._parser.corrupt} lines were of another form); check 'baud' ({self._keys.baud}) and "
            f"'channels' ({len(self._info.channels)}), and that the board runs PhysioKit's sketch"
        )
