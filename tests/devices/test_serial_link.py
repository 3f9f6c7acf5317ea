"""The link on pseudo-terminals, sockets and pyserial's loop; each failure names its remedy."""

from __future__ import annotations

import os
import select
import socket
import sys
import tty
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from emolab.core.clock import SessionClock
from emolab.core.errors import DeviceError, DeviceNotFound
from emolab.devices.serial_link import SerialLink, check_port
from tests.fakes import FakeClock

needs_pty = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")


@pytest.fixture
def cable() -> Iterator[tuple[int, str]]:
    """The board's end of a pseudo-terminal, and the port's path."""
    board, port = os.openpty()
    tty.setraw(port)
    try:
        yield board, os.ttyname(port)
    finally:
        os.close(port)
        with suppress(OSError):  # the test may have pulled it
            os.close(board)


def link_to(port: str) -> SerialLink:
    return SerialLink("board", port, 115200, SessionClock(), ports=lambda: ["/dev/ttyX0"])


@needs_pty
def test_bytes_arrive_whole_with_the_time_they_were_in_hand(cable: tuple[int, str]) -> None:
    board, port = cable
    clock = SessionClock()
    link = SerialLink("board", port, 115200, clock)
    link.open()
    sent_s = clock.now_s()
    os.write(board, bytes(range(256)))
    data, arrival_s = link.read(20.0)
    assert data == bytes(range(256))
    assert sent_s < arrival_s <= clock.now_s()
    link.close()


@needs_pty
def test_nothing_is_an_empty_answer_after_the_timeout(cable: tuple[int, str]) -> None:
    link = link_to(cable[1])
    link.open()
    assert link.read(0.03)[0] == b""
    link.close()


@needs_pty
def test_what_was_sent_before_opening_is_forgotten(cable: tuple[int, str]) -> None:
    board, port = cable
    os.write(board, b"old")
    reader = os.open(port, os.O_RDONLY | os.O_NOCTTY)
    assert select.select([reader], [], [], 20.0)[0]  # it has crossed
    os.close(reader)
    link = link_to(port)
    link.open()
    os.write(board, b"new")
    assert link.read(20.0)[0] == b"new"
    link.close()


@needs_pty
def test_a_board_that_comes_back_under_another_name_is_found(cable: tuple[int, str]) -> None:
    board, port = cable
    uno, other = (0x2341, 0x43, None, "1-1"), (0x2341, 0x43, None, "1-2")
    there = {port: uno}
    link = SerialLink("board", port, 115200, SessionClock(), boards=lambda: there)
    link.open()
    os.close(board)
    with pytest.raises(DeviceError, match="has gone"):
        for _ in range(10):
            link.read(0.1)
    back, far = os.openpty()
    tty.setraw(far)
    there = {port: other, os.ttyname(far): uno}  # one just like it has taken the old name
    link.open()
    os.write(back, b"here")
    assert link.read(20.0)[0] == b"here"
    link.close()
    os.close(back)
    os.close(far)


@needs_pty
def test_pulled_cable_is_told_and_the_link_is_closed(cable: tuple[int, str]) -> None:
    board, port = cable
    link = link_to(port)
    link.open()
    os.close(board)
    with pytest.raises(DeviceError, match=r"instrument 'board': port .* has gone .*push the cable home"):
        for _ in range(10):
            link.read(0.1)
    assert not link.is_open


@needs_pty
def test_second_program_is_told_who_holds_the_port(cable: tuple[int, str]) -> None:
    first, second = link_to(cable[1]), link_to(cable[1])
    first.open()
    try:
        with pytest.raises(DeviceError, match=r"is held by .*; close that program") as caught:
            second.open()
        if Path("/proc").is_dir():
            assert f"(process {os.getpid()})" in str(caught.value)
    finally:
        first.close()
    second.open()
    second.close()


def test_missing_port_lists_those_that_are_there() -> None:
    missing = "COM99" if sys.platform == "win32" else "/dev/ttyNOT9"
    with pytest.raises(DeviceNotFound, match=r"there is no port .*ports there now: /dev/ttyX0"):
        link_to(missing).open()


@pytest.mark.skipif(sys.platform == "win32", reason="file permissions of its own sort")
def test_forbidden_port_names_the_group(monkeypatch: pytest.MonkeyPatch, cable: tuple[int, str]) -> None:
    def refuse(*args: object) -> int:
        raise PermissionError(13, "Permission denied")

    link = link_to(cable[1])
    with monkeypatch.context() as patched, pytest.raises(DeviceError, match=r"usermod -aG dialout \$USER"):
        patched.setattr(os, "open", refuse)
        link.open()


def test_socket_works_as_a_port_and_its_end_is_noticed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = link_to(f"socket://127.0.0.1:{server.getsockname()[1]}")
        link.open()
        peer, _ = server.accept()
        with peer:
            peer.sendall(b"1,2\r\n")
            assert link.read(20.0)[0] == b"1,2\r\n"
        with pytest.raises(DeviceError, match="has gone"):
            link.read(20.0)


def test_address_where_nobody_listens_is_not_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
    with pytest.raises(DeviceNotFound, match=r"nothing answers at socket://.*serial server is running"):
        link_to(f"socket://127.0.0.1:{number}").open()


def test_loop_is_a_port_that_never_ends_and_closing_twice_is_fine() -> None:
    link = SerialLink("board", "loop://", 9600, FakeClock())
    link.open()
    link.open()
    assert link.read(0.01)[0] == b""
    link.close()
    link.close()
    with pytest.raises(DeviceError, match="is not open"):
        link.read(0.01)


@pytest.mark.parametrize("port", ["", "  ", "sokcet://host:1"])
def test_odd_ports_are_refused_before_opening(port: str) -> None:
    with pytest.raises(ValueError, match=r"empty|unknown sort of address"):
        check_port(port)
