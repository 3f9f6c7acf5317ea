from __future__ import annotations

import pytest

from emolab.composer.harmony import bar_scale, chord, nearest, voicing
from emolab.core.errors import ConfigError


@pytest.mark.parametrize(
    ("numeral", "classes"),
    [
        ("I", (0, 4, 7)),
        ("ii", (2, 5, 9)),
        ("V7", (7, 11, 2, 5)),
        ("bVI", (8, 0, 3)),
        ("iio7", (2, 5, 8, 11)),
        ("#iv", (6, 9, 1)),
        ("Isus4", (0, 5, 7)),
    ],
)
def test_numerals_name_the_chords_of_the_textbook(numeral: str, classes: tuple[int, ...]) -> None:
    assert chord(numeral).classes(tonic=0) == classes


@pytest.mark.parametrize("text", ["X", "Ifoo", "", "8"])
def test_what_is_no_chord_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="chord"):
        chord(text)


def test_the_dominant_raises_the_seventh_of_minor_for_its_bar() -> None:
    assert bar_scale("minor", 9, chord("i")) == (0, 2, 4, 5, 7, 9, 11)  # A minor: G
    assert bar_scale("minor", 9, chord("V")) == (0, 2, 4, 5, 8, 9, 11)  # with E major: G sharp


def test_voices_move_by_the_shortest_way() -> None:
    c_major = voicing((0, 4, 7), 60.0, ())
    f_major = voicing((5, 9, 0), 60.0, c_major)

    assert sorted(pitch % 12 for pitch in f_major) == [0, 5, 9]
    assert sum(min(abs(pitch - old) for old in c_major) for pitch in f_major) <= 4


def test_the_nearest_pitch_is_found_across_the_octave() -> None:
    assert nearest((11,), 60.0) == 59
    assert nearest((0, 6), 64.0) == 66
