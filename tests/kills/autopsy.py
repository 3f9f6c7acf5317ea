"""One kill from beginning to end: the file mended by the command, inspected, and held against the truth."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emolab.core.event import Event
from emolab.recording.inspect import inspect
from emolab.recording.reader import Session
from tests.cli.command import Said, emolab
from tests.kills.room import THERMAL_FRAMES, Room
from tests.kills.truth import Ending, Kept, sound_kept, thermal_kept
from tests.kills.victim import Kill, Told, Victim

STALE_S = 1.0  # what was told longer before the kill must be in the file


@dataclass
class Found:
    """What one kill left. `faults`: what must not be, in words; empty is well."""

    kill: Kill
    has_file: bool = False
    is_finished: bool = False  # it had been closed in order before the kill
    is_unreadable: bool = False
    kept: dict[str, Kept] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    resumed: Found | None = None
    late_ms: float = 0.0  # how long the engine, or we, had to wait for the machine just before
    replayed: int = 0  # clips whose beginning was told, but not kept: they would be heard again


def examine(room: Room, participant: str, kill: Kill, *, go_on: bool = False) -> Found:
    """Kill an engine and look what it left. `go_on`: then resume, before it is mended, and kill that, too."""
    told = Victim(room, participant).die(kill)
    found = Found(kill, late_ms=told.late_ms)
    if told.error:
        found.faults.append(told.error)
    if go_on and told.path.exists():
        _go_on(room, told, found)
    _examine_file(room, told, found)
    return found


def _examine_file(room: Room, told: Told, found: Found) -> None:
    path = told.path
    if not path.exists():
        if told.saved and any(told.saved.values()):
            found.faults.append(f"rows were told to be saved, but there is no {path.name}")
        return
    found.has_file = True
    report = _mended(emolab("recover", path, "--json"), found)
    if report is None:
        found.is_unreadable = True
        return
    found.is_finished = not report["mended"]
    rows = {stream["name"]: stream["samples"] for stream in report["streams"]}
    try:
        if report["mended"] and not inspect(path)["recovery"]:
            found.faults.append("inspect does not tell that the file was mended")
        with Session.open(path) as session:
            ending = _ending(told, session)
            found.kept = {each.stream: each for each in _streams(room, told, session, ending)}
            found.kept["events"] = _events(told, session.events, ending, found)
            answers = [answer.state for answer in session.answers]
    except Exception as error:  # whatever it is, the file is none
        found.is_unreadable = True
        found.faults.append(f"{path.name}: {type(error).__name__}: {error}")
        return
    stale = [state for at_s, state in told.answers.values() if at_s < ending.at_s - STALE_S]
    if answers[: len(stale)] != stale:
        found.faults.append(f"answers given {stale}, kept {answers}")
    for name, kept in found.kept.items():
        if kept.fewer:
            found.faults.append(f"{name}: {kept.told} rows told to be saved, {kept.kept} kept")
        if kept.wrong:
            found.faults.append(f"{name}: {kept.wrong} rows are not as they were sent")
        if name in rows and rows[name] != kept.kept:
            found.faults.append(f"{name}: recover told of {rows[name]} rows, there are {kept.kept}")
    if found.kill.phase == "rest" and emolab("recover", path, "--json").json["mended"]:
        found.faults.append(f"{path.name} was mended twice")


def _mended(said: Said, found: Found) -> dict[str, Any] | None:
    if said.code != 0:
        found.faults.append(f"recover: exit code {said.code}: {said.err.strip()}")
        return None
    return dict(json.loads(said.out))


def _ending(told: Told, session: Session) -> Ending:
    """Killed, or the session's end where that came first."""
    zero_s = told.zero_s
    if zero_s is None:  # no snapshot told of it: by the wall clock
        age_s = (datetime.now(UTC) - session.header.started_utc).total_seconds()
        zero_s = time.monotonic() - age_s
    return Ending(min(told.killed_s, told.ended_s or told.killed_s), zero_s)


def _streams(room: Room, told: Told, session: Session, ending: Ending) -> list[Kept]:
    kept = []
    for name, stream in session.streams.items():
        saved = told.saved.get(name, 0)
        if name in room.boards:
            kept.append(room.boards[name].kept(stream, saved, ending))
        elif name == "face":
            kept.append(room.camera.kept(session, name, saved, ending))
        elif name == "thermal":
            kept.append(thermal_kept(stream, saved, ending, THERMAL_FRAMES))
        else:
            kept.append(sound_kept(stream, saved, ending))
    return kept


def _events(told: Told, events: list[Event], ending: Ending, found: Found) -> Kept:
    """Steps seen and answers taken, against those in the file."""
    shown = {event.data["step"] for event in events if event.kind == "step_started"}
    given = {event.data["step"] for event in events if event.kind == "answer" and event.data.get("state")}
    missing_s = [at_s for index, (at_s, _) in told.steps.items() if index not in shown]
    missing_s += [at_s for index, (at_s, _) in told.answers.items() if index not in given]
    found.replayed = sum(
        step.kind == "play" and index not in shown for index, (_, step) in told.steps.items()
    )
    lost_ms = max((told.killed_s - at_s for at_s in missing_s), default=0.0) * 1e3
    if lost_ms > STALE_S * 1e3:
        found.faults.append(f"events: one told {lost_ms:.0f} ms before the kill is missing")
    return Kept("events", 0, len(events), lost_ms)


def _go_on(room: Room, told: Told, found: Found) -> None:
    """Resume; the order must be the same, and go on with the first clip that was not begun."""
    with Session.open(told.path) as session:
        if session.finished:
            return
        begun = _begun(session.events)
    whole = [step.clip for step in told.plan if step.kind == "play"]
    left = [clip for clip in whole if clip not in begun]
    victim = Victim(room, told.participant, resume=True)
    kill = Kill("clip", 0.7)
    again = victim.die(kill)
    if not whole:  # killed before it had told its plan
        left = [step.clip for step in again.plan if step.kind == "play"]
    if not left:
        if "nothing is left to resume" not in again.error:
            found.faults.append(f"resumed although nothing was left: {again.error}")
        return
    if again.error:
        found.faults.append(f"not resumed: {again.error}")
        return
    if (planned := [step.clip for step in again.plan if step.kind == "play"]) != left:
        found.faults.append(f"resumed with {planned}, {left} were left")
    found.resumed = Found(kill, late_ms=again.late_ms)
    _examine_file(room, again, found.resumed)
    found.faults += [f"resumed: {fault}" for fault in found.resumed.faults]
    with Session.open(again.path) as session:
        facts = next(event.data for event in session.events if event.kind == "session_started")["resumes"]
        if (facts["file"], facts["trials_before"], facts["gap_s"] > 0) != (told.path.name, len(begun), True):
            found.faults.append(f"the gap is not on record: {facts}")
        if (heard := _begun(session.events)) != left[:1]:
            found.faults.append(f"resumed with clips {heard}, {left[:1]} was next")


def _begun(events: list[Event]) -> list[str]:
    steps = [event for event in events if event.kind == "step_started"]
    return [str(event.data["clip"]) for event in steps if event.data["kind"] == "play"]


def leftovers(study: Path) -> list[str]:
    """Hidden files in the study's folders that are no recordings."""
    return sorted(path.name for path in study.glob("*/.*"))
