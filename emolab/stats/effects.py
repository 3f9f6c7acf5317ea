"""How far a feature lies apart between states: in its unit, in standard deviations, in ranks.

A participant's clips of one state are averaged first, so that each participant weighs the same and what
is compared are pairs within people. Intervals are bootstraps of participants where that holds what it
promises, which it does not for dz and ranks of few people. Tests are Wilcoxon's of the pairs, with Holm
over the pairs of one feature, and Friedman's over all states at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, special, stats

from emolab.core.errors import DataError
from emolab.core.label import STATE_KEYS
from emolab.stats.correction import holm
from emolab.stats.table import (
    COVERAGE,
    NOTHING,
    REFERENCE,
    Estimate,
    Floats,
    need,
    numbers,
    resampled,
    wilson,
)

Pairs = Literal["reference", "all"]

ROUNDING = 1e-13  # of the values: differences that vary by less are alike
GRID = 1e-12  # of the largest value: what lies less apart has one rank, since thirds of a sum are not exact
LEAST_FOR_G = 3  # pairs: of two the states always correlate by 1 or −1, and the correction would be by 0
LEAST_FOR_P = 6  # pairs: with five, Wilcoxon's p is 0.0625 at best


@dataclass(frozen=True)
class Level:
    """A feature in one state: mean and median of the participants' own means.

    `missing`: clips of the state where it could not be measured.
    """

    state: str
    participants: int
    clips: int
    missing: int
    mean: Estimate
    median: Estimate


@dataclass(frozen=True)
class Contrast:
    """State less other, over the participants who have both.

    `cohen_dz`: mean difference by the SD of differences. `hedges_g`: by the SD of the states, free of the
    bias of few (Cousineau 2020, doi:10.20982/tqmp.16.4.p418); NaN for fewer than three. `rank_biserial`:
    ranks for less ranks against, −1 … 1 (Kerby 2014, doi:10.2466/11.IT.3.1). `w`, `p`: Wilcoxon's signed
    ranks, ties of zero left out.
    """

    state: str
    other: str
    participants: int
    clips: int
    clips_other: int
    mean: Estimate
    median: Estimate
    cohen_dz: Estimate
    hedges_g: Estimate
    rank_biserial: Estimate
    w: float
    p: float
    p_holm: float


@dataclass(frozen=True)
class Friedman:
    """Are all states alike? Over participants who have every state that anybody reported.

    `kendall_w`: 0 (no order in common) … 1 (all participants have the states in one order).
    """

    states: tuple[str, ...]
    participants: int
    chi2: float
    df: int
    p: float
    kendall_w: Estimate


@dataclass(frozen=True)
class Effects:
    """A feature over the states. `no_report`: clips without a report, which are in none of the figures."""

    feature: str
    levels: tuple[Level, ...]
    contrasts: tuple[Contrast, ...]
    friedman: Friedman
    no_report: int
    notes: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """One row per contrast; each estimate as NAME, NAME_low, NAME_high."""
        return pd.DataFrame([{"feature": self.feature, **_flat(one)} for one in self.contrasts])

    def levels_table(self) -> pd.DataFrame:
        """One row per state."""
        return pd.DataFrame([{"feature": self.feature, **_flat(one)} for one in self.levels])


def compare(
    table: pd.DataFrame,
    feature: str,
    label: str = "state_reported",
    pairs: Pairs = "reference",
    reference: str = REFERENCE,
    seed: int = 0,
) -> Effects:
    """Levels, contrasts and Friedman's test of one feature.

    `pairs`: each state against `reference`, or every state against every other. Figures that too few
    participants have are NaN and their numbers stand beside. Raises `DataError` when the feature was
    measured in no clip with a report.
    """
    need(table, [feature, label, "participant"])
    rows = pd.DataFrame(
        {
            "participant": table["participant"].astype(str).to_numpy(),
            "state": table[label].astype(object).to_numpy(),
            "value": numbers(table, feature),
        }
    )
    reported = rows[rows["state"].notna()]
    if not reported["value"].notna().any():
        raise DataError(f"no clip with a report has {feature}; was its instrument recorded?")
    people = reported.pivot_table(index="participant", columns="state", values="value", aggfunc="mean")
    people = people.reindex(columns=list(STATE_KEYS))
    clips = reported.groupby("state")["value"].count()
    missing = reported["value"].isna().groupby(reported["state"]).sum()
    levels = tuple(
        _level(state, people[state].to_numpy(), int(clips.get(state, 0)), int(missing.get(state, 0)), seed)
        for state in STATE_KEYS
    )
    if pairs == "all":
        wanted = list(combinations(reversed(STATE_KEYS), 2))
    else:
        wanted = [(state, reference) for state in STATE_KEYS if state != reference]
    contrasts = [_contrast(state, other, people, reported, seed) for state, other in wanted]
    contrasts = _with_holm(contrasts)
    few = [f"{one.state} and {one.other}" for one in contrasts if one.participants < LEAST_FOR_P]
    notes: tuple[str, ...] = ()
    if few:
        notes = (
            f"Fewer than {LEAST_FOR_P} participants have both {', '.join(few)}: no Wilcoxon test of so few "
            "reaches p < 0.05.",
        )
    return Effects(
        feature, levels, tuple(contrasts), _friedman(people, seed), len(rows) - len(reported), notes
    )


def _level(state: str, values: Floats, clips: int, missing: int, seed: int) -> Level:
    own = values[~np.isnan(values)]
    return Level(
        state,
        len(own),
        clips,
        missing,
        _estimate(lambda v: v.mean(-1), own, seed),
        _estimate(lambda v: np.median(v, -1), own, seed),
    )


def _contrast(state: str, other: str, people: pd.DataFrame, reported: pd.DataFrame, seed: int) -> Contrast:
    """`people`: each one's mean of each state. `reported`: the clips they come of."""
    who = people[[state, other]].dropna()
    both = np.ascontiguousarray(who.to_numpy())
    theirs = reported[reported["participant"].isin(who.index)]
    clips = theirs.groupby("state")["value"].count()
    steps = _on_grid(both, people)
    differences = steps[:, 0] - steps[:, 1]
    w, p = _wilcoxon(differences)

    def estimate(figure: Callable[[Floats, Floats], Floats]) -> Estimate:
        """`figure` of `(…, n)` values of the state and of the other."""
        return _estimate(lambda v: figure(v[..., 0], v[..., 1]), both, seed)

    return Contrast(
        state=state,
        other=other,
        participants=len(both),
        clips=int(clips.get(state, 0)),
        clips_other=int(clips.get(other, 0)),
        mean=estimate(lambda a, b: (a - b).mean(-1)),
        median=estimate(lambda a, b: np.median(a - b, -1)),
        cohen_dz=_exact(both),
        hedges_g=estimate(hedges_g),
        rank_biserial=_of_ranks(differences),
        w=w,
        p=p,
        p_holm=math.nan,
    )


def _on_grid(values: Floats, people: pd.DataFrame) -> Floats:
    """Values in whole steps of `GRID`: their differences and ranks are exact."""
    largest = float(np.nanmax(np.abs(people.to_numpy())))
    return np.rint(values / (GRID * largest)) if largest > 0 else values


def cohen_dz(a: Floats, b: Floats) -> Floats:
    """Mean difference by the SD of differences, `(..., n)` → `(...)`; NaN for fewer than two, or all one."""
    difference = a - b
    spread = _sd(difference)
    rounding = ROUNDING * (np.abs(a).max(-1, initial=0.0) + np.abs(b).max(-1, initial=0.0))
    return _ratio(difference.mean(-1), np.where(spread > rounding, spread, 0.0))


def hedges_g(a: Floats, b: Floats) -> Floats:
    """Mean difference by the pooled SD, times what takes the bias of few pairs away; `(..., n)` → `(...)`.

    NaN for fewer than `LEAST_FOR_G` pairs, of which no correlation of the states can be told.
    """
    n = a.shape[-1]
    if n < LEAST_FOR_G:
        return np.full(a.shape[:-1], math.nan)
    spread_a, spread_b = _sd(a), _sd(b)
    together = ((a - a.mean(-1, keepdims=True)) * (b - b.mean(-1, keepdims=True))).sum(-1) / (n - 1)
    both = spread_a * spread_b
    alike = np.where(both > 0, _ratio(together, both), 0.0)  # what never varies goes with nothing
    freedom = 2 * (n - 1) / (1 + alike**2)
    unbiased = 1 - 3 / (4 * freedom - 1)
    return unbiased * _ratio((a - b).mean(-1), np.sqrt((spread_a**2 + spread_b**2) / 2))


def rank_biserial(differences: Floats) -> Floats:
    """Ranks of the positive less those of the negative differences by all, `(..., n)` → `(...)`."""
    size = np.abs(differences)
    # zeros have the least ranks; without them all others are lower by their number
    ranks = stats.rankdata(size, axis=-1) - np.count_nonzero(size == 0, axis=-1)[..., None]
    ranks = np.where(size == 0, 0.0, ranks)
    return _ratio((ranks * np.sign(differences)).sum(-1), ranks.sum(-1))


def _estimate(figure: Callable[[Floats], Floats], units: Floats, seed: int) -> Estimate:
    """`units (n, ...)`: the figure gets them, then `(resamples, n, ...)` of them."""
    if not len(units):
        return NOTHING
    value = float(figure(units))
    if not math.isfinite(value):
        return NOTHING
    return Estimate(value, *resampled(lambda drawn: figure(units[drawn]), len(units), seed))


def _exact(pairs: Floats) -> Estimate:
    """dz with the interval of the noncentral t: exact for normal differences (Cumming 2012, chapter 10)."""
    n = len(pairs)
    dz = float(cohen_dz(pairs[:, 0], pairs[:, 1])) if n > 1 else math.nan
    if not math.isfinite(dz):
        return NOTHING
    t = dz * math.sqrt(n)
    span = 10 + 4 * abs(t)
    # the SD of a sample, in so many equally likely cases: SciPy's own noncentral t fails far out
    nodes, weights = np.polynomial.legendre.leggauss(200)
    sd = np.sqrt(stats.chi2.ppf((nodes + 1) / 2, n - 1) / (n - 1))

    def shift(tail: float) -> float:
        """The dz under which this t lies at that tail."""
        found = optimize.brentq(
            lambda nc: float(weights @ special.ndtr(t * sd - nc)) / 2 - tail, t - span, t + span
        )
        return float(found) / math.sqrt(n)

    return Estimate(dz, shift((1 + COVERAGE) / 2), shift((1 - COVERAGE) / 2))


def _of_ranks(differences: Floats) -> Estimate:
    """The rank-biserial correlation with the interval of a share.

    A bootstrap says ±0 when all differences have one sign. Signed ranks of n pairs vary as much as a share
    of 3n(n + 1) / (4n + 2) independent ones does, so Wilson's interval of that is taken: in simulations of
    6 to 24 normal, skewed and heavy-tailed pairs it held 93 to 99 %.
    """
    if not differences.any():
        return NOTHING
    n = np.count_nonzero(differences)
    share = wilson((float(rank_biserial(differences)) + 1) / 2, 3 * n * (n + 1) / (4 * n + 2))
    return Estimate(2 * share.value - 1, 2 * share.low - 1, 2 * share.high - 1)


def _wilcoxon(differences: Floats) -> tuple[float, float]:
    if len(differences) < 2:
        return math.nan, math.nan
    if not differences.any():
        return 0.0, 1.0
    found = stats.wilcoxon(differences, zero_method="wilcox")
    return float(found.statistic), float(found.pvalue)


def _with_holm(contrasts: list[Contrast]) -> list[Contrast]:
    corrected = holm([one.p for one in contrasts])
    return [
        Contrast(**(vars(one) | {"p_holm": float(p)})) for one, p in zip(contrasts, corrected, strict=True)
    ]


def _friedman(people: pd.DataFrame, seed: int) -> Friedman:
    there = people.dropna(axis=1, how="all")
    states = tuple(str(name) for name in there.columns)
    blocks = there.dropna().to_numpy()
    n, k = len(blocks), len(states)
    if n < 2 or k < 3:
        return Friedman(states, n, math.nan, max(k - 1, 0), math.nan, NOTHING)
    ranks = stats.rankdata(_on_grid(blocks, people), axis=1)
    counted = [np.unique(row, return_counts=True)[1] for row in ranks]
    # of each row, how far it tells its states apart: 1 without ties, 0 where all are one
    unequal = np.array([1 - (counts**3 - counts).sum() / (k * (k**2 - 1)) for counts in counted])
    if not unequal.any():
        return Friedman(states, n, 0.0, k - 1, 1.0, NOTHING)

    def concordance(drawn: NDArray[np.intp]) -> Floats:
        apart = 12 * ((ranks[drawn].mean(-2) - (k + 1) / 2) ** 2).sum(-1) / (k * (k**2 - 1))
        return _ratio(apart, unequal[drawn].mean(-1))

    w = float(concordance(np.arange(n)))
    chi2 = n * (k - 1) * w
    interval = resampled(concordance, n, seed)
    return Friedman(states, n, chi2, k - 1, float(stats.chi2.sf(chi2, k - 1)), Estimate(w, *interval))


def _sd(values: Floats) -> Floats:
    if values.shape[-1] < 2:
        return np.full(values.shape[:-1], math.nan)
    return values.std(-1, ddof=1)


def _ratio(above: Floats, below: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, math.nan)


def _flat(one: Level | Contrast) -> dict[str, object]:
    row: dict[str, object] = {}
    for name, value in vars(one).items():
        if isinstance(value, Estimate):
            row |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
        else:
            row[name] = value
    return row
