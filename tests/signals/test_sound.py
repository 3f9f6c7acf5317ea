"""Silence, clipping and hum are heard where they are, and a quiet or a loud room is left in peace."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.signals.finding import Quality
from emolab.signals.sound import full_scale, judge_sound, level_dbfs
from tests.devices.simulated_bench import SimulatedBench

RATE_HZ = 48_000
T = np.arange(5 * RATE_HZ) / RATE_HZ


def room(level_dbfs: float) -> NDArray[np.float64]:
    return 10 ** (level_dbfs / 20) * np.random.default_rng(6).standard_normal(len(T))


def pcm(sound: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.clip(np.rint(sound * 32767), -32768, 32767).astype(np.int16)[:, np.newaxis]


@pytest.mark.parametrize("dbfs", [-85.0, -60.0, -30.0])
def test_a_room_is_well_and_its_level_is_measured(dbfs: float) -> None:
    assert judge_sound(pcm(room(dbfs)), RATE_HZ) == Quality()
    assert level_dbfs(full_scale(pcm(room(dbfs)))) == pytest.approx(dbfs, abs=0.2)


def test_a_muted_microphone_is_red() -> None:
    assert judge_sound(np.zeros((RATE_HZ, 1), np.int16), RATE_HZ).codes == ("silent",)
    assert judge_sound(np.full((RATE_HZ, 1), -120, np.int16), RATE_HZ).level == "act"


@pytest.mark.parametrize(("gain", "level"), [(0.9, "well"), (1.01, "look"), (3.0, "act")])
def test_an_overdriven_microphone_is_told_by_how_much(gain: float, level: str) -> None:
    voice = np.sin(2 * np.pi * 220 * T) * np.where(T < 0.5, 1.0, 0.3)
    assert judge_sound(pcm(gain * voice), RATE_HZ).level == level


@pytest.mark.parametrize("mains_hz", [50, 60])
def test_hum_louder_than_the_room_is_amber(mains_hz: int) -> None:
    hum = 0.003 * np.sin(2 * np.pi * mains_hz * T) + 0.002 * np.sin(2 * np.pi * 2 * mains_hz * T)
    quality = judge_sound(pcm(room(-60) + hum), RATE_HZ)
    assert quality.codes == ("hum",) and f"{mains_hz} Hz" in quality.findings[0].what
    assert judge_sound(pcm(room(-40) + hum), RATE_HZ) == Quality()
    assert judge_sound(pcm(0.1 * (room(-60) + hum)), RATE_HZ) == Quality()  # too soft to matter


def test_the_loudest_channel_counts() -> None:
    both = np.hstack([np.zeros_like(pcm(T)), pcm(room(-40))])
    assert judge_sound(both, RATE_HZ) == Quality()


def test_the_simulated_room_is_well() -> None:
    bench = SimulatedBench("audio")
    bench.source.open()
    bench.advance(5.0)
    assert judge_sound(bench.delivered().samples, RATE_HZ) == Quality()
