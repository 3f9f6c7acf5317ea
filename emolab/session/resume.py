"""Go on with a session that broke off: same order, next clip, the gap on record.

A killed engine, a power cut or a signal leaves a file that ends in the middle. Resuming reads in it
which clips were begun, and lays out what is left in a new file, `P014_session-0_part-2.h5`; the
broken file is not touched. A clip that was begun is not played again, since nobody shall hear one
twice, nor one that the experimenter left out; a rest that broke off is made anew, but not one that the
experimenter ended. Time before the break counts against the cap, the gap itself does not. The clips are
those it was begun with, as its first file tells, whatever has become of the bank.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from emolab.core.errors import ConfigError
from emolab.core.event import Event
from emolab.recording.reader import Session
from emolab.session import folder

BREAKS = ("session interrupted", "session aborted")  # why the runner skips what is left when a session ends


@dataclass(frozen=True)
class Broken:
    """What a session came to before it broke off, over all its parts.

    `trials`: clip and state of each trial as they were laid out, empty where the file does not tell.
    `begun`: clips whose music was begun, or that were skipped before. `is_rested`: the rest was finished
    or skipped, `has_baseline`: and reported on, or its time ran out. `elapsed_s`: time of the protocol used
    up, without that of a rest that is to be made anew. `ended_utc`: last sign of life.
    """

    paths: tuple[Path, ...]
    seed: int
    language: str
    protocol_text: str
    trials: tuple[tuple[str, str], ...]
    begun: frozenset[str]
    is_rested: bool
    has_baseline: bool
    elapsed_s: float
    ended_utc: datetime

    @property
    def next_path(self) -> Path:
        """Where the next part is to be recorded."""
        return folder.part_path(self.paths[0], len(self.paths) + 1)

    def facts(self) -> dict[str, Any]:
        """What the new part keeps of it, for its `session_started` event.

        `gap_s`: seconds between the parts by the computer's date, None when that was set back meanwhile.
        """
        gap_s = round((datetime.now(UTC) - self.ended_utc).total_seconds(), 3)
        return {
            "file": self.paths[-1].name,
            "part": len(self.paths) + 1,
            "gap_s": gap_s if gap_s >= 0 else None,
            "elapsed_s": round(self.elapsed_s, 3),
            "trials_before": len(self.begun),
        }


def broken(study: Path, participant: str, session: int) -> Broken:
    """The session to go on with. Raises `ConfigError` when there is none, or it did not break off."""
    first = folder.session_path(study, participant, session)
    if not first.exists():
        raise ConfigError(f"{participant} has no session {session} to resume in {study}; leave 'resume' out")
    paths = folder.parts(first)
    parts = [_read(path) for path in paths]
    last = parts[-1]
    if last.outcome in ("complete", "aborted"):
        raise ConfigError(
            f"session {session} of {participant} did not break off, it is {last.outcome}; "
            f"record session {session + 1} instead"
        )
    return Broken(
        paths=paths,
        seed=parts[0].seed,
        language=parts[0].language,
        protocol_text=parts[0].protocol_text,
        trials=parts[0].trials,
        begun=frozenset(clip for part in parts for clip in part.begun),
        is_rested=any(part.is_rested for part in parts),
        has_baseline=any(
            part.has_baseline and any(before.is_rested for before in parts[: number + 1])
            for number, part in enumerate(parts)
        ),
        elapsed_s=sum(part.elapsed_s for part in parts),
        ended_utc=last.ended_utc,
    )


def heard(events: Iterable[Event]) -> list[str]:
    """The clips whose music was begun, in the order in which it was."""
    plays = (e for e in events if e.kind == "step_started" and e.data.get("kind") == "play")
    return [str(play.data["clip"]) for play in plays if "clip" in play.data]


@dataclass(frozen=True)
class _Part:
    outcome: str
    seed: int
    language: str
    protocol_text: str
    trials: tuple[tuple[str, str], ...]
    begun: tuple[str, ...]
    is_rested: bool
    has_baseline: bool
    elapsed_s: float
    ended_utc: datetime


def _read(path: Path) -> _Part:
    with Session.open(path) as session:
        events = session.events
        is_rested = _is_rested(events)
        last_s, _ = session.last_s()  # a microphone that cannot be read keeps nobody waiting
        ended_s = max([last_s, *(event.time_s for event in events)])
        return _Part(
            outcome=session.outcome,
            seed=session.header.seed,
            language=session.header.language,
            protocol_text=session.header.protocol_text,
            trials=_trials(events),
            begun=(*heard(events), *_left_out(events)),
            is_rested=is_rested,
            has_baseline=_has_baseline(events),
            elapsed_s=_elapsed_s(events, ended_s, is_rested=is_rested),
            ended_utc=session.header.started_utc + timedelta(seconds=ended_s / session.header.speed),
        )


def _trials(events: Iterable[Event]) -> tuple[tuple[str, str], ...]:
    told = (event.data.get("trials", ()) for event in events if event.kind == "session_started")
    return tuple((str(trial["clip"]), str(trial["state"])) for trial in next(told, ()))


def _left_out(events: Iterable[Event]) -> list[str]:
    skipped = (event.data for event in events if event.kind == "trial_skipped")
    return [str(data["clip"]) for data in skipped if data.get("reason") not in BREAKS]


def _is_rested(events: Iterable[Event]) -> bool:
    """Whether the rest lies behind: it came to its end, was skipped, or something after it has begun."""
    for event in events:
        kind, how = event.data.get("kind"), event.data.get("how")
        if event.kind == "step_ended" and kind == "rest" and how in ("done", "skipped"):
            return True
        if event.kind == "step_started" and kind in ("rate", "play"):
            return True
    return False


def _elapsed_s(events: Sequence[Event], ended_s: float, *, is_rested: bool) -> float:
    """Time of the protocol until the break: without that before a rest made anew, or of a standstill.

    A rest that broke off is made anew; where another part holds the rest, this one began with a clip.
    """
    untimed = ("instruct", "mark") if is_rested else ("instruct", "mark", "rest")
    began_s: float | None = None
    for event in events:
        kind = event.data.get("kind")
        if event.kind == "step_started" and kind not in untimed and began_s is None:
            began_s = event.time_s
        elif event.kind == "step_ended" and kind == "rest" and event.data.get("how") == "aborted":
            began_s = None
    if began_s is None:
        return 0.0
    still_s = sum(
        event.data["counted_s"] for event in events if event.kind == "stood_still" and event.time_s >= began_s
    )
    return max(ended_s - began_s - still_s, 0.0)


def _has_baseline(events: Sequence[Event]) -> bool:
    """Whether the report on the rest was given or its time ran out; not where a break cut it off."""
    cut_off = {
        event.data.get("step")
        for event in events
        if event.kind == "step_ended" and event.data.get("how") == "aborted"
    }
    return any(
        event.kind == "answer"
        and not event.data.get("clip")
        and (event.data.get("state") or event.data.get("step") not in cut_off)
        for event in events
    )
