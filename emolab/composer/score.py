"""What a piece is before it sounds: notes on tracks.

Times in seconds, pitches in MIDI numbers (60 is middle C; fractions are cents), force 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """One note. `held_s` is how long the key is down; what rings on is the instrument's matter."""

    onset_s: float
    held_s: float
    pitch: float
    force: float


@dataclass(frozen=True)
class Track:
    """The notes of one instrument. `pan` −1 left to 1 right; `room` is the share that goes to the reverb."""

    voice: str
    level: float
    pan: float
    room: float
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Score:
    """A whole piece, with what an analyst may want to know of it."""

    seconds: float
    tempo_bpm: float
    tonic: int
    mode: str
    echo_s: float
    tracks: tuple[Track, ...]
