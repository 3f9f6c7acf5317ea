"""What both directions of LSL share: the library, and the way between its clock and ours.

The lab streaming layer (liblsl, through pylsl, extra `lsl`) stamps samples with the sender's
`local_clock()`: seconds since some start of the sender's machine, on a clock nobody can step.
Nothing here opens a socket; outlets and inlets do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.core.clock import Clock, now_ns
from emolab.core.errors import MissingExtra

READINGS = 20
SLEW = 1e-3  # a correction moves so much a second: no interval changes by more than a thousandth
JUMP_S = 0.05  # a correction further off than this belongs to another clock and is taken at once


def pylsl() -> Any:
    """The pylsl module. Raises `MissingExtra` when it, or the liblsl it needs, is not installed."""
    try:
        import pylsl
    except (ImportError, OSError, RuntimeError) as error:
        raise MissingExtra(
            f"the lab streaming layer needs pylsl ({error}); install it with pip install 'emolab[lsl]', "
            "then start emolab again"
        ) from error
    return pylsl


def session_less_lsl_s(clock: Clock) -> float:
    """What must be added to this machine's LSL time to get session time.

    Both clocks are read close together; of some readings the closest pair counts.
    """
    local_clock = pylsl().local_clock
    closest_ns, best_s = None, 0.0
    for _ in range(READINGS):
        before_ns = now_ns()
        lsl_s = local_clock()
        after_ns = now_ns()
        if closest_ns is None or after_ns - before_ns < closest_ns:
            closest_ns = after_ns - before_ns
            best_s = clock.at((before_ns + after_ns) // 2) - lsl_s
    return best_s


class Correction:
    """Moves stamps of one clock onto another by an offset that is measured now and then.

    A new offset is worked in by a millisecond a second, so that times stay even and in order; the
    first one, and one that says that the clock itself began anew, at once.
    """

    def __init__(self) -> None:
        self._target_s: float | None = None
        self._applied_s = 0.0
        self._at_s = 0.0  # the stamp up to which `_applied_s` holds

    @property
    def is_known(self) -> bool:
        """True once there was an offset."""
        return self._target_s is not None

    def measured(self, offset_s: float) -> None:
        """Take a new offset: what is to be added to stamps."""
        if self._target_s is None or abs(offset_s - self._applied_s) > JUMP_S:
            self._applied_s = offset_s
        self._target_s = offset_s

    def apply(self, stamps_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """The stamps `(n,)`, n >= 1, on the other clock. Only once `is_known`."""
        assert self._target_s is not None
        room_s = SLEW * np.maximum(stamps_s - self._at_s, 0.0)
        step_s = np.clip(self._target_s - self._applied_s, -room_s, room_s)
        times_s: NDArray[np.float64] = stamps_s + (self._applied_s + step_s)
        self._applied_s += float(step_s[-1])
        self._at_s = float(stamps_s[-1])
        return times_s
