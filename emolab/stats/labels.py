"""What participants reported: how often each state, overall and by participant, and against what was meant.

A share's interval is Wilson's, which takes clips for independent. Overall there is a second one, of
resampled participants, since some people say "neutral" to everything: the honest one of the two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from emolab.core.errors import DataError
from emolab.core.label import STATE_KEYS
from emolab.stats.agreement import Agreement, cohen
from emolab.stats.table import NOTHING, Estimate, need, resampled, wilson

MISSING = "missing"  # no report was given in time


@dataclass(frozen=True)
class Share:
    """`count` of `of` clips. `state`: a key, or `MISSING`; `participant`: None for all together.

    Shares of states are of the clips with a report, that of `MISSING` is of all clips.
    `by_participant`: the same share with the interval of resampled participants; Wilson's where all of
    them said it alike often.
    """

    participant: str | None
    state: str
    count: int
    of: int
    share: Estimate
    by_participant: Estimate = NOTHING


@dataclass(frozen=True)
class Distribution:
    """How often each state was reported: five states and `MISSING`, overall and of each participant."""

    clips: int
    reported: int
    overall: tuple[Share, ...]
    people: tuple[Share, ...]

    def table(self) -> pd.DataFrame:
        """One row per (participant, state); overall has no participant."""
        return pd.DataFrame(
            [
                {"participant": one.participant, "state": one.state, "count": one.count, "of": one.of}
                | {"share": one.share.value, "low": one.share.low, "high": one.share.high}
                | {"low_clustered": one.by_participant.low, "high_clustered": one.by_participant.high}
                for one in (*self.overall, *self.people)
            ]
        )


@dataclass(frozen=True)
class Crossing:
    """What was meant by what was reported, and how far both are one.

    `counts`: rows the intended states, columns the reported ones and `MISSING`. `same`: clips reported
    as they were meant. `kappa`: Cohen's with linear weights, interval of resampled participants.
    """

    counts: pd.DataFrame
    same: Share
    kappa: Agreement
    left_out: int  # clips that were meant for nothing


def share_of(count: int, of: int) -> Estimate:
    """`count` of `of` with Wilson's interval; NaN of none."""
    if not 0 <= count <= of:
        raise DataError(f"{count} of {of} is no share")
    return wilson(count / of, of) if of else NOTHING


def distribution(table: pd.DataFrame, label: str = "state_reported", seed: int = 0) -> Distribution:
    """How often each state was reported. Participants stand in the order of their names."""
    need(table, [label, "participant"])
    if table.empty:
        raise DataError("the table holds no clip; was a session recorded?")
    states = table[label].astype(object).where(table[label].notna(), MISSING)
    columns = [*STATE_KEYS, MISSING]
    counts = pd.crosstab(table["participant"].astype(str), states).reindex(columns=columns, fill_value=0)
    each = counts.to_numpy()
    return Distribution(
        clips=len(table),
        reported=int(each[:, :-1].sum()),
        overall=tuple(_overall(each, at, seed) for at in range(len(columns))),
        people=tuple(
            Share(str(name), state, int(count), of, share_of(int(count), of))
            for name, row in zip(counts.index, each, strict=True)
            for state, count, of in zip(columns, row, _bases(row), strict=True)
        ),
    )


def crossing(table: pd.DataFrame, seed: int = 0) -> Crossing:
    """What was meant by what was reported."""
    need(table, ["state_intended", "state_reported", "participant"])
    meant = table[table["state_intended"].notna()]
    reported = meant["state_reported"].astype(object).where(meant["state_reported"].notna(), MISSING)
    counts = pd.crosstab(meant["state_intended"].astype(object), reported)
    counts = counts.reindex(index=list(STATE_KEYS), columns=[*STATE_KEYS, MISSING], fill_value=0)
    counts = counts.rename_axis(index="intended", columns="reported")
    both = meant[meant["state_reported"].notna()]
    same = int(np.trace(counts.to_numpy()[:, :-1]))
    place = {key: at for at, key in enumerate(STATE_KEYS)}
    first, second = (
        both[name].map(place).to_numpy(np.int64) for name in ("state_intended", "state_reported")
    )
    kappa = cohen(first, second, len(STATE_KEYS), "linear", both["participant"].astype(str).to_numpy(), seed)
    alike = (both["state_intended"].astype(object) == both["state_reported"].astype(object)).to_numpy(bool)
    of_person = (
        pd.DataFrame({"of": 1, "same": alike}).groupby(both["participant"].astype(str).to_numpy()).sum()
    )
    interval = _of_people(of_person["same"].to_numpy(), of_person["of"].to_numpy(), seed)
    share = Share(None, "same", same, len(both), share_of(same, len(both)), interval)
    return Crossing(counts, share, kappa, len(table) - len(meant))


def _bases(row: np.ndarray) -> list[int]:
    """What each count is a share of: states of the reports, missing of all."""
    reports = int(row[:-1].sum())
    return [reports] * (len(row) - 1) + [int(row.sum())]


def _overall(each: np.ndarray, at: int, seed: int) -> Share:
    columns = [*STATE_KEYS, MISSING]
    bases = np.array([_bases(row)[at] for row in each])
    count, of = int(each[:, at].sum()), int(bases.sum())
    return Share(None, columns[at], count, of, share_of(count, of), _of_people(each[:, at], bases, seed))


def _of_people(counts: np.ndarray, bases: np.ndarray, seed: int) -> Estimate:
    of = int(bases.sum())
    if not of:
        return NOTHING

    def shares(drawn: np.ndarray) -> np.ndarray:
        some = bases[drawn].sum(1)  # none where only people without a report were drawn: no share
        return np.divide(counts[drawn].sum(1), some, out=np.full(len(drawn), np.nan), where=some > 0)

    low, high = resampled(shares, len(counts), seed)
    if low == high:  # everybody said it alike often, of which resampling people makes a certainty
        return share_of(int(counts.sum()), of)
    return Estimate(float(counts.sum()) / of, low, high)
