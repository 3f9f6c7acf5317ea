"""What a covariance says of coefficients: intervals and p values, one by one and together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from emolab.stats.correction import holm
from emolab.stats.table import COVERAGE, Floats


@dataclass(frozen=True)
class Wald:
    """A coefficient's error, 95 % interval, statistic and p, raw and after Holm; NaN if undefined."""

    error: float
    low: float
    high: float
    statistic: float
    p: float
    p_holm: float


def walds(beta: Floats, covariance: Floats, df: float) -> list[list[Wald]]:
    """One `Wald` for each coefficient of `beta (k, m)`, Student's t with `df` degrees of freedom.

    The last column are constants, which are no tests: they have no Holm. `covariance (km, km)`.
    """
    diagonal = np.diag(covariance)
    if df < 1 or not (diagonal > 0).all():
        return [[Wald(*[math.nan] * 6)] * beta.shape[1]] * len(beta)
    errors = np.sqrt(diagonal).reshape(beta.shape)
    reach = stats.t.ppf((1 + COVERAGE) / 2, df)
    ratio = beta / errors
    p = 2 * stats.t.sf(np.abs(ratio), df)
    corrected = np.full(beta.shape, math.nan)
    corrected[:, :-1] = holm(p[:, :-1].ravel()).reshape(beta[:, :-1].shape)
    facts = np.stack([errors, beta - reach * errors, beta + reach * errors, ratio, p, corrected], -1)
    return [[Wald(*cell) for cell in row] for row in facts.tolist()]


def joint(values: Floats, covariance: Floats, clusters: int) -> tuple[float, int, float]:
    """Are several coefficients all zero? Hotelling's F: (F, second degrees of freedom, p).

    F has as many first degrees of freedom as there are values; NaN with too few clusters.
    """
    count = len(values)
    freedom = clusters - count
    if freedom < 1 or not np.isfinite(covariance).all() or np.linalg.matrix_rank(covariance) < count:
        return math.nan, max(freedom, 0), math.nan
    square = float(values @ np.linalg.solve(covariance, values))
    f = square * freedom / (count * (clusters - 1))
    return f, freedom, float(stats.f.sf(f, count, freedom))
