"""Planned against actual: clips, reports, times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emolab.analysis.measure import Measured
from emolab.analysis.page import Section, Table
from emolab.analysis.sections.figures import percent


def protocol(every: Sequence[Measured]) -> Section:
    """What each session was planned to be and what it became."""
    rows = [_row(one) for one in every if not one.trouble]
    planned = sum(health["trials"]["planned"] for one in every for health in one.health[:1])
    done = sum(len([row for row in one.rows if row["is_whole"]]) for one in every)
    reports = sum(row["state_reported"] is not None for one in every for row in one.rows)
    lead = (
        f"{done} of {planned} planned clips were heard to their end, and {reports} of the "
        f"{sum(len(one.rows) for one in every)} begun were reported on."
    )
    head = (
        "session",
        "outcome",
        "clips planned",
        "heard",
        "skipped",
        "reports",
        "answer s",
        "baseline",
        "minutes",
    )
    note = (
        "answer s: median from question to answer. baseline: the part of the session that changes are "
        "counted from, and how much of its pulse is usable."
    )
    return Section(
        "protocol", "Protocol", [Table("Sessions, planned against actual", head, rows, note)], lead
    )


def name_of(one: Measured) -> str:
    """A session as it is called in tables."""
    return f"{one.participant} · {one.session}"


def _row(one: Measured) -> list[str]:
    trials = [health["trials"] for health in one.health]
    taken_s = [row["response_s"] for row in one.rows if row["response_s"] is not None]
    window = one.window
    return [
        name_of(one),
        " + ".join(str(health["outcome"]) for health in one.health),
        str(trials[0]["planned"]) if trials else "–",
        str(sum(row["is_whole"] for row in one.rows)),
        str(len(one.skipped)),
        str(sum(row["state_reported"] is not None for row in one.rows)),
        f"{np.median(taken_s):.1f}" if taken_s else "–",
        f"{window.start_s:.0f} to {window.end_s:.0f} s, {percent(window.good)}" if window else "none",
        f"{sum(health['duration_s'] for health in one.health) / 60:.1f}",
    ]
