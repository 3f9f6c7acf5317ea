"""What every corpus offers: where it comes from, its trials without loading them, one trial loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Spec:
    """A corpus in words: `citation`, `licence` as its owners state it, `where` to get it.

    `published`: how many there are of what: trials, participants, songs, or a split.
    """

    name: str
    citation: str
    licence: str
    where: str
    published: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class TrialRef:
    """One trial, not loaded: its `key` in the corpus, who (None where the corpus does not say), its label.

    `split` is that published with the corpus, None where there is none.
    """

    key: str
    subject: str | None
    label: str
    split: str | None = None


@dataclass(frozen=True)
class Trial:
    """One trial, loaded: its arrays by name."""

    ref: TrialRef
    arrays: dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class LeftOut:
    """A trial that cannot be used, and why."""

    key: str
    why: str


@runtime_checkable
class Dataset(Protocol):
    """A corpus in a folder."""

    @property
    def spec(self) -> Spec:
        """Citation, licence, where to get it."""
        ...

    def trials(self) -> Sequence[TrialRef]:
        """All trials, subject and label, nothing loaded."""
        ...

    def load(self, ref: TrialRef) -> Trial:
        """One trial's arrays."""
        ...
