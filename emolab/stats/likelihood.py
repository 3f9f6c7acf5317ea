"""The multinomial logit's likelihood: where it is greatest, and whether that is anywhere."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.stats.table import Floats

# Where there is no maximum Newton adds about 1 a step and never settles; nobody's odds are e^15
FAR = 15.0


def maximise(x: Floats, codes: NDArray[np.intp], states: int) -> tuple[Floats, float]:
    """Coefficients `(states - 1, m)` against state 0, and the log likelihood, by Newton's method.

    `x (n, m)` predictors with the constant, `codes (n,)` the state of each row. Raises `DataError`
    where there is no single maximum.
    """
    from statsmodels.discrete.discrete_model import MNLogit

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they say is asked for below
        try:
            found = MNLogit(codes, x).fit(method="newton", maxiter=100, tol=1e-10, disp=0)
        except np.linalg.LinAlgError as error:
            raise DataError(f"the multinomial logit has no single solution ({error})") from None
    if not found.mle_retvals["converged"] or not np.isfinite(found.params).all():
        raise DataError("the multinomial logit did not converge; look for outliers, or take fewer predictors")
    return np.asarray(found.params, np.float64).T.reshape(states - 1, x.shape[1]), float(found.llf)


def is_finite(x: Floats, codes: NDArray[np.intp], states: int) -> bool:
    """True when the maximum was seen to be finite; False calls for a closer look."""
    try:
        beta, _ = maximise(x, codes, states)
    except DataError:
        return False
    return float(np.abs(x @ beta.T).max()) < FAR


def softmax(x: Floats, beta: Floats) -> Floats:
    """Fitted probabilities `(n, states)`."""
    scores = np.column_stack([np.zeros(len(x)), x @ beta.T])
    raised = np.exp(scores - scores.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)
