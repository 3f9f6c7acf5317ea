"""The room the instruments stand in: a late reverberation of eight feedback delay lines.

A feedback delay network (Jot & Chaigne 1991, AES preprint 3030) with a Householder mixing matrix and
a two-tap average in each loop, so that high tones die sooner, as air and walls make them do. It is
computed in blocks of the shortest delay, with additions and multiplications only (see `exact`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emolab.composer.exact import Wave, power

DELAYS_S = (0.02573, 0.02917, 0.03319, 0.03691, 0.04103, 0.04517, 0.04973, 0.05351)  # no common measure
PREDELAY_S = 0.012
LOUDNESS = 0.4  # brings the tail of a steady sound near the level of the sound sent in
DAMPING = 0.32  # share of the neighbouring sample in each pass through a loop


def reverberate(dry: Wave, rate_hz: int, decay_s: float) -> NDArray[np.float32]:
    """The room's answer to a mono signal.

    `dry`: `(n,)`. `decay_s`: time in which the room falls silent by 60 dB. Returns `(n, 2)`, without
    the dry sound.
    """
    n = len(dry)
    delays = [round(seconds * rate_hz) for seconds in DELAYS_S]
    gains = [np.float32(power(10.0, -3.0 * delay / (decay_s * rate_hz))) for delay in delays]
    pad = max(delays) + 1
    block = min(delays) - 1
    lines = np.zeros((len(delays), pad + n + block), np.float32)
    source = np.zeros(n + block, np.float32)
    late = round(PREDELAY_S * rate_hz)
    source[late:n] = dry[: n - late]
    wet = np.zeros((2, n + block), np.float32)
    near, far = np.float32(1.0 - DAMPING), np.float32(DAMPING)
    for start in range(0, n, block):
        heard = np.empty((len(delays), block), np.float32)
        for line, delay, row in zip(lines, delays, heard, strict=True):
            begin = pad + start - delay
            np.multiply(line[begin : begin + block], near, out=row)
            row += line[begin - 1 : begin - 1 + block] * far
        total = heard[0] + heard[1]
        for row in heard[2:]:
            total += row
        total *= np.float32(2.0 / len(delays))
        fresh = source[start : start + block]
        for line, gain, row in zip(lines, gains, heard, strict=True):
            line[pad + start : pad + start + block] = fresh + gain * (row - total)
        left = wet[0, start : start + block]
        right = wet[1, start : start + block]
        for index, row in enumerate(heard):
            side = right if index % 2 else left
            if index % 4 < 2:
                side += row
            else:
                side -= row
    return np.ascontiguousarray(wet[:, :n].T) * np.float32(LOUDNESS)
