"""The instruments: a frequency, a length and a force in, a mono waveform out.

    Tone      a string, reed, pipe, pad or bass: one closed formula for all harmonics whose
              brightness follows the note (discrete summation, Moorer 1976, JAES 24:717)
    Struck    a bell, bar or skin: a few inharmonic partials, each dying at its own speed
    Keys      an electric piano: two-operator frequency modulation (Chowning 1973, JAES 21:526)
    Hit       a drum: a falling sine, noise, or both

All have about the same loudness for the same force. To add one more: a line in `VOICES`, by ear.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emolab.composer.exact import Wave, cosine, decay, ease, noise, power, sine, smooth

_TOP_HZ = 19_000.0  # no harmonic above this, or it would fold back


@dataclass(frozen=True)
class Tone:
    """A harmonic sound: `bright` is the ratio of each harmonic to the one below, at full force.

    Seconds for `attack_s`, `release_s`, `fall_s` (time constant of the decay; 0 holds the note) and
    `dull_s` (time constant with which brightness falls to `dull` of itself). `spread_cents`: the copies
    of a section stand this far apart. `odd`: odd harmonics only. `breath`, `drive`: noise, distortion.
    """

    bright: float
    attack_s: float
    release_s: float
    fall_s: float = 0.0
    dull_s: float = 0.0
    dull: float = 1.0
    copies: int = 1
    spread_cents: float = 0.0
    vibrato_hz: float = 0.0
    vibrato_cents: float = 0.0
    tremolo_hz: float = 0.0
    tremolo: float = 0.0
    odd: bool = False
    breath: float = 0.0
    drive: float = 0.0

    def play(self, frequency_hz: float, held: int, force: float, rate_hz: int) -> Wave:
        n = held + round(self.release_s * rate_hz)
        wave = np.zeros(n, np.float32)
        ratio = self._brightness(n, frequency_hz, force, rate_hz)
        for copy in range(self.copies):
            cents = self.spread_cents * (copy - (self.copies - 1) / 2)
            wave += self._harmonics(n, frequency_hz * power(2.0, cents / 1200.0), copy, ratio, rate_hz)
        wave *= np.float32(1.0 / float(np.sqrt(float(self.copies))))
        if self.breath:
            air = noise(n, 7919 + held)
            wave += np.float32(self.breath) * (air - smooth(air, 12))
        if self.drive:
            wave *= np.float32(1.0 + self.drive * force)
            wave /= np.abs(wave) + np.float32(1.0)
        return wave * self._envelope(n, held, frequency_hz, rate_hz)

    def _brightness(self, n: int, frequency_hz: float, force: float, rate_hz: int) -> Wave:
        ceiling = power(10.0, -2.6 * frequency_hz / _TOP_HZ)
        start = min(self.bright * (0.7 + 0.3 * force), ceiling)
        if not self.dull_s:
            return np.full(n, start, np.float32)
        curve = decay(n, self.dull_s * rate_hz)
        curve *= np.float32(start * (1.0 - self.dull))
        curve += np.float32(start * self.dull)
        return curve

    def _harmonics(self, n: int, frequency_hz: float, copy: int, ratio: Wave, rate_hz: int) -> Wave:
        turns = np.arange(n) * (frequency_hz / rate_hz) + 0.37 * copy
        if self.vibrato_cents:
            # the integral of the vibrato; it comes in after the attack, as players do it
            swing = (
                (power(2.0, self.vibrato_cents / 1200.0) - 1.0) * frequency_hz / (6.2832 * self.vibrato_hz)
            )
            speed = self.vibrato_hz * (1.0 + 0.07 * copy)
            onset = np.minimum(np.arange(n) * (1.0 / (0.4 * rate_hz)), 1.0)
            turns += swing * onset * cosine(np.arange(n) * (speed / rate_hz) + 0.25 * copy)
        steps = cosine(turns * 2.0 if self.odd else turns)
        wave = sine(turns)
        square = ratio * ratio
        wave *= np.sqrt(np.float32(1.0) - square)
        if self.odd:
            wave *= np.float32(1.0) + ratio
        steps *= ratio
        steps *= np.float32(-2.0)
        steps += square
        steps += np.float32(1.0)
        wave /= steps
        return wave

    def _envelope(self, n: int, held: int, frequency_hz: float, rate_hz: int) -> Wave:
        if self.fall_s:
            # high strings ring shorter than low ones
            tau_s = self.fall_s * float(np.sqrt(min(max(220.0 / frequency_hz, 0.25), 4.0)))
            shape = decay(n, tau_s * rate_hz)
        else:
            shape = np.ones(n, np.float32)
        rise = min(round(self.attack_s * rate_hz), n)
        shape[:rise] *= ease(rise)
        tail = n - held
        shape[held:] *= ease(tail)[::-1]
        if self.tremolo:
            swell = cosine(np.arange(n) * (self.tremolo_hz / rate_hz))
            shape *= np.float32(1.0 - 0.5 * self.tremolo) + np.float32(0.5 * self.tremolo) * swell
        return shape


@dataclass(frozen=True)
class Struck:
    """Partials at `ratios` of the frequency, of `gains`, dying with time constants `falls_s`."""

    ratios: tuple[float, ...]
    gains: tuple[float, ...]
    falls_s: tuple[float, ...]
    attack_s: float = 0.002
    beat_hz: float = 0.0

    def play(self, frequency_hz: float, held: int, force: float, rate_hz: int) -> Wave:
        n = min(max(held, round(0.3 * rate_hz)) + round(3.0 * max(self.falls_s) * rate_hz), 8 * rate_hz)
        wave = np.zeros(n, np.float32)
        clock = np.arange(n)
        for index, (ratio, gain, fall_s) in enumerate(
            zip(self.ratios, self.gains, self.falls_s, strict=True)
        ):
            partial_hz = frequency_hz * ratio
            if partial_hz > _TOP_HZ:
                continue
            gain *= 1.0 if index == 0 else 0.5 + 0.5 * force
            part = sine(clock * (partial_hz / rate_hz))
            if self.beat_hz:
                part += sine(clock * ((partial_hz + self.beat_hz * (1 + index)) / rate_hz))
            part *= decay(n, fall_s * rate_hz)
            part *= np.float32(gain)
            wave += part
        rise = round(self.attack_s * rate_hz)
        wave[:rise] *= ease(rise)
        end = min(round(0.05 * rate_hz), n)
        wave[n - end :] *= ease(end)[::-1]
        return wave


@dataclass(frozen=True)
class Keys:
    """A carrier modulated by its own frequency and, for the tine, by a high multiple of it."""

    index: float
    tine: float
    fall_s: float
    release_s: float

    def play(self, frequency_hz: float, held: int, force: float, rate_hz: int) -> Wave:
        n = held + round(self.release_s * rate_hz)
        turns = np.arange(n) * (frequency_hz / rate_hz)
        bend = sine(turns) * decay(n, 0.5 * self.fall_s * rate_hz)
        bend *= np.float32(self.index * (0.4 + 0.6 * force))
        if frequency_hz * 14.0 < _TOP_HZ:
            bend += sine(turns * 14.0) * decay(n, 0.06 * rate_hz) * np.float32(self.tine * force)
        wave = sine(turns + bend * np.float32(0.15915494))
        wave *= decay(n, self.fall_s * rate_hz)
        rise = round(0.002 * rate_hz)
        wave[:rise] *= ease(rise)
        wave[held:] *= ease(n - held)[::-1]
        return wave


@dataclass(frozen=True)
class Hit:
    """A drum: `tone` of a sine falling from `drop` times the frequency to it, `grit` of noise.

    `coarse`: samples averaged in the noise, more is duller; negative keeps the highs only.
    """

    tone: float
    grit: float
    tone_fall_s: float
    grit_fall_s: float
    drop: float = 1.0
    coarse: int = 1
    attack_s: float = 0.001

    def play(self, frequency_hz: float, held: int, force: float, rate_hz: int) -> Wave:
        n = round((5.0 * max(self.tone_fall_s, self.grit_fall_s) + self.attack_s) * rate_hz)
        wave = np.zeros(n, np.float32)
        if self.tone:
            bend_s = 0.035
            # turns of a frequency that falls exponentially: f·t + f·(drop − 1)·τ·(1 − exp(−t/τ))
            fallen = 1.0 - decay(n, bend_s * rate_hz).astype(np.float64)
            turns = (
                np.arange(n) * (frequency_hz / rate_hz) + frequency_hz * (self.drop - 1.0) * bend_s * fallen
            )
            wave += sine(turns) * decay(n, self.tone_fall_s * rate_hz) * np.float32(self.tone)
        if self.grit:
            air = noise(n, 104729 + round(frequency_hz))
            air = air - smooth(air, -self.coarse) if self.coarse < 0 else smooth(air, self.coarse)
            loudness = self.grit * (0.4 + 0.6 * force) * float(np.sqrt(float(max(self.coarse, 1))))
            wave += air * decay(n, self.grit_fall_s * rate_hz) * np.float32(loudness)
        rise = round(self.attack_s * rate_hz)
        wave[:rise] *= ease(rise)
        return wave


Voice = Tone | Struck | Keys | Hit

VOICES: dict[str, Voice] = {
    "piano": Tone(0.74, 0.003, 0.25, fall_s=1.1, dull_s=0.35, dull=0.45, copies=2, spread_cents=2.0),
    "felt": Tone(0.42, 0.008, 0.6, fall_s=1.6, dull_s=0.4, dull=0.4, copies=2, spread_cents=2.5),
    "harp": Tone(0.62, 0.002, 1.2, fall_s=0.9, dull_s=0.25, dull=0.35),
    "guitar": Tone(0.78, 0.002, 0.3, fall_s=0.8, dull_s=0.2, dull=0.5),
    "pizzicato": Tone(0.7, 0.003, 0.12, fall_s=0.16, dull_s=0.08, dull=0.4, copies=2, spread_cents=6.0),
    "bass": Tone(0.55, 0.006, 0.12, fall_s=0.9, dull_s=0.3, dull=0.5),
    "bow_bass": Tone(0.72, 0.09, 0.25, copies=2, spread_cents=5.0),
    "cello": Tone(0.7, 0.14, 0.35, copies=2, spread_cents=4.0, vibrato_hz=4.6, vibrato_cents=14.0),
    "violin": Tone(0.76, 0.07, 0.22, copies=2, spread_cents=5.0, vibrato_hz=5.8, vibrato_cents=18.0),
    "strings": Tone(0.7, 0.22, 0.5, copies=3, spread_cents=8.0),
    "marcato": Tone(0.84, 0.015, 0.1, copies=3, spread_cents=9.0),
    "tremolo": Tone(0.74, 0.1, 0.25, copies=2, spread_cents=14.0, tremolo_hz=13.0, tremolo=0.85),
    "shiver": Tone(0.6, 0.25, 0.5, copies=2, spread_cents=22.0, vibrato_hz=7.5, vibrato_cents=30.0),
    "pad": Tone(0.4, 0.7, 1.2, copies=3, spread_cents=9.0),
    "glass_pad": Tone(0.28, 0.9, 1.5, copies=2, spread_cents=6.0, tremolo_hz=0.35, tremolo=0.3),
    "flute": Tone(0.2, 0.06, 0.16, breath=0.03, vibrato_hz=5.2, vibrato_cents=12.0),
    "clarinet": Tone(0.62, 0.04, 0.12, odd=True),
    "oboe": Tone(0.82, 0.04, 0.12, vibrato_hz=5.4, vibrato_cents=10.0),
    "horn": Tone(0.55, 0.07, 0.2, copies=2, spread_cents=3.0),
    "brass": Tone(0.83, 0.03, 0.12, copies=3, spread_cents=6.0),
    "lead": Tone(0.8, 0.01, 0.08, copies=2, spread_cents=12.0, drive=2.5, vibrato_hz=6.2, vibrato_cents=20.0),
    "grind": Tone(0.86, 0.008, 0.06, copies=2, spread_cents=18.0, drive=5.0),
    "growl": Tone(0.8, 0.12, 0.4, copies=3, spread_cents=34.0, drive=1.5),
    "synth": Tone(0.72, 0.006, 0.1, fall_s=0.5, dull_s=0.12, dull=0.4, copies=2, spread_cents=10.0),
    "e_piano": Keys(1.6, 0.5, 1.3, 0.25),
    "soft_keys": Keys(0.7, 0.12, 1.9, 0.6),
    "bell": Struck(
        (0.5, 1.0, 1.19, 1.5, 2.0, 2.74), (0.3, 0.7, 0.35, 0.2, 0.4, 0.2), (2.0, 1.6, 1.0, 0.8, 0.7, 0.4)
    ),
    "celesta": Struck((1.0, 2.0, 4.0, 6.3), (0.9, 0.3, 0.16, 0.06), (0.7, 0.4, 0.2, 0.1)),
    "glockenspiel": Struck((1.0, 2.76, 5.4), (0.9, 0.3, 0.15), (0.8, 0.35, 0.12)),
    "marimba": Struck((1.0, 3.93, 9.2), (1.1, 0.3, 0.1), (0.28, 0.08, 0.03)),
    "kalimba": Struck((1.0, 2.0, 5.6), (1.0, 0.2, 0.12), (0.55, 0.2, 0.06)),
    "bowed_metal": Struck((1.0, 1.47, 2.09, 2.56), (0.45, 0.35, 0.3, 0.2), (1.6, 1.3, 1.0, 0.8), 0.5, 1.3),
    "timpani": Struck((1.0, 1.5, 1.98, 2.44), (1.2, 0.6, 0.35, 0.2), (0.5, 0.35, 0.25, 0.2)),
    "kick": Hit(1.5, 0.15, 0.11, 0.012, drop=4.0, coarse=6),
    "heart": Hit(1.5, 0.0, 0.09, 0.01, drop=1.6, attack_s=0.006),
    "tom": Hit(1.2, 0.15, 0.2, 0.03, drop=1.8, coarse=8),
    "snare": Hit(0.6, 0.9, 0.07, 0.09, drop=1.5, coarse=2),
    "clap": Hit(0.0, 1.6, 0.01, 0.07, coarse=3),
    "hat": Hit(0.0, 1.2, 0.01, 0.025, coarse=-4),
    "shaker": Hit(0.0, 1.6, 0.01, 0.04, coarse=-5, attack_s=0.015),
    "cymbal": Hit(0.0, 0.8, 0.01, 0.55, coarse=-6),
    "swell": Hit(0.0, 3.0, 0.01, 0.5, coarse=-8, attack_s=1.4),
    "wood": Hit(1.0, 0.2, 0.025, 0.008, coarse=2),
}
