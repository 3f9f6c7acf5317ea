"""Bytes from a serial port, stamped as they are taken over, and every failure with its remedy.

`port` is whatever pyserial can open: a plain port (`/dev/ttyUSB0`, `COM3`) or an address
(`socket://host:port`, `rfc2217://host:port`, `loop://`). A plain port is opened exclusively, so
two programs never share the bytes of one board. A board that is put back into the USB socket it was
pulled from is found there, also when the system gives its port another name.

After each read the link rests for eight milliseconds, then takes what is there or waits for the
next byte. At 1000 samples a second that saves nine wake-ups in ten; what USB hands over in bursts
is stamped at the burst; and as the rest does not keep step with the board, the newest sample's
lateness sweeps through all values from zero, which `stamps` needs. A board that counts nothing is
read with a shorter rest, a row at a time: when its rows came is all there is to know of its pauses.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import serial
from serial.tools import list_ports

from emolab.core.clock import Clock
from emolab.core.errors import ConfigError, DeviceError, DeviceNotFound

# pyserial has more: spy:// writes what it hears over any file its address names
SCHEMES = ("cp2110", "hwgrep", "loop", "rfc2217", "socket")
REST_S = 0.008
WAIT_S = 0.02
MOST_BYTES = 1 << 16

Board = tuple[int, int | None, str | None, str]  # USB maker, model, serial number if it has one, and socket


def known_ports() -> list[str]:
    """Names of the serial ports this machine lists. Pseudo-terminals are never among them."""
    return sorted(port.device for port in list_ports.comports())


def known_boards() -> dict[str, Board]:
    """The ports on USB by name, each with what tells its board from others: makers repeat serial numbers."""
    return {
        port.device: (port.vid, port.pid, port.serial_number, port.location)
        for port in list_ports.comports()
        if port.vid is not None and port.location
    }


def check_port(port: str) -> str:
    """The port as it is. Raises `ValueError` for an address of a sort pyserial does not know."""
    if not port.strip():
        raise ValueError("the port is empty; give a port or an address")
    scheme, mark, _ = port.partition("://")
    if mark and scheme not in SCHEMES:
        raise ValueError(f"unknown sort of address {scheme}://; known are {', '.join(SCHEMES)}")
    return port


class SerialLink:
    """An open port. `name` is the instrument's, for the errors; used by one thread.

    `rest_s`: between two reads.
    """

    def __init__(
        self,
        name: str,
        port: str,
        baud: int,
        clock: Clock,
        ports: Callable[[], Sequence[str]] = known_ports,
        rest_s: float = REST_S,
        boards: Callable[[], Mapping[str, Board]] = known_boards,
    ) -> None:
        self.name = name
        self.port = port
        self.baud = baud
        self._clock = clock
        self._ports = ports
        self._boards = boards
        self._board: Board | None = None  # the one that was behind the port when it was first opened
        self._rest_s = rest_s
        self._serial: serial.SerialBase | None = None
        self._rested_s = 0.0

    @property
    def is_open(self) -> bool:
        return self._serial is not None

    def open(self) -> None:
        """Open the port and forget what was received before; nothing happens when it is open.

        Raises `DeviceNotFound` when it is not there, `DeviceError` when it is busy, forbidden or
        refuses the speed, `ConfigError` for an address that is none.
        """
        if self._serial is not None:
            return
        try:
            link = serial.serial_for_url(
                self._port_now(), baudrate=self.baud, timeout=WAIT_S, exclusive=True, do_not_open=True
            )
            link.open()
        except (serial.SerialException, OSError) as error:
            raise self._opening_failed(error) from error
        except ValueError as error:
            raise ConfigError(
                f"instrument {self.name!r}: port {self.port!r} at {self.baud} baud: {error}"
            ) from error
        self._serial = link
        if self._board is None and "://" not in self.port:
            device = str(Path(self.port).resolve()) if self.port.startswith("/") else self.port
            self._board = self._boards().get(device)
        self._rested_s = self._clock.now_s()

    def read(self, timeout_s: float) -> tuple[bytes, float]:
        """What has arrived, and when it was in hand (session clock); empty after `timeout_s`.

        Raises `DeviceError` when the port has vanished; it is closed then.
        """
        ends_s = self._clock.now_s() + timeout_s
        while True:
            if self._serial is None:
                raise DeviceError(f"instrument {self.name!r}: port {self.port} is not open; open it first")
            self._clock.sleep(self._rested_s + self._rest_s - self._clock.now_s())
            try:
                data = self._take(self._serial)
            # TypeError and AttributeError: pyserial on a port that another thread has closed
            except (serial.SerialException, OSError, TypeError, AttributeError) as error:
                self.close()
                raise DeviceError(
                    f"instrument {self.name!r}: port {self.port} has gone ({_words(error)}); "
                    "push the cable home at both ends, emolab goes on when it is back"
                ) from error
            arrival_s = self._rested_s = self._clock.now_s()
            if data or arrival_s >= ends_s:
                return data, arrival_s

    def _port_now(self) -> str:
        """The port where the board of before is now; the one asked for when it is not to be found."""
        if self._board is None:
            return self.port
        return next((port for port, board in self._boards().items() if board == self._board), self.port)

    def _take(self, link: serial.SerialBase) -> bytes:
        """What is there, or what comes within `WAIT_S`."""
        if self.port.startswith("socket://"):  # pyserial does not know how much waits in a socket
            return bytes(link.read(MOST_BYTES))
        first = b"" if link.in_waiting else link.read(1)
        return bytes(first + link.read(link.in_waiting))

    def close(self) -> None:
        """Let go of the port. Idempotent, never raises."""
        link, self._serial = self._serial, None
        if link is not None:
            # a port that has gone cannot even be closed; nothing is left to let go of
            with suppress(serial.SerialException, OSError):
                link.close()

    def _opening_failed(self, error: Exception) -> DeviceError:
        """The error for a port that would not open: what, where, what next."""
        start = f"instrument {self.name!r}: "
        number, words = getattr(error, "errno", None), _words(error)
        if "://" in self.port:
            return DeviceNotFound(
                f"{start}nothing answers at {self.port} ({words}); check address, network and that the "
                "serial server is running"
            )
        if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV) or "FileNotFoundError" in words:
            there = ", ".join(self._ports()) or "none"
            return DeviceNotFound(
                f"{start}there is no port {self.port}; plug the board's USB cable in or correct 'port' "
                f"(ports there now: {there})"
            )
        # Windows says PermissionError for a port that another program holds
        if (
            number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK)
            or "lock port" in words
            or (sys.platform == "win32" and "PermissionError" in words)
        ):
            return DeviceError(
                f"{start}port {self.port} is held by {_holder(self.port)}; close that program "
                "(a serial monitor, another emolab) and try again"
            )
        if number in (errno.EACCES, errno.EPERM):
            return DeviceError(
                f"{start}this user may not open {self.port}; run 'sudo usermod -aG dialout $USER' "
                "and log in again"
            )
        return DeviceError(
            f"{start}port {self.port} does not open at {self.baud} baud ({words}); check 'baud', then unplug "
            "the board and plug it in again"
        )


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


def _holder(port: str) -> str:
    """Which process has the port open, as far as Linux tells; `another program` elsewhere."""
    target = Path(port).resolve()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(link.resolve() == target for link in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:
            continue  # ended meanwhile, or another user's
    return "another program"
