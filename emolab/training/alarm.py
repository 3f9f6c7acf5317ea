"""What makes a result unworthy of belief: looked for in every run, told in the run and on the card.

    alarms = of_splits(examples, folds, "subject", spec.inputs)
    alarms += of_labels(examples, folds, found.how["is_own"], found.how["population"])
    alarms += of_scores("HKU956", "valence", "subject", summary)
    [alarm.text for alarm in alarms if alarm.level == "red"]

Red is what must not be: a participant on both sides of a split by participant, windows that overlap, the same
recording twice, music learnt by heart, something fitted on test rows, a result better than can be, simulated
participants among people, a class without any row. Amber is what was chosen, or cannot be helped, and a
reader must know: that songs, or participants, are on both sides; that labels are not the participant's own;
that nobody took part, since all is a rehearsal; that many trials were left out; and that folds were learnt by
different programs. Where labels are songs' means, a song on both sides is red: it tells the label.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from emolab.models.classifier import Input
from emolab.models.examples import Examples
from emolab.training.splits import Fold, Group, overlapping

NAMED = 5  # folds in a sentence
MANY = 0.1  # of a corpus's trials, left out

Level = Literal["red", "amber"]
Kind = Literal[
    "subject", "song", "window", "copy", "fitted", "too_good", "one_class", "labels", "simulated", "left_out",
    "no_row", "programs",
]  # fmt: skip


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
LIMITS_OF_R = {"PMEmo": Limit("r", 0.09, "Res-SIN's authors report less, of a split by trials")}
ANYWHERE = Limit("macro_f1", 0.95, "what people feel is not told that well from anybody's body")


def of_splits(
    examples: Examples,
    folds: Sequence[Fold],
    group: Group,
    inputs: Sequence[Input],
    is_own: bool = True,
    is_regression: bool = False,
) -> tuple[Alarm, ...]:
    """What the parts of `folds` have in common. `inputs`: what the model sees; music is learnt by heart.

    `is_own`: labels come of what each participant said; else they are a song's, and are known with the song.
    `is_regression`: ratings are guessed, and nothing is said of classes.
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
    lone = [0 if is_regression else len(fold.test) * bool(fold.one_class) for fold in folds]
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
        _told("amber", "one_class", lone, folds,
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


def of_left_out(account: Mapping[str, Any], counts: Mapping[str, int] | None) -> tuple[Alarm, ...]:
    """Was much of a corpus left out, or all of a class? `account` as `Found.account` gives it.

    `counts`: rows of each class, None where ratings are guessed.
    """
    found = []
    for name in [name for name, count in (counts or {}).items() if not count]:
        lost = account["of_class"][name]
        why = "and no trial was"
        if lost:
            why = f"all {lost} trials of it were left out" if lost > 1 else "its only trial was left out"
        sign = ":" if lost else ","
        text = f"no row is {name}{sign} {why}; nothing is learnt of it, and no figure tells of it"
        found.append(Alarm("red", "no_row", text))
    if account["n"] > MANY * account["of"]:
        n, of, most = account["n"], account["of"], next(iter(account["why"]))
        text = (
            f"{n} of {of} trials were left out ({n / of * 100:.0f} %; most often: {most}); figures are of "
            "the others alone"
        )
        found.append(Alarm("amber", "left_out", text))
    return tuple(found)


def of_simulated(examples: Examples, folds: Sequence[Fold], keys: Collection[str]) -> tuple[Alarm, ...]:
    """Which tested rows are of simulated participants; `keys` of their trials, as `Found.how` has them.

    A study that is all a rehearsal is what was asked for, to try an analysis out: amber. Among people they
    must not be: red.
    """
    is_one = np.isin(examples.keys, sorted(keys))
    who = sorted(set(examples.subjects[is_one].tolist()))
    counts = [int(is_one[fold.test].sum()) for fold in folds]
    if is_one.all():
        what = (
            f"are of simulated participants ({len(who)}), not of people: no figure of this run says anything "
            "of what people feel"
        )
        alarm = _told("amber", "simulated", counts, folds, what)
    else:
        what = (
            f"are of simulated participants ({len(who)}: {_several(who)}) among people: no figure tells of "
            "people alone; take those recordings out of the study, and begin another run"
        )
        alarm = _told("red", "simulated", counts, folds, what)
    return () if alarm is None else (alarm,)


def of_scores(corpus: str, target: str, group: Group, summary: Mapping[str, Any]) -> tuple[Alarm, ...]:
    """Is the mean over folds of `scores.summary` better than can be on participants not seen before?"""
    if group not in ("subject", "both"):
        return ()
    limit = LIMITS.get((corpus, target), ANYWHERE)
    reached = summary["over_folds"].get(limit.figure, {}).get("mean")  # none where every fold was skipped
    if reached is None or reached <= limit.value:
        return ()
    return (_too_good({"macro_f1": "macro-F1"}.get(limit.figure, limit.figure), reached, limit),)


def of_ratings(corpus: str, target: str, group: Group, summary: Mapping[str, Any]) -> tuple[Alarm, ...]:
    """The same of guessed ratings: is r, the mean over folds, above `limit_of_r`, and more than chance?

    `summary`: `over_folds` and `permutation` of a seed. With few rows chance reaches a high r.
    """
    limit, reached = limit_of_r(corpus, target), summary["over_folds"].get("r", {}).get("mean")
    if group not in ("subject", "both") or reached is None:
        return ()
    if reached <= limit.value or reached <= summary["permutation"]["high_95"]:
        return ()
    return (_too_good("r", reached, limit),)


def limit_of_r(corpus: str, target: str) -> Limit:
    """The r between ratings and guesses above which a result on unseen participants is a leak until shown.

    PMEmo: Res-SIN's authors report up to .088 of these very models, with participants on both sides; up to
    .09 there is almost no linear relation (specification 03 §3.6). Of other corpora no r is reported. There
    it is that at which ratings and guesses, both normal and cut at their medians, agree in as many rows as
    the limit of classes asks: a share of ½ + arcsin(r)/π (Sheppard 1899), 0.454 for the 0.65 of HKU956.
    """
    if corpus in LIMITS_OF_R:
        return LIMITS_OF_R[corpus]
    limit = LIMITS.get((corpus, target), ANYWHERE)
    value = math.sin(math.pi * (limit.value - 0.5))
    return Limit(
        "r", value, f"cut at its median that tells classes as well as {limit.value:g}, and {limit.why}"
    )


def _too_good(name: str, reached: float, limit: Limit) -> Alarm:
    text = (
        f"{name} {reached:.3f} on participants not seen before is above {limit.value:.4g}: {limit.why}; "
        "take it for a leak until it is proven to be none"
    )
    return Alarm("red", "too_good", text)


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
