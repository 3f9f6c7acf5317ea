"""emolab's own board: one to eight channels of 10 to 24 bit with counter, clock and checksum.

    [[instrument]]
    kind = "emolab_board"
    name = "board"
    port = "/dev/ttyACM0"          # or COM3, socket://host:port, rfc2217://host:port
    channels = ["gsr", "respiration", "ppg_finger", "ppg_ear"]   # in the order of the sketch's PINS
    baud = 250000                  # this and the next are optional
    latency_s = 0.0                # a measured constant delay of capture to arrival, subtracted

    [instrument.scaling]           # value = raw * scale + offset; left out: counts
    gsr = { unit = "uS", scale = -0.054, offset = 27.65 }   # negative where counts fall (Grove GSR)

Bits, rate and firmware come from the board.

Wiring
    An Arduino-compatible board with the sketch `packaging/firmware/emolab_board/emolab_board.ino`.
    Sensors are powered from the board's 5 V (3.3 V on a 3.3 V board) and GND; signals go to
        A0  skin conductance            gsr
        A1  respiration belt            respiration
        A2  pulse at the finger         ppg_finger
        A3  pulse at the ear lobe       ppg_ear
    More channels: lengthen `PINS` in the sketch. The board hangs on USB. Participants must be
    isolated from the mains: run the computer on battery or put an isolator of medical grade between.

Bytes (all numbers little-endian, lowest byte first)
    250000 baud (exact on a 16 MHz board), 8 data bits, no parity, 1 stop bit. Each frame is a body
    and its CRC, COBS-encoded (Cheshire, Baker 1999), so that the byte 00 occurs nowhere in it, and
    closed by one 00. Empty frames are allowed; a board that starts sends one first.
        CRC-16/CCITT-FALSE of the body: polynomial 1021, start FFFF ("123456789" gives 29B1)
    Hello, the first frame after a reset and then once a second:
        0      48 'H'
        1      protocol version, 1
        2, 3   firmware version, major and minor
        4      channels n, 1 to 8
        5      bits b of a value, 10 to 24
        6-9    nominal rate in millihertz, unsigned
        10,11  CRC
    Sample, at every tick of the board's clock:
        0      53 'S'
        1-2    counter, unsigned 16 bit, one more at each tick, also at ticks that had to be left out
        3-6    the board's microseconds at the capture, unsigned 32 bit (they go round in 71.6 min)
        7-     n values, each unsigned in w bytes: w = 2 up to 16 bit, 3 above
        7+nw   CRC, 2 bytes
    Example: counter 1, 4096 us, one 10-bit value 513: body 53 01 00 00 10 00 00 01 02,
    CRC 69EB, on the wire 03 53 01 01 02 10 01 05 01 02 EB 69 00.

What is counted, exactly
    `corrupt`: runs of bytes between two zeros that are no frame: COBS or CRC wrong, a body of an
    unknown type or length, a value beyond b bits. What precedes the first zero after opening is not.
    `lost`: ticks between the first and the last sample kept whose sample was not kept, by the
    counter; how often it went round meanwhile is told by the clock. A damaged sample is thus
    one corrupt frame and one lost sample; a damaged hello is only the former.
    `duplicated`: good samples at most 64 ticks behind the newest one, or equal to it: left out.
    `reopened`: the port came back, or the board reset in mid-session: counter and clock no longer
    go together. How much a reset lost nobody knows: `lost` stays, the counter goes on by one, and
    the device clock goes on from the next multiple of 2**32, so that the raw value stays readable.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import serial
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from emolab.core.clock import Clock
from emolab.core.errors import DeviceError, DeviceTimeout
from emolab.core.stream import Channel, Chunk, StreamInfo, Tally
from emolab.devices.channels import NamedChannel, Scaling, make_channels
from emolab.devices.config import InstrumentKeys, read_keys
from emolab.devices.framing import FrameParser, Hello, Sample
from emolab.devices.serial_link import SerialLink, check_port
from emolab.devices.stamps import Stamper

HELLO_S = 4.0  # an Uno's boot loader takes two seconds, then a hello comes at once
SILENT_S = 5.0


class EmolabBoardKeys(InstrumentKeys):
    """An `emolab_board` table of the device file."""

    port: str
    baud: int = Field(250_000, gt=0)
    channels: list[str | NamedChannel] = Field(
        ["gsr", "respiration", "ppg_finger", "ppg_ear"], min_length=1, max_length=8
    )
    latency_s: float = Field(0.0, ge=0, le=1)
    scaling: dict[str, Scaling] = Field(default_factory=dict)

    _port = field_validator("port")(check_port)

    @model_validator(mode="after")
    def _channels_are_known(self) -> EmolabBoardKeys:
        self.made_channels()
        return self

    def made_channels(self) -> tuple[Channel, ...]:
        """The channels as a stream has them."""
        return make_channels(self.channels, self.scaling)


class EmolabBoard:
    """A board with emolab's sketch as a source of one stream."""

    def __init__(self, keys: EmolabBoardKeys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._link = SerialLink(keys.name, keys.port, keys.baud, clock)
        self._parser = FrameParser()
        self._stamper = Stamper(1e-6, is_sure=True, may_jump=False)
        self._hello: Hello | None = None
        self._waiting: deque[tuple[list[Sample], float]] = deque()  # came while `open` listened
        self._reopened = 0
        self._was_lost = False
        self._heard_s = 0.0
        self._info = self._describe(None)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], clock: Clock) -> EmolabBoard:
        """The source of an `emolab_board` table. Raises `ConfigError` naming the wrong key."""
        return cls(read_keys(config, EmolabBoardKeys), clock)

    @property
    def info(self) -> StreamInfo:
        return self._info

    def open(self) -> None:
        """Open the port and wait for the board's hello, at most four seconds.

        A board that was here before is known by its samples: one that does not boot when its port is
        opened may keep us waiting for its next hello for a second. If it is another one, `read` tells.

        Raises what `SerialLink.open` raises, `DeviceTimeout` when the board says nothing,
        `DeviceError` when it says something else, or has other channels than the device file.
        """
        if self._link.is_open:
            return
        self._link.open()
        self._parser.resync()
        self._waiting.clear()
        try:
            hello = self._await_board()
            self._check(hello)
        except DeviceError:
            self._link.close()
            raise
        self._reopened += self._was_lost
        self._was_lost = False
        self._hello = hello
        self._info = self._describe(hello)
        self._heard_s = self._clock.now_s()

    def read(self, timeout_s: float) -> Chunk | None:
        """The samples that arrived, None when none did.

        Raises `DeviceError` when the port has gone or another board answers, `DeviceTimeout` when
        no good sample has come for five seconds.
        """
        try:
            samples, arrival_s = self._next(timeout_s)
            if self._parser.hello != self._hello and self._parser.hello is not None:
                self._check(self._parser.hello)
        except DeviceError:
            self._lose()
            raise
        if samples:
            self._heard_s = arrival_s
            return self._chunk(samples, arrival_s)
        if arrival_s - self._heard_s >= SILENT_S:
            self._lose()
            raise DeviceTimeout(
                f"instrument {self._keys.name!r}: no sample on {self._keys.port} for {SILENT_S:.0f} s "
                f"({self._parser.corrupt} damaged frames so far); check the cable, then press its reset"
            )
        return None

    def close(self) -> None:
        """Close the port."""
        self._link.close()

    def _lose(self) -> None:
        self._was_lost = True
        self._link.close()

    def _next(self, timeout_s: float) -> tuple[list[Sample], float]:
        if self._waiting:
            return self._waiting.popleft()
        data, arrival_s = self._link.read(timeout_s)
        return self._parser.feed(data), arrival_s

    def _await_board(self) -> Hello:
        """Listen until a hello has come, or a sample of the board of before; samples are kept for `read`."""
        heard, ends_s, before = 0, self._clock.now_s() + HELLO_S, self._parser.hellos
        while self._clock.now_s() < ends_s:
            data, arrival_s = self._link.read(0.1)
            heard += len(data)
            samples = self._parser.feed(data)
            if samples:
                self._waiting.append((samples, arrival_s))
            is_known = self._hello is not None and self._parser.hello == self._hello
            if self._parser.hello is not None and (self._parser.hellos > before or (samples and is_known)):
                return self._parser.hello
        start = f"instrument {self._keys.name!r}: {self._keys.port} "
        if heard:
            raise DeviceError(
                f"{start}sends {heard} bytes but no hello of an emolab board; check 'baud' "
                f"({self._keys.baud}) and load packaging/firmware/emolab_board onto the board"
            )
        raise DeviceTimeout(
            f"{start}opened but nothing came for {HELLO_S:.0f} s; press the board's reset, "
            "or load packaging/firmware/emolab_board onto it"
        )

    def _check(self, hello: Hello) -> None:
        """Raise `DeviceError` when the board is not the one of the device file, or of this session."""
        start = f"instrument {self._keys.name!r}: the board on {self._keys.port} sends "
        if hello.channels != len(self._info.channels):
            raise DeviceError(
                f"{start}{hello.channels} channels, but 'channels' names {len(self._info.channels)}; "
                "name each one, in the order of the sketch's PINS"
            )
        if self._hello is not None and (hello.bits, hello.rate_hz) != (self._hello.bits, self._hello.rate_hz):
            raise DeviceError(
                f"{start}{hello.bits} bit at {hello.rate_hz:g} Hz, but {self._hello.bits} bit at "
                f"{self._hello.rate_hz:g} Hz before; put the first board back, or start anew with this one"
            )

    def _chunk(self, samples: Sequence[Sample], arrival_s: float) -> Chunk:
        device_us = np.array([sample.device_us for sample in samples], np.int64)
        parser = self._parser
        reopened = self._reopened + parser.restarts
        return Chunk(
            stream=self._info.name,
            times_s=self._times(samples, device_us, arrival_s) - self._keys.latency_s,
            samples=np.array([sample.values for sample in samples], self._info.dtype),
            arrival_s=arrival_s,
            counter=np.array([sample.counter for sample in samples], np.int64),
            device_us=device_us,
            tally=Tally(parser.lost, parser.corrupt, parser.duplicated, reopened),
        )

    def _times(
        self, samples: Sequence[Sample], device_us: NDArray[np.int64], arrival_s: float
    ) -> NDArray[np.float64]:
        """The device clock as session time; a board that began anew has a clock of its own."""
        starts = [at for at, sample in enumerate(samples) if sample.is_first]
        pieces = []
        for left, right in zip([0, *starts], [*starts, len(samples)], strict=True):
            if left in starts:
                self._stamper.restart()
            if right > left:
                pieces.append(self._stamper.stamp(device_us[left:right], arrival_s))
        return np.concatenate(pieces)

    def _describe(self, hello: Hello | None) -> StreamInfo:
        """The stream, complete once the board has said hello."""
        channels = self._keys.made_channels()
        facts: dict[str, Any] = {
            "model": "emolab_board",
            "port": self._keys.port,
            "baud": self._keys.baud,
            "latency_s": self._keys.latency_s,
            "stamped_by": "arrival",
            "pyserial": serial.__version__,
        }
        if hello is not None:
            facts |= {"firmware": "{}.{}".format(*hello.firmware), "bits": hello.bits}
        return StreamInfo(
            name=self._keys.name,
            channels=channels,
            nominal_rate_hz=None if hello is None else hello.rate_hz,
            dtype="uint16" if hello is None or hello.width == 2 else "uint32",
            sample_shape=(len(channels),),
            instrument=facts,
        )
