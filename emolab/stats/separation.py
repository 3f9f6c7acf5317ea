"""States that the predictors tell apart without a fault, so that their coefficients have no finite value."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array, eye_array, hstack

Floats = NDArray[np.float64]


def separated(x: Floats, codes: NDArray[np.intp], states: int) -> list[int]:
    """The states whose equation, against state 0, would grow without end.

    `x (n, m)` predictors with the constant, `codes (n,)` the state of each row, 0 the reference. A
    direction in which no row becomes less likely and one becomes likelier is sought by a linear
    program, the one with most rows won; the maximum of the likelihood is finite just when there is
    none (Albert and Anderson 1984, doi:10.1093/biomet/71.1.1).
    """
    m = x.shape[1]
    rows, others = np.nonzero(np.arange(states)[None, :] != codes[:, None])
    own = codes[rows]
    # margin of row i over state j: x_i (b_own - b_j), with b_0 = 0
    wide = np.arange(m)
    pair = np.arange(len(rows))
    entries = np.concatenate([x[rows], -x[rows]])
    at = np.concatenate([own, others])[:, None] * m + wide
    line = np.broadcast_to(np.concatenate([pair, pair])[:, None], entries.shape)
    margins = coo_array((entries.ravel(), (line.ravel(), at.ravel())), (len(rows), states * m)).tocsr()[:, m:]
    # as many slacks t in [0, 1] as large as can be, with margin >= t
    limits = hstack([-margins, eye_array(len(rows))]).tocsr()
    cost = np.concatenate([np.zeros(margins.shape[1]), -np.ones(len(rows))])
    bounds = [(None, None)] * margins.shape[1] + [(0, 1)] * len(rows)
    found = linprog(cost, limits, np.zeros(len(rows)), bounds=bounds, method="highs")
    if found.x is None or -found.fun < 0.5:
        return []
    directions = found.x[: margins.shape[1]].reshape(states - 1, m)
    moved = np.abs(x @ directions.T).max(0) > 1e-6
    return [int(state) for state in np.flatnonzero(moved) + 1]
