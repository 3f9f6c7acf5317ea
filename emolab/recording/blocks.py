"""How rows get on disk: compressed in full blocks, and safe before a block is full.

A compressed chunk must be written once: rewriting it as it fills leaves holes that make the file
twenty times larger (measured). So a `Table` gathers rows in memory, writes a block when it is
full, and at each flush puts the rows gathered so far into an uncompressed tail, in place. A `Log`
is for bytes and frames, which are appended as they come.

What is safe to read is what the `Ledger` says. It is written after the data it speaks of were
handed to the operating system, in one small write, so a process killed at any instant leaves
every row the ledger counts, and no reader is shown a row that is not there yet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from emolab.recording import layout


class Table:
    """Columns that grow together, stored in blocks with a tail.

    `columns`: name to (dtype, shape of one row). Those in `layout.OPTIONAL` may be left out of
    an `append`; such a column stays empty until it is first given, and then reads as MISSING
    before that. With `tail=False` nothing is safe before `finish`: for files written in one go.
    """

    def __init__(
        self,
        where: h5py.Group,
        columns: Mapping[str, tuple[np.dtype, tuple[int, ...]]],
        rows: int,
        tail: bool = True,
    ) -> None:
        self._rows = rows
        self._main = {
            name: layout.make_column(where, name, dtype, shape, rows)
            for name, (dtype, shape) in columns.items()
        }
        self._buffer = {
            name: np.full((rows, *shape), layout.MISSING)
            if name in layout.OPTIONAL
            else np.zeros((rows, *shape), dtype)
            for name, (dtype, shape) in columns.items()
        }
        self._used = set(columns) - set(layout.OPTIONAL)
        self._tail: dict[str, h5py.Dataset] = {}
        if tail:
            waiting = where.require_group(layout.TAIL)
            self._tail = {name: waiting.create_dataset(name, data=self._buffer[name]) for name in columns}
        self._stored = 0
        self._filled = 0
        self._in_tail = 0

    @property
    def safe(self) -> tuple[int, int]:
        """Rows in full blocks, rows in the tail."""
        return self._stored, self._in_tail

    def append(self, **columns: NDArray[Any]) -> bool:
        """Add rows; the columns given are equally long. True when a block was written."""
        self._used |= columns.keys()
        n = len(next(iter(columns.values())))
        done = 0
        wrote = False
        while done < n:
            step = min(n - done, self._rows - self._filled)
            for name in self._used:
                values = columns[name][done : done + step] if name in columns else layout.MISSING
                self._buffer[name][self._filled : self._filled + step] = values
            self._filled += step
            done += step
            if self._filled == self._rows:
                self._store()
                wrote = True
        return wrote

    def write_tail(self) -> None:
        """Put the rows that wait for a full block where a reader can find them."""
        if self._filled > self._in_tail and self._tail:
            for name in self._used:
                self._tail[name][self._in_tail : self._filled] = self._buffer[name][
                    self._in_tail : self._filled
                ]
            self._in_tail = self._filled

    def finish(self) -> None:
        """Store the last, shorter block; nothing can be appended afterwards."""
        if self._filled:
            self._store()

    def _store(self) -> None:
        end = self._stored + self._filled
        for name in self._used:
            self._main[name].resize(end, axis=0)
            self._main[name][self._stored : end] = self._buffer[name][: self._filled]
        self._stored = end
        self._filled = 0
        self._in_tail = 0


class Log:
    """One uncompressed (or one-chunk-a-row) column that is appended to as things come."""

    def __init__(self, dataset: h5py.Dataset) -> None:
        self._dataset = dataset
        self.length = 0

    @property
    def safe(self) -> tuple[int, int]:
        """Rows stored, and none in a tail."""
        return self.length, 0

    def append(self, values: NDArray[Any]) -> None:
        """Add rows at the end."""
        end = self.length + len(values)
        self._dataset.resize(end, axis=0)
        self._dataset[self.length : end] = values
        self.length = end


class Ledger:
    """How much of every table and log is safe, in one small dataset."""

    def __init__(self, file: h5py.File, parts: Mapping[str, Table | Log]) -> None:
        self._file = file
        self._parts = list(parts.values())
        self._dataset = file.create_dataset(layout.COMMITTED, data=np.zeros((len(parts), 2), np.int64))
        layout.set_text(self._dataset, "tables", json.dumps(list(parts)))

    def commit(self, blocks_written: bool) -> None:
        """Make everything appended so far safe.

        The order matters. New blocks first, then the ledger stops speaking of the tail that
        those blocks replaced; only then may the tail be overwritten; and the ledger last.
        """
        if blocks_written:
            self._speak()
        for part in self._parts:
            if isinstance(part, Table):
                part.write_tail()
        self._speak()

    def finish(self) -> None:
        """Store the last short blocks and make them safe."""
        for part in self._parts:
            if isinstance(part, Table):
                part.finish()
        self._speak()

    def _speak(self) -> None:
        self._file.flush()
        self._dataset[...] = np.array([part.safe for part in self._parts], np.int64)
        self._file.flush()
