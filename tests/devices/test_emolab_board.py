"""emolab's board as a source: counts and times against what a simulated board says it did."""

from __future__ import annotations

import os
import sys
import tty
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emolab.core.clock import SessionClock
from emolab.core.errors import DeviceError, DeviceTimeout
from emolab.devices import emolab_board
from emolab.devices.emolab_board import EmolabBoard
from emolab.devices.framing import Hello, encode_hello
from tests.devices.boards import logged, playing, read_until, wait_for
from tests.fakes import FakeClock

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")


LINGER = ("--linger", "5")  # a port that goes takes along what a busy machine has not read yet


def board_on(port: str, **keys: object) -> tuple[EmolabBoard, SessionClock]:
    clock = SessionClock()
    return EmolabBoard.from_config(
        {"kind": "emolab_board", "name": "board", "port": port, **keys}, clock
    ), clock


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A board that a busy machine keeps waiting is not called silent."""
    monkeypatch.setattr(emolab_board, "HELLO_S", 60.0)
    monkeypatch.setattr(emolab_board, "SILENT_S", 60.0)


@pytest.fixture
def cable() -> Iterator[tuple[int, str]]:
    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    os.close(slave)
    os.close(master)


@pytest.mark.usefixtures("patient")
def test_board_tells_rate_bits_and_firmware_itself(tmp_path: Path) -> None:
    with playing(
        "framed_board", tmp_path / "log", "--rate", "500", "--channels", "2", "--bits", "18"
    ) as port:
        board, _ = board_on(port, channels=["gsr", "ppg_finger"])
        board.open()
        assert board.info.nominal_rate_hz == 500
        assert (board.info.dtype, board.info.sample_shape) == ("uint32", (2,))
        assert (board.info.instrument["firmware"], board.info.instrument["bits"]) == ("1.0", 18)
        board.close()


@pytest.mark.usefixtures("patient")
def test_lost_damaged_and_doubled_samples_are_counted_exactly(tmp_path: Path) -> None:
    log = tmp_path / "log"
    faults = ("--dropped", "50", "--damaged", "77", "--doubled", "91", "--seconds", "2", *LINGER)
    wraps = ("--first-counter", "65400", "--first-us", "4294467295", "--drift-ppm", "2000")
    with playing("framed_board", log, "--rate", "275", *faults, *wraps) as port:
        board, clock = board_on(port)
        board.open()
        chunks = read_until(board, lambda _: False)
        board.close()
    sent = logged(log, "sent", "doubled")
    assert np.concatenate([chunk.samples for chunk in chunks]).tolist() == [row[2:] for _, row in sent]
    counter = np.concatenate([chunk.counter for chunk in chunks if chunk.counter is not None])
    assert counter.tolist() == [row[0] for _, row in sent]
    device_us = np.concatenate([chunk.device_us for chunk in chunks if chunk.device_us is not None])
    assert device_us.tolist() == [row[1] for _, row in sent]
    tally = chunks[-1].tally
    assert tally is not None
    assert tally.lost == counter[-1] - counter[0] + 1 - len(sent)
    assert tally.corrupt == len(logged(log, "damaged"))
    assert tally.duplicated == len(logged(log, "doubled"))
    assert tally.reopened == 0
    times_s = np.concatenate([chunk.times_s for chunk in chunks])
    late_ms = 1e3 * (times_s - [clock.at(captured_ns) for captured_ns, _ in sent])
    assert 0 < np.median(late_ms) < 6
    assert np.all(np.diff(times_s) > 0)


@pytest.mark.usefixtures("patient")
def test_reset_button_is_noticed_and_is_no_loss(tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = ("--rate", "250", "--reset-at", "1", "--seconds", "2", *LINGER)
    with playing("framed_board", log, *options) as port:
        board, _ = board_on(port)
        board.open()
        chunks = read_until(board, lambda _: False)
        board.close()
    assert sum(map(len, chunks)) == len(logged(log, "sent")) == 500
    tally = chunks[-1].tally
    assert tally is not None and (tally.lost, tally.corrupt, tally.reopened) == (0, 0, 1)
    times_s = np.concatenate([chunk.times_s for chunk in chunks])
    assert np.all(np.diff(times_s) > 0)


@pytest.mark.usefixtures("patient")
def test_replugged_board_is_reopened_once(tmp_path: Path) -> None:
    log, link = tmp_path / "log", tmp_path / "ttyBOARD"
    options = ("--unplug-at", "1", "--replug-after", "0.2", "--seconds", "3", "--link", str(link))
    with playing("framed_board", log, "--rate", "250", *options):
        board, _ = board_on(str(link))
        board.open()
        before = read_until(board, lambda _: False)
        wait_for(link)
        board.open()
        after = read_until(board, lambda chunks: len(chunks) > 5)
        board.close()
    tally = after[-1].tally
    assert tally is not None and (tally.lost, tally.reopened) == (0, 1)
    assert after[0].times_s[0] > before[-1].times_s[-1]
    assert after[0].counter is not None and before[-1].counter is not None
    assert after[0].counter[0] == before[-1].counter[-1] + 1


@pytest.mark.usefixtures("patient")
def test_a_board_that_ran_on_is_back_before_its_next_hello(tmp_path: Path) -> None:
    log, link = tmp_path / "log", tmp_path / "ttyBOARD"
    options = ("--unplug-at", "1", "--replug-after", "0.2", "--seconds", "3", "--link", str(link))
    with playing("framed_board", log, "--rate", "250", "--keeps-running", "--hello-s", "60", *options):
        board, _ = board_on(str(link))
        board.open()
        before = read_until(board, lambda _: False)
        wait_for(link)
        board.open()
        after = read_until(board, lambda chunks: len(chunks) > 5)
        board.close()
    assert after[0].counter is not None and before[-1].counter is not None
    missed = int(after[0].counter[0] - before[-1].counter[-1]) - 1
    tally = after[-1].tally
    assert tally is not None and (tally.lost, tally.corrupt, tally.reopened) == (missed, 0, 1)
    assert missed >= 50


def test_silent_board_is_told_to_be_reset(cable: tuple[int, str]) -> None:
    board = EmolabBoard.from_config({"kind": "emolab_board", "name": "board", "port": cable[1]}, HastyClock())
    with pytest.raises(DeviceTimeout, match=r"nothing came for 4 s; press the board's reset"):
        board.open()
    board.close()


def test_other_bytes_name_baud_and_sketch(cable: tuple[int, str]) -> None:
    board, _ = board_on(cable[1])
    board._clock = board._link._clock = Sender(cable[0], b"512,511\r\n")  # type: ignore[assignment]
    with pytest.raises(DeviceError, match=r"sends \d+ bytes but no hello .*check 'baud' \(250000\)"):
        board.open()


def test_other_number_of_channels_is_refused_with_the_remedy(cable: tuple[int, str]) -> None:
    board, _ = board_on(cable[1], channels=["gsr"])
    board._link._clock = Sender(cable[0], b"\0" + encode_hello(Hello((1, 0), 4, 10, 250.0)))
    with pytest.raises(DeviceError, match=r"sends 4 channels, but 'channels' names 1; name each one"):
        board.open()


class HastyClock(FakeClock):
    """A clock that runs fifty times as fast as those who sleep on it think."""

    def sleep(self, seconds: float) -> None:
        super().sleep(50 * seconds)


class Sender(FakeClock):
    """A clock on which a board sends the same bytes whenever somebody sleeps."""

    def __init__(self, master: int, data: bytes) -> None:
        super().__init__()
        self._master = master
        self._data = data

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        os.write(self._master, self._data)
