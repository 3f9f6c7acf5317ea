"""Folds keep apart what they promise to, whatever the corpus looks like."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolab.core.errors import ConfigError, DataError
from emolab.training.splits import Group, assert_disjoint_groups, folds, overlapping, purge_count


@dataclass(frozen=True)
class Heard:
    """Rows as `Examples` has them."""

    labels: np.ndarray
    subjects: np.ndarray
    songs: np.ndarray
    keys: np.ndarray
    starts_s: np.ndarray
    ends_s: np.ndarray

    def take(self, rows: np.ndarray) -> Heard:
        return Heard(*(getattr(self, part.name)[rows] for part in fields(self)))


def heard(pairs: list[tuple[int, int]], labels: np.ndarray | None = None, seed: int = 0) -> Heard:
    """A trial of 30 s for each (participant, song)."""
    n = len(pairs)
    if labels is None:
        labels = np.random.default_rng(seed).integers(0, 2, n)
    subjects = np.array([f"P{who:03d}" for who, _ in pairs])
    songs = np.array([f"S{what:03d}" for _, what in pairs])
    keys = np.array([f"P{who:03d}/S{what:03d}" for who, what in pairs])
    return Heard(labels, subjects, songs, keys, np.zeros(n), np.full(n, 30.0))


def everybody_heard_all(people: int = 12, pieces: int = 10) -> Heard:
    return heard([(who, what) for who in range(people) for what in range(pieces)])


@st.composite
def corpora(draw: st.DrawFn) -> Heard:
    people = draw(st.integers(6, 14))
    pieces = draw(st.integers(6, 30))
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    pairs = sorted({(int(rng.integers(people)), int(rng.integers(pieces))) for _ in range(120)})
    share = draw(st.sampled_from([0.5, 0.2, 0.9]))
    return heard(pairs, (rng.random(len(pairs)) < share).astype(np.int64))


GROUPED = st.sampled_from(["subject", "song", "none"])


@settings(deadline=None)
@given(corpora(), GROUPED, st.integers(2, 5), st.integers(0, 5))
def test_every_row_is_tested_once_and_is_in_one_part_of_each_fold(
    rows: Heard, group: str, n: int, seed: int
) -> None:
    found = folds(rows, n, group, seed)
    tested = np.concatenate([fold.test for fold in found])
    assert sorted(tested) == list(range(len(rows.labels)))
    for fold in found:
        every = np.concatenate([fold.train, fold.valid, fold.test, fold.shared, fold.purged])
        assert sorted(every) == list(range(len(rows.labels)))
        assert min(len(fold.train), len(fold.valid), len(fold.test)) > 0
        assert not len(fold.shared) and not len(fold.purged)


@settings(deadline=None)
@given(corpora(), st.sampled_from(["subject", "song"]), st.integers(2, 5), st.integers(0, 5))
def test_no_group_is_in_two_parts(rows: Heard, group: str, n: int, seed: int) -> None:
    ids = rows.subjects if group == "subject" else rows.songs
    for fold in folds(rows, n, group, seed):
        parts = [set(ids[part]) for part in (fold.train, fold.valid, fold.test)]
        assert sum(map(len, parts)) == len(set(ids)) == len(set.union(*parts))


@settings(deadline=None)
@given(corpora(), st.sampled_from([2, 4]), st.integers(0, 3))
def test_both_shares_neither_participant_nor_song_and_counts_what_it_costs(
    rows: Heard, n: int, seed: int
) -> None:
    try:
        found = folds(rows, n, "both", seed)
    except DataError as error:
        assert "nothing to learn from" in str(error)
        return
    assert sorted(np.concatenate([fold.test for fold in found])) == list(range(len(rows.labels)))
    for fold in found:
        for ids in (rows.subjects, rows.songs):
            train, valid, test = (set(ids[part]) for part in (fold.train, fold.valid, fold.test))
            assert not (train & valid or train & test or valid & test)
        for row in fold.shared:
            seen = np.concatenate([fold.test, fold.valid])
            assert rows.subjects[row] in rows.subjects[seen] or rows.songs[row] in rows.songs[seen]
        every = np.concatenate([fold.train, fold.valid, fold.test, fold.shared])
        assert sorted(every) == list(range(len(rows.labels)))


def test_both_needs_no_more_rows_than_must_be() -> None:
    own_songs = heard([(who, 10 * who + what) for who in range(12) for what in range(10)])
    assert all(not len(fold.shared) for fold in folds(own_songs, 4, "both"))
    shared = everybody_heard_all(12, 12)
    for fold in folds(shared, 4, "both"):  # a quarter is tested; of another quarter a part stops
        assert len(fold.test) == 36
        assert len(fold.train) + len(fold.valid) + len(fold.shared) == 108
        assert len(fold.train) >= 12


def test_both_says_what_to_do_where_all_heard_the_same() -> None:
    with pytest.raises(DataError, match=r"nothing to learn from \(12 participants, 10 songs\).*4, 9 or 16"):
        folds(everybody_heard_all(), 7, "both")


@settings(deadline=None)
@given(corpora(), GROUPED, st.integers(0, 3))
def test_the_order_of_rows_changes_no_fold(rows: Heard, group: str, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(rows.labels))
    straight, mixed = folds(rows, 3, group, seed), folds(rows.take(order), 3, group, seed)
    for one, other in zip(straight, mixed, strict=True):
        for name in ("train", "valid", "test"):
            assert set(rows.keys[getattr(one, name)]) == set(rows.keys[order][getattr(other, name)])


def test_a_seed_gives_its_folds_again_and_another_gives_others() -> None:
    rows = everybody_heard_all()
    once, again, other = (folds(rows, 5, "subject", seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a.train, b.train) for a, b in zip(once, again, strict=True))
    assert any(not np.array_equal(a.test, b.test) for a, b in zip(once, other, strict=True))


def test_single_rows_are_spread_to_the_last_one() -> None:
    rng = np.random.default_rng(0)
    rows = heard([(k // 40, k % 40) for k in range(400)], (rng.random(400) < 0.3).astype(np.int64))
    for c in (0, 1):
        counts = [int((rows.labels[fold.test] == c).sum()) for fold in folds(rows, 10, "none")]
        assert max(counts) - min(counts) <= 1


def test_people_of_one_mood_are_spread_over_the_folds() -> None:
    moods = np.repeat(np.arange(20) % 2, 8)
    rows = heard([(k // 8, k % 8) for k in range(160)], moods)
    for fold in folds(rows, 10, "subject", 3):
        assert np.bincount(rows.labels[fold.test]).tolist() == [8, 8]
        assert not fold.one_class


def test_ten_folds_train_on_eight_tenths_and_stop_by_one() -> None:
    for fold in folds(everybody_heard_all(30, 10), 10, "subject"):
        assert [len(part) for part in (fold.train, fold.valid, fold.test)] in ([240, 30, 30], [230, 40, 30])


def test_ratings_are_spread_by_their_quartiles() -> None:
    ratings = np.random.default_rng(0).normal(size=120)
    rows = heard([(k // 10, k % 10) for k in range(120)], ratings)
    for fold in folds(rows, 5, "none"):
        upper = ratings[fold.test] > np.median(ratings)
        assert abs(upper.mean() - 0.5) < 0.1
        assert not fold.one_class


def test_a_part_of_one_class_is_said() -> None:
    labels = np.array([0] * 50 + [1] * 10)  # the last participant alone is ever glad
    found = folds(heard([(k // 10, k % 10) for k in range(60)], labels), 3, "subject")
    assert sum("test" in fold.one_class for fold in found) == 2
    for fold in found:
        for name in ("train", "valid", "test"):
            assert (name in fold.one_class) == (len(set(labels[getattr(fold, name)])) == 1)


def windows_of(recordings: int, each: int, length_s: float, hop_s: float) -> Heard:
    pairs = [(k, k) for k in range(recordings) for _ in range(each)]
    rows = heard(pairs)
    starts_s = np.tile(np.arange(each) * hop_s, recordings)
    return Heard(rows.labels, rows.subjects, rows.songs, rows.keys, starts_s, starts_s + length_s)


@settings(deadline=None)
@given(st.integers(1, 200), st.integers(1, 90))
def test_windows_overlap_as_many_neighbours_as_are_purged(window: int, step: int) -> None:
    rows = windows_of(1, 40, float(window), float(step))
    others = np.arange(1, 40)
    overlaps = overlapping(rows, others, np.array([0]))
    near = min(purge_count(window, step), 39)
    assert overlaps.tolist() == [True] * near + [False] * (39 - near)


def test_the_published_windows_purge_three() -> None:
    assert purge_count(180, 45) == 3
    with pytest.raises(DataError, match="none"):
        purge_count(180, 0)


@settings(deadline=None)
@given(st.integers(0, 1000))
def test_overlaps_are_those_of_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 40
    starts_s = rng.integers(0, 30, n).astype(float)
    rows = heard([(int(rng.integers(3)), 0) for _ in range(n)])
    rows = Heard(
        rows.labels, rows.subjects, rows.songs, rows.keys, starts_s, starts_s + rng.integers(1, 9, n)
    )
    some, others = np.arange(20), np.arange(20, 40)
    truth = [
        any(
            rows.keys[i] == rows.keys[j]
            and rows.starts_s[i] < rows.ends_s[j]
            and rows.starts_s[j] < rows.ends_s[i]
            for j in others
        )
        for i in some
    ]
    assert overlapping(rows, some, others).tolist() == truth


def test_windows_dealt_singly_are_purged_where_they_overlap() -> None:
    rows = windows_of(20, 12, 20.0, 10.0)
    for fold in folds(rows, 5, "none"):
        assert len(fold.purged)
        assert not overlapping(rows, fold.train, np.concatenate([fold.valid, fold.test])).any()
        assert not overlapping(rows, fold.valid, fold.test).any()
    assert all(not len(fold.purged) for fold in folds(windows_of(20, 12, 10.0, 10.0), 5, "none"))


def test_windows_that_leave_nothing_to_learn_from_are_refused() -> None:
    with pytest.raises(DataError, match="overlapping windows are purged"):
        folds(windows_of(3, 12, 200.0, 1.0), 3, "none")


def test_too_few_groups_are_counted() -> None:
    rows = everybody_heard_all(4, 10)
    with pytest.raises(
        ConfigError, match=r"10 folds by subject need 10 subjects.*there are 4; take at most 4"
    ):
        folds(rows, 10, "subject")
    with pytest.raises(DataError, match=r"need 4 subjects to train, stop and test; there are 2$"):
        folds(everybody_heard_all(2, 10), 2, "subject")
    assert len(folds(rows, 4, "subject")) == 4


@pytest.mark.parametrize(("group", "rows"), [("subject", (3, 6)), ("song", (6, 3))])
def test_two_folds_want_four_groups_and_three_are_told_to_take_three_folds(
    group: Group, rows: tuple[int, int]
) -> None:
    three = everybody_heard_all(*rows)
    said = rf"2 folds by {group} need 4 {group}s to train, stop and test; there are 3; take 3 folds$"
    with pytest.raises(ConfigError, match=said):
        folds(three, 2, group)
    assert len(folds(three, 3, group)) == 3
    assert len(folds(everybody_heard_all(4, 4), 2, group)) == 2


def test_a_participant_with_most_examples_cannot_be_one_of_two_folds() -> None:
    rows = heard([(0, k) for k in range(200)] + [(who, k) for who in range(1, 9) for k in range(5)])
    with pytest.raises(ConfigError, match=r"a single subject with 200 of 240 examples.*take 3 folds$"):
        folds(rows, 2, "subject")
    assert len(folds(rows, 3, "subject")) == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"subjects": np.array(["P1"] * 119 + [""])}, "1 examples do not say their subject"),
        ({"ends_s": np.full(120, np.nan)}, "ends before it begins"),
        ({"ends_s": np.zeros(120)}, "ends before it begins"),
        ({"songs": np.array(["S"])}, "120 labels, but 1 songs"),
        ({"labels": np.full(120, np.nan)}, "NaN"),
    ],
)
def test_rows_that_cannot_be_split_are_refused(change: dict[str, np.ndarray], said: str) -> None:
    rows = everybody_heard_all()
    with pytest.raises(DataError, match=said):
        folds(Heard(**(vars(rows) | change)), 3, "subject")


def test_folds_that_are_none_are_refused() -> None:
    rows = everybody_heard_all()
    with pytest.raises(DataError, match="1 folds are none"):
        folds(rows, 1)
    with pytest.raises(DataError, match="no split by 'room'"):
        folds(rows, 3, "room")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="120 examples cannot be 121 folds"):
        folds(rows, 121, "none")


def test_a_group_on_both_sides_is_named() -> None:
    who = np.array(["anna", "bert", "cleo", "anna"])
    assert_disjoint_groups([0], [1], [2], who)
    with pytest.raises(DataError, match="participant anna is in the training part and in the test part"):
        assert_disjoint_groups([0], [1], [2, 3], who)
    with pytest.raises(DataError, match="song anna, bert, cleo and 1 more"):
        assert_disjoint_groups([0, 1, 2, 3], [0, 1, 2, 4], [], [*who[:3], "dora", "dora"], "song")
