"""The lanes of labels on the time line: who said what, each in a lane of their own.

What the clip intended and what the participant said are read from the recording and can never be
changed; what models found and what analysts decided come from their ledgers, one lane each.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from emolab.core.errors import DataError, RecordingError
from emolab.faces.verdict import AGGREGATIONS, UNKNOWN, Aggregation
from emolab.recording import label_ledger
from emolab.recording.labels import TimedLabel, standing
from emolab.recording.predicted import Guess
from emolab.recording.predicted import words as guess_words
from emolab.review.checks import Check, Validation, from_label
from emolab.review.guesses import guesses_of, is_classifier, was_learnt_from
from emolab.review.happenings import afterwards, happenings
from emolab.review.history import name_of
from emolab.review.timeline import Timeline
from emolab.study.notes import notes

Source = Literal["event", "intention", "person", "model", "analyst"]


@dataclass(frozen=True)
class Lane:
    """One voice. `labels`: by name. `by`: the model and the hash of its weights. `problem`: not readable."""

    name: str
    source: Source
    labels: Mapping[str, TimedLabel]
    by: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    checks: Mapping[str, Check] = field(default_factory=dict)  # of a face's lane, by label
    guesses: Mapping[str, Guess] = field(default_factory=dict)  # of a classifier's lane, by label

    @property
    def in_training(self) -> bool:
        """Whether the participant is among those from whom the classifier has learnt."""
        return was_learnt_from(self.by) is True

    def words(self, name: str) -> str:
        """What a label of this lane says, in words."""
        if self.source == "event":
            return self.labels[name].note
        if name in self.guesses:
            return guess_words(self.guesses[name])  # what its classes are of, the lane's name tells
        return told(self.checks[name]) if name in self.checks else name_of(self.labels[name])

    def at(self, time_s: float) -> tuple[str, TimedLabel] | None:
        """The label at a moment, the one begun last where several are; with its name."""
        found = [
            (name, label) for name, label in self.labels.items() if label.start_s <= time_s <= label.end_s
        ]
        return max(found, key=lambda pair: pair[1].start_s) if found else None


def lanes(line: Timeline) -> list[Lane]:
    """Every lane there is for a recording: events, intended, reported, models, then analysts by name.

    A ledger that cannot be read is a lane without labels that says why: the others can be worked with.
    """
    said = {(label.clip, round(label.start_s, 6)): label.state for label in line.reported}
    read = [_of_ledger(path, said) for path in label_ledger.ledgers(line.session.path)]
    return [
        _happened(line),
        Lane("intended", "intention", _numbered(line.intended)),
        Lane("reported", "person", _numbered(line.reported)),
        *(lane for lane in read if lane.source == "model"),
        *(lane for lane in read if lane.source == "analyst"),
    ]


def _happened(line: Timeline) -> Lane:
    """What happened besides the clips, and what was remarked when the session had ended."""
    found, problem = happenings(line.events), ""
    try:
        found += afterwards(notes(line.session.path), line.begin_s, line.end_s)
    except RecordingError as error:
        problem = str(error)
    return Lane("events", "event", _numbered(found), problem=problem)


def _numbered(labels: Sequence[TimedLabel]) -> dict[str, TimedLabel]:
    return {str(number): label for number, label in enumerate(labels, 1)}


def conflicts(every: Sequence[Lane]) -> list[Check]:
    """Where a face contradicts the report, the surest first; a clip once, by the surest model."""
    found = [check for lane in every for check in lane.checks.values() if check.verdict == "conflict"]
    surest: dict[float, Check] = {}
    for check in sorted(found, key=lambda check: (-check.confidence, check.start_s)):
        surest.setdefault(round(check.start_s, 6), check)
    return list(surest.values())


def validation_of(lane: Lane, recording: Path) -> Validation:
    """The checks of a face's lane as they were when it was written."""
    agg: Aggregation = "sum"
    if (given := lane.by.get("agg")) in AGGREGATIONS:
        agg = given
    found = tuple(sorted(lane.checks.values(), key=lambda check: check.start_s))
    model, weights = lane.by.get("model", lane.name), lane.by.get("weights", "")
    return Validation(recording, model, weights, agg, "baseline" in lane.by, "flag", found, lane=lane.name)


def told(check: Check) -> str:
    """A check in words: `negative .71, conflict`."""
    if check.face == UNKNOWN:
        return f"cannot judge: {check.why}" if check.why else "cannot judge"
    sure = f"{check.confidence:.2f}".removeprefix("0")
    return f"{check.face} {sure}, {check.verdict}"


def _of_ledger(path: Path, said: Mapping[tuple[str | None, float], str | None]) -> Lane:
    try:
        ledger = label_ledger.read(path)
    except RecordingError as error:
        return Lane(path.stem, "analyst", {}, problem=str(error))
    by = next((act.by for act in reversed(ledger.acts) if act.by), {})
    labels = standing(act.changes for act in ledger.acts)
    if not by:
        return Lane(ledger.name, "analyst", labels)
    if is_classifier(by):
        return Lane(ledger.name, "model", labels, by, guesses=guesses_of(labels))
    checks = {}
    for name, label in labels.items():
        with contextlib.suppress(DataError):  # of another kind of model
            checks[name] = from_label(label, said.get((label.clip, round(label.start_s, 6))))
    return Lane(ledger.name, "model", labels, by, checks=checks)
