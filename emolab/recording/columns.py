"""The rows of a table that are safe to read, wherever in the file they lie (see `blocks`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import RecordingError
from emolab.recording import layout


class Safe:
    """The file's ledger: how many rows of each table may be read. `path`: as the file is called."""

    def __init__(self, file: h5py.File, path: Path | None = None) -> None:
        self.path = path or Path(file.filename)  # of one opened by `still`, HDF5 knows no name
        self._dataset = file.get(layout.COMMITTED)
        names = json.loads(layout.get_text(self._dataset, "tables")) if self._dataset is not None else []
        self._line = {name: line for line, name in enumerate(names)}
        self._rows = self.now()

    def now(self) -> NDArray[np.int64]:
        """The ledger as it is on disk at this moment."""
        if self._dataset is None:
            return np.zeros((0, 2), np.int64)
        self._dataset.id.refresh()
        rows: NDArray[np.int64] = self._dataset[...]
        return rows

    def refresh(self) -> None:
        """Let `rows` speak of what is safe by now."""
        self._rows = self.now()

    def rows(self, table: str, fallback: int) -> tuple[int, int]:
        """Rows in full blocks and in the tail; all `fallback` rows where the file keeps no ledger."""
        if table not in self._line:
            return fallback, 0
        blocks, tail = self._rows[self._line[table]]
        return int(blocks), int(tail)

    def blocks_now(self, table: str) -> int:
        """Rows in full blocks on disk at this moment."""
        return int(self.now()[self._line[table]][0]) if table in self._line else -1


class Columns:
    """Columns of one table, the rows of its tail included."""

    def __init__(self, safe: Safe, where: h5py.Group, table: str, first: str) -> None:
        self._safe = safe
        self._where = where
        self._table = table
        self._first = first

    def __len__(self) -> int:
        try:
            return sum(self._safe.rows(self._table, self._where[self._first].shape[0]))
        except KeyError as error:
            raise RecordingError(
                f"{self._safe.path}: {self._table} is lost ({error.args[0]}); run 'emolab recover' on it"
            ) from error

    def has(self, name: str) -> bool:
        """True when the column is there."""
        return name in self._where

    def is_used(self, name: str) -> bool:
        """True when an optional column was given at least once."""
        if not self.has(name):
            return False
        blocks, tail = self._safe.rows(self._table, 0)
        return self._where[name].shape[0] > 0 or bool(
            tail and (self.read(name, blocks, blocks + tail) != layout.MISSING).any()
        )

    def is_whole(self, name: str, rows: int) -> bool:
        """True when the column itself holds these rows, no more and no less."""
        return bool(self._where[name].shape[0] == rows)

    def copy(self, name: str, where: h5py.Group) -> None:
        """Copy a column into a group of another file, its chunks as they lie."""
        self._where.copy(name, where)

    def read(self, name: str, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """Rows from `start` up to `stop`. Raises `RecordingError` where the file is damaged."""
        try:
            start, stop, _ = slice(start, stop).indices(len(self))
            blocks, tail = self._safe.rows(self._table, self._where[self._first].shape[0])
            if stop <= blocks or not tail:
                return self._main(name, start, stop)
            begin = max(start - blocks, 0)
            waiting = self._where[layout.TAIL][name]
            waiting.id.refresh()
            newest = waiting[begin : stop - blocks]
            if self._safe.blocks_now(self._table) != blocks:  # the tail has become a block meanwhile
                return self._main(name, start, stop)
            return np.concatenate([self._main(name, start, blocks), newest]) if start < blocks else newest
        except Exception as error:  # HDF5 and numpy have many words for damage
            raise RecordingError(
                f"{self._safe.path}: rows {start} to {stop} of {self._table} cannot be read "
                f"({error}); run 'emolab recover' on the file"
            ) from error

    def _main(self, name: str, start: int, stop: int) -> NDArray[Any]:
        dataset = self._where[name]
        if dataset.shape[0] < stop:
            dataset.id.refresh()
        rows: NDArray[Any] = dataset[start:stop]
        if name in layout.OPTIONAL and len(rows) < stop - start:  # it was not used before that
            return np.concatenate([rows, np.full(stop - start - len(rows), layout.MISSING)])
        if len(rows) < stop - start:
            raise OSError(f"{stop - start - len(rows)} rows are missing")
        return rows
