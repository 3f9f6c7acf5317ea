"""How much the heart follows the breath: respiratory sinus arrhythmia, breath by breath.

Peak to trough: of each breath the longest interval between beats while breathing out, less the shortest
while breathing in, in milliseconds; 0 where that is negative. Source: Grossman, van Beek & Wientjes 1990,
doi:10.1111/j.1469-8986.1990.tb03198.x. An interval belongs to its middle, and since the heart lags behind the
breath each phase is looked at 0.75 s beyond its end. A heart that wanders without regard to the breath has
some such difference, too: compare stretches of one person.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from emolab.core.errors import DataError
from emolab.signals.feature import Feature
from emolab.signals.measures import Array
from emolab.signals.respiration import Breath

RR_MS = (300.0, 2000.0)
LAG_S = 0.75  # the shortest interval comes as breathing in ends, or up to a beat later
LEAST_BREATHS = 3
LEAST_MS = 1e-6  # what is smaller is left over from the arithmetic: a heart that is steady has none

_SOURCE = "Grossman 1990"
RSA_FEATURES: tuple[Feature, ...] = (
    Feature("rsa_mean", "ms", "mean of the breaths' peak to trough difference", _SOURCE, True),
    Feature("rsa_ln", "ln ms", "natural logarithm of that mean; NaN when it is 0", _SOURCE, True),
    Feature("rsa_sd", "ms", "SD (ddof 1) of the breaths' differences", _SOURCE, True),
)


@dataclass(frozen=True)
class Rsa:
    """One figure a breath: `starts_s`, `ends_s`, `rsa_ms` `(k,)`, NaN where beats or breath do not tell."""

    starts_s: Array
    ends_s: Array
    rsa_ms: Array

    def over(self, start_s: float, end_s: float) -> dict[str, float]:
        """Every figure of `RSA_FEATURES` for the breaths whose middle is within; NaN for fewer than 3."""
        middles_s = (self.starts_s + self.ends_s) / 2
        within = self.rsa_ms[(middles_s >= start_s) & (middles_s < end_s)]
        told = within[np.isfinite(within)]
        if len(told) < LEAST_BREATHS:
            return {feature.name: np.nan for feature in RSA_FEATURES}
        mean = float(told.mean())
        logarithm = float(np.log(mean)) if mean > 0 else np.nan
        return {"rsa_mean": mean, "rsa_ln": logarithm, "rsa_sd": float(told.std(ddof=1))}

    def good_share(self, start_s: float, end_s: float) -> float:
        """How much of a window is in breaths that tell, 0 to 1."""
        within_s = np.minimum(self.ends_s, end_s) - np.maximum(self.starts_s, start_s)
        told = np.isfinite(self.rsa_ms) & (within_s > 0)
        return float(min(within_s[told].sum() / max(end_s - start_s, 1e-9), 1.0))


def read_rsa(breath: Breath, beats_s: ArrayLike, rr_ms: ArrayLike | None = None) -> Rsa:
    """The arrhythmia of each breath.

    `beats_s`: `(m,)` seconds, ascending, on the clock of the breath. `rr_ms`: `(m,)` the interval that ends
    with each beat, NaN where none is to be trusted; without it the beats' distances are taken, where they
    are 300 to 2000 ms.

    Raises `DataError` when there are not as many intervals as beats, or the beats do not ascend.
    """
    beats_s = np.asarray(beats_s, dtype=np.float64).ravel()
    if np.any(~np.isfinite(beats_s)) or np.any(np.diff(beats_s) <= 0):
        raise DataError("the beats do not ascend; sort them by time and leave out what is none")
    if rr_ms is None:
        intervals_ms = np.diff(beats_s, prepend=np.nan) * 1000.0
    else:
        intervals_ms = np.asarray(rr_ms, dtype=np.float64).ravel()
        if len(intervals_ms) != len(beats_s):
            raise DataError(
                f"there are {len(intervals_ms)} intervals but {len(beats_s)} beats; give one each"
            )
    with np.errstate(invalid="ignore"):
        is_told = (intervals_ms >= RR_MS[0]) & (intervals_ms <= RR_MS[1])
    middles_s = (beats_s + np.concatenate([beats_s[:1], beats_s[:-1]])) / 2
    edges_s = np.stack([breath.starts_s, breath.peaks_s, breath.peaks_s + LAG_S, breath.ends_s + LAG_S])
    rsa_ms = np.full(len(breath), np.nan)
    for number in np.flatnonzero(breath.is_sound):
        start, peak, inhaled, exhaled = np.searchsorted(middles_s, edges_s[:, number])
        inhaling = intervals_ms[start:inhaled][is_told[start:inhaled]]
        exhaling = intervals_ms[peak:exhaled][is_told[peak:exhaled]]
        if len(inhaling) and len(exhaling):
            difference_ms = float(exhaling.max() - inhaling.min())
            rsa_ms[number] = difference_ms if difference_ms >= LEAST_MS else 0.0
    return Rsa(breath.starts_s, breath.ends_s, rsa_ms)
