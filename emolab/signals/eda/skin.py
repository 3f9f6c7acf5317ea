"""Skin conductance of a whole session: its level, its responses, and what any window of it says.

    skin = read_skin(values, times_s, "uS")        # once for a session
    skin.over(300.0, 330.0)["scr_count"]            # responses in a clip, NaN where too little can be used
    skin.good_share(300.0, 330.0)                   # how much of it can be used, 0 to 1

The session is z-scored by what can be used of it and decomposed in one go by cvxEDA. Masked stretches are
bridged by straight lines for that, since the decomposition needs every sample; afterwards level and phasic
part are NaN there, and a response that begins in one or has not peaked before one counts nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emolab.signals.eda.conductance import Conductance, conductance, smoothed_s
from emolab.signals.eda.convex import cvxeda
from emolab.signals.eda.front_end import FrontEnd
from emolab.signals.eda.responses import ABOVE_NOISE, LEAST_US, Responses, responses
from emolab.signals.feature import Feature
from emolab.signals.measures import Array

COVERED = 0.5  # of a window must be good for figures of it
SHORTEST_SLOPE_S = 5.0
NOTHING = "nothing usable"

_SPEC = "EmoMusic, features per clip (spec §1.7), cvxEDA (§3.1)"
_BOUCSEIN = "Boucsein 2012"
SKIN_FEATURES: tuple[Feature, ...] = (
    Feature("eda_tonic_mean", "z", "mean level, in SDs of the session from the session's mean", _SPEC),
    Feature("scr_count", "1", "responses that begin in the window", _SPEC, is_total=True),
    Feature("scr_rate", "1/min", "responses a minute of what can be used", _BOUCSEIN, True),
    Feature(
        "scr_amp_mean", "µS", "mean height of the responses; NaN where µS are not known", _BOUCSEIN, True
    ),
    Feature("scr_amp_mean_z", "z", "mean height of the responses, in SDs of the session", "", True),
    Feature("scr_amp_sum_z", "z", "heights of all responses together, in SDs of the session", "", True, True),
    Feature("scr_rise_s", "s", "mean time from a response's onset to its peak", _BOUCSEIN, True),
    Feature("scr_recovery_s", "s", "mean time in which a response falls by half", _BOUCSEIN, True),
    Feature("eda_phasic_mean", "z", "mean of the phasic part, in SDs of the session", "Greco 2016", True),
    Feature("eda_level_mean", "µS", "mean conductance; NaN where µS are not known", _BOUCSEIN, True),
    Feature("eda_tonic_slope", "z/min", "straight line through the level", "", True),
)


@dataclass(frozen=True)
class Skin:
    """The skin conductance of a session on an even grid, `(n,)`, and its `responses`.

    `conductance`: what was measured, with its mask. `tonic` (with the drift), `phasic`: in z, NaN where
    masked; `driver`: what the glands were told, z/s, 0 or more. `centre`, `scale`: of the z-score, in the
    signal's unit, NaN where nothing could be used. `responses.amplitudes`: in z. `status`: of the solver.
    """

    conductance: Conductance
    tonic: Array
    phasic: Array
    driver: Array
    responses: Responses
    centre: float
    scale: float
    status: str

    @property
    def times_s(self) -> Array:
        """`(n,)` seconds."""
        return self.conductance.times_s

    def over(self, start_s: float, end_s: float) -> dict[str, float]:
        """Every figure of `SKIN_FEATURES` in `[start_s, end_s)`; NaN where less than half can be used."""
        figures = dict.fromkeys((feature.name for feature in SKIN_FEATURES), np.nan)
        share = self.good_share(start_s, end_s)
        if share < COVERED or not np.isfinite(self.scale):
            return figures
        first_s, step_s = self.conductance.start_s, 1.0 / self.conductance.rate_hz
        start_s = first_s if np.isinf(start_s) else start_s
        end_s = first_s + len(self.tonic) * step_s if np.isinf(end_s) else end_s
        first, last = self.conductance.rows(start_s, end_s)
        good = self.conductance.is_good[first:last]
        tonic, phasic = self.tonic[first:last][good], self.phasic[first:last][good]
        onsets_s = self.responses.onsets_s
        inside = self.responses.chosen((onsets_s >= start_s) & (onsets_s < end_s))
        good_s = share * (end_s - start_s)
        figures |= {
            "eda_tonic_mean": float(tonic.mean()),
            "scr_count": float(len(inside)),
            "scr_rate": 60.0 * len(inside) / good_s,
            "scr_amp_mean_z": _mean(inside.amplitudes),
            "scr_amp_sum_z": float(inside.amplitudes.sum()),
            "scr_rise_s": _mean(inside.rises_s),
            "scr_recovery_s": _mean(inside.recovery_s),
            "eda_phasic_mean": float(phasic.mean()),
        }
        if good_s >= SHORTEST_SLOPE_S:
            at_min = np.flatnonzero(good) / (60.0 * self.conductance.rate_hz)
            figures["eda_tonic_slope"] = float(np.polyfit(at_min - at_min.mean(), tonic, 1)[0])
        if self.conductance.is_us:
            figures["scr_amp_mean"] = _mean(inside.amplitudes) * self.scale
            figures["eda_level_mean"] = float(self.conductance.values[first:last][good].mean())
        return figures

    def good_share(self, start_s: float, end_s: float) -> float:
        """How much of a window, 0 to 1, can be used: there, within what skin does, not near an artefact."""
        return self.conductance.good_share(start_s, end_s)


def read_skin(
    values: ArrayLike,
    times_s: ArrayLike,
    unit: str = "counts",
    front_end: FrontEnd | None = None,
    *,
    adc_range: tuple[float, float] | None = None,
    is_falling: bool | None = None,
    name: str = "the skin conductance",
) -> Skin:
    """Level and responses of a session.

    The arguments are those of `conductance.conductance`, which raises `DataError` for input that can give
    nothing. Responses are counted from 0.05 µS on, or from a tenth of the large ones where µS are not known,
    and from three SDs of the noise on. A session that cannot be used anywhere gives NaN, and no error.
    """
    told = conductance(
        values, times_s, unit, front_end, adc_range=adc_range, is_falling=is_falling, name=name
    )
    good = told.is_good
    if not good.any() or np.ptp(told.values[good]) == 0.0:
        unknown = np.full(len(good), np.nan)
        return Skin(told, unknown, unknown, unknown, Responses.none(), np.nan, np.nan, NOTHING)
    centre, scale = float(told.values[good].mean()), float(told.values[good].std())
    # a session that moves by less than the least response is noise, and must not be blown up to a signal
    stretch = max(1.0, LEAST_US / scale) if told.is_us else 1.0
    parts = cvxeda((told.values - centre) / (scale * stretch), told.rate_hz)
    driver, phasic, tonic, rest = (
        part * stretch for part in (parts.driver, parts.phasic, parts.tonic, parts.residual)
    )
    least = LEAST_US / scale if told.is_us else None
    found = responses(driver, phasic, told.rate_hz, told.start_s, least, smoothed_s(told.rate_hz))
    clear = found.amplitudes >= ABOVE_NOISE * _spread(rest[good])
    counted = found.chosen(clear & _is_whole(found, told))
    tonic, phasic = (np.where(good, part, np.nan) for part in (tonic, phasic))
    return Skin(told, tonic, phasic, driver, counted, centre, scale, parts.status)


def _is_whole(found: Responses, told: Conductance) -> NDArray[np.bool_]:
    """Which responses saw nothing masked from onset to peak."""
    spoiled = np.concatenate([[0], np.cumsum(~told.is_good)])
    first, last = (
        np.clip(np.rint((at_s - told.start_s) * told.rate_hz).astype(np.int64), 0, len(told.is_good) - 1)
        for at_s in (found.onsets_s, found.peaks_s)
    )
    return np.asarray(spoiled[last + 1] == spoiled[first], np.bool_)


def _spread(values: Array) -> float:
    """SD as the median of the distances tells it: responses are not noise."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def _mean(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan
