"""The onset: a line through converter stamps, robust against a late callback."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from emolab.core.errors import ConfigError
from emolab.session.player import RATE_HZ, fit_onset, load_clip


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
