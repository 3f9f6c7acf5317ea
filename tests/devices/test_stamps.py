"""Boards made of arithmetic: true capture times are known, arrivals are made late, never early."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.devices.stamps import Stamper

Times = NDArray[np.float64]


def stamped(
    truth_s: Times,
    stamper: Stamper,
    *,
    burst_s: float = 0.0,
    rest_s: float = 0.008,
    ticks: NDArray[np.int64] | None = None,
) -> Times:
    """Times of rows captured at `truth_s`, handed over in bursts to a link that rests between reads."""
    if ticks is None:
        ticks = np.arange(len(truth_s))
    there_s = truth_s if burst_s == 0 else np.ceil(truth_s / burst_s) * burst_s
    chance = np.random.default_rng(7)
    out, done, now_s = np.empty(len(truth_s)), 0, there_s[0]
    while done < len(truth_s):
        now_s += rest_s + 0.0005 * chance.random() + (0.02 if chance.random() < 0.01 else 0.0)
        now_s = max(now_s, there_s[done] + 0.0003 * chance.random())  # nothing there: wait for it
        upto = int(np.searchsorted(there_s, now_s, side="right"))
        out[done:upto] = stamper.stamp(ticks[done:upto], now_s)
        assert out[upto - 1] <= now_s + 1e-9
        done = upto
    return out


def worst_ms(found_s: Times, truth_s: Times, after_s: float) -> float:
    late = truth_s - truth_s[0] > after_s
    return float(np.abs(found_s - truth_s)[late].max() * 1e3)


@pytest.mark.parametrize("drift_ppm", [-200, 0, 200])
@pytest.mark.parametrize("burst_s", [0.0, 0.016])
def test_true_rate_is_found_though_another_was_announced(drift_ppm: int, burst_s: float) -> None:
    true_hz = 275 * (1 + drift_ppm * 1e-6)
    truth_s = 3.0 + np.arange(60 * 275) / true_hz
    found_s = stamped(truth_s, Stamper(1 / 250), burst_s=burst_s)
    assert np.all(np.diff(found_s) > 0)
    found_hz = (len(found_s) - 1) / (found_s[-1] - found_s[0])
    assert found_hz == pytest.approx(true_hz, rel=2e-4)
    assert worst_ms(found_s, truth_s, after_s=3) < 2


@pytest.mark.parametrize("true_hz", [32.0, 250.0, 1000.0])
def test_other_rates_settle_within_three_seconds(true_hz: float) -> None:
    truth_s = np.arange(int(20 * true_hz)) / true_hz
    found_s = stamped(truth_s, Stamper(1 / (true_hz * 1.08)), burst_s=0.016)
    # where bursts keep step with the rows, the newest row's own wait cannot be seen
    assert worst_ms(found_s, truth_s, after_s=3) < 6


def test_intervals_stay_even_once_settled() -> None:
    truth_s = np.arange(5500) / 275
    found_s = stamped(truth_s, Stamper(1 / 250), burst_s=0.016)
    assert np.diff(found_s)[1000:].max() < 1.2 / 275


def test_a_crystal_that_warms_up_is_followed() -> None:
    interval_s = (1 + np.linspace(-200e-6, 200e-6, 60 * 250)) / 250
    truth_s = np.cumsum(interval_s)
    found_s = stamped(truth_s, Stamper(1 / 250))
    assert worst_ms(found_s, truth_s, after_s=3) < 1.5


@pytest.mark.parametrize("pause_s", [0.02, 0.3, 5.0])
def test_times_jump_over_a_pause_and_are_not_smeared(pause_s: float) -> None:
    truth_s = np.arange(275 * 20) / 275
    truth_s[275 * 10 :] += pause_s
    found_s = stamped(truth_s, Stamper(1 / 250), burst_s=0.016)
    before = truth_s < 10
    settled = truth_s > 10 + pause_s + 0.5  # a short pause is told from a busy machine by what follows
    assert np.abs(found_s - truth_s)[before][900:].max() < 1.5e-3
    assert np.abs(found_s - truth_s)[settled].max() < 3e-3
    assert np.diff(found_s).max() > 0.6 * pause_s


def test_a_board_that_paces_itself_by_waiting_is_followed() -> None:
    chance = np.random.default_rng(3)
    interval_s = np.full(259 * 30, 1 / 259)
    late = chance.random(len(interval_s)) < 0.012  # three times a second it loses one to five milliseconds
    interval_s[late] += chance.uniform(0.001, 0.005, late.sum())
    truth_s = np.cumsum(interval_s)
    error_ms = 1e3 * np.abs(stamped(truth_s, Stamper(1 / 250), burst_s=0.016) - truth_s)[1000:]
    assert np.percentile(error_ms, 95) < 7
    assert error_ms.max() < 20


def test_a_busy_machine_is_no_pause() -> None:
    truth_s = np.arange(275 * 10) / 275
    stamper = Stamper(1 / 250)
    found_s = [stamped(truth_s[:1375], stamper)]
    # nobody reads for 400 ms; then all that waited is taken at once
    found_s.append(stamper.stamp(np.arange(1375, 1485), truth_s[1485] - 0.001))
    assert np.abs(found_s[1] - truth_s[1375:1485]).max() < 2e-3


def test_a_rate_that_changes_is_found_again() -> None:
    truth_s = np.cumsum(np.r_[np.full(2500, 1 / 250), np.full(10 * 240, 1 / 240)])
    found_s = stamped(truth_s, Stamper(1 / 250))
    late = truth_s > 10 + 5
    rate_hz = (late.sum() - 1) / np.ptp(found_s[late])
    assert rate_hz == pytest.approx(240, rel=1e-3)
    assert np.all(np.diff(found_s) > 0)


def test_board_microseconds_are_mapped_through_lost_samples_and_a_poor_crystal() -> None:
    kept = np.random.default_rng(1).random(15000) > 0.1  # a tenth of the samples is lost
    truth_s = (np.arange(15000) / 250)[kept]
    device_us = (truth_s * 1e6 * 1.004).astype(np.int64) + 123_456_789  # a resonator, 0.4 % fast
    stamper = Stamper(1e-6, is_sure=True, may_jump=False)
    found_s = stamped(truth_s, stamper, burst_s=0.016, ticks=device_us)
    assert worst_ms(found_s, truth_s, after_s=4) < 1.5
    assert stamper.period_s == pytest.approx(1e-6 / 1.004, rel=1e-4)


def test_observed_for_a_second_even_the_first_samples_are_right() -> None:
    truth_s = np.arange(275 * 2) / 275
    stamper = Stamper(1 / 250)
    for tick in range(3, 550, 4):
        stamper.observe(tick, truth_s[tick] + 0.0002)
        if stamper.is_settled:
            break
    assert truth_s[tick] < 1.1
    found_s = stamper.stamp(np.arange(tick + 1), truth_s[tick] + 0.0002)
    assert np.abs(found_s - truth_s[: tick + 1]).max() < 1e-3


def test_restart_jumps_to_the_next_arrival_and_keeps_the_period() -> None:
    stamper = Stamper(1 / 250)
    truth_s = np.arange(275 * 10) / 275
    stamped(truth_s, stamper)
    period_s = stamper.period_s
    stamper.restart()
    found_s = stamper.stamp(np.arange(4), 60.0)
    assert found_s == pytest.approx(60.0 - period_s * np.array([3, 2, 1, 0]))


def test_samples_held_back_after_a_restart_jump_too() -> None:
    stamper = Stamper(1 / 250)
    stamper.stamp(np.arange(10), 1.0)
    stamper.restart()
    for tick in range(0, 275, 4):
        stamper.observe(tick, 60 + tick / 275)
    found_s = stamper.stamp(np.arange(275), 60 + 274 / 275)
    assert found_s == pytest.approx(60 + np.arange(275) / 275, abs=1e-3)


@pytest.mark.parametrize("rate_hz", [240.0, 250.0, 260.0])
def test_a_board_that_pauses_or_a_slower_one_is_stamped_as_well_when_plugged_in_later(rate_hz: float) -> None:
    chance, stamper = np.random.default_rng(3), Stamper(1 / 250)
    stamped(np.arange(260 * 30) / 260, stamper)
    stamper.restart()
    interval_s = np.full(int(20 * rate_hz), 1 / rate_hz)
    late = chance.random(len(interval_s)) < 0.02
    interval_s[late] += chance.uniform(0.003, 0.008, late.sum())
    truth_s = 34 + np.cumsum(interval_s)
    found_s = stamped(truth_s, stamper)
    assert stamper.period_s == pytest.approx(interval_s.mean(), rel=0.02)
    error_ms = 1e3 * np.abs(found_s - truth_s)
    assert np.percentile(error_ms, 90) < 8 and error_ms.max() < 30


@pytest.mark.parametrize("stall_s", [0.3, 1.0])
def test_a_computer_that_stalls_does_not_change_the_rate_of_a_board_that_pauses(stall_s: float) -> None:
    """What waited meanwhile comes at once, and its first row is late."""
    chance, stamper = np.random.default_rng(1), Stamper(1 / 250)
    truth_s = np.arange(30 * 250) / 250
    truth_s += 0.015 * np.floor(truth_s / 0.4)
    ends_s = truth_s[truth_s > 15.0][0] + stall_s
    at, now_s, errors_s = 0, 0.0, []
    while at < len(truth_s) - 8:
        has_waited = now_s < ends_s and truth_s[at] > 15.0
        if has_waited:
            now_s = ends_s
        until = at + 4
        now_s = max(now_s, truth_s[until - 1] + 0.002 + chance.exponential(0.0004))
        until = min(max(int(np.searchsorted(truth_s, now_s - 0.002)), until), at + 16)
        now_s += 0.002 * (until - at > 4)
        found_s = stamper.stamp(np.arange(at, until), now_s)
        errors_s += np.abs(found_s - truth_s[at:until]).tolist()
        at = until
    assert max(errors_s[16 * 250 :]) < 0.03
    assert stamper.period_s == pytest.approx(np.diff(truth_s).mean(), rel=0.02)


def test_times_grow_even_when_the_clock_stands_still() -> None:
    stamper = Stamper(0.004)
    first = stamper.stamp(np.arange(3), 1.0)
    second = stamper.stamp(np.arange(3, 6), 1.0)
    assert np.all(np.diff(np.r_[first, second]) > 0)
