from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from emolab.composer import catalogue, pieces
from emolab.composer.compose import compose
from emolab.composer.harmony import MODES
from emolab.composer.recipe import Melody, Part, Recipe
from emolab.composer.voices import VOICES

PLAIN = Recipe(
    "Plain",
    "calm",
    tonic=0,
    mode="major",
    tempo_bpm=120,
    beats=4,
    chords="I IV V I",
    final="I",
    melody=None,
    parts=(Part("piano", "r . * -", 60, gate=1.0),),
    shape="steady",
    loose_s=0.0,
)


def test_a_figure_is_played_as_it_is_written() -> None:
    score = compose(PLAIN, 1, 30.0)
    bar_s = 240.0 / score.tempo_bpm
    first_bar = [note for note in score.tracks[0].notes if note.onset_s < bar_s - 0.01]

    assert [note.onset_s / bar_s for note in first_bar] == pytest.approx([0.0, 0.5, 0.5, 0.5])
    assert [note.held_s / bar_s for note in first_bar] == pytest.approx([0.25, 0.5, 0.5, 0.5])
    assert first_bar[0].pitch % 12 == 0
    assert {note.pitch % 12 for note in first_bar[1:]} == {0, 4, 7}


def test_the_tempo_bends_only_a_little_so_that_whole_phrases_fit() -> None:
    for each in catalogue():
        recipe = pieces.recipe_of(each)
        score = compose(recipe, pieces.seed_of(each), 30.0)
        assert score.tempo_bpm == pytest.approx(recipe.tempo_bpm, rel=0.1), each.id


@pytest.mark.parametrize("seconds", [5.0, 12.0, 30.0, 60.0])
def test_a_piece_of_any_length_ends_on_its_final_chord(seconds: float) -> None:
    score = compose(PLAIN, 1, seconds)
    last = max(note.onset_s for note in score.tracks[0].notes)

    assert 0.8 * seconds < last < seconds
    assert {note.pitch % 12 for note in score.tracks[0].notes if note.onset_s == last} <= {0, 4, 7}


def test_the_same_seed_sings_the_same_and_another_does_not() -> None:
    sung = replace(PLAIN, melody=Melody("flute", ("x x x x", "x - x x", "x - - -"), 72))

    assert compose(sung, 4, 30.0) == compose(sung, 4, 30.0)
    assert compose(sung, 4, 30.0).tracks[1] != compose(sung, 5, 30.0).tracks[1]


def test_a_melody_stays_in_its_span_and_in_the_key_and_ends_at_home() -> None:
    melody = Melody("flute", ("x x x x", "x - x x", "x - - -"), 72, span=5, leap=0.5)
    for seed in range(40):
        notes = compose(replace(PLAIN, melody=melody), seed, 30.0).tracks[1].notes
        assert {note.pitch % 12 for note in notes} <= {0, 2, 4, 5, 7, 9, 11}
        assert all(abs(note.pitch - 72) <= 20 for note in notes)
        assert notes[-1].pitch % 12 == 0


def test_the_theme_comes_back() -> None:
    sung = replace(PLAIN, melody=Melody("flute", ("x x x x", "x - x x", "x - - -"), 72), chords="I")
    score = compose(sung, 7, 30.0)
    bar_s = 240.0 / score.tempo_bpm
    bars = [
        [note.pitch for note in score.tracks[1].notes if bar - 0.01 <= note.onset_s / bar_s < bar + 0.99]
        for bar in range(4)
    ]

    steps = [[b - a for a, b in pairwise(bar)] for bar in bars]
    assert [step > 0 for step in steps[0]] == [step > 0 for step in steps[2]]


def test_parts_enter_and_leave_when_told() -> None:
    late = replace(PLAIN.parts[0], enters=0.5)
    early = replace(PLAIN.parts[0], leaves=0.25)
    score = compose(replace(PLAIN, parts=(late, early)), 1, 30.0)

    assert min(note.onset_s for note in score.tracks[0].notes) > 12.0
    assert max(note.onset_s for note in score.tracks[1].notes) < 8.0


def test_a_piece_that_slows_down_has_longer_bars_at_its_end() -> None:
    roots = replace(PLAIN, drift=0.1, parts=(Part("bass", "r - - -", 40),))
    onsets = [note.onset_s for note in compose(roots, 1, 30.0).tracks[0].notes]
    bars_s = [later - earlier for earlier, later in pairwise(onsets)]

    assert bars_s == sorted(bars_s)
    assert bars_s[-1] == pytest.approx(1.2 / 1.0 * bars_s[0], rel=0.03)


def test_every_recipe_names_voices_modes_and_words_that_exist() -> None:
    for each in catalogue():
        recipe = pieces.recipe_of(each)
        named = {part.voice for part in recipe.parts}
        if recipe.melody is not None:
            named |= {recipe.melody.voice, recipe.melody.second_voice or recipe.melody.voice}
        assert named <= set(VOICES), each.id
        assert recipe.mode in MODES, each.id
