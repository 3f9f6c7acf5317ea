"""A microphone: one channel of sound through PortAudio.

    [[instrument]]
    kind = "microphone"
    name = "voice"
    device = "USB Audio"           # a name or part of it, or its number; left out: the system's
    rate_hz = 48000                # this and the next are optional
    latency_s = 0.1

Wiring. A wired microphone on its own USB plug, 30 cm from the mouth, away from the loudspeaker;
no Bluetooth (it resamples and hides its latency). Switch off automatic gain, noise suppression
and "enhancements" in the system's sound settings: they are made for calls and change the voice.

What comes. Chunks of 50 to 100 ms: `(n, 1)` int16, full scale 32768: what the converter gives,
at half the size of floats. Each callback carries the time its first sample was converted, on
PortAudio's own clock (often the wall clock); that clock is read beside the monotonic one in
every callback and converted by the difference just then, so a clock set in mid-session moves
nothing. `audio_clock` makes smooth sample times of it. The first three seconds or so are held back until
the stamps have settled, and then delivered at once, at the times these say. Samples the driver threw away
are estimated from the stamps and counted as lost.

PortAudio comes with sounddevice on Windows and macOS; on Linux it is a system library.
"""

from __future__ import annotations

import math
import queue
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from emolab.core.clock import Clock, now_ns
from emolab.core.errors import DeviceError, DeviceNotFound, DeviceTimeout, MissingExtra
from emolab.core.stream import Channel, Chunk, StreamInfo, Tally
from emolab.devices.audio_clock import AudioClock
from emolab.devices.config import InstrumentKeys, read_keys

CHUNK_S = 0.05
# PulseAudio's stamps begin up to half a second off, stay so while it waits for its first timing
# report (1.5 s at most), and then run to where they belong: they are good when 50 blocks agree
AGREED_S = 5e-3
AGREED_BLOCKS = 50
SETTLING_S = 10.0  # no longer than this are they waited for
START_TIMEOUT_S = 4.0  # PulseAudio may take two seconds to its first callback
SILENCE_TIMEOUT_S = 1.0  # without a callback
HELD_BLOCKS = 2000
READ_TOGETHER_NS = 1_000_000  # two clocks read further apart than this are not compared


@dataclass(frozen=True)
class SoundDevice:
    """One of PortAudio's devices. `inputs`, `outputs`: channels it has."""

    index: int
    name: str
    host: str
    inputs: int
    outputs: int
    rate_hz: float
    is_default_input: bool
    is_default_output: bool


def portaudio() -> Any:
    """The sounddevice module. Raises `MissingExtra` when PortAudio is not on this machine."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise MissingExtra(
            f"sound needs the PortAudio library ({error}); install it with "
            "'apt-get install libportaudio2' or 'brew install portaudio', then start emolab again"
        ) from error
    return sounddevice


def sound_devices() -> tuple[SoundDevice, ...]:
    """Every device PortAudio sees, found once at its start. Raises `MissingExtra` without PortAudio."""
    sounddevice = portaudio()
    hosts = [host["name"] for host in sounddevice.query_hostapis()]
    default_input, default_output = sounddevice.default.device
    if default_input < 0 or default_output < 0:
        for host in sounddevice.query_hostapis()[:1]:
            default_input, default_output = host["default_input_device"], host["default_output_device"]
    return tuple(
        SoundDevice(
            index,
            device["name"],
            hosts[device["hostapi"]],
            device["max_input_channels"],
            device["max_output_channels"],
            device["default_samplerate"],
            index == default_input,
            index == default_output,
        )
        for index, device in enumerate(sounddevice.query_devices())
    )


def choose_input(devices: tuple[SoundDevice, ...], wanted: int | str | None) -> SoundDevice | None:
    """The input meant by a number, a name (whole before part, case ignored) or None for the default."""
    inputs = [device for device in devices if device.inputs > 0]
    if wanted is None:
        return next((device for device in inputs if device.is_default_input), inputs[0] if inputs else None)
    if isinstance(wanted, int):
        return next((device for device in inputs if device.index == wanted), None)
    whole = [device for device in inputs if device.name.lower() == wanted.lower()]
    part = [device for device in inputs if wanted.lower() in device.name.lower()]
    return next(iter(whole + part), None)


class MicrophoneKeys(InstrumentKeys):
    """The keys of a `kind = "microphone"` table."""

    device: int | str | None = None
    rate_hz: int = Field(48000, ge=8000, le=192000)
    latency_s: float = Field(0.1, ge=0.01, le=1.0)


@dataclass(frozen=True)
class _Block:
    """What one callback brought. `stamp_ns`: monotonic time of its first sample."""

    samples: NDArray[np.int16]
    stamp_ns: int
    is_flagged: bool


class Microphone:
    """Sound of one microphone. Make it with `from_config`; used by one thread."""

    def __init__(self, keys: MicrophoneKeys, clock: Clock) -> None:
        self._keys = keys
        self._what = f'microphone "{keys.name}"'
        self._clock = clock
        self._stream: Any = None
        self._device: SoundDevice | None = None
        self._blocks: queue.Queue[_Block] = queue.Queue(HELD_BLOCKS)
        self._pending: list[_Block] = []
        self._times = AudioClock(keys.rate_hz)
        self._offset_ns: int | None = None
        self._heard_s = 0.0
        self._early: list[tuple[NDArray[np.int16], float]] = []
        self._is_settled = False
        self._newest_s = -math.inf
        self._lost_before = 0  # in earlier openings
        self._unread = 0
        self._openings = 0

    @classmethod
    def from_config(cls, config: Mapping[str, Any], clock: Clock) -> Microphone:
        """The microphone of one table. Raises `ConfigError` naming the key that is wrong."""
        return cls(read_keys(config, MicrophoneKeys), clock)

    @property
    def info(self) -> StreamInfo:
        """Complete after `open`; before it the device is only what was asked for."""
        instrument: dict[str, Any] = {
            "model": "PortAudio input",
            "asked_for": self._keys.device,
            "stamped_by": "driver",
        }
        if self._device is not None:
            instrument |= {
                "device": self._device.name,
                "host": self._device.host,
                "latency_s": float(self._stream.latency) if self._stream is not None else None,
                "portaudio": portaudio().get_portaudio_version()[1],
                "sounddevice": portaudio().__version__,
            }
        channel = Channel("sound", kind="audio", unit="full scale", scale=1 / 32768)
        return StreamInfo(self._keys.name, (channel,), float(self._keys.rate_hz), "int16", (1,), instrument)

    def open(self) -> None:
        """Start listening.

        Raises `DeviceNotFound` naming the inputs there are, `MissingExtra` without PortAudio,
        `DeviceError` when the device refuses.
        """
        self.close()
        sounddevice = portaudio()
        devices = sound_devices()
        self._device = choose_input(devices, self._keys.device)
        if self._device is None:
            raise DeviceNotFound(self._no_device(devices))
        self._blocks, self._pending = queue.Queue(HELD_BLOCKS), []
        self._lost_before += self._times.lost
        self._times = AudioClock(self._keys.rate_hz)
        self._offset_ns = None
        try:
            self._stream = sounddevice.InputStream(
                device=self._device.index,
                samplerate=self._keys.rate_hz,
                channels=1,
                dtype="int16",
                latency=self._keys.latency_s,
                callback=self._hear,
            )
            self._stream.start()
        except sounddevice.PortAudioError as error:
            self.close()
            raise DeviceError(
                f"{self._what}: {self._device.name} does not open at {self._keys.rate_hz} Hz ({error}); "
                "close other programs that use it, or choose another rate_hz or device, then Retry"
            ) from error
        self._openings += 1
        self._heard_s = time.monotonic()
        self._early, self._is_settled = [], False

    def read(self, timeout_s: float) -> Chunk | None:
        """50 ms of sound or more, waiting at most `timeout_s`; None while the stamps settle.

        Raises `DeviceTimeout` after a second without a callback, `DeviceError` when PortAudio
        has stopped the stream.
        """
        if self._stream is None:
            raise DeviceError(f"{self._what} is not open; open it before reading")
        blocks = self._gather(time.monotonic() + timeout_s)
        if not blocks:
            self._check_alive()
            return None
        samples = np.concatenate([block.samples for block in blocks])
        stamp_s = self._clock.at(_first_sample_ns(blocks, self._keys.rate_hz))
        if self._is_settled:
            times_s = self._times.see(len(samples), stamp_s, blocks[0].is_flagged)
        else:
            if blocks[0].is_flagged:  # what came before cannot be placed
                self._early.clear()
            self._early.append((samples, stamp_s))
            if not self._has_settled():
                return None
            times_s, samples = self._held_back()
            if not len(times_s):
                return None
        self._newest_s = float(times_s[-1])
        tally = Tally(lost=self._lost_before + self._times.lost + self._unread, reopened=self._openings - 1)
        return Chunk(self._keys.name, times_s, samples, self._clock.now_s(), tally=tally)

    @property
    def is_settling(self) -> bool:
        """Whether sound comes that is held back until its stamps agree."""
        return bool(self._early) and not self._is_settled

    def close(self) -> None:
        """Stop listening."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close(ignore_errors=True)

    def _gather(self, ends_s: float) -> list[_Block]:
        """Blocks for 50 ms, none before a loss and after it in one; empty when it takes too long."""
        while sum(len(block.samples) for block in self._pending) < CHUNK_S * self._keys.rate_hz:
            try:
                block = self._blocks.get(timeout=max(ends_s - time.monotonic(), 0))
            except queue.Empty:
                return []
            self._heard_s = time.monotonic()
            if block.is_flagged and self._pending:
                blocks, self._pending = self._pending, [block]
                return blocks
            self._pending.append(block)
        blocks, self._pending = self._pending, []
        return blocks

    def _has_settled(self) -> bool:
        """Whether the newest stamps agree, or were waited for long enough."""
        last = self._early[-AGREED_BLOCKS:]
        starts = np.cumsum([0] + [len(samples) for samples, _ in last[:-1]])
        deviations_s = np.array([stamp_s for _, stamp_s in last]) - starts / self._keys.rate_hz
        is_agreed = len(last) == AGREED_BLOCKS and float(np.ptp(deviations_s)) < AGREED_S
        self._is_settled = is_agreed or last[-1][1] - self._early[0][1] > SETTLING_S
        return self._is_settled

    def _held_back(self) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
        """Times and samples of all that came before the stamps had settled, by the line that those found."""
        early, self._early = self._early, []
        older = sum(len(samples) for samples, _ in early[:-AGREED_BLOCKS])
        agreed = [self._times.see(len(samples), stamp_s) for samples, stamp_s in early[-AGREED_BLOCKS:]]
        before_s = agreed[0][0] - np.arange(older, 0, -1) / self._times.rate_hz
        times_s = np.concatenate([before_s, *agreed])
        samples = np.concatenate([samples for samples, _ in early])
        is_new = times_s > self._newest_s  # what came before it went away has been delivered
        return times_s[is_new], samples[is_new]

    def _hear(self, indata: NDArray[np.int16], frames: int, times: Any, status: Any) -> None:
        """PortAudio's callback: convert the stamp, keep a copy, be gone."""
        stream = self._stream
        before_ns = now_ns()
        port_s = stream.time if stream is not None else times.currentTime
        after_ns = now_ns()
        if self._offset_ns is None or after_ns - before_ns < READ_TOGETHER_NS:
            self._offset_ns = (before_ns + after_ns) // 2 - int(port_s * 1e9)
        stamp_ns = int(times.inputBufferAdcTime * 1e9) + self._offset_ns
        # the monitor of a null sink hands sound over up to a block before it is due; further off
        # than that, the host does not know, and this is the best guess
        if not -500_000_000 < after_ns - stamp_ns < 5_000_000_000:
            stamp_ns = after_ns - int((frames / self._keys.rate_hz + self._keys.latency_s) * 1e9)
        try:
            self._blocks.put_nowait(_Block(indata.copy(), stamp_ns, bool(status.input_overflow)))
        except queue.Full:
            self._unread += frames

    def _check_alive(self) -> None:
        if not self._stream.active:
            raise DeviceError(f"{self._what} was taken away; plug it in again, then Retry")
        silence_s = time.monotonic() - self._heard_s
        if silence_s > (SILENCE_TIMEOUT_S if self._early or self._is_settled else START_TIMEOUT_S):
            raise DeviceTimeout(
                f"{self._what} has sent no sound for {silence_s:.1f} s; check its cable and the "
                "system's sound settings, then Retry"
            )

    def _no_device(self, devices: tuple[SoundDevice, ...]) -> str:
        there = ", ".join(f"{device.index} {device.name!r}" for device in devices if device.inputs > 0)
        wanted = "default input" if self._keys.device is None else f"device {self._keys.device!r}"
        return (
            f"{self._what}: there is no {wanted}; "
            f"the inputs there are: {there or 'none, so plug one in and start emolab again'}"
        )


def _first_sample_ns(blocks: list[_Block], rate_hz: int) -> int:
    """Monotonic time of the blocks' first sample, by the stamp of the longest.

    Under PulseAudio one waking brings a whole period and then a rest of a few samples; the rest
    is stamped some ten milliseconds early.
    """
    longest = max(range(len(blocks)), key=lambda i: len(blocks[i].samples))
    before = sum(len(block.samples) for block in blocks[:longest])
    return blocks[longest].stamp_ns - before * 1_000_000_000 // rate_hz
