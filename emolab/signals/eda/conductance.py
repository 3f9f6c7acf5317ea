"""Skin conductance as it came, at times as it came, on an even grid: what cannot be used is masked.

Artefacts by the rules of Kleckner 2018, doi:10.1109/TBME.2017.2758643, of which `body` has the figures:
outside 0.05 to 60 µS, or changing by more than 10 µS/s, and whatever is within 5 s of that. To them come the
converter's ends and stretches without samples. Nothing is repaired: a mask says where there is only a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter1d

from emolab.core.errors import DataError
from emolab.signals.body import MICROSIEMENS, SKIN_COUNTS_OFF, SKIN_US, SKIN_US_PER_S, rests_open
from emolab.signals.eda.front_end import FrontEnd
from emolab.signals.general import AT_END
from emolab.signals.measures import GAP_STEPS, Array, interpolated
from emolab.signals.samples import Needs, checked, usual_s
from emolab.signals.window import TOPS, guess_adc_range, without_strays

GRID_HZ = 10.0  # a response rises in 1 to 3 s (Boucsein 2012): its spectrum ends below 1 Hz
LEAST_HZ = 4.0  # the decomposition needs as much: slower samples get lines between
FINE_HZ = 50.0  # samples are averaged to this before they are smoothed
SMOOTH_S = 0.1  # SD of the Gaussian: −3 dB at 1.3 Hz, 1 % left at 5 Hz, the end of the grid
SMOOTH_STEPS = 0.6  # and no less of slow samples: what alternates from one to the next is noise
SHORTEST_S = 10.0  # one knot of the tonic level
NEEDS = Needs("level and responses", SHORTEST_S, 2.0, "check the electrodes and their cable")
BRIDGED_S = 0.5  # half of the fastest rise
MARGIN_S = 5.0  # Kleckner 2018
# of the conductance: a response of 2 and 0.7 s loses 0.28 of its height in a second, and none is higher
# than the level it stands on; what falls faster is an electrode that lost touch
FALL_PER_S = 0.3
LEAST_FALL_US_PER_S = 0.05  # noise of a dry skin
SHARE_PER_S = SKIN_US_PER_S / SKIN_US[1]  # of the range, where counts are all there is
FALLING = -0.25  # skewness of the slope below which responses point down
# µS in one of a unit that conductance or resistance may come in
UNITS_US = {"S": 1e6, "mS": 1e3, "nS": 1e-3, "siemens": 1e6}
UNITS_OHM = {"ohm": 1.0, "Ohm": 1.0, "Ω": 1.0, "kohm": 1e3, "kOhm": 1e3, "kΩ": 1e3, "MOhm": 1e6, "MΩ": 1e6}


@dataclass(frozen=True)
class Conductance:
    """`values` `(n,)` in `unit` at `start_s` + i / `rate_hz`, straight lines where `is_good` is False.

    `unit`: `uS`, or that of the samples where nobody knows what a count is. Conductance is upwards:
    `is_turned` when it was downwards in the samples. `lost`: share of the grid by reason, `missing`,
    `clipped`, `off`, `range`, `leaps`, margins not counted.
    """

    start_s: float
    rate_hz: float
    values: Array
    is_good: NDArray[np.bool_]
    unit: str
    is_turned: bool = False
    lost: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_us(self) -> bool:
        """Whether the values are microsiemens."""
        return self.unit in MICROSIEMENS

    @property
    def times_s(self) -> Array:
        """`(n,)` seconds."""
        return self.start_s + np.arange(len(self.values)) / self.rate_hz

    def rows(self, start_s: float, end_s: float) -> tuple[int, int]:
        """First and one past the last row in `[start_s, end_s)`."""
        edges = np.ceil((np.array([start_s, end_s]) - self.start_s) * self.rate_hz - 1e-6)
        first, last = np.clip(edges, 0, len(self.values)).astype(int).tolist()
        return first, last

    def good_share(self, start_s: float, end_s: float) -> float:
        """How much of a window, 0 to 1, can be used: there, within what skin does, not near an artefact."""
        start_s = self.start_s if np.isinf(start_s) else start_s
        end_s = float(self.times_s[-1]) if np.isinf(end_s) else end_s
        if not end_s > start_s:
            return 0.0
        first, last = self.rows(start_s, end_s)
        wanted = max((end_s - start_s) * self.rate_hz, 1.0)
        return float(min(self.is_good[first:last].sum() / wanted, 1.0))


def conductance(
    values: ArrayLike,
    times_s: ArrayLike,
    unit: str = "counts",
    front_end: FrontEnd | None = None,
    *,
    adc_range: tuple[float, float] | None = None,
    is_falling: bool | None = None,
    name: str = "the skin conductance",
) -> Conductance:
    """Skin conductance on an even grid, smoothed, at 10 a second or as often as samples came.

    `values` `(n,)` in `unit`, NaN where missing; `times_s` `(n,)` seconds, ascending, irregular, with gaps.
    `front_end`: makes microsiemens of them; without one S, mS, nS and Ω, kΩ, MΩ become µS, all else stays.
    `adc_range`: the converter's ends in the values' unit. Where it is not given of counts, only what holds
    of every converter is left out: the very top of one, less than a hundredth of the smallest, `strays`.
    `is_falling`: whether values fall when conductance rises; judged by the responses' shape when None and
    the unit does not tell. Of counts told to fall, those that rest where a Grove GSR does without fingers
    are `off`.

    Raises `DataError` when nothing can come of it: less than 10 s, slower than 2 Hz, no numbers, one value
    throughout, times that do not ascend.
    """
    is_guess = adc_range is None and unit == "counts"
    samples, at_s = checked(without_strays(values) if is_guess else values, times_s, name, NEEDS)
    is_clipped, is_off = _at_ends(samples, guess_adc_range(samples) if is_guess else adc_range, is_guess)
    read, told = _in_us(samples, unit, front_end)
    sound = np.isfinite(read) & ~is_clipped & ~is_off
    rate_hz = float(np.clip(1.0 / usual_s(at_s), LEAST_HZ, GRID_HZ))
    kept = sound if sound.sum() > 1 else np.isfinite(read)
    if kept.sum() < 2:
        raise DataError(f"{name} is nowhere within reach of its front end, {front_end}; check its figures")
    even, is_there = _smoothed(read[kept], at_s[kept], at_s, rate_hz)
    is_us = told in MICROSIEMENS
    off = _mostly(is_off, at_s, rate_hz, len(even)) | (is_us & is_there & (even < SKIN_US[0]))
    if is_falling and told == "counts" and adc_range is not None:
        off |= is_there & rests_open(even, rate_hz, adc_range)
    artefacts = {
        "clipped": _mostly(is_clipped, at_s, rate_hz, len(even)),
        "off": off,
        "range": is_us & is_there & (even > SKIN_US[1]),
        "leaps": _leaps(even, is_there, rate_hz, *_steepest_per_s(even, is_us, adc_range)),
    }
    is_good = is_there & ~_with_margin(np.logical_or.reduce(list(artefacts.values())), rate_hz)
    lost = {why: float(flags.mean()) for why, flags in artefacts.items() if flags.any()}
    missing = ~is_there & ~np.logical_or.reduce(list(artefacts.values()))
    if missing.any():
        lost["missing"] = float(missing.mean())
    even = _bridged(even, is_good)
    if is_falling is None:
        is_falling = not is_us and _points_down(even, is_good, rate_hz)
    turned = bool(is_falling) and not is_us
    return Conductance(
        float(at_s[0]), rate_hz, -even if turned else even, is_good, "uS" if is_us else told, turned, lost
    )


def _in_us(samples: Array, unit: str, front_end: FrontEnd | None) -> tuple[Array, str]:
    """The samples in µS where that can be known, and what they are in."""
    if front_end is not None:
        return front_end.conductance_us(samples), "uS"
    if unit in UNITS_US:
        return samples * UNITS_US[unit], "uS"
    if unit in UNITS_OHM:
        ohm = samples * UNITS_OHM[unit]
        return np.divide(1e6, ohm, out=np.full(len(ohm), np.nan), where=ohm > 0.0), "uS"
    return samples, unit


def _at_ends(
    samples: Array, range_: tuple[float, float] | None, is_guess: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which samples are at the converter's top, and which where no current flows."""
    if range_ is None:
        none = np.zeros(len(samples), dtype=bool)
        return none, none
    low, high = range_
    if is_guess:  # whatever the converter, below this no current flows
        return samples >= high, samples < SKIN_COUNTS_OFF * TOPS[0]
    return samples >= high - AT_END * (high - low), samples < low + SKIN_COUNTS_OFF * (high - low)


def _smoothed(samples: Array, at_s: Array, every_s: Array, rate_hz: float) -> tuple[Array, NDArray[np.bool_]]:
    """On the grid from the first to the last of `every_s`: smoothed values, and where samples are near."""
    start_s = float(every_s[0])
    n = int((every_s[-1] - start_s) * rate_hz + 1e-6) + 1
    times = int(np.ceil(FINE_HZ / rate_hz))
    fine_hz = rate_hz * times
    longest_s = max(BRIDGED_S, GAP_STEPS * usual_s(every_s))
    before = np.flatnonzero(np.diff(at_s) > longest_s)
    absent = [(start_s - 1.0, at_s[0]), *zip(at_s[before], at_s[before + 1], strict=True), (at_s[-1], np.inf)]
    if usual_s(at_s) < 0.7 / fine_hz:
        samples, at_s = _averaged(samples, at_s, fine_hz)
    fine = interpolated(start_s + np.arange((n - 1) * times + 1) / fine_hz, at_s, samples)
    weight = np.ones(len(fine))
    for from_s, to_s in absent:
        first = max(int(np.floor((from_s - start_s) * fine_hz + 1e-6)) + 1, 0)
        weight[first : int(np.ceil(min((to_s - start_s) * fine_hz - 1e-6, len(fine))))] = 0.0
    spread = smoothed_s(rate_hz) * fine_hz
    level = float(np.median(samples))  # far from zero rounding would show
    over = gaussian_filter1d((fine - level) * weight, spread, mode="nearest")
    under = gaussian_filter1d(weight, spread, mode="nearest")
    is_there = weight[::times] > 0.0
    smooth = np.divide(over, under, out=fine - level, where=under > 0.0) + level
    return smooth[::times], is_there


def smoothed_s(rate_hz: float) -> float:
    """SD of the Gaussian by which conductance on a grid was smoothed."""
    return max(SMOOTH_S, SMOOTH_STEPS / rate_hz)


def _averaged(samples: Array, at_s: Array, rate_hz: float) -> tuple[Array, Array]:
    """One value for each step that has samples: their mean, at their mean time."""
    step = ((at_s - at_s[0]) * rate_hz).astype(np.int64)
    first = np.flatnonzero(np.diff(step, prepend=-1))
    count = np.diff(first, append=len(step))
    mean_s = at_s[0] + np.add.reduceat(at_s - at_s[0], first) / count
    return np.add.reduceat(samples, first) / count, mean_s


def _mostly(flags: NDArray[np.bool_], at_s: Array, rate_hz: float, n: int) -> NDArray[np.bool_]:
    """Grid points of whose samples more than half are flagged."""
    nearest = np.clip(np.rint((at_s - at_s[0]) * rate_hz).astype(np.int64), 0, n - 1)
    flagged = np.bincount(nearest, flags, n)
    return np.asarray(flagged > 0.5 * np.bincount(nearest, minlength=n), np.bool_)


def _steepest_per_s(
    even: Array, is_us: bool, adc_range: tuple[float, float] | None
) -> tuple[float, float | Array]:
    """The fastest rise and fall that skin may make; where nothing is known of the unit, whatever it does."""
    if is_us:
        falls = np.maximum(FALL_PER_S * even[:-1], LEAST_FALL_US_PER_S)
        return SKIN_US_PER_S, np.minimum(falls, SKIN_US_PER_S)
    either = SHARE_PER_S * (adc_range[1] - adc_range[0]) if adc_range else np.inf
    return either, either


def _leaps(
    even: Array, is_there: NDArray[np.bool_], rate_hz: float, rise_per_s: float, fall_per_s: float | Array
) -> NDArray[np.bool_]:
    """Both ends of each step that is too steep."""
    slope = np.diff(even) * rate_hz
    steep = ((slope > rise_per_s) | (slope < -fall_per_s)) & is_there[1:] & is_there[:-1]
    return np.append(steep, False) | np.append(False, steep)


def _with_margin(flags: NDArray[np.bool_], rate_hz: float) -> NDArray[np.bool_]:
    """The flags and what is within `MARGIN_S` of them."""
    reach = round(MARGIN_S * rate_hz)
    near = np.convolve(flags, np.ones(2 * reach + 1), mode="full")[reach : reach + len(flags)] > 0.5
    return np.asarray(near, np.bool_)


def _bridged(even: Array, is_good: NDArray[np.bool_]) -> Array:
    """A straight line over whatever is not good; all of it as it is when nothing is."""
    if is_good.all() or not is_good.any():
        return even
    at = np.arange(len(even))
    return np.interp(at, at[is_good], even[is_good])


def _points_down(even: Array, is_good: NDArray[np.bool_], rate_hz: float) -> bool:
    """Whether responses point down: they rise faster than they fall."""
    step = max(round(rate_hz), 1)
    slope = (even[step:] - even[:-step])[is_good[step:] & is_good[:-step]]
    if len(slope) < SHORTEST_S * rate_hz:
        return False
    away = slope - slope.mean()
    if (largest := float(np.abs(away).max())) == 0.0:
        return False
    away = away / largest
    return float(np.mean(away**3)) / float(np.mean(away**2)) ** 1.5 < FALLING
