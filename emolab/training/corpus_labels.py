"""What a trial of a corpus is called: high or low by a threshold, a class that was given, a state reported.

check_target("valence")
found = labels_of(corpus, "valence", "own")
found.by_key["hku1903/0_262957"]    # Labelled(…, label=1, …), or the reason why it has none
found.is_own, found.population      # whose these labels are
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from emolab.core.errors import ConfigError, shown
from emolab.core.label import STATE_KEYS
from emolab.datasets import amigos, deap, hku956, pmemo
from emolab.datasets.sessions import Sessions
from emolab.datasets.thresholds import AXES, fixed, is_high, thresholds

By = Literal["own", "fixed", "corpus"]

BINARY = ("low", "high")
GROUPS = ("negative", "neutral", "positive")
TARGETS = (*AXES, "state", "group")


@dataclass(frozen=True)
class Facts:
    """Of a corpus: its rate, the middle of its ratings, rows and columns of the authors' pictures."""

    rate_hz: float
    middle: float
    row: int | None = None
    rows: int | None = None


FACTS = {
    "HKU956": Facts(hku956.RATES_HZ["eda"] or 4.0, 0.0),
    "PMEmo": Facts(pmemo.RATE_HZ, 0.5),
    "DEAP": Facts(deap.RATE_HZ, 5.0, 87, 87),
    "AMIGOS": Facts(amigos.RATE_HZ, 5.0, 100, 100),
}


@dataclass(frozen=True)
class Labelled:
    """A trial that has a label."""

    key: str
    subject: str
    song: str
    label: int
    ratings: tuple[float, float]


@dataclass(frozen=True)
class Labels:
    """All of a corpus's labels: by key a trial's, or why it has none; `classes` that they are places in.

    `is_own`: they come of what each participant said, not of a song's means. `population`: participants whose
    high begins at the median of the others' thresholds, since they rated too few songs, or all alike.
    """

    by_key: dict[str, Labelled | str]
    classes: tuple[str, ...]
    is_own: bool = True
    population: frozenset[str] = frozenset()


def check_target(target: str) -> None:
    """Raises `ConfigError` for what is no target of any corpus."""
    if target not in TARGETS:
        raise ConfigError(f"{shown(target)} is no target; known are {', '.join(TARGETS)}")


def labels_of(dataset: Any, target: str, by: By) -> Labels:
    """Each trial's label, the classes, and whose the labels are.

    Raises `ConfigError` for a target or labels that the corpus does not have.
    """
    if isinstance(dataset, Sessions):
        if dataset.by != target:
            raise ConfigError(f"the study was opened for {dataset.by!r}, not {target!r}; see open_corpus")
        classes = STATE_KEYS if target == "state" else GROUPS
        return Labels(dict(_session_labels(dataset, classes)), classes)
    if target not in AXES:
        raise ConfigError(f"{dataset.spec.name} has no target {target!r}; it has {' and '.join(AXES)}")
    if getattr(dataset, "target", target) != target:
        raise ConfigError(
            f"{dataset.spec.name} was opened for {dataset.target!r}, not {target!r}; see open_corpus"
        )
    if by == "corpus":
        return Labels(dict(_given_labels(dataset, target)), ("negative", "positive"))
    return _rated_labels(dataset, target, by)


def _session_labels(dataset: Sessions, classes: tuple[str, ...]) -> Iterator[tuple[str, Labelled]]:
    heard = dataset.heard()
    for ref in dataset.trials():
        one, label = heard[ref.key], classes.index(ref.label)
        yield ref.key, Labelled(ref.key, one.participant, one.playing.clip, label, (np.nan, np.nan))


def _rated_labels(dataset: Any, target: str, by: By) -> Labels:
    """Thresholds are of all that was rated, also of trials whose signal cannot be used."""
    ratings = dataset.ratings()
    subjects = [_who(one) for one in ratings.values()]
    points = [(one.valence, one.arousal) for one in ratings.values()]
    if by == "own":
        found = thresholds(subjects, points)
    else:
        found = fixed(subjects, points, FACTS[dataset.spec.name].middle)
    high = is_high(subjects, points, found)[:, AXES.index(target)]
    by_key: dict[str, Labelled | str] = {
        key: Labelled(key, _who(one), one.song, int(is_one), (one.valence, one.arousal))
        for (key, one), is_one in zip(ratings.items(), high.tolist(), strict=True)
    }
    population = frozenset(who for who, one in found.items() if one.source == "population")
    return Labels(by_key, BINARY, getattr(dataset, "is_own", True), population)


def _given_labels(dataset: Any, target: str) -> Iterator[tuple[str, Labelled | str]]:
    if not isinstance(dataset, hku956.Hku956):
        raise ConfigError(f"{dataset.spec.name} gives no classes of its own; take labels 'own' or 'fixed'")
    for key, one in dataset.ratings().items():
        given = getattr(one, f"{target}_class")
        if given == "neutral":
            yield key, f"its {target} is neutral, which the corpus's two classes leave out"
        else:
            label = int(given == "positive")
            yield key, Labelled(key, one.participant, one.song, label, (one.valence, one.arousal))


def _who(rating: Any) -> str:
    return str(getattr(rating, "subject", None) or rating.participant)
