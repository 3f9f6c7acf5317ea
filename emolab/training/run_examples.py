"""The examples of a run, read anew in each process that works on it, and kept there while it works.

Signals of participants are never written into a run's folder: a worker reads the corpus as the run did, and
what was decomposed of a public corpus comes from the cache. That they are the same is seen by their SHA-256.
"""

from __future__ import annotations

from collections.abc import Callable

from emolab.core.errors import DataError
from emolab.datasets.cache import ArrayCache
from emolab.models.classifier import make
from emolab.signals.audio_features import read_table
from emolab.training.corpus_examples import Found, examples_of, open_corpus
from emolab.training.order import Order

_held: dict[Order, tuple[str, Found]] = {}  # one at a time


def read(order: Order, on_trial: Callable[[int, int], None] | None = None) -> tuple[str, Found]:
    """SHA-256 of the examples, and the examples with the account of what is left out."""
    corpus = open_corpus(order.data, order.root, order.target, order.labels)
    found = examples_of(
        corpus,
        make(order.model, **order.made).spec,
        order.target,
        ArrayCache(order.cache),
        order.variant,
        by=order.labels,
        music=None if order.music is None else read_table(order.music),
        people=None if order.people is None else (order.people, order.seed),
        on_trial=on_trial,
    )
    _held.clear()
    _held[order] = found.examples.digest, found
    return _held[order]


def again(order: Order, digest: str) -> Found:
    """The examples that a run began with. Raises `DataError` when they are others now."""
    if order in _held and _held[order][0] == digest:
        return _held[order][1]
    now, found = read(order)
    if now != digest:
        raise DataError(
            f"the data in {order.root} are not those the run began with; begin another with --out, or see "
            "that every worker reads the same folder"
        )
    return found
