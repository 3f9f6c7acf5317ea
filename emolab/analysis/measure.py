"""One session measured: a row for the rest, a row for each clip, and what stood in the way."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from emolab.analysis import banks, windows
from emolab.analysis.cameras import completed
from emolab.analysis.labels import REPORTED, labels
from emolab.analysis.modalities import MODALITIES, Source
from emolab.core.errors import DataError, EmolabError
from emolab.recording.inspect import inspect_open
from emolab.recording.lanes import rests
from emolab.recording.reader import Session
from emolab.recording.trials import Trial, trials
from emolab.signals.feature import Feature
from emolab.signals.usable import shares
from emolab.study.sessions import named, parts

log = logging.getLogger(__name__)
NO_COMMON_ZERO = (
    "In {} the level of skin conductance is in SDs of that file: no change from the rest is told."
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """What to measure. `recording`: the first file of a session; later parts are found beside it.

    `calibration`: the text of a `study.thermal_calibration`; empty without one.
    """

    recording: Path
    lane: str = REPORTED
    calibration: str = ""


@dataclass(frozen=True)
class Measured:
    """What came of one session; can be sent from process to process.

    `rows`: the clips in order, as `table.COLUMNS` tells. `baseline`: the rest's own figures, empty without
    one. `window`: which part of the rest. `sources`: which channel each kind was read from.
    `remarks`: worth reading. `absent`: why a kind of signal gives nothing. `health`: `inspect` of each
    file. `quality`: how much of each ten seconds of the first file can be used, from time zero on, by kind.
    `ways`: in how many frames of the thermal films the face was found, and how.
    `unsound`: ledgers of labels that cannot be believed, and why. `trouble`: why there is nothing at all.
    `is_copy`: and that is because another session is the same recording. `rivals`: other recordings that say
    they are the same session, a sentence each. `skipped`: the clips left out, of those never heard whole.
    `rest_s`: how long the rest was that changes are, or would be, counted from. `took_s`: of reading and
    computing.
    """

    participant: str
    session: int
    files: tuple[str, ...]
    rows: tuple[Row, ...] = ()
    baseline: Row = field(default_factory=dict)
    baseline_state: str | None = None
    window: windows.Baseline | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    health: tuple[Mapping[str, Any], ...] = ()
    header: Mapping[str, Any] = field(default_factory=dict)
    quality: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    ways: Mapping[str, int] = field(default_factory=dict)
    unsound: tuple[str, ...] = ()
    trouble: str = ""
    took_s: float = 0.0
    is_copy: bool = False
    rivals: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    rest_s: float | None = None


def measure(job: Job) -> Measured:
    """Measure one session. What cannot be read is told in the result, never raised."""
    began = time.perf_counter()
    files = parts(job.recording)
    told = tuple(file.name for file in files)
    try:
        found = [_part(file, job) for file in files]
    except Exception as error:  # a damaged file has a hundred words for it, and stops no other session
        if not isinstance(error, EmolabError):
            log.exception("%s cannot be measured", job.recording)
        why = str(error) if isinstance(error, EmolabError) else _unforeseen(job.recording, error)
        name, number = named(job.recording) or (job.recording.stem, 0)
        return Measured(name, number, told, trouble=why, took_s=time.perf_counter() - began)
    first = found[0]
    base = _rested(found)
    rows = [_changed(row, base.baseline, base.window, part is base) for part in found for row in part.rows]
    for number, row in enumerate(rows, 1):
        row["number"] = number
    remarks = tuple(remark for part in found for remark in part.remarks)
    strange = [part.files[0] for part in found if part is not base and part.rows and "eda" in part.sources]
    if base.window is not None and strange:
        remarks = (*remarks, NO_COMMON_ZERO.format(" and ".join(strange)))
    if "_part-" in job.recording.stem:
        remarks = (*remarks, "This is a later part of a session; what came before it is missing here.")
    if base.window is None:
        remarks = (*remarks, _without_rest(base.rest_s))
    # what one part left out a later one may have played
    whole = {row["clip"] for row in rows if row["is_whole"]}
    skipped = dict.fromkeys(clip for part in found for clip in part.skipped if clip not in whole)
    absent = {kind: why for kind, why in first.absent.items() if all(kind in part.absent for part in found)}
    return Measured(
        first.participant, first.session, told, tuple(rows), base.baseline, _state_of_rest(base, found),
        base.window, {**first.sources}, remarks, absent,
        tuple(health for part in found for health in part.health), first.header, first.quality, _ways(found),
        tuple(why for part in found for why in part.unsound), took_s=time.perf_counter() - began,
        skipped=tuple(skipped), rest_s=base.rest_s,
    )  # fmt: skip


def _unforeseen(recording: Path, error: Exception) -> str:
    reason = str(error) or type(error).__name__
    return f"{recording} cannot be measured ({reason}); 'emolab inspect' tells whether it is damaged"


def _rested(found: Sequence[Measured]) -> Measured:
    """The part whose rest changes are counted from: the last one rested before the first clip."""
    before = next((at for at, part in enumerate(found) if part.rows), len(found) - 1)
    there = [part for part in found[: before + 1] if part.window] or [part for part in found if part.window]
    there = there or [part for part in found if part.rest_s is not None]
    return there[-1] if there else found[0]


def _without_rest(rest_s: float | None) -> str:
    """Why no change is told."""
    if rest_s is None:
        return "There was no rest to count changes from."
    lasted = math.floor(rest_s * 10) / 10  # never rounded up to what would have done
    return f"The rest lasted {lasted:g} s; changes need {windows.SHORTEST_S:g} s or more to be counted from."


def _state_of_rest(base: Measured, found: Sequence[Measured]) -> str | None:
    """What was reported on the rest: in the part it was in, or in the one that went on after it."""
    return next((part.baseline_state for part in (base, *found) if part.baseline_state), None)


def _part(file: Path, job: Job) -> Measured:
    """One file of a session, its changes not yet counted."""
    said = labels(file, job.lane)
    with Session.open(file) as session:
        health = inspect_open(session)
        header = session.header
        events = session.events
        sources, absent = _read(session, job.calibration)
        pulse = sources.get("ppg")
        share = pulse.body.good_share if pulse else lambda _start_s, _end_s: 1.0
        rested = rests(events)
        window = windows.baseline(rested[0], share, _settled(header.protocol_text)) if rested else None
        heard = trials(events, health["duration_s"])
        remarks = [
            f"{file.stem}: {source.name} {source.remark}" for source in sources.values() if source.remark
        ]
        if window and window.why:
            remarks.append(f"{file.stem}: baseline: {window.why}")
        rows = []
        for trial in heard:
            if trial.clip == "baseline":
                continue
            row = _row(trial, header.participant, header.session, sources)
            row["state_reported"], row["word"] = said.of(trial)
            row["is_conflict"] = said.is_conflict(trial)
            row["file"] = file.name
            rows.append(row)
        rest = next((trial for trial in heard if trial.clip == "baseline"), None)
        base = _figures(sources, window.start_s, window.end_s) if window else {}
        facts = {
            "study": header.study, "protocol": header.protocol, "bank": banks.bank_of(header.protocol_text),
            "seed": header.seed,
            "started_utc": header.started_utc.isoformat(), "speed": header.speed,
            "software": dict(header.software), "commit": header.commit,
            "instruments": {s.name: dict(s.info.instrument) for s in session.streams.values()},
        }  # fmt: skip
        return Measured(
            header.participant, header.session, (file.name,), tuple(rows), base,
            rest.said.state if rest and rest.said else None, window,
            {kind: source.name for kind, source in sources.items()}, tuple(remarks), absent,
            (health,), facts, _quality(sources, health["duration_s"]), _ways_of(sources), said.unsound,
            skipped=tuple(str(event.data.get("clip")) for event in events if event.kind == "trial_skipped"),
            rest_s=rested[0][1] - rested[0][0] if rested else None,
        )  # fmt: skip


def _settled(protocol_text: str) -> tuple[float, float]:
    """Which part of the rest the session's own protocol calls the baseline."""
    try:
        start_s, end_s = yaml.safe_load(protocol_text)["rest"]["baseline_window_s"]
        return (float(start_s), float(end_s)) if 0 <= start_s < end_s else windows.SETTLED_S
    except (yaml.YAMLError, TypeError, KeyError, ValueError):  # of another program, or none
        return windows.SETTLED_S


def _read(session: Session, calibration: str = "") -> tuple[dict[str, Source], dict[str, str]]:
    """Every kind of signal that can be measured, and why the others cannot."""
    sources: dict[str, Source] = {}
    absent: dict[str, str] = {}
    for kind, modality in MODALITIES.items():
        lacks = [part for part in modality.of if part not in sources]
        if lacks:
            absent[kind] = "; ".join(absent[part] for part in lacks)
            continue
        try:
            sources[kind] = modality.read(session, *(sources[part] for part in modality.of))
        except DataError as error:
            absent[kind] = str(error)
    if calibration and "thermal" in sources:
        sources["thermal"] = completed(session, sources["thermal"], calibration)
    return sources, absent


def _ways_of(sources: Mapping[str, Source]) -> dict[str, int]:
    return dict(sources["thermal"].ways) if "thermal" in sources else {}


def _ways(found: Sequence[Measured]) -> dict[str, int]:
    """Of all parts together."""
    total: Counter[str] = Counter()
    for part in found:
        total.update(part.ways)
    return dict(total)


def _quality(sources: Mapping[str, Source], end_s: float) -> dict[str, tuple[float, ...]]:
    # one that is made of others is as good as they are
    return {kind: shares(source.body, end_s) for kind, source in sources.items() if not MODALITIES[kind].of}


def _row(trial: Trial, participant: str, number: int, sources: Mapping[str, Source]) -> Row:
    figures = _figures(sources, trial.start_s, trial.end_s)
    return {
        "participant": participant, "session": number, "number": trial.number, "clip": trial.clip,
        "state_intended": trial.intended, "state_reported": None, "word": None,
        "response_s": trial.response_s, "start_s": trial.start_s, "end_s": trial.end_s,
        "is_whole": trial.how == "done", **figures,
    }  # fmt: skip


def _figures(sources: Mapping[str, Source], start_s: float, end_s: float) -> Row:
    """Every feature of a window, NaN where its signal is absent, and how good each signal is there."""
    row: Row = {}
    for kind, modality in MODALITIES.items():
        source = sources.get(kind)
        got = source.body.over(start_s, end_s) if source else {}
        row |= {feature.name: got.get(feature.name, math.nan) for feature in modality.features}
        row[f"good_{kind}"] = source.body.good_share(start_s, end_s) if source else 0.0
    return row


def _changed(row: Row, base: Row, window: windows.Baseline | None, is_same_file: bool = True) -> Row:
    """A clip's row with the changes from the rest beside the values.

    A count in 30 s is set against what the rest would have counted in 30 s, both as they would be were all
    of the signal usable. What is told in SDs of its own file has no common zero with a rest in another.
    """
    # lengths to a tenth of a second: a few ms would part counts that are the same, and ranks see any part
    heard_s = round(row["end_s"] - row["start_s"], 1)
    rested_s = round(window.end_s - window.start_s, 1) if window else 0.0
    ratio = heard_s / rested_s if rested_s else math.nan
    changes = {
        f"d_{feature.name}": _whole(row, feature, kind)
        - _whole(base, feature, kind) * (ratio if feature.is_total else 1.0)
        for kind, modality in MODALITIES.items()
        for feature in modality.features
    }
    if not is_same_file:
        changes |= {f"d_{name}": math.nan for name in _in_sds()}
    return {**row, **changes}


def _whole(figures: Row, feature: Feature, kind: str) -> float:
    """A figure of a window; of a count what it would be, had all of the window been usable."""
    figure = float(figures.get(feature.name, math.nan))
    if not feature.is_total:
        return figure
    share = float(figures.get(f"good_{kind}", 1.0))
    return figure / share if share > 0.0 else math.nan


def _in_sds() -> list[str]:
    every = [feature for modality in MODALITIES.values() for feature in modality.features]
    return [feature.name for feature in every if feature.unit.split("/")[0] == "z"]
