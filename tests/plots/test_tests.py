"""Forest plots of what the statistics room really returns."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from emolab.core.errors import DataError
from emolab.plots.style import DARK, LIGHT
from emolab.plots.tests import coefficients, effect_sizes
from emolab.stats import effects, logit
from tests.plots.studies import FEATURES, check, study

TWO = {name: FEATURES[name] for name in ("d_hr_mean", "d_face_t_mean")}


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
def test_coefficients_of_a_study(look: object) -> None:
    found = logit.fit(study(24), list(TWO))
    drawing = coefficients(found.table(), TWO, look)  # type: ignore[arg-type]
    check(drawing)
    first = found.coefficients[0]
    assert f"most negative {first.value:.3g}".replace("-", "−") in drawing.alt
    assert "8 coefficients" in drawing.caption


def test_two_participants_have_intervals_that_leave_the_paper() -> None:
    found = logit.fit(study(2, 8), list(TWO))
    check(coefficients(found.table(), TWO))


def test_one_participant_has_no_clustered_intervals() -> None:
    found = logit.fit(study(1, 30), list(TWO))
    check(coefficients(found.table(), TWO))


def test_effects_of_four_features() -> None:
    table = pd.concat([effects.compare(study(24), name).table() for name in FEATURES])
    drawing = effect_sizes(table, FEATURES)
    check(drawing)
    assert drawing.alt.startswith("Hedges' g against neutral.")


@pytest.mark.parametrize("measure", ["hedges_g", "cohen_dz", "rank_biserial"])
def test_every_pair_of_states_some_without_participants(measure: str) -> None:
    table = effects.compare(study(7, states=["neutral", "most_positive"]), "d_hr_mean", pairs="all").table()
    check(effect_sizes(table, {"d_hr_mean": "Δ heart rate (bpm)"}, measure))  # type: ignore[arg-type]


def test_feature_without_any_figure_is_told() -> None:
    table = effects.compare(study(7), "d_hr_mean").table()
    empty = table.assign(hedges_g=math.nan, hedges_g_low=math.nan, hedges_g_high=math.nan, p=math.nan)
    drawing = effect_sizes(empty, {"d_hr_mean": "Δ heart rate (bpm)", "d_rr_sd": "Δ SD of RR (ms)"})
    check(drawing)
    texts = [text.get_text() for text in drawing.figure.axes[0].texts]
    assert texts.count("no figure") == 4 and "no figures" in texts


def test_two_participants_have_no_size_and_say_so() -> None:
    drawing = effect_sizes(effects.compare(study(2, 20), "d_hr_mean").table(), {"d_hr_mean": "Δ heart rate"})
    check(drawing)
    assert [text.get_text() for text in drawing.figure.axes[0].texts].count("no figure") == 4
    assert "0.00" not in drawing.alt


def test_another_table_is_told() -> None:
    with pytest.raises(DataError, match="lacks predictor"):
        coefficients(effects.compare(study(7), "d_hr_mean").table(), TWO)
