"""Judge one channel's last seconds: what is wrong with them, and what to do about it.

Red (`act`) is a channel whose recording would be worth nothing as it stands, amber (`look`) one that
will cost quality. How much of the window can be used is `usable`'s to say, as in the review and in the
analysis; the tests say why, and warn of what is to come. Each is a function of a `Window` that yields
findings; `JUDGES` says which tests a kind of channel gets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike

from emolab.core.errors import DataError
from emolab.signals import usable
from emolab.signals.body import breath_findings, pulse_findings, skin_findings
from emolab.signals.finding import Finding, Quality, level_of
from emolab.signals.general import MISSING_ACT, dropouts, ends, mains, missing_finding
from emolab.signals.measures import WHOLE, Array, evenly
from emolab.signals.window import Window, guess_adc_range, without_strays

SHORTEST_S = 2.0
# what makes a window unusable, and says so at its own level: what passes by itself, as a leap of the skin or
# a breath held, is no red, though nothing of these ten seconds can be used
REASONS = frozenset(
    (
        "dropouts",
        "railed",
        "near_rail",
        "flat",
        "clipped",
        "no_pulse",
        "no_breath",
        "electrode_off",
        "out_of_range",
        "leaps",
    )
)

Test = Callable[[Window], Iterator[Finding]]
GENERAL: tuple[Test, ...] = (dropouts, ends)
JUDGES: dict[str, tuple[Test, ...]] = {
    "ppg": (*GENERAL, mains, pulse_findings),
    "respiration": (*GENERAL, mains, breath_findings),
    "eda": (*GENERAL, mains, skin_findings),
}


def judge(
    values: ArrayLike,
    times_s: ArrayLike | None = None,
    *,
    kind: str,
    unit: str = "counts",
    rate_hz: float | None = None,
    adc_range: tuple[float, float] | None = None,
    is_guess: bool = False,
    is_falling: bool | None = None,
    with_share: bool = True,
    name: str = "the signal",
) -> Quality:
    """How good a window of one channel is.

    `values`: `(n,)` in `unit`, NaN where a sample is missing. `times_s`: `(n,)` seconds, or give
    `rate_hz` for even samples. `kind`: of `core.stream.KINDS`; kinds without tests of their own get
    the general ones. `adc_range`: the converter's lowest and highest value in the same unit; for
    counts it is guessed when not given. `is_guess`: the range given is a guess too; a finding that
    rests on a guess is amber at most. `is_falling`: counts are known to fall when skin conductance rises.
    `with_share`: ask `usable` how much of it can be used; without, NumPy is enough, and it takes a fifth
    of the time. Less than ten seconds of breath or skin, five of pulse, are judged without.
    `name`: how the sentences call the channel. Less than 2 s are judged as `short`.

    Raises `DataError` without times and rate, or when there are not as many times as values.
    """
    every = np.asarray(values, dtype=np.float64).ravel()
    times = None if times_s is None else np.asarray(times_s, dtype=np.float64).ravel()
    if times is None and not rate_hz:
        raise DataError(f"{name} cannot be judged without times; give times_s or rate_hz")
    if times is not None and len(times) != len(every):
        raise DataError(f"{name} has {len(every)} values but {len(times)} times; give one each")
    if unit == "counts" and (adc_range is None or is_guess):
        every = without_strays(every)  # as `usable` does
    finite = every[np.isfinite(every)]
    seconds = len(every) / rate_hz if times is None and rate_hz else _span(times)
    if seconds < SHORTEST_S or len(every) < 8:
        return Quality.of([_short(name, seconds)])
    share = None
    if with_share and kind in usable.KINDS and seconds >= WHOLE * usable.shortest_s(kind):
        at_s = np.arange(len(every)) / (rate_hz or 1.0) if times is None else times
        share = _share(every, at_s, kind, unit, None if is_guess else adc_range, is_falling, name)
    if len(finite) < max(8, len(every) * (1 - MISSING_ACT)):
        return Quality.of([missing_finding(name, 1 - len(finite) / len(every))], share)
    if adc_range is None and unit == "counts":
        adc_range, is_guess = guess_adc_range(finite), True
    even = evenly(every, times, rate_hz)
    if times is not None and even.rate_hz == 0.0:  # nothing can be said of frequencies
        found = [_standing(name, times)]
    else:
        window = Window(name, kind, unit, finite, even, adc_range, is_guess, share, bool(is_falling))
        found = [finding for test in JUDGES.get(kind, GENERAL) for finding in test(window)]
    if share is not None and not REASONS.intersection(finding.code for finding in found):
        found += _unexplained(kind, name, share)
    return Quality.of(found, share)


def _share(
    values: Array,
    times_s: Array,
    kind: str,
    unit: str,
    adc_range: tuple[float, float] | None,
    is_falling: bool | None,
    name: str,
) -> float:
    """How much of a window can be used; nothing of what is flat, broken or too slow."""
    if len(times_s) < 2 or not times_s[-1] > times_s[0]:
        return 0.0
    try:
        body = usable.read_body(
            kind, values, times_s, unit=unit, adc_range=adc_range, is_falling=is_falling, name=name
        )
    except DataError:
        return 0.0
    return body.good_share(float(times_s[0]), float(times_s[-1]))


def _unexplained(kind: str, name: str, share: float) -> Iterator[Finding]:
    """What the review and the analysis would not use, though no test says why.

    Of skin that is a short loss of touch, and the five seconds about it: it passes.
    """
    if (found := level_of(share)) != "well":
        remedy = "Fix the sensor and let the participant sit still, then look again."
        grade = "look" if kind == "eda" else found
        yield Finding("unusable", grade, f"{share:.0%} of {name} can be used", remedy, share)


def _short(name: str, seconds: float) -> Finding:
    what = f"{name} has delivered {seconds:.1f} s only"
    return Finding("short", "look", what, f"Wait until there are {SHORTEST_S:.0f} s.", seconds)


def _standing(name: str, times_s: Array) -> Finding:
    """More than half of the samples have the time of the one before: of those the first alone is used."""
    share = float(np.mean(np.diff(times_s) <= 0.0))
    what = f"the times of {name} stand still at {share:.0%} of its samples"
    remedy = "Unplug the instrument, plug it in again, and close what else uses the computer."
    return Finding("times_stand_still", "look", what, remedy, share)


def _span(times_s: Array | None) -> float:
    return 0.0 if times_s is None or len(times_s) < 2 else float(times_s[-1] - times_s[0])
