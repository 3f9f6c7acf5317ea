"""A pickle gives its arrays and runs nothing; what is no array, or lies about its size, is told."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import struct
import tracemalloc
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emolab.core.errors import DataError
from emolab.datasets.pickled import read_arrays
from tests.datasets import python2

ARRAYS = {"data": np.arange(24.0).reshape(2, 3, 4), "labels": np.array([[1, -2], [300, 4]], np.int16)}
WHOLE = python2.dictionary({name: python2.array(values) for name, values in ARRAYS.items()})


def put(folder: Path, content: bytes) -> Path:
    path = folder / "s01.dat"
    path.write_bytes(content)
    return path


def test_what_tests_write_is_a_pickle_of_python_2() -> None:
    """Read by Python's own unpickler, with the encoding that the corpus asks for."""
    found = pickle.loads(WHOLE, encoding="latin1")
    assert list(found) == ["data", "labels"]
    assert all((found[name] == values).all() for name, values in ARRAYS.items())


@pytest.mark.parametrize("protocol", [0, 1, 2, 3])
def test_arrays_come_out_as_they_went_in(tmp_path: Path, protocol: int) -> None:
    content = pickle.dumps(ARRAYS, protocol) if protocol else WHOLE
    found = read_arrays(put(tmp_path, content))
    assert list(found) == list(ARRAYS)
    for name, values in ARRAYS.items():
        assert found[name].dtype == values.dtype and (found[name] == values).all()
        assert not found[name].flags.writeable


def test_the_order_of_bytes_and_of_columns_is_kept(tmp_path: Path) -> None:
    big, columns = np.array([1.5, -2.0], ">f4"), np.asfortranarray(np.arange(6.0).reshape(2, 3))
    found = read_arrays(put(tmp_path, pickle.dumps({"big": big, "columns": columns}, 2)))
    assert found["big"].tolist() == [1.5, -2.0]
    assert found["columns"].tolist() == columns.tolist()


def test_whole_numbers_may_be_long_ones(tmp_path: Path) -> None:
    """As Python 2 wrote them on Windows of 64 bits."""
    values = np.arange(6.0).reshape(2, 3)
    for protocol, sides in ((2, b"\x8a\x01\x02\x8a\x01\x03"), (1, b"L2L\nL3L\n")):
        content = python2.dictionary(
            {"data": python2.array(values).replace(b"(K\x02K\x03t", b"(" + sides + b"t")}
        )
        assert sides in content
        assert pickle.loads(content, encoding="latin1")["data"].tolist() == values.tolist()
        assert read_arrays(put(tmp_path, content))["data"].tolist() == values.tolist(), protocol


class Evil:
    """Pickled as a call of whatever is given."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        self.made = call, arguments

    def __reduce__(self) -> Any:
        return self.made


def exploits(mark: Path) -> dict[str, Any]:
    """Each would leave `mark` behind, or fill memory, if it were run."""
    say = f"__import__('pathlib').Path({str(mark)!r}).touch()"
    return {
        "os.system": Evil(os.system, f"touch '{mark}'"),
        "eval": Evil(builtins.eval, say),
        "exec": Evil(builtins.exec, say),
        "open": Evil(open, str(mark), "w"),
        "import": Evil(builtins.__import__, "antigravity"),
        "getattr": Evil(getattr, os, "system"),
        "numpy save": Evil(np.savetxt, str(mark), [1.0]),
        "numpy load": Evil(np.load, str(mark), None, True),
        "numpy memmap": Evil(np.memmap, str(mark), "u1", "w+", 0, (9,)),
        "numpy zeros": Evil(np.zeros, 1 << 40),
        "numpy array": Evil(np.ndarray, (1 << 40,)),
        "ordered": OrderedDict(data=1),
        "objects": np.array([Evil(os.system, f"touch '{mark}'")], object),
        "inside": {"data": np.zeros(3), "more": Evil(os.system, f"touch '{mark}'")},
    }


@pytest.mark.parametrize("name", exploits(Path("mark")))
@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_nothing_of_a_hostile_pickle_is_run(tmp_path: Path, name: str, protocol: int) -> None:
    mark = tmp_path / "mark"
    try:
        content = pickle.dumps({"data": exploits(mark)[name]}, protocol)
    except (pickle.PicklingError, TypeError):  # a module as an argument: only by hand
        content = b"\x80\x02cbuiltins\ngetattr\n(cos\nsystem\nU\x01xtR."
    with pytest.raises(DataError, match=r"is no pickle of NumPy arrays .* nothing of it was run"):
        read_arrays(put(tmp_path, content))
    assert not mark.exists()


def test_the_exploits_are_real(tmp_path: Path) -> None:
    """Python's own unpickler falls for them."""
    for name in ("os.system", "eval", "exec", "numpy save", "objects"):
        mark = tmp_path / "mark"
        pickle.load(io.BytesIO(pickle.dumps(exploits(mark)[name], 2)))
        assert mark.exists(), name
        mark.unlink()


EIGHT = np.zeros(8, np.uint8)
BOMBS = {
    "a shape of terabytes": python2.dictionary({"data": python2.array(EIGHT, shape=(1 << 30, 1 << 10))}),
    "a text of two gigabytes": b"\x80\x02}T" + struct.pack("<i", (1 << 31) - 1) + b"x",
    "a negative text": b"\x80\x02}T" + struct.pack("<i", -5) + b"xxxxxxxx.",
    "a memo of 32 GB": b"\x80\x02}r" + struct.pack("<I", (1 << 32) - 1) + b"0.",
    "bytes of eight numbers": b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b".",
    "a frame": b"\x80\x04\x95" + struct.pack("<Q", 1 << 60) + b".",
    "tuples in tuples": b"\x80\x02)" + b"\x85" * 9000 + b".",
    "marks": b"\x80\x02" + b"(" * 50_000,
    "doubling": b"\x80\x02)" + b"q\x00h\x00\x86" * 3000 + b".",
    "a shape of tuples twice in tuples": python2.dictionary(
        {"data": python2.array(EIGHT).replace(b"(K\x08t", b")" + b"q\x64h\x64\x86" * 90)}
    ),
    "a tuple as a key": b"\x80\x02})" + b"\x85" * 9000 + b"Ns.",
    "a dictionary in itself": b"\x80\x02}q\x00U\x01ah\x00s.",
    "a number of thousands of digits": b"\x80\x02\x8b" + struct.pack("<I", 1 << 30) + b"1" * 100,
    "points at memory": python2.dictionary({"data": python2.array(EIGHT).replace(b"u1", b"O8")}),
    "text encoded again and again": b"\x80\x02}(X"
    + struct.pack("<I", 1 << 20)
    + b"x" * (1 << 20)
    + b"q\x00"
    + b"c_codecs\nencode\nh\x00U\x06latin1\x86R" * 300
    + b"u.",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_no_memory(tmp_path: Path, name: str) -> None:
    path = put(tmp_path, BOMBS[name])
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="is no pickle of NumPy arrays"):
            read_arrays(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(WHOLE) - 1), st.binary(max_size=3))
def test_any_damage_is_told_or_harmless(tmp_path: Path, at: int, instead: bytes) -> None:
    for content in (WHOLE[:at], WHOLE[:at] + instead + WHOLE[at + len(instead) :]):
        path = put(tmp_path, content)
        try:
            found = read_arrays(path)
        except DataError as error:
            assert str(path) in str(error)
        else:
            assert all(isinstance(values, np.ndarray) for values in found.values())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cannot be read"),
        (pickle.dumps([1, 2], 2), "command b']'"),
        (pickle.dumps({"data": 3}, 2), "'data' is no array"),
        (b"\x80\x02N.", "is no dictionary"),
        (WHOLE[:-30], "it ends in the middle"),
        (b"\x80\x04.", "protocol 4 is not read"),
    ],
    ids=["empty", "list", "number", "none", "cut", "newer"],
)
def test_what_is_no_pickle_of_arrays_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(DataError) as refused:
        read_arrays(put(tmp_path, content))
    assert said in str(refused.value)
    with pytest.raises(DataError, match="cannot be read"):
        read_arrays(tmp_path / "s99.dat")
