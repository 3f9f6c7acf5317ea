"""A subject's threshold lies half-way between the two best clusters, whatever the scale and the order."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.datasets import thresholds as subject
from emolab.datasets.thresholds import Counts, class_counts, fixed, is_high, thresholds, two_means

Array = NDArray[np.float64]
a_rating = st.integers(0, 160).map(lambda step: 1 + step / 20)  # a slider from 1 to 9
some_points = st.lists(st.tuples(a_rating, a_rating), min_size=4, max_size=9).map(np.array)
several = some_points.filter(lambda points: len(np.unique(points, axis=0)) > 1)
quick = settings(max_examples=60, deadline=None)


def within(points: Array, first: Array, second: Array) -> float:
    """Squared distance of all points from the nearer centre."""
    return float(np.minimum(((points - first) ** 2).sum(1), ((points - second) ** 2).sum(1)).sum())


def least(points: Array) -> float:
    """The same of the best of all divisions, whatever parts them."""
    rows = range(len(points))
    found = np.inf
    for size in range(1, len(points) // 2 + 1):
        for part in combinations(rows, size):
            one, other = points[list(part)], np.delete(points, part, axis=0)
            found = min(found, one.var(axis=0).sum() * len(one) + other.var(axis=0).sum() * len(other))
    return found


def highs(points: Array) -> list[list[bool]]:
    """The labels of one subject."""
    who = ["s"] * len(points)
    return is_high(who, points, thresholds(who, points)).tolist()  # type: ignore[no-any-return]


@quick
@given(several)
def test_no_division_at_all_is_better(points: Array) -> None:
    assert within(points, *two_means(points)) == pytest.approx(least(points), rel=1e-9, abs=1e-9)


def test_scikit_learn_finds_the_same_from_ten_starts() -> None:
    cluster = pytest.importorskip("sklearn.cluster", reason="scikit-learn is not installed")
    draw = np.random.default_rng(1)
    for _ in range(10):
        points = draw.uniform(1, 9, (40, 2))
        model = cluster.KMeans(2, init="k-means++", n_init=10, random_state=0).fit(points)
        ours = two_means(points)
        assert within(points, *ours) <= model.inertia_ + 1e-9
        if within(points, *ours) > model.inertia_ - 1e-9:
            theirs = model.cluster_centers_
            assert np.mean(ours, axis=0) == pytest.approx(theirs.mean(axis=0), abs=1e-9)


@quick
@given(several, st.tuples(st.floats(-50, 50), st.floats(-50, 50)), st.floats(0.01, 100))
def test_labels_stay_when_all_ratings_are_moved_or_multiplied(
    points: Array, moved: tuple[float, float], by: float
) -> None:
    assert highs(points + np.array(moved)) == highs(points)
    assert highs(points * by) == highs(points)


@quick
@given(several, st.randoms(use_true_random=False))
def test_the_order_of_trials_does_not_matter(points: Array, chance: object) -> None:
    order = list(range(len(points)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    straight = highs(points)
    assert highs(points[order]) == [straight[row] for row in order]


@quick
@given(several)
def test_each_centre_lies_on_its_own_side_of_a_threshold(points: Array) -> None:
    first, second = two_means(points)
    edge = (first + second) / 2
    assert ((first < edge) & (second > edge) | (first > edge) & (second < edge)).any()


@quick
@given(several)
def test_which_cluster_is_the_first_does_not_matter(points: Array) -> None:
    """Seen in a mirror the clusters change places, and high becomes low but on the threshold itself."""
    who = ["s"] * len(points)
    first, second = two_means(points)
    mirrored = [-centre for centre in two_means(-points)]
    assert first.tolist() <= second.tolist()
    costs = within(points, first, second), within(points, *mirrored)
    assert costs[0] == pytest.approx(costs[1], rel=1e-9, abs=1e-9)
    swapped = subject.Threshold(*((second + first) / 2).tolist(), "own", 8.0, len(points))  # type: ignore[misc]
    assert is_high(who, points, {"s": swapped}).tolist() == highs(points)


def test_the_threshold_is_half_way_and_arousal_is_not_valence() -> None:
    points = [[1, 8], [2, 8], [7, 9], [8, 9]]
    found = thresholds(["s"] * 4, points)["s"]
    assert (found.valence, found.arousal) == pytest.approx((4.5, 8.5))
    assert (found.source, found.ratings) == ("own", 4)
    assert highs(np.array(points, float)) == [[False, False], [False, False], [True, True], [True, True]]


def test_each_subject_has_a_threshold_of_its_own() -> None:
    low, high = [[1, 1], [1, 2], [3, 3], [3, 4]], [[6, 6], [6, 7], [9, 9], [9, 8]]
    who = ["a", "b"] * 4
    points = np.stack([low, high], axis=1).reshape(-1, 2)
    found = thresholds(who, points)
    assert list(found) == ["a", "b"]
    assert found["a"] == thresholds(["a"] * 4, low)["a"] and found["b"] == thresholds(["b"] * 4, high)["b"]
    assert is_high(who, points, found)[:, 0].tolist() == [False] * 4 + [True] * 4


@pytest.mark.parametrize(
    "few",
    [[[9.0, 9.0]] * 3, [[1.0, 2.0], [8.0, 3.0], [4.0, 4.0]], [[3.0, 3.0]] * 7],
    ids=["3", "three", "equal"],
)
def test_too_few_or_equal_ratings_get_the_median_of_the_others_and_are_flagged(
    few: list[list[float]],
) -> None:
    others = {"a": 2.0, "b": 4.0, "c": 7.0}
    who = [name for name in others for _ in range(4)]
    points = [
        [edge + x, edge + 1 + y] for edge in others.values() for x, y in ((-1, 0), (-1, 0), (1, 0), (1, 0))
    ]
    found = thresholds(who + ["few"] * len(few), points + few)
    assert found["few"].source == "population"
    assert (found["few"].valence, found["few"].arousal) == pytest.approx((4.0, 5.0))
    assert {found[name].source for name in others} == {"own"}
    assert [found[name].valence for name in others] == pytest.approx(list(others.values()))


@pytest.mark.parametrize("tie_is_high", [True, False])
def test_a_rating_on_the_threshold_is_what_was_asked_for(tie_is_high: bool) -> None:
    tenths = np.array([[0.1, 0.0], [0.3, 0.0], [0.3, 0.0], [0.5, 0.0]]) + 0.1  # 0.4 is no sum of halves
    found = {"s": subject.Threshold(0.1 + 0.2 + 0.1, 0.1, "own", 0.4, 4)}
    high = is_high(["s"] * 4, tenths, found, tie_is_high)
    assert high[:, 0].tolist() == [False, tie_is_high, tie_is_high, True]
    assert high[:, 1].tolist() == [tie_is_high] * 4


def test_of_equally_good_divisions_the_least_threshold_is_taken() -> None:
    three = np.array([[0.0, 0.0], [4.0, 0.0], [8.0, 0.0]])
    assert np.mean(two_means(three), axis=0).tolist() == [3.0, 0.0]  # {0}, {4, 8}, not {0, 4}, {8}
    square = np.array([[1.0, 1.0], [1.0, 9.0], [9.0, 1.0], [9.0, 9.0]])
    assert np.mean(two_means(square), axis=0).tolist() == [5.0, 5.0]


def test_a_fixed_threshold_is_the_same_for_all() -> None:
    who, points = ["a", "a", "b"], [[5, 4.9], [1, 9], [5.1, 5]]
    assert is_high(who, points, fixed(who, points)).tolist() == [[True, False], [False, True], [True, True]]
    assert {one.source for one in fixed(who, points, 0.5).values()} == {"fixed"}
    assert is_high(who, points, fixed(who, points, 6)).sum() == 1


def test_counts_are_of_each_axis() -> None:
    counts = class_counts(np.array([[True, False], [True, True], [False, False], [True, False]]))
    assert counts == {"valence": Counts(3, 1), "arousal": Counts(1, 3)}
    assert counts["valence"].majority == 0.75
    assert np.isnan(class_counts(np.zeros((0, 2), bool))["valence"].majority)


def test_what_cannot_be_divided_is_told() -> None:
    with pytest.raises(DataError, match=r"no subject has 4 ratings that differ.*use a fixed threshold"):
        thresholds(["a"] * 3, [[1, 2], [3, 4], [5, 6]])
    with pytest.raises(DataError, match="no subject has 4 ratings"):
        thresholds([], [])
    with pytest.raises(DataError, match="trial 1 of subject 'b' has no rating; leave it out"):
        thresholds(["a", "b"], [[1, 2], [np.nan, 4]])
    with pytest.raises(DataError, match=r"2 subjects need ratings \(2, 2\), not \(2, 3\)"):
        thresholds(["a", "b"], [[1, 2, 3], [3, 4, 5]])
    with pytest.raises(DataError, match="subject 'b' has no threshold"):
        is_high(["b"], [[1, 2]], fixed(["a"], [[1, 2]]))
    with pytest.raises(DataError, match="nan is no threshold"):
        fixed(["a"], [[1, 2]], float("nan"))
    with pytest.raises(DataError, match="equal points have no two centres"):
        two_means([[1, 2]] * 5)
