"""What can be searched in a file: its bytes, unpacked where they are packed, and as text where they are.

gzip, bzip2, xz     what is in it
zip                 names and contents of its members, packed ones among them: .xlsx, .docx, .odt, .npz
UTF-16, UTF-32      also without the NULs that stand between letters

Of anything else that is packed (7z, rar, zstd, PDF) only the bytes as they lie there; pictures and sound
have no words to be searched.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import IO, Any

LARGEST_BYTES = 64 << 20  # of a file, and again of all that is unpacked from it
DEEPEST = 4  # a table in a document in an archive, and one to spare
_STREAMS: Mapping[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
_ZIPS = (b"PK\3\4", b"PK\5\6")
_DRAWN = b"/Creator (emolab)"  # a figure of ours: its words are drawn, as in a PNG
_CLOSED = (b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\x28\xb5\x2f\xfd", b"%PDF")
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, RuntimeError)  # or a password
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Unseen(ValueError):
    """Something could not be looked into, or not into all of it."""


def texts(path: Path) -> Iterator[bytes]:
    """All that can be searched in a file. Raises `Unseen`, after what could be read, when that is not all."""
    try:
        with path.open("rb") as file:
            yield from _Unpacking().of(_at_most(LARGEST_BYTES, file))
    except (OSError, EOFError, ValueError, *_DAMAGED) as error:
        raise Unseen(f"{path} was not looked into: {error}") from error


def _at_most(count: int, stream: IO[bytes]) -> bytes:
    raw = stream.read(count + 1)
    if len(raw) > count:
        raise Unseen("it is too large")
    return raw


class _Unpacking:
    """Of one file; a small one may be made to unpack to petabytes."""

    def __init__(self) -> None:
        self._left_bytes = LARGEST_BYTES

    def of(self, raw: bytes, depth: int = 0) -> Iterator[bytes]:
        if depth > DEEPEST:
            raise Unseen("it is packed too often")
        opened = next((how for sign, how in _STREAMS.items() if raw.startswith(sign)), None)
        if opened is not None:
            with opened(BytesIO(raw)) as stream:
                yield from self.of(self._read(stream), depth + 1)
        elif raw.startswith(_ZIPS):
            with zipfile.ZipFile(BytesIO(raw)) as box:
                for member in box.infolist():
                    yield member.filename.encode("utf-8", "replace")
                    with box.open(member) as stream:
                        yield from self.of(self._read(stream), depth + 1)
        else:
            yield raw
            if raw.startswith(_UTF_16):
                yield raw.decode("utf-16", "replace").encode("utf-8", "replace")
            if b"\0" in raw:
                yield raw.replace(b"\0", b"")
            if raw.startswith(_CLOSED) and _DRAWN not in raw:
                raise Unseen("it is packed in a way that is not known here")

    def _read(self, stream: IO[bytes]) -> bytes:
        raw = _at_most(self._left_bytes, stream)
        self._left_bytes -= len(raw)
        return raw
