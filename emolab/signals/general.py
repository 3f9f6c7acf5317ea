"""What can be wrong with any channel: samples missing, the converter's ends, the mains.

Where no source is named, thresholds were set on twelve 5-minute recordings of public PhysioKit
boards (12 bit, 255 to 275 Hz), whose figures stand beside them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from emolab.signals.finding import Finding, Level
from emolab.signals.measures import line, longest_run, power_spectrum
from emolab.signals.window import Window

SHORTEST_FOR_STILLNESS_S = 8.0  # a calm skin may stand on one count of a 10-bit board for seconds

# dropouts: below 1 % interpolation leaves heart and skin measures alone; a fifth away is no signal
MISSING_LOOK, MISSING_ACT = 0.01, 0.2

# ends of the converter
AT_END = 0.001  # of the range: a 12-bit converter's noise of ± 4 counts
AT_END_LOOK, AT_END_ACT = 0.01, 0.5
NEAR_END = 1 / 16  # amplifiers stop short of the converter's ends, at 95 to 99 % on the boards measured
PLATEAU_SPAN = 0.01  # of the swing: a sine stays 6.4 % of its time so near to its top
# pulses of 11 sound recordings: at most 4.6 %, of one that its amplifier cut: 11 %. A breath rests
# at its end, and skin stays where it is.
PLATEAU_SHARE = {"ppg": 0.1}
PLATEAU_SHARE_OTHERS = 0.4
PLATEAU_STEPS = 50  # a swing of fewer steps cannot show a plateau

# mains: a line 13 dB over its neighbourhood that also shows in the plot
MAINS_HZ = (50.0, 60.0)
MAINS_ABOVE = 20.0
MAINS_SHARE = 0.1  # of the swing, peak to peak
MAINS_COUNTS = 2.0  # less is lost in the converter's own steps


def dropouts(window: Window) -> Iterator[Finding]:
    """Samples that did not come, or came as NaN."""
    if window.even.missing > MISSING_LOOK:
        yield missing_finding(window.name, window.even.missing)


def ends(window: Window) -> Iterator[Finding]:
    """Still, at the end of the converter, near it, or cut off somewhere below it."""
    values, name = window.values, window.name
    swing = float(np.ptp(values))
    if window.range_ is not None:
        low, high = window.range_
        reach = AT_END * (high - low)
        at_low = values <= low + reach if window.kind != "eda" else np.zeros(len(values), dtype=bool)
        share = float(np.mean(at_low | (values >= high - reach)))  # skin at zero is an electrode off
        if share > AT_END_LOOK:
            level: Level = "act" if share > AT_END_ACT and not window.is_guess else "look"
            what = f"{name} is at the end of its range {share:.0%} of the time"
            yield Finding("railed", level, what, _centre(window) + doubt(window), share)
            return
        if found := _near_end(window, low, high):
            yield found
    if swing == 0.0:
        if window.kind != "eda":
            yield Finding("flat", "act", f"{name} is flat", "Check that the sensor touches the skin.", 0.0)
        elif window.seconds >= SHORTEST_FOR_STILLNESS_S:
            yield Finding("flat", "look", f"{name} is flat", "Check the electrodes and their cable.", 0.0)
        return
    if plateau := _plateau(window, swing):
        what = f"{name} is cut off {plateau:.0%} of the time"
        yield Finding("clipped", "look", what, "Loosen the sensor or turn its gain down.", plateau)


def _near_end(window: Window, low: float, high: float) -> Finding | None:
    """The finding for a channel that stays within a sixteenth of an end of its range."""
    near = NEAR_END * (high - low)
    bottom, middle, top = np.percentile(window.values, (5, 50, 95))
    share = (float(middle) - low) / (high - low)
    if bottom > high - near and not (window.is_guess and window.kind == "eda"):  # skin may be anywhere
        where = f"{window.name} stays at {share:.0%} of its range"
    elif top < low + near and window.kind != "eda":  # a dry skin is near zero by nature
        where = f"{window.name} stays at {share:.1%} of its range"
    else:
        return None
    level: Level = "look" if window.is_guess or window.kind == "eda" else "act"
    return Finding("near_rail", level, where, _centre(window) + doubt(window), share)


def _centre(window: Window) -> str:
    """How to bring a channel back into the middle of its range."""
    return {
        "respiration": "Loosen the belt or turn the sensor's gain down until breath moves it.",
        "eda": "Turn the sensor's gain down.",
    }.get(window.kind, "Adjust the sensor or its gain.")


def _plateau(window: Window, swing: float) -> float:
    """Share of samples on a plateau at the top or bottom of the swing; 0 when that is natural."""
    values = window.values
    if len(np.unique(values)) < PLATEAU_STEPS:
        return 0.0
    most = 0.0
    for at_end in (
        values >= values.max() - PLATEAU_SPAN * swing,
        values <= values.min() + PLATEAU_SPAN * swing,
    ):
        if longest_run(at_end) >= 3:
            most = max(most, float(np.mean(at_end)))
    return most if most > PLATEAU_SHARE.get(window.kind, PLATEAU_SHARE_OTHERS) else 0.0


def mains(window: Window) -> Iterator[Finding]:
    """A mains line, where the rate lets one see it: above 102 Hz for 50 Hz, 122 for 60."""
    if (swing := window.swing()) == 0.0:
        return
    at_hz, power = power_spectrum(window.even.values, window.even.rate_hz)
    for line_hz in MAINS_HZ:
        mean_square, above = line(at_hz, power, line_hz)
        peak_to_peak = 2 * np.sqrt(2 * mean_square)
        if above < MAINS_ABOVE or peak_to_peak < MAINS_SHARE * swing:
            continue
        if window.unit == "counts" and peak_to_peak < MAINS_COUNTS:
            continue
        what = f"{window.name} carries {line_hz:.0f} Hz from the mains, {peak_to_peak:.2g} {window.unit} high"
        remedy = "Move cables and adapters apart, run the laptop from its battery, check the electrodes."
        yield Finding("mains", "look", what, remedy, float(peak_to_peak))


def missing_finding(name: str, share: float) -> Finding:
    level: Level = "act" if share > MISSING_ACT else "look"
    what = f"{name} misses {share:.0%} of its samples"
    return Finding("dropouts", level, what, "Check the cable, and close what else uses the computer.", share)


def doubt(window: Window) -> str:
    """What to add when the converter's range is not known but guessed."""
    text = " If its converter is another one, say so as 'adc_bits' in the device file."
    return text if window.is_guess else ""
