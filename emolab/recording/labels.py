"""What can stand on the time line, and what a change to it is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from emolab.core import label as vocabulary
from emolab.core.errors import DataError

MOST_TEXT = 4000
MOST_TAGS = 64
MOST_POINTS = 200_000  # five hours of a trace at ten a second


@dataclass(frozen=True)
class TimedLabel:
    """What was said about a stretch of a session, or about a moment of it.

    `start_s`, `end_s`: session clock; equal for a moment. `clip`: the clip it is about, if any.
    `state`, `word`: of Table I, or None. `valence`, `arousal`: −1 to 1, or None. `tags`: free
    words. `trace`: `(time_s, valence, arousal)` in order of time, drawn while the session
    played; empty for a label that does not change over its stretch.
    """

    start_s: float
    end_s: float
    clip: str | None = None
    state: str | None = None
    word: str | None = None
    valence: float | None = None
    arousal: float | None = None
    tags: tuple[str, ...] = ()
    note: str = ""
    trace: tuple[tuple[float, float, float], ...] = ()

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start_s) and math.isfinite(self.end_s)) or self.end_s < self.start_s:
            raise DataError(f"a label from {self.start_s} s to {self.end_s} s; it must end after it starts")
        if self.state is not None:
            vocabulary.state(self.state)
        if self.word is not None and vocabulary.state_of_word(self.word).key != self.state:
            raise DataError(f"the word {self.word!r} belongs to another state than {self.state!r}")
        for name, value in (("valence", self.valence), ("arousal", self.arousal)):
            if value is not None and not -1 <= value <= 1:
                raise DataError(f"{name} {value} is outside −1 to 1")
        if len(self.note) > MOST_TEXT or len(self.tags) > MOST_TAGS or any(len(t) > 80 for t in self.tags):
            raise DataError(f"a note has at most {MOST_TEXT} letters, a label {MOST_TAGS} tags of 80")
        self._check_trace()

    @property
    def is_moment(self) -> bool:
        """Whether it is about a moment rather than a stretch."""
        return self.start_s == self.end_s

    def _check_trace(self) -> None:
        if len(self.trace) > MOST_POINTS:
            raise DataError(f"a trace has at most {MOST_POINTS} points")
        last_s = self.start_s
        for time_s, valence, arousal in self.trace:
            if not last_s <= time_s <= self.end_s or not (-1 <= valence <= 1 and -1 <= arousal <= 1):
                raise DataError(f"the trace's point at {time_s} s is out of order, or outside −1 to 1")
            last_s = time_s

    def to_fields(self) -> dict[str, Any]:
        """Only what differs from an empty label, JSON-able."""
        fields = {name: value for name, value in vars(self).items() if value not in (None, (), "")}
        for name in ("tags", "trace"):
            if name in fields:
                fields[name] = [list(entry) if name == "trace" else entry for entry in fields[name]]
        return fields

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> TimedLabel:
        """The label that `to_fields` told of. Raises `DataError` when it is none."""
        try:
            known = dict(fields)
            known["tags"] = tuple(str(tag) for tag in known.get("tags", ()))
            known["trace"] = tuple(
                (float(time_s), float(valence), float(arousal))
                for time_s, valence, arousal in known.get("trace", ())
            )
            for name in ("start_s", "end_s", "valence", "arousal"):
                if known.get(name) is not None:
                    known[name] = float(known[name])
            for name in ("clip", "state", "word"):
                if known.get(name) is not None and not isinstance(known[name], str):
                    raise TypeError(f"{name} is no text")
            return cls(**{**known, "note": str(known.get("note", ""))})
        except (TypeError, ValueError, AttributeError) as error:
            raise DataError(f"not a label: {error}") from error


@dataclass(frozen=True)
class Change:
    """One label before and after an act; `before` None: it was added, `after` None: removed."""

    label: str  # what it is called in this ledger, for good
    before: TimedLabel | None
    after: TimedLabel | None

    @property
    def undone(self) -> Change:
        """The change that takes it back."""
        return Change(self.label, self.after, self.before)


def standing(acts: Iterable[Iterable[Change]]) -> dict[str, TimedLabel]:
    """The labels that are left after some acts, by name."""
    labels: dict[str, TimedLabel] = {}
    for changes in acts:
        for change in changes:
            if change.after is None:
                labels.pop(change.label, None)
            else:
                labels[change.label] = change.after
    return labels
