"""Pumps and hub: what an instrument delivers arrives, and what it does wrong is told."""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from emolab.core.clock import Clock, SessionClock
from emolab.core.errors import DeviceError, DeviceNotFound
from emolab.core.event import Event
from emolab.core.ring import FrameSlot, SampleRing
from emolab.core.stream import Channel, Chunk, StreamInfo, Tally
from emolab.session import health
from emolab.session import pump as pump_module
from emolab.session.health import judge
from emolab.session.hub import Hub
from emolab.session.pump import Pump, PumpStatus
from tests.fakes import FakeClock
from tests.recording import made

BOARD = StreamInfo(
    "board", (Channel("gsr", "eda", "uS", 0.01, -1.0),), 100.0, "uint16", (1,), {"adc_bits": 12}
)


def chunk(start_s: float, n: int = 10, tally: Tally | None = None, value: int | None = None) -> Chunk:
    times_s = start_s + np.arange(n) / 100
    samples = np.arange(n, dtype=np.uint16)[:, None] + 500 if value is None else np.full((n, 1), value)
    return Chunk("board", times_s, samples.astype(np.uint16), start_s + n / 100, tally=tally)


class Scripted:
    """A source that delivers ten samples a read, and fails where its script says so."""

    def __init__(self, clock: Clock, fail_at: tuple[int, ...] = (), missing_opens: int = 0) -> None:
        self.info = BOARD
        self.reads = self.opens = self.closes = 0
        self._clock, self._fail_at, self._missing = clock, fail_at, missing_opens

    def open(self) -> None:
        self.opens += 1
        if self.opens <= self._missing:
            raise DeviceNotFound("board is not there; plug it in")

    def read(self, timeout_s: float) -> Chunk | None:
        self.reads += 1
        time.sleep(0.002)
        if self.reads in self._fail_at:
            raise DeviceError("board went away; check its cable")
        return chunk(self._clock.now_s())

    def close(self) -> None:
        self.closes += 1


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not until():
        assert time.monotonic() < deadline, "waited a minute in vain"
        time.sleep(0.005)


def test_a_lost_instrument_is_told_reopened_and_counted(tmp_path: Path) -> None:
    clock, events = SessionClock(), list[Event]()
    hub, kept = Hub(clock, tmp_path), list[Chunk]()
    with hub.keep() as hand_over:
        hand_over(kept.append)
    pump = Pump("board", Scripted(clock, fail_at=(5,)), clock, hub, events.append)
    pump.start()
    wait(lambda: len(events) == 2 and len(kept) > 8)
    pump.stop()
    assert pump.join(60)
    assert [event.kind for event in events] == ["device_lost", "device_found"]
    assert events[0].data["reason"] == "board went away; check its cable"
    assert kept[-1].tally is not None and kept[-1].tally.reopened == 1


def test_an_instrument_that_is_missing_at_first_is_found_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump_module, "RETRY_S", 60.0)  # by `retry` alone
    clock, events = SessionClock(), list[Event]()
    hub = Hub(clock, tmp_path)
    pump = Pump("board", Scripted(clock, missing_opens=1), clock, hub, events.append)
    pump.start()
    wait(lambda: pump.status.state == "lost")
    assert judge("board", None, pump.status, clock.now_s()).message == "board is not there; plug it in"
    pump.retry()
    wait(lambda: hub.streams.get("board") is not None and hub.streams["board"].samples > 0)
    pump.stop()
    assert pump.join(60)


class Stalled(Scripted):
    """A source that goes silent at its fifth read: its port opens as often as asked, and says nothing."""

    is_silent = False

    def read(self, timeout_s: float) -> Chunk | None:
        self.is_silent = self.is_silent or self.reads >= 5
        if not self.is_silent:
            return super().read(timeout_s)
        self.reads += 1
        time.sleep(0.01)
        if self.reads % 20 == 0:
            raise DeviceError("board says nothing; press its reset")
        return None

    def wake(self) -> None:
        self.reads, self.is_silent = 0, False


def test_an_instrument_that_opens_but_stays_silent_is_not_back(tmp_path: Path) -> None:
    clock, events = SessionClock(), list[Event]()
    hub, source = Hub(clock, tmp_path), Stalled(clock)
    pump = Pump("board", source, clock, hub, events.append)
    pump.start()
    wait(lambda: source.opens >= 4)
    light = judge("board", hub.streams["board"], pump.status, clock.now_s())
    assert (light.level, light.message) == ("act", "board says nothing; press its reset")
    assert [event.kind for event in events] == ["device_lost"], "told once, and not as found"
    assert pump.status.reopened == 0
    samples = hub.streams["board"].samples
    source.wake()
    wait(lambda: hub.streams["board"].samples > samples)
    pump.stop()
    assert pump.join(60)
    lost, found = events
    assert found.kind == "device_found" and pump.status.reopened == 1
    assert abs(found.data["away_s"] - (found.time_s - lost.time_s)) < 0.05


def test_a_chunk_that_cannot_be_handed_on_does_not_end_the_pump(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = SessionClock()
    hub, kept = Hub(clock, tmp_path), list[Chunk]()

    def take(chunk: Chunk) -> None:
        if not kept:
            kept.append(chunk)
            raise MemoryError
        kept.append(chunk)

    with hub.keep() as hand_over:
        hand_over(take)
    pump = Pump("board", Scripted(clock), clock, hub, lambda event: None)
    pump.start()
    wait(lambda: len(kept) > 5)
    pump.stop()
    assert pump.join(60)
    assert "a chunk of board could not be handed on" in caplog.text


def test_an_instrument_left_out_is_closed_and_delivers_no_more(tmp_path: Path) -> None:
    clock = SessionClock()
    source, hub = Scripted(clock), Hub(clock, tmp_path)
    pump = Pump("board", source, clock, hub, lambda event: None)
    pump.start()
    wait(lambda: source.reads > 3)
    pump.leave_out()
    wait(lambda: source.closes > 0)
    reads = source.reads
    time.sleep(0.05)
    assert source.reads == reads
    assert judge("board", hub.streams["board"], pump.status, clock.now_s()).is_left_out
    pump.stop()
    assert pump.join(60)


class Held(Scripted):
    """A source whose opening takes until the test lets it go on; `gone`: it cannot be reached."""

    is_open = gone = False

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.may_open = threading.Event()

    def open(self) -> None:
        super().open()
        if self.gone:
            raise DeviceNotFound("board is not there; plug it in")
        self.may_open.wait(60)
        self.is_open = True

    def read(self, timeout_s: float) -> Chunk | None:
        if self.gone:
            raise DeviceError("board went away; check its cable")
        return super().read(timeout_s)

    def close(self) -> None:
        super().close()
        self.is_open = False


def test_an_instrument_left_out_while_it_is_being_opened_is_closed(tmp_path: Path) -> None:
    clock = SessionClock()
    source, hub = Held(clock), Hub(clock, tmp_path)
    pump = Pump("board", source, clock, hub, lambda event: None)
    pump.start()
    wait(lambda: source.opens == 1)
    pump.leave_out()
    source.may_open.set()
    wait(lambda: source.closes > 0)
    assert not source.is_open and pump.status.state == "left_out"
    assert not hub.streams
    pump.stop()
    assert pump.join(60)


def test_an_instrument_left_out_while_its_rings_are_made_stays_left_out(tmp_path: Path) -> None:
    clock = SessionClock()

    class Meanwhile(Hub):
        def open(self, info: StreamInfo) -> None:
            super().open(info)
            pump.leave_out()

    source = Held(clock)
    source.may_open.set()
    pump = Pump("board", source, clock, Meanwhile(clock, tmp_path), lambda event: None)
    pump.start()
    wait(lambda: source.closes > 0)
    assert pump.status.state == "left_out" and not source.is_open and not source.reads
    pump.stop()
    assert pump.join(60)


@contextmanager
def delivering(folder: Path) -> Iterator[tuple[Pump, Held, FakeClock, list[Event]]]:
    """A pump whose source delivers, and what it tells; stopped at the end."""
    clock, events = FakeClock(), list[Event]()
    source = Held(clock)
    source.may_open.set()
    pump = Pump("board", source, clock, Hub(clock, folder), events.append)
    pump.start()
    try:
        wait(lambda: source.reads > 3)
        yield pump, source, clock, events
    finally:
        pump.stop()
        assert pump.join(60)


def test_a_retry_does_not_shorten_the_time_an_instrument_was_away(tmp_path: Path) -> None:
    with delivering(tmp_path) as (pump, source, clock, events):
        source.gone = True
        wait(lambda: len(events) == 1)
        clock.advance(3.0)
        pump.retry()
        tried = source.opens
        wait(lambda: source.opens > tried and pump.status.state == "lost")
        clock.advance(2.0)
        source.gone = False
        wait(lambda: len(events) == 2)
    assert [event.kind for event in events] == ["device_lost", "device_found"], "a retry is no new loss"
    assert events[1].data["away_s"] == 5.0


@pytest.mark.parametrize("was_lost", [True, False])
def test_the_time_an_instrument_was_left_out_is_no_time_away(tmp_path: Path, was_lost: bool) -> None:
    with delivering(tmp_path) as (pump, source, clock, events):
        source.gone = was_lost
        wait(lambda: len(events) == was_lost)
        clock.advance(3.0)
        for _ in range(2):
            pump.leave_out()
            clock.advance(50.0)
        wait(lambda: not source.is_open)
        source.gone = False
        pump.retry()
        wait(lambda: pump.status.reopened == 1)
    found = [event.data["away_s"] for event in events if event.kind == "device_found"]
    assert found == ([3.0] if was_lost else [])
    assert len(events) == 2 * was_lost


def test_the_hub_scales_for_the_screen_and_records_raw(tmp_path: Path) -> None:
    hub, kept = Hub(FakeClock(), tmp_path), list[Chunk]()
    with hub.keep() as hand_over:
        hand_over(kept.append)
    hub.open(BOARD)
    hub.offer(chunk(1.0))
    ring = hub.streams["board"].ring
    assert isinstance(ring, SampleRing)
    assert np.allclose(ring.newest(10)[1][:, 0], np.arange(500, 510) * 0.01 - 1.0)
    assert kept[0].samples.dtype == np.uint16


class Settling(Scripted):
    """A source that holds back what it hears after each opening, until the test lets it go."""

    is_settling = True
    is_pulled = False

    def open(self) -> None:
        super().open()
        self.is_settling = True

    def read(self, timeout_s: float) -> Chunk | None:
        if self.is_pulled:
            self.is_pulled = False
            raise DeviceError("board went away; check its cable")
        delivered = super().read(timeout_s)
        return None if self.is_settling else delivered


def test_an_instrument_whose_times_settle_is_not_called_lost_or_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "STARTING_S", 600.0)  # its rate is none
    clock, events = SessionClock(), list[Event]()
    hub, source = Hub(clock, tmp_path), Settling(clock)
    pump = Pump("board", source, clock, hub, events.append)
    pump.start()

    def light(now_s: float | None = None) -> tuple[str, str]:
        health = judge("board", hub.streams.get("board"), pump.status, now_s or clock.now_s())
        return health.level, health.message.split(";")[0]

    wait(lambda: light(clock.now_s() + 9) == ("look", "board is heard"))
    source.is_settling = False
    wait(lambda: light()[0] == "well")
    source.is_pulled = True
    wait(lambda: source.opens == 2)
    wait(lambda: light() == ("look", "board is heard"))
    assert [event.kind for event in events] == ["device_lost"], "it is back when it delivers"
    source.is_settling = False
    wait(lambda: light()[0] == "well")
    pump.stop()
    assert pump.join(60)
    assert [event.kind for event in events] == ["device_lost", "device_found"]


def test_what_comes_while_the_recorder_is_made_is_kept_in_order(tmp_path: Path) -> None:
    hub, kept = Hub(FakeClock(), tmp_path), list[Chunk]()
    hub.open(BOARD)
    hub.offer(chunk(1.0))
    with hub.keep() as hand_over:
        hub.offer(chunk(2.0))
        hand_over(kept.append)
        hub.offer(chunk(3.0))
    hub.offer(chunk(4.0))
    hub.leave_off()
    hub.offer(chunk(5.0))
    assert [taken.times_s[0] for taken in kept] == [2.0, 3.0, 4.0]


def test_a_recorder_that_cannot_be_made_leaves_nothing_recording(tmp_path: Path) -> None:
    hub = Hub(FakeClock(), tmp_path)
    hub.open(BOARD)
    with suppress(OSError), hub.keep():
        raise OSError("disk full")
    assert hub._record is None


def test_the_rate_is_that_of_the_samples_own_times(tmp_path: Path) -> None:
    hub = Hub(FakeClock(), tmp_path)
    hub.open(BOARD)
    for at in range(100):
        times_s = 1 + (at * 10 + np.arange(10)) / 254.9
        hub.offer(Chunk("board", times_s, np.zeros((10, 1), np.uint16), float(times_s[-1])))
    assert abs(hub.streams["board"].rate_hz() - 254.9) < 0.01


def test_lights_tell_silence_loss_rail_and_flatness(tmp_path: Path) -> None:
    opened = PumpStatus("open", since_s=0.0)

    def light(value: int | None, tally: Tally | None, now_s: float) -> tuple[str, str]:
        hub = Hub(FakeClock(), tmp_path)
        hub.open(BOARD)
        for at in range(50):
            skin = 500 + at if value is None else value
            hub.offer(chunk(at / 10, tally=tally if at > 40 else Tally(), value=skin))
        health = judge("board", hub.streams["board"], opened, now_s)
        return health.level, health.message

    assert light(None, None, 5.0) == ("well", "")
    assert light(None, None, 9.0)[0] == "act"
    assert "lost 7 samples" in light(None, Tally(lost=5, corrupt=2), 5.0)[1]
    assert "end of its range" in light(4095, None, 5.0)[1]
    assert "an electrode is off" in light(100, None, 5.0)[1]


def test_a_slow_stream_is_silent_when_three_samples_are_overdue(tmp_path: Path) -> None:
    hub, opened = Hub(FakeClock(), tmp_path), PumpStatus("open", since_s=0.0)
    hub.open(StreamInfo("it", (Channel("skin_temperature", "lsl"),), 0.2, "float32", (1,)))

    def light(now_s: float) -> tuple[str, str]:
        health = judge("it", hub.streams["it"], opened, now_s)
        return health.level, health.message.split(";")[0]

    assert light(4.0) == ("well", ""), "its first sample may take five seconds"
    for at_s in (5.0, 10.0, 15.0, 20.0):
        hub.offer(Chunk("it", np.array([at_s]), np.full((1, 1), 33.0, np.float32), at_s))
        assert light(at_s + 4.5) == ("well", "")
    assert light(36.0) == ("act", "it has been silent for 16 s. Check its cable and power, then Retry.")


def test_a_frame_is_shown_smaller_and_sound_as_its_level(tmp_path: Path) -> None:
    hub = Hub(FakeClock(), tmp_path)
    camera = StreamInfo("camera", (Channel("rgb", "rgb"),), 30.0, "uint8", (720, 1280, 3))
    sound = StreamInfo("sound", (Channel("sound", "audio"),), 48_000.0, "int16", (1,))
    hub.open(camera)
    hub.open(sound)
    hub.offer(Chunk("camera", np.array([1.0]), np.full((1, 720, 1280, 3), 7, np.uint8), 1.0))
    tone = (np.sin(np.arange(4800) * 0.1) * 32767 / 10).astype(np.int16)[:, None]
    hub.offer(Chunk("sound", np.arange(4800) / 48_000, tone, 0.1))
    slot, ring = hub.streams["camera"].ring, hub.streams["sound"].ring
    assert isinstance(slot, FrameSlot) and isinstance(ring, SampleRing)
    frame = slot.read()
    assert frame is not None and max(frame[1].shape) <= 480 and (frame[1] == 7).all()
    assert np.allclose(ring.newest(2)[1], -23.01, atol=0.05)  # a tenth of full scale: -20 dB, RMS -3


def test_threads_of_a_stopped_pump_are_gone(tmp_path: Path) -> None:
    clock, others = SessionClock(), set(threading.enumerate())
    pump = Pump("board", Scripted(clock), clock, Hub(clock, tmp_path), lambda event: None)
    pump.start()
    pump.stop()
    assert pump.join(60)
    assert "pump-board" not in {thread.name for thread in set(threading.enumerate()) - others}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what is shown is in memory on Linux alone")
def test_where_memory_has_no_room_for_what_is_shown_it_lies_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container's memory files may take 64 MB in all; an instrument is recorded whatever is shown of it."""
    memory, disk = tmp_path / "memory", tmp_path / "disk"
    memory.mkdir()
    disk.mkdir()
    has_room = os.posix_fallocate

    def fallocate(number: int, start: int, length: int) -> None:
        if Path(f"/proc/self/fd/{number}").resolve().parent == memory:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        has_room(number, start, length)

    monkeypatch.setattr(os, "posix_fallocate", fallocate)
    hub, board = Hub(FakeClock(), memory, spare=disk), made.BOARD
    hub.open(board)
    ring = hub.streams[board.name].ring
    assert ring.path.parent == disk and not list(memory.iterdir())
    hub.offer(made.chunk(board, 0, 10, 250.0))
    assert hub.streams[board.name].samples == 10
