"""An ONNX file written without the onnx package: nodes, numbers, what goes in, what comes out.

    graph = Graph()
    maps = graph.add("Conv", "curves", graph.constant(weight), kernel_shape=[1, 3])
    content = graph.content({"curves": (3, 1, 2500)}, graph.add("Relu", maps))

The format is protobuf, of which three kinds of fields are needed: whole numbers, four bytes, and bytes behind
their length (https://protobuf.dev/programming-guides/encoding; field numbers of onnx.proto, IR version 8).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

IR_VERSION = 8
OPSET = 13  # of 2020: every onnxruntime of today knows it
FLOAT, INT64 = 1, 7  # TensorProto.DataType
BATCH = "n"

Attribute = int | float | list[int]


class Graph:
    """Nodes in the order in which they are added; `add` and `constant` give the names to go on with."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []

    def add(self, kind: str, *inputs: str, **attributes: Attribute) -> str:
        """A node of that kind; the name of its first output, the only one kept."""
        name = f"{kind}_{len(self._nodes)}"
        node = [_bytes(1, one.encode()) for one in inputs]
        node += [_bytes(2, name.encode()), _bytes(3, name.encode()), _bytes(4, kind.encode())]
        node += [_bytes(5, _attribute(key, value)) for key, value in attributes.items()]
        self._nodes.append(b"".join(node))
        return name

    def constant(self, values: NDArray[np.float32] | list[int]) -> str:
        """Numbers: an array in single precision, or whole ones."""
        name = f"constant_{len(self._constants)}"
        given = np.asarray(values, np.int64 if isinstance(values, list) else np.float32)
        tensor = [_whole(1, size) for size in given.shape]
        tensor += [_whole(2, INT64 if isinstance(values, list) else FLOAT), _bytes(8, name.encode())]
        tensor.append(_bytes(9, given.astype(given.dtype.newbyteorder("<")).tobytes()))
        self._constants.append(b"".join(tensor))
        return name

    def content(self, inputs: Mapping[str, tuple[int, ...]], output: str) -> bytes:
        """The file: `inputs` by name, their shapes without the first axis; any number of rows goes in."""
        graph = [_bytes(1, node) for node in self._nodes]
        graph += [_bytes(2, b"emolab"), *(_bytes(5, one) for one in self._constants)]
        graph += [_bytes(11, _value(name, (BATCH, *shape))) for name, shape in inputs.items()]
        graph.append(_bytes(12, _value(output, None)))
        opset = _bytes(1, b"") + _whole(2, OPSET)
        return _whole(1, IR_VERSION) + _bytes(2, b"emolab") + _bytes(7, b"".join(graph)) + _bytes(8, opset)


def _attribute(name: str, value: Attribute) -> bytes:
    told = _bytes(1, name.encode())
    if isinstance(value, list):
        return told + b"".join(_whole(8, one) for one in value) + _whole(20, 7)
    if isinstance(value, float):
        return told + _number(2 << 3 | 5) + struct.pack("<f", value) + _whole(20, 1)
    return told + _whole(3, value) + _whole(20, 2)


def _value(name: str, shape: tuple[int | str, ...] | None) -> bytes:
    tensor = _whole(1, FLOAT)
    if shape is not None:
        sizes = (_bytes(2, size.encode()) if isinstance(size, str) else _whole(1, size) for size in shape)
        tensor += _bytes(2, b"".join(_bytes(1, size) for size in sizes))
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, tensor))


def _bytes(field: int, content: bytes) -> bytes:
    return _number(field << 3 | 2) + _number(len(content)) + content


def _whole(field: int, value: int) -> bytes:
    return _number(field << 3) + _number(value % 2**64)


def _number(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
