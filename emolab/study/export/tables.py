"""A session as tables: CSV in UTF-8, a point for decimals, times in seconds on the session clock.

    NAME_board.csv       time_s and a column a channel in its unit: `gsr [µS]`
    NAME_face.csv        frame, time_s of a camera; the frames themselves are exported as mp4
    NAME_voice.flac      sound, as it was sampled; NAME_voice.json says when it began, at which rate
    NAME_events.csv      time_s, kind, planned_s, data (JSON)
    NAME_answers.csv     clip (empty: the baseline), state, word, response_s, changes
    NAME_labels.csv      a row a label of every lane: what it says, and which act, person or model says it
    NAME_traces.csv      valence and arousal as they were drawn: lane, label, time_s, valence, arousal

Times are the best there are, to the microsecond. Missing samples are missing rows. `tags` are a JSON list;
`act`, `utc` and `act_sha256` name the line of the lane's ledger that made a label what it is.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import soundfile

from emolab.core.errors import DataError
from emolab.recording.reader import RecordedStream
from emolab.study.export.outgoing import Outgoing
from emolab.study.export.whole import whole

ROWS = 1 << 16
LABEL_COLUMNS = (
    "lane", "kind", "who", "label", "start_s", "end_s", "clip", "state", "word", "valence", "arousal", "tags",
    "note", "why", "model", "weights_sha256", "act", "utc", "act_sha256",
)  # fmt: skip
TRACE_COLUMNS = ("lane", "label", "time_s", "valence", "arousal")


def write(session: Outgoing, folder: Path) -> list[Path]:
    """Write a session's tables; returns the files."""
    files = []
    name = session.name
    for stream in session.streams.values():
        with session.spared(stream):
            if stream.info.kind == "audio":
                files += _sound(stream, folder, name)
            elif stream.info.is_image:
                frames = ((at, f"{time_s:.6f}") for at, time_s in enumerate(stream.times_s()))
                files.append(_table(folder / f"{name}_{stream.name}.csv", ("frame", "time_s"), frames))
            else:
                files.append(_signals(stream, folder / f"{name}_{stream.name}.csv"))
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


def _sound(stream: RecordedStream, folder: Path, name: str) -> list[Path]:
    if not len(stream):
        return []
    first_s, last_s = float(stream.times_s(0, 1)[0]), stream.last_s() or 0.0
    rate_hz = round(stream.info.nominal_rate_hz or 48_000)
    subtypes = {"int16": "PCM_16", "int32": "PCM_24", "float32": "PCM_24", "float64": "PCM_24"}
    if stream.info.dtype not in subtypes:
        raise DataError(f"sound of {stream.info.dtype} cannot be written as FLAC; export it as xdf")
    path, facts = folder / f"{name}_{stream.name}.flac", folder / f"{name}_{stream.name}.json"
    with (
        whole(path) as beside,
        soundfile.SoundFile(
            beside, "w", rate_hz, len(stream.info.channels), subtypes[stream.info.dtype], format="FLAC"
        ) as file,
    ):
        for start in range(0, len(stream), ROWS):
            file.write(stream.samples(start, start + ROWS))
    true_hz = (len(stream) - 1) / (last_s - first_s) if last_s > first_s else float(rate_hz)
    told = {"first_s": round(first_s, 6), "true_rate_hz": round(true_hz, 4), "samples": len(stream)}
    with whole(facts) as beside:
        beside.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return [path, facts]


def _table(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    with whole(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(head)
        table.writerows(["" if value is None else value for value in row] for row in rows)
    return path


def _json(data: Any) -> str:
    return json.dumps(dict(data), ensure_ascii=False, default=str) if data else ""
