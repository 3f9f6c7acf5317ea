"""What a classifier said of a stretch of a session, and how that stands in its lane.

    said = PredictedLabel("joy-2", "high", (0.42, 0.58), "svm")
    to_label(Guess(5.0, 65.0, said, ("low", "high")), "valence")

A class that is no state is told in tags, with the probability of each; valence and arousal are that of the
upper end less that of the lower. Of a stretch of which too little can be used the class is `unknown` and has
no probabilities. Where a network looked is told in up to 72 digits over the stretch, 0 to 9.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from emolab.core.errors import DataError
from emolab.core.label import STATE_KEYS, PredictedLabel
from emolab.recording.labels import TimedLabel

UNKNOWN = "unknown"
KIND = "classifier"  # as a ledger names who wrote such a lane
PLACES = 72  # of a heat; with its name it fits a tag of 80 letters
MOST_CLASSES = 24
AXES = ("valence", "arousal")


@dataclass(frozen=True)
class Guess:
    """`said`: class and probabilities, those in the order of `classes`. `usable`: share of the signal.

    `why`: the reason for an `unknown`. `heat`: where the network looked, 0 to 1 over the stretch; empty for
    models that do not tell.
    """

    start_s: float
    end_s: float
    said: PredictedLabel
    classes: tuple[str, ...]
    usable: float = 1.0
    why: str = ""
    heat: tuple[float, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether something was said."""
        return self.said.state != UNKNOWN

    @property
    def confidence(self) -> float:
        """Probability of the class that was called; 0 when unknown."""
        return max(self.said.probabilities, default=0.0) if self.is_known else 0.0


def to_label(guess: Guess, target: str, settings: Sequence[str] = ()) -> TimedLabel:
    """A guess as it stands in its lane; `target`: what the classes are of, such as `valence`."""
    said = guess.said
    tags = [said.state]
    tags += [f"{name} {p:.4f}" for name, p in zip(guess.classes, said.probabilities, strict=False)]
    tags += [f"usable {guess.usable:.4f}", f"model {said.model}", *settings]
    if guess.heat:
        tags.append("heat " + _digits(guess.heat))
    side: dict[str, Any] = {}
    if guess.is_known and said.state in STATE_KEYS:
        side["state"] = said.state
    elif guess.is_known and len(guess.classes) in (2, 3):
        axis = target if target in AXES else "valence"
        side[axis] = round(said.probabilities[-1] - said.probabilities[0], 4)
    return TimedLabel(guess.start_s, guess.end_s, said.clip, tags=tuple(tags), note=guess.why, **side)


def from_label(label: TimedLabel) -> Guess:
    """The guess that `to_label` told of. Raises `DataError` when it is none."""
    try:
        first, *rest = label.tags
        at = next(k for k, tag in enumerate(rest) if tag.startswith("usable "))
        told = [_named(tag) for tag in rest[:at]]
        usable = float(rest[at].removeprefix("usable "))
        model = rest[at + 1].removeprefix("model ")
    except (ValueError, StopIteration, IndexError) as error:
        raise DataError(f"the label at {label.start_s:.1f} s was not made by 'emolab predict'") from error
    heat = next((tag.removeprefix("heat ") for tag in rest[at:] if tag.startswith("heat ")), "")
    said = PredictedLabel(label.clip, first, tuple(p for _, p in told), model)
    return Guess(
        label.start_s,
        label.end_s,
        said,
        tuple(name for name, _ in told),
        usable,
        label.note,
        tuple(int(digit) / 9 for digit in heat if digit in "0123456789"),
    )


def words(guess: Guess, target: str = "") -> str:
    """A guess in words: `high .58`, or with the target `high valence .58`."""
    if not guess.is_known:
        return f"cannot judge: {guess.why}" if guess.why else "cannot judge"
    sure = f"{guess.confidence:.2f}".removeprefix("0")
    name = guess.said.state.replace("_", " ")
    return f"{name} {target} {sure}" if target in AXES else f"{name} {sure}"


def _named(tag: str) -> tuple[str, float]:
    name, _, value = tag.rpartition(" ")
    p = float(value)
    if not name or not 0 <= p <= 1:
        raise ValueError(tag)
    return name, p


def _digits(heat: Sequence[float]) -> str:
    return "".join(str(round(9 * min(max(value, 0.0), 1.0))) for value in _coarse(heat))


def _coarse(heat: Sequence[float]) -> Iterator[float]:
    """The greatest of each of so many equal parts."""
    parts = min(len(heat), PLACES)
    for k in range(parts):
        yield max(heat[k * len(heat) // parts : (k + 1) * len(heat) // parts])
