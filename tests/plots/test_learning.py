"""Learning curves, confusion and calibration: what is drawn is what was given."""

from __future__ import annotations

import numpy as np
import pytest

from emolab.core.errors import DataError
from emolab.core.label import STATE_KEYS
from emolab.faces.fer import CLASSES
from emolab.plots.learning import calibration, confusion, curves
from emolab.plots.style import DARK
from tests.plots.studies import check

HISTORY = [{"loss": 0.7 / k, "valid_loss": 0.8 / k, "valid_score": 0.1 * k} for k in range(1, 6)]
UNJUDGED = [{"loss": 0.5, "valid_loss": None, "valid_score": None}]


def test_the_mean_ends_where_the_first_fold_stops() -> None:
    drawn = curves([HISTORY, HISTORY[:3]])
    lines = drawn.figure.axes[0].lines
    means = [line for line in lines if line.get_linewidth() > 1]
    assert [np.asarray(line.get_xdata()).size for line in means] == [3, 3] and len(lines) == 6
    assert "2 folds" in drawn.alt and drawn.data("svg")


def test_an_epoch_without_a_figure_keeps_its_place() -> None:
    gap = [
        {**one, "valid_loss": None if at in (1, 3) else one["valid_loss"]} for at, one in enumerate(HISTORY)
    ]
    other = [{**one, "valid_loss": None if at == 3 else 0.5} for at, one in enumerate(HISTORY)]
    lines = curves([gap, other]).figure.axes[0].lines
    dashed = [line for line in lines if line.get_linestyle() == "--"]
    (mean,) = [line for line in dashed if line.get_linewidth() > 1]
    assert list(mean.get_xdata()) == [1, 2, 3, 4, 5]
    np.testing.assert_allclose(mean.get_ydata(), [0.65, 0.5, (0.8 / 3 + 0.5) / 2, np.nan, 0.33])
    thin = next(line for line in lines if np.isnan(np.asarray(line.get_ydata())).sum() == 2)
    np.testing.assert_allclose(thin.get_ydata(), [0.8, np.nan, 0.8 / 3, np.nan, 0.16])


def test_without_rows_held_back_it_says_so() -> None:
    drawn = curves([UNJUDGED])
    assert any("no rows were held back" in text.get_text() for text in drawn.figure.axes[1].texts)


def test_a_confusion_has_shares_of_what_was_said_with_counts() -> None:
    drawn = confusion([[30, 10], [0, 0]], ("low", "high"), DARK)
    assert [text.get_text() for text in drawn.figure.axes[0].texts] == [
        "75%\n30",
        "25%\n10",
        "0%\n0",
        "0%\n0",
    ]
    assert drawn.alt.startswith("of low, 75% are found")


def test_five_states_and_seven_expressions_fit_on_the_paper() -> None:
    for classes in (STATE_KEYS, CLASSES):
        check(confusion(np.full((len(classes),) * 2, 12345), classes))


def test_a_class_that_nobody_said_is_not_called_missed() -> None:
    assert (
        confusion([[0, 0], [1, 3]], ("low", "high")).alt == "of low, none was said; of high, 75% are found."
    )


def test_calibration_has_a_point_a_bin() -> None:
    bins = [{"confidence": 0.55, "accuracy": 0.5, "n": 30}, {"confidence": 0.8, "accuracy": 0.6, "n": 10}]
    drawn = calibration(bins, 0.08)
    assert (
        np.asarray(drawn.figure.axes[0].collections[0].get_offsets()).shape == (2, 2)
        and "0.080" in drawn.caption
    )


def test_nothing_is_not_drawn() -> None:
    for draw in (lambda: curves([[]]), lambda: confusion([[1]], ("a", "b")), lambda: calibration([], 0.0)):
        with pytest.raises(DataError):
            draw()
