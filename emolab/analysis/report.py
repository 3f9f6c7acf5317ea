"""The whole report of an analysis, section by section, before anybody decides how it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from emolab import __version__
from emolab.analysis.findings import Findings, find, title
from emolab.analysis.measure import Measured
from emolab.analysis.page import Fact, Page, Part, Section, Words
from emolab.analysis.sections.changes import changes
from emolab.analysis.sections.deviations import deviations
from emolab.analysis.sections.health import health
from emolab.analysis.sections.labels import labels
from emolab.analysis.sections.methods import is_simulated, methods
from emolab.analysis.sections.protocol import protocol
from emolab.analysis.sections.provenance import provenance
from emolab.analysis.sections.tests import sentences, tests
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
        _overview(every, found),
        protocol(every),
        *([timeline(every[0], parts(recordings[0]))] if len(every) == 1 and not every[0].trouble else []),
        health(every),
        labels(found, clips),
        changes(found, clips),
        tests(found),
        deviations(every, asked["drop_conflicts"]),
        methods(every, clips, settings),
        provenance(every, settings, files),
    ]
    names = {str(one.header.get("study") or "") for one in every} - {""}
    title = " and ".join(sorted(names)) or place.stem
    return Page(
        title,
        _lead(every),
        _facts(every, clips),
        sections,
        f"Made by emolab {__version__} on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC from {place.name}.",
    )


def _lead(every: Sequence[Measured]) -> str:
    days = sorted({str(one.header["started_utc"])[:10] for one in every if one.header})
    protocols = " and ".join(
        sorted({str(one.header.get("protocol") or "unnamed") for one in every if one.header})
    )
    when = f"{days[0]} to {days[-1]}" if len(days) > 1 else days[0] if days else "at an unknown time"
    return f"Protocol {protocols}, recorded {when}."


def _facts(every: Sequence[Measured], clips: pd.DataFrame) -> list[Fact]:
    reported = int(clips["state_reported"].notna().sum())
    verdicts = [str(health["verdict"]) for one in every for health in one.health]
    bad = sum(verdict == "bad" for verdict in verdicts) + sum(bool(one.trouble) for one in every)
    return [
        Fact(str(len({one.participant for one in every if not one.trouble})), "participants"),
        Fact(str(sum(not one.trouble for one in every)), "sessions"),
        Fact(str(len(clips)), "clips heard"),
        Fact(str(reported), "reports", "plain" if reported == len(clips) else "look"),
        Fact(str(bad), "sessions in bad health", "act" if bad else "well"),
    ]


def _overview(every: Sequence[Measured], found: Findings) -> Section:
    told: list[Part] = []
    if is_simulated(every):
        told.append(Words("Simulated: no person took part in some or all of these sessions.", "look"))
    if found.logit is not None:
        told += [Words(sentence) for sentence in sentences(found.logit)]
    told += [Words(f"{what}: {why}", "look") for what, why in found.troubles.items()]
    strongest = sorted((p, name) for name, p in found.friedman_holm.items() if p < 0.05)
    if strongest:
        names = ", ".join(title(name) for _, name in strongest)
        told.append(Words(f"After correction, states differ in {names} (Friedman, Holm over all changes)."))
    elif found.effects:
        told.append(
            Words("No change differs between states after correction (Friedman, Holm over all changes).")
        )
    return Section("found", "What was found", told)
