"""An XDF recording, by LabRecorder, emolab or others, as a session.

Streams     of numbers come as they are: values, type and announced rate; empty ones stay empty. Of texts
            each sample is an event `mark` with its text, and a row of a stream that holds its `number`, as
            when LSL is recorded live. Names that cannot be are changed; two of one name get a number.
Times       a sample's stamp on the recorder's clock (`clock`), not smoothed; the sender's own stamp is
            kept as the device clock, so what was added to each can be told. Each measured difference is an
            event `clock_offset`, each clock that began anew a `note`. Zero is the first sample of all.
            Stamps that are no numbers count as corrupt, their rows are left out. Whole microseconds are kept.
Header      all XML of the file, headers and footers, stands where the device file stands in our own
            recordings; host, source and format of a stream among the facts of its instrument.
Damage      what cannot be read is left out and told in a `note`; the session then is `interrupted`.

A file that emolab wrote comes back as the session it was: events as events, its zero, protocol, language
and outcome, and the labels of each analyst and model as a ledger that begins with one act for all of them
that says so; what only led there (older acts, undone ones) is not in an XDF.
"""

from __future__ import annotations

import hashlib
import json
import re
import xml.etree.ElementTree as xml
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from emolab.core.errors import DataError
from emolab.core.event import Event
from emolab.core.stream import KINDS, Channel, Chunk, StreamInfo, Tally
from emolab.recording import label_ledger
from emolab.recording.header import SessionHeader
from emolab.recording.labels import Change, TimedLabel
from emolab.recording.writer import SessionWriter
from emolab.study.export.xdf import EVENTS, LABELS, TRACE
from emolab.study.xdf.clock import SenderClock
from emolab.study.xdf.file import DTYPES, FARTHEST_S, Xdf, XdfStream, parse, safe_name

OURS = "emolab-"  # how the source of a stream begins that emolab exported
FLUSH_ROWS = 1 << 18
BLOCK = 1 << 20
LONGEST_S = 1e9  # thirty years
PIECE_S = 3600.0  # no chunk holds more


@dataclass
class Imported:
    """What came of an XDF file. `damage`, `remarks`: a sentence each."""

    recording: Path
    samples: dict[str, int] = field(default_factory=dict)
    events: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    resets: dict[str, int] = field(default_factory=dict)
    damage: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def import_xdf(source: Path, recording: Path, participant: str, session: int, study: str = "") -> Imported:
    """Make the session file `recording` of an XDF file.

    Raises `DataError` when it is none, `RecordingError` when the recording exists or cannot be written; then
    nothing of it is left.
    """
    with Xdf(source) as xdf:
        if not xdf.streams:
            raise DataError(
                f"{source} holds no stream that can be read; {'; '.join(xdf.damage) or 'it is empty'}"
            )
        work = _Work(xdf, Imported(recording))
        header = work.header(participant, session, study)
        writer = SessionWriter(recording, header, work.zero_s)
        writer.open([info for info in work.infos.values() if info is not None])
        try:
            outcome = work.write(writer)
            writer.close(outcome)
        except BaseException:
            writer.let_go()
            recording.unlink(missing_ok=True)
            raise
        work.write_labels()
        return work.done


class _Work:
    """One file on its way."""

    def __init__(self, xdf: Xdf, done: Imported) -> None:
        self.xdf, self.done = xdf, done
        self.ours = _ours(xdf.header)
        self.infos = self._infos()
        self.zero_s = 0.0 if self.ours is not None else self._first_s()
        self.events: list[Event] = []
        self.begun: list[Event] = []

    def header(self, participant: str, session: int, study: str) -> SessionHeader:
        """What is known before the first sample."""
        ours = self.ours or {}
        started = re.search(r"<datetime>\s*([^<]+?)\s*</datetime>", self.xdf.header)
        try:
            started_utc = datetime.fromisoformat(started[1]) if started else None
        except ValueError:
            started_utc = None
        if started_utc is None:
            started_utc = datetime.fromtimestamp(self.xdf.path.stat().st_mtime, UTC)
            self.done.remarks.append("the file does not say when it was recorded; its own date stands for it")
        elif started_utc.tzinfo is None:
            started_utc = started_utc.replace(tzinfo=UTC)
            self.done.remarks.append("its date has no time zone; it was taken for UTC")
        texts = [self.xdf.header] + [text for s in self.xdf.streams.values() for text in (s.xml, s.footer)]
        return SessionHeader(
            participant=participant,
            session=session,
            language=ours.get("language") or "en",
            study=study,
            protocol=ours.get("protocol", ""),
            devices_text="\n".join(text for text in texts if text),
            started_utc=started_utc.astimezone(UTC),
        )

    def write(self, writer: SessionWriter) -> str:
        """Write all samples and events; returns the session's outcome."""
        last_s = 0.0
        for number, stream in self.xdf.streams.items():
            info = self.infos[number]
            if info is None:
                self._take_events(stream)
                continue
            clock = SenderClock(stream.offsets)
            last_s = max(last_s, self._write(writer, stream, info, clock))
            self._tell_clock(stream, info, clock)
        self.done.damage = self.xdf.damage
        facts = {"file": self.xdf.path.name, "sha256": _sha256(self.xdf.path)}
        remarks = [f"imported from {facts['file']} (sha256 {facts['sha256']})", *self.done.remarks]
        remarks += [f"damaged: {what}" for what in self.done.damage]
        if not any(event.kind == "session_started" for event in self.events):
            self.events.append(Event(0.0, "session_started", data={"planned": 0}))
        self.events += [Event(0.0, "note", data={"text": text}) for text in remarks]
        told = {event.kind: event for event in self.events}
        outcome = (self.ours or {}).get("outcome") or "complete"
        if self.done.damage or outcome not in ("complete", "aborted", "interrupted"):
            outcome = "interrupted"
        if "session_ended" not in told:
            last_s = max([last_s, *(event.time_s for event in self.events)])
            self.events.append(Event(last_s, "session_ended", data={"outcome": outcome}))
        for event in sorted(self.events, key=lambda event: event.time_s):
            writer.mark(event.shifted(self.zero_s))
        self.done.events = len(self.events)
        return outcome

    def write_labels(self) -> None:
        """Lanes that people and models filled become ledgers beside the recording."""
        if self.ours is None:
            return
        for stream in self.xdf.streams.values():
            kind = stream.channels[0][2].partition(" ")[0]
            if not stream.name.startswith(LABELS) or not stream.is_text or kind not in ("analyst", "model"):
                continue
            name = stream.name.removeprefix(LABELS)
            labels: list[tuple[TimedLabel, dict[str, str]]] = []
            for _, (text, *_) in self.xdf.texts(stream):
                try:
                    labels.append(_label(text))
                except DataError as error:
                    self.done.damage.append(f"a label of {name}: {error}")
            ledger = label_ledger.Ledger.open(self.done.recording, name)
            for by in _distinct([by for _, by in labels]):
                number = len(ledger.acts) + 1
                mine = [label for label, whose in labels if whose == by]
                changes = tuple(Change(f"{number}.{at}", None, label) for at, label in enumerate(mine))
                ledger.append("edit", changes, f"imported from {self.xdf.path.name}", by=by)
            self.done.labels[name] = len(labels)

    def _infos(self) -> dict[int, StreamInfo | None]:
        """What each stream becomes; None for those that become events or labels."""
        infos: dict[int, StreamInfo | None] = {}
        used: set[str] = set()
        for number, stream in self.xdf.streams.items():
            if self.ours is not None and stream.name.startswith((LABELS, TRACE)):
                infos[number] = None
                continue
            if self.ours is not None and stream.is_text and stream.name == EVENTS:
                infos[number] = None
                continue
            name = wanted = safe_name(stream.name, f"stream-{number}")
            at = 2
            while name in used:
                name, at = f"{wanted}-{at}", at + 1
            used.add(name)
            if name != stream.name:
                self.done.remarks.append(f"stream {stream.name!r} is called {name!r} here")
            infos[number] = _info(stream, name)
        return infos

    def _first_s(self) -> float:
        """The recorder's time of the first sample of all."""
        firsts = []
        for stream in self.xdf.streams.values():
            clock = SenderClock(stream.offsets)
            for piece in self.xdf.samples(stream):
                times_s = clock.onto_recorder(piece.stamps_s)
                times_s = times_s[np.abs(times_s) < FARTHEST_S]
                if len(times_s):  # one stamp that went astray must not begin the session
                    near = np.abs(times_s - np.median(times_s)) < PIECE_S
                    firsts.append(float(times_s[near].min()))
                    break
        return min(firsts, default=0.0)

    def _write(self, writer: SessionWriter, stream: XdfStream, info: StreamInfo, clock: SenderClock) -> float:
        """Write one stream; returns its last time from the session's zero."""
        rows = since_flush = corrupt = 0
        last_s = 0.0
        for piece in self.xdf.samples(stream):
            for part, resets, times_s in clock.stretches(piece.stamps_s):
                kept = (np.abs(times_s - self.zero_s) < LONGEST_S) & (
                    np.abs(piece.stamps_s[part]) < FARTHEST_S
                )
                corrupt += int(np.count_nonzero(~kept))
                if not kept.any():
                    continue
                times_s, values = np.maximum(times_s[kept], self.zero_s), piece.values[part][kept]
                if stream.is_text:
                    values = self._take_marks(info.name, rows, times_s, values)
                device_us = None
                if self.ours is None:
                    device_us = np.rint(piece.stamps_s[part][kept] * 1e6).astype(np.int64)
                tally = Tally(corrupt=corrupt, reopened=resets)
                writer.write(
                    Chunk(info.name, times_s, values, float(times_s[-1]), device_us=device_us, tally=tally)
                )
                rows += len(times_s)
                since_flush += len(times_s)
                last_s = max(last_s, float(times_s.max()) - self.zero_s)
            if since_flush > FLUSH_ROWS:
                writer.flush()
                since_flush = 0
        self.done.samples[info.name] = rows
        counted = re.search(r"<sample_count>\s*(\d+)", stream.footer)
        if not stream.footer:
            self.xdf.damage.append(f"{info.name!r} has no footer: its recording was not ended in order")
        elif counted and int(counted[1]) > rows + corrupt:
            self.xdf.damage.append(f"of {int(counted[1])} samples of {info.name!r} {rows} are there")
        if corrupt:
            self.xdf.damage.append(f"{corrupt} samples of {info.name!r} have a stamp that is no time")
        return last_s

    def _take_marks(self, name: str, rows: int, times_s: Any, texts: Any) -> Any:
        """Texts as events; what the stream itself keeps is their numbers."""
        numbers = np.arange(rows + 1, rows + 1 + len(times_s), dtype=np.int64)
        for time_s, number, row in zip(times_s.tolist(), numbers.tolist(), texts.tolist(), strict=True):
            text = row[0] if len(row) == 1 else json.dumps(row, ensure_ascii=False)
            data = {"text": text, "stream": name, "number": number}
            self.events.append(Event(time_s - self.zero_s, "mark", data=data))
        return numbers[:, None]

    def _take_events(self, stream: XdfStream) -> None:
        """Events that emolab itself wrote."""
        if stream.name != EVENTS or not stream.is_text:
            return
        for time_s, (line, *_) in self.xdf.texts(stream):
            try:
                self.events.append(Event.from_json(line))
            except DataError as error:
                self.xdf.damage.append(f"the event at {time_s:.3f} s: {error}")

    def _tell_clock(self, stream: XdfStream, info: StreamInfo, clock: SenderClock) -> None:
        if self.ours is not None:
            return
        for when_s, value_s in stream.offsets:
            at_s = when_s + value_s - self.zero_s
            if abs(at_s) < LONGEST_S:
                data = {"stream": info.name, "offset_s": value_s}
                self.events.append(Event(round(at_s, 6), "clock_offset", data=data))
        if clock.resets:
            self.done.resets[info.name] = clock.resets
            for line in clock.lines[1:]:
                at_s = min(line.first_s + line.level_s - self.zero_s, LONGEST_S)
                text = f"the clock of {info.name} had begun anew by {at_s:.3f} s; its times go on from there"
                self.events.append(Event(round(at_s, 6), "note", data={"text": text}))


def _info(stream: XdfStream, name: str) -> StreamInfo:
    if stream.is_text:
        channels: tuple[Channel, ...] = (Channel("number", "lsl", ""),)
    else:
        labels = [label or f"ch{at}" for at, (label, _, _) in enumerate(stream.channels, 1)]
        if len(set(labels)) < len(labels):
            labels = [f"{label}-{at}" for at, label in enumerate(labels, 1)]
        channels = tuple(
            Channel(label, _kind(stream, kind), unit)
            for label, (_, unit, kind) in zip(labels, stream.channels, strict=True)
        )
    told = {"model": "XDF", "stream": stream.name, "type": stream.type, "format": stream.format}
    told |= {"host" if key == "hostname" else key: text[:200] for key, text in stream.about.items()}
    dtype = "int64" if stream.is_text else np.dtype(DTYPES[stream.format]).name
    return StreamInfo(name, channels, stream.rate_hz or None, dtype, (len(channels),), told)


def _kind(stream: XdfStream, kind: str) -> str:
    """Our word for what a channel is; `lsl` where the file says none of ours."""
    words = {"gsr": "eda", "eda": "eda", "resp": "respiration", "ppg": "ppg", "audio": "audio"}
    told = kind.casefold() or stream.type.casefold()
    return told if told in KINDS and told not in ("rgb", "thermal") else words.get(told, "lsl")


def _ours(header: str) -> dict[str, str] | None:
    """What emolab wrote about the session into the file's header; None for other programs' files."""
    try:
        found = parse(header).find("emolab")
    except (ValueError, xml.ParseError):
        return None
    return None if found is None else {each.tag: each.text or "" for each in found}


def _label(text: str) -> tuple[TimedLabel, dict[str, str]]:
    try:
        fields = json.loads(text)
        by = {str(key): str(value) for key, value in dict(fields.get("by", {})).items()}
        known = TimedLabel.__dataclass_fields__
        return TimedLabel.from_fields({key: fields[key] for key in fields if key in known}), by
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"it is none ({error})") from error


def _distinct(found: list[dict[str, str]]) -> Iterator[dict[str, str]]:
    for at, one in enumerate(found):
        if one not in found[:at]:
            yield one


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def text(done: Imported) -> str:
    """What came, for people."""
    lines = [f"{done.recording}", f"  {done.events} events"]
    lines += [f"  {name}: {rows} samples" for name, rows in done.samples.items()]
    lines += [f"  labels of {name}: {count}" for name, count in done.labels.items()]
    lines += [f"  the clock of {name} began anew {count} times" for name, count in done.resets.items()]
    return "\n".join([*lines, *(f"  {r}" for r in done.remarks), *(f"  damaged: {d}" for d in done.damage)])
