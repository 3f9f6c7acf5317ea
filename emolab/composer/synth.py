"""A score becomes sound: every note by its voice, panned, mixed, in its room.

The same score gives the same samples on every machine (see `exact`), at the sample rate asked for.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from emolab.composer.exact import Wave, pitch_hz
from emolab.composer.room import reverberate
from emolab.composer.score import Note, Score
from emolab.composer.voices import VOICES

_FORCES = 8  # notes differ in colour by eighths of the force, so that equal ones are made once
_HELD_STEP_S = 0.02


def mix(score: Score, rate_hz: int) -> NDArray[np.float64]:
    """The sound of a score, `(n, 2)`, not yet at any set loudness."""
    n = round(score.seconds * rate_hz)
    left, right = np.zeros(n, np.float32), np.zeros(n, np.float32)
    send = np.zeros(n, np.float32)

    @cache
    def sounded(voice: str, pitch: float, held: int, force: int) -> Wave:
        return VOICES[voice].play(pitch_hz(pitch), held, force / _FORCES, rate_hz)

    for track in score.tracks:
        mono = np.zeros(n, np.float32)
        for note in track.notes:
            first = round(note.onset_s * rate_hz)
            if not 0 <= first < n:
                continue
            wave = sounded(track.voice, note.pitch, _held_samples(note, rate_hz), _colour(note))[: n - first]
            mono[first : first + len(wave)] += wave * np.float32(note.force * note.force * track.level)
        # equal power: the two gains squared sum to one
        left += mono * np.float32(float(np.sqrt(0.5 * (1.0 - track.pan))))
        right += mono * np.float32(float(np.sqrt(0.5 * (1.0 + track.pan))))
        send += mono * np.float32(track.room)
    wet = reverberate(send, rate_hz, score.echo_s)
    return np.stack([left + wet[:, 0], right + wet[:, 1]], axis=1).astype(np.float64)


def _held_samples(note: Note, rate_hz: int) -> int:
    steps = max(round(note.held_s / _HELD_STEP_S), 2)
    return round(steps * _HELD_STEP_S * rate_hz)


def _colour(note: Note) -> int:
    return min(max(round(note.force * _FORCES), 1), _FORCES)
