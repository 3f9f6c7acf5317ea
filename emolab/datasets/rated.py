"""A corpus in which each subject rated valence and arousal of each trial: what PMEmo, DEAP and AMIGOS share.

    corpus = Deap(folder)                                   # labels: "high" or "low" valence
    corpus = Deap(folder, target="arousal", threshold=5.0)  # one threshold for all instead of each one's own
    corpus.ratings()["s01/00"]                              # Rated(subject="s01", song="00", valence=7.71, …)
    corpus.thresholds()["s01"]                              # see `thresholds`

A corpus gives its ratings and loads a trial; the classes, and the account of what is left out, are here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from emolab.core.errors import DataError, shown
from emolab.datasets.dataset import Account, LeftOut, Spec, Trial, TrialRef
from emolab.datasets.thresholds import AXES, Counts, Threshold, class_counts, fixed, is_high
from emolab.datasets.thresholds import thresholds as own_thresholds

Target = Literal["valence", "arousal"]


@dataclass(frozen=True)
class Rated:
    """What a subject said of a song (or a video), on the corpus's own scale."""

    subject: str
    song: str
    valence: float
    arousal: float


class RatedCorpus(ABC):
    """`place`: its folder. `target`: what the labels are of. `threshold`: None for each subject's own."""

    spec: Spec

    def __init__(self, place: Path, target: Target = "valence", threshold: float | None = None) -> None:
        if target not in AXES:
            raise DataError(f"{shown(target)} is no target; known are {', '.join(AXES)}")
        self.place = place
        self.target: Target = target
        self.threshold = threshold
        self._ratings: dict[str, Rated] | None = None
        self._left_out = Account(self.spec.name)

    @abstractmethod
    def _rated(self) -> Iterator[tuple[str, Rated]]:
        """Each trial's key and rating; those without one are left out by `_leave_out`."""

    @abstractmethod
    def load(self, ref: TrialRef) -> Trial:
        """One trial's arrays."""

    @property
    def is_own(self) -> bool:
        """Whether ratings are what each subject said, not a song's means."""
        return True

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Trials that cannot be used, as far as they were looked at; `each` looks at all."""
        self.ratings()
        return self._left_out.every()

    def whose(self, key: str) -> str | None:
        """The subject of a trial, also of one left out."""
        return key.partition("/")[0]

    def ratings(self) -> Mapping[str, Rated]:
        """What was said in each trial, by its key, also of those left out for want of a signal."""
        if self._ratings is None:
            self._ratings = dict(self._rated())
        return self._ratings

    def thresholds(self) -> dict[str, Threshold]:
        """Where high begins for each subject, found from all that it rated."""
        who, points = self._points()
        if self.threshold is None:
            return own_thresholds(who, points)
        return fixed(who, points, self.threshold)

    def counts(self) -> dict[str, Counts]:
        """Trials that can be used by class, of valence and of arousal."""
        who, points = self._points()
        used = np.array([key not in self._left_out for key in self.ratings()], bool)
        return class_counts(is_high(who, points, self.thresholds())[used])

    def trials(self) -> Sequence[TrialRef]:
        """Those that can be used, `high` or `low` in `target`."""
        who, points = self._points()
        if not who:
            return []
        rows = is_high(who, points, self.thresholds())[:, AXES.index(self.target)]
        return [
            TrialRef(key, rated.subject, "high" if high else "low")
            for (key, rated), high in zip(self.ratings().items(), rows, strict=True)
            if key not in self._left_out
        ]

    def by_target(self) -> dict[Target, RatedCorpus]:
        """The corpus for each target that has recordings of its own; itself where all share them."""
        return {self.target: self}

    def each(self) -> Iterator[Trial]:
        """All trials, loaded one after the other; what cannot be loaded is left out, and told."""
        return self._left_out.each(self)

    def _of(self, ref: TrialRef) -> Rated:
        rated = self.ratings().get(ref.key)
        if rated is None:
            first = next(iter(self.ratings()), "none")
            raise DataError(
                f"{self.spec.name} in {self.place} has no trial {ref.key!r}; its first is {first}"
            )
        return rated

    def _leave_out(self, key: str, why: str) -> None:
        self._left_out.leave_out(key, why)

    def _leave_out_all(self, keys: Sequence[str], why: str) -> None:
        self._left_out.leave_out_all(keys, why)

    def _points(self) -> tuple[list[str], list[tuple[float, float]]]:
        every = self.ratings().values()
        return [rated.subject for rated in every], [(rated.valence, rated.arousal) for rated in every]
