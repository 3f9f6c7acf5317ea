"""What was not as planned, session by session, and what was left out of figures and tests."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from emolab.analysis.measure import Measured
from emolab.analysis.page import Part, Section, Table, Words
from emolab.analysis.sections.figures import count
from emolab.analysis.sections.health import unasked
from emolab.analysis.sections.protocol import name_of


def deviations(every: Sequence[Measured], drops_conflicts: bool) -> Section:
    """Everything a reader must know before trusting the figures."""
    parts: list[Part] = [
        Words(f"{', '.join(one.files)} could not be analysed: {one.trouble}", "act")
        for one in every
        if one.trouble
    ]
    sound = [one for one in every if not one.trouble]
    extra = unasked(sound)
    rows = [[name_of(one), told] for one in every for told in _told(one, extra)]
    heard = [row for one in every for row in one.rows]
    unheard = sum(not row["is_whole"] for row in heard)
    conflicts = sum(row["is_conflict"] for row in heard)
    mute = sum(row["state_reported"] is None and row["is_whole"] for row in heard)
    lead = (
        f"{_clips(unheard, 'was', 'were')} not heard to the end, and {_clips(mute, 'has', 'have')} no "
        f"report: they are in the table and in no test. {_clips(conflicts, 'is', 'are')} contradicted by "
        "a face and "
        + ("left out, as asked." if drops_conflicts else "kept: a model never overrules a report.")
    )
    if rows:
        parts.append(Table("Remarks", ("session", "what"), rows))
    return Section("deviations", "Deviations", parts, lead)


def _clips(many: int, one: str, more: str) -> str:
    return f"{count(many, 'clip')} {one if many == 1 else more}"


def _told(one: Measured, extra: Collection[str]) -> list[str]:
    reasons = [reason for health in one.health for reason in health["reasons"]]
    unsound = [f"Labels that are not sound and were not used: {why}" for why in one.unsound]
    return [
        *reasons,
        *one.remarks,
        *one.rivals,
        *unsound,
        *(f"{kind}: {why}" for kind, why in one.absent.items() if kind not in extra),
    ]
