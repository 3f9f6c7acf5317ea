"""The lanes of labels on the time line: who said what, each in a lane of their own.

What the clip intended and what the participant said are read from the recording and can never be
changed; what models found and what analysts decided come from their ledgers, one lane each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from emolab.core.errors import RecordingError
from emolab.recording import label_ledger
from emolab.recording.labels import TimedLabel, standing
from emolab.review.timeline import Timeline

Source = Literal["intention", "person", "model", "analyst"]


@dataclass(frozen=True)
class Lane:
    """One voice. `labels`: by name. `by`: the model and the hash of its weights. `problem`: not readable."""

    name: str
    source: Source
    labels: Mapping[str, TimedLabel]
    by: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    def at(self, time_s: float) -> tuple[str, TimedLabel] | None:
        """The label at a moment, the one begun last where several are; with its name."""
        found = [
            (name, label) for name, label in self.labels.items() if label.start_s <= time_s <= label.end_s
        ]
        return max(found, key=lambda pair: pair[1].start_s) if found else None


def lanes(line: Timeline) -> list[Lane]:
    """Every lane there is for a recording: intended, reported, models, then analysts by name.

    A ledger that cannot be read is a lane without labels that says why: the others can be worked with.
    """
    read = [_of_ledger(path) for path in label_ledger.ledgers(line.session.path)]
    return [
        Lane("intended", "intention", _numbered(line.intended)),
        Lane("reported", "person", _numbered(line.reported)),
        *(lane for lane in read if lane.source == "model"),
        *(lane for lane in read if lane.source == "analyst"),
    ]


def _numbered(labels: list[TimedLabel]) -> dict[str, TimedLabel]:
    return {str(number): label for number, label in enumerate(labels, 1)}


def _of_ledger(path: Path) -> Lane:
    try:
        ledger = label_ledger.read(path)
    except RecordingError as error:
        return Lane(path.stem, "analyst", {}, problem=str(error))
    by = next((act.by for act in reversed(ledger.acts) if act.by), {})
    labels = standing(act.changes for act in ledger.acts)
    return Lane(ledger.name, "model" if by else "analyst", labels, by)
