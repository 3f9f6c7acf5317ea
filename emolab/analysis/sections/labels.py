"""What was said: how often each state was reported, and how it goes with what the clip was chosen for."""

from __future__ import annotations

import pandas as pd

from emolab.analysis.findings import Findings
from emolab.analysis.page import Part, Picture, Section, Table, Words
from emolab.analysis.sections.figures import count, interval, percent, share, state
from emolab.core.label import STATE_KEYS
from emolab.plots import labels as drawn
from emolab.stats.table import Estimate


def labels(found: Findings, clips: pd.DataFrame) -> Section:
    """The distribution of labels, overall and per participant, then intended against reported."""
    if found.labels is None:
        return Section("labels", "What was reported", [Words(found.troubles["labels"], "look")])
    used, shares = clips[clips["is_used"]], found.labels.table()
    parts: list[Part] = [
        Picture(
            "labels",
            "Distribution of labels, overall and per participant (as Fig. 2 of the EmoMusic paper).",
            lambda look: drawn.labels(used, shares=shares, look=look),
        ),
        Table(
            "Labels overall",
            ("state", "clips", "share [95 %]", "resampling participants"),
            [
                [state(one.state), str(one.count), share(one.share), share(one.by_participant)]
                for one in found.labels.overall
            ],
            "States: share of the clips with a report; missing: of all clips. Wilson's interval takes "
            "clips for independent.",
        ),
        _people(found),
    ]
    lead = f"{found.labels.reported} of the {count(found.labels.clips, 'clip')} that count have a report."
    if found.crossing is not None:
        if found.crossing.same.of:
            lead += " " + _same(found)
        parts.append(_crossing(found))
    return Section("labels", "What was reported", parts, lead)


def _people(found: Findings) -> Table:
    assert found.labels is not None
    rows: dict[str, list[str]] = {}
    for one in found.labels.people:
        rows.setdefault(str(one.participant), [str(one.participant)]).append(str(one.count))
    head = ("participant", *(state(key) for key in STATE_KEYS), "missing")
    return Table("Labels per participant", head, list(rows.values()), folded=True)


def _same(found: Findings) -> str:
    assert found.crossing is not None
    kappa = found.crossing.kappa
    same = share(found.crossing.same.by_participant)
    chance = percent(_by_chance(found.crossing.counts))
    linear = interval(Estimate(kappa.value, kappa.low, kappa.high))
    return (
        f"{same} of them were reported as the clip was meant (by chance, with these shares of states: "
        f"{chance}); linear κ = {linear}."
    )


def _by_chance(counts: pd.DataFrame) -> float:
    """How often both would be one if reports had nothing to do with clips; `counts` with all columns."""
    told = counts[list(STATE_KEYS)].to_numpy()
    return float((told.sum(0) * told.sum(1)).sum() / max(told.sum() ** 2, 1))


def _crossing(found: Findings) -> Table:
    assert found.crossing is not None
    counts = found.crossing.counts
    rows = [
        [state(str(key)), *(str(int(count)) for count in row)]
        for key, row in zip(counts.index, counts.to_numpy(), strict=True)
    ]
    head = ("meant \\ reported", *(state(str(name)) for name in counts.columns))
    return Table("What clips were meant for, and what was reported", head, rows)
