"""What makes a result unworthy of belief: looked for in every run, told in the run and on the card.

    alarms = of_splits(examples, folds, "subject", spec.inputs)
    alarms += of_labels(examples, folds, found.how["is_own"], found.how["population"])
    alarms += of_scores("HKU956", "valence", "subject", summary)
    [alarm.text for alarm in alarms if alarm.level == "red"]

Red is what must not be: a participant on both sides of a split by participant, windows that overlap, the same
recording twice, music learnt by heart, something fitted on test rows, a result better than can be. Amber is
what the chosen split allows and a reader must know: that songs, or participants, are on both sides; that
labels are not the participant's own; and that folds were learnt by different programs. Where labels are
songs' means, a song on both sides is red: it tells the label.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from emolab.models.classifier import Input
from emolab.models.examples import Examples
from emolab.training.splits import Fold, Group, overlapping

NAMED = 5  # folds in a sentence

Level = Literal["red", "amber"]
Kind = Literal["subject", "song", "window", "copy", "fitted", "too_good", "one_class", "labels", "programs"]


@dataclass(frozen=True)
class Alarm:
    """One finding: how many tested `rows` it concerns, in which `folds`; `text` is for the card."""

    level: Level
    kind: Kind
    text: str
    folds: tuple[int, ...] = ()
    rows: int = 0


@dataclass(frozen=True)
class Limit:
    """The `value` of a `figure` above which a result on unseen participants is a leak until shown."""

    figure: str
    value: float
    why: str


_FLOOR = "a forest reaches {} by participant, and nothing much more has been shown"
_TRIALS = "RTCAN-1D's authors report it of a split by trials, with participants on both sides"
LIMITS: Mapping[tuple[str, str], Limit] = {
    ("HKU956", "valence"): Limit("macro_f1", 0.65, _FLOOR.format("0.504")),
    ("HKU956", "arousal"): Limit("macro_f1", 0.65, _FLOOR.format("0.457")),
    ("PMEmo", "valence"): Limit("accuracy", 0.7968, _TRIALS),
    ("PMEmo", "arousal"): Limit("accuracy", 0.8376, _TRIALS),
    ("DEAP", "valence"): Limit("accuracy", 0.7715, _TRIALS),
    ("DEAP", "arousal"): Limit("accuracy", 0.8342, _TRIALS),
    ("AMIGOS", "valence"): Limit("accuracy", 0.7587, _TRIALS),
    ("AMIGOS", "arousal"): Limit("accuracy", 0.7820, _TRIALS),
}
ANYWHERE = Limit("macro_f1", 0.95, "what people feel is not told that well from anybody's body")


def of_splits(
    examples: Examples, folds: Sequence[Fold], group: Group, inputs: Sequence[Input], is_own: bool = True
) -> tuple[Alarm, ...]:
    """What the parts of `folds` have in common. `inputs`: what the model sees; music is learnt by heart.

    `is_own`: labels come of what each participant said; else they are a song's, and are known with the song.
    """
    hears = any(one.modality == "music" for one in inputs)
    copies = _contents(examples, inputs)
    learnt = [np.concatenate([fold.train, fold.valid]) for fold in folds]

    def common(ids: NDArray[Any]) -> list[int]:
        """How many tested rows of each fold have an id that was there to learn from."""
        return [int(np.isin(ids[fold.test], ids[own]).sum()) for fold, own in zip(folds, learnt, strict=True)]

    windows = [
        int(overlapping(examples, fold.test, own).sum()) for fold, own in zip(folds, learnt, strict=True)
    ]
    found = (
        _told("red" if group in ("subject", "both") else "amber", "subject", common(examples.subjects), folds,
              "are of participants that the model has learnt from: it may know the person, not the feeling"),
        _told("red" if group in ("song", "both") or hears or not is_own else "amber", "song",
              common(examples.songs), folds, "are of songs that the model has learnt from"
              + (", and it hears the music: it may know the song by heart" if hears else "")
              + ("" if is_own else ", and the label is the song's mean: it may know the song and "
                 "nothing of feelings; split by song, or by both")),
        _told("red", "window", windows, folds,
              "overlap in time with rows that the model has learnt from: it has partly seen them"),
        _told("red", "copy", common(copies) if copies is not None else [0] * len(folds), folds,
              "are, number for number, signals that the model has learnt from"),
        _told("amber", "one_class", [len(fold.test) * bool(fold.one_class) for fold in folds], folds,
              "are in folds of which a part holds one class only: figures of those mean little"),
    )  # fmt: skip
    return tuple(alarm for alarm in found if alarm is not None)


def of_labels(
    examples: Examples, folds: Sequence[Fold], is_own: bool, population: Collection[str]
) -> tuple[Alarm, ...]:
    """Which labels are not the participant's own; `is_own` and `population` as `Found.how` has them."""
    tested = [len(fold.test) * (not is_own) for fold in folds]
    lent = [int(np.isin(examples.subjects[fold.test], sorted(population)).sum()) for fold in folds]
    found = (
        _told("amber", "labels", tested, folds,
              "have a label made of the song's mean rating, not of what the participant said"),
        _told("amber", "labels", lent, folds,
              f"are of participants ({len(population)}) who rated too few songs, or all alike: for them high "
              "begins at the median of the others' thresholds"),
    )  # fmt: skip
    return tuple(alarm for alarm in found if alarm is not None)


def of_scores(corpus: str, target: str, group: Group, summary: Mapping[str, Any]) -> tuple[Alarm, ...]:
    """Is the mean over folds of `scores.summary` better than can be on participants not seen before?"""
    if group not in ("subject", "both"):
        return ()
    limit = LIMITS.get((corpus, target), ANYWHERE)
    reached = summary["over_folds"].get(limit.figure, {}).get("mean")  # none where every fold was skipped
    if reached is None or reached <= limit.value:
        return ()
    name = {"macro_f1": "macro-F1"}.get(limit.figure, limit.figure)
    text = (
        f"{name} {reached:.3f} on participants not seen before is above {limit.value:g}: {limit.why}; "
        "take it for a leak until it is proven to be none"
    )
    return (Alarm("red", "too_good", text),)


def of_programs(learnt: Mapping[str, Sequence[str]]) -> tuple[Alarm, ...]:
    """Is a run of several programs? `learnt`: what each has learnt, by the program in words."""
    if len(learnt) < 2:
        return ()
    told = "; ".join(f"{_several(parts)} by {program}" for program, parts in learnt.items())
    text = (
        f"the run went on under another emolab: {told}. What changed between them may be in the figures; "
        "for figures of one, run the same command with another --out"
    )
    return (Alarm("amber", "programs", text),)


def of_fitting(
    learn: Callable[[Examples, Fold], Mapping[str, NDArray[Any]]],
    examples: Examples,
    fold: Fold,
    seed: int = 0,
) -> tuple[Alarm, ...]:
    """Does what is learnt in a fold hang on its test rows?

    `learn` gives what was learnt as arrays, scalings included. It is called twice with all examples, the
    second time with signals, labels and ratings of the test rows changed; a single bit of difference tells.
    For a model that learns long, let it learn one epoch.
    """
    first = {name: np.array(array) for name, array in learn(examples, fold).items()}
    again = learn(disturbed(examples, fold.test, seed), fold)
    changed = sorted(first.keys() ^ again.keys())
    changed += [
        name for name in first.keys() & again.keys() if not _same(first[name], np.asarray(again[name]))
    ]
    if not changed:
        return ()
    text = f"{', '.join(sorted(changed)[:5])} came out otherwise when test rows were changed: fitted on them"
    return (Alarm("red", "fitted", text, (fold.number,), len(fold.test)),)


def disturbed(examples: Examples, rows: NDArray[np.intp], seed: int = 0) -> Examples:
    """The same examples, with other signals, labels and ratings in `rows`; nothing given is written to."""
    labels = examples.labels.copy()
    labels[rows] = (labels[rows] + 1) % len(examples.classes)
    ratings = examples.ratings
    if ratings is not None:
        ratings = ratings.copy()
        ratings[rows] = ratings[rows, ::-1] * -3 + 1
    inputs = tuple(_Disturbed(one, _mask(len(examples), rows), seed) for one in examples.inputs)
    return replace(examples, inputs=tuple(one.settled() for one in inputs), labels=labels, ratings=ratings)


class _Disturbed:
    """An input of which some rows come out otherwise, drawn when they are needed as those of its base are."""

    def __init__(self, base: Any, which: NDArray[np.bool_], seed: int) -> None:
        self.base, self.which, self.seed = base, which, seed

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.base.shape)

    def __len__(self) -> int:
        return len(self.base)

    def __getitem__(self, rows: Any) -> NDArray[Any]:
        found = np.array(self.base[rows])
        mask = self.which[rows]
        noise = np.random.default_rng(self.seed).normal(7, 30, found.shape[1:])
        found[mask] = (found[mask] * -11 + noise).astype(found.dtype)
        return found

    def take(self, rows: NDArray[np.intp]) -> _Disturbed:
        return _Disturbed(self.base.take(rows), self.which[rows], self.seed)

    def content(self) -> Iterator[NDArray[Any]]:
        for row in range(len(self)):
            yield self[row : row + 1]

    def settled(self) -> Any:
        """An array where the base is one."""
        return self[:] if isinstance(self.base, np.ndarray) else self


def _several(parts: Sequence[str]) -> str:
    """The first few, and how many more."""
    some = ", ".join(parts[:NAMED])
    return some + (f" and {len(parts) - NAMED} more" if len(parts) > NAMED else "")


def _mask(n: int, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    mask = np.zeros(n, np.bool_)
    mask[rows] = True
    return mask


def _same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def _contents(examples: Examples, inputs: Sequence[Input]) -> NDArray[np.intp] | None:
    """A number for each row, the same where all signals are; None where none can be looked at cheaply."""
    seen = [
        array.reshape(len(array), -1)
        for array, one in zip(examples.inputs, inputs, strict=True)
        if isinstance(array, np.ndarray) and one.modality != "music"  # a song is the same to all
    ]
    if not seen or not len(examples):
        return None
    numbers: dict[bytes, int] = {}
    rows = zip(*seen, strict=True)
    return np.array(
        [numbers.setdefault(b"".join(part.tobytes() for part in row), len(numbers)) for row in rows]
    )


def _told(level: Level, kind: Kind, counts: Sequence[int], folds: Sequence[Fold], what: str) -> Alarm | None:
    where = tuple(fold.number for fold, count in zip(folds, counts, strict=True) if count)
    if not where:
        return None
    tested = sum(len(fold.test) for fold in folds)
    text = f"{sum(counts)} of {tested} tested rows, in {len(where)} of {len(folds)} folds, {what}"
    return Alarm(level, kind, text, where, sum(counts))
