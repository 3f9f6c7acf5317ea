"""High or low valence and arousal, by a threshold of each subject's own: half-way between two clusters.

    found = thresholds(subjects, ratings)                 # ratings (n, 2): valence, arousal, on any one scale
    found["s01"]                                          # Threshold(valence=4.9, arousal=5.3, "own", …)
    high = is_high(subjects, ratings, found)              # (n, 2) bool
    class_counts(high)["arousal"]                         # Counts(high=680, low=600)

The four steps of the Res-SIN and RTCAN-1D papers: a subject's ratings as points of the valence-arousal plane,
2-means, the threshold half-way between both centres, high above it. The papers take k-means from random
starts; here the best division is found by looking at all that a line can make, so there is no seed, and
neither the order of trials nor which cluster is called the first matters. A subject with fewer than four
ratings, or with all of them equal, gets the median of the others' thresholds, and `source` tells so.

A subject's test trials take part in the threshold: it says what the label means, before anything is learnt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emolab.core.errors import DataError, shown

AXES = ("valence", "arousal")
FEWEST = 4  # ratings that are divided at all
MIDDLE = 5.0  # of ratings from 1 to 9
ROUNDING = 1e-9  # of the ratings' spread: what differs by less is equal
AT_A_TIME = 2**20  # products of directions and points held in memory

Array = NDArray[np.float64]
Source = Literal["own", "population", "fixed"]


@dataclass(frozen=True)
class Threshold:
    """Where high begins for a subject, on the scale of the ratings.

    `source`: the subject's `own`, that of the `population` for want of ratings, or `fixed` beforehand.
    `spread`: largest range of the subject's ratings on an axis. `ratings`: how many there were.
    """

    valence: float
    arousal: float
    source: Source
    spread: float
    ratings: int


@dataclass(frozen=True)
class Counts:
    """Trials by class; `majority` is the accuracy of always saying the more frequent."""

    high: int
    low: int

    @property
    def majority(self) -> float:
        """Share of the larger class, NaN of nothing."""
        whole = self.high + self.low
        return max(self.high, self.low) / whole if whole else float("nan")


def thresholds(subjects: Sequence[str], ratings: ArrayLike) -> dict[str, Threshold]:
    """A threshold for every subject, in the order in which they first come.

    `ratings`: `(n, 2)`, valence and arousal of each trial. Raises `DataError` when one is no number, or when
    no subject has ratings that can be divided.
    """
    by_subject = _by_subject(subjects, _checked(subjects, ratings))
    own = {who: _own(points) for who, points in by_subject.items()}
    known = np.array([[one.valence, one.arousal] for one in own.values() if one is not None])
    if not len(known):
        raise DataError(
            f"no subject has {FEWEST} ratings that differ, so there is no threshold; use a fixed threshold"
        )
    valence, arousal = np.median(known, axis=0)
    return {
        who: found or Threshold(float(valence), float(arousal), "population", _spread(points), len(points))
        for (who, points), found in zip(by_subject.items(), own.values(), strict=True)
    }


def fixed(subjects: Sequence[str], ratings: ArrayLike, middle: float = MIDDLE) -> dict[str, Threshold]:
    """The same threshold for everybody, on both axes: for comparison."""
    if not np.isfinite(middle):
        raise DataError(f"{middle} is no threshold; give a number on the scale of the ratings")
    return {
        who: Threshold(middle, middle, "fixed", _spread(points), len(points))
        for who, points in _by_subject(subjects, _checked(subjects, ratings)).items()
    }


def is_high(
    subjects: Sequence[str],
    ratings: ArrayLike,
    found: Mapping[str, Threshold],
    tie_is_high: bool = True,
) -> NDArray[np.bool_]:
    """Whether each rating is high, `(n, 2)`: valence, arousal; one on the threshold is `tie_is_high`."""
    points = _checked(subjects, ratings)
    missing = [who for who in subjects if who not in found]
    if missing:
        raise DataError(
            f"subject {shown(missing[0])} has no threshold; find them with its trials among the others"
        )
    edges = np.array([[found[who].valence, found[who].arousal] for who in subjects]).reshape(-1, 2)
    spread = np.array([found[who].spread for who in subjects]).reshape(-1, 1)
    nearly = ROUNDING * (spread + np.abs(edges))
    return points >= edges - nearly if tie_is_high else points > edges + nearly


def class_counts(high: NDArray[np.bool_]) -> dict[str, Counts]:
    """How many are high and low, of valence and of arousal; `high` `(n, 2)` from `is_high`."""
    return {
        axis: Counts(int(column.sum()), int((~column).sum()))
        for axis, column in zip(AXES, np.asarray(high, bool).T, strict=True)
    }


def two_means(points: ArrayLike) -> tuple[Array, Array]:
    """The centres of the best division of `points` `(n, 2)` into two: least squared distance.

    The two sides of an optimum are parted by a line, so the divisions looked at are the beginnings of the
    points' order along every direction: n² of them times n. Of equally good ones that with the least
    threshold of valence, then of arousal, is taken. The centre left of (or below) the other comes first.
    Raises `DataError` when all points are equal.
    """
    given = np.asarray(points, np.float64).reshape(-1, 2)
    distinct, weights = np.unique(given, axis=0, return_counts=True)
    if len(distinct) < 2:
        raise DataError("equal points have no two centres; give ratings that differ")
    middle = np.average(distinct, axis=0, weights=weights)
    spread = _spread(distinct)
    best, centres = -np.inf, np.empty((0, 2, 2))
    for gains, left, right in _divisions((distinct - middle) / spread, weights.astype(np.float64)):
        top = max(best, float(gains.max()))
        kept = gains >= top - ROUNDING
        pairs = np.stack([left[kept], right[kept]], axis=1)
        centres = np.concatenate([centres if best >= top - ROUNDING else centres[:0], pairs])
        best = top
    edges = centres.mean(axis=1)
    for axis in (0, 1):
        is_least = edges[:, axis] <= edges[:, axis].min() + ROUNDING
        edges, centres = edges[is_least], centres[is_least]
    first, second = sorted(map(tuple, centres[0] * spread + middle))
    return np.array(first), np.array(second)


def _divisions(points: Array, weights: Array) -> Iterator[tuple[Array, Array, Array]]:
    """What is gained by each division, and its centres; `points` about their mean, block by block."""
    whole = weights.sum()
    directions = _directions(points)
    step = max(AT_A_TIME // len(points), 1)
    for start in range(0, len(directions), step):
        order = np.argsort(directions[start : start + step] @ points.T, axis=1, kind="stable")
        counts = np.cumsum(weights[order], axis=1)[:, :-1, None]
        sums = np.cumsum((points * weights[:, None])[order], axis=1)[:, :-1]
        left, right = sums / counts, -sums / (whole - counts)  # about the mean both sums cancel
        gains = (counts * (whole - counts))[..., 0] * ((left - right) ** 2).sum(axis=2) / whole**2
        yield gains.ravel(), left.reshape(-1, 2), right.reshape(-1, 2)


def _directions(points: Array) -> Array:
    """One direction in each gap between those along which two points change places; `(k, 2)`."""
    first, second = np.triu_indices(len(points), 1)
    between = points[second] - points[first]
    angles = np.unique(np.mod(np.arctan2(between[:, 1], between[:, 0]) + np.pi / 2, np.pi))
    gaps = (angles + np.append(angles[1:], angles[0] + np.pi)) / 2
    return np.stack([np.cos(gaps), np.sin(gaps)], axis=1)


def _own(points: Array) -> Threshold | None:
    if len(points) < FEWEST or not _spread(points) > 0:
        return None
    first, second = two_means(points)
    valence, arousal = (first + second) / 2
    return Threshold(float(valence), float(arousal), "own", _spread(points), len(points))


def _spread(points: Array) -> float:
    return float(np.ptp(points, axis=0).max())


def _checked(subjects: Sequence[str], ratings: ArrayLike) -> Array:
    points = np.asarray(ratings, np.float64)
    if points.size == 0:
        points = points.reshape(0, 2)
    if points.shape != (len(subjects), 2):
        raise DataError(f"{len(subjects)} subjects need ratings ({len(subjects)}, 2), not {points.shape}")
    if not np.isfinite(points).all():
        row = int(np.flatnonzero(~np.isfinite(points).all(axis=1))[0])
        raise DataError(
            f"trial {row} of subject {shown(subjects[row])} has no rating; leave it out beforehand"
        )
    return points


def _by_subject(subjects: Sequence[str], points: Array) -> dict[str, Array]:
    rows: dict[str, list[int]] = {}
    for row, who in enumerate(subjects):
        rows.setdefault(who, []).append(row)
    return {who: points[of] for who, of in rows.items()}
