"""A recorded session of every kind of stream, and labels on it, for the tests of the study room."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from emolab.core.event import Event
from emolab.core.stream import Channel, StreamInfo
from emolab.recording.header import SessionHeader
from emolab.recording.labels import TimedLabel
from emolab.recording.writer import SessionWriter
from emolab.review.desk import Desk
from tests.recording import made

RAW = StreamInfo("raw", (Channel("x", "lsl"), Channel("y", "lsl")), 100.0, "uint16", (2,))
STREAMS = (made.BOARD, made.CAMERA, made.THERMAL, made.MICROPHONE, RAW)
EVENTS = [
    Event(0.0, "session_started", data={"planned": 1}),
    Event(1.5, "mark", data={"text": "Müller sagt: „jetzt“, \n音乐"}),
    Event(2.0, "answer", 1.9, {"clip": "a", "state": "neutral", "word": "calm", "response_s": 1.25}),
    Event(3.0, "session_ended", data={"outcome": "complete"}),
]
BY = {"model": "fer-small", "weights_sha256": "ab" * 32}
TRACE = tuple((0.5 + step / 7, step / 10 - 0.3, 0.1 * (-1) ** step) for step in range(8))


def record(
    path: Path,
    header: SessionHeader = made.HEADER,
    streams: tuple[StreamInfo, ...] = STREAMS,
    events: list[Event] = EVENTS,
    seconds: int = 3,
) -> Path:
    """Some seconds of each stream; samples begin at 0.25 s."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = SessionWriter(path, header)
    writer.open(streams)
    for info in streams:
        rate_hz = info.nominal_rate_hz or 0.0
        for second in range(seconds):
            count = round(rate_hz)
            writer.write(made.chunk(info, second * count, count, rate_hz, start_s=0.25))
    for event in events:
        writer.mark(event)
    writer.close()
    return path


def study(folder: Path, participants: tuple[str, ...] = ("P001", "P002", "P003")) -> Path:
    """A study of small sessions, one each."""
    for name in participants:
        header = replace(made.HEADER, participant=name, session=1)
        record(folder / name / f"{name}_session-1.h5", header, (made.BOARD, made.CAMERA), seconds=1)
    return folder


def label(recording: Path) -> tuple[Desk, Desk]:
    """Labels of an analyst, edited and undone, and of a model; the first lane has a trace."""
    anna = Desk(recording, "anna")
    name = anna.add(
        TimedLabel(0.5, 2.5, "a", "neutral", "calm", 0.25, -0.5, ("sigh", "a|b"), "smiles, „ja“"),
        "as she smiles",
    )
    anna.change(name, TimedLabel(0.5, 2.5, "a", "less_positive", "thrill", trace=TRACE), "looked again")
    anna.split(name, 2.0, "changes there")
    anna.undo()
    anna.add(TimedLabel(2.75, 2.75, tags=("blink",)))
    model = Desk(recording, "face fer-small")
    model.add_all([TimedLabel(0.25, 1.0, "a", "most_negative"), TimedLabel(1.0, 2.0, "a", "neutral")], by=BY)
    return anna, model


def bids_errors(validator: str, folder: Path) -> list[dict[str, Any]]:
    """What the BIDS validator calls an error in a data set."""
    done = subprocess.run(
        [validator, "--format", "json", str(folder)], capture_output=True, text=True, timeout=120
    )
    found = json.loads(done.stdout)["issues"]["issues"]
    assert found, done.stdout  # it has looked
    return [issue for issue in found if issue["severity"] == "error"]
