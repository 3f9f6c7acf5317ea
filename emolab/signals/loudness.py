"""How loud a clip or a room is over time, as EBU R 128 counts it.

    loud = read_loudness(samples, 48_000)                    # a clip, (n,) or (n, channels)
    loud = read_loudness(pieces, 48_000)                     # a microphone: (times_s, samples) in turn
    loud.over(300.0, 330.0)["sound_lufs"]                    # integrated, gated: ITU-R BS.1770-4

K-weighted power in steps of 100 ms; momentary loudness is the mean of 0.4 s of them, short-term of 3 s (EBU
Tech 3341). Of a microphone these are LUFS below its full scale, not sound pressure: compare stretches of
one session, in which nobody touched its gain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyloudnorm import IIRfilter

from emolab.core.errors import DataError
from emolab.signals.feature import Feature
from emolab.signals.measures import Array
from emolab.signals.weighting import powers

STEP_S = 0.1
MOMENTARY, SHORT = 4, 30  # steps
GATE_LUFS, BELOW_LU = -70.0, 10.0  # BS.1770-4: blocks that count
RANGE_BELOW_LU, RANGE_PERCENT = 20.0, (10, 95)  # EBU Tech 3342
OFFSET_LUFS = -0.691  # BS.1770-4: the weighting's gain at 1 kHz
GAP_S = 0.02  # of the microphone's times: samples were lost
SURROUND = 1.41  # BS.1770-4, of the fourth and fifth channel
PIECE = 1 << 21  # samples that are filtered at once

_R128 = "EBU R 128, ITU-R BS.1770-4"
LOUDNESS_FEATURES: tuple[Feature, ...] = (
    Feature(
        "sound_lufs",
        "LUFS",
        "loudness, integrated and gated; none when all is silent",
        _R128,
        True,
    ),
    Feature("sound_max_lufs", "LUFS", "greatest loudness of 0.4 s", _R128, True),
    Feature("sound_short_lufs", "LUFS", "greatest loudness of 3 s", _R128, True),
    Feature("sound_range_lu", "LU", "loudness range, 10th to 95th percentile of 3 s", "EBU Tech 3342", True),
    Feature("sound_silence", "1", "share of the time below −70 LUFS", _R128, True),
)


@dataclass(frozen=True)
class Loudness:
    """K-weighted power in steps of 100 ms: `times_s` of their beginnings, `power`, full scale 1, `(m,)`.

    `pieces` `(m,)`: steps of one number follow one another without a hole.
    """

    times_s: Array
    power: Array
    pieces: NDArray[np.int64]

    def momentary(self) -> tuple[Array, Array]:
        """`(times, LUFS)` of each 0.4 s, at their ends, ten a second."""
        return self._moving(MOMENTARY)

    def short_term(self) -> tuple[Array, Array]:
        """`(times, LUFS)` of each 3 s, at their ends, ten a second."""
        return self._moving(SHORT)

    def over(self, start_s: float, end_s: float) -> dict[str, float]:
        """Every figure of `LOUDNESS_FEATURES` of the sound wholly within; NaN for less than 0.4 s."""
        figures = dict.fromkeys((feature.name for feature in LOUDNESS_FEATURES), np.nan)
        edge_s = 1e-6
        within = (self.times_s >= start_s - edge_s) & (self.times_s + STEP_S <= end_s + edge_s)
        part = Loudness(self.times_s[within], self.power[within], self.pieces[within])
        _, momentary = part.momentary()
        if not len(momentary):
            return figures
        figures["sound_silence"] = float(np.mean(momentary < GATE_LUFS))
        greatest = float(momentary.max())
        figures["sound_max_lufs"] = greatest if np.isfinite(greatest) else np.nan
        figures["sound_lufs"] = _gated(momentary, BELOW_LU)[0]
        _, short = part.short_term()
        if len(short) and np.isfinite(short.max()):
            figures["sound_short_lufs"] = float(short.max())
        kept = _gated(short, RANGE_BELOW_LU)[1]
        if len(kept) > 1:
            low, high = np.percentile(kept, RANGE_PERCENT)
            figures["sound_range_lu"] = float(high - low)
        return figures

    def good_share(self, start_s: float, end_s: float) -> float:
        """How much of a window has sound that was recorded, 0 to 1."""
        within_s = np.minimum(self.times_s + STEP_S, end_s) - np.maximum(self.times_s, start_s)
        return float(min(within_s[within_s > 0].sum() / max(end_s - start_s, 1e-9), 1.0))

    def _moving(self, steps: int) -> tuple[Array, Array]:
        """Loudness of each run of so many steps without a hole."""
        if len(self.power) < steps:
            return np.zeros(0), np.zeros(0)
        total = np.concatenate([[0.0], np.cumsum(self.power)])
        mean = np.maximum(total[steps:] - total[:-steps], 0.0) / steps
        is_whole = self.pieces[steps - 1 :] == self.pieces[: len(self.pieces) - steps + 1]
        return self.times_s[steps - 1 :][is_whole] + STEP_S, _lufs(mean[is_whole])


def read_loudness(
    sound: NDArray[Any] | Iterable[tuple[ArrayLike | float, ArrayLike]],
    rate_hz: float,
    *,
    times_s: ArrayLike | None = None,
    start_s: float = 0.0,
    name: str = "the sound",
) -> Loudness:
    """The loudness of a sound over time.

    `sound`: samples `(n,)` or `(n, channels)`, whole numbers or floats of full scale 1; or pairs of times
    and samples in turn, where one time alone is that of the first sample, two are those of the first and the
    last, and nothing is missing after or between.
    `times_s`: `(n,)` when each was taken; without them the sound begins at
    `start_s`. A hole in the times is a hole in the loudness. NaN in a sound counts as silence.

    Raises `DataError` for a rate below 8 kHz, times that do not fit or do not ascend, more than five
    channels, and less than 0.4 s in all.
    """
    if not rate_hz >= 8000.0:
        raise DataError(f"{name} at {rate_hz:g} Hz has no loudness; R 128 needs 8 kHz or more")
    meter = _Meter(rate_hz, name)
    if isinstance(sound, np.ndarray):
        meter.take(None if times_s is None else np.asarray(times_s, dtype=np.float64), sound, start_s)
    else:
        for piece_s, samples in sound:
            at_s, these = np.asarray(piece_s, dtype=np.float64), np.asarray(samples)
            if at_s.shape == (2,) and len(these) != 2:
                meter.take_even(these, *at_s.tolist())
            elif at_s.ndim:
                meter.take(at_s, these, start_s)
            else:
                meter.take(None, these, float(at_s))
    return meter.loudness()


class _Meter:
    """Takes pieces in turn; the filters go on from one to the next."""

    def __init__(self, rate_hz: float, name: str) -> None:
        self._rate_hz, self._name = rate_hz, name
        self._step = round(STEP_S * rate_hz)
        # the weighting of BS.1770 as pyloudnorm's meter has it, so that both give the same figure
        shelf = IIRfilter(4.0, 1 / np.sqrt(2), 1500.0, rate_hz, "high_shelf")
        high = IIRfilter(0.0, 0.5, 38.0, rate_hz, "high_pass")
        self._sections = np.array([[*shelf.b, *shelf.a], [*high.b, *high.a]])
        self._state: Array | None = None
        self._begun = np.zeros(2)
        self._end_s: float | None = None
        self._piece = 0
        self._times: list[Array] = []
        self._power: list[Array] = []
        self._pieces: list[NDArray[np.int64]] = []

    def take(self, times_s: Array | None, samples: NDArray[Any], start_s: float) -> None:
        """The next samples."""
        if times_s is None:
            self.take_even(samples, start_s, start_s + (len(samples) - 1) / self._rate_hz)
            return
        if len(times_s) != len(samples):
            raise DataError(
                f"{self._name} has {len(samples)} samples but {len(times_s)} times; give one each"
            )
        if not np.isfinite(times_s).all() or np.any(np.diff(times_s) < 0):
            raise DataError(f"the times of {self._name} do not ascend; sort its samples by time")
        holes = np.flatnonzero(np.diff(times_s) > GAP_S) + 1
        for start, stop in _between(holes, len(samples)):
            if start or (self._end_s is not None and times_s[start] - self._end_s > GAP_S):
                self._break()
            for at in range(start, stop, PIECE):
                self._run(samples[at : min(at + PIECE, stop)], float(times_s[at]))
            self._end_s = float(times_s[stop - 1])

    def take_even(self, samples: NDArray[Any], start_s: float, end_s: float) -> None:
        """The next samples, evenly from `start_s` to `end_s`."""
        if not (np.isfinite([start_s, end_s]).all() and (end_s >= start_s or not len(samples))):
            raise DataError(f"the times of {self._name} do not ascend; sort its samples by time")
        if self._end_s is not None and start_s - self._end_s > GAP_S:
            self._break()
        period_s = (end_s - start_s) / max(len(samples) - 1, 1)
        for at in range(0, len(samples), PIECE):
            self._run(samples[at : at + PIECE], start_s + at * period_s)
        self._end_s = end_s

    def loudness(self) -> Loudness:
        """All steps so far. Raises `DataError` for fewer than four."""
        count = sum(len(part) for part in self._power)
        if count < MOMENTARY:
            raise DataError(f"{self._name} has {count * STEP_S:.1f} s; loudness needs 0.4 s")
        return Loudness(
            np.concatenate(self._times), np.concatenate(self._power), np.concatenate(self._pieces)
        )

    def _break(self) -> None:
        self._state, self._begun = None, np.zeros(2)
        self._piece += 1

    def _run(self, samples: NDArray[Any], start_s: float) -> None:
        """Samples that go on from those before."""
        if samples.ndim not in (1, 2) or (samples.ndim == 2 and samples.shape[1] > 5):
            raise DataError(
                f"samples of shape {samples.shape} are none of {self._name}; give (n,) or (n, 1..5)"
            )
        sound, scale = _full_scale(samples)
        channels = sound.shape[1]
        if self._state is None:
            self._state = np.zeros((channels, 4))
        if len(self._state) != channels:
            raise DataError(f"{self._name} changes its number of channels; read each part by itself")
        weights = np.where(np.arange(channels) < 3, 1.0, SURROUND)
        first_s = start_s - self._begun[1] / self._rate_hz
        found = powers(sound, scale, self._sections, weights, self._state, self._begun, self._step)
        count = len(found)
        self._times.append(first_s + np.arange(count) * self._step / self._rate_hz)
        self._power.append(found)
        self._pieces.append(np.full(count, self._piece, dtype=np.int64))


def _full_scale(samples: NDArray[Any]) -> tuple[NDArray[Any], float]:
    """`(n, channels)`, and what makes their full scale 1."""
    every = samples.reshape(len(samples), -1)
    if every.dtype.kind == "u":  # silence is in the middle
        half = (float(np.iinfo(every.dtype).max) + 1.0) / 2
        return every - half, 1.0 / half
    if every.dtype.kind == "i":
        return every, 1.0 / (float(np.iinfo(every.dtype).max) + 1.0)
    return np.nan_to_num(every.astype(np.float64), nan=0.0, posinf=1.0, neginf=-1.0), 1.0


def _between(edges: NDArray[np.int64], count: int) -> Iterator[tuple[int, int]]:
    for start, stop in pairwise([0, *edges.tolist(), count]):
        if stop > start:
            yield start, stop


def _lufs(power: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(OFFSET_LUFS + 10 * np.log10(power))


def _gated(loudness: Array, below_lu: float) -> tuple[float, Array]:
    """The loudness of what is above both gates, NaN for nothing; and those blocks."""
    heard = loudness[loudness >= GATE_LUFS]
    if not len(heard):
        return np.nan, heard
    kept = heard[heard > _mean(heard) - below_lu]
    return _mean(kept), kept


def _mean(loudness: Array) -> float:
    """The loudness of the mean power."""
    return float(10 * np.log10(np.mean(10 ** (loudness / 10))))
