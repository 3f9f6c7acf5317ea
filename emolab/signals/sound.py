"""Judge a microphone's last seconds: silent, clipped, humming."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from emolab.signals.finding import Finding, Level, Quality
from emolab.signals.measures import Array, line, longest_run, power_spectrum, rms

SILENT_DBFS = -96.3  # half a step of a 16-bit converter: a muted or missing microphone, no room is so quiet
CLIPPED_LOOK, CLIPPED_ACT = 1e-5, 1e-2  # of the samples; a knock on the table clips a few
CLIPPED_RUN = 3  # so many samples in a row at full scale are no accident
# a voice at arm's length is recorded at about −30 dBFS; hum 30 dB below it is heard between the words
HUM_DBFS = -60.0
HUM_SHARE = 0.5  # of all the power: hum is then the loudest thing in the room
HUM_ABOVE = 20.0  # each line over its neighbourhood, 13 dB
HARMONICS = 4  # transformers hum at twice the mains and its multiples
SEGMENT_S = 2.0


def judge_sound(samples: NDArray, rate_hz: float, name: str = "the microphone") -> Quality:
    """How good a window of sound is: `samples` `(n,)` or `(n, channels)`, whole numbers or ±1 floats.

    The loudest channel is judged. Less than half a second is judged as silent only when it is.
    """
    sound = full_scale(samples)
    return Quality.of((*_silence(sound, name), *_clipping(sound, name), *_hum(sound, rate_hz, name)))


def full_scale(samples: NDArray) -> Array:
    """The loudest channel, `(n,)`, where full scale is 1."""
    every = np.asarray(samples)
    every = every.reshape(len(every), -1)
    scale = float(np.iinfo(every.dtype).max) if every.dtype.kind in "iu" else 1.0
    sound = every.astype(np.float64) / scale
    loudest: Array = sound[:, int(np.argmax(np.mean(sound**2, axis=0)))] if len(sound) else sound.ravel()
    return loudest


def level_dbfs(sound: Array) -> float:
    """Mean level below full scale, −200 for digital silence."""
    level = rms(sound - sound.mean()) if len(sound) else 0.0
    return float(20 * np.log10(max(level, 1e-10)))


def _silence(sound: Array, name: str) -> Iterator[Finding]:
    level = level_dbfs(sound)
    if level < SILENT_DBFS:
        remedy = "Switch it on, unmute it in the system's sound settings, and check its cable."
        yield Finding("silent", "act", f"{name} delivers silence", remedy, level)


def _clipping(sound: Array, name: str) -> Iterator[Finding]:
    full = np.abs(sound) >= 1.0 - 1.5 / 32768.0
    share = float(np.mean(full)) if len(sound) else 0.0
    if share > CLIPPED_LOOK and longest_run(full) >= CLIPPED_RUN:
        level: Level = "act" if share > CLIPPED_ACT else "look"
        remedy = "Turn its gain down, or move it away."
        yield Finding("clipped", level, f"{name} is overdriven, {share:.2%} of the time", remedy, share)


def _hum(sound: Array, rate_hz: float, name: str) -> Iterator[Finding]:
    """The louder of 50 and 60 Hz with their harmonics, when it dominates the room."""
    size = int(SEGMENT_S * rate_hz)
    segments = [sound[at : at + size] for at in range(0, len(sound) - size + 1, size)]
    if not segments:
        return
    spectra = [power_spectrum(segment, rate_hz) for segment in segments]
    at_hz, power = spectra[0][0], np.mean([one for _, one in spectra], axis=0)
    hums = {}
    for mains_hz in (50.0, 60.0):
        lines = [line(at_hz, power, mains_hz * n, 1.0, 8.0) for n in range(1, HARMONICS + 1)]
        hums[mains_hz] = sum(mean_square for mean_square, above in lines if above > HUM_ABOVE)
    mains_hz = max(hums, key=lambda key: hums[key])
    level = 10 * np.log10(max(hums[mains_hz], 1e-20))
    if level > HUM_DBFS and hums[mains_hz] > HUM_SHARE * float(power.sum()):
        what = f"{name} hears {mains_hz:.0f} Hz hum at {level:.0f} dBFS"
        remedy = "Move it from adapters and lamps, or feed it from the same socket as the computer."
        yield Finding("hum", "look", what, remedy, float(level))
