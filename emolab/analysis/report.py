"""The whole report of an analysis, section by section, before anybody decides how it is shown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from emolab import __version__
from emolab.analysis.findings import Findings, find, title
from emolab.analysis.labels import REPORTED
from emolab.analysis.measure import Measured
from emolab.analysis.page import Fact, Mood, Page, Part, Section, Words
from emolab.analysis.sections.changes import changes
from emolab.analysis.sections.deviations import deviations
from emolab.analysis.sections.figures import count, words
from emolab.analysis.sections.health import health, is_bad
from emolab.analysis.sections.labels import labels
from emolab.analysis.sections.methods import is_simulated, methods
from emolab.analysis.sections.protocol import protocol
from emolab.analysis.sections.provenance import provenance
from emolab.analysis.sections.tests import ALPHA, sentences, tests
from emolab.analysis.sections.timeline import timeline
from emolab.study.sessions import parts


def page(
    place: Path,
    recordings: Sequence[Path],
    every: Sequence[Measured],
    clips: pd.DataFrame,
    asked: Mapping[str, Any],
) -> Page:
    """Everything that is known of the sessions, for a reader who starts at the top.

    `recordings`: the first file of each session; one session alone is shown over time, too.
    """
    found = find(clips, asked["z"])
    settings = {
        "labels": asked["lane"],
        "conflicts with the face": "left out" if asked["drop_conflicts"] else "kept",
        "z-scores": asked["z"],
    }
    files = [
        "clips.parquet",
        "clips.csv",
        "baselines.parquet",
        "baselines.csv",
        "columns.csv",
        "figures/",
        "tables/",
    ]
    sections = [
        _overview(every, found, asked["lane"]),
        protocol(every),
        *([timeline(every[0], parts(recordings[0]))] if len(every) == 1 and not every[0].trouble else []),
        health(every),
        labels(found, clips),
        changes(found, clips),
        tests(found),
        deviations(every, asked["drop_conflicts"]),
        methods(every, clips, found, asked),
        provenance(every, settings, files),
    ]
    names = {str(one.header.get("study") or "") for one in every} - {""}
    title = words(sorted(names)) or (place.name if place.is_dir() else place.stem)
    return Page(
        title,
        _lead(every),
        _facts(every, clips),
        sections,
        f"Made by emolab {__version__} on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC from {place.name}.",
    )


def _lead(every: Sequence[Measured]) -> str:
    days = sorted({str(one.header["started_utc"])[:10] for one in every if one.header})
    protocols = sorted({str(one.header.get("protocol") or "unnamed") for one in every if one.header})
    when = f"{days[0]} to {days[-1]}" if len(days) > 1 else days[0] if days else "at an unknown time"
    return f"{'Protocol' if len(protocols) == 1 else 'Protocols'} {words(protocols)}, recorded {when}."


def _facts(every: Sequence[Measured], clips: pd.DataFrame) -> list[Fact]:
    heard = clips[clips["is_whole"]]
    reported = int(heard["state_reported"].notna().sum())
    bad = sum(is_bad(one) for one in every)
    people = len({one.participant for one in every if not one.trouble})
    read = sum(not one.trouble for one in every)
    return [
        _fact(people, "participant"),
        _fact(read, "session"),
        _fact(len(heard), "clip", " heard"),
        _fact(reported, "report", " on them", "plain" if reported == len(heard) else "look"),
        _fact(bad, "session", " in bad health", "act" if bad else "well"),
    ]


def _fact(many: int, what: str, more: str = "", mood: Mood = "plain") -> Fact:
    return Fact(str(many), what + ("" if many == 1 else "s") + more, mood)


def _overview(every: Sequence[Measured], found: Findings, lane: str) -> Section:
    told: list[Part] = []
    if simulated := sum(is_simulated(one) for one in every):
        which = f"{simulated} of {len(every)} sessions have" if len(every) > 1 else "this session has"
        told.append(Words(f"Simulated: {which} simulated instruments, no person's body.", "look"))
    if lane != REPORTED:
        told.append(
            Words(f"Reports here are as {lane!r} decided, where they did; as given elsewhere.", "look")
        )
    if found.logit is not None:
        told += [Words(sentence) for sentence in sentences(found.logit)]
    told += [Words(f"{what}: {why}", "look") for what, why in found.troubles.items()]
    tested = sorted((p, name) for name, p in found.friedman_holm.items() if math.isfinite(p))
    strongest = [title(name) for p, name in tested if p < ALPHA]
    how = f"(Friedman, Holm over the {count(len(tested), 'change')} tested)"
    if strongest:
        told.append(Words(f"After correction, states differ in {words(strongest)} {how}."))
    elif tested:
        told.append(Words(f"No change is shown to differ between states after correction {how}."))
    elif found.effects:
        told.append(
            Words("States cannot be compared within people: two who reported every state are needed.")
        )
    return Section("found", "What was found", told)
