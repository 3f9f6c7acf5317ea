"""The states differ in the directions that the cited literature names."""

from __future__ import annotations

from functools import cache
from statistics import mean

import numpy as np

from emolab.composer import Piece, bank, catalogue, pieces
from emolab.composer.score import Score
from emolab.core.label import STATES, state_of_word
from tests.composer import measures


@cache
def scores() -> dict[str, Score]:
    return {each.id: bank.score(each.id) for each in catalogue()}


def of_state(state: str) -> list[Score]:
    return [score for name, score in scores().items() if name.startswith(state)]


def of_words(*words: str) -> list[Score]:
    return [scores()[each.id] for each in catalogue() if pieces.recipe_of(each).word in words]


def test_the_pieces_of_a_state_wear_its_words() -> None:
    for each in catalogue():
        assert state_of_word(pieces.recipe_of(each).word).key == each.state
    worn = {pieces.recipe_of(each).word for each in catalogue()}
    assert {word for state in STATES for word in state.words} <= worn


def test_joy_is_fast_and_lively_and_calm_is_slow_with_few_onsets() -> None:
    assert min(score.tempo_bpm for score in of_state("most_positive")) > 115
    assert max(score.tempo_bpm for score in of_state("neutral")) < 80
    assert min(map(measures.onsets_per_second, of_state("most_positive"))) > 3.0
    assert max(map(measures.onsets_per_second, of_state("neutral"))) < 2.5


def test_excitement_has_the_most_onsets_of_all() -> None:
    density = {s.key: mean(map(measures.onsets_per_second, of_state(s.key))) for s in STATES}

    assert density["less_positive"] == max(density.values())
    assert density["neutral"] == min(density.values())


def test_joy_is_major_and_sadness_minor() -> None:
    assert min(map(measures.majorness, of_state("most_positive"))) > 0.25
    assert max(map(measures.majorness, of_words("sad"))) < -0.15


def test_sadness_is_slower_and_lower_than_joy_in_every_piece() -> None:
    assert max(score.tempo_bpm for score in of_words("sad")) < 60
    sad = [register_of(each) for each in catalogue() if pieces.recipe_of(each).word == "sad"]
    glad = [register_of(each) for each in catalogue() if each.state == "most_positive"]
    assert max(sad) < min(glad)


def register_of(each: Piece) -> float:
    return measures.melody_pitch(scores()[each.id], part=len(pieces.recipe_of(each).parts))


def test_anger_is_as_fast_as_joy_but_rougher_and_not_major() -> None:
    for angry in of_words("angry"):
        assert angry.tempo_bpm > 140
        assert measures.majorness(angry) < 0.1
    assert mean(map(measures.roughness, of_words("angry"))) > mean(
        map(measures.roughness, of_state("most_positive"))
    )


def test_fear_and_disgust_are_the_most_dissonant() -> None:
    tense = [measures.roughness(score) for score in (*of_state("less_negative"), *of_words("disgust"))]
    pleasant = [measures.roughness(score) for score in of_state("most_positive")]

    assert min(tense) > max(pleasant)


def test_fear_spans_the_widest_range_and_calm_the_narrowest() -> None:
    span = {s.key: mean(map(measures.pitch_span, of_state(s.key))) for s in STATES}

    assert span["less_negative"] == max(span.values())
    assert span["neutral"] == min(span.values())


def test_the_sound_itself_is_brighter_in_anger_and_excitement_than_in_sadness_and_calm() -> None:
    brightness = {
        name: centroid_hz(name)
        for name in ("most_negative-1", "most_negative-6", "neutral-3", "less_positive-4")
    }

    assert min(brightness["most_negative-6"], brightness["less_positive-4"]) > 2.0 * max(
        brightness["most_negative-1"], brightness["neutral-3"]
    )


def test_fear_changes_its_level_more_than_calm() -> None:
    assert level_range_db("less_negative-2") > level_range_db("neutral-1") + 4.0


def test_no_two_pieces_of_a_state_share_key_and_tempo_and_melody() -> None:
    for state in STATES:
        recipes = [pieces.recipe_of(each) for each in catalogue() if each.state == state.key]
        assert len({recipe.tonic for recipe in recipes}) == 7
        assert len({(recipe.melody.voice if recipe.melody else "", recipe.chords) for recipe in recipes}) == 7


@cache
def sound(name: str) -> np.ndarray:
    return bank.render(name, rate_hz=24_000).mean(axis=1)


def centroid_hz(name: str) -> float:
    frames = sound(name)[: 24_000 * 29].reshape(-1, 2400) * np.hanning(2400)
    size = np.abs(np.fft.rfft(frames, axis=1)).mean(axis=0)
    return float((size * np.fft.rfftfreq(2400, 1 / 24_000)).sum() / size.sum())


def level_range_db(name: str) -> float:
    seconds = sound(name)[24_000 * 2 : 24_000 * 28].reshape(26, -1)
    level_db = 20 * np.log10(np.sqrt((seconds**2).mean(axis=1)))
    return float(np.percentile(level_db, 90) - np.percentile(level_db, 10))
