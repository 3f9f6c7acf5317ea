"""A study with two people who left traces wherever emolab leaves any."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from emolab.core.event import Event
from emolab.recording.labels import TimedLabel
from emolab.recording.places import places
from emolab.recording.writer import SessionWriter
from emolab.review.desk import Desk
from emolab.study import identity, participants, study_file
from emolab.study.export.many import export_all
from emolab.study.identity import IdentityMap, Person
from emolab.study.sessions import notes_path, session_path
from tests.recording import made

WORDS = "correct horse battery"
STREAMS = (made.BOARD, made.CAMERA, made.MICROPHONE)


@dataclass(frozen=True)
class Place:
    """Where all of it lies: under `root`."""

    root: Path

    @property
    def study(self) -> Path:
        return self.root / "study"

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def map(self) -> Path:
        return self.root / "identities" / "map.identity"

    @property
    def key(self) -> Path:
        return self.root / "keys" / "codes.csv"


def secret(participant: str) -> str:
    """Words that stand wherever something of a participant does."""
    return f"zebra-{participant[::-1]}-quagga"


def record(study: Path, participant: str, session: int = 0) -> Path:
    """A second of a session, with a mark that holds the participant's secret."""
    path = session_path(study, participant, session)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = SessionWriter(path, replace(made.HEADER, participant=participant, session=session))
    writer.open(STREAMS)
    for info in STREAMS:
        rate_hz = info.nominal_rate_hz or 0.0
        writer.write(made.chunk(info, 0, round(rate_hz), rate_hz))
    writer.mark(Event(0.0, "session_started", data={"planned": 1, "participant": participant}))
    writer.mark(Event(0.5, "mark", data={"text": secret(participant)}))
    writer.mark(
        Event(0.9, "answer", 0.8, {"clip": "a", "state": "neutral", "word": "calm", "response_s": 0.1})
    )
    writer.mark(Event(1.0, "session_ended", data={"outcome": "complete"}))
    writer.close()
    return path


def fill(place: Place, *people: str) -> None:
    """Recordings, what lies beside them, labels, journals, exports in every format, logs and the map."""
    study = place.study
    facts = study_file.make(study)
    (study / ".emolab").mkdir()
    names = IdentityMap.make(place.map, facts.id, WORDS)
    for participant in people:
        participants.admit(study, participant)
        names.persons[participant] = Person(f"Name of {participant}", secret(participant))
        _record_all(study, participant)
    names.save()
    log = "".join(f"WARNING {who}: pump of {who} {secret(who)}\nWARNING nobody\n" for who in people)
    (study / ".emolab" / "engine.log").write_text(log, encoding="utf-8")
    for to in ("csv", "xdf", "mp4", "eaf", "bids"):
        done = export_all(study, to, place.out / to)
        assert done and not any(one.troubles for one in done if to != "mp4")
    export_all(study, "bids", study / "shared")


def _record_all(study: Path, participant: str) -> None:
    path = record(study, participant)
    words = secret(participant)
    path.with_suffix(".truth.json").write_text(f'"{words}"', encoding="utf-8")
    remarked = Event(60.0, "note", data={"text": words})
    notes_path(path).write_text(f"{remarked.to_json()}\n", encoding="utf-8")
    shutil.copy(path, path.with_name(f"{path.stem}.damaged.h5"))
    shutil.copy(path, path.with_name(f".{path.name}.1-2mending"))
    Desk(path, "anna").add(TimedLabel(0.1, 0.2, state="neutral", note=words))
    second = session_path(study, participant, 1)
    for journal in places(second):
        journal.parent.mkdir(parents=True, exist_ok=True)
        journal.write_bytes(words.encode())
    rescued = places(second)[1].parent / "rescued" / f"{places(second)[1].stem}.h5"
    rescued.parent.mkdir(exist_ok=True)
    shutil.copy(path, rescued)
    derived = study / "analysis" / participant / "features.csv"
    derived.parent.mkdir(parents=True)
    derived.write_text(words, encoding="utf-8")


def mentioned(root: Path, words: str, but: str = "") -> list[str]:
    """Files under `root` that hold `words` in their names or bytes, gzip unpacked; relative to it.

    Where they stand in the longer word `but` does not count.
    """
    raw, longer = words.encode(), but.encode() or b"\0"
    return sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if any(raw in each.replace(longer, b"") for each in _bytes(path))
    )


def _bytes(path: Path) -> Iterator[bytes]:
    yield path.name.encode()
    if path.is_file():
        yield path.read_bytes()
        if path.suffix == ".gz":
            yield gzip.decompress(path.read_bytes())


def quick_keys(monkeypatch: object) -> None:
    """Keys in a millisecond."""
    monkeypatch.setitem(identity.SCRYPT, "n", 1 << 10)  # type: ignore[attr-defined]
