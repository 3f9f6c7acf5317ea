"""Scripted faults do what their name says, and are told apart in counts and truth."""

from __future__ import annotations

import numpy as np
import pytest

from emolab.core.clock import PacedClock
from emolab.core.errors import DeviceError, DeviceNotFound
from emolab.core.stream import Tally
from emolab.devices.simulated import Simulated, frame_number
from tests.devices.simulated_bench import SimulatedBench


def faulty(stream: str = "board", *faults: dict, until_s: float = 10.0, **keys) -> SimulatedBench:
    bench = SimulatedBench(stream, faults=list(faults), **keys)
    bench.source.open()
    bench.advance(until_s)
    return bench


def test_an_unplugged_instrument_fails_until_its_time_is_over():
    bench = SimulatedBench("board", faults=[{"kind": "unplug", "at_s": 3.0, "for_s": 2.0}])
    bench.source.open()
    with pytest.raises(DeviceError, match="unplugged until second 5"):
        bench.advance(4.0)
    before = bench.delivered()
    assert before.times_s[-1] == pytest.approx(3.0, abs=0.005)
    bench.source.close()
    with pytest.raises(DeviceNotFound, match="'board' is unplugged until second 5"):
        bench.source.open()
    bench.clock.advance(5.5 - bench.clock.now_s())
    bench.source.open()
    bench.advance(8.0)
    after = bench.delivered()
    gap = np.flatnonzero(np.diff(after.times_s) > 0.1)
    assert len(gap) == 1
    assert after.times_s[gap[0] + 1] == pytest.approx(5.5, abs=0.005)
    assert np.all(np.diff(after.counter) == 1)
    assert after.tally == Tally(reopened=1)


def test_a_stalled_instrument_is_silent_and_its_samples_are_lost():
    bench = faulty("board", {"kind": "stall", "at_s": 3.0, "for_s": 2.0}, until_s=4.9)
    assert bench.delivered().times_s[-1] == pytest.approx(3.0, abs=0.005)
    assert bench.source.read(0.01) is None
    bench.advance(10.0)
    delivered = bench.delivered()
    missing = int(np.diff(delivered.counter).max()) - 1
    assert missing == pytest.approx(2.0 * 254.9, abs=1)
    assert delivered.tally == Tally(lost=missing)
    assert len(delivered.times_s) + missing == delivered.counter[-1] + 1
    assert bench.person.truth()["streams"]["board"]["lost"] == missing


def test_frames_of_a_stall_are_missing_by_number():
    numbers = [
        frame_number(f)
        for f in faulty("rgb", {"kind": "stall", "at_s": 3.0, "for_s": 2.0}).delivered().samples
    ]
    assert [n for n in range(100) if n not in numbers] == list(range(30, 50))


def test_damaged_samples_are_counted_and_not_delivered():
    bench = faulty("board", {"kind": "garbage", "at_s": 2.0, "for_s": 4.0, "share": 0.25})
    delivered = bench.delivered()
    assert delivered.tally.corrupt == delivered.tally.lost
    assert delivered.tally.corrupt == pytest.approx(0.25 * 4.0 * 254.9, rel=0.05)
    assert len(delivered.times_s) + delivered.tally.lost == delivered.counter[-1] + 1
    missing = np.setdiff1d(np.arange(delivered.counter[-1]), delivered.counter)
    assert missing.min() >= 2.0 * 254.9 - 1 and missing.max() <= 6.0 * 254.9 + 1
    # what does arrive is what would have arrived anyway
    well = faulty("board").delivered()
    assert np.array_equal(delivered.samples, well.samples[delivered.counter])


def test_nothing_but_garbage_is_silence():
    bench = faulty("board", {"kind": "garbage", "at_s": 2.0, "share": 1.0})
    assert bench.delivered().times_s[-1] < 2.0
    assert bench.person.truth()["streams"]["board"]["corrupt"] == pytest.approx(8.0 * 254.9, abs=2)


def test_a_wrong_rate_lasts_its_time_and_no_sample_is_lost():
    bench = faulty("board", {"kind": "wrong_rate", "at_s": 3.0, "for_s": 4.0, "rate_hz": 100.0})
    delivered = bench.delivered()
    during = (delivered.times_s > 3.02) & (delivered.times_s < 6.98)
    assert np.allclose(np.diff(delivered.times_s[during]), 0.01)
    outside_s = np.diff(delivered.times_s[delivered.times_s < 2.99])
    assert np.allclose(outside_s, 1 / 254.9)
    assert np.all(np.diff(delivered.counter) == 1)
    assert np.allclose(np.diff(delivered.device_us) * 1e-6, np.diff(delivered.times_s), atol=2e-6)
    assert delivered.tally == Tally()


def test_a_drifting_clock_runs_ahead_of_the_session():
    delivered = faulty("board", {"kind": "clock_drift", "at_s": 2.0, "ppm": 500.0}, until_s=22.0).delivered()
    ahead_s = (delivered.device_us - delivered.device_us[0]) * 1e-6 - (
        delivered.times_s - delivered.times_s[0]
    )
    assert np.abs(ahead_s[delivered.times_s < 2.0]).max() < 2e-6
    assert ahead_s[-1] == pytest.approx(20.0 * 500e-6, rel=0.01)


def test_cutting_differently_changes_nothing_in_a_faulty_session_either():
    script = (
        {"kind": "wrong_rate", "at_s": 1.0, "for_s": 2.0, "rate_hz": 77.0},
        {"kind": "stall", "at_s": 4.0, "for_s": 1.0},
        {"kind": "garbage", "at_s": 6.0, "for_s": 2.0},
        {"kind": "clock_drift", "at_s": 0.5, "ppm": -300.0},
    )
    runs = []
    for step_s in (0.013, 0.5, 10.0):
        bench = SimulatedBench("board", faults=list(script))
        bench.source.open()
        bench.advance(10.0, step_s)
        runs.append(bench.delivered())
    n = min(len(run.times_s) for run in runs)
    for run in runs[1:]:
        assert np.array_equal(run.times_s[:n], runs[0].times_s[:n])
        assert np.array_equal(run.samples[:n], runs[0].samples[:n])
        assert np.array_equal(run.counter[:n], runs[0].counter[:n])
        assert run.tally == runs[0].tally


@pytest.mark.parametrize("kind", ["unplug", "stall"])
def test_a_paced_clock_does_not_halt_for_an_instrument_that_is_away(kind):
    clock = PacedClock(100)
    starting = clock.follow("test")  # time stands until it is open
    table = {"kind": "simulated", "name": "b", "stream": "board", "faults": [{"kind": kind, "at_s": 2.0}]}
    source = Simulated.from_config(table, clock)
    source.open()
    starting.leave()
    last_s = 0.0
    try:
        while (chunk := source.read(0.05)) is not None:
            last_s = chunk.times_s[-1]
    except DeviceError:
        assert kind == "unplug"
    assert last_s == pytest.approx(2.0, abs=0.005)
    clock.sleep(10.0)
    assert clock.now_s() > 5.0
    source.close()


def test_faults_stand_in_the_streams_facts_and_in_the_truth():
    bench = faulty("board", {"kind": "clock_drift", "at_s": 2.0, "ppm": 9.0})
    told = {"kind": "clock_drift", "at_s": 2.0, "ppm": 9.0, "until_s": None}
    assert bench.source.info.instrument["faults"] == [told]
    assert bench.person.truth(0.5)["streams"]["board"]["faults"] == [{**told, "at_s": 1.5}]
