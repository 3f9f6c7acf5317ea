"""PhysioKit: bytes sent, rows expected; then a board as a program of its own on a pseudo-terminal."""

from __future__ import annotations

import os
import sys
import tty
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emolab.core.clock import SessionClock
from emolab.core.errors import ConfigError, DeviceError, DeviceTimeout
from emolab.devices import physiokit
from emolab.devices.physiokit import LineParser, PhysioKit
from tests.devices.boards import logged, playing, read_until, wait_for
from tests.fakes import FakeClock

LINGER = ("--linger", "5")  # a port that goes takes along what a busy machine has not read yet
needs_pty = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A board that a busy machine keeps waiting is not called silent."""
    monkeypatch.setattr(physiokit, "SILENT_S", 60.0)


def board_on(port: str, **keys: object) -> tuple[PhysioKit, SessionClock]:
    clock = SessionClock()
    table = {"kind": "physiokit", "name": "board", "port": port, "nominal_rate_hz": 250, **keys}
    return PhysioKit.from_config(table, clock), clock


def test_rows_come_out_of_lines_and_the_first_partial_one_is_dropped_uncounted() -> None:
    parser = LineParser(4, 1023)
    numbers, rows = parser.feed(b"12,498\r\n512,498,77,1023\r\n0,1,2,3\r\n4,5,6")
    assert (numbers, rows) == ([0, 1], [(512, 498, 77, 1023), (0, 1, 2, 3)])
    assert parser.feed(b",7\r\n") == ([2], [(4, 5, 6, 7)])
    assert parser.corrupt == 0


@pytest.mark.parametrize(
    "line",
    [b"1,2,3", b"1,2,3,4,5", b"1,,3,4", b"1,2,3,x", b"-1,2,3,4", b"1, 2,3,4", b"1,2,3,1024", b"",
     b"1.0,2,3,4", b"1,2,3,\xd9\xa3", b"9" * 500, b"0" * 30 + b"1,2,3,4",
     b"1,2\r,3,4"],
)  # fmt: skip
def test_line_that_is_no_sample_is_counted_and_keeps_its_place(line: bytes) -> None:
    parser = LineParser(4, 1023)
    numbers, rows = parser.feed(b"\r\n1,1,1,1\r\n" + line + b"\r\n2,2,2,2\r\n")
    assert (numbers, rows) == ([0, 2], [(1, 1, 1, 1), (2, 2, 2, 2)])
    assert parser.corrupt == 1


LINES = st.one_of(
    st.lists(st.integers(0, 1100), min_size=1, max_size=5).map(lambda row: ",".join(map(str, row)).encode()),
    st.binary(max_size=60),
)


@given(st.lists(LINES, max_size=12), st.lists(st.integers(0, 400), max_size=10))
def test_rows_do_not_depend_on_how_the_bytes_are_cut(lines: list[bytes], cuts: list[int]) -> None:
    wire = b"\r\n".join(lines)
    whole, cut = LineParser(4, 1023), LineParser(4, 1023)
    expected = whole.feed(wire)
    edges = [0, *sorted(min(at, len(wire)) for at in cuts), len(wire)]
    numbers, rows = [], []
    for left, right in pairwise(edges):
        some_numbers, some_rows = cut.feed(wire[left:right])
        numbers += some_numbers
        rows += some_rows
    assert (numbers, rows) == expected
    assert (cut.corrupt, cut.lines) == (whole.corrupt, whole.lines)


@given(st.lists(st.lists(st.integers(0, 65535), min_size=2, max_size=2), max_size=50))
def test_every_row_sent_comes_back(rows: list[list[int]]) -> None:
    wire = b"7\r\n" + b"".join(f"{a},{b}\r\n".encode() for a, b in rows)
    parser = LineParser(2, 65535)
    assert parser.feed(wire)[1] == [tuple(row) for row in rows]
    assert parser.corrupt == 0


def test_wide_converters_get_wide_numbers() -> None:
    assert board_on("loop://")[0].info.dtype == "uint16"
    assert board_on("loop://", adc_bits=24)[0].info.dtype == "uint32"


def test_too_many_channels_are_refused() -> None:
    with pytest.raises(ConfigError, match="instrument 'board': key 'channels'"):
        board_on("loop://", channels=["gsr", "respiration", "ppg_finger", "ppg_ear", "ppg"])


@needs_pty
@pytest.mark.usefixtures("patient")
def test_every_line_of_a_board_at_275_hz_arrives_at_its_true_time(tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = ("--pattern", "count", "--seconds", "4", "--burst-ms", "16", *LINGER)
    with playing("physiokit_board", log, *options) as port:
        board, clock = board_on(port)
        board.open()
        chunks = read_until(board, lambda _: False)
        board.close()
    sent = logged(log, "line")
    samples = np.concatenate([chunk.samples for chunk in chunks])
    times_s = np.concatenate([chunk.times_s for chunk in chunks])
    assert samples.tolist() == [row for _, row in sent]
    assert len(sent) == 4 * 275
    tally = chunks[-1].tally
    assert tally is not None and (tally.corrupt, tally.reopened) == (0, 0)
    # the line's 1.3 ms on the wire are not to be seen from here, so rates are compared, and spreads
    assert (len(times_s) - 1) / (times_s[-1] - times_s[0]) == pytest.approx(275, rel=1e-3)
    late_ms = 1e3 * (times_s - [clock.at(captured_ns) for captured_ns, _ in sent])
    assert 0 < np.median(late_ms) < 6
    assert all(chunk.times_s[-1] <= chunk.arrival_s for chunk in chunks)
    assert np.all(np.diff(times_s) > 0)


@needs_pty
@pytest.mark.usefixtures("patient")
def test_garbage_is_counted_line_by_line_and_costs_no_other_row(tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = ("--pattern", "count", "--seconds", "1.5", "--garbage-every", "25", *LINGER)
    with playing("physiokit_board", log, *options) as port:
        board, _ = board_on(port)
        board.open()
        chunks = read_until(board, lambda _: False)
        board.close()
    assert np.concatenate([chunk.samples for chunk in chunks]).tolist() == [
        row for _, row in logged(log, "line")
    ]
    garbage = [line for line in log.read_text().splitlines() if "\tgarbage\t" in line]
    assert chunks[-1].tally is not None
    assert len(garbage) == chunks[-1].tally.corrupt == 16


@needs_pty
@pytest.mark.usefixtures("patient")
def test_pulled_and_replugged_board_goes_on_with_a_jump(tmp_path: Path) -> None:
    log, link = tmp_path / "log", tmp_path / "ttyBOARD"
    options = ("--unplug-at", "2", "--replug-after", "0.5", "--seconds", "4", "--link", str(link))
    with playing("physiokit_board", log, "--pattern", "count", *options):
        board, _ = board_on(str(link))
        board.open()
        before = read_until(board, lambda _: False)
        board.close()
        wait_for(link)
        board.open()
        after = read_until(board, lambda chunks: len(chunks) > 20)
        board.close()
    assert before[-1].tally is not None and before[-1].tally.reopened == 0
    assert after[-1].tally is not None and after[-1].tally.reopened == 1
    assert after[0].times_s[0] - before[-1].times_s[-1] > 0.5
    period_s = np.diff(np.concatenate([chunk.times_s for chunk in after]))
    assert np.median(period_s) == pytest.approx(1 / 275, rel=0.01)


@needs_pty
def test_silence_and_the_wrong_speed_are_told_apart_from_an_unplugged_cable() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    clock = FakeClock()
    table = {"kind": "physiokit", "name": "board", "port": os.ttyname(slave)}
    board = PhysioKit.from_config(table, clock)
    try:
        board.open()
        os.write(master, b"\xf0\x80\n\xff\xf1\n")
        with pytest.raises(
            DeviceTimeout, match=r"no sample on .* for 5 s \(1 lines .*check 'baud' \(115200\)"
        ):
            for _ in range(100):
                board.read(0.1)
                clock.advance(1)
        with pytest.raises(DeviceError, match="not open"):
            board.read(0.1)
    finally:
        board.close()
        os.close(slave)
        os.close(master)
