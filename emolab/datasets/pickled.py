"""Arrays out of a pickle, without running what it says: nothing is called, nothing is copied.

    arrays = read_arrays(Path("s01.dat"))       # {"data": (40, 40, 8064), "labels": (40, 4)}, read-only
    arrays["data"][3, 36]                       # one channel of one trial: the rest stays on disk

A pickle is a program; loading one from somewhere runs whatever its author liked. Here the few of its commands
that make a dictionary of NumPy arrays are understood, and any other ends the reading. The names it gives are
compared with those that NumPy writes, never looked up. Arrays are views of the mapped file: a length that
is told but not there is an error, not an allocation. Read are protocols 1 to 3, of Python 2 and 3.
"""

from __future__ import annotations

import math
import mmap
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import DataError, shown

MOST_COMMANDS = 10_000  # the pickle of two arrays has sixty
LONGEST_NAME = 200
NUMBERS = re.compile("[fiub][0-9]{1,2}")  # nothing that points anywhere
ARRAY, DTYPE, RECONSTRUCT, ENCODE = "ndarray", "dtype", "_reconstruct", "encode"
NAMES = {
    ("numpy", ARRAY): ARRAY,
    ("numpy", DTYPE): DTYPE,
    ("numpy.core.multiarray", RECONSTRUCT): RECONSTRUCT,
    ("numpy._core.multiarray", RECONSTRUCT): RECONSTRUCT,
    ("_codecs", ENCODE): ENCODE,  # how Python 3 writes bytes for Python 2
}


@dataclass(frozen=True)
class _Name:
    """A name that the pickle gave, and that NumPy gives too."""

    word: str


@dataclass
class _Kind:
    """A dtype in the making."""

    code: str
    order: str = "="


@dataclass
class _Array:
    """An array in the making."""

    values: NDArray[np.generic] | None = None


@dataclass
class _Reading:
    """The mapped file, how far it was read, and what lies on the stack."""

    content: memoryview
    at: int = 0
    stack: list[Any] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)
    encoded: int = 0  # bytes that were copied, in all

    def take(self, size: int) -> memoryview:
        if not 0 <= size <= len(self.content) - self.at:
            raise ValueError("it ends in the middle")
        self.at += size
        return self.content[self.at - size : self.at]

    def number(self, code: str) -> int:
        (value,) = struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))
        return int(value)

    def line(self) -> str:
        near = bytes(self.content[self.at : self.at + LONGEST_NAME])
        word, end, _ = near.partition(b"\n")
        if not end:
            raise ValueError("a name has no end")
        self.at += len(word) + 1
        return word.decode("ascii", "replace")

    def since_mark(self) -> list[Any]:
        start = self.marks.pop()
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def last(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise IndexError("its stack is empty")
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken


def read_arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    """The arrays that a pickled dictionary holds, by name; read-only views of the file.

    Raises `DataError` naming the file when it cannot be read, is cut short, or holds anything but numbers in
    NumPy arrays by name.
    """
    try:
        with path.open("rb") as file:
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:  # ValueError: nothing in it
        raise DataError(f"{path} cannot be read ({error}); copy it again") from error
    try:
        return _run(_Reading(content))
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise DataError(
            f"{path} is no pickle of NumPy arrays ({error}); nothing of it was run; get the file again"
        ) from error


def _run(reading: _Reading) -> dict[str, NDArray[np.generic]]:
    for _ in range(MOST_COMMANDS):
        command = bytes(reading.take(1))
        if command == b".":
            return _arrays(reading.last(1)[0])
        deed = _COMMANDS.get(command)
        if deed is None:
            raise ValueError(f"command {command!r} at byte {reading.at - 1} is none that arrays need")
        deed(reading)
    raise ValueError(f"it has over {MOST_COMMANDS} commands")


def _arrays(found: Any) -> dict[str, NDArray[np.generic]]:
    if not isinstance(found, dict):
        raise ValueError("it is no dictionary")
    made = {}
    for name, value in found.items():
        if not isinstance(value, _Array) or value.values is None:
            raise ValueError(f"{shown(name)} is no array")
        made[name] = value.values
    return made


def _name(reading: _Reading) -> None:
    module, word = reading.line(), reading.line()
    if (module, word) not in NAMES:
        raise ValueError(f"it asks for {shown(f'{module}.{word}')}")
    reading.stack.append(_Name(NAMES[module, word]))


def _call(reading: _Reading) -> None:
    """What the three callables that NumPy names would give for their arguments, without calling them."""
    name, arguments = reading.last(2)
    if not isinstance(name, _Name) or not isinstance(arguments, tuple):
        raise ValueError("it calls what cannot be called")
    if name.word == RECONSTRUCT and arguments and arguments[0] == _Name(ARRAY):
        reading.stack.append(_Array())
    elif name.word == DTYPE and arguments:
        reading.stack.append(_Kind(_word(arguments[0])))
    elif name.word == ENCODE and len(arguments) == 2 and _word(arguments[1]) in ("latin1", "latin-1"):
        reading.encoded += len(arguments[0])
        if reading.encoded > len(reading.content):
            raise ValueError("it says the same over and over")
        reading.stack.append(memoryview(bytes(arguments[0]).decode("utf-8").encode("latin1")))
    else:
        raise ValueError(f"it calls {name.word} in a way that NumPy does not")


def _build(reading: _Reading) -> None:
    target, state = reading.last(2)
    if isinstance(target, _Kind):
        target.order = _word(state[1])
    elif isinstance(target, _Array):
        _, shape, kind, is_fortran, content = state
        target.values = _filled(shape, kind, bool(is_fortran), content)
    else:
        raise ValueError("it gives a state to what has none")
    reading.stack.append(target)


def _filled(shape: Any, kind: Any, is_fortran: bool, content: Any) -> NDArray[np.generic]:
    if not isinstance(kind, _Kind) or not isinstance(content, memoryview) or not isinstance(shape, tuple):
        raise ValueError("an array has no numbers")
    if kind.order not in ("<", ">", "|", "=") or NUMBERS.fullmatch(kind.code) is None:
        raise ValueError(f"an array is of {shown(kind.order + kind.code)}")
    if not all(isinstance(side, int) and side >= 0 for side in shape):
        raise ValueError("an array's sides are no numbers")  # told, tuples of tuples could take years
    dtype = np.dtype(kind.order + kind.code)
    if math.prod(shape) * dtype.itemsize != len(content):
        raise ValueError(f"an array of {shown(shape)} has {len(content)} bytes")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if is_fortran else "C")


def _word(given: Any) -> str:
    if not isinstance(given, memoryview) or len(given) > LONGEST_NAME:
        raise ValueError("a word is missing")
    return bytes(given).decode("ascii", "replace")


def _put(code: str) -> Callable[[_Reading], None]:
    def put(reading: _Reading) -> None:
        reading.memo[reading.number(code)] = reading.stack[-1]

    return put


def _get(code: str) -> Callable[[_Reading], None]:
    return lambda reading: reading.stack.append(reading.memo[reading.number(code)])


def _number(code: str) -> Callable[[_Reading], None]:
    return lambda reading: reading.stack.append(reading.number(code))


def _long(reading: _Reading) -> None:
    """A whole number of so many bytes, as Python 2 writes those of Windows."""
    reading.stack.append(int.from_bytes(reading.take(reading.number("B")), "little", signed=True))


def _text(code: str) -> Callable[[_Reading], None]:
    return lambda reading: reading.stack.append(reading.take(reading.number(code)))


def _constant(make: Callable[[], Any]) -> Callable[[_Reading], None]:
    return lambda reading: reading.stack.append(make())


def _tuple(count: int) -> Callable[[_Reading], None]:
    return lambda reading: reading.stack.append(tuple(reading.last(count)))


def _set(reading: _Reading, pairs: list[Any]) -> None:
    target = reading.stack[-1]
    if not isinstance(target, dict) or len(pairs) % 2:
        raise ValueError("it fills what is no dictionary")
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        target[_word(key)] = value


_COMMANDS: dict[bytes, Callable[[_Reading], None]] = {
    b"\x80": lambda reading: _protocol(reading.number("B")),
    b"(": lambda reading: reading.marks.append(len(reading.stack)),
    b"}": _constant(dict),
    b")": _constant(tuple),
    b"N": _constant(lambda: None),
    b"\x88": _constant(lambda: True),
    b"\x89": _constant(lambda: False),
    b"I": lambda reading: reading.stack.append(int(reading.line())),  # of protocol 1: I01 is True
    b"L": lambda reading: reading.stack.append(int(reading.line().removesuffix("L"))),
    b"\x8a": _long,
    b"K": _number("B"),
    b"M": _number("H"),
    b"J": _number("i"),
    b"U": _text("B"),  # of Python 2: bytes
    b"T": _text("i"),
    b"X": _text("I"),  # of Python 3: UTF-8
    b"C": _text("B"),
    b"B": _text("I"),
    b"q": _put("B"),
    b"r": _put("I"),
    b"h": _get("B"),
    b"j": _get("I"),
    b"t": lambda reading: reading.stack.append(tuple(reading.since_mark())),
    b"\x85": _tuple(1),
    b"\x86": _tuple(2),
    b"\x87": _tuple(3),
    b"u": lambda reading: _set(reading, reading.since_mark()),
    b"s": lambda reading: _set(reading, reading.last(2)),
    b"c": _name,
    b"R": _call,
    b"b": _build,
}


def _protocol(number: int) -> None:
    if not 1 <= number <= 3:
        raise ValueError(f"protocol {number} is not read")
