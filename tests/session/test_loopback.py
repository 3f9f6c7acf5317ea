"""The heard onset: found to a fraction of a sample in noise, and never claimed without a loopback."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emolab.core.stream import Chunk
from emolab.session.loopback import Ear, HeardOnset, OnsetSearch

RATE_HZ = 48_000


def music(rng: np.random.Generator, seconds: float) -> np.ndarray:
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    tones = sum(np.sin(2 * np.pi * hz * times_s + rng.uniform(0, 6)) for hz in rng.uniform(100, 3000, 12))
    swell = np.minimum(times_s, 1.0) * (1 + 0.5 * np.sin(2 * np.pi * times_s * rng.uniform(1, 4)))
    return (tones * swell * 1500).astype(np.int16)


def ear_that_heard(sound: np.ndarray, start_s: float) -> Ear:
    ear = Ear(RATE_HZ)
    for at in range(0, len(sound), 4800):
        part = sound[at : at + 4800]
        times_s = start_s + (at + np.arange(len(part))) / RATE_HZ
        ear.take(Chunk("mic", times_s, part[:, None], float(times_s[-1])))
    return ear


@pytest.mark.parametrize("noise", [0, 300, 3000])
@pytest.mark.parametrize("late_s", [-0.120, 0.0, 0.0431])
def test_the_onset_is_found_within_a_tenth_of_a_millisecond(noise: float, late_s: float) -> None:
    rng = np.random.default_rng(1)
    clip = music(rng, 5.0)
    onset_s, start_s = 12.0 + late_s, 10.0
    sound = rng.normal(0, noise, 7 * RATE_HZ)
    at = round((onset_s - start_s) * RATE_HZ)
    sound[at : at + len(clip)] += 0.4 * clip[: len(sound) - at]
    heard = ear_that_heard(sound.astype(np.int16), start_s).find(np.stack([clip, clip], 1), RATE_HZ, 12.0)
    assert heard is not None
    assert abs(heard.time_s - (start_s + at / RATE_HZ)) < 1e-4


def test_nothing_is_claimed_when_the_clip_was_not_heard() -> None:
    rng = np.random.default_rng(2)
    clip, other = music(rng, 5.0), music(rng, 7.0)
    for sound in (rng.normal(0, 500, 7 * RATE_HZ), other, np.zeros(7 * RATE_HZ)):
        heard = ear_that_heard(sound.astype(np.int16), 10.0).find(np.stack([clip, clip], 1), RATE_HZ, 12.0)
        assert heard is None


def test_a_search_waits_until_the_sound_has_come(tmp_path: Path) -> None:
    clip = music(np.random.default_rng(3), 5.0)
    soundfile.write(tmp_path / "clip.flac", np.stack([clip, clip], 1), RATE_HZ)
    ear, told, done = Ear(RATE_HZ), list[tuple[str, HeardOnset | None]](), threading.Event()

    def tell(name: str, heard: HeardOnset | None) -> None:
        told.append((name, heard))
        done.set()

    search = OnsetSearch(ear, tell)
    search.ask("neutral-1", tmp_path / "clip.flac", 1.0)
    search.look()
    assert not done.wait(0.05)
    sound = np.concatenate([np.zeros(RATE_HZ, np.int16), clip])
    times_s = np.arange(len(sound)) / RATE_HZ
    ear.take(Chunk("mic", times_s, sound[:, None], float(times_s[-1])))
    search.look()
    assert done.wait(60)
    [(name, heard)] = told
    assert name == "neutral-1" and heard is not None and abs(heard.time_s - 1.0) < 1e-4
