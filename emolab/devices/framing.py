"""The frames of `emolab_board` as a pure parser: bytes in, samples and counts out.

The bytes are specified in `emolab_board`; here they are checked, unwrapped and counted. Nothing
is opened, nothing waits.
"""

from __future__ import annotations

import binascii
import struct
from typing import NamedTuple

PROTOCOL = 1
SAMPLE, HELLO = 0x53, 0x48  # 'S', 'H'
LONGEST = 64  # encoded bytes; eight channels of three bytes make 34
REPEATS = 64  # a sample at most so far behind is a repeat, further behind a reset
_SAMPLE_HEAD = struct.Struct("<BHI")
_HELLO_BODY = struct.Struct("<BBBBBBI")


class Hello(NamedTuple):
    """What a board says of itself."""

    firmware: tuple[int, int]
    channels: int
    bits: int
    rate_hz: float

    @property
    def width(self) -> int:
        """Bytes a value takes."""
        return 2 if self.bits <= 16 else 3


class Sample(NamedTuple):
    """One row: counter and device clock unwrapped; `is_first` after the board began anew."""

    counter: int
    device_us: int
    values: tuple[int, ...]
    is_first: bool = False


def encode(body: bytes) -> bytes:
    """The frame of `body` as it goes over the wire: CRC appended, COBS, closing zero."""
    data = body + struct.pack("<H", crc16(body))
    blocks = bytearray()
    for run in data.split(b"\0"):
        while len(run) >= 254:
            blocks += b"\xff" + run[:254]
            run = run[254:]
        blocks += bytes([len(run) + 1]) + run
    return bytes(blocks) + b"\0"


def decode(frame: bytes) -> bytes | None:
    """The body of a frame without its closing zero; None when COBS or CRC are wrong."""
    data = bytearray()
    at = 0
    while at < len(frame):
        code = frame[at]
        run = frame[at + 1 : at + code]
        if code == 0 or len(run) != code - 1:
            return None
        data += run
        at += code
        if code < 255 and at < len(frame):
            data.append(0)
    body = bytes(data[:-2])
    if len(data) < 3 or struct.unpack("<H", data[-2:])[0] != crc16(body):
        return None
    return body


def crc16(data: bytes) -> int:
    """CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF, nothing reflected, nothing added."""
    return binascii.crc_hqx(data, 0xFFFF)


def encode_hello(hello: Hello) -> bytes:
    """A hello frame, for simulators and tests."""
    rate_mhz = round(hello.rate_hz * 1000)
    return encode(_HELLO_BODY.pack(HELLO, PROTOCOL, *hello.firmware, hello.channels, hello.bits, rate_mhz))


def encode_sample(counter: int, device_us: int, values: tuple[int, ...], width: int) -> bytes:
    """A sample frame, for simulators and tests; counter and clock wrap as the board's do."""
    head = _SAMPLE_HEAD.pack(SAMPLE, counter & 0xFFFF, device_us & 0xFFFFFFFF)
    return encode(head + b"".join(value.to_bytes(width, "little") for value in values))


class FrameParser:
    """Bytes in, samples out; the same samples and counts however the bytes are cut.

    `hello` is the newest description, `hellos` how many came. Samples before the first hello
    cannot be read and are neither kept nor counted. What `lost`, `corrupt`, `duplicated` and
    `restarts` count is defined in `emolab_board`.
    """

    def __init__(self) -> None:
        self.hello: Hello | None = None
        self.hellos = self.lost = self.corrupt = self.duplicated = self.restarts = 0
        self._tail = b""
        self._overflows = False
        self._is_synced = False
        # opening the port resets many boards: until a sample after a hello, beginning anew is no news
        self._may_restart, self._is_greeted = True, False
        self._period_us: float | None = None
        self._raw: tuple[int, int] | None = None
        self._counter = self._device_us = 0

    def resync(self) -> None:
        """The port was opened: what follows begins in mid-frame, and the board may have reset."""
        self._tail, self._overflows, self._is_synced = b"", False, False
        self._may_restart, self._is_greeted = True, False

    def feed(self, data: bytes) -> list[Sample]:
        """The samples that `data` completes."""
        samples: list[Sample] = []
        *frames, tail = (self._tail + data).split(b"\0")
        for frame in frames:
            is_synced, self._is_synced = self._is_synced, True
            overflows, self._overflows = self._overflows, False
            if not is_synced or not (frame or overflows):
                continue
            body = None if overflows or len(frame) > LONGEST else decode(frame)
            if body is None or not self._take(body, samples):
                self.corrupt += 1
        if len(tail) > LONGEST:
            self._overflows, tail = True, b""
        self._tail = tail
        return samples

    def _take(self, body: bytes, samples: list[Sample]) -> bool:
        """Act on a whole body; False when it is of no form we know."""
        if body[0] == HELLO and len(body) == _HELLO_BODY.size:
            _, protocol, major, minor, channels, bits, rate_mhz = _HELLO_BODY.unpack(body)
            if protocol != PROTOCOL or not 1 <= channels <= 8 or not 10 <= bits <= 24 or not rate_mhz:
                return False
            self.hello = Hello((major, minor), channels, bits, rate_mhz / 1000)
            self.hellos += 1
            self._is_greeted = True
            return True
        if body[0] != SAMPLE:
            return False
        if self.hello is None:
            return True
        width = self.hello.width
        if len(body) != _SAMPLE_HEAD.size + self.hello.channels * width:
            return False
        values = tuple(
            int.from_bytes(body[at : at + width], "little")
            for at in range(_SAMPLE_HEAD.size, len(body), width)
        )
        if max(values) >> self.hello.bits:
            return False
        _, counter, device_us = _SAMPLE_HEAD.unpack_from(body)
        sample = self._place(counter, device_us, values)
        if sample is not None:
            samples.append(sample)
        return True

    def _place(self, counter: int, device_us: int, values: tuple[int, ...]) -> Sample | None:
        """Put a sample after those before it: unwrapped and counted; None for a repeat."""
        is_first = False
        if self._raw is None:
            self._counter, self._device_us = counter, device_us
            is_first = True
        else:
            ahead = (counter - self._raw[0]) & 0xFFFF
            ahead_us = (device_us - self._raw[1]) & 0xFFFFFFFF
            if (-ahead & 0xFFFF) < REPEATS and (-ahead_us & 0xFFFFFFFF) < REPEATS * 2 * self._period():
                self.duplicated += 1
                return None
            steps = self._steps(ahead, ahead_us)
            if steps is None:
                self.restarts += not self._may_restart
                self._counter += 1
                self._device_us = (((self._device_us >> 32) + 1) << 32) + device_us
                is_first = True
            else:
                self.lost += steps - 1
                self._counter += steps
                self._device_us += ahead_us
                self._learn_period(steps, ahead_us)
        self._raw = (counter, device_us)
        self._may_restart = self._may_restart and not self._is_greeted
        return Sample(self._counter, self._device_us, values, is_first)

    def _steps(self, ahead: int, ahead_us: int) -> int | None:
        """Samples from the last to this one, or None when counter and clock cannot both have run on.

        The clock tells how often the counter went round, and whether the two still agree.
        """
        if ahead_us >> 31:
            return None
        by_clock = ahead_us / self._period()
        steps = ahead + 0x10000 * max(round((by_clock - ahead) / 0x10000), 0)
        if steps and abs(by_clock - steps) <= 16 + 0.02 * by_clock:
            return steps
        # a board that paused without counting; a reset would hardly land just there
        return ahead if 0 < ahead <= REPEATS else None

    def _period(self) -> float:
        assert self.hello is not None  # no sample is read before it
        return self._period_us or 1e6 / self.hello.rate_hz

    def _learn_period(self, steps: int, ahead_us: int) -> None:
        if self._period_us is None and steps == 1 and ahead_us:
            self._period_us = float(ahead_us)
        elif self._period_us is not None and 0 < ahead_us < 2 * steps * self._period_us:
            self._period_us += (ahead_us / steps - self._period_us) / 16
