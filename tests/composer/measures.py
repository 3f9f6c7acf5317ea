"""What listeners go by, measured on the notes of a score."""

from __future__ import annotations

from itertools import combinations, pairwise
from statistics import mean

import numpy as np

from emolab.composer import score as scores
from emolab.composer.voices import VOICES, Hit

# how rough an interval of so many semitones sounds, Hutchinson & Knopoff 1979 (rounded, folded to an octave)
ROUGHNESS = (0.0, 0.49, 0.27, 0.11, 0.08, 0.05, 0.12, 0.02, 0.10, 0.06, 0.11, 0.23)
# Krumhansl & Kessler 1982
MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


def pitched(score: scores.Score) -> list[scores.Note]:
    return [
        note for track in score.tracks if not isinstance(VOICES[track.voice], Hit) for note in track.notes
    ]


def onsets_per_second(score: scores.Score) -> float:
    """Notes struck together count once."""
    onsets = sorted(note.onset_s for track in score.tracks for note in track.notes)
    return sum(later - earlier > 0.03 for earlier, later in pairwise(onsets)) / score.seconds


def roughness(score: scores.Score) -> float:
    """Mean roughness of the intervals that sound together, sampled twenty times a second."""
    found = []
    for moment in np.arange(0.5, score.seconds - 1.0, 0.05):
        sounding = [round(n.pitch) for n in pitched(score) if n.onset_s <= moment < n.onset_s + n.held_s]
        found += [ROUGHNESS[abs(a - b) % 12] for a, b in combinations(sounding, 2) if a != b]
    return mean(found)


def majorness(score: scores.Score) -> float:
    """Correlation with the major key profile of the tonic less that with the minor one."""
    time_s = np.zeros(12)
    for note in pitched(score):
        time_s[(round(note.pitch) - score.tonic) % 12] += note.held_s
    return float(np.corrcoef(time_s, MAJOR)[0, 1] - np.corrcoef(time_s, MINOR)[0, 1])


def melody_pitch(score: scores.Score, part: int) -> float:
    return mean(note.pitch for note in score.tracks[part].notes)


def pitch_span(score: scores.Score) -> float:
    pitches = [note.pitch for note in pitched(score)]
    return max(pitches) - min(pitches)
