"""What the statistics ask of the tidy table, in whatever columns pandas keeps it."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from emolab.core.errors import DataError
from emolab.core.label import STATE_KEYS
from emolab.stats import effects, labels, logit, mixed
from emolab.stats.table import need, numbers, resampled, wilson
from tests.stats.tables import choices


def table() -> pd.DataFrame:
    made = choices(0, 12).assign(state_intended=np.tile(STATE_KEYS, 36), session=1)
    made.loc[[3, 17], "state_reported"] = None
    made.loc[5, "d_hr"] = np.nan
    return made


def as_parquet(one: pd.DataFrame) -> pd.DataFrame:
    held = io.BytesIO()
    one.to_parquet(held)
    return pd.read_parquet(io.BytesIO(held.getvalue()))


@pytest.mark.parametrize(
    "kept",
    [
        as_parquet,
        lambda one: one.convert_dtypes(),
        lambda one: one.astype({"state_reported": "category", "participant": "category", "d_hr": "Float32"}),
        lambda one: one.astype(
            {"state_reported": pd.CategoricalDtype(STATE_KEYS), "state_intended": "category"}
        ),
        lambda one: one.set_index(one.index * 3 + 100),
        lambda one: one.set_index(np.zeros(len(one), int)),
    ],
    ids=["parquet", "nullable", "category", "ordered", "other index", "index not unique"],
)
def test_every_statistic_is_the_same_however_the_table_is_kept(kept: object) -> None:
    plain, other = table(), kept(table())  # type: ignore[operator]
    for figures in (
        lambda t: logit.fit(t, ["d_hr", "d_face"]).table(),
        lambda t: effects.compare(t, "d_hr").table(),
        lambda t: mixed.fit(t, "d_hr").table(),
        lambda t: labels.distribution(t).table().drop(columns="participant"),
        lambda t: labels.crossing(t).counts,
    ):
        numeric = [figures(one).select_dtypes("number").to_numpy(float) for one in (plain, other)]
        assert numeric[1] == pytest.approx(numeric[0], rel=1e-4, abs=1e-4, nan_ok=True)
    assert logit.fit(other, ["d_hr"]).left_out == {"no report": 2, "no d_hr": 1}


def test_column_that_is_not_there_and_what_is_no_state_are_told() -> None:
    with pytest.raises(DataError, match=r"no column 'd_mood'; it has participant"):
        need(table(), ["d_mood"])
    with pytest.raises(DataError, match="'joy'; the states are most_negative"):
        need(table().assign(state_reported="joy"), ["state_reported"])


def test_infinite_is_missing() -> None:
    found = numbers(pd.DataFrame({"x": [1.0, np.inf, None, -np.inf]}), "x")
    assert found == pytest.approx([1.0, np.nan, np.nan, np.nan], nan_ok=True)


def test_bootstrap_of_few_is_nearly_as_wide_as_students_t() -> None:
    """Six normal values: mean ± 2.571 standard errors. Plain percentiles are 0.70 as wide."""
    wide = []
    for seed in range(60):
        values = np.random.default_rng(seed).standard_normal(6)
        low, high = resampled(lambda drawn, v=values: v[drawn].mean(1), 6, seed)
        wide.append((high - low) / (2 * 2.571 * values.std(ddof=1) / np.sqrt(6)))
    assert np.mean(wide) == pytest.approx(0.95, abs=0.1)


@pytest.mark.parametrize("units", [2, 5])
def test_few_units_have_no_interval(units: int) -> None:
    """However the truth lies: a median of five normal values is outside all of them in 1 of 16 cases."""
    assert np.isnan(resampled(lambda drawn: drawn.mean(1), units, 0)).all()


def test_wilson_never_leaves_nought_and_one() -> None:
    assert wilson(0, 3).low == 0 and wilson(1, 3).high == 1
