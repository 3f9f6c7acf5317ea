"""What a model learns from or is judged on: inputs and labels, and whose each row is.

    examples = Examples((curves, music), labels, ("low", "high"), subjects, songs, keys, starts_s, ends_s)
    examples.take(rows)             # some of them, in that order
    examples.digest                 # 64 hexadecimal digits: the same content, the same digits

Arrays only, no torch. An input is an array `(n, ...)` or something that gives the rows asked for as one, such
as `eda_inputs.SignalImages`, whose pictures are drawn when they are needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError

Which = slice | NDArray[np.intp] | NDArray[np.int64]


@runtime_checkable
class Rows(Protocol):
    """As much of an array as an input needs: rows by a slice or by numbers come as an array."""

    @property
    def shape(self) -> tuple[int, ...]:
        """`(n, ...)`."""
        ...

    def __len__(self) -> int:
        """How many rows there are."""
        ...

    def __getitem__(self, rows: Any, /) -> Any:
        """The rows asked for, `(k, ...)`."""
        ...


@dataclass(frozen=True, eq=False)
class Examples:
    """`n` rows of them; whoever splits them looks at `subjects` and `songs`, never at the rows alone.

    `inputs`: one for each of `spec.inputs`, in that order, `(n, ...)`. `labels`: `(n,)`, places in `classes`.
    `subjects`, `songs`, `keys`: `(n,)` of str; several windows of a trial have its key. `starts_s`, `ends_s`:
    `(n,)`, where in its trial a row begins and ends. `ratings`: `(n, 2)`, valence and arousal on the scale
    of the corpus, NaN where nobody rated them. Raises `DataError` when they do not fit together.
    """

    inputs: tuple[Rows, ...]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    subjects: NDArray[np.str_]
    songs: NDArray[np.str_]
    keys: NDArray[np.str_]
    starts_s: NDArray[np.float64]
    ends_s: NDArray[np.float64]
    ratings: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in _COLUMNS}
        lengths |= {f"input {k}": len(one) for k, one in enumerate(self.inputs)}
        if self.ratings is not None:
            lengths["ratings"] = len(self.ratings)
        if not self.inputs or len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise DataError(f"examples need inputs, and everything in equal numbers, not {told}")
        if len(set(self.classes)) != len(self.classes) or len(self.classes) < 2:
            raise DataError(f"examples need two classes or more, each named once, not {self.classes}")
        if len(self) and not (self.labels.min() >= 0 and self.labels.max() < len(self.classes)):
            raise DataError(f"labels must be places among {len(self.classes)} classes: 0 and up")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Sequence[int] | NDArray[Any]) -> Examples:
        """Some rows in the order given, by number or by a mask; pictures are still not drawn."""
        which = np.asarray(rows)
        which = np.flatnonzero(which) if which.dtype == bool else which.astype(np.intp)
        some: dict[str, Any] = {name: getattr(self, name)[which] for name in _COLUMNS}
        if self.ratings is not None:
            some["ratings"] = self.ratings[which]
        return replace(self, inputs=tuple(taken(one, which) for one in self.inputs), **some)

    def counts(self) -> dict[str, int]:
        """How many there are of each class."""
        found = np.bincount(self.labels, minlength=len(self.classes)).tolist()
        return dict(zip(self.classes, found, strict=True))

    @property
    def digest(self) -> str:
        """SHA-256 of the content, inputs included."""
        mark = hashlib.sha256(repr(self.classes).encode())
        for name in (*_COLUMNS, *(["ratings"] if self.ratings is not None else [])):
            _feed(mark, getattr(self, name))
        for one in self.inputs:
            parts: Iterator[NDArray[Any]] = getattr(one, "content", lambda one=one: iter([one]))()
            for part in parts:
                _feed(mark, part)
        return mark.hexdigest()


def taken(rows: Rows, which: NDArray[np.intp]) -> Rows:
    """Some rows of an input; what draws its rows when they are needed, has a `take` of its own."""
    return rows[which] if isinstance(rows, np.ndarray) else rows.take(which)  # type: ignore[attr-defined,no-any-return]


def whole_trials(
    inputs: tuple[Rows, ...],
    labels: Sequence[int],
    classes: tuple[str, ...],
    subjects: Sequence[str],
    songs: Sequence[str],
    keys: Sequence[str],
    lengths_s: Sequence[float],
    ratings: Sequence[tuple[float, float]] | None = None,
) -> Examples:
    """Examples of which each is a whole trial, out of lists."""
    who, heard, called = (np.asarray(list(column), np.str_) for column in (subjects, songs, keys))
    ends_s = np.asarray(lengths_s, np.float64)
    rated = None if ratings is None else np.asarray(ratings, np.float64).reshape(-1, 2)
    places = np.asarray(labels, np.int64)
    return Examples(inputs, places, classes, who, heard, called, np.zeros(len(ends_s)), ends_s, rated)


_COLUMNS = ("labels", "subjects", "songs", "keys", "starts_s", "ends_s")


def _feed(mark: Any, values: NDArray[Any]) -> None:
    given = np.ascontiguousarray(values)
    if given.dtype.kind == "U":  # the longest name among the rows must not matter
        content = "\0".join(given.tolist()).encode()
    else:
        content = given.tobytes()
    mark.update(f"{given.dtype.kind} {given.shape} {len(content)} ".encode())
    mark.update(content)
