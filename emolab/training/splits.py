"""Which examples a model learns from, which stop it, and which judge it: folds without leaks.

    for fold in folds(examples, 10, "subject", seed=0):
        fold.train, fold.valid, fold.test       # rows; no participant is in two of them

`subject` and `song` keep a group whole; `both` keeps both apart, which costs rows: those that share either
with the test part go into no part, and are counted. `none` deals out single rows, as programs do that leak.
Every row is tested in exactly one fold. Classes are spread as evenly as whole groups allow. Windows of one
recording that overlap across parts are purged from the part that learns (specification 00 §0.4). The same
rows and seed give the same folds, in whatever order the rows come, on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import ceil
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emolab.core.errors import ConfigError, DataError

Group = Literal["subject", "song", "both", "none"]
Numbers = NDArray[np.intp]
Mask = NDArray[np.bool_]

LEAST = 3  # groups: one each to train, stop and test
LEAST_INNER = 4  # at most a quarter of what is not tested becomes validation
LEVELS = 4  # by which ratings are spread over folds, in place of classes


class Grouped(Protocol):
    """What of `models.examples.Examples` a split asks for; all `(n,)`."""

    @property
    def labels(self) -> NDArray[Any]: ...
    @property
    def subjects(self) -> NDArray[Any]: ...
    @property
    def songs(self) -> NDArray[Any]: ...
    @property
    def keys(self) -> NDArray[Any]: ...
    @property
    def starts_s(self) -> NDArray[Any]: ...
    @property
    def ends_s(self) -> NDArray[Any]: ...


@dataclass(frozen=True)
class Fold:
    """One split: rows in rising order, each in one part at most.

    `shared`: left out because their song or participant is in the test or the validation part.
    `purged`: left out because they overlap a window of those parts. `one_class`: parts that hold one class
    only, which can neither teach nor judge.
    """

    number: int
    train: Numbers
    valid: Numbers
    test: Numbers
    shared: Numbers
    purged: Numbers
    one_class: tuple[str, ...] = ()


def folds(rows: Grouped, n: int = 10, group: Group = "subject", seed: int = 0) -> tuple[Fold, ...]:
    """`n` folds of `rows`, each with a validation part cut from what is not tested, by the same groups.

    Of ten folds, each trains on eight tenths and stops by one. `labels` that are no integers are ratings and
    are spread by their quartiles. Raises `ConfigError` where there are too few groups for so many folds and
    another number would do, `DataError` where none would, where a row does not say its group, and where
    nothing would be left to learn from.
    """
    strata = _checked(rows, n, group)
    if group == "both":
        parts = list(_crossed(rows, strata, n, seed))
    else:
        groups = _groups(rows, group)
        _enough(groups, n, group)
        parts = list(_apart(groups, strata, n, seed, _word(group)))
    found = tuple(_fold(rows, k, test, valid, train) for k, (test, valid, train) in enumerate(parts))
    for fold in found:  # what was promised is looked at
        for name, ids in (("subject", rows.subjects), ("song", rows.songs)):
            if group in (name, "both"):
                assert_disjoint_groups(fold.train, fold.valid, fold.test, ids, name)
    return found


def assert_disjoint_groups(
    train: ArrayLike, valid: ArrayLike, test: ArrayLike, group_ids: ArrayLike, what: str = "participant"
) -> None:
    """Raise `DataError` when a group of `group_ids` `(n,)` is in two of the three parts."""
    ids = np.asarray(group_ids)
    held = {
        name: set(ids[np.asarray(part, np.intp)].tolist())
        for name, part in (("training", train), ("validation", valid), ("test", test))
    }
    for (one, first), (other, second) in combinations(held.items(), 2):
        if both := sorted(map(str, first & second)):
            some = ", ".join(both[:3]) + (f" and {len(both) - 3} more" if len(both) > 3 else "")
            raise DataError(
                f"{what} {some} is in the {one} part and in the {other} part: what is learnt there is "
                f"remembered here; split by {what}"
            )


def overlapping(rows: Grouped, some: ArrayLike, others: ArrayLike) -> Mask:
    """Which of the rows `some` share a moment of one recording with one of the rows `others`."""
    left, right = np.asarray(some, np.intp), np.asarray(others, np.intp)
    found = np.zeros(len(left), np.bool_)
    left_keys, right_keys = rows.keys[left], rows.keys[right]
    for key in np.intersect1d(left_keys, right_keys):
        mine, theirs = left_keys == key, right[right_keys == key]
        theirs = theirs[np.argsort(rows.starts_s[theirs], kind="stable")]
        latest_s = np.maximum.accumulate(rows.ends_s[theirs])
        before = np.searchsorted(rows.starts_s[theirs], rows.ends_s[left[mine]], "left")
        found[mine] = (before > 0) & (latest_s[np.maximum(before, 1) - 1] > rows.starts_s[left[mine]])
    return found


def purge_count(window: float, step: float) -> int:
    """How many windows next to a boundary overlap what is beyond it: 3 for windows of 180 every 45."""
    if not (step > 0 and window > 0):
        raise DataError(f"windows of {window} every {step} are none")
    return ceil(window / step) - 1


def _checked(rows: Grouped, n: int, group: str) -> Numbers:
    """The stratum of each row: its class, or the quarter its rating lies in."""
    if group not in get_args(Group):
        raise DataError(f"there is no split by {group!r}; take {', '.join(get_args(Group))}")
    if n < 2:
        raise DataError(f"{n} folds are none; take 2 or more")
    size = len(rows.labels)
    for name in ("subjects", "songs", "keys", "starts_s", "ends_s"):
        if len(getattr(rows, name)) != size:
            raise DataError(f"{size} labels, but {len(getattr(rows, name))} {name}")
    if size < n:
        raise DataError(f"{size} examples cannot be {n} folds; take fewer folds")
    if not np.all(rows.ends_s > rows.starts_s):
        raise DataError("an example ends before it begins, or its times are no numbers")
    for name in {"both": ("subjects", "songs"), "none": ()}.get(group, (f"{group}s",)):
        if blank := int(np.count_nonzero(getattr(rows, name) == "")):
            raise DataError(f"{blank} examples do not say their {name[:-1]}; leave them out")
    if np.issubdtype(rows.labels.dtype, np.integer):
        return np.unique(rows.labels, return_inverse=True)[1]
    if not np.isfinite(rows.labels).all():
        raise DataError("ratings hold NaN or infinity; leave those examples out")
    return np.searchsorted(np.quantile(rows.labels, np.arange(1, LEVELS) / LEVELS), rows.labels)


def _groups(rows: Grouped, group: str) -> Numbers:
    """Numbers of groups, the same in whatever order the rows come."""
    if group != "none":
        return np.unique(rows.subjects if group == "subject" else rows.songs, return_inverse=True)[1]
    order = np.lexsort((rows.ends_s, rows.starts_s, rows.songs, rows.subjects, rows.keys))
    numbers = np.empty(len(order), np.intp)
    numbers[order] = np.arange(len(order))
    return numbers


def _enough(groups: Numbers, n: int, group: str) -> None:
    there, least = len(np.unique(groups)), _least(n)
    if there >= least:
        return
    told = f"{n} folds by {group} need {least} {_word(group)}s to train, stop and test; there are {there}"
    if there < LEAST:
        raise DataError(told)
    raise ConfigError(f"{told}; take {f'at most {there}' if n > there else LEAST} folds")


def _least(n: int) -> int:
    """Groups that `n` folds need: beside each test part two are left, one to train and one to stop."""
    return 4 if n == 2 else n


def _word(group: str) -> str:
    """What a group is called."""
    return {"none": "example"}.get(group, group)


def _apart(
    groups: Numbers, strata: Numbers, n: int, seed: int, word: str
) -> Iterator[tuple[Mask, Mask, Mask]]:
    """Test, validation and training, whole groups in one of them each.

    Raises `ConfigError` where of two folds one holds a single large group: nothing then stops the other's.
    """
    block = _dealt(groups, strata, n, np.random.default_rng([seed, 0]))
    for k in range(n):
        test, rest = block == k, np.flatnonzero(block != k)
        if np.ptp(groups[rest]) == 0:
            raise ConfigError(
                f"of {n} folds one is a single {word} with {len(rest)} of {len(groups)} examples: when the "
                f"other is tested, one {word} is left and cannot both train and stop; take {LEAST} folds"
            )
        rng = np.random.default_rng([seed, 1, k])
        parts = min(max(n - 1, LEAST_INNER), len(np.unique(groups[rest])))
        valid = np.zeros(len(groups), np.bool_)
        valid[rest] = _dealt(groups[rest], strata[rest], parts, rng) == rng.integers(parts)
        yield test, valid, ~test & ~valid


def _crossed(rows: Grouped, strata: Numbers, n: int, seed: int) -> Iterator[tuple[Mask, Mask, Mask]]:
    """Test, validation and training without a participant or a song in common.

    Tests are the cells of blocks of participants by blocks of songs, as many as folds: where everybody heard
    other songs, one block of songs is best; where all heard the same, about as many of each. Taken is what
    leaves the smallest training part largest.
    """
    subjects, songs = _groups(rows, "subject"), _groups(rows, "song")
    best: list[tuple[Mask, Mask, Mask]] = []
    for across in (a for a in range(1, n + 1) if n % a == 0):
        found = _grid(subjects, songs, strata, across, n // across, seed)
        if found and (not best or _smallest(found) > _smallest(best)):
            best = found
    if not best:
        raise DataError(
            f"{n} folds by both leave nothing to learn from ({subjects.max() + 1} participants, "
            f"{songs.max() + 1} songs); where all heard the same songs, take a number such as 4, 9 or 16"
        )
    return iter(best)


def _grid(
    subjects: Numbers, songs: Numbers, strata: Numbers, people: int, pieces: int, seed: int
) -> list[tuple[Mask, Mask, Mask]]:
    """The cells of `people` blocks by `pieces` blocks; none where one cell cannot be used."""
    if people > subjects.max() + 1 or pieces > songs.max() + 1:
        return []
    who = _dealt(subjects, strata, people, np.random.default_rng([seed, 2]))
    what = _dealt(songs, strata, pieces, np.random.default_rng([seed, 3]))
    found = []
    for k in range(people * pieces):
        test = (who == k // pieces) & (what == k % pieces)
        rest = _strangers(subjects, songs, test)
        inner = _inner(subjects, songs, strata, np.flatnonzero(rest), people * pieces, [seed, 4, k])
        if not test.any() or inner is None:
            return []
        found.append((test, inner, _strangers(subjects, songs, inner) & rest))
    return found


def _inner(
    subjects: Numbers, songs: Numbers, strata: Numbers, rest: Numbers, n: int, seed: list[int]
) -> Mask | None:
    """The validation rows, cut from `rest` so that most rows are left to learn from."""
    parts = max(n - 1, LEAST_INNER)
    best, most = None, 0
    for people in range(1, parts + 1):
        pieces = ceil(parts / people)
        own, ones = np.unique(subjects[rest]), np.unique(songs[rest])
        if people > len(own) or pieces > len(ones):
            continue
        rng = np.random.default_rng([*seed, people])
        who = _dealt(subjects[rest], strata[rest], people, rng) == rng.integers(people)
        what = _dealt(songs[rest], strata[rest], pieces, rng) == rng.integers(pieces)
        valid = np.zeros(len(subjects), np.bool_)
        valid[rest[who & what]] = True
        left = int(_strangers(subjects, songs, valid)[rest].sum())
        if valid.any() and left > most:
            best, most = valid, left
    return best


def _strangers(subjects: Numbers, songs: Numbers, part: Mask) -> Mask:
    """Rows that have neither participant nor song in common with those of `part`."""
    return ~np.isin(subjects, subjects[part]) & ~np.isin(songs, songs[part])


def _smallest(parts: list[tuple[Mask, Mask, Mask]]) -> int:
    return min(int(train.sum()) for _, _, train in parts)


def _dealt(groups: Numbers, strata: Numbers, n: int, rng: np.random.Generator) -> Numbers:
    """The block of each row: groups, the largest first, go where their classes are scarcest.

    While a block is empty the next group goes there, so that none stays empty.
    """
    _, group, size = np.unique(groups, return_inverse=True, return_counts=True)
    counts = np.zeros((len(size), strata.max() + 1))
    np.add.at(counts, (group, strata), 1)
    shares = counts / np.maximum(counts.sum(0), 1)
    shuffled = rng.permutation(len(size))
    if len(size) == len(groups):  # single rows are dealt out class by class
        hand = shuffled[np.argsort(counts[shuffled].argmax(1), kind="stable")]
        turn = np.empty(len(size), np.intp)
        turn[hand] = np.arange(len(size)) % n
        return turn[group]
    order = shuffled[np.argsort(-(shares[shuffled] ** 2).sum(1).round(12), kind="stable")]
    held, rows_in = np.zeros((n, counts.shape[1])), np.zeros(n)
    block = np.empty(len(size), np.intp)
    for one in order:
        crowd = (held @ shares[one]).round(12)
        least = np.lexsort((rows_in, crowd))[0]
        held[least] += shares[one]
        rows_in[least] += size[one]
        block[one] = least
    return block[group]


def _fold(rows: Grouped, number: int, test: Mask, valid: Mask, train: Mask) -> Fold:
    """The rows of each part, without windows that overlap a later part."""
    tested, stops, learns = np.flatnonzero(test), np.flatnonzero(valid), np.flatnonzero(train)
    purged_valid = overlapping(rows, stops, tested)
    purged_train = overlapping(rows, learns, np.concatenate([tested, stops]))
    parts = {"train": learns[~purged_train], "valid": stops[~purged_valid], "test": tested}
    for name, part in parts.items():
        if not len(part):
            raise DataError(
                f"fold {number} has no {name} part left once overlapping windows are purged; "
                "take longer hops, or split by subject"
            )
    classes = rows.labels if np.issubdtype(rows.labels.dtype, np.integer) else np.arange(len(test))
    lone = tuple(name for name, part in parts.items() if len(np.unique(classes[part])) == 1)
    return Fold(
        number,
        **parts,
        shared=np.flatnonzero(~(test | valid | train)),
        purged=np.sort(np.concatenate([learns[purged_train], stops[purged_valid]])),
        one_class=lone,
    )
