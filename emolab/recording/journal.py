"""Beside the session file, everything once more and only ever appended: what a power cut leaves whole.

HDF5 changes its own structures in place, and a disk that loses its power keeps any mixture of their
old and new pages: of session files cut so, every second could not be read again, whatever had been
fsynced (`python -m tests.recording.power_cut`). What is appended and then fsynced stays. So whatever
the recorder takes goes here as well; when the session file is closed in order and on the disk, this goes.

Policy: written before each flush of the session file, and each `STEP_S` written and fsynced in a thread
of its own, so that a slow disk delays nobody. A power cut costs what came since the last fsync began:
`STEP_S` and an fsync at worst, or two fsyncs of a disk that takes longer than that; `unsafe_s` is how
long ago that was. (A disk that calls a write done and loses it nevertheless can cost more.)

It costs (`python -m tests.bench.bench_recording`, beside the file's own): a board of 1000 Hz 0.2 % of
a core, a microphone 0.4 %, a camera of 1280x720 1.2 %; bytes as the packed file, frames of a
thermal camera uncompressed.

It lies beside the session file, hidden. Where that is on another disk than the user's state folder (a
network drive, a stick), it lies in that folder: then the recording outlives the drive.

    "emolab journal 1", 8 random bytes: the salt; then frames:
    4 bytes "\\xe5frm"    u32 number, from 0    u32 length of `small`    u64 length of `bulk`
    u32 CRC-32 of salt, number, both lengths, `small`, `bulk`
    `small`, zlib: entries (see `entries`), the head first
    `bulk`: their packets and frames, in order

It holds until the first frame that is not whole.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from emolab.core.disk import sync_folder
from emolab.core.errors import DataError, RecordingError
from emolab.core.event import Event
from emolab.recording.entries import End, Head, Item, decode, encode, end_bytes, head_bytes, size_of

STEP_S = 0.25
LEAST_REST_S = 0.05  # between two fsyncs of a slow disk
ROOM_BYTES = 256 << 20  # what may wait for a disk that stands still
LEAST_FREE_BYTES = 64 << 20  # then it makes room for the session file

MAGIC = b"emolab journal 1"
SALT_BYTES = 8
FRAME_MAGIC = b"\xe5frm"
FRAME = struct.Struct("<4sIIQI")
SMALL_BYTES = 512 << 20  # what `small` of one frame may come to

_log = logging.getLogger(__name__)


class Journal:
    """One session's journal, open for appending; made at once. Raises `OSError` when it cannot be.

    `beat`: called each `STEP_S` in its thread, as long as that runs. `is_needed`: set when the session file
    is lost; then what there is of the journal stays, whatever happens. `error`: why nothing more is kept.
    """

    def __init__(self, path: Path, head: Head, beat: Callable[[], None] = lambda: None) -> None:
        self.path = path
        self.error: OSError | None = None
        self.is_needed = False
        self.safe_until_s = head.zero_s
        self._zero_s = head.zero_s
        self._beat = beat
        self._outcome: str | None = None
        self._items: list[Item] = []
        self._bytes = 0
        self._number = 0
        self._newest_s = self._whole_until_s = head.zero_s
        self._since: list[float | None] = [None, None, None]  # oldest that waits, is written, is fsynced now
        self._lock = threading.Lock()  # of what waits
        self._hand = threading.Lock()  # of the file
        self._end = threading.Event()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
        self._file = os.open(path, flags, 0o600)
        self._salt = os.urandom(SALT_BYTES)
        self._put(MAGIC + self._salt)
        self._frame([head_bytes(head)], [])
        sync(self._file)
        for folder in (path.parent, path.parent.parent):  # a participant's folder may be new, too
            sync_folder(folder)
        self._thread = threading.Thread(target=self._run, name="recorder journal", daemon=True)
        self._thread.start()

    @property
    def unsafe_s(self) -> float:
        """For how long the oldest thing that a power cut would cost now has waited to be safe."""
        oldest = [since for since in self._since if since is not None]
        return time.monotonic() - min(oldest) if oldest else 0.0

    def take(self, item: Item) -> None:
        """Keep something; never waits."""
        with self._lock:
            if self.error is not None:
                return
            if self._bytes > ROOM_BYTES:
                self.error = OSError(errno.EIO, "the disk stands still")
                self._items.clear()
                return
            self._items.append(item)
            self._bytes += size_of(item)
            self._since[0] = self._since[0] or time.monotonic()

    def write(self) -> None:
        """Hand what was taken to the operating system, so that it outlives this process."""
        if self._items and self.error is None:
            with self._hand:
                try:
                    if self._file >= 0:
                        self._write()
                except OSError as error:
                    self.error = self.error or error

    def close(self, outcome: str, timeout_s: float = 10.0) -> bool:
        """Put all on the disk, and how the session ended. False when that takes longer or has failed."""
        self._outcome = outcome
        self._end.set()
        self._thread.join(timeout_s)
        return self.error is None and not self._thread.is_alive()

    def discard(self) -> None:
        """End it and remove it: the session file is whole without."""
        self._end.set()
        self._thread.join(10.0)
        with contextlib.suppress(OSError):
            self.path.unlink()

    # its thread

    def _run(self) -> None:
        try:
            rest_s = STEP_S
            while not self._end.wait(rest_s):
                begun = time.monotonic()
                self._beat()
                self._keep()
                rest_s = max(STEP_S - (time.monotonic() - begun), LEAST_REST_S)
            self._keep()
            if self._outcome is not None:
                with self._hand:
                    self._frame([end_bytes(self._outcome)], [])
                sync(self._file)
        except Exception as error:  # whatever it is, the recorder must know that nothing is kept
            if not isinstance(error, OSError):
                _log.exception("the journal ended")
            self._give_up(error if isinstance(error, OSError) else OSError(errno.EIO, str(error)))
            while not self._end.wait(STEP_S):
                self._beat()
        finally:
            with self._hand:
                os.close(self._file)
                self._file = -1

    def _keep(self) -> None:
        if not self.is_needed and shutil.disk_usage(self.path.parent).free < LEAST_FREE_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.write()
        if self.error is not None:
            raise self.error
        with self._hand:
            until_s, self._since[2], self._since[1] = self._whole_until_s, self._since[1], None
        if self._since[2] is not None:
            sync(self._file)
            self.safe_until_s, self._since[2] = until_s, None

    def _give_up(self, error: OSError) -> None:
        """No journal from now on: one that ends too early would be taken for the whole session."""
        with self._lock:
            self.error = self.error or error
            self._items.clear()
        if not self.is_needed:
            with contextlib.suppress(OSError):
                self.path.unlink()

    # the file, for whoever has it in hand

    def _write(self) -> None:
        with self._lock:
            items, self._items, self._bytes = self._items, [], 0
            self._since[1], self._since[0] = self._since[1] or self._since[0], None
        small: list[bytes] = []
        bulk: list[bytes] = []
        for item in items:
            encode(item, self._zero_s, small, bulk)
            time_s = item.time_s if isinstance(item, Event) else item.arrival_s
            if time_s > self._newest_s:  # what came at one time may be on its way still: all before is here
                self._whole_until_s, self._newest_s = self._newest_s, time_s
        self._frame(small, bulk)

    def _frame(self, small: list[bytes], bulk: list[bytes]) -> None:
        packed = zlib.compress(b"".join(small), 1)
        body = b"".join([packed, *bulk])
        sizes = self._number, len(packed), len(body) - len(packed)
        self._put(FRAME.pack(FRAME_MAGIC, *sizes, _crc(self._salt, sizes, body)) + body)
        self._number += 1

    def _put(self, raw: bytes) -> None:
        view = memoryview(raw)
        while view:
            view = view[os.write(self._file, view) :]


def read(path: Path) -> Iterator[Head | Item | End]:
    """Entries of a journal, up to the first frame that is not whole.

    Raises `RecordingError` when it holds not even its head.
    """
    zero_s: float | None = None
    with path.open("rb") as file:
        left = path.stat().st_size - len(MAGIC) - SALT_BYTES
        salt = file.read(len(MAGIC) + SALT_BYTES)[len(MAGIC) :] if left > 0 else b""
        number = 0
        while (frame := _next(file.read(FRAME.size), number, left)) is not None:
            (_, small, bulk), crc = frame
            body = file.read(small + bulk)
            left -= FRAME.size + small + bulk
            if crc != _crc(salt, frame[0], body):
                break
            try:
                opened = zlib.decompressobj()
                entries = opened.decompress(body[:small], SMALL_BYTES)
                for entry in decode(entries, body[small:], zero_s or 0.0):
                    if isinstance(entry, Head) != (zero_s is None):
                        raise DataError("a head that is not the first entry")
                    zero_s = entry.zero_s if isinstance(entry, Head) else zero_s
                    yield entry
            except (zlib.error, DataError) as error:
                _log.warning("%s is damaged: %s", path, error)
                break
            number += 1
    if zero_s is None:
        raise RecordingError(f"{path} is no journal of a session, or nothing is left of it")


def sync(handle: int) -> None:
    """Have what was written on the disk itself; Apple's fsync stops at the disk's own cache."""
    try:
        from fcntl import F_FULLFSYNC, fcntl  # type: ignore[attr-defined,unused-ignore]
    except ImportError:
        getattr(os, "fdatasync", os.fsync)(handle)
    else:
        try:
            fcntl(handle, F_FULLFSYNC)
        except OSError:  # a file system that cannot
            os.fsync(handle)


def _next(raw: bytes, number: int, left: int) -> tuple[tuple[int, int, int], int] | None:
    """Number and lengths of a frame, and its CRC; None where no further frame is."""
    if len(raw) < FRAME.size:
        return None
    magic, told, small, bulk, crc = FRAME.unpack(raw)
    if magic != FRAME_MAGIC or told != number or FRAME.size + small + bulk > left:
        return None
    return (told, small, bulk), crc


def _crc(salt: bytes, sizes: tuple[int, int, int], body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(salt + struct.pack("<IIQ", *sizes)))
