"""The onset: a line through converter stamps, robust against a late callback."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emolab.core.errors import ConfigError
from emolab.session.player import RATE_HZ, SoundPlayer, fit_onset, load_clip
from tests.fakes import FakeClock


def test_the_onset_is_found_within_hundredths_of_a_millisecond_from_jittering_stamps() -> None:
    rng = np.random.default_rng(0)
    frames = np.arange(0, 400 * 480, 480)
    true_s = 5.0 + frames / (RATE_HZ * (1 + 50e-6))
    stamps_s = true_s + rng.normal(0, 0.0003, len(frames))
    stamps_s[[50, 200]] += 0.080  # two callbacks came late
    at = 250 * 480 + 123
    onset_s, residual_ms = fit_onset(frames, stamps_s, at)
    assert abs(onset_s - (5.0 + at / (RATE_HZ * (1 + 50e-6)))) < 0.0001
    assert residual_ms < 0.5


class StampedPlayer(SoundPlayer):
    """A player whose callbacks come from a script instead of a card."""

    def __init__(self) -> None:
        self._clock = FakeClock()
        self._lock = threading.Lock()
        self._stamps: deque[tuple[int, float]] = deque()
        self._onset_frame, self._known = None, None

    def stamp(self, start: int, count: int, late_s: float) -> None:
        rng = np.random.default_rng(start)
        for frame in range(start, start + count * 480, 480):
            self._stamps.append((frame, (frame / RATE_HZ + late_s + rng.normal(0, 0.0005)) * 1e9))


def test_sound_that_comes_late_is_noticed_once_and_the_onset_before_it_stands() -> None:
    player = StampedPlayer()
    player.stamp(0, 1000, 0.0)
    player._onset_frame = 900 * 480
    before = player.onset()
    assert before is not None and abs(before.time_s - 9.0) < 2e-4
    assert player.slip_ms() == 0.0
    player.stamp(480_000, 100, 0.012)
    assert abs(player.slip_ms() - 12) < 1
    assert player.slip_ms() == 0.0
    assert player.onset() == before
    player._onset_frame, player._known = 1090 * 480, None
    after = player.onset()
    assert after is not None and abs(after.time_s - 10.912) < 5e-4


def test_the_first_callbacks_give_an_onset_already() -> None:
    frames = np.array([0, 480, 960])
    onset_s, _ = fit_onset(frames, 2.0 + frames / RATE_HZ, 480)
    assert abs(onset_s - 2.01) < 1e-6


def test_a_cut_clip_is_cut_and_its_end_faded(tmp_path: Path) -> None:
    path = tmp_path / "clip.flac"
    soundfile.write(path, np.full((RATE_HZ * 2, 2), 0.5), RATE_HZ)
    samples = load_clip(path, 1.0)
    assert samples.shape == (RATE_HZ, 2)
    assert samples[0, 0] == samples[RATE_HZ // 2, 0] == 16384
    assert abs(int(samples[-1, 0])) < 10


def test_a_damaged_short_or_foreign_clip_is_refused_by_name(tmp_path: Path) -> None:
    damaged, short, slow = tmp_path / "damaged.flac", tmp_path / "short.flac", tmp_path / "slow.wav"
    damaged.write_bytes(b"fLaC and no more")
    soundfile.write(short, np.zeros((RATE_HZ, 2)), RATE_HZ)
    soundfile.write(slow, np.zeros((44_100 * 3, 1)), 44_100)
    for path in (damaged, short, slow, tmp_path / "absent.flac"):
        with pytest.raises(ConfigError, match=path.name):
            load_clip(path, 2.0)
