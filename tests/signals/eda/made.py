"""Skin conductance whose responses are known: a body of the simulation, watched for minutes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emolab.devices.simulation.body import Body, noise
from emolab.devices.simulation.responses import CALM, RESPONSES, traits
from tests.signals.made import Array

US_PER_COUNT = 25.6 / 4096
NOISE_US = 0.004
BEFORE_S, CLIP_S, EACH_S = 120.0, 30.0, 45.0


@dataclass(frozen=True)
class Session:
    """Rest, then clips. `onsets_s`, `amplitudes_us`: the truth; `tonic_us`: at each of `times_s`."""

    times_s: Array
    conductance_us: Array
    tonic_us: Array
    onsets_s: Array
    amplitudes_us: Array


def session(seed: int, seconds: float = 480.0, rate_hz: float = 250.0, noise_us: float = NOISE_US) -> Session:
    """A session of a simulated participant as a 12-bit board sends it, in µS."""
    rng = np.random.default_rng(seed)
    body = Body(traits(np.random.default_rng([seed, 2])), rng)
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    body.feel(CALM, 0.0, settling=True)
    every = list(RESPONSES.values())
    clean, tonic = np.empty(len(times_s)), np.empty(len(times_s))
    edges_s = np.arange(BEFORE_S, max(seconds, BEFORE_S) + EACH_S, EACH_S)
    for number, (from_s, to_s) in enumerate(zip([0.0, *edges_s], edges_s, strict=False)):
        if number:
            body.feel(every[rng.integers(len(every))], from_s)
        for part_s, until_s in ((from_s, min(from_s + CLIP_S, to_s)), (min(from_s + CLIP_S, to_s), to_s)):
            if number and part_s > from_s:
                body.feel(CALM, part_s)
            at = slice(*np.searchsorted(times_s, (part_s, until_s)))
            if at.stop > at.start:
                clean[at], tonic[at] = body.conductance(times_s[at]), body.tonic(times_s[at])
    noisy = clean + noise_us * noise(np.arange(len(times_s)), seed + 1)
    counts = np.clip(np.rint(noisy / US_PER_COUNT), 0, 4095)
    onsets_s, amplitudes_us = np.array(body.scrs()).T
    return Session(times_s, counts * US_PER_COUNT, tonic, onsets_s, amplitudes_us)


def matched(found_s: Array, true_s: Array, within_s: float = 0.5) -> tuple[Array, Array]:
    """Pairs of what was found and what was true, nearest first, each once: their numbers."""
    apart = np.abs(found_s[:, np.newaxis] - true_s)
    pairs: list[tuple[int, int]] = []
    while apart.size and apart.min() <= within_s:
        one, other = np.unravel_index(np.argmin(apart), apart.shape)
        pairs.append((int(one), int(other)))
        apart[one, :] = apart[:, other] = np.inf
    ordered = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    return ordered[:, 0], ordered[:, 1]
