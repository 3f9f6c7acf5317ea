"""The distribution of labels, drawn."""

from __future__ import annotations

import pandas as pd
import pytest

from emolab.core.errors import DataError
from emolab.plots.labels import labels
from emolab.plots.style import DARK, LIGHT
from emolab.stats.labels import distribution
from tests.plots.studies import check, study


@pytest.mark.parametrize(("people", "look"), [(1, LIGHT), (2, DARK), (24, LIGHT), (40, DARK)])
def test_texts_keep_clear_of_each_other(people: int, look: object) -> None:
    table = study(people)
    shares = distribution(table).table() if people > 2 else None
    check(labels(table, shares=shares, look=look))  # type: ignore[arg-type]


def test_every_clip_is_a_piece_of_a_bar() -> None:
    table = study(24)
    overall, people = labels(table).figure.axes
    assert sum(bar.get_height() for bar in overall.patches) == len(table)
    assert sum(bar.get_width() for bar in people.patches) == len(table)


def test_numbers_are_told_in_words() -> None:
    table = study(24)
    drawing = labels(table)
    assert f"neutral {(table['state_reported'] == 'neutral').sum()}" in drawing.alt
    assert f"{table['state_reported'].isna().sum()} of 360 clips have no report" in drawing.caption


def test_long_names_and_states_that_nobody_reported() -> None:
    table = study(7, states=["neutral", "most_positive"])
    table["participant"] = "laboratory-of-affect-" + table["participant"]
    check(labels(table, shares=distribution(table).table()))


def test_sessions_of_very_different_length() -> None:
    table = pd.concat([study(1, 30), study(1, 1).assign(participant="P002")])
    check(labels(table))


@pytest.mark.parametrize("kind", ["category", "string"])
def test_other_kinds_of_columns_are_drawn_alike(kind: str) -> None:
    table = study(6)
    assert labels(table.astype({"state_reported": kind})).alt == labels(table).alt


def test_nobody_answered() -> None:
    check(labels(study(3).assign(state_reported=None)))


def test_without_clips_there_is_nothing_to_draw() -> None:
    with pytest.raises(DataError, match="lacks clips"):
        labels(study(1).iloc[:0])


def test_long_names_that_begin_alike_are_told_apart() -> None:
    table = study(2)
    table["participant"] = "a-study-with-a-long-name-" + table["participant"]
    drawing = labels(table)
    check(drawing)
    names = [one.get_text() for one in drawing.figure.axes[1].get_yticklabels()]
    assert len(set(names)) == 2 and all(
        name.endswith(who) for name, who in zip(names, ("P001", "P002"), strict=True)
    )
