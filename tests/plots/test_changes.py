"""Boxes and swarms of studies large, small and odd."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from emolab.core.errors import DataError
from emolab.plots.changes import changes
from emolab.plots.style import DARK, LIGHT
from tests.plots.studies import FEATURES, check, study

ONE = {"d_hr_mean": FEATURES["d_hr_mean"]}
TWO = dict(list(FEATURES.items())[:2])


@pytest.mark.parametrize(("people", "look"), [(2, DARK), (8, LIGHT), (24, DARK)])
def test_texts_keep_clear_of_each_other(people: int, look: object) -> None:
    check(changes(study(people), ONE if people == 2 else FEATURES, look=look))  # type: ignore[arg-type]


def test_many_clips_fit_as_small_points() -> None:
    check(changes(study(60, 4), ONE))


def test_every_clip_with_a_value_and_a_report_is_a_point() -> None:
    table = study(24)
    drawing = changes(table, TWO)
    points = sum(len(one.get_offsets()) for axes in drawing.figure.axes for one in axes.collections)
    assert points == 2 * table["state_reported"].notna().sum()


def test_medians_are_told_and_drawn() -> None:
    table = study(24)
    drawing = changes(table, ONE)
    joy = table.loc[table["state_reported"] == "most_positive", "d_hr_mean"]
    assert f"most positive {joy.median():.3g} (n = {len(joy)})".replace("-", "−") in drawing.alt
    drawn = [line.get_ydata()[0] for line in drawing.figure.axes[0].lines if line.get_linewidth() == 1.6]
    assert drawn[-1] == pytest.approx(joy.median()) and len(drawn) == 5


def test_states_without_clips_keep_their_place() -> None:
    drawing = changes(study(6, states=["neutral", "most_positive"]), ONE)
    check(drawing)
    labels = [one.get_text() for one in drawing.figure.axes[0].get_xticklabels()]
    assert len(labels) == 5 and labels[0].endswith("n = 0")
    assert "less negative none" in drawing.alt


def test_one_clip_of_a_state_is_a_point_and_a_median_without_a_box() -> None:
    table = study(1, 1)
    drawing = changes(table, ONE)
    check(drawing)
    assert not drawing.figure.axes[0].patches


def test_extreme_outlier_becomes_an_arrow_and_is_told() -> None:
    table = study(8)
    table.loc[[3, 20], "state_reported"] = "less_negative"
    table.loc[[3, 20], "d_hr_mean"] = [900.0, -70.0]
    drawing = changes(table, ONE)
    check(drawing)
    low, high = drawing.figure.axes[0].get_ylim()
    assert -40 < low < high < 40
    assert "2 values lie beyond the edge (arrows, to 900)" in drawing.caption


def test_missing_values_and_reports_are_counted_in_the_caption() -> None:
    table = study(6)
    table["state_reported"] = table["state_intended"]
    table.loc[[1, 2, 3], "d_hr_mean"] = [math.nan, math.inf, math.nan]
    table.loc[9, "state_reported"] = None
    caption = changes(table, ONE).caption
    assert "Δ heart rate: could not be measured in 3 of 89 clips." in caption
    assert "1 clip without a report is not shown." in caption


@pytest.mark.parametrize("value", [math.nan, 0.0, 5.0])
def test_feature_without_values_or_without_differences_is_drawn(value: float) -> None:
    check(changes(study(3).assign(d_hr_mean=value), ONE))


def test_few_participants_have_their_own_marks() -> None:
    legends = [changes(study(people), ONE).figure.legends for people in (1, 5, 24)]
    assert [len(legend) for legend in legends] == [0, 1, 0]
    assert [text.get_text() for text in legends[1][0].get_texts()] == [f"P{one:03d}" for one in range(1, 6)]


@pytest.mark.parametrize("kind", ["category", "string", "nullable"])
def test_other_kinds_of_columns_are_drawn_alike(kind: str) -> None:
    table = study(6)
    other = table.convert_dtypes() if kind == "nullable" else table.astype({"state_reported": kind})
    other["participant"] = other["participant"].astype("category")
    assert changes(other, ONE).alt == changes(table, ONE).alt
    assert changes(other, ONE).caption == changes(table, ONE).caption


def test_order_of_rows_does_not_matter_to_the_figures() -> None:
    table = study(6)
    assert changes(table, ONE).alt == changes(table.sample(frac=1, random_state=0), ONE).alt


@pytest.mark.parametrize(
    ("table", "features", "message"),
    [
        (study(2), {"d_mood": "Δ mood"}, "lacks d_mood"),
        (study(2), {}, "features to draw"),
        (study(2).assign(state_reported="joy"), ONE, "'joy' is no state"),
        (pd.DataFrame({"d_hr_mean": np.zeros(3)}), ONE, "lacks participant, state_reported"),
    ],
)
def test_what_cannot_be_drawn_is_told(table: pd.DataFrame, features: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        changes(table, features)


@pytest.mark.parametrize("people", [2, 8])
def test_long_names_of_participants_stay_on_the_paper(people: int) -> None:
    table = study(people)
    table["participant"] = table["participant"].str.pad(32, "right", "x")
    for features in (ONE, TWO):
        check(changes(table, features))
