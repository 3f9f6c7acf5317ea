"""Scales, chords by roman numeral, and voicings that move as little as they can."""

from __future__ import annotations

import re
from dataclasses import dataclass

from emolab.core.errors import ConfigError

MODES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "octatonic": (0, 1, 3, 4, 6, 7, 9, 10),
    "whole_tone": (0, 2, 4, 6, 8, 10),
}
_DEGREES = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}
_QUALITIES: dict[str, tuple[int, ...]] = {
    "o": (0, 3, 6),
    "o7": (0, 3, 6, 9),
    "+": (0, 4, 8),
    "5": (0, 7, 12),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "q": (0, 5, 10),
    "cl": (0, 1, 6),  # minor second under a tritone
    "cl4": (0, 1, 2, 6),
    "mM7": (0, 3, 7, 11),
    "b9": (0, 4, 10, 13),
}
_NUMERAL = re.compile(r"^([b#]?)(vii|vi|iv|v|iii|ii|i|VII|VI|IV|V|III|II|I)(.*)$")


@dataclass(frozen=True)
class Chord:
    """A chord: the root above the tonic in semitones, and its tones above the root."""

    root: int
    tones: tuple[int, ...]

    def classes(self, tonic: int) -> tuple[int, ...]:
        """Its pitch classes, root first."""
        return tuple((tonic + self.root + tone) % 12 for tone in self.tones)


def chord(numeral: str) -> Chord:
    """The chord of a roman numeral such as `bVI`, `V7` or `iio7`. Raises `ConfigError` for any other text."""
    found = _NUMERAL.match(numeral)
    if found is None:
        raise ConfigError(f"{numeral!r} is no chord; write a roman numeral such as i, bVI, V7 or iio7")
    sign, degree, quality = found.groups()
    root = (_DEGREES[degree.lower()] + {"": 0, "b": -1, "#": 1}[sign]) % 12
    triad = (0, 4, 7) if degree.isupper() else (0, 3, 7)
    extended = {"": triad, "7": (*triad, 10), "maj7": (*triad, 11), "6": (*triad, 9), "add9": (*triad, 14)}
    tones = extended.get(quality) or _QUALITIES.get(quality)
    if tones is None:
        known = ", ".join([*filter(None, extended), *_QUALITIES])
        raise ConfigError(f"the chord {numeral!r} ends in {quality!r}; the known endings are {known}")
    return Chord(root, tones)


def bar_scale(mode: str, tonic: int, harmony: Chord) -> tuple[int, ...]:
    """The mode's pitch classes, bent where the chord asks for a neighbouring one (a raised seventh)."""
    scale = {(tonic + step) % 12 for step in MODES[mode]}
    classes = harmony.classes(tonic)
    for wanted in classes:
        if wanted in scale:
            continue
        for near in ((wanted - 1) % 12, (wanted + 1) % 12):
            if near in scale and near not in classes:
                scale.remove(near)
                break
        scale.add(wanted)
    return tuple(sorted(scale))


def ladder(classes: tuple[int, ...], low: int, high: int) -> list[int]:
    """Every pitch of these classes from `low` to `high`, rising."""
    return [pitch for pitch in range(low, high + 1) if pitch % 12 in classes]


def nearest(classes: tuple[int, ...], pitch: float) -> int:
    """The pitch of these classes nearest to `pitch` (the lower of two as near)."""
    return min(
        ladder(classes, round(pitch) - 7, round(pitch) + 7), key=lambda each: (abs(each - pitch), each)
    )


def voicing(classes: tuple[int, ...], register: float, before: tuple[int, ...]) -> tuple[int, ...]:
    """The chord in close position about `register`, by the shortest way from the voicing `before`."""
    rungs = ladder(classes, round(register) - 12, round(register) + 12)
    size = len(set(classes))
    choices = [tuple(rungs[first : first + size]) for first in range(len(rungs) - size + 1)]

    def effort(choice: tuple[int, ...]) -> tuple[float, int]:
        away = abs(sum(choice) / size - register)
        moved = sum(min(abs(pitch - old) for old in before) for pitch in choice) if before else 0
        return (2.0 * away + moved, choice[0])

    return min(choices, key=effort)
