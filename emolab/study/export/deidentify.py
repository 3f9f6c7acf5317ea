"""A session as it may leave the laboratory: what tells who it was is taken out, and said to be.

What is removed, always:

    pseudonym               a random code in its place, new in each export unless a key file is kept
    names                   of the study, of analysts (`analyst-1`, `analyst-2` …) and of the computer
    dates and hours         the year stays; all times count from the session's own zero
    texts                   marks, notes, reasons, error messages, what an analyst remarked, tagged or gave as
                            a reason: `[removed]` where one was; settings and protocol files, software; notes
                            made after the session had ended, altogether
    instruments             serial numbers, ports, paths, hosts, addresses, firmware: only the model stays
    sound                   also streams of other programs faster than 4000 Hz, which may be sound
    pictures                of cameras and thermal cameras; their times stay. With `--video blurred` mp4 has
                            the cameras with faces blurred (`blurred`), never the thermal pictures
    ledgers                 hashes and moments of acts, which would tell when an analyst worked

What remains, and may still tell somebody who knows the person well:

    signals                 heart, skin and breath as recorded, and the mean temperature of thermal
                            pictures: a heart can be told from others by its beat
    answers and labels      what was felt, said and judged, clip by clip, in seconds; which clips, and in
                            which order; which model judged, and the hash of its weights
    names given by the lab  of the protocol, clips, instruments and channels, as far as none of the names
                            above stands in them: look at them before you pass the data on
    the year, the session's number, the language
    blurred video           body, clothes and what is written on them, hands, the room, how somebody moves; a
                            face the detector never found beside one that it is sure of

A voice is in no file and a face in none unless blurred. The key, where it is kept, is all that leads
back: keep it apart from the data.
"""

from __future__ import annotations

import copy
import csv
import os
import platform
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emolab.core.errors import ConfigError
from emolab.core.event import Event
from emolab.core.stream import StreamInfo
from emolab.recording.labels import TimedLabel
from emolab.recording.reader import RecordedStream
from emolab.study import key_file
from emolab.study.export.outgoing import Blur, Lane, Outgoing, Placed

REMOVED = "[removed]"
SOUND_HZ = 4000.0
SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_NUMBERS = {
    "step", "planned", "trial", "requested_s", "fitted_s", "measured_s", "residual_ms", "match", "response_s",
    "changes", "lost", "seconds", "away_s", "settling_s", "offset_s", "by_s", "count", "slip_ms", "silent_s",
    "frozen_s", "number",
}  # fmt: skip
_WORDS = {"clip", "state", "word", "kind", "how", "outcome"}
_TELLING = re.compile(r"serial|port|host|source|uid|path|address|url|user|device|description", re.I)


class Codes:
    """Random codes for pseudonyms, the same for one pseudonym as long as it lives; `key`: and beyond.

    The key is a table `pseudonym,code` for its owner's eyes only. Raises `ConfigError` when it
    cannot be read or written.
    """

    def __init__(self, key: Path | None = None) -> None:
        self._key = key
        self._codes: dict[str, str] = {}
        if key is not None and key.exists():
            self._codes = {who: code for who, code in key_file.rows(key) if who and code}

    @property
    def is_empty(self) -> bool:
        """Whether nobody has a code yet."""
        return not self._codes

    def of(self, pseudonym: str) -> str:
        """The code of a pseudonym; a new one is in the key before it is used."""
        if pseudonym not in self._codes:
            while (code := "X" + "".join(secrets.choice(SIGNS) for _ in range(7))) in self._codes.values():
                pass
            self._codes[pseudonym] = code
            self._keep()
        return self._codes[pseudonym]

    def _keep(self) -> None:
        if self._key is None:
            return
        beside = self._key.with_name(f".{self._key.name}.part")
        try:
            self._key.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                rows = csv.writer(file)
                rows.writerow(("pseudonym", "code"))
                names = sorted(self._codes, key=self._codes.__getitem__)
                rows.writerows((name, self._codes[name]) for name in names)
            beside.replace(self._key)
        except OSError as error:
            raise ConfigError(f"the key {self._key} cannot be written ({error.strerror or error})") from error


def deidentified(session: Outgoing, codes: Codes, blur: Blur | None = None) -> Outgoing:
    """The session without what the file's docstring lists; `blur`: for cameras that go out blurred."""
    header = session.header
    code = codes.of(header.participant)
    hidden = _Hidden(session)
    names: dict[str, str] = {}
    streams: dict[str, RecordedStream] = {}
    for stream in session.streams.values():
        if _is_sound(stream.info):
            continue
        name = hidden.name(stream.name, f"{stream.info.kind}-{len(streams) + 1}")
        names[stream.name] = name
        streams[name] = _anonymous(stream, name, hidden)
    clips = {str(event.data["clip"]) for event in session.events if event.data.get("clip")}
    part = f"_part-{session.part}" if session.part > 1 else ""
    events = session.events[: len(session.events) - session.afterwards]
    return replace(
        session,
        name=f"{code}_session-{header.session}{part}",
        header=replace(
            header,
            participant=code,
            study="",
            seed=0,
            protocol=hidden.text(header.protocol),
            protocol_text="",
            devices_text="",
            started_utc=datetime(header.started_utc.year, 1, 1, tzinfo=UTC),
            software={},
            commit="",
        ),
        streams=streams,
        events=[_event(event, names, hidden) for event in events],
        afterwards=0,
        answers=[
            replace(answer, clip=answer.clip and hidden.text(answer.clip)) for answer in session.answers
        ],
        lanes=_lanes(session.lanes, clips, hidden),
        is_deidentified=True,
        blur=blur,
    )


class _Hidden:
    """Words that must not go out, wherever they stand."""

    def __init__(self, session: Outgoing) -> None:
        header = session.header
        words = {header.participant, header.study, platform.node(), os.environ.get("USER", "")}
        words |= {lane.who for lane in session.lanes if lane.kind == "analyst"}
        for stream in session.streams.values():
            words |= {str(told) for key, told in stream.info.instrument.items() if _TELLING.search(key)}
        words = {word for word in words if len(word) > 1}
        self._pattern = re.compile(
            "|".join(map(_anywhere, sorted(words, key=len, reverse=True))) or r"(?!)", re.I
        )

    def text(self, text: str) -> str:
        """The text, unless a hidden word stands in it."""
        return REMOVED if self._pattern.search(text) else text

    def name(self, name: str, instead: str) -> str:
        """The name, unless a hidden word stands in it."""
        return instead if self._pattern.search(name) else name


def _anywhere(word: str) -> str:
    """A pattern for a word; short ones, which may be part of another, only where they stand alone."""
    is_rare = len(word) > 7 or any(sign.isdigit() for sign in word)
    return re.escape(word) if is_rare else rf"(?<![^\W_]){re.escape(word)}(?![^\W_])"


def _is_sound(info: StreamInfo) -> bool:
    is_fast = (info.nominal_rate_hz or 0.0) >= SOUND_HZ
    is_named = str(info.instrument.get("type", "")).casefold() == "audio"
    return any(c.kind == "audio" or (c.kind == "lsl" and (is_fast or is_named)) for c in info.channels)


def _anonymous(stream: RecordedStream, name: str, hidden: _Hidden) -> RecordedStream:
    channels = tuple(
        replace(
            channel, name=hidden.name(channel.name, f"{channel.kind}-{at}"), unit=hidden.text(channel.unit)
        )
        for at, channel in enumerate(stream.info.channels, 1)
    )
    model = stream.info.instrument.get("model")
    told = {"model": hidden.text(str(model))} if model else {}
    like = copy.copy(stream)
    like.name, like.info = name, replace(stream.info, name=name, channels=channels, instrument=told)
    return like


def _event(event: Event, names: Mapping[str, str], hidden: _Hidden) -> Event:
    return replace(event, data={key: _fact(key, event.data[key], names, hidden) for key in event.data})


def _fact(key: str, value: Any, names: Mapping[str, str], hidden: _Hidden) -> Any:
    """What is left of one fact of an event: numbers and words of the protocol."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if key in _NUMBERS else None
    if key in ("stream", "left_out"):
        of = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        kept = [names[name] for name in of if name in names]
        return kept if key == "left_out" else "".join(kept) or REMOVED
    if key in _WORDS and isinstance(value, str):
        return hidden.text(value)
    return REMOVED


def _lanes(lanes: Iterable[Lane], clips: set[str], hidden: _Hidden) -> list[Lane]:
    who: dict[str, str] = {}
    found: list[Lane] = []
    for lane in lanes:
        name = lane.name
        if lane.kind in ("analyst", "model"):
            person = who.setdefault(lane.who, f"{lane.kind}-{len(who) + 1}")
            same = sum(other.who == person for other in found)
            name = f"{person} {same + 1}" if same else person
            lane = replace(lane, name=name, who=person)
        found.append(replace(lane, labels=tuple(_placed(placed, clips, hidden) for placed in lane.labels)))
    return found


def _placed(placed: Placed, clips: set[str], hidden: _Hidden) -> Placed:
    by = {key: hidden.text(text) for key, text in (placed.by or {}).items() if not re.search(r"[/\\]", text)}
    kept: dict[str, str] = {key: by[key] for key in ("model", "weights_sha256", "weights") if key in by}
    label = _label(placed.label, clips, hidden)
    return Placed(placed.key, label, REMOVED if placed.why else "", kept or None, placed.act)


def _label(label: TimedLabel, clips: set[str], hidden: _Hidden) -> TimedLabel:
    clip = label.clip
    if clip is not None and clip != "baseline":
        clip = hidden.text(clip) if clip in clips else REMOVED
    tags = (REMOVED,) if label.tags else ()
    return replace(label, clip=clip, tags=tags, note=REMOVED if label.note else "")
