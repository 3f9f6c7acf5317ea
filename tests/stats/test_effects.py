"""Effect sizes: published examples, and intervals that hold a known truth."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from emolab.core.errors import DataError
from emolab.core.label import STATE_KEYS
from emolab.stats.effects import Contrast, cohen_dz, compare, hedges_g
from tests.stats.tables import measured

# Lakens 2013, doi:10.3389/fpsyg.2013.00863, table 1: ten people rate two films
FILMS = ([9, 7, 8, 9, 8, 9, 9, 10, 9, 9], [9, 6, 7, 8, 7, 9, 8, 8, 8, 7])
# Lowry, "Concepts and Applications of Inferential Statistics", chapter 12a, as in Wikipedia's article
# on Wilcoxon's test: the ranks for are 27, those against 18
LOWRY = (
    [125, 115, 130, 140, 140, 115, 140, 125, 140, 135],
    [110, 122, 125, 120, 140, 124, 123, 137, 135, 145],
)
# Hollander and Wolfe 1973, p. 140: 22 players round first base in three ways; R's help of friedman.test
ROUNDING = [
    (5.40, 5.50, 5.55), (5.85, 5.70, 5.75), (5.20, 5.60, 5.50), (5.55, 5.50, 5.40), (5.90, 5.85, 5.70),
    (5.45, 5.55, 5.60), (5.40, 5.40, 5.35), (5.45, 5.50, 5.35), (5.25, 5.15, 5.00), (5.85, 5.80, 5.70),
    (5.25, 5.20, 5.10), (5.65, 5.55, 5.45), (5.60, 5.35, 5.45), (5.05, 5.00, 4.95), (5.50, 5.50, 5.40),
    (5.45, 5.55, 5.50), (5.55, 5.55, 5.35), (5.45, 5.50, 5.55), (5.50, 5.45, 5.25), (5.65, 5.60, 5.40),
    (5.70, 5.65, 5.55), (6.30, 6.30, 6.25),
]  # fmt: skip
JOY = "most_positive"


def of_states(**values: list[float]) -> pd.DataFrame:
    """A clip for each participant and state."""
    return pd.DataFrame(
        [
            {"participant": f"P{at:03d}", "state_reported": key, "d_hr": value}
            for key, row in values.items()
            for at, value in enumerate(row)
        ]
    )


def only(table: pd.DataFrame) -> Contrast:
    return next(one for one in compare(table, "d_hr").contrasts if one.state == JOY)


def test_the_films_of_lakens() -> None:
    found = only(of_states(most_positive=FILMS[0], neutral=FILMS[1]))
    assert found.cohen_dz.value == pytest.approx(1.50, abs=5e-3)
    assert found.hedges_g.value == pytest.approx(1.13, abs=0.09)  # 1.13 before the bias is taken away
    assert found.mean.value == pytest.approx(1.0) and found.participants == 10


def test_the_ranks_of_lowry() -> None:
    found = only(of_states(most_positive=LOWRY[0], neutral=LOWRY[1]))
    assert found.w == 18
    assert found.rank_biserial.value == pytest.approx((27 - 18) / 45)


def test_the_players_of_hollander_and_wolfe() -> None:
    columns = [list(column) for column in zip(*ROUNDING, strict=True)]
    found = compare(of_states(neutral=columns[0], less_positive=columns[1], most_positive=columns[2]), "d_hr")
    assert found.friedman.chi2 == pytest.approx(11.143, abs=5e-4)
    assert (found.friedman.df, found.friedman.participants) == (2, 22)
    assert found.friedman.p == pytest.approx(0.003805, abs=5e-7)
    assert found.friedman.kendall_w.value == pytest.approx(11.143 / 44, abs=1e-4)
    assert found.friedman.kendall_w.low < found.friedman.kendall_w.value < found.friedman.kendall_w.high


def test_hedges_g_of_few_is_not_too_large() -> None:
    generator = np.random.default_rng(0)
    b = generator.standard_normal((40_000, 6))
    a = 0.5 * b + math.sqrt(0.75) * generator.standard_normal(b.shape) + 0.8
    assert float(np.mean(hedges_g(a, b))) == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("people", [6, 24])
def test_intervals_hold_the_truth(people: int) -> None:
    """Of participants' means of three clips, whose SD of differences is √(2/3)."""
    truth = {"mean": 1.0, "median": 1.0, "cohen_dz": math.sqrt(1.5), "hedges_g": 1 / math.sqrt(1 + 1 / 3)}
    truth["rank_biserial"] = math.erf(math.sqrt(1.5))  # 2Φ(√2 dz) − 1, but for the differences themselves
    held = dict.fromkeys(truth, 0)
    for seed in range(40):
        table = measured(seed, people, shift={JOY: 1.0})
        found = only(table[table["state_reported"].isin([JOY, "neutral"])])
        for name, value in truth.items():
            estimate = getattr(found, name)
            held[name] += estimate.low <= value <= estimate.high
    assert {name: count for name, count in held.items() if count < 34} == {}


def test_planted_shift_is_found_and_no_other() -> None:
    found, wrong, friedman = [], [], []
    for seed in range(20):
        one = compare(measured(seed, 16, shift={JOY: 1.5}), "d_hr")
        found += [c.p_holm < 0.05 for c in one.contrasts if c.state == JOY]
        wrong.append(any(c.p_holm < 0.05 for c in one.contrasts if c.state != JOY))
        friedman.append(compare(measured(seed, 16), "d_hr").friedman.p < 0.05)
    assert np.mean(found) > 0.9
    assert np.mean(wrong) <= 0.2 and np.mean(friedman) <= 0.2  # 5 % and three standard errors


def test_all_differences_of_one_sign_leave_room_for_doubt() -> None:
    found = only(of_states(most_positive=[5.0, 6, 7, 8, 9, 10], neutral=[1.0, 1, 2, 2, 3, 3]))
    assert found.rank_biserial.value == 1 and found.rank_biserial.high == 1
    assert 0 < found.rank_biserial.low < 0.6


def test_each_participant_weighs_the_same_however_many_clips() -> None:
    table = of_states(most_positive=[1.0, 3.0], neutral=[0.0, 0.0])
    again = pd.concat([table, *[table[(table["participant"] == "P000") & (table["d_hr"] == 1.0)]] * 9])
    assert only(again).mean.value == only(table).mean.value == 2.0
    assert only(again).clips == 11


def test_every_pair_once_and_positive_states_first() -> None:
    found = compare(measured(0, 6), "d_hr", pairs="all").contrasts
    pairs = [(one.state, one.other) for one in found]
    assert len({frozenset(pair) for pair in pairs}) == 10
    assert all(STATE_KEYS.index(state) > STATE_KEYS.index(other) for state, other in pairs)


def test_what_is_missing_is_counted() -> None:
    table = measured(1, 8)
    table.loc[:2, "state_reported"] = None  # the most negative clips of the first
    table.loc[table["participant"] == "P002", "d_hr"] = math.nan
    found = compare(table, "d_hr")
    assert found.no_report == 3
    worst = found.levels[0]
    assert (worst.state, worst.participants, worst.clips, worst.missing) == ("most_negative", 6, 18, 3)
    assert [one.participants for one in found.contrasts] == [6, 7, 7, 7]
    assert found.friedman.participants == 6


def test_state_that_nobody_reported_has_no_figures_and_no_p() -> None:
    table = measured(2, 4)
    found = compare(table[table["state_reported"] != JOY], "d_hr")
    last = found.contrasts[-1]
    assert last.state == JOY and last.participants == 0
    assert math.isnan(last.p) and math.isnan(last.mean.value) and math.isnan(last.cohen_dz.low)
    assert len(found.friedman.states) == 4
    assert "no Wilcoxon test of so few" in found.notes[0]


@pytest.mark.parametrize("people", [1, 2, 3])
def test_hardly_anybody_gives_figures_without_intervals_or_wide_ones(people: int) -> None:
    found = compare(measured(3, people), "d_hr")
    assert all(math.isfinite(one.mean.value) for one in found.contrasts)
    if people < 3:
        assert all(math.isnan(one.mean.low) for one in found.contrasts)
    assert all(math.isnan(one.p) or one.p > 0.05 for one in found.contrasts)


@pytest.mark.parametrize("people", [2, 3])
def test_two_pairs_are_too_few_for_hedges_correction(people: int) -> None:
    found = only(of_states(most_positive=[5.0, 9.0, 7.5][:people], neutral=[1.0, 2.0, 3.5][:people]))
    assert math.isfinite(found.cohen_dz.value) and math.isfinite(found.rank_biserial.value)
    if people < 3:
        assert all(math.isnan(bound) for bound in vars(found.hedges_g).values())
    else:
        assert found.hedges_g.value == pytest.approx(2.2, abs=0.05)
    drawn = np.random.default_rng(1).standard_normal((2, 5, people))
    assert np.isnan(hedges_g(*drawn)).tolist() == [people < 3] * 5


def test_feature_that_never_differs_has_no_effect() -> None:
    found = compare(measured(4, 6).assign(d_hr=2.0), "d_hr")
    assert {one.p for one in found.contrasts} == {1.0} and found.friedman.p == 1.0
    assert all(one.mean.value == 0 and math.isnan(one.cohen_dz.value) for one in found.contrasts)


def test_counts_that_are_alike_but_for_thirds_of_a_rest_have_no_ranks() -> None:
    """The mean of three times 0.1 is not that of two: no clip had a response, every rest had one."""
    table = pd.DataFrame(
        [
            {"participant": f"P{person}", "state_reported": key, "d_scr_count": 0 - 1 * 30 / 300}
            for person in range(8)
            for key, clips in zip(STATE_KEYS, (3, 2, 4, 5, 1), strict=True)
            for _ in range(clips)
        ]
    )
    found = compare(table, "d_scr_count")
    assert {one.p for one in found.contrasts} == {1.0} and found.friedman.p == 1.0
    assert all(math.isnan(one.rank_biserial.value) for one in found.contrasts)


def test_counts_and_their_changes_have_one_p() -> None:
    generator = np.random.default_rng(3)
    rows = [
        {"participant": f"P{person}", "state_reported": key, "n": count, "d_n": count - rest * 30 / 300}
        for person, rest in enumerate(generator.integers(0, 9, 7))
        for key in STATE_KEYS
        for count in generator.integers(0, 3, 3)
    ]
    plain, changed = (compare(pd.DataFrame(rows), name) for name in ("n", "d_n"))
    assert [one.p for one in plain.contrasts] == [one.p for one in changed.contrasts]
    assert [one.rank_biserial for one in plain.contrasts] == [one.rank_biserial for one in changed.contrasts]


def test_agreement_of_ranks_never_exceeds_one() -> None:
    """Half of all people have the states in one order, half call them all alike."""
    columns = [[float(k)] * 4 + [1.0] * 4 for k in range(3)]
    found = compare(of_states(neutral=columns[0], less_positive=columns[1], most_positive=columns[2]), "d_hr")
    assert 0.4 < found.friedman.kendall_w.value < found.friedman.kendall_w.high <= 1.0


def test_a_state_in_which_nobody_varies_has_a_hedges_g() -> None:
    found = only(of_states(most_positive=[1.0, 2.0, 0.0, 3.0, 1.0, 2.0], neutral=[0.0] * 6))
    assert found.hedges_g.value == pytest.approx(1.5 / math.sqrt(1.1 / 2) * (1 - 3 / 39), rel=1e-9)


def test_clips_of_people_who_have_one_state_alone_are_not_counted_in_a_contrast() -> None:
    both = of_states(most_positive=[1.0, 2.0], neutral=[3.0, 1.0])
    alone = pd.DataFrame([{"participant": "P9", "state_reported": JOY, "d_hr": 1.0}] * 20)
    found = only(pd.concat([both, alone], ignore_index=True))
    assert (found.participants, found.clips, found.clips_other) == (2, 2, 2)


def test_same_seed_same_intervals() -> None:
    table = measured(5, 6)
    one, again, other = (compare(table, "d_hr", seed=seed).table() for seed in (4, 4, 5))
    assert one.equals(again)
    assert (one["mean_low"] != other["mean_low"]).all()
    shuffled = compare(table.sample(frac=1, random_state=1), "d_hr", seed=4).table()
    numeric = one.select_dtypes("number").columns
    assert shuffled[numeric].to_numpy() == pytest.approx(one[numeric].to_numpy())


def test_table_holds_every_estimate_with_its_interval() -> None:
    found = compare(measured(6, 6), "d_hr")
    assert {"hedges_g", "hedges_g_low", "hedges_g_high", "p", "p_holm", "participants"} <= set(found.table())
    assert len(found.table()) == 4 and len(found.levels_table()) == 5


def test_feature_that_was_never_measured_is_told() -> None:
    with pytest.raises(DataError, match=r"no clip with a report has d_hr"):
        compare(measured(7, 2).assign(d_hr=math.nan), "d_hr")


def test_differences_that_are_alike_but_for_rounding_have_no_dz() -> None:
    neutral = np.arange(10.0)
    assert np.ptp((neutral + 0.2) - (neutral + 0.1)) > 0  # rounding
    assert math.isnan(cohen_dz(neutral + 0.2, neutral + 0.1))
    assert cohen_dz(neutral + np.tile([0.1, 0.2], 5), neutral) == pytest.approx(0.15 / 0.0527046)
