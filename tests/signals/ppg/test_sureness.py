"""How sure a pulse is: the measure of pre-flight and review, for all stretches at once."""

from __future__ import annotations

import numpy as np
import pytest

from emolab.signals.body import PULSE_PART, pulse
from emolab.signals.ppg.grid import on_grid
from emolab.signals.ppg.sureness import HOP_S, LOOK_HZ, pulses, sureness
from tests.signals.ppg.made import beat_times, noisy, shaken, wave


def signals():
    rng = np.random.default_rng(3)
    for bpm in (42, 60, 95, 160):
        made = wave(beat_times(bpm, 40, sd_ms=25), 40)
        yield made.values
        yield noisy(made, 0, bpm).values
        yield shaken(made, 0.3, 4.0, bpm)[0].values
    yield rng.standard_normal(10_000)
    yield np.cumsum(rng.standard_normal(10_000))


def test_it_is_the_very_measure_of_preflight_and_review():
    for values in signals():
        rows = values[::5][:2000].reshape(8, 250)
        sure, beat_s = pulses(rows, LOOK_HZ)
        expected = [pulse(row, LOOK_HZ) for row in rows]
        assert sure == pytest.approx([one[0] for one in expected], abs=1e-9)
        assert [60 / s if s else 0.0 for s in beat_s] == pytest.approx([one[1] for one in expected])


def test_at_the_grids_full_rate_it_says_the_same():
    apart = []
    for values in signals():
        found = sureness(on_grid(values, np.arange(len(values)) / 250))
        for k in range(0, len(found.sure), 7):
            start = round(k * HOP_S * 250)
            apart.append(found.sure[k] - pulse(values[start : start + 1250], 250.0)[0])
    assert len(apart) > 100
    assert np.median(np.abs(apart)) < 0.01 and np.percentile(np.abs(apart), 95) < 0.06


def test_a_movement_spoils_itself_and_not_its_neighbours():
    made = wave(beat_times(70, 60, sd_ms=15), 60)
    values = made.values.copy()
    at = (made.times_s > 30) & (made.times_s < 32)
    values[at] += 5 * np.cumsum(np.random.default_rng(1).standard_normal(at.sum())) / 10
    found = sureness(on_grid(values, made.times_s))
    good = found.is_good(made.times_s)
    assert good[made.times_s < 29].all() and good[made.times_s > 33].all()
    assert not good[(made.times_s > 30.5) & (made.times_s < 31.5)].any()


def test_noise_is_hardly_ever_sure():
    for seed in range(3):
        values = np.random.default_rng(seed).standard_normal(75_000)
        assert np.mean(sureness(on_grid(values, np.arange(75_000) / 250)).sure >= PULSE_PART) < 0.02


def test_a_stretch_that_misses_over_a_fifth_is_not_sure():
    made = wave(beat_times(70, 60), 60)
    kept = (made.times_s < 20) | (made.times_s > 40)
    found = sureness(on_grid(made.values[kept], made.times_s[kept]))
    inside = slice(round(20 / HOP_S), round(35 / HOP_S))
    assert np.all(found.sure[inside] == 0) and np.all(found.beat_s[inside] == 0)


def test_the_length_of_a_beat_follows_the_heart():
    made = wave(np.append(beat_times(60, 60), 60 + beat_times(90, 60)), 120)
    beat_s = sureness(on_grid(made.values, made.times_s)).period_s(np.array([30.0, 100.0]))
    assert beat_s == pytest.approx([1.0, 0.667], abs=0.03)
    assert np.isnan(
        sureness(on_grid(np.random.default_rng(0).standard_normal(1500), np.arange(1500) / 250)).period_s(
            np.zeros(1)
        )
    ).all()
