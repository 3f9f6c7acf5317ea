"""Pickles as Python 2 wrote them: protocol 2, where a text is bytes."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray


def text(word: bytes) -> bytes:
    """A str of Python 2."""
    if len(word) < 256:
        return b"U" + struct.pack("<B", len(word)) + word
    return b"T" + struct.pack("<i", len(word)) + word


def integer(value: int) -> bytes:
    """A small int, of one, two or four bytes."""
    if 0 <= value < 256:
        return b"K" + struct.pack("<B", value)
    return b"M" + struct.pack("<H", value) if 0 <= value < 65536 else b"J" + struct.pack("<i", value)


def dtype(code: str, order: bytes = b"<") -> bytes:
    """NumPy's pickle of a dtype."""
    made = b"cnumpy\ndtype\n" + text(code.encode()) + b"K\x00K\x01\x87R"
    state = integer(3) + text(order) + b"NNN" + integer(-1) + integer(-1) + integer(0)
    return made + b"(" + state + b"tb"


def array(
    values: NDArray[np.generic], content: bytes | None = None, shape: tuple[int, ...] | None = None
) -> bytes:
    """NumPy's pickle of an array; `content` and `shape` to lie about them."""
    empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n" + integer(0) + b"\x85U\x01b\x87R"
    sides = b"(" + b"".join(map(integer, values.shape if shape is None else shape)) + b"t"
    code = dtype(values.dtype.str[1:], values.dtype.str[:1].encode())
    state = (
        b"("
        + integer(1)
        + sides
        + code
        + b"\x89"
        + text(values.tobytes() if content is None else content)
        + b"t"
    )
    return empty + state + b"b"


def dictionary(entries: dict[str, bytes]) -> bytes:
    """A whole pickle of a dict, its values pickled already."""
    pairs = b"".join(
        text(key.encode()) + b"q" + bytes([k]) + value for k, (key, value) in enumerate(entries.items(), 1)
    )
    return b"\x80\x02}q\x00(" + pairs + b"u."
