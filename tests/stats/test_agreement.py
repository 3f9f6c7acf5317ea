"""Agreement as it was published: each coefficient against a worked example of its source."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from emolab.core.errors import DataError
from emolab.stats.agreement import cohen, fleiss, intraclass, krippendorff

N = math.nan
# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C and D
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3],
    [N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N],
]
# Shrout and Fleiss 1979, table 2
JUDGES = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
# Fleiss 1971 as worked out in every textbook since: ten units, fourteen raters, five categories
RATERS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip
# Landis and Koch 1977: two neurologists, the Winnipeg patients
NEUROLOGISTS = [[38, 5, 0, 1], [33, 11, 3, 0], [10, 14, 5, 6], [3, 7, 3, 10]]


def judgements(table: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """The two raters' judgements that a table counts."""
    cells = np.array(table)
    rows, columns = np.indices(cells.shape)
    return np.repeat(rows.ravel(), cells.ravel()), np.repeat(columns.ravel(), cells.ravel())


def test_two_raters_of_twenty_five_and_twenty_five() -> None:
    found = cohen(*judgements([[20, 5], [10, 15]]), 2)
    assert found.value == pytest.approx(0.4)
    assert found.low < 0.4 < found.high and found.units == 50


def test_the_neurologists_of_landis_and_koch() -> None:
    assert cohen(*judgements(NEUROLOGISTS), 4).value == pytest.approx(0.208, abs=5e-4)


def test_bootstrap_interval_is_as_wide_as_the_standard_error_says() -> None:
    """Fleiss, Cohen and Everitt 1969: the neurologists' kappa has a standard error of 0.0505."""
    found = cohen(*judgements(NEUROLOGISTS), 4)
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(0.0505, rel=0.1)


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_two_categories_weigh_the_same_in_every_way(weights: Any) -> None:
    assert cohen(*judgements([[20, 5], [10, 15]]), 2, weights).value == pytest.approx(0.4)


def test_quadratic_kappa_is_the_intraclass_correlation_of_many_units() -> None:
    """Fleiss and Cohen 1973: they differ by terms of one over the number of units."""
    generator = np.random.default_rng(0)
    first = generator.integers(0, 5, 3000)
    second = np.clip(first + generator.integers(-1, 2, len(first)), 0, 4)
    kappa = cohen(first, second, 5, "quadratic").value
    assert kappa == pytest.approx(intraclass(np.stack([first, second], 1), "2,1").value, abs=1e-3)


def test_the_ten_units_of_fleiss() -> None:
    found = fleiss(RATERS)
    assert found.value == pytest.approx(0.210, abs=5e-4)
    assert found.low < found.value < found.high


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_the_four_observers_of_krippendorff(level: Any, alpha: float) -> None:
    found = krippendorff(OBSERVERS, level)
    assert found.value == pytest.approx(alpha, abs=5e-4)
    assert found.units == 11  # the twelfth was judged by one observer alone
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize(
    ("form", "value"),
    [("1,1", 0.17), ("2,1", 0.29), ("3,1", 0.71), ("1,k", 0.44), ("2,k", 0.62), ("3,k", 0.91)],
)
def test_the_four_judges_of_shrout_and_fleiss(form: Any, value: float) -> None:
    found = intraclass(JUDGES, form)
    assert found.value == pytest.approx(value, abs=5e-3)
    assert found.low < found.value < found.high


@pytest.mark.parametrize(
    ("form", "low", "high"), [("1,1", -0.133, 0.723), ("2,1", 0.019, 0.761), ("3,1", 0.342, 0.946)]
)
def test_the_intervals_of_the_four_judges(form: Any, low: float, high: float) -> None:
    """As R's psych::ICC gives them for the same table."""
    found = intraclass(JUDGES, form)
    assert (found.low, found.high) == (pytest.approx(low, abs=2e-3), pytest.approx(high, abs=2e-3))


def test_whole_participants_are_drawn_where_their_clips_hang_together() -> None:
    generator = np.random.default_rng(1)
    people = np.repeat(np.arange(12), 15)
    agrees = generator.random(12)[people] > 0.5  # one always agrees, another never
    first = generator.integers(0, 3, len(people))
    second = np.where(agrees, first, (first + 1) % 3)
    alone, together = cohen(first, second, 3), cohen(first, second, 3, groups=people)
    assert together.value == alone.value
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_intervals_hold_the_truth_nine_times_in_ten() -> None:
    truth, held = 0.55, 0
    for seed in range(60):
        generator = np.random.default_rng(seed)
        first = generator.integers(0, 2, 120)
        second = np.where(generator.random(120) < truth, first, generator.integers(0, 2, 120))
        found = cohen(first, second, 2, seed=seed)
        held += found.low <= truth <= found.high
    assert held >= 0.88 * 60


def test_intervals_over_few_participants_hold_the_truth_or_are_none() -> None:
    """Fifteen clips of each, agreement another for each person; plain percentiles held it in 81 %."""
    held = 0
    for seed in range(60):
        generator = np.random.default_rng(seed)
        people = np.repeat(np.arange(6), 15)
        agrees = generator.random(90) < generator.beta(4, 4, 6)[people]
        first = generator.integers(0, 2, 90)
        second = np.where(agrees, first, generator.integers(0, 2, 90))
        found = cohen(first, second, 2, groups=people, seed=seed)
        held += found.low <= 0.5 <= found.high
        few = people < 5
        assert math.isnan(cohen(first[few], second[few], 2, groups=people[few]).low)
    assert held >= 0.85 * 60


@pytest.mark.parametrize("rating", [0.1, 0.3, 0.7, 2.0])
@pytest.mark.parametrize("form", ["1,1", "2,1", "3,1", "2,k"])
def test_raters_who_always_say_the_same_have_no_correlation(rating: float, form: Any) -> None:
    for shape in ((5, 3), (7, 3), (12, 2)):
        found = intraclass(np.full(shape, rating), form)
        assert all(math.isnan(one) for one in (found.value, found.low, found.high))
    constant = intraclass(np.tile([rating, 2 * rating, 5 * rating], (6, 1)), "3,1")
    assert math.isnan(constant.value), "units do not differ"


def test_what_is_not_defined_is_nan_and_not_a_guess() -> None:
    same = [1, 1, 1, 1]
    assert math.isnan(cohen(same, same, 3).value)
    assert math.isnan(krippendorff([same, same]).value)
    assert math.isnan(fleiss([[3, 0], [3, 0]]).value)
    nobody = np.array([], int)
    assert math.isnan(cohen(nobody, nobody, 3).value)
    assert krippendorff([[1, N], [N, 1]]).units == 0


def test_the_same_data_give_the_same_interval() -> None:
    assert fleiss(RATERS) == fleiss(RATERS)
    assert fleiss(RATERS, seed=1) != fleiss(RATERS)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: cohen([0, 1], [0], 2),
        lambda: cohen([0, 5], [0, 1], 2),
        lambda: cohen([0.5, 1.0], [0, 1], 2),
        lambda: fleiss([[1, 2], [2, 2]]),
        lambda: fleiss([[1, 0], [0, 1]]),
        lambda: fleiss([]),
        lambda: krippendorff([1, 2]),
        lambda: intraclass([[1.0, N], [1.0, 2.0]]),
        lambda: intraclass([[1, 2]]),
        lambda: cohen([0, 1], [0, 1], 2, groups=["a"]),
    ],
)
def test_tables_of_the_wrong_shape_are_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(DataError):
        wrong()
