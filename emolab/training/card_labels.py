"""Of a run's card: what a label is, and on which scale a rating is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emolab.core.label import STATES
from emolab.datasets import amigos, deap, hku956
from emolab.datasets.thresholds import AXES
from emolab.models.examples import Examples
from emolab.training.corpus_labels import FACTS, GROUPS
from emolab.training.order import Order

NAMED = 8  # participants in a sentence
SCALES: Mapping[str, tuple[float, float]] = {  # least and greatest rating
    "HKU956": (-hku956.LARGEST_RATING, hku956.LARGEST_RATING),
    "PMEmo": (0.0, 1.0),
    "DEAP": (deap.SMALLEST, deap.LARGEST),
    "AMIGOS": (amigos.SMALLEST, amigos.LARGEST),
}
OWN = (
    "each participant's own threshold, half-way between two clusters of all ratings they gave, those of "
    "tested trials included: that is how the label is defined, and no learning; a rating exactly on it "
    "counts as high"
)
CORPUS = "the corpus's two classes; its neutral trials are left out"
MEANS = "each song's mean rating, which all who heard it share, not what each participant said"
OWN_OF_SONGS = (
    f"{MEANS}; high begins half-way between two clusters of the means of songs a participant heard; a mean "
    "exactly there counts as high"
)
REPORTED = "that the participant reported after each clip, not what the clip was chosen for"


def told(order: Order, examples: Examples, how: Mapping[str, Any]) -> list[str]:
    """What the labels or ratings come of, and for whom that is otherwise; `how` as `Found` has it."""
    if order.target == "state":
        each = ", ".join(f"{one.key} ({', '.join(one.words)})" for one in STATES)
        return [f"labels: the state {REPORTED}: {each}"]
    if order.target == "group":
        return [f"labels: the group of the state {REPORTED}: {_groups()}"]
    if order.is_regression:
        return [] if how["is_own"] else [f"ratings: {MEANS}"]
    return [f"labels: {_of_axes(order, examples, how)}", *_lent(how["population"])]


def rated(order: Order, examples: Examples, corpus: str) -> str:
    """How the ratings that a regression learns are spread, and on which scale."""
    assert examples.ratings is not None
    ours = examples.ratings[:, AXES.index(order.target)]
    ends = (
        f"{number(ours.min())} to {number(ours.max())}, mean {number(ours.mean())}, SD {number(ours.std())}"
    )
    return f"ratings of {order.target} from {ends}, {scale_words(corpus)}"


def scale_words(corpus: str) -> str:
    """The scale of a corpus's ratings, in words."""
    low, high = SCALES[corpus]
    return f"on a scale from {number(low)} to {number(high)}"


def number(value: float) -> str:
    """A rating as people write it."""
    return f"{value:.3g}".replace("-", "−")


def _of_axes(order: Order, examples: Examples, how: Mapping[str, Any]) -> str:
    if order.labels == "corpus":
        return CORPUS
    if order.labels == "own":
        return OWN if how["is_own"] else OWN_OF_SONGS
    corpus = str(how["corpus"])
    middle = FACTS[corpus].middle
    begins = f"{number(middle)} {scale_words(corpus)}"
    if not how["is_own"]:
        return f"{MEANS}; high begins at {begins}; a mean exactly there counts as high"
    assert examples.ratings is not None
    there = int(np.count_nonzero(examples.ratings[:, AXES.index(order.target)] == middle))
    exactly = f"a rating exactly there counts as high ({there} of {len(examples)})"
    return f"high begins for everybody at the middle, {begins}; {exactly}"


def _groups() -> str:
    members = {name: [one.key for one in STATES if one.group == name] for name in GROUPS}
    return ", ".join(f"{name} is {' or '.join(keys)}" for name, keys in members.items())


def _lent(population: Sequence[str]) -> list[str]:
    """Whose threshold is that of the others."""
    if not population:
        return []
    more = len(population) - NAMED
    some = ", ".join(population[:NAMED]) + (f" and {more} more" if more > 0 else "")
    return [
        f"without a threshold of their own, since they rated too few songs or all alike: {some}; theirs "
        "is the median of the others'"
    ]
