"""A session as BIDS: events and signals of one participant, in a data set that grows with each export.

    dataset_description.json  participants.tsv  participants.json  README
    sub-P014/ses-0/beh/sub-P014_ses-0_task-emomusic_events.tsv + .json
    sub-P014/ses-0/beh/sub-P014_ses-0_task-emomusic_recording-board_physio.tsv.gz + .json
    derivatives/labels/sub-P014/ses-0/beh/sub-P014_ses-0_task-emomusic_events.tsv + .json     (`bids_labels`)

BIDS wants signals evenly sampled. Where a stream's times are a hundredth of a sample from even they are
written as recorded; else values between two neighbours are interpolated onto an even grid of the true
rate, which the JSON says (`Resampled`). Where samples are missing stands `n/a`. Sound and video are not
part of it, so what is exported shows and sounds like nobody; nor are streams without a rate, or those
whose sender stamps samples in bursts, which is told. A session that broke off and went on is a `run` more,
and what was written of it before it went on is removed. Whose a subject is stands in `participants.tsv`:
BIDS calls P1-1 and P11 alike sub-P11, and the second of them is refused.

Source: BIDS 1.10.0, "Physiological recordings" and "Task events".
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import emolab
from emolab.core.errors import ConfigError, DataError
from emolab.core.label import STATES
from emolab.recording import lanes
from emolab.recording.onset_facts import onset_facts
from emolab.recording.reader import RecordedStream
from emolab.study.export import bids_labels
from emolab.study.export.bids_text import DESCRIPTION, cell, is_ours, table, write_json
from emolab.study.export.outgoing import Outgoing
from emolab.study.export.whole import whole
from emolab.study.participants import bids_label

VERSION = "1.10.0"
EVEN = 0.01  # of a sample
GAP = 1.5  # of a sample: a longer step lacks one
OFF = 0.2  # of the rate announced: a stream this near to it keeps it
LONG_S = 60.0  # senders that stamp samples together do it more often
ROWS = 1 << 15
DEIDENTIFIED = "de-identified emolab sessions"
README = """Recorded with emolab, which wrote this folder.

Each session has its events (clips heard, reports given, marks) and, for each instrument, its signals on
an even grid. All times of a session are seconds from the same zero. `n/a` in a signal: nothing was
recorded then. Sound and video are not part of this data set. What analysts and models said of the
sessions lies in derivatives/labels.
"""
COLUMNS = ("onset", "duration", "trial_type", "clip", "state", "word", "response_time")


def write(session: Outgoing, folder: Path) -> list[Path]:
    """Add a session to the data set in `folder`; returns the files of the session.

    Raises `DataError`, before anything is written, when the subject is somebody else there.
    """
    header = session.header
    subject, number = bids_label(header.participant), header.session
    task = bids_label(header.protocol or "music")
    title = DEIDENTIFIED if session.is_deidentified else header.study or folder.name
    _check_subject(folder, subject, header.participant)
    _describe(folder, title, subject, header.participant)
    place = Path(f"sub-{subject}", f"ses-{number}", "beh")
    where = folder / place
    where.mkdir(parents=True, exist_ok=True)
    run = f"_run-{session.part}" if session.parts > 1 else ""
    known = f"sub-{subject}_ses-{number}_task-{task}"
    stem = f"{known}{run}"
    if session.part == 1:  # what it was called before is written anew; of the first part alone
        _remove_outdated(where, known, session.parts > 1)
        _remove_outdated(folder / bids_labels.FOLDER / place, known, session.parts > 1)
    files = _events(session, where / f"{stem}_events.tsv", header.protocol or "music")
    files += bids_labels.write(session, folder, place / f"{stem}_events.tsv", title)
    used: set[str] = set()
    for stream in session.streams.values():
        info = stream.info
        # what has no rate, such as markers, has no grid; its marks are among the events
        if info.is_image or info.kind == "audio" or not info.nominal_rate_hz or len(stream) < 2:
            continue
        name = bids_label(stream.name)
        while name in used:  # `a-b` and `ab` are one name here
            name += "x"
        used.add(name)
        with session.spared(stream):
            path = where / f"{stem}_recording-{name}_physio.tsv.gz"
            files += _signals(stream, path, header.protocol or "music")
    return files


def _check_subject(folder: Path, subject: str, participant: str) -> None:
    """Raises `DataError` when `subject` is another's in the data set: their files would be replaced."""
    head, rows = _people(folder)
    name = f"sub-{subject}".casefold()
    theirs = [row for row in rows if row[0].casefold() == name]
    at = head.index("pseudonym") if "pseudonym" in head else len(head)
    told = [row[at] for row in theirs if len(row) > at and row[at] not in ("", "n/a")]
    others = [who for who in told if who.casefold() != participant.casefold()]
    if others:
        raise DataError(
            f"{folder} has {others[0]} as sub-{subject} already, and {participant} would be the same "
            "subject: BIDS drops all but letters and digits, and the files of one would replace the "
            f"other's. Export {participant} into another folder"
        )
    is_there = bool(theirs) or (folder / f"sub-{subject}").exists()
    if is_there and not told and not is_ours(folder):
        raise DataError(
            f"{folder} is not of emolab's making and has a sub-{subject}, who may be somebody else; export "
            f"{participant} into another folder, or say in a column 'pseudonym' of its participants.tsv that "
            f"sub-{subject} is {participant}"
        )


def _people(folder: Path) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of `participants.tsv`; the head that emolab gives it when there is none."""
    path = folder / "participants.tsv"
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    except UnicodeDecodeError as error:  # as Excel saves it
        raise ConfigError(
            f"{path} is not in UTF-8; save it as text in UTF-8 with tabs between columns, and export again"
        ) from error
    head, *rows = [line.split("\t") for line in lines if line] or [["participant_id", "pseudonym"]]
    return head, rows


def _remove_outdated(where: Path, known: str, has_runs: bool) -> None:
    """Remove what was written of a session before it went on in another run, or when it still had more."""
    run = "" if has_runs else "_run-*"
    for kind in ("events.tsv", "events.json", "recording-*_physio.tsv.gz", "recording-*_physio.json"):
        for path in where.glob(f"{known}{run}_{kind}"):
            path.unlink()


def _describe(folder: Path, title: str, subject: str, participant: str) -> None:
    """The data set's own files; what somebody wrote into them stays."""
    description = folder / DESCRIPTION
    if not description.exists():
        write_json(
            description,
            {
                "Name": title,
                "BIDSVersion": VERSION,
                "DatasetType": "raw",
                "GeneratedBy": [{"Name": "emolab", "Version": emolab.__version__}],
            },
        )
    if not (folder / "README").exists():
        (folder / "README").write_text(README, encoding="utf-8")
    head, rows = _people(folder)
    if not any(row[0] == f"sub-{subject}" for row in rows):
        if "pseudonym" not in head:
            rows = [[*row, *["n/a"] * (len(head) + 1 - len(row))] for row in rows]
            head = [*head, "pseudonym"]
        told = {head[0]: f"sub-{subject}", "pseudonym": participant}
        rows.append([told.get(column, "n/a") for column in head])
        table(folder / "participants.tsv", map("\t".join, [head, *rows]))
    if not (folder / "participants.json").exists():
        write_json(folder / "participants.json", {"pseudonym": {"Description": "what the study calls them"}})


def _events(session: Outgoing, path: Path, task: str) -> list[Path]:
    events, end_s = session.events, session.end_s
    rows: list[Sequence[Any]] = []
    onsets = onset_facts(events)
    for onset, until_s in zip(onsets, lanes.stops(onsets, events, end_s), strict=True):
        if (at_s := onset["fitted_s"]) is not None:
            rows.append((at_s, max(until_s - at_s, 0.0), "clip", onset["clip"], onset["state"], None, None))
    for start_s, stop_s in lanes.rests(events):
        rows.append((start_s, stop_s - start_s, "rest", None, None, None, None))
    for event in events:
        if event.kind == "answer":
            told = event.data
            response_s = told.get("response_s")
            begun_s = event.time_s - (response_s or 0.0)
            clip, state = told.get("clip"), told.get("state")
            rows.append((begun_s, response_s or 0.0, "report", clip, state, told.get("word"), response_s))
        elif event.kind in ("mark", "paused", "resumed"):
            rows.append((event.time_s, 0.0, event.kind, None, None, event.data.get("text"), None))
    rows.sort(key=lambda row: row[0])
    table(path, ["\t".join(COLUMNS), *("\t".join(map(cell, row)) for row in rows)])
    levels = {state.key: f"rank {state.rank:+d}: {', '.join(state.words)}" for state in STATES}
    described: dict[str, Any] = {
        "TaskName": task,
        "trial_type": {
            "Description": "what happened",
            "Levels": {
                "clip": "music is heard; `state` is what it was chosen for",
                "report": "the participant says what they felt; `state` is what they said, n/a when nothing",
                "rest": "the participant rests",
                "mark": "the experimenter's mark",
                "paused": "the session was paused",
                "resumed": "and went on",
            },
        },
        "clip": {"Description": "the clip heard or reported on; n/a: the rest"},
        "state": {"Description": "one of five states", "Levels": levels},
        "word": {"Description": "the word picked inside the state; the text of a mark"},
        "response_time": {"Description": "from the question to the confirmed answer", "Units": "s"},
    }
    sidecar = path.with_suffix(".json")
    write_json(sidecar, described)
    return [path, sidecar]


def _signals(stream: RecordedStream, path: Path, task: str) -> list[Path]:
    channels = stream.info.channels
    times_s = stream.times_s()
    steps_s = np.diff(times_s)
    period_s = float(np.median(steps_s))
    if _in_bursts(times_s, period_s, stream.info.nominal_rate_hz or 0.0):
        raise DataError(
            "its samples are stamped in bursts, and an even grid cannot be told; export it as csv or xdf"
        )
    spans = np.maximum(np.round(steps_s / period_s), 1)  # samples from each to the next, were none missing
    period_s = float((times_s[-1] - times_s[0]) / spans.sum())
    places = np.concatenate([[0], np.cumsum(spans)]).astype(np.int64)
    off = np.abs(times_s - times_s[0] - places * period_s).max() / period_s
    count = int(places[-1]) + 1
    is_even = bool(off <= EVEN)
    columns = []
    for at, _ in enumerate(channels):
        values = stream.values(at)
        if is_even:
            grid = np.full(count, np.nan)
            grid[places] = values
        else:
            grid = _resampled(times_s, values, times_s[0] + np.arange(count) * period_s, GAP * period_s)
        columns.append(grid)
    # no name and no date inside: the same session gives the same bytes
    with (
        whole(path) as beside,
        beside.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as file,
    ):
        for start in range(0, count, ROWS):
            parts = (column[start : start + ROWS].tolist() for column in columns)
            lines = ("\t".join(map(_number, row)) for row in zip(*parts, strict=True))
            file.write(("\n".join(lines) + "\n").encode())
    names = _unique([channel.name for channel in channels])
    told: dict[str, Any] = {
        "TaskName": task,
        "PhysioType": "generic",
        "SamplingFrequency": round(1 / period_s, 6),
        "StartTime": round(float(times_s[0]), 6),
        "Columns": names,
        "Resampled": not is_even,
    }
    if model := stream.info.instrument.get("model"):
        told["ManufacturersModelName"] = str(model)
    for name, channel in zip(names, channels, strict=True):
        told[name] = {"Description": channel.kind, "Units": channel.unit or "arbitrary"}
    sidecar = path.with_name(path.name.removesuffix(".tsv.gz") + ".json")
    write_json(sidecar, told)
    return [path, sidecar]


def _in_bursts(times_s: NDArray[np.float64], usual_s: float, nominal_hz: float) -> bool:
    """Whether the usual step is one inside bursts: not as announced, though the rate is, or much too short.

    The rate is that of a minute of samples, as a rule: gaps are in few of those. A stream that keeps another
    rate than it announced has no bursts.
    """
    if not usual_s > 0 or not times_s[-1] > times_s[0]:
        return True
    count = min(len(times_s) - 1, max(round(LONG_S * nominal_hz), 1))
    mean_s = float(np.median(times_s[count:] - times_s[:-count])) / count
    is_off, mean_is_off = (abs(step_s * nominal_hz - 1) > OFF for step_s in (usual_s, mean_s))
    return is_off and (not mean_is_off or usual_s < mean_s / 2)


def _resampled(
    times_s: NDArray[np.float64], values: NDArray[np.float64], grid_s: NDArray[np.float64], gap_s: float
) -> NDArray[np.float64]:
    """Values between neighbours, NaN inside gaps."""
    found = np.interp(grid_s, times_s, values)
    after = np.clip(np.searchsorted(times_s, grid_s), 1, len(times_s) - 1)
    is_inside = (times_s[after] - times_s[after - 1] > gap_s) & (grid_s < times_s[after])
    found[is_inside & (grid_s > times_s[after - 1])] = np.nan
    return np.asarray(found)


def _unique(names: Iterable[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        while name in found:
            name += "_"
        found.append(name)
    return found


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "n/a"
    return repr(int(value)) if value == int(value) else f"{value:.9g}"
