"""A quantity that drifts towards targets, known at any time in closed form.

After each change of target the value approaches it exponentially. Because value and integral are
formulas of time, asking for samples in one go or in a thousand pieces gives the same numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Ease:
    """Piecewise exponential approach to targets. `start` holds from time 0 to the first target.

    Reading is safe while another thread sets a target: the pieces are replaced as a whole.
    """

    def __init__(self, start: float) -> None:
        # one row a piece: from when, value there, target, time constant, integral up to there
        self._pieces: Array = np.array([[0.0, start, start, 1.0, 0.0]])

    def toward(self, time_s: float, target: float, tau_s: float) -> None:
        """Head for `target` from `time_s` on; targets set for later than that are forgotten."""
        kept = self._pieces[self._pieces[:, 0] < time_s]
        if not len(kept):
            kept = self._pieces[:1]
        self._pieces = kept
        at = np.array([time_s])
        piece = [time_s, float(self.value(at)[0]), target, tau_s, float(self.integral(at)[0])]
        self._pieces = np.vstack([kept, piece])

    def value(self, times_s: Array) -> Array:
        """The quantity at each of `times_s`, `(n,)`."""
        start, value, target, tau, _ = self._at(times_s)
        return target + (value - target) * np.exp(-np.maximum(times_s - start, 0.0) / tau)

    def integral(self, times_s: Array) -> Array:
        """Its integral from time 0 to each of `times_s`, in unit times second."""
        start, value, target, tau, integral = self._at(times_s)
        elapsed = times_s - start
        return integral + target * elapsed - (value - target) * tau * np.expm1(-elapsed / tau)

    def _at(self, times_s: Array) -> tuple[Array, Array, Array, Array, Array]:
        pieces = self._pieces
        index = np.maximum(np.searchsorted(pieces[:, 0], times_s, side="right") - 1, 0)
        if len(index) and index[0] == index[-1]:  # the usual case: no change of target within the chunk
            row = pieces[index[0]]
            return row[0], row[1], row[2], row[3], row[4]
        rows = pieces[index].T
        return rows[0], rows[1], rows[2], rows[3], rows[4]
