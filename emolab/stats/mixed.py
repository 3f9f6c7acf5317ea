"""A feature over the states with a level of each participant's own: feature ~ state + (1 | participant).

The check on the other tests: it uses every clip, also of those who lack a state. With one random
intercept the likelihood has one free parameter, the share of variance that lies between participants
(ICC); so it is maximised along that line, and there is no convergence to fail. At its end, ICC = 0,
the model is "singular", which is told and is no error.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, stats

from emolab.core.errors import DataError
from emolab.core.label import STATE_KEYS
from emolab.stats.correction import holm
from emolab.stats.table import COVERAGE, REFERENCE, Estimate, Floats, need, numbers

HIGHEST_ICC = 1 - 1e-9
SINGULAR_BELOW = 1e-6


@dataclass(frozen=True)
class StateEffect:
    """How far a state lies from the reference, in the feature's unit. t with `df` degrees of freedom."""

    state: str
    value: Estimate
    error: float
    t: float
    df: int
    p: float
    p_holm: float


@dataclass(frozen=True)
class Mixed:
    """The model as it came out. `states`: the reference first; `level`: the reference's mean.

    `icc`: share of the variance between participants, interval by profile likelihood. `chi2`, `df`,
    `p`: likelihood ratio of all states against none (ML). `f`, `df_f`, `p_f`: the same as
    Wald's F (REML), which errs less with few clips. Degrees of freedom as in Pinheiro and Bates 2000, §2.4.2.
    """

    feature: str
    states: tuple[str, ...]
    rows: int
    participants: int
    left_out: dict[str, int]
    level: Estimate
    effects: tuple[StateEffect, ...]
    sd_between: float
    sd_within: float
    icc: Estimate
    chi2: float
    df: int
    p: float
    f: float
    df_f: int
    p_f: float
    is_singular: bool
    notes: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """One row per state but the reference."""
        return pd.DataFrame(
            [
                {"feature": self.feature, "state": one.state, "value": one.value.value}
                | {"low": one.value.low, "high": one.value.high, "error": one.error}
                | {"t": one.t, "df": one.df, "p": one.p, "p_holm": one.p_holm}
                for one in self.effects
            ]
        )


@dataclass(frozen=True)
class _Rows:
    y: Floats
    x: Floats  # the constant, then a column per state but the reference
    groups: NDArray[np.intp]
    sizes: Floats  # rows of each group


@dataclass(frozen=True)
class _Fit:
    """The model at one ICC."""

    beta: Floats
    unscaled: Floats  # covariance of beta by the variance within
    within: float  # variance
    log_likelihood: float


def fit(
    table: pd.DataFrame, feature: str, label: str = "state_reported", reference: str = REFERENCE
) -> Mixed:
    """The random-intercept model by REML, its likelihood ratio by ML.

    Raises `DataError` with fewer than two participants or states, without the reference, with too few
    clips, or when the feature does not vary.
    """
    rows, states, left_out = _prepared(table, feature, label, reference)
    n, k = rows.x.shape
    icc = _maximised(lambda share: _at(rows, share, True).log_likelihood)
    found = _at(rows, icc, True)
    freedom = n - len(rows.sizes) - (k - 1)
    errors = np.sqrt(found.within * np.diag(found.unscaled))
    reach = float(stats.t.ppf((1 + COVERAGE) / 2, freedom)) * errors
    t = found.beta / errors
    p = 2 * stats.t.sf(np.abs(t), freedom)
    corrected = holm(p[1:])
    estimates = [
        Estimate(*map(float, one))
        for one in zip(found.beta, found.beta - reach, found.beta + reach, strict=True)
    ]
    f = (
        float(found.beta[1:] @ np.linalg.solve(found.unscaled[1:, 1:], found.beta[1:]))
        / found.within
        / (k - 1)
    )
    chi2 = _likelihood_ratio(rows)
    is_singular = icc < SINGULAR_BELOW
    return Mixed(
        feature=feature,
        states=states,
        rows=n,
        participants=len(rows.sizes),
        left_out=left_out,
        level=estimates[0],
        effects=tuple(
            StateEffect(
                states[at],
                estimates[at],
                float(errors[at]),
                float(t[at]),
                freedom,
                float(p[at]),
                float(corrected[at - 1]),
            )
            for at in range(1, k)
        ),
        sd_between=math.sqrt(found.within * icc / (1 - icc)),
        sd_within=math.sqrt(found.within),
        icc=_icc_interval(rows, icc, found.log_likelihood),
        chi2=chi2,
        df=k - 1,
        p=float(stats.chi2.sf(chi2, k - 1)),
        f=f,
        df_f=freedom,
        p_f=float(stats.f.sf(f, k - 1, freedom)),
        is_singular=is_singular,
        notes=_notes(states, is_singular),
    )


def _prepared(
    table: pd.DataFrame, feature: str, label: str, reference: str
) -> tuple[_Rows, tuple[str, ...], dict[str, int]]:
    need(table, [feature, label, "participant"])
    values = numbers(table, feature)
    reported = table[label].notna().to_numpy()
    measured = ~np.isnan(values)
    counted = {
        "no report": int((~reported).sum()),
        f"no {feature}": int((reported & ~measured).sum()),
    }
    kept = reported & measured
    labels = table[label].astype(object).to_numpy()[kept]
    present = set(labels)
    if reference not in present or len(present) < 2:
        raise DataError(
            f"{feature} needs clips of {reference!r} and of another state; it has {sorted(present)}"
        )
    states = (reference, *(key for key in STATE_KEYS if key in present and key != reference))
    y = values[kept]
    _, groups, sizes = np.unique(
        table["participant"].astype(str).to_numpy()[kept], return_inverse=True, return_counts=True
    )
    if len(sizes) < 2:
        raise DataError(f"{feature} comes from one participant; a model of participants needs two at least")
    if len(y) - len(sizes) - (len(states) - 1) < 1:
        raise DataError(f"{len(y)} clips of {feature} are too few for {len(sizes)} participants' own levels")
    if np.ptp(y) <= 1e-12 * max(1.0, float(np.abs(y).max())):
        raise DataError(f"{feature} is the same in all {len(y)} clips")
    x = np.column_stack([np.ones(len(y)), *(labels == state for state in states[1:])]).astype(float)
    rows = _Rows(y, x, groups.astype(np.intp), sizes.astype(float))
    return rows, states, {reason: count for reason, count in counted.items() if count}


def _at(rows: _Rows, icc: float, restricted: bool) -> _Fit:
    """The best of the model at this ICC: least squares after taking off a part of each group's mean."""
    ratio = icc / (1 - icc)
    part = 1 - 1 / np.sqrt(1 + rows.sizes * ratio)

    def whitened(values: Floats) -> Floats:
        sums = np.zeros((len(rows.sizes), *values.shape[1:]))
        np.add.at(sums, rows.groups, values)
        shape = (-1, *[1] * (values.ndim - 1))
        return values - ((part / rows.sizes).reshape(shape) * sums)[rows.groups]

    x, y = whitened(rows.x), whitened(rows.y)
    gram = x.T @ x
    beta: Floats = np.asarray(np.linalg.solve(gram, x.T @ y), np.float64)
    n = len(y) - (len(beta) if restricted else 0)
    within = max(float(np.sum((y - x @ beta) ** 2)) / n, 1e-300)
    log_likelihood = -0.5 * (
        n * (math.log(2 * math.pi * within) + 1) + float(np.log1p(rows.sizes * ratio).sum())
    )
    if restricted:
        log_likelihood -= 0.5 * float(np.linalg.slogdet(gram)[1])
    return _Fit(beta, np.asarray(np.linalg.inv(gram), np.float64), within, log_likelihood)


def _maximised(log_likelihood: Callable[[float], float]) -> float:
    """The ICC of the greatest likelihood: the best of a grid, then between its neighbours."""
    grid = np.concatenate([np.linspace(0, 0.95, 39), 1 - np.geomspace(0.04, 1 - HIGHEST_ICC, 20)])
    best = int(np.argmax([log_likelihood(float(share)) for share in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    found = optimize.minimize_scalar(
        lambda share: -log_likelihood(share), bounds=(low, high), method="bounded", options={"xatol": 1e-12}
    )
    return 0.0 if log_likelihood(0.0) >= -found.fun else float(found.x)


def _likelihood_ratio(rows: _Rows) -> float:
    """Of the states against a level alone, both at their own best (ML)."""

    def best(one: _Rows) -> float:
        icc = _maximised(lambda share: _at(one, share, False).log_likelihood)
        return _at(one, icc, False).log_likelihood

    return max(2 * (best(rows) - best(_Rows(rows.y, rows.x[:, :1], rows.groups, rows.sizes))), 0.0)


def _icc_interval(rows: _Rows, icc: float, best: float) -> Estimate:
    """Where the restricted likelihood has fallen by as much as the interval allows."""
    fall = float(stats.chi2.ppf(COVERAGE, 1)) / 2

    def left(share: float) -> float:
        return _at(rows, share, True).log_likelihood - best + fall

    low = optimize.brentq(left, 0, icc) if icc > 0 and left(0) < 0 else 0.0
    high = optimize.brentq(left, icc, HIGHEST_ICC) if left(HIGHEST_ICC) < 0 else 1.0
    return Estimate(icc, float(low), float(high))


def _notes(states: tuple[str, ...], is_singular: bool) -> tuple[str, ...]:
    notes = []
    absent = [key for key in STATE_KEYS if key not in states]
    if absent:
        notes.append(f"No clip of {', '.join(absent)}.")
    if is_singular:
        notes.append(
            "Participants differ no more than their clips do (ICC 0, a singular fit): the model is a plain "
            "comparison of means."
        )
    return tuple(notes)
