"""Beats too many go, beats missed and beats out of turn are told, and the heart's own stay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emolab.signals.ppg.intervals import (
    BROKEN,
    ECTOPIC_BEAT,
    FINEST_MS,
    MISSED,
    OFF,
    OUTSIDE,
    OWN,
    VERDICTS,
    intervals,
)


def beats(count: int = 200, sd_ms: float = 25.0, seed: int = 1, rr_ms: float = 850.0):
    rng = np.random.default_rng(seed)
    breath = 30 * np.sin(2 * np.pi * 0.2 * np.arange(count) * rr_ms / 1e3)
    return np.cumsum(rr_ms + sd_ms * rng.standard_normal(count) + breath) / 1e3


def judged(beats_s, joined=None):
    return intervals(beats_s, np.ones(len(beats_s), bool) if joined is None else joined)


@pytest.mark.parametrize("sd_ms", [0.0, 2.0, 25.0, 60.0])
def test_a_healthy_heart_keeps_its_intervals(sd_ms):
    told = np.concatenate([judged(beats(300, sd_ms, seed)).verdict[1:] for seed in range(5)])
    assert np.mean(told == OWN) > 0.985
    assert len(VERDICTS) == 6


def test_the_first_beat_has_no_interval():
    told = judged(beats())
    assert np.isnan(told.rr_ms[0]) and told.verdict[0] == BROKEN


def test_a_beat_missed_is_told_and_nothing_is_made_up():
    beats_s = beats()
    told = judged(np.delete(beats_s, [60, 120]))
    assert np.flatnonzero(told.verdict == MISSED).tolist() == [60, 119]
    assert np.count_nonzero(told.own) >= len(beats_s) - 2 - 3
    assert len(told.kept) == len(beats_s) - 2


@pytest.mark.parametrize("part", [0.3, 0.5, 0.65])
def test_a_beat_too_many_goes_and_its_intervals_are_one_again(part):
    beats_s = beats()
    extra_s = beats_s[80] + part * (beats_s[81] - beats_s[80])
    told = judged(np.sort(np.append(beats_s, extra_s)))
    assert told.kept.tolist() == [row for row in range(201) if row != 81]
    assert told.rr_ms[81] == pytest.approx(1e3 * (beats_s[81] - beats_s[80]))
    assert told.verdict[81] == OWN


def test_a_beat_out_of_turn_takes_both_its_intervals_with_it():
    beats_s = beats()
    beats_s[90] -= 0.3  # early, and a pause after it
    told = judged(beats_s)
    assert np.all(np.isin(told.verdict[[90, 91]], (ECTOPIC_BEAT, OFF)))
    assert np.count_nonzero(told.verdict[1:] != OWN) <= 4
    assert np.std(told.rr_ms[told.own]) < 45


def test_a_metronome_may_vary_by_a_hair():
    beats_s = np.cumsum(np.full(100, 0.8))
    beats_s[50] += FINEST_MS / 3e3
    assert judged(beats_s).verdict[1:].max() == OWN


def test_what_no_heart_does_is_outside():
    told = judged(np.cumsum(np.append(np.full(50, 0.8), [2.4, *[0.8] * 20])))
    assert told.verdict[50] == OUTSIDE
    slow = judged(np.cumsum(np.full(5, 2.5)))
    assert slow.verdict[1:].tolist() == [OUTSIDE] * 4


def test_an_interval_a_third_off_the_median_is_left_out():
    told = judged(np.cumsum(np.append(np.full(50, 0.8), [1.08, *[0.8] * 20])))
    assert told.verdict[50] != OWN


def test_intervals_that_were_not_seen_whole_are_broken_and_their_neighbours_stay():
    beats_s = beats()
    joined = np.ones(200, bool)
    joined[100:110] = False
    told = judged(beats_s, joined)
    assert np.all(told.verdict[100:110] == BROKEN)
    assert np.mean(told.own[1:100]) > 0.97 and np.mean(told.own[110:]) > 0.97


@pytest.mark.parametrize("count", range(6))
def test_few_beats_are_no_trouble(count):
    told = judged(0.8 * np.arange(count))
    assert len(told.kept) == len(told.rr_ms) == len(told.verdict) == count


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.05, 4.0), min_size=0, max_size=150), st.data())
def test_whatever_comes_counts_only_what_a_heart_can_do(gaps_s, data):
    beats_s = np.cumsum(np.array(gaps_s))
    joined = np.array(data.draw(st.lists(st.booleans(), min_size=len(gaps_s), max_size=len(gaps_s))), bool)
    told = intervals(beats_s, joined)
    own = told.rr_ms[told.own]
    assert np.all((own >= 300) & (own <= 2000))
    assert np.all(np.diff(told.kept) > 0)
    assert told.rr_ms[1:] == pytest.approx(1e3 * np.diff(beats_s[told.kept]))
