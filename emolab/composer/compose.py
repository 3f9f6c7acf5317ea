"""A recipe becomes a score: the composing grammar.

Phrases of four bars: theme, answer, theme, cadence. A theme is a rhythm and a contour drawn once for
the piece; each return sets the same contour on the bar's own chord, chord tones on strong beats and scale
steps between. The last bar but one comes to the cadence, then the final chord rings out. Parts
repeat their figures on the same chords, voiced by the shortest way. Chance is seeded by the piece.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from emolab.composer.harmony import Chord, bar_scale, chord, ladder, nearest, voicing
from emolab.composer.recipe import Melody, Part, Recipe
from emolab.composer.score import Note, Score, Track

# how much of the clip may pass until the final chord; the rest is for it to ring
BODY_SHARES = (0.87, 0.95)
_FORM = (0, 1, 0, 2)  # theme, answer, theme, cadence
_PHRASE_HEIGHTS = (0.0, 1.5, 4.0, 1.0)  # semitones


@dataclass(frozen=True)
class _Step:
    """A sounded token of a figure: where it starts and ends in its bar (0..1)."""

    token: str
    start: float
    end: float
    accent: float
    certain: bool


@dataclass(frozen=True)
class _Plan:
    """A piece laid out in time: its chords bar by bar, and how bars become seconds."""

    recipe: Recipe
    seconds: float
    body_s: float
    harmonies: tuple[Chord, ...]

    @property
    def bars(self) -> int:
        return len(self.harmonies) - 1

    @property
    def tempo_bpm(self) -> float:
        return 60.0 * self.bars * self.recipe.beats / self.body_s

    def time_s(self, bar: float) -> float:
        x = bar / self.bars
        drift = self.recipe.drift
        return self.body_s * x * (1.0 + drift * x) / (1.0 + drift)

    def force(self, bar: float) -> float:
        x = min(bar / self.bars, 1.0)
        block = int(bar) % 4
        match self.recipe.shape:
            case "rise":
                return 0.68 + 0.32 * x
            case "fall":
                return 1.0 - 0.3 * x
            case "arch":
                return 0.72 + 1.12 * x * (1.0 - x)
            case "surge":
                return (0.5, 0.72, 0.95, 0.6)[block]
            case "terrace":
                return 0.78 if int(bar) // 2 % 2 == 0 else 1.0
            case _:
                return 0.9


def compose(recipe: Recipe, seed: int, seconds: float) -> Score:
    """The notes of a piece of `seconds`. The same recipe, seed and length give the same notes."""
    plan = _plan(recipe, seconds)
    tracks = [_accompany(plan, part, Random(1_000 * seed + index)) for index, part in enumerate(recipe.parts)]
    if recipe.melody is not None:
        tracks.extend(_sing(plan, recipe.melody, Random(1_000 * seed + 999)))
    return Score(seconds, plan.tempo_bpm, recipe.tonic, recipe.mode, recipe.echo_s, tuple(tracks))


def _plan(recipe: Recipe, seconds: float) -> _Plan:
    least_s, most_s = (share * seconds for share in BODY_SHARES)
    bar_s = 60.0 * recipe.beats / recipe.tempo_bpm
    bars = max(2 * round(0.5 * (least_s + most_s) / bar_s / 2.0), 2)
    body_s = min(max(bars * bar_s, least_s), most_s)
    given = [chord(numeral) for numeral in recipe.chords.split()]
    harmonies = (*(given[bar % len(given)] for bar in range(bars)), chord(recipe.final))
    return _Plan(recipe, seconds, body_s, harmonies)


def _steps(bar: str) -> list[_Step]:
    tokens = bar.split()
    steps: list[_Step] = []
    for index, token in enumerate(tokens):
        start, end = index / len(tokens), (index + 1) / len(tokens)
        if token == ".":
            continue
        if token == "-":
            if steps and steps[-1].end == start:
                steps[-1] = _Step(steps[-1].token, steps[-1].start, end, steps[-1].accent, steps[-1].certain)
            continue
        accent = 1.25 if "!" in token else 0.7 if "," in token else 1.0
        steps.append(_Step(token[0], start, end, accent, "?" not in token))
    return steps


def _note(plan: _Plan, bar: float, length: float, pitch: float, force: float, chance: Random) -> Note:
    """A note at a bar position, `length` in bars, as a player would place it."""
    start_s, end_s = plan.time_s(bar), plan.time_s(bar + length)
    # the sum of three even draws is bell-shaped enough, and needs no libm
    stray = (chance.random() + chance.random() + chance.random() - 1.5) * plan.recipe.loose_s
    touch = 0.94 + 0.12 * chance.random()
    return Note(max(start_s + stray, 0.0), end_s - start_s, pitch, min(force * plan.force(bar) * touch, 1.0))


def _accompany(plan: _Plan, part: Part, chance: Random) -> Track:
    figures = (part.figure,) if isinstance(part.figure, str) else part.figure
    tonic = plan.recipe.tonic
    notes: list[Note] = []
    voiced: tuple[int, ...] = ()
    for bar, harmony in enumerate(plan.harmonies):
        classes = harmony.classes(tonic)
        voiced = voicing(classes, part.register, voiced)
        is_final = bar == plan.bars
        place = bar / plan.bars
        if place < part.enters or (place >= part.leaves and part.leaves < 1.0):
            continue
        steps = _steps(figures[bar % len(figures)])
        if is_final:
            steps = [_Step(steps[0].token, 0.0, _final_length(plan), 1.1, True)] if steps else []
        for step in steps:
            if not step.certain and chance.random() < 0.5:
                continue
            length = (step.end - step.start) * (1.0 if is_final else part.gate)
            beat = 1.08 if step.start == 0.0 else 1.0
            for pitch in _pitches(step.token, voiced, classes, part.register):
                force = part.force * step.accent * beat
                notes.append(_note(plan, bar + step.start, length, pitch, force, chance))
    return Track(part.voice, part.level, part.pan, part.room, tuple(notes))


def _final_length(plan: _Plan) -> float:
    """The final chord is held until a second before the end, counted in bars."""
    bar_s = plan.time_s(plan.bars) - plan.time_s(plan.bars - 1)
    return max((plan.seconds - plan.body_s - 0.8) / bar_s, 0.25)


def _pitches(
    token: str, voiced: tuple[int, ...], classes: tuple[int, ...], register: float
) -> tuple[float, ...]:
    if token == "*":
        return voiced
    if token == "x":
        return (register,)
    if token.isdigit():
        octave, index = divmod(int(token), len(voiced))
        return (voiced[index] + 12 * octave,)
    root = nearest((classes[0],), register)
    if token == "o":
        return (root + 12,)
    return (root,) if token == "r" else (nearest((classes[min(2, len(classes) - 1)],), root + 5),)


def _sing(plan: _Plan, melody: Melody, chance: Random) -> list[Track]:
    contours = [_contour(len(_steps(rhythm)), melody, chance) for rhythm in melody.rhythms]
    first: list[Note] = []
    second: list[Note] = []
    at = melody.register
    for bar in range(int(melody.enters * plan.bars + 0.5), plan.bars + 1):
        harmony = plan.harmonies[bar]
        scale = bar_scale(plan.recipe.mode, plan.recipe.tonic, harmony)
        classes = harmony.classes(plan.recipe.tonic)
        motif = _FORM[bar % 4]
        steps, contour = _steps(melody.rhythms[motif]), contours[motif]
        if bar == plan.bars:
            steps, contour = [_Step("x", 0.0, _final_length(plan), 1.0, True)], [0]
            classes = (classes[0],) if melody.tilt <= 0 else classes
        # each phrase sets out from another height, the third from the furthest, as a period does
        home = melody.register + _PHRASE_HEIGHTS[bar // 4 % 4] * (-1.0 if melody.tilt < 0.0 else 1.0)
        at = home if bar % 4 == 0 else 0.85 * at + 0.15 * home
        for index, (step, move) in enumerate(zip(steps, contour, strict=True)):
            strong = index == 0 or (step.start * plan.recipe.beats) % 2 == 0 or bar % 4 == 3
            if bar == plan.bars or (index == 0 and bar % 4 == 0):
                at = nearest(classes, at)
            else:
                at = _moved(at, move, classes if strong else scale, scale, melody)
            off = melody.slide_cents / 100.0 * (2.0 * chance.random() - 1.0)
            length = (step.end - step.start) * (1.0 if bar == plan.bars else melody.gate)
            force = melody.force * step.accent * (1.06 if strong else 0.94)
            first.append(_note(plan, bar + step.start, length, round(at + off, 2), force, chance))
            if melody.second:
                other = _shifted(at, melody.second, scale)
                second.append(_note(plan, bar + step.start, length, other, 0.85 * force, chance))
    tracks = [Track(melody.voice, melody.level, melody.pan, melody.room, tuple(first))]
    if second:
        voice = melody.second_voice or melody.voice
        tracks.append(Track(voice, 0.8 * melody.level, -melody.pan, melody.room, tuple(second)))
    return tracks


def _contour(notes: int, melody: Melody, chance: Random) -> list[int]:
    """The move to each note from the one before, in scale steps: neighbours, and leaps that turn back."""
    moves: list[int] = []
    for _ in range(notes):
        if moves and abs(moves[-1]) > 2:
            moves.append(-1 if moves[-1] > 0 else 1)
            continue
        up = chance.random() < 0.5 + 0.35 * melody.tilt
        size = 2 + int(3.0 * chance.random()) if chance.random() < melody.leap else 1
        moves.append(size if up else -size)
    return moves


def _moved(at: float, move: int, allowed: tuple[int, ...], scale: tuple[int, ...], melody: Melody) -> int:
    """`move` scale steps from `at`, then on to an allowed pitch; turned back at the edges of the span."""
    reach = 1.7 * melody.span
    there = _shifted(at, move, scale)
    if abs(there - melody.register) > reach:
        move = -1 if there > melody.register else 1
        there = _shifted(at, move, scale)
    if there % 12 in allowed:
        return there
    beyond = ladder(allowed, there, there + 11) if move > 0 else ladder(allowed, there - 11, there)[::-1]
    return beyond[0]


def _shifted(at: float, move: int, scale: tuple[int, ...]) -> int:
    rungs = ladder(scale, round(at) - 24, round(at) + 24)
    here = min(range(len(rungs)), key=lambda index: (abs(rungs[index] - at), index))
    return rungs[min(max(here + move, 0), len(rungs) - 1)]
