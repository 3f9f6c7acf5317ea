"""A session as tables: CSV in UTF-8, a point for decimals, times in seconds on the session clock.

    NAME_board.csv       time_s and a column a channel in its unit: `gsr [µS]`
    NAME_face.csv        frame, time_s of a camera; the frames themselves are exported as mp4
    NAME_voice.flac      sound, as it was sampled; NAME_voice.json says when each sample was taken
    NAME_events.csv      time_s, kind, planned_s, data (JSON)
    NAME_answers.csv     clip (empty: the baseline), state, word, response_s, changes
    NAME_labels.csv      a row a label of every lane: what it says, and which act, person or model says it
    NAME_traces.csv      valence and arousal as they were drawn: lane, label, time_s, valence, arousal

An instrument called as one of these tables, or as another instrument but for capitals, gets a number after
its name (`NAME_events-2.csv`), which is told.

Times are the best there are, to the microsecond. Missing samples are missing rows. `tags` are a JSON list;
`act`, `utc` and `act_sha256` name the line of the lane's ledger that made a label what it is.

A FLAC holds samples end to end and has no time of its own: where the microphone was away it is shorter than
the session. The JSON beside it says

    first_s, samples     when the first was taken, and how many there are
    true_rate_hz         samples a second, while there was sound
    stretches            sound without a break, a list of {first_sample, first_s, samples, true_rate_hz}:
                         sample `first_sample + n` was taken at `first_s + n / true_rate_hz`, this stretch's
                         own; where there is but one, nothing is missing
"""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import soundfile

from emolab.core.errors import ConfigError, DataError
from emolab.recording.reader import RecordedStream
from emolab.study.export.outgoing import Outgoing
from emolab.study.export.stretches import away_s, find_stretches, mean_rate_hz
from emolab.study.export.whole import whole

ROWS = 1 << 16
SYSTEM_ERROR = 2  # libsndfile's word for a disk that is full
TABLES = ("events", "answers", "labels", "traces")
LABEL_COLUMNS = (
    "lane", "kind", "who", "label", "start_s", "end_s", "clip", "state", "word", "valence", "arousal", "tags",
    "note", "why", "model", "weights_sha256", "act", "utc", "act_sha256",
)  # fmt: skip
TRACE_COLUMNS = ("lane", "label", "time_s", "valence", "arousal")


def write(session: Outgoing, folder: Path) -> list[Path]:
    """Write a session's tables; returns the files."""
    files = []
    name = session.name
    called = _called(session)
    for stream in session.streams.values():
        path = folder / f"{name}_{called[stream.name]}.csv"
        with session.spared(stream):
            if stream.info.kind == "audio":
                files += _sound(stream, path, session)
            elif stream.info.is_image:
                frames = ((at, f"{time_s:.6f}") for at, time_s in enumerate(stream.times_s()))
                files.append(_table(path, ("frame", "time_s"), frames))
            else:
                files.append(_signals(stream, path))
    events = (
        (f"{e.time_s:.6f}", e.kind, "" if e.planned_s is None else f"{e.planned_s:.6f}", _json(e.data))
        for e in session.events
    )
    files.append(_table(folder / f"{name}_events.csv", ("time_s", "kind", "planned_s", "data"), events))
    answers = ((a.clip, a.state, a.word, a.response_s, a.changes) for a in session.answers)
    head = ("clip", "state", "word", "response_s", "changes")
    files.append(_table(folder / f"{name}_answers.csv", head, answers))
    files.append(_table(folder / f"{name}_labels.csv", LABEL_COLUMNS, _labels(session)))
    return [*files, _table(folder / f"{name}_traces.csv", TRACE_COLUMNS, _traces(session))]


def _called(session: Outgoing) -> dict[str, str]:
    """What each stream's file is called: Windows and macOS take `EEG` and `eeg` for one name."""
    taken, found = set(TABLES), {}
    own = {name.casefold() for name in session.streams}
    for stream in session.streams.values():
        name = free = stream.name
        for number in itertools.count(2):
            if free.casefold() not in taken and (free == name or free.casefold() not in own):
                break
            free = f"{name}-{number}"
        if free != name:
            session.remarks.append(f"{name} is written as {session.name}_{free}: its own name is another's")
        taken.add(free.casefold())
        found[name] = free
    return found


def _labels(session: Outgoing) -> Iterable[Sequence[Any]]:
    for lane in session.lanes:
        for placed in lane.labels:
            label = placed.label
            yield (
                lane.name, lane.kind, lane.who, placed.key, f"{label.start_s:.6f}", f"{label.end_s:.6f}",
                label.clip, label.state, label.word, label.valence, label.arousal,
                json.dumps(label.tags, ensure_ascii=False) if label.tags else "",
                label.note, placed.why, placed.model, placed.weights_sha256, placed.act,
                placed.utc.isoformat() if placed.utc else "", placed.act_sha256,
            )  # fmt: skip


def _traces(session: Outgoing) -> Iterable[Sequence[Any]]:
    for lane in session.lanes:
        for placed in lane.labels:
            for time_s, valence, arousal in placed.label.trace:
                yield lane.name, placed.key, f"{time_s:.6f}", valence, arousal


def _signals(stream: RecordedStream, path: Path) -> Path:
    """One stream of numbers; whole numbers stay whole, others are told with all their digits."""
    channels = stream.info.channels
    head = (
        "time_s",
        *(f"{channel.name} [{channel.unit}]" if channel.unit else channel.name for channel in channels),
    )

    def rows() -> Iterable[Sequence[Any]]:
        for start in range(0, len(stream), ROWS):
            stop = min(start + ROWS, len(stream))
            raw = stream.samples(start, stop)
            columns = [
                raw[:, at].tolist()
                if (c.scale, c.offset) == (1.0, 0.0)
                else (raw[:, at] * c.scale + c.offset).tolist()
                for at, c in enumerate(channels)
            ]
            times = (f"{time_s:.6f}" for time_s in stream.times_s(start, stop))
            yield from zip(times, *columns, strict=True)

    return _table(path, head, rows())


def _sound(stream: RecordedStream, table: Path, session: Outgoing) -> list[Path]:
    if not len(stream):
        return []
    stretches = find_stretches(stream)
    rate_hz = round(stream.info.nominal_rate_hz or 48_000)
    true_hz = mean_rate_hz(stretches) or float(rate_hz)
    subtypes = {"int16": "PCM_16", "int32": "PCM_24", "float32": "PCM_24", "float64": "PCM_24"}
    if stream.info.dtype not in subtypes:
        raise DataError(f"sound of {stream.info.dtype} cannot be written as FLAC; export it as xdf")
    path, facts = table.with_name(f"{table.stem}.flac"), table.with_name(f"{table.stem}.json")
    try:
        with (
            whole(path) as beside,
            soundfile.SoundFile(
                beside, "w", rate_hz, len(stream.info.channels), subtypes[stream.info.dtype], format="FLAC"
            ) as file,
        ):
            for start in range(0, len(stream), ROWS):
                file.write(stream.samples(start, start + ROWS))
    except soundfile.LibsndfileError as error:  # it only writes: the recording is as good as it was
        if error.code != SYSTEM_ERROR:
            raise DataError(f"its sound cannot be written as FLAC ({error}); export it as xdf") from error
        raise ConfigError(f"{path} cannot be written ({error}); make room, or choose another") from error
    told = {
        "first_s": round(stretches[0].first_s, 6),
        "true_rate_hz": round(true_hz, 4),
        "samples": len(stream),
        "stretches": [
            {
                "first_sample": one.first_sample,
                "first_s": round(one.first_s, 6),
                "samples": one.samples,
                "true_rate_hz": round(mean_rate_hz([one]) or true_hz, 4),
            }
            for one in stretches
        ],
    }
    with whole(facts) as beside:
        beside.write_text(json.dumps(told, indent=1), encoding="utf-8")
    if len(stretches) > 1:
        session.remarks.append(
            f"{stream.name} was away for {away_s(stretches, true_hz):.3f} s, which {path.name} leaves out; "
            f"{facts.name} tells when each of its {len(stretches)} stretches began"
        )
    return [path, facts]


def _table(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    with whole(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(head)
        table.writerows(["" if value is None else value for value in row] for row in rows)
    return path


def _json(data: Any) -> str:
    return json.dumps(dict(data), ensure_ascii=False, default=str) if data else ""
