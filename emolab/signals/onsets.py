"""When something began: clicks in sound, steps in luminance or voltage, and how late they are.

A stimulus is given at irregular times and a stream answers after a delay. `clicks` and `rises` find
when, `pair` tells which answer belongs to which stimulus, `delay` says how long it took, how much that
varied and whether it drifted. All without knowing the delay beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError

Array = NDArray[np.float64]

CLICK_S = 0.020
CLICK_HZ = (500.0, 3500.0)  # what every loudspeaker gives and a microphone at 8 kHz still hears
LEAST_MATCH = 0.3  # as `session.loopback`: noise of the click's length and band stays below
ABOVE_NOISE = 8.0  # medians of the correlation; chance reaches 7 in a minute of 48 kHz noise
APART_S = 0.1  # between two clicks, so that an echo is not one
STEP_ABOVE_NOISE = 6.0  # standard deviations of the noise from one sample to the next
LONGEST_RISE = 12  # samples from foot to top
SEARCHED_S = (-0.2, 2.5)  # an answer comes so long after its stimulus; stamps may be early, cameras buffer
DRAWS = 200
CLUSTER_S = 0.03  # answers to one kind of stimulus lie as close together
ROUNDS = 3


def click(rate_hz: float) -> Array:
    """A click `(n,)`, 20 ms sweep from 500 to 3500 Hz within ±1: short, and unlike anything else.

    `rate_hz`: at least 8000. Raises `DataError` below.
    """
    if rate_hz < 8000:
        raise DataError(f"a click needs 8000 samples a second, not {rate_hz:g}")
    times_s = np.arange(round(CLICK_S * rate_hz)) / rate_hz
    low, high = CLICK_HZ
    phase = 2 * np.pi * (low * times_s + (high - low) * times_s**2 / (2 * CLICK_S))
    made: Array = np.sin(phase) * np.sin(np.pi * times_s / CLICK_S) ** 2
    return made


def clicks(sound: Array, times_s: Array, rate_hz: float) -> Array:
    """When each `click` in a recording began, in order: to a fraction of a sample, by matched filter.

    `sound`, `times_s`: `(n,)`. A parabola through the peak of the normalised correlation, of either
    sign since loudspeakers may be wired either way. Empty when none is heard.
    """
    from scipy.signal import oaconvolve

    wanted = click(rate_hz)
    if len(sound) < 4 * len(wanted):
        return np.empty(0)
    sound = sound - sound.mean()
    products = oaconvolve(sound, wanted[::-1], mode="valid")
    energy = np.concatenate([[0.0], np.cumsum(sound**2)])
    local = np.sqrt(np.maximum(energy[len(wanted) :] - energy[: -len(wanted)], 0.0) * np.sum(wanted**2))
    floor = 1e-6 * float(np.abs(sound).max()) * np.sum(wanted**2)
    heard = np.abs(products)
    match = np.divide(heard, local, out=np.zeros_like(heard), where=local > floor)
    loud = ABOVE_NOISE * float(np.median(heard))
    score = np.where((match > LEAST_MATCH) & (heard > loud), match, 0.0)
    peaks = _peaks(score, round(APART_S * rate_hz))
    return np.array([_between(times_s, peak, heard) for peak in peaks])


def rises(values: Array, times_s: Array) -> Array:
    """When each step from low to high happened, between two samples where need be.

    `values`, `times_s`: `(n,)`: mean luminance of frames, or a trigger's voltage. The moment is that of
    an ideal step with the same area, which is right for cameras that expose part of a frame to the
    new light and for slow screens alike; a sample's time counts as the middle of what it saw.
    Empty when there is nothing but noise.
    """
    if len(values) < 4:
        return np.empty(0)
    low, high = np.percentile(values, (5.0, 95.0))
    if high - low < 0.5 * (values.max() - values.min()):  # pulses too short for a percentile
        middle = float(np.median(values))
        is_up = values.max() - middle > middle - values.min()
        low, high = (low, values.max()) if is_up else (values.min(), high)
    noise = 1.4826 * float(np.median(np.abs(np.diff(values)))) / np.sqrt(2)
    span = high - low
    if span <= max(STEP_ABOVE_NOISE * noise, 1e-9):
        return np.empty(0)
    share = (values - low) / span
    state = np.where(share > 0.6, 1, np.where(share < 0.4, -1, 0))
    known = np.flatnonzero(state)
    ups = known[1:][(state[known[1:]] == 1) & (state[known[:-1]] == -1)]
    return np.array([_step(share, times_s, at) for at in ups])


def pair(stimuli_s: Array, answers_s: Array, cluster_s: float = CLUSTER_S) -> NDArray[np.int64]:
    """Which answer belongs to which stimulus: `(m, 2)` indices, each used once.

    The delay that most pairs share is the right one, since the stimuli come at irregular times.
    Answers further than `cluster_s` from it are not this stimulus's.
    """
    every = answers_s[None, :] - stimuli_s[:, None]
    near = np.sort(every[(every >= SEARCHED_S[0]) & (every <= SEARCHED_S[1])])
    if not len(near):
        return np.empty((0, 2), np.int64)
    ends = np.searchsorted(near, near + cluster_s, side="right")
    best = int(np.argmax(ends - np.arange(len(near))))
    middle_s = float(np.median(near[best : ends[best]]))
    pairs, used = [], set[int]()
    for at, row in enumerate(every):
        answer = int(np.argmin(np.abs(row - middle_s)))
        if abs(row[answer] - middle_s) <= cluster_s and answer not in used:
            used.add(answer)
            pairs.append((at, answer))
    return np.array(pairs, np.int64).reshape(-1, 2)


def is_by_chance(stimuli_s: Array, answers_s: Array, found: int, cluster_s: float = CLUSTER_S) -> bool:
    """Whether as many answers would be found to stimuli that were never given.

    Heart beats answer half of six clicks at some delay or other. Other gaps are drawn between the least
    and the greatest of the stimuli, and theirs put into other orders; `found` must be more than with each
    of them. Where all but one are answered orders say nothing: of a handful, some are the very same.
    """
    rng = np.random.default_rng(0)
    gaps_s = np.diff(stimuli_s)
    others = [rng.uniform(gaps_s.min(), gaps_s.max(), len(gaps_s)) for _ in range(DRAWS)]
    if found < len(stimuli_s) - 1:
        others += [rng.permutation(gaps_s) for _ in range(DRAWS)]
    for drawn_s in others:
        others_s = stimuli_s[0] + np.concatenate([[0.0], np.cumsum(drawn_s)])
        if len(pair(others_s, answers_s, cluster_s)) >= found:
            return True
    return False


@dataclass(frozen=True)
class Delay:
    """How late a stream shows what happened. `given` stimuli, `found` of them answered.

    `offset_ms`: median of answer less stimulus. `jitter_ms`: standard deviation about the drifting
    line. `p95_ms`: 95 of 100 answers lie as close to the offset. `drift_ms_per_min`, with its
    standard error; a thousandth of that times 16.7 is ppm.
    """

    given: int
    found: int
    offset_ms: float
    jitter_ms: float
    p95_ms: float
    drift_ms_per_min: float
    drift_error_ms_per_min: float

    @property
    def offset_error_ms(self) -> float:
        """Standard error of the offset: that of a median."""
        return 1.2533 * self.jitter_ms / np.sqrt(self.found)

    @property
    def drift_ppm(self) -> float:
        """The drift as a share of time."""
        return self.drift_ms_per_min / 60.0 * 1e3


def delay(stimuli_s: Array, answers_s: Array, cluster_s: float = CLUSTER_S) -> Delay | None:
    """The delay of answers to stimuli; None when fewer than three are answered.

    The slope is the median of all slopes between pairs (Theil 1950, Sen 1968): single wrong answers
    move neither it nor the offset.
    """
    pairs = pair(stimuli_s, answers_s, cluster_s)
    if len(pairs) < 3:
        return None
    at_s = stimuli_s[pairs[:, 0]]
    late_ms = (answers_s[pairs[:, 1]] - at_s) * 1e3
    first, second = np.triu_indices(len(at_s), 1)
    slope = float(np.median((late_ms[second] - late_ms[first]) / (at_s[second] - at_s[first])))
    centred_s = at_s - at_s.mean()
    rest_ms = late_ms - slope * centred_s
    jitter_ms = float(np.std(rest_ms, ddof=1))
    spread_s = float(np.sqrt(np.sum(centred_s**2)))
    offset_ms = float(np.median(rest_ms))
    return Delay(
        len(stimuli_s),
        len(pairs),
        offset_ms,
        jitter_ms,
        float(np.percentile(np.abs(late_ms - offset_ms), 95)),
        slope * 60.0,
        jitter_ms / max(spread_s, 1e-9) * 60.0,
    )


def _peaks(score: Array, apart: int) -> Iterator[int]:
    """Where `score` is highest within `apart` samples on either side, in order."""
    over = np.flatnonzero(score)
    for group in np.split(over, np.flatnonzero(np.diff(over) > apart) + 1):
        if len(group):
            yield int(group[np.argmax(score[group])])


def _between(times_s: Array, peak: int, heard: Array) -> float:
    """The time of a peak, by a parabola through it and its neighbours."""
    if not 0 < peak < len(heard) - 1:
        return float(times_s[peak])
    before, at, after = heard[peak - 1 : peak + 2]
    curve = before - 2 * at + after
    shift = float(np.clip(0.5 * (before - after) / curve, -0.5, 0.5)) if curve else 0.0
    return float(times_s[peak] + shift * (times_s[peak + 1] - times_s[peak]))


def _step(share: Array, times_s: Array, at: int) -> float:
    """The moment of the step whose upper half begins at sample `at`."""
    foot = top = at
    while foot > max(at - LONGEST_RISE, 0) and share[foot] > 0.1 and share[foot - 1] < share[foot]:
        foot -= 1
    last = min(at + LONGEST_RISE, len(share) - 1)
    while top < last and share[top] < 0.9 and share[top + 1] > share[top]:
        top += 1
    if top == foot:
        return float(times_s[at])
    part, when = share[foot : top + 1], times_s[foot : top + 1]
    below = 1.0 - np.clip((part - part[0]) / (part[-1] - part[0]), 0.0, 1.0)
    return float(when[0] + np.trapezoid(below, when))
