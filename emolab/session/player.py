"""Play a clip so that its onset is known.

One output stream stays open for the whole session and plays silence between clips, so that a clip
starts at a sample whose number is known. PortAudio says when each buffer reaches the converter;
that stamp is the wall clock on Linux, so each callback stores the monotonic clock beside it and a
line through the last minute of (sample number, converter time) gives the onset. Single stamps
jitter by a millisecond, the line by hundredths. When the stamps leave the line together, sound was
late although no underrun was reported: that is told, and the line begins anew.

`SilentPlayer` is for sessions without ears: simulated ones that run faster than time.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emolab.core.clock import Clock, now_ns
from emolab.core.errors import ConfigError, DeviceError, DeviceNotFound

RATE_HZ = 48_000
LATENCY_S = 0.12  # lower gave gaps of 20 to 270 ms on a loaded machine
FIT_S = 60.0  # PulseAudio's stamps wander by milliseconds over some ten seconds
FRESH_S = 3.0  # and run to their place after the stream was opened
SETTLED_STAMPS = 10
SLIP_S = 1.0  # the newest stamps, judged by the line through the others
LEAST_SLIP_MS = 3.0
BELIEF_PPM = 100.0  # how far a card's crystal may be off
STAMP_NOISE_S = 2e-3
STALLED_AFTER_S = 1.5
TONE_HZ, TONE_S, TONE_LEVEL = 440.0, 1.0, 0.1


@dataclass(frozen=True)
class Onset:
    """When a clip reached the converter, session clock, and how sure we are (SD of the fit)."""

    time_s: float
    residual_ms: float


class Player(Protocol):
    """What the engine asks of a player. `prepare` may take a moment, `play` may not."""

    def prepare(self, path: Path, duration_s: float) -> None:
        """Load the first `duration_s` of a clip. Raises `ConfigError` when it cannot be played."""

    def play(self, path: Path, duration_s: float, requested_s: float) -> None:
        """Start the clip as soon as the converter can take it."""

    def onset(self) -> Onset | None:
        """The onset of the clip being played, once it is known."""

    def stop(self) -> None:
        """Silence, at once."""

    def tone(self) -> None:
        """A quiet second of 440 Hz, for the sound check."""

    def underruns(self) -> int:
        """How often the sound card ran dry since the player was made."""

    def slip_ms(self) -> float:
        """By how much the sound has slipped since this was last asked; 0 when it has not."""

    def is_settled(self) -> bool:
        """Whether the converter's stamps can be believed; for some seconds after opening they cannot."""

    def failure(self) -> str:
        """Why nothing is heard, with the remedy; empty when all is well."""

    def close(self) -> None:
        """Let go of the sound card. Idempotent."""


class SilentPlayer:
    """Plays nothing, at exactly the time asked for; still refuses a clip that could not be played."""

    def __init__(self) -> None:
        self._onset: Onset | None = None
        self._sound: set[tuple[Path, float]] = set()

    def prepare(self, path: Path, duration_s: float) -> None:
        if (path, duration_s) not in self._sound:
            load_clip(path, duration_s)
            self._sound.add((path, duration_s))

    def play(self, path: Path, duration_s: float, requested_s: float) -> None:
        self.prepare(path, duration_s)
        self._onset = Onset(requested_s, 0.0)

    def onset(self) -> Onset | None:
        return self._onset

    def stop(self) -> None:
        self._onset = None

    def tone(self) -> None:
        pass

    def underruns(self) -> int:
        return 0

    def slip_ms(self) -> float:
        return 0.0

    def is_settled(self) -> bool:
        return True

    def failure(self) -> str:
        return ""

    def close(self) -> None:
        pass


class SoundPlayer:
    """Plays through the system's sound output. `device`: name or None for the system's default.

    Raises `DeviceNotFound` when there is no such output, with those there are.
    """

    def __init__(self, clock: Clock, device: str | int | None = None) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._loaded: dict[tuple[Path, float], NDArray[np.int16]] = {}
        self._clip: NDArray[np.int16] | None = None
        self._position = 0
        self._onset_frame: int | None = None
        self._known: Onset | None = None
        self._frame = 0
        self._stamps: deque[tuple[int, float]] = deque()
        self._underruns = 0
        self._is_settled = False
        self._called_ns = now_ns()
        self._stream = _open_stream(device, self._fill)
        self.latency_s = float(self._stream.latency)

    def prepare(self, path: Path, duration_s: float) -> None:
        key = (path, duration_s)
        if key not in self._loaded:
            samples = load_clip(path, duration_s)
            self._loaded = {**dict(list(self._loaded.items())[-1:]), key: samples}  # this one and the last

    def play(self, path: Path, duration_s: float, requested_s: float) -> None:
        self.prepare(path, duration_s)
        self._start(self._loaded[(path, duration_s)])

    def tone(self) -> None:
        times_s = np.arange(round(TONE_S * RATE_HZ)) / RATE_HZ
        envelope = np.minimum(1, np.minimum(times_s, TONE_S - times_s) / 0.02)
        wave = TONE_LEVEL * np.iinfo(np.int16).max * envelope * np.sin(2 * np.pi * TONE_HZ * times_s)
        self._start(np.repeat(wave.astype(np.int16)[:, None], 2, axis=1))

    def onset(self) -> Onset | None:
        with self._lock:
            frame, stamps = self._onset_frame, list(self._stamps)
        if frame is None or (self._known is not None and stamps and stamps[0][0] > frame):
            return self._known  # the line of that time is gone: what it said stands
        if len(stamps) < 3:
            return None
        frames, times_ns = np.array(stamps).T
        base_ns = times_ns[0]
        onset_s, residual_ms = fit_onset(frames, (times_ns - base_ns) * 1e-9, frame)
        self._known = Onset(self._clock.at(int(base_ns + onset_s * 1e9)), residual_ms)
        return self._known

    def slip_ms(self) -> float:
        with self._lock:
            stamps = list(self._stamps)
        frames, times_ns = np.array(stamps or [(0, 0)]).T
        new = frames > frames[-1] - SLIP_S * RATE_HZ
        if new.sum() < 5 or (~new).sum() < 50:
            return 0.0
        seconds = (times_ns - times_ns[0]) * 1e-9
        expected_s, _ = fit_onset(frames[~new], seconds[~new], frames[-1])
        late_s = seconds[new] - expected_s - (frames[new] - frames[-1]) / RATE_HZ
        slip_ms = float(np.median(late_s) * 1e3)
        if abs(slip_ms) < LEAST_SLIP_MS:
            return 0.0
        with self._lock:
            self._stamps = deque(stamp for stamp in self._stamps if stamp[0] >= frames[new][0])
        return slip_ms

    def stop(self) -> None:
        with self._lock:
            self._clip, self._onset_frame, self._known = None, None, None

    def underruns(self) -> int:
        return self._underruns

    def is_settled(self) -> bool:
        return self._is_settled and len(self._stamps) > SETTLED_STAMPS

    def failure(self) -> str:
        silent_s = (now_ns() - self._called_ns) * 1e-9
        if silent_s > STALLED_AFTER_S or not self._stream.active:
            return (
                "The sound output has stopped. Check the card and its cable; the session goes on when it is "
                "back. The clip it broke off can be repeated."
            )
        return ""

    def close(self) -> None:
        self._stream.close(ignore_errors=True)

    def _start(self, samples: NDArray[np.int16]) -> None:
        with self._lock:
            self._clip, self._position, self._onset_frame, self._known = samples, 0, None, None

    def _fill(self, out: NDArray[np.int16], frames: int, stamp: Any, status: Any) -> None:
        """Called by PortAudio's thread for each buffer: no allocation worth naming, no waiting."""
        called_ns = now_ns()
        until_dac_s = stamp.outputBufferDacTime - stamp.currentTime
        out.fill(0)
        with self._lock:
            if self._clip is not None:
                if self._onset_frame is None:
                    self._onset_frame = self._frame
                part = self._clip[self._position : self._position + frames]
                out[: len(part)] = part
                self._position += len(part)
            if status.output_underflow:
                self._underruns += 1
                self._stamps.clear()  # the line starts anew after a hole
            self._stamps.append((self._frame, called_ns + until_dac_s * 1e9))
            while self._stamps[0][1] < self._stamps[-1][1] - FIT_S * 1e9:
                self._stamps.popleft()
            if not self._is_settled and self._frame > FRESH_S * RATE_HZ:
                self._is_settled = True
                self._stamps.clear()
            self._frame += frames
        self._called_ns = called_ns


def fit_onset(frames: NDArray, seconds: NDArray, frame: int) -> tuple[float, float]:
    """Converter time of `frame` by a line through `(frames, seconds)`, and its residual SD in ms.

    The nominal rate is believed to `BELIEF_PPM` until a minute of stamps says better. Fitted again
    without the stamps further than three median deviations off: a single late callback must not
    move an onset.
    """
    counts = (frames - frame).astype(np.float64)
    late_s = seconds - counts / RATE_HZ
    keep = np.ones(len(counts), bool)
    belief = (STAMP_NOISE_S * RATE_HZ / (BELIEF_PPM * 1e-6)) ** 2
    for _ in range(2):
        middle, mean_s = counts[keep].mean(), late_s[keep].mean()
        spread = counts[keep] - middle
        slope_s = float(spread @ (late_s[keep] - mean_s)) / (float(spread @ spread) + belief)
        off_s = np.abs(late_s - mean_s - slope_s * (counts - middle))
        keep = off_s <= max(3 * float(np.median(off_s)), 1e-5)
    return float(mean_s - slope_s * middle), float(np.std(off_s[keep]) * 1e3)


def load_clip(path: Path, duration_s: float) -> NDArray[np.int16]:
    """The first `duration_s` of a clip: `(n, 2)` int16 at 48 kHz, its cut end faded over 50 ms.

    Raises `ConfigError` when the file is missing, damaged, shorter, or not at 48 kHz.
    """
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as file:
            rate_hz, length = file.samplerate, file.frames
            samples = file.read(round(duration_s * rate_hz), dtype="int16", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise ConfigError(
            f"clip {path} cannot be read ({error}); run 'emolab stimuli check' and 'emolab stimuli render'"
        ) from error
    if rate_hz != RATE_HZ or len(samples) < round(duration_s * rate_hz):
        raise ConfigError(
            f"clip {path} has {length / rate_hz:.3f} s at {rate_hz} Hz, the protocol plays {duration_s:g} s "
            f"at {RATE_HZ} Hz; run 'emolab stimuli check'"
        )
    if len(samples) < length:
        tail = np.linspace(1, 0, round(0.05 * rate_hz))[:, None]
        samples[-len(tail) :] = (samples[-len(tail) :] * tail).astype(np.int16)
    return np.repeat(samples, 2, axis=1) if samples.shape[1] == 1 else samples[:, :2]


def _open_stream(device: str | int | None, fill: Any) -> Any:
    try:
        import sounddevice
    except OSError as error:  # the wheel does not bring PortAudio on Linux
        raise DeviceNotFound(
            "sound needs the PortAudio library, which is missing; on Debian or Ubuntu: "
            "apt-get install libportaudio2 libasound2-plugins"
        ) from error
    try:
        stream = sounddevice.OutputStream(
            samplerate=RATE_HZ, channels=2, dtype="int16", latency=LATENCY_S, device=device, callback=fill
        )
        stream.start()
        return stream
    except (ValueError, sounddevice.PortAudioError) as error:
        try:
            names = [row["name"] for row in sounddevice.query_devices() if row["max_output_channels"]]
        except sounddevice.PortAudioError:
            names = []
        listed = ", ".join(names) or "none at all"
        what = f"sound output {device!r}" if device else "the system's sound output"
        kind = DeviceError if names else DeviceNotFound
        raise kind(
            f"{what} cannot be opened ({error}); outputs there are: {listed}; plug in a card or headphones"
        ) from error
