"""Measure when a clip was really heard: find its beginning in what a microphone picked up.

With a cable from the output back to an input, or a microphone near the loudspeaker, the onset need
not be believed, it can be measured: the first seconds of the clip are searched in the recorded
sound around the fitted onset by cross-correlation. Both are limited to 100 Hz to 8 kHz first, so
that neither hum nor hiss smears the peak. Without a loopback nothing matches and nothing is claimed.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import ConfigError
from emolab.core.event import Event
from emolab.core.stream import Chunk
from emolab.session.player import RATE_HZ, load_clip

log = logging.getLogger(__name__)

SOUGHT_S = 3.0  # of the clip
AROUND_S = 0.25  # how far from the fitted onset it is looked for
KEPT_S = 8.0
BAND_HZ = (100.0, 8000.0)
LEAST_MATCH = 0.3  # normalised correlation; room noise against music stays below 0.05


@dataclass(frozen=True)
class HeardOnset:
    """When a clip was heard, session clock; `match`: correlation at the peak, 0 to 1."""

    time_s: float
    match: float


class Ear:
    """Keeps the last seconds of one sound stream and finds clips in them. Thread-safe."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._chunks: deque[Chunk] = deque()
        self._lock = threading.Lock()

    def take(self, chunk: Chunk) -> None:
        """The newest sound."""
        with self._lock:
            self._chunks.append(chunk)
            while self._chunks[0].times_s[-1] < chunk.times_s[-1] - KEPT_S:
                self._chunks.popleft()

    def has(self, until_s: float) -> bool:
        """Whether sound up to `until_s` has come."""
        with self._lock:
            return bool(self._chunks) and self._chunks[-1].times_s[-1] >= until_s

    def find(self, clip: NDArray, clip_rate_hz: float, fitted_s: float) -> HeardOnset | None:
        """Where `clip` `(n, channels)` begins, near `fitted_s`; None when it is not heard there."""
        with self._lock:
            chunks = list(self._chunks)
        if not chunks or clip_rate_hz != self._rate_hz:
            return None
        times_s = np.concatenate([chunk.times_s for chunk in chunks])
        sound = np.concatenate([chunk.samples.reshape(len(chunk), -1)[:, 0] for chunk in chunks])
        wanted = clip[: round(SOUGHT_S * clip_rate_hz)].astype(np.float64).mean(axis=1)
        span = (times_s >= fitted_s - AROUND_S) & (times_s <= fitted_s + SOUGHT_S + AROUND_S)
        if span.sum() < len(wanted):
            return None
        return locate(wanted, sound[span].astype(np.float64), times_s[span])


def locate(
    wanted: NDArray[np.float64], sound: NDArray[np.float64], times_s: NDArray[np.float64]
) -> HeardOnset | None:
    """The time at which `wanted` `(m,)` begins in `sound` `(n,)`, `n >= m`, sampled at `times_s`.

    To a fraction of a sample, by a parabola through the peak of the normalised correlation. None
    when the best match is below `LEAST_MATCH`.
    """
    step_s = (times_s[-1] - times_s[0]) / (len(times_s) - 1)
    wanted, sound = _limited(wanted, step_s), _limited(sound, step_s)
    size = 1 << int(np.ceil(np.log2(len(wanted) + len(sound))))
    spectrum = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(wanted, size))
    lags = len(sound) - len(wanted) + 1
    products = np.fft.irfft(spectrum, size)[:lags]
    energy = np.concatenate([[0.0], np.cumsum(sound**2)])
    local = np.sqrt(np.maximum(energy[len(wanted) :][:lags] - energy[:lags], 1e-12) * np.sum(wanted**2))
    match = products / np.maximum(local, 1e-12)
    peak = int(np.argmax(match))
    if match[peak] < LEAST_MATCH or not 0 < peak < lags - 1:
        return None
    before, at, after = match[peak - 1 : peak + 2]
    curve = before - 2 * at + after
    shift = 0.5 * (before - after) / curve if curve else 0.0
    return HeardOnset(float(times_s[peak] + shift * step_s), float(match[peak]))


def _limited(sound: NDArray[np.float64], step_s: float) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(sound)
    hz = np.fft.rfftfreq(len(sound), step_s)
    spectrum[(hz < BAND_HZ[0]) | (hz > BAND_HZ[1])] = 0
    return np.fft.irfft(spectrum, len(sound))


class OnsetSearch:
    """Looks for each clip's onset in a thread of its own, when enough sound has come.

    `tell(clip, heard)` is called for each clip asked about, with None when it was not heard.
    """

    def __init__(self, ear: Ear, tell: Callable[[str, HeardOnset | None], None]) -> None:
        self._ear, self._tell = ear, tell
        self._waiting: deque[tuple[str, Path, float]] = deque()

    def ask(self, clip: str, path: Path, fitted_s: float) -> None:
        """Look for the beginning of the clip near `fitted_s` as soon as it can have been heard."""
        self._waiting.append((clip, path, fitted_s))

    def look(self) -> None:
        """Start the search for a clip whose sound has come; costs nothing otherwise."""
        if self._waiting and self._ear.has(self._waiting[0][2] + SOUGHT_S + AROUND_S):
            sought = self._waiting.popleft()
            threading.Thread(target=self._search, args=sought, name="onset-search", daemon=True).start()

    def _search(self, clip: str, path: Path, fitted_s: float) -> None:
        try:
            self._tell(clip, self._ear.find(load_clip(path, SOUGHT_S), RATE_HZ, fitted_s))
        except ConfigError as error:  # a clip shorter than what is sought, or gone: nothing to claim
            log.info("the onset of %s was not looked for: %s", clip, error)
            self._tell(clip, None)


def search_with(ear: Ear | None, report: Callable[[Event], None]) -> OnsetSearch | None:
    """A search that reports each onset it hears as an event; None where nothing listens."""

    def tell(clip: str, heard: HeardOnset | None) -> None:
        if heard is not None:
            data = {"clip": clip, "measured_s": heard.time_s, "match": round(heard.match, 3)}
            report(Event(heard.time_s, "onset_heard", data=data))

    return None if ear is None else OnsetSearch(ear, tell)
