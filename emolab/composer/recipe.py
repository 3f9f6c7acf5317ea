"""What must be said of a piece so that the composer can write it out.

Bars are written in a small language, one token a step, the steps sharing the bar evenly:

    .   rest                 -   the note before goes on
    *   the whole chord      0…9 a tone of the chord from the lowest up (past its top: an octave on)
    r   the chord's root     f   its fifth             o  its root an octave up
    x   the part's own register as a pitch (drums, drones); in a melody: any note
    !   after a token: accent    ,  soft    ?  sounded only half the time

A figure of several bars is a tuple of such strings, used in turn. Chords are roman numerals against the
major scale of the tonic (`i iv V7 bVI iio7 Isus2`): capitals major, small letters minor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Shape = Literal["steady", "rise", "arch", "fall", "surge", "terrace"]


@dataclass(frozen=True)
class Part:
    """An accompanying instrument: the figure it repeats about the pitch `register`.

    `gate`: share of its step that a note is held (above 1 overlaps). `enters`, `leaves`: when, as
    shares of the piece.
    """

    voice: str
    figure: str | tuple[str, ...]
    register: float
    level: float = 0.3
    force: float = 0.6
    gate: float = 0.95
    pan: float = 0.0
    room: float = 0.25
    enters: float = 0.0
    leaves: float = 1.0


@dataclass(frozen=True)
class Melody:
    """The leading voice: three bar rhythms (theme, answer, cadence) that make phrases of four bars.

    `span`: furthest scale step from `register`. `tilt`: −1 falls, 1 rises. `leap`: chance that a
    step is a leap. `second`: a second voice so many scale steps away (0 none). `slide_cents`: notes
    off pitch by up to this.
    """

    voice: str
    rhythms: tuple[str, str, str]
    register: float
    span: int = 6
    tilt: float = 0.0
    leap: float = 0.2
    level: float = 0.6
    force: float = 0.7
    gate: float = 0.95
    pan: float = 0.1
    room: float = 0.3
    enters: float = 0.0
    second: int = 0
    second_voice: str = ""
    slide_cents: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """One piece. `tempo_bpm` is bent by a few percent so that whole phrases fill the clip.

    `drift`: share by which the tempo falls (negative: gains) towards the end. `loose_s`: how far
    players stray from the beat. `word`: the word of Table I that coloured it.
    """

    title: str
    word: str
    tonic: int
    mode: str
    tempo_bpm: float
    beats: int
    chords: str
    final: str
    melody: Melody | None
    parts: tuple[Part, ...]
    shape: Shape = "arch"
    echo_s: float = 1.6
    drift: float = 0.0
    loose_s: float = 0.008
