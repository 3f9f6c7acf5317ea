"""The mixed model: a textbook's figures, another program's, and truths that were planted."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from emolab.core.errors import DataError
from emolab.stats.mixed import fit
from tests.stats.tables import measured

# Pinheiro and Bates 2000, "Mixed-Effects Models in S and S-PLUS", §1.2: how hard it is to rise from each of
# four stools for each of nine people
STOOLS = {
    "neutral": [12, 10, 7, 7, 8, 9, 8, 7, 9],
    "less_negative": [15, 14, 14, 11, 11, 11, 12, 11, 13],
    "less_positive": [12, 13, 13, 10, 8, 11, 12, 8, 10],
    "most_positive": [10, 12, 9, 9, 7, 10, 11, 7, 8],
}


def stools() -> pd.DataFrame:
    rows = [
        {"participant": f"P{at}", "state_reported": key, "effort": effort}
        for key, row in STOOLS.items()
        for at, effort in enumerate(row)
    ]
    return pd.DataFrame(rows)


def test_the_stools_of_pinheiro_and_bates() -> None:
    found = fit(stools(), "effort")
    assert (found.sd_between, found.sd_within) == (
        pytest.approx(1.332465, abs=5e-6),
        pytest.approx(1.100295, abs=5e-6),
    )
    assert found.level.value == pytest.approx(8.555556, abs=5e-7)
    assert [one.value.value for one in found.effects] == pytest.approx(
        [3.888889, 2.222222, 0.666667], abs=5e-7
    )
    assert [one.error for one in found.effects] == pytest.approx([0.5186838] * 3, abs=5e-8)
    assert [one.p for one in found.effects] == pytest.approx([0, 0.0003, 0.2110], abs=5e-5)
    assert (found.f, found.df, found.df_f) == (pytest.approx(22.35556, abs=1e-4), 3, 24)
    assert found.icc.low < found.icc.value < found.icc.high


@pytest.mark.parametrize("gaps", [False, True])
def test_statsmodels_finds_the_same(gaps: bool) -> None:
    from statsmodels.regression.mixed_linear_model import MixedLM

    table = measured(1, 12, shift={"most_positive": 1.0}).sample(frac=0.7 if gaps else 1, random_state=0)
    found = fit(table, "d_hr")
    x = np.column_stack(
        [np.ones(len(table)), *(table["state_reported"] == s for s in found.states[1:])]
    ).astype(float)
    model = MixedLM(table["d_hr"].to_numpy(), x, groups=table["participant"].to_numpy())
    theirs = model.fit(reml=True)
    assert [one.value.value for one in found.effects] == pytest.approx(theirs.fe_params[1:], abs=1e-5)
    assert [one.error for one in found.effects] == pytest.approx(theirs.bse_fe[1:], rel=1e-4)
    assert found.sd_between**2 == pytest.approx(float(theirs.cov_re[0, 0]), rel=1e-3)
    full = model.fit(reml=False).llf
    none = (
        MixedLM(table["d_hr"].to_numpy(), x[:, :1], groups=table["participant"].to_numpy())
        .fit(reml=False)
        .llf
    )
    assert found.chi2 == pytest.approx(2 * (full - none), abs=1e-4)


def test_planted_effects_are_held_and_nothing_is_found_in_nothing() -> None:
    held, icc, wrong = [], [], []
    for seed in range(50):
        found = fit(measured(seed, 12, shift={"most_positive": 1.0}), "d_hr")
        joy = found.effects[-1]
        held.append(joy.value.low < 1 < joy.value.high)
        icc.append(found.icc.low < 0.5 < found.icc.high)
        wrong.append(fit(measured(seed, 12), "d_hr").p_f < 0.05)
    assert np.mean(held) >= 0.86 and np.mean(icc) >= 0.86  # 95 % less three standard errors
    assert np.mean(wrong) <= 0.14


def test_participants_who_do_not_differ_are_told_as_a_singular_fit() -> None:
    table = measured(0, 8, between=0)
    table["d_hr"] -= table.groupby("participant")["d_hr"].transform("mean")
    found = fit(table, "d_hr")
    assert found.is_singular and found.icc.value == 0 and found.sd_between == 0
    assert found.icc.low == 0 < found.icc.high < 1
    assert "singular" in found.notes[0]
    assert np.isfinite(found.table().select_dtypes("number").to_numpy()).all()


def test_participants_who_are_all_the_difference() -> None:
    found = fit(measured(0, 8, between=1000), "d_hr")
    assert found.icc.value > 0.9999 and not found.is_singular
    assert 0.7 < found.sd_within < 1.3


def test_unit_of_the_feature_does_not_matter() -> None:
    table = measured(2, 6, shift={"most_negative": -1})
    small, large = fit(table, "d_hr"), fit(table.assign(d_hr=1e6 * table["d_hr"] + 5e6), "d_hr")
    assert large.chi2 == pytest.approx(small.chi2, rel=1e-5) and large.p_f == pytest.approx(
        small.p_f, rel=1e-5
    )
    assert large.icc.value == pytest.approx(small.icc.value, abs=1e-5)


def test_missing_is_counted_and_the_rest_is_used() -> None:
    table = measured(3, 6)
    table.loc[[0, 1], "state_reported"] = None
    table.loc[[1, 2, 3], "d_hr"] = math.nan
    found = fit(table, "d_hr")
    assert found.left_out == {"no report": 2, "no d_hr": 2}
    assert found.rows == 86 and found.participants == 6


def test_state_nobody_reported_is_told() -> None:
    table = measured(4, 6)
    found = fit(table[table["state_reported"] != "less_positive"], "d_hr")
    assert len(found.effects) == 3 and found.df == 3
    assert found.notes == ("No clip of less_positive.",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t[t["participant"] == "P001"], "one participant"),
        (lambda t: t[t["state_reported"] == "neutral"], "needs clips of 'neutral' and of another"),
        (lambda t: t[t["state_reported"] != "neutral"], "needs clips of 'neutral'"),
        (lambda t: t.assign(d_hr=1.5), "the same in all"),
        (lambda t: t.assign(d_hr=math.nan), "needs clips"),
        (
            lambda t: (
                t.groupby("participant").head(1).assign(state_reported=["neutral", "most_positive"] * 3)
            ),
            "too few",
        ),
        (lambda t: t.drop(columns="participant"), "no column 'participant'"),
    ],
)
def test_what_cannot_be_modelled_is_told(change: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        fit(change(measured(5, 6)), "d_hr")  # type: ignore[operator]
