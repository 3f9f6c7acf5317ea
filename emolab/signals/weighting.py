"""The power of a K-weighted sound in even steps, sample by sample: 3 ns each instead of 15."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from emolab.signals.measures import Array

FADED = 1e-30  # what a filter still holds of long silence: numbers far below that are slow


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def powers(
    sound: NDArray[Any],
    scale: float,
    sections: Array,
    weights: Array,
    state: Array,
    begun: Array,
    step: int,
) -> Array:
    """The mean weighted square of each whole step of `sound` `(n, channels)` times `scale`.

    `sections` `(2, 6)`: two filters of second order, as SciPy lays them out. `weights` `(channels,)`. What
    goes on into the next sound is kept in place: `state` `(channels, 4)` of the filters, `begun` `(2,)` the
    sum and the number of samples of the step not yet whole.
    """
    b0, b1, b2, _, a1, a2 = sections[0]
    c0, c1, c2, _, d1, d2 = sections[1]
    count = int(begun[1])
    found = np.zeros((count + len(sound)) // step)
    last = 0.0
    for channel in range(sound.shape[1]):
        s0, s1, s2, s3 = state[channel]
        weight = weights[channel] / step
        total, within, at = 0.0, count, 0
        for row in range(len(sound)):
            x = sound[row, channel] * scale
            y = b0 * x + s0
            s0 = b1 * x - a1 * y + s1
            s1 = b2 * x - a2 * y
            z = c0 * y + s2
            s2 = c1 * y - d1 * z + s3
            s3 = c2 * y - d2 * z
            total += z * z
            within += 1
            if within == step:
                found[at] += weight * total
                total, within = 0.0, 0
                at += 1
                if abs(s0) + abs(s1) + abs(s2) + abs(s3) < FADED:
                    s0 = s1 = s2 = s3 = 0.0
        last += weight * total
        state[channel] = s0, s1, s2, s3
    if len(found):
        found[0] += begun[0]
        begun[0] = 0.0
    begun[0] += last
    begun[1] = (count + len(sound)) % step
    return found
