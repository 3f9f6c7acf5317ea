"""What of a session goes out, as every format sees it: streams, events, answers, and labels by lane.

A format writes what an `Outgoing` holds and asks nothing else of the session, so that what was taken
out of it (`deidentify`) is in no format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError, RecordingError
from emolab.core.event import Event
from emolab.core.label import RatedLabel
from emolab.recording import label_ledger, lanes
from emolab.recording.guard import damage_told
from emolab.recording.header import SessionHeader
from emolab.recording.label_ledger import Act
from emolab.recording.labels import TimedLabel
from emolab.recording.reader import RecordedStream, Session
from emolab.study.notes import notes
from emolab.study.sessions import parts

_PART = re.compile(r"_part-(\d+)$")
Kept = TypeVar("Kept")
Kind = Literal["intended", "reported", "analyst", "model"]
Blur = Callable[[Iterable[NDArray[np.uint8]]], Iterator[NDArray[np.uint8]]]  # frames in, as many out


@dataclass(frozen=True)
class Placed:
    """A label as it stands on its lane, and the act that made it so: none where nobody edits.

    `key`: what it is called in its lane. `by`: the model and the hash of its weights, where no
    person judged.
    """

    key: str
    label: TimedLabel
    why: str = ""
    by: Mapping[str, str] | None = None
    act: int | None = None
    utc: datetime | None = None
    act_sha256: str = ""

    @property
    def model(self) -> str:
        """The model that judged, empty for a person."""
        return (self.by or {}).get("model", "")

    @property
    def weights_sha256(self) -> str:
        """The hash of that model's weights."""
        by = self.by or {}
        return by.get("weights_sha256") or by.get("weights", "")


@dataclass(frozen=True)
class Lane:
    """Labels of one origin, in order of time. `who`: the stimulus, the participant, an analyst, a model."""

    name: str
    kind: Kind
    who: str
    labels: tuple[Placed, ...]


@dataclass(frozen=True)
class Outgoing:
    """A session to be written. `name`: what its files are called. `troubles`: what is left out, and why.
    `remarks`: what who reads the files should know, though all of it is there.

    `part`: which of the `parts` of a session that broke off and went on. `end_s`: when the last thing
    happened; `afterwards`: how many of the events, the last ones, are remarks made after that. `blur`: what
    is done to a camera's frames; None: they go out as they were recorded, or, where the session is
    de-identified, not at all.
    """

    name: str
    header: SessionHeader
    streams: Mapping[str, RecordedStream]
    events: Sequence[Event]
    answers: Sequence[RatedLabel]
    lanes: Sequence[Lane]
    end_s: float
    outcome: str = "complete"
    part: int = 1
    parts: int = 1
    afterwards: int = 0
    is_deidentified: bool = False
    blur: Blur | None = None
    troubles: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @contextmanager
    def spared(self, stream: RecordedStream) -> Iterator[None]:
        """A stream that cannot be read, inside, is left out and told; the others are written all the same."""
        try:
            yield
        except (RecordingError, DataError) as error:
            self.troubles.append(f"{stream.name} is left out: {error}")

    @property
    def films(self) -> list[RecordedStream]:
        """The cameras whose pictures go out."""
        if self.is_deidentified and self.blur is None:
            return []
        cameras = [stream for stream in self.streams.values() if stream.info.is_image and len(stream)]
        return [s for s in cameras if not self.is_deidentified or s.info.kind == "rgb"]


def outgoing(session: Session) -> Outgoing:
    """All of a session; what is damaged of it is left out, and told in `troubles`."""
    troubles: list[str] = []

    def read(what: str, reading: Callable[[], Kept], instead: Kept) -> Kept:
        try:
            with damage_told(session.path):
                return reading()
        except RecordingError as error:
            troubles.append(f"{what} left out: {error}")
            return instead

    nothing: list[Any] = []
    events = read("the events are", lambda: session.events, nothing)
    remarked = read("the notes are", lambda: notes(session.path), nothing)
    answers = read("the answers are", lambda: session.answers, nothing)
    streams = {}
    last: list[float] = []
    for name, stream in session.streams.items():
        ends_s = read(f"{name} is", partial(_end, stream), None)
        if ends_s is not None:
            streams[name] = stream
            last += ends_s
    end_s = max([*last, *(event.time_s for event in events)], default=0.0)
    found = [
        Lane("intended", "intended", "stimulus", _numbered(lanes.intended(events, end_s))),
        Lane("reported", "reported", "participant", _numbered(lanes.reported(events, end_s))),
    ]
    for path in label_ledger.ledgers(session.path):
        lane = read(f"the labels of {path.stem} are", partial(_lane, path), None)
        if lane is not None:
            found.append(lane)
    match = _PART.search(session.path.stem)
    first = session.path.with_name(f"{_PART.sub('', session.path.stem)}.h5")
    part = int(match[1]) if match else 1
    return Outgoing(
        name=session.path.stem,
        header=session.header,
        streams=streams,
        events=[*events, *remarked],
        answers=answers,
        lanes=found,
        end_s=end_s,
        outcome=session.outcome,
        part=part,
        parts=max(part, len(parts(first))),
        afterwards=len(remarked),
        troubles=troubles,
    )


def _end(stream: RecordedStream) -> list[float] | None:
    """When it ends, empty for a stream without samples."""
    last_s = stream.last_s()
    return [] if last_s is None else [last_s]


def _numbered(labels: Iterable[TimedLabel]) -> tuple[Placed, ...]:
    return tuple(Placed(str(number), label) for number, label in enumerate(labels, 1))


def _lane(path: Path) -> Lane | None:
    ledger = label_ledger.read(path)
    labels = tuple(sorted(standing(ledger.acts), key=lambda placed: (placed.label.start_s, placed.act or 0)))
    is_model = bool(labels) and all(placed.by for placed in labels)
    return Lane(ledger.name, "model" if is_model else "analyst", ledger.analyst, labels)


def standing(acts: Iterable[Act]) -> list[Placed]:
    """The labels that are left after some acts, each with the edit that gave it what it says.

    What was undone gives the word back to the edit before it, what was done again to that one.
    """
    edits: dict[int, Act] = {}
    said: dict[str, list[Act]] = {}  # the edits of each label that stand, newest last
    left: dict[str, TimedLabel] = {}
    for act in acts:
        edits[act.number] = act
        for change in act.changes:
            stack = said.setdefault(change.label, [])
            if act.do == "undo":
                if stack:
                    stack.pop()
            else:
                stack.append(edits.get(act.of or 0, act))
            if change.after is None:
                left.pop(change.label, None)
            else:
                left[change.label] = change.after
    return [_placed(key, label, said[key]) for key, label in left.items()]


def _placed(key: str, label: TimedLabel, stack: Sequence[Act]) -> Placed:
    if not stack:
        return Placed(key, label)
    act = stack[-1]
    return Placed(key, label, act.why, dict(act.by) or None, act.number, act.utc, act.hash)


def label_fields(placed: Placed) -> dict[str, Any]:
    """A label and where it comes from, JSON-able, only what there is."""
    fields: dict[str, Any] = {"label": placed.key} | placed.label.to_fields()
    fields |= {"why": placed.why, "by": dict(placed.by or {}), "act": placed.act}
    fields |= {"utc": placed.utc.isoformat() if placed.utc else None, "act_sha256": placed.act_sha256}
    return {key: value for key, value in fields.items() if value not in (None, "", {}, ())}
