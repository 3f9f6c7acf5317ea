"""How uncertain the coefficients of a multinomial logit are, with clips of one participant hanging together.

Everything is in the order of `vec`: the coefficients of the first equation, then those of the second.
`x (n, m)` predictors with the constant, `p (n, k)` fitted probabilities of the k states but the reference,
`y (n, k)` 1 where that state was reported.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SINGULAR = 1e12  # condition beyond which the rest of a difference of floats is rounding


def information(x: Floats, p: Floats) -> Floats:
    """What the rows tell about the coefficients: minus the Hessian of the log likelihood, `(km, km)`."""
    return informations(x, p, np.zeros(len(x), np.intp))[0]


def informations(x: Floats, p: Floats, groups: NDArray[np.intp]) -> Floats:
    """The same for each group of rows, `(groups, km, km)`."""
    k, m = p.shape[1], x.shape[1]
    weight = p[:, :, None] * np.eye(k) - p[:, :, None] * p[:, None, :]
    parts = np.zeros((int(groups.max()) + 1, k, m, k, m))
    for group in range(len(parts)):
        rows = groups == group
        parts[group] = np.einsum("nab,ni,nj->aibj", weight[rows], x[rows], x[rows], optimize=True)
    return parts.reshape(len(parts), k * m, k * m)


def clustered(x: Floats, y: Floats, p: Floats, groups: NDArray[np.intp]) -> Floats:
    """Covariance of the coefficients when only participants are independent, `(km, km)`; NaN where undefined.

    The cluster jackknife, each participant left out by one Newton step: what a plain sandwich promises
    with few participants is too little, this is not (MacKinnon, Nielsen and Webb 2025, "Cluster-robust
    jackknife and bootstrap inference for logistic regression models", CV3L). Meant for Student's t
    with one degree of freedom less than there are participants.
    """
    size = x.shape[1] * p.shape[1]
    count = int(groups.max()) + 1
    if count < 2:
        return np.full((size, size), math.nan)
    each = informations(x, p, groups)
    others = each.sum(0) - each
    if not (np.linalg.cond(others) < SINGULAR).all():  # one participant has all there is of something
        return np.full((size, size), math.nan)
    moves = np.linalg.solve(others, -_scores(x, y, p, groups)[:, :, None])[:, :, 0]
    return (count - 1) / count * moves.T @ moves


def plain_sandwich(x: Floats, y: Floats, p: Floats, groups: NDArray[np.intp]) -> Floats:
    """The usual sandwich (CV1), with the usual correction: for comparison."""
    count = int(groups.max()) + 1
    bread = np.linalg.inv(information(x, p))
    scores = _scores(x, y, p, groups)
    correction = count / (count - 1) * (len(x) - 1) / (len(x) - len(bread))
    return correction * bread @ (scores.T @ scores) @ bread


def _scores(x: Floats, y: Floats, p: Floats, groups: NDArray[np.intp]) -> Floats:
    """The gradient that each group adds, `(groups, km)`."""
    rows = ((y - p)[:, :, None] * x[:, None, :]).reshape(len(x), -1)
    sums = np.zeros((int(groups.max()) + 1, rows.shape[1]))
    np.add.at(sums, groups, rows)
    return sums
