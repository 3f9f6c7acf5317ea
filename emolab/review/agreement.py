"""How far the lanes of a session agree: which unit is judged, what of it is compared, and the figures.

A unit is a clip as it was heard, or a window of so many seconds of the session. A lane judges a unit by
the label that covers most of it, half of it at least (of a trace, by its mean there); else it does not
judge it. Every figure tells on how many units it rests.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import ConfigError, DataError
from emolab.core.label import STATES, state
from emolab.faces.fer import GROUPS
from emolab.recording.labels import TimedLabel
from emolab.recording.trials import Trial
from emolab.review.checks import from_label
from emolab.review.guesses import is_classifier
from emolab.review.lanes import Lane
from emolab.stats.agreement import Agreement, Form, Level, cohen, fleiss, intraclass, krippendorff

What = Literal["state", "group", "valence", "arousal"]
WHATS: tuple[What, ...] = get_args(What)
LEVELS: tuple[Level, ...] = ("nominal", "ordinal")
FORMS: tuple[Form, ...] = ("2,1", "3,1", "2,k")
LEAST_COVERED = 0.5
GROUP_TARGETS = ("group", "valence")  # of a classifier whose classes are groups
Floats = NDArray[np.float64]
Stretch = tuple[float, float]


@dataclass(frozen=True)
class Figure:
    """One coefficient over some lanes; `why` it is not defined, where it is not."""

    name: str
    lanes: tuple[str, ...]
    agreement: Agreement | None
    why: str = ""


@dataclass(frozen=True)
class Comparison:
    """What was compared. `judged`: `(units, lanes)`, NaN where a lane did not judge.

    `windowing`: the units in words, and which lanes say nothing of it. `figures`: pairs first, then all
    lanes together, of the lanes that judge a unit at least.
    """

    what: What
    lanes: tuple[str, ...]
    windowing: str
    judged: Floats
    figures: tuple[Figure, ...]


def compare(
    lanes: Sequence[Lane], every: Sequence[Trial], what: What = "state", window_s: float | None = None
) -> Comparison:
    """Compare two lanes or more over the clips, or over windows of `window_s` from the first to the last.

    Raises `ConfigError` for fewer lanes, a `what` there is none of, or windows that are none.
    """
    if what not in WHATS:
        raise ConfigError(f"{what!r} cannot be compared; choose {', '.join(WHATS)}")
    if len(lanes) < 2:
        raise ConfigError("agreement needs two lanes at least; label some clips, or check the face first")
    if window_s is not None and not 0.1 <= window_s <= 3600:
        raise ConfigError(f"windows of {window_s:g} s; choose 0.1 to 3600 s")
    units = _units(lanes, every, window_s)
    judged = np.array([[_judgement(lane, unit, what) for lane in lanes] for unit in units])
    judged = judged.reshape(len(units), len(lanes))
    shared = int(np.sum(np.sum(~np.isnan(judged), 1) >= 2))
    unit = f"windows of {window_s:g} s" if window_s else "clips as heard"
    windowing = (
        f"{unit}: {len(units)}, judged by two lanes or more: {shared}; a label counts where it covers "
        "half a unit or more"
    )
    names = tuple(lane.name for lane in lanes)
    speaks = ~np.isnan(judged).all(axis=0) if len(units) else np.ones(len(lanes), np.bool_)
    if silent := [name for name, does in zip(names, speaks, strict=True) if not does]:
        windowing += f"; nothing of {what} says {', '.join(silent)}"
    speaking = [name for name, does in zip(names, speaks, strict=True) if does]
    figures = _figures(speaking, judged[:, speaks], what) if len(speaking) > 1 else []
    return Comparison(what, names, windowing, judged, tuple(figures))


def _units(lanes: Sequence[Lane], every: Sequence[Trial], window_s: float | None) -> list[Stretch]:
    clips = [(trial.start_s, trial.end_s) for trial in every if trial.number]
    if window_s is None:
        return clips
    ends = [end for lane in lanes for label in lane.labels.values() for end in (label.start_s, label.end_s)]
    if not ends:
        return []
    count = math.ceil(round((max(ends) - min(ends)) / window_s, 6))
    return [(min(ends) + at * window_s, min(ends) + (at + 1) * window_s) for at in range(count)]


def _judgement(lane: Lane, unit: Stretch, what: What) -> float:
    """What a lane says of a unit, NaN for nothing."""
    best, covered_s = None, LEAST_COVERED * (unit[1] - unit[0]) - 1e-9
    for label in lane.labels.values():
        shared_s = min(label.end_s, unit[1]) - max(label.start_s, unit[0])
        if shared_s > covered_s and not math.isnan(_value(lane, label, unit, what)):
            best, covered_s = label, shared_s
    return math.nan if best is None else _value(lane, best, unit, what)


def _value(lane: Lane, label: TimedLabel, unit: Stretch, what: What) -> float:
    if what == "state":
        if label.state is None or _tells_arousal(lane):  # whose `neutral` is no state
            return math.nan
        return float(state(label.state).rank)
    if what == "group":
        return _group(lane, label)
    if label.trace:
        column = 1 if what == "valence" else 2
        inside = [point[column] for point in label.trace if unit[0] <= point[0] <= unit[1]]
        return float(np.mean(inside)) if inside else math.nan
    given = label.valence if what == "valence" else label.arousal
    return math.nan if given is None else given


def _tells_arousal(lane: Lane) -> bool:
    return is_classifier(lane.by) and lane.by.get("target") == "arousal"


def _group(lane: Lane, label: TimedLabel) -> float:
    """−1, 0, 1; a face's own three groups count, its `unknown` does not.

    Of classifiers those of groups and of valence count: `negative` may be the lower end of arousal, too.
    """
    of = lane.by.get("target", "") if is_classifier(lane.by) else "group"
    if label.state and not _tells_arousal(lane):
        return float(GROUPS.index(state(label.state).group) - 1)
    if lane.source == "model" and of in GROUP_TARGETS:
        try:
            face = from_label(label, None).face
        except DataError:
            return math.nan
        return float(GROUPS.index(face) - 1) if face in GROUPS else math.nan
    return math.nan


def _figures(names: Sequence[str], judged: Floats, what: What) -> list[Figure]:
    found = []
    for one, two in combinations(range(len(names)), 2):
        both = judged[~np.isnan(judged[:, [one, two]]).any(axis=1)][:, [one, two]]
        found += _of_pair((names[one], names[two]), both, what)
    found += _of_all(tuple(names), judged, what)
    return found


def _of_pair(names: tuple[str, str], both: Floats, what: What) -> list[Figure]:
    if what in ("valence", "arousal"):
        return [_tried("ICC(2,1)", names, lambda: intraclass(both, "2,1"), len(both))]
    codes, count = _codes(both, what)
    return [
        _tried("Cohen's κ", names, lambda: cohen(codes[:, 0], codes[:, 1], count), len(both)),
        _tried("κ, linear", names, lambda: cohen(codes[:, 0], codes[:, 1], count, "linear"), len(both)),
        _tried("κ, quadratic", names, lambda: cohen(codes[:, 0], codes[:, 1], count, "quadratic"), len(both)),
    ]


def _of_all(names: tuple[str, ...], judged: Floats, what: What) -> list[Figure]:
    whole = judged[~np.isnan(judged).any(axis=1)]
    shared = int(np.sum(np.sum(~np.isnan(judged), 1) >= 2))
    found = []
    if what in ("state", "group"):
        codes, count = _codes(whole, what)
        tables = np.stack([np.bincount(row, minlength=count) for row in codes]) if len(codes) else codes
        found.append(_tried("Fleiss' κ", names, lambda: fleiss(tables), len(whole)))
        found += [
            _tried(f"Krippendorff's α, {level}", names, partial(krippendorff, judged.T, level), shared)
            for level in LEVELS
        ]
    found.append(
        _tried("Krippendorff's α, interval", names, lambda: krippendorff(judged.T, "interval"), shared)
    )
    found += [_tried(f"ICC({form})", names, partial(intraclass, whole, form), len(whole)) for form in FORMS]
    return found


def _codes(values: Floats, what: What) -> tuple[NDArray[np.int64], int]:
    """Categories from 0, and how many there are."""
    lowest, count = (STATES[0].rank, len(STATES)) if what == "state" else (-1, len(GROUPS))
    return (values - lowest).astype(np.int64), count


def _tried(name: str, lanes: tuple[str, ...], figure: Callable[[], Agreement], units: int) -> Figure:
    if units < 2:
        return Figure(name, lanes, None, f"only {units} units were judged by all of them")
    try:
        agreement = figure()
    except DataError as error:
        return Figure(name, lanes, None, str(error))
    why = "everything was called the same" if math.isnan(agreement.value) else ""
    return Figure(name, lanes, agreement, why)
