"""What can be wrong with pulse, breath and skin conductance in particular.

Where no source is named, thresholds were set as in `general`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from emolab.signals.finding import Finding, Level, level_of
from emolab.signals.general import AT_END, SHORTEST_FOR_STILLNESS_S, doubt
from emolab.signals.measures import Array, band, rhythm, rms
from emolab.signals.window import TOPS, Window

SHORTEST_FOR_RHYTHM_S = 5.0  # three beats at 40 a minute

# pulse: 40 to 180 beats a minute (Orphanidou 2015, doi:10.1109/JBHI.2014.2338351)
PULSE_S = (60 / 180, 60 / 40)
PULSE_BAND_HZ = (0.6, 5.0)
# likeness of 5 s to themselves one beat on: pulses .79 to .95 in the median of 10 s; noise 99 % below
PULSE_PART = 0.58
PULSE_HOP_S = 2.5  # from one such stretch to the next, where nobody has time for more
PULSE_NOISE_BAND_HZ = (10.0, 45.0)
PULSE_NOISE = 0.5  # of the pulse; in the recordings .01 to .1

# breath: 4 to 60 a minute; in sound recordings 2 to 12 times what lies above 2 Hz, on dead belts .1 to .9
BREATH_BAND_HZ = (0.06, 1.05)  # a little beyond: the last bin of ten seconds may be the breath itself
BREATH_NOISE_HZ = 2.0
BREATH_LOOK = 1.0

# skin: Kleckner 2018, doi:10.1109/TBME.2017.2758643: 0.05 to 60 µS, changing by no more than 10 µS/s
SKIN_US = (0.05, 60.0)
SKIN_US_PER_S = 10.0
SKIN_OUTSIDE = 0.01  # of the time
SKIN_COUNTS_OFF = 0.01  # of the range: no current flows
# of the range: so near to its middle a Grove rests without fingers (Seeed's wiki), 4 counts of ten bits;
# 0.5 µS is 10 below. To be above it is no sign, since its potentiometer can be moved: skin of PhysioKit's own
# P21_A passes the middle, by 2 counts in 8 s, that of P12 stays above. What is open moves by less than one
SKIN_OPEN = 0.004
OPEN_S = 8
SKIN_NOISE_HZ = 10.0  # skin has nothing to say up there
SKIN_NOISE_US = 0.025  # ± 2 SD then hide the smallest response that is counted, 0.05 µS (Boucsein 2012)
SKIN_NOISE = 0.01  # of the level, where the unit is not known; in the recordings .0002 to .004
MICROSIEMENS = ("uS", "µS", "μS", "us", "microsiemens")


def pulse(values: Array, rate_hz: float) -> tuple[float, float]:
    """`(how sure, beats a minute)` of a pulse wave, evenly sampled, 5 s or more.

    Sure is the likeness, −1 to 1, of the wave with itself one beat on; no template is needed.
    """
    likeness, period_s = rhythm(band(values, rate_hz, *PULSE_BAND_HZ), rate_hz, *PULSE_S)
    return likeness, 60.0 / period_s if period_s else 0.0


def sure_share(values: Array, rate_hz: float) -> float:
    """Share of a wave, 0 to 1, in 5 s whose pulse is sure: `ppg.Pulse.good_share`, told quickly."""
    n, hop = int(SHORTEST_FOR_RHYTHM_S * rate_hz), max(int(PULSE_HOP_S * rate_hz), 1)
    last = max(len(values) - n, 0)
    is_sure = np.zeros(len(values), dtype=bool)
    for start in sorted({*range(0, last + 1, hop), last}):
        if pulse(values[start : start + n], rate_hz)[0] >= PULSE_PART:
            is_sure[start : start + n] = True
    return float(is_sure.mean()) if len(values) else 0.0


def pulse_findings(window: Window) -> Iterator[Finding]:
    """No pulse, a weak one, or one in noise."""
    if window.seconds < SHORTEST_FOR_RHYTHM_S or np.ptp(window.values) == 0.0:
        return
    values, rate_hz = window.even.values, window.even.rate_hz
    share = sure_share(values, rate_hz) if window.share is None else window.share
    if (found := level_of(share)) != "well":
        what = f"{window.name} shows {'no pulse' if found == 'act' else 'a pulse that is weak or shaken'}"
        remedy = "Set the sensor on the pad of the finger, warm the hand, and keep it still."
        yield Finding("no_pulse", found, what, remedy, share)
    wave = rms(band(values, rate_hz, *PULSE_BAND_HZ))
    noise = rms(band(values, rate_hz, *PULSE_NOISE_BAND_HZ))
    if found != "act" and noise > PULSE_NOISE * wave:
        what = f"{window.name} is noisy, {noise / wave:.0%} of the pulse"
        yield Finding("noisy", "look", what, "Shade the sensor from lamps and fix its cable.", noise / wave)


def breath_findings(window: Window) -> Iterator[Finding]:
    """A belt that breath does not move."""
    if window.seconds < SHORTEST_FOR_STILLNESS_S or np.ptp(window.values) == 0.0:
        return
    breath = rms(band(window.even.values, window.even.rate_hz, *BREATH_BAND_HZ))
    noise = rms(band(window.even.values, window.even.rate_hz, BREATH_NOISE_HZ, np.inf))
    if noise > 0 and breath / noise < BREATH_LOOK:
        what = f"{window.name} hardly moves with the breath"
        yield Finding("no_breath", "look", what, "Tighten the belt below the ribs.", breath / noise)


def skin_findings(window: Window) -> Iterator[Finding]:
    """An electrode off, a level or a change that no skin has, noise."""
    values, name = window.values, window.name
    low, high = (float(value) for value in np.percentile(values, (5, 95)))
    noise = rms(band(window.even.values, window.even.rate_hz, SKIN_NOISE_HZ, np.inf))
    if window.unit in MICROSIEMENS:
        if high < SKIN_US[0]:
            what = f"{name} is at {high:.3f} µS: an electrode is off"
            yield Finding("electrode_off", "act", what, "Fix both electrodes and plug in their cable.", high)
            return
        if low > SKIN_US[1]:
            what = f"{name} is at {low:.0f} µS, which no skin reaches"
            remedy = "Keep the electrodes apart and dry between them, and check the scaling."
            yield Finding("out_of_range", "act", what, remedy, low)
        elif (share := float(np.mean((values < SKIN_US[0]) | (values > SKIN_US[1])))) > SKIN_OUTSIDE:
            grade: Level = "act" if level_of(1 - share) == "act" else "look"
            what = f"{name} is outside {SKIN_US[0]} to {SKIN_US[1]:.0f} µS {share:.0%} of the time"
            yield Finding("out_of_range", grade, what, "Check the electrodes and their gel.", share)
        yield from _leaps(window)
        limit, shown = SKIN_NOISE_US, f"{noise:.3f} µS"
    else:
        middle = float(np.median(values))
        if window.range_ is not None and high < window.range_[0] + SKIN_COUNTS_OFF * np.ptp(window.range_):
            remedy = "Fix both electrodes and plug in their cable."
            is_certain = not window.is_guess or high < SKIN_COUNTS_OFF * TOPS[0]  # of every converter
            what = f"{name} is at zero: an electrode {'is' if is_certain else 'may be'} off"
            remedy += "" if is_certain else doubt(window)
            yield Finding("electrode_off", "act" if is_certain else "look", what, remedy, high)
            return
        if _is_open(window):
            may = "may be" if window.is_guess else "is"
            what = f"{name} rests in the middle of its range, as without fingers: an electrode {may} off"
            remedy = f"Fix both electrodes and plug in their cable.{doubt(window)}"
            yield Finding("electrode_off", "look" if window.is_guess else "act", what, remedy, middle)
            return
        limit, shown = SKIN_NOISE * abs(middle), f"{noise:.3g} {window.unit}"
    if noise > limit:
        remedy = "Check the electrodes' gel and keep their cable from moving."
        yield Finding("noisy", "look", f"{name} is noisy, {shown} above 10 Hz", remedy, noise)


def _is_open(window: Window) -> bool:
    if not window.is_falling or window.unit != "counts" or window.range_ is None:
        return False
    return bool(rests_open(window.even.values, window.even.rate_hz, window.range_).any())


def rests_open(even: Array, rate_hz: float, range_: tuple[float, float]) -> NDArray[np.bool_]:
    """Where counts that fall with conductance rest at what a Grove GSR reads without fingers.

    `even` `(n,)`: evenly sampled at `rate_hz`. Of each second counts the mean: an open electrode hums.
    """
    low, high = range_
    step = max(round(rate_hz), 1)
    seconds = even[: len(even) // step * step].reshape(-1, step).mean(axis=1)
    is_open = np.zeros(len(even), dtype=bool)
    if len(seconds) < OPEN_S:
        return is_open
    each = sliding_window_view(seconds, OPEN_S)
    is_near = np.abs(each - (low + high) / 2).max(axis=1) <= SKIN_OPEN * (high - low)
    for first in np.flatnonzero(is_near & (np.ptp(each, axis=1) <= AT_END * (high - low))):
        is_open[first * step : (first + OPEN_S) * step] = True
    return is_open


def _leaps(window: Window) -> Iterator[Finding]:
    """Change by more than skin can, over tenths of a second so that noise is none."""
    step = max(round(window.even.rate_hz / 10), 1)
    blocks = window.even.values[: len(window.even.values) // step * step].reshape(-1, step).mean(axis=1)
    steepest = float(np.max(np.abs(np.diff(blocks)), initial=0.0)) * window.even.rate_hz / step
    if steepest > SKIN_US_PER_S:
        what = f"{window.name} leaps by {steepest:.0f} µS/s"
        yield Finding("leaps", "look", what, "Let the hand lie still and fix the electrodes.", steepest)
