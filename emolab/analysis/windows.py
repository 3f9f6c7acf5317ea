"""Which stretches of a session are measured: a minute of the rest, and each clip that was heard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SETTLED_S = (240.0, 300.0)  # of the rest: its fifth minute is the most settled (spec 01, §1.4)
SHORTEST_S = 20.0  # a rest shorter than that is no baseline
FLAGGED = 0.2  # of the settled minute; then a better one is looked for
STEP_S = 5.0
SLACK_S = 0.25  # a rest ends with a frame of the screen, not to the microsecond

Share = Callable[[float, float], float]


@dataclass(frozen=True)
class Baseline:
    """The part of the rest that changes are counted from. `why`: when it is not the settled part."""

    start_s: float
    end_s: float
    good: float
    why: str = ""


def baseline(
    rest: tuple[float, float], good_share: Share, settled_s: tuple[float, float] = SETTLED_S
) -> Baseline | None:
    """The part of a rest to take; None when the rest is too short to have one.

    `rest`: `(start_s, end_s)`. `good_share(start_s, end_s)`: 0 to 1, of the pulse. `settled_s`: counted
    from the rest's start, what the protocol names. When more than a fifth of that cannot be used, the
    stretch of the same length with the best pulse is taken, the later one of two as good.
    Source: spec 01, §1.4.
    """
    start_s, end_s = rest
    long_s = settled_s[1] - settled_s[0]
    if end_s - start_s < SHORTEST_S:
        return None
    if end_s - start_s < long_s:
        lasted = f"the rest lasted {end_s - start_s:.0f} s only"
        return Baseline(start_s, end_s, good_share(start_s, end_s), lasted)
    first_s, why = start_s + settled_s[0], ""
    if first_s + long_s > end_s + SLACK_S:
        first_s, why = end_s - long_s, f"the last {long_s:.0f} s of a rest of {end_s - start_s:.0f} s"
    good = good_share(first_s, first_s + long_s)
    if good < 1 - FLAGGED:
        every = [float(at_s) for at_s in np.arange(end_s - long_s, start_s - SLACK_S, -STEP_S)]
        shares = [good_share(at_s, at_s + long_s) for at_s in every]
        best = int(np.argmax(shares))
        if shares[best] > good:
            why = f"the settled part has {1 - good:.0%} bad pulse, this one {1 - shares[best]:.0%}"
            first_s, good = every[best], shares[best]
    return Baseline(first_s, first_s + long_s, good, why)
