"""What every corpus offers: where it comes from, its trials without loading them, one trial loaded."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError

log = logging.getLogger(__name__)


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


@contextmanager
def quietly() -> Iterator[None]:
    """Within it the log is not told what is left out: for those who tell it themselves."""
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


@dataclass
class Account:
    """What a corpus called `name` leaves out, and why, by trial; told in the log as it comes."""

    name: str
    by_key: dict[str, LeftOut] = field(default_factory=dict)

    def leave_out(self, key: str, why: str) -> None:
        """Note that a trial cannot be used."""
        log.warning("%s: %s is left out: %s", self.name, key, why)
        self.by_key[key] = LeftOut(key, why)

    def leave_out_all(self, keys: Sequence[str], why: str) -> None:
        """Note that trials cannot be used, all for one reason: one line in the log."""
        if len(keys) > 1:
            log.warning("%s: %d trials are left out, such as %s: %s", self.name, len(keys), keys[0], why)
            self.by_key |= {key: LeftOut(key, why) for key in keys}
        elif keys:
            self.leave_out(keys[0], why)

    def __contains__(self, key: str) -> bool:
        return key in self.by_key

    def every(self) -> tuple[LeftOut, ...]:
        """All that was left out up to now, in order."""
        return tuple(self.by_key.values())

    def each(self, corpus: Dataset) -> Iterator[Trial]:
        """The corpus's trials, loaded one after the other; what cannot be loaded is left out."""
        for ref in corpus.trials():
            try:
                trial = corpus.load(ref)
            except DataError as error:
                self.leave_out(ref.key, str(error))
            else:
                yield trial
