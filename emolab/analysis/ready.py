"""Compile what measuring a session needs: half a minute of Numba's work, once on a machine.

    python -m emolab.analysis.ready

Numba keeps what it compiled beside the sources, and compiles anew what was changed. Set-up ends with this,
so that the first analysis does not begin with it.
"""

from __future__ import annotations

import numpy as np

from emolab.signals.eda import cvxeda
from emolab.signals.loudness import read_loudness
from emolab.signals.thermal.heat import read_heat

RATE_HZ = 4.0


def ready() -> None:
    """One small signal of each kind that Numba has to do with, in the types in which it is recorded."""
    at_s = np.arange(0.0, 20.0, 1 / RATE_HZ)
    cvxeda(5.0 + 0.1 * np.sin(at_s), RATE_HZ)
    read_loudness(np.zeros((8000, 1), np.int16), 8000.0)
    y, x = np.mgrid[:60, :80]
    face = 29500 + 1000 * (((x - 40) / 12) ** 2 + ((y - 30) / 16) ** 2 < 1)
    read_heat(face[np.newaxis].repeat(2, axis=0).astype(np.uint16), [0.0, 0.5], scale=0.01, offset=-273.15)


if __name__ == "__main__":
    ready()
