"""A session as tables: CSV in UTF-8, a point for decimals, times in seconds on the session clock.

    NAME_board.csv       time_s and a column a channel in its unit: `gsr [µS]`
    NAME_face.csv        frame, time_s of a camera; the frames themselves are exported as mp4
    NAME_voice.flac      sound, as it was sampled; NAME_voice.json says when each sample was taken
    NAME_events.csv      time_s, kind, planned_s, data (JSON)
    NAME_answers.csv     clip (empty: the baseline), state, word, response_s, changes
    NAME_labels.csv      a row a label of every lane: what it says, and which act, person or model says it
    NAME_traces.csv      valence and arousal as they were drawn: lane, label, time_s, valence, arousal

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
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import soundfile

from emolab.core.errors import DataError
from emolab.recording.reader import RecordedStream
from emolab.study.export.outgoing import Outgoing
from emolab.study.export.stretches import away_s, find_stretches, mean_rate_hz
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
                files += _sound(stream, folder, session)
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


def _sound(stream: RecordedStream, folder: Path, session: Outgoing) -> list[Path]:
    if not len(stream):
        return []
    name = f"{session.name}_{stream.name}"
    stretches = find_stretches(stream)
    rate_hz = round(stream.info.nominal_rate_hz or 48_000)
    true_hz = mean_rate_hz(stretches) or float(rate_hz)
    subtypes = {"int16": "PCM_16", "int32": "PCM_24", "float32": "PCM_24", "float64": "PCM_24"}
    if stream.info.dtype not in subtypes:
        raise DataError(f"sound of {stream.info.dtype} cannot be written as FLAC; export it as xdf")
    path, facts = folder / f"{name}.flac", folder / f"{name}.json"
    with (
        whole(path) as beside,
        soundfile.SoundFile(
            beside, "w", rate_hz, len(stream.info.channels), subtypes[stream.info.dtype], format="FLAC"
        ) as file,
    ):
        for start in range(0, len(stream), ROWS):
            file.write(stream.samples(start, start + ROWS))
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
