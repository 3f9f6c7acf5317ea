"""A file whose writer died or whose end is cut off, opened as if it had been closed in order.

Such a file says of itself that it is being written, and where it ought to end; HDF5 then reads it in
one way only, made for files that change under its hands: whatever does not fit its checksum is
read again and again, ever more slowly, without end. Here the 48 bytes that say so are put right in
memory, on the way to HDF5: what is damaged is told at once, and so is what lies beyond
the true end (HDF5 would take it for zeros). The file itself is only read.

    bytes 0-7    signature          12-19  base address         36-43  root group
          8      version, 2 or 3    20-27  extension            44-47  checksum (Jenkins, lookup3)
          9, 10  size of addresses  28-35  end of the file
          11     who is writing
"""

from __future__ import annotations

import io
import struct
from pathlib import Path

import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"
HEAD_BYTES = 48
_HEAD = struct.Struct("<8sBBBBQQQQ")
_WORD = 0xFFFFFFFF


def open_still(path: Path) -> h5py.File:
    """The file, read-only. Raises `OSError` when even so HDF5 cannot open it."""
    return h5py.File(_Still(path), "r", locking=False)


def settled(head: bytes, size: int) -> bytes:
    """The first bytes of a file of `size` bytes as its writer would have left them.

    Those of a form this program does not write come back as they are.
    """
    if len(head) < HEAD_BYTES:
        return head
    signature, version, offset, length, _, base, extension, end, root = _HEAD.unpack_from(head)
    if signature != SIGNATURE or version not in (2, 3) or (offset, length) != (8, 8):
        return head
    whole = _HEAD.pack(signature, version, offset, length, 0, base, extension, max(end, size), root)
    return whole + struct.pack("<I", lookup3(whole)) + head[HEAD_BYTES:]


def lookup3(data: bytes) -> int:
    """Jenkins' hash of 2006, `hashlittle` from zero: what HDF5 checks its own structures with."""
    a = b = c = 0xDEADBEEF + len(data) & _WORD
    words = struct.unpack(f"<{(len(data) + 11) // 12 * 3}I", data.ljust((len(data) + 11) // 12 * 12, b"\0"))
    for at in range(0, len(words), 3):
        a, b, c = (a + words[at]) & _WORD, (b + words[at + 1]) & _WORD, (c + words[at + 2]) & _WORD
        if at + 3 >= len(words):
            break
        for turn in (4, 6, 8, 16, 19, 4):
            a = ((a - c) & _WORD) ^ _rotated(c, turn)
            c = (c + b) & _WORD
            a, b, c = b, c, a
    for turn in (14, 11, 25, 16, 4, 14, 24):
        c = ((c ^ b) - _rotated(b, turn)) & _WORD
        a, b, c = b, c, a
    return b


def _rotated(word: int, by: int) -> int:
    return (word << by | word >> 32 - by) & _WORD


class _Still(io.FileIO):
    """The file with its first bytes put right, as long as it says it is; reading past its end is an error."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        self._size = super().seek(0, io.SEEK_END)
        super().seek(0)
        self._head = settled(super().read(HEAD_BYTES) or b"", self._size)
        self._told_size = self._size
        if self._head[:8] == SIGNATURE and len(self._head) >= HEAD_BYTES:
            self._told_size = max(self._size, _HEAD.unpack_from(self._head)[7])
        super().seek(0)

    def __del__(self) -> None:
        self.close()  # HDF5 lets go of it without closing it

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            offset, whence = self._told_size + offset, io.SEEK_SET
        return super().seek(offset, whence)

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        at = self.tell()
        if at + len(view) > self._size:
            raise OSError(f"{at + len(view) - self._size} bytes are missing at the end of the file")
        done = 0
        while done < len(view) and (step := super().readinto(view[done:])):
            done += step
        if at < len(self._head):
            part = self._head[at : at + done]
            view[: len(part)] = part
        return done
