"""Times, drift and losses of recordings whose truth is known (see `tests.simulators.clocks`).

A constant delay cannot be seen: the devices here have none but what their bursts make.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emolab.core.stream import Channel, Chunk, StreamInfo, Tally
from emolab.recording.inspect import inspect, text
from emolab.recording.reader import RecordedStream, Session
from emolab.recording.recover import recover
from emolab.recording.times.missing import find_steps
from emolab.recording.times.steps import Steps
from emolab.recording.times.timing import fit_line
from tests.simulators.clocks import (
    RESET,
    SOUND,
    Device,
    Times,
    counting_board,
    plain_board,
    serial_info,
    sound_card,
    stored,
)


def errors_ms(path: Path, truth_s: Times, as_stamped: bool = False) -> Times:
    """How far the times of the only stream are from the truth, signed."""
    with Session.open(path) as session:
        (stream,) = session.streams.values()
        return (stream.times_s(as_stamped=as_stamped) - truth_s) * 1e3


def facts(path: Path) -> dict:
    """What `inspect` says of the only stream."""
    (stream,) = inspect(path)["streams"]
    return stream


@pytest.mark.parametrize("drift_ppm", [-200.0, 0.0, 200.0])
@pytest.mark.parametrize(("loss", "run"), [(0.0, 1), (0.001, 1), (0.01, 5), (0.1, 1), (0.1, 30)])
def test_a_board_with_counter_and_clock_is_timed_from_its_first_sample(
    tmp_path: Path, drift_ppm: float, loss: float, run: int
) -> None:
    device = Device(rate_hz=275.3, drift_ppm=drift_ppm, loss=loss, run=run)
    truth_s = device.captured(60)
    kept = device.kept(len(truth_s))
    path = stored(tmp_path / "s.h5", serial_info(275.3), counting_board(device, truth_s, kept))
    found = facts(path)
    assert found["refined"]
    assert found["drift_ppm"] == pytest.approx(drift_ppm, abs=20)
    assert found["lost"] == len(kept) - kept.sum()  # exact: there is a counter
    assert found["lost_estimate"] is None
    assert sum(gap["missing"] for gap in found["gap_list"]) == found["lost"] or found["lost"] > 200
    assert np.abs(errors_ms(path, truth_s[kept])).max() < 1
    assert np.abs(errors_ms(path, truth_s[kept], as_stamped=True)[:20]).max() > 1  # live it had to guess


@pytest.mark.parametrize("rate_hz", [259.3, 32.0])
@pytest.mark.parametrize(
    ("loss", "run", "burst_s"),
    [(0.0, 1, 0.016), (0.001, 1, 0.016), (0.01, 1, 0.016), (0.1, 20, 0.016), (0.01, 5, 0.0), (0.1, 1, 0.0)],
)
def test_lines_lost_by_a_board_that_counts_nothing_are_found(
    tmp_path: Path, rate_hz: float, loss: float, run: int, burst_s: float
) -> None:
    device = Device(rate_hz=rate_hz, drift_ppm=120, loss=loss, run=run, burst_s=burst_s, seed=2)
    truth_s = device.captured(60)
    kept = device.kept(len(truth_s))
    path = stored(tmp_path / "s.h5", serial_info(rate_hz), plain_board(device, truth_s, kept))
    found = facts(path)
    lost, told = len(kept) - kept.sum(), found["lost_estimate"]
    assert found["lost"] == 0  # nothing counted them
    assert told["low"] <= lost <= told["high"] <= 1.05 * lost + 5
    assert found["drift_ppm"] == pytest.approx(120, abs=20)
    error_ms = np.abs(errors_ms(path, truth_s[kept]))
    assert error_ms[:10].max() < 1
    # in which of a burst's rows the loss was nobody can tell, so these few are a sample's time off
    assert np.mean(error_ms > 1) < 5 * loss / run + 1e-9


def test_a_gap_is_listed_and_never_closed_up(tmp_path: Path) -> None:
    device = Device(rate_hz=259.3, burst_s=0.0)
    truth_s = device.captured(60)
    truth_s[5000:] += 1.234567
    path = stored(tmp_path / "s.h5", serial_info(259.3), plain_board(device, truth_s, truth_s > 0))
    found = facts(path)
    (gap,) = found["gap_list"]
    assert (gap["from_s"], gap["to_s"]) == pytest.approx((truth_s[4999], truth_s[5000]), abs=2e-3)
    assert gap["missing"] == pytest.approx(1.234567 * 259.3, abs=1)
    assert found["gaps"] == 1
    assert np.abs(errors_ms(path, truth_s)).max() < 4
    assert f"{gap['from_s']:.3f}-{gap['to_s']:.3f} s" in text(inspect(path))


def test_a_board_that_was_reset_has_two_clocks(tmp_path: Path) -> None:
    device = Device(rate_hz=250.7, drift_ppm=150)
    truth_s = device.captured(60)
    first, second = truth_s[:6000], truth_s[7000:]
    chunks = list(counting_board(device, first, first > 0))
    for chunk in counting_board(device, second, second > 0):
        assert chunk.counter is not None
        assert chunk.device_us is not None
        chunks.append(
            replace(
                chunk,
                counter=chunk.counter + 6000,
                device_us=chunk.device_us - 7_000_000 + RESET,
                tally=Tally(reopened=1),
            )
        )
    path = stored(tmp_path / "s.h5", serial_info(250.7), iter(chunks))
    found = facts(path)
    assert np.abs(errors_ms(path, np.concatenate([first, second]))).max() < 1
    (gap,) = found["gap_list"]
    assert gap["to_s"] - gap["from_s"] == pytest.approx(second[0] - first[-1], abs=1e-3)
    assert found["drift_ppm"] == pytest.approx(150, abs=20)
    assert found["reopened"] == 1


def test_a_reset_in_the_midst_of_a_chunk_is_seen(tmp_path: Path) -> None:
    device = Device(rate_hz=250.0, burst_s=0.0)
    truth_s = device.captured(60)
    chunks = []
    for chunk in counting_board(device, truth_s, truth_s > 0):
        counter, clock = chunk.counter, chunk.device_us
        assert counter is not None
        assert clock is not None
        again = np.where(counter >= 7000, clock - 35_000_000 + RESET, clock)
        chunks.append(replace(chunk, device_us=again, tally=Tally(reopened=int(counter[-1] >= 7000))))
    both = [chunk for chunk in chunks if chunk.counter is not None and 7000 in chunk.counter[1:]]
    if not both:  # join two, so that the seam is within one
        at = next(
            i for i, chunk in enumerate(chunks) if chunk.counter is not None and chunk.counter[0] == 7000
        )
        chunks[at - 1 : at + 1] = [joined(chunks[at - 1], chunks[at])]
    path = stored(tmp_path / "s.h5", serial_info(250.0), iter(chunks))
    assert np.abs(errors_ms(path, truth_s)).max() < 1


def joined(left: Chunk, right: Chunk) -> Chunk:
    """Two chunks as one, in hand when the second was."""
    parts = {
        name: np.concatenate([getattr(left, name), getattr(right, name)])
        for name in ("times_s", "samples", "counter", "device_us")
    }
    return replace(right, **parts)


def test_a_crystal_that_warms_up_is_followed(tmp_path: Path) -> None:
    device = Device(rate_hz=275.3, drift_ppm=-50, wander_ppm=60)
    truth_s = device.captured(900)
    path = stored(tmp_path / "s.h5", serial_info(275.3), counting_board(device, truth_s, truth_s > 0))
    assert np.abs(errors_ms(path, truth_s)).max() < 1


def test_damaged_lines_keep_their_place_in_time(tmp_path: Path) -> None:
    device = Device(rate_hz=259.3, burst_s=0.016)
    truth_s = device.captured(60)
    damaged = np.arange(len(truth_s)) % 701 == 350

    def chunks():
        for chunk, before in with_first_row(plain_board(device, truth_s, truth_s > 0)):
            bad = damaged[before : before + len(chunk)]
            tally = Tally(corrupt=int(damaged[: before + len(chunk)].sum()))
            if not bad.all():
                yield replace(chunk, times_s=chunk.times_s[~bad], samples=chunk.samples[~bad], tally=tally)

    path = stored(tmp_path / "s.h5", serial_info(259.3), chunks())
    found = facts(path)
    assert found["corrupt"] == damaged.sum()
    assert found["lost_estimate"]["value"] <= 1
    error_ms = np.abs(errors_ms(path, truth_s[~damaged]))
    assert np.mean(error_ms > 1) < 0.003


def with_first_row(chunks):
    """Chunks, and how many rows were before each."""
    before = 0
    for chunk in chunks:
        yield chunk, before
        before += len(chunk)


@pytest.mark.parametrize("drift_ppm", [-200.0, 0.0, 150.0])
def test_sound_is_timed_by_all_stamps_of_its_driver(tmp_path: Path, drift_ppm: float) -> None:
    device = Device(rate_hz=8000.0, drift_ppm=drift_ppm, seed=1)
    both = list(sound_card(device, 180))
    path = stored(tmp_path / "s.h5", replace(SOUND, nominal_rate_hz=8000.0), (chunk for chunk, _ in both))
    truth_s = np.concatenate([part for _, part in both])
    found = facts(path)
    assert found["refined"]
    assert found["drift_ppm"] == pytest.approx(drift_ppm, abs=20)
    assert np.abs(errors_ms(path, truth_s)).max() < 1.5  # the stamps are a millisecond off themselves


def test_cameras_and_instruments_that_stamp_for_themselves_keep_their_stamps(tmp_path: Path) -> None:
    camera = StreamInfo("board", (Channel("skin", "thermal"),), 9.0, "uint16", (4, 4))
    taken_s = np.arange(500) / 9.0 + np.random.default_rng(0).uniform(0, 0.02, 500)
    chunks = (
        Chunk("board", taken_s[i : i + 1], np.zeros((1, 4, 4), np.uint16), taken_s[i] + 0.03)
        for i in range(500)
    )
    path = stored(tmp_path / "s.h5", camera, chunks)
    found = facts(path)
    assert not found["refined"]
    assert found["not_refined"] == "the instrument's own stamps are kept"
    assert found["jitter_ms"] == pytest.approx(1e3 * 0.02 / np.sqrt(12), rel=0.1)
    assert found["latency_ms"]["p50"] == pytest.approx(30, abs=0.01)
    assert np.abs(errors_ms(path, taken_s)).max() < 1e-3


def test_what_was_stamped_live_is_never_changed(tmp_path: Path) -> None:
    device = Device(rate_hz=259.3, loss=0.01)
    truth_s = device.captured(20)
    chunks = list(plain_board(device, truth_s, device.kept(len(truth_s))))
    path = stored(tmp_path / "s.h5", serial_info(250.0), iter(chunks))
    with Session.open(path) as session:
        board = session.streams["board"]
        stamped_s = np.concatenate([chunk.times_s for chunk in chunks])
        assert np.abs(board.times_s(as_stamped=True) - stamped_s).max() < 1e-6
        assert board.arrivals()[1] == pytest.approx([chunk.arrival_s for chunk in chunks], abs=1e-6)
        assert np.abs(board.times_s() - stamped_s).max() > 1e-3
        pieces = np.concatenate(list(board.time_slices_s(777)))
        np.testing.assert_array_equal(pieces, board.times_s())
        np.testing.assert_array_equal(board.times_s(100, 200), board.times_s()[100:200])
        assert np.all(np.diff(board.times_s()) > 0)


def test_a_killed_session_gets_its_times_when_it_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = Device(rate_hz=275.3, drift_ppm=100)
    truth_s = device.captured(30)
    path = stored(
        tmp_path / "s.h5", serial_info(275.3), counting_board(device, truth_s, truth_s > 0), closed=False
    )
    before = facts(path)
    assert (before["refined"], before["not_refined"]) == (False, "the session has not ended")
    assert before["drift_ppm"] == pytest.approx(100, abs=20)
    monkeypatch.setattr("emolab.recording.recover._ALIVE_S", 0.0)
    recover(path)
    assert facts(path)["refined"]
    assert np.abs(errors_ms(path, truth_s)).max() < 1


def test_times_that_cannot_be_refined_do_not_spoil_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ValueError("nonsense")

    monkeypatch.setattr("emolab.recording.writer.refine", fails)
    device = Device()
    truth_s = device.captured(10)
    path = stored(tmp_path / "s.h5", serial_info(250.0), plain_board(device, truth_s, truth_s > 0))
    with Session.open(path) as session:
        assert session.complete
        assert session.streams["board"].fit()[2] == {}
        assert len(session.streams["board"].times_s()) == len(truth_s)


def test_a_fit_that_was_tampered_with_is_refused_in_a_sentence(tmp_path: Path) -> None:
    device = Device()
    truth_s = device.captured(10)
    path = stored(tmp_path / "s.h5", serial_info(250.0), plain_board(device, truth_s, truth_s > 0))
    content = path.read_bytes()
    assert content.count(b'{"refined"') == 1
    path.write_bytes(content.replace(b'{"refined"', b'["refined"'))
    with Session.open(path) as session, pytest.raises(Exception, match="is damaged"):
        session.streams["board"].times_s()


def test_single_late_arrivals_have_no_pull() -> None:
    ticks = np.arange(0, 60_000_000, 10_000)
    seen_s = ticks * 1e-6 * (1 + 30e-6) + np.random.default_rng(1).exponential(1e-3, len(ticks))
    seen_s[::50] += 3.0
    line = fit_line(ticks, seen_s, 1e-6, is_late=True)
    assert (line.period_s / 1e-6 - 1) * 1e6 == pytest.approx(30, abs=2)
    assert abs(line.at(ticks[:1])[0]) < 1e-4


@pytest.mark.parametrize("burst_s", [0.0, 0.016])
def test_the_interval_of_losses_holds_what_was_lost(burst_s: float) -> None:
    """A few of the devices of `tests.bench.bench_timing`."""
    for seed, (loss, run) in enumerate([(0.001, 1), (0.01, 10), (0.1, 1), (0.1, 10)]):
        device = Device(rate_hz=255.4 + 1.7 * seed, loss=loss, run=run, burst_s=burst_s, seed=seed)
        found, kept = steps_of(device, 40)
        low, high = found.bounds
        assert found.is_whole
        assert low <= len(kept) - kept.sum() <= high


def test_bursts_that_nearly_keep_step_with_the_samples_hide_no_losses() -> None:
    """4.03 rows a burst: steps laid too soon and a line too low once explained each other."""
    device = Device(rate_hz=252.0, drift_ppm=-200, loss=0.001)
    found, kept = steps_of(device, 60)
    assert found.missing.sum() == pytest.approx(len(kept) - kept.sum(), abs=2)
    assert (found.line.period_s * 252 - 1) * 1e6 == pytest.approx(200, abs=20)


@pytest.mark.parametrize("seed", [2, 4])
def test_a_tenth_lost_one_by_one_in_bursts_hides_no_rate(seed: int) -> None:
    """Wrong steps and the line through them once held on to each other, 100 ppm to 1 % off."""
    device = Device(252 + 1.7 * seed, drift_ppm=100.0 * (seed - 3), loss=0.1, seed=seed)
    found, kept = steps_of(device, 60)
    assert found.missing.sum() == pytest.approx(len(kept) - kept.sum(), abs=5)
    assert (device.rate_hz * found.line.period_s - 1) * 1e6 == pytest.approx(-device.drift_ppm, abs=20)
    off_s = np.abs(found.at(np.arange(kept.sum())) - device.captured(60)[kept])
    assert np.mean(off_s > 1e-3) < 0.2  # at one end of each burst: 0.21 to 0.22


def test_rows_in_step_with_the_bursts_are_not_taken_for_a_faster_board_that_loses_some() -> None:
    found, kept = steps_of(Device(rate_hz=250.0, drift_ppm=90, seed=8), 40)
    assert kept.all()
    assert found.missing.sum() <= 2
    assert found.bounds[0] == 0
    slower, _ = steps_of(Device(rate_hz=250.0, drift_ppm=-200), 120)
    assert slower.bounds[0] == 0  # a row fewer now and then, as if one had been lost


@pytest.mark.parametrize("burst_s", [0.0, 0.016])
def test_a_board_that_paces_itself_is_followed(burst_s: float) -> None:
    device = Device(rate_hz=257.1, pauses_hz=3.0, burst_s=burst_s, seed=3)
    found, kept = steps_of(device, 60)
    assert not found.is_whole
    truth_s = device.captured(60)
    rows = np.arange(len(kept))
    assert found.bounds[0] == 0  # who can tell a pause from a lost line
    assert np.quantile(np.abs(found.at(rows) - truth_s), 0.9) < (6e-3 if burst_s else 1e-3)


def steps_of(device: Device, seconds: float) -> tuple[Steps, NDArray[np.bool_]]:
    """What is found in the rows of a device, and which of its samples were kept."""
    truth_s = device.captured(seconds)
    kept = device.kept(len(truth_s))
    last, seen_s = device.hand_over(truth_s[kept])
    return find_steps(last, np.append(0, last[:-1] + 1), seen_s, 1 / 250), kept


def test_a_stream_without_chunks_has_no_fit(tmp_path: Path) -> None:
    path = stored(tmp_path / "s.h5", serial_info(250.0), iter(()))
    with Session.open(path) as session:
        stream: RecordedStream = session.streams["board"]
        assert stream.fit()[2] == {"refined": False, "why": "too short to be fitted"}
        assert len(stream.times_s()) == 0
