"""The 6373 figures of ComParE for a clip: from a table that somebody made, or by openSMILE where it is there.

    table = read_table("static_features.csv")            # as PMEmo ships it: musicId, 6373 columns
    scaling = ZScore.fit(table.values[training])         # from the training rows alone
    inputs = scaling.apply(table.values)
    figures = compare_features(samples, 44_100)          # needs the extra `opensmile`

openSMILE is free for research, not for commercial use: it is an extra, never a part of emolab. PMEmo's table
was made with its version 2.1.0 (IS13_ComParE); ComParE_2016 has the same 6373 figures in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emolab.core.errors import DataError, MissingExtra, shown
from emolab.signals.measures import Array

COMPARE = 6373
FLAT = 1e-10  # of a column's size: what varies by less is rounding
NO_OPENSMILE = (
    "computing ComParE features needs openSMILE: pip install 'emolab[opensmile]'. Its licence is for "
    "research and teaching, not for commercial use; a table made elsewhere is read without it"
)


@dataclass(frozen=True)
class FeatureTable:
    """A row a song: `ids` `(n,)` as written, `names` of the columns, `values` `(n, columns)`."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    values: Array

    def rows(self, ids: list[str] | tuple[str, ...]) -> Array:
        """The rows of some songs, in that order. Raises `DataError` naming those that are not there."""
        places = {song: row for row, song in enumerate(self.ids)}
        missing = [song for song in ids if song not in places]
        if missing:
            few = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
            raise DataError(f"the table has no song {few}; it has {len(self.ids)} others")
        return self.values[[places[song] for song in ids]]


@dataclass(frozen=True)
class ZScore:
    """Mean and SD of columns; `apply` gives 0 in columns that did not vary where it was fitted."""

    mean: Array
    sd: Array

    @classmethod
    def fit(cls, training: ArrayLike) -> ZScore:
        """From training rows `(n, columns)` only. Raises `DataError` for none, or what is no number."""
        rows = np.asarray(training, dtype=np.float64)
        if rows.ndim != 2 or not len(rows):
            raise DataError(f"z-scores need training rows (n, columns), not {rows.shape}")
        if not np.isfinite(rows).all():
            raise DataError("a training row holds what is no number; leave it out before fitting z-scores")
        mean, sd = rows.mean(axis=0), rows.std(axis=0)
        is_flat = sd <= FLAT * np.maximum(np.abs(rows).max(axis=0), np.finfo(np.float64).tiny)
        return cls(mean, np.where(is_flat, 0.0, sd))

    def apply(self, rows: ArrayLike) -> Array:
        """`(n, columns)` in SDs from the mean. Raises `DataError` for another number of columns."""
        given = np.asarray(rows, dtype=np.float64)
        if given.ndim != 2 or given.shape[1] != len(self.mean):
            raise DataError(f"rows of shape {given.shape} do not fit z-scores of {len(self.mean)} columns")
        varies = self.sd > 0
        return np.divide(given - self.mean, self.sd, out=np.zeros(given.shape), where=varies)


def read_table(path: Path | str, columns: int | None = COMPARE) -> FeatureTable:
    """A table of features: a header, then the song's id and its figures, separated by commas.

    `columns`: how many figures there must be, None for any number. Raises `DataError` naming file and line
    for a header or row of another length, what is no number, a song that comes twice, and a table without
    rows.
    """
    place = Path(path)
    try:
        with place.open(encoding="utf-8-sig", newline=None) as lines:
            return _table(place.name, enumerate(lines, start=1), columns)
    except OSError as error:
        raise DataError(f"{place} cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{place.name} is no text in UTF-8; store the table as CSV again") from error


def compare_features(samples: ArrayLike, rate_hz: float) -> dict[str, float]:
    """The 6373 functionals of ComParE_2016 by openSMILE, by name.

    `samples`: `(n,)` or `(n, channels)`, full scale 1; channels are averaged. Raises `MissingExtra` without
    openSMILE, `DataError` for less than a second or what is no number.
    """
    opensmile = _opensmile()
    sound = np.asarray(samples, dtype=np.float64)
    sound = sound.mean(axis=1) if sound.ndim == 2 else sound
    if sound.ndim != 1 or len(sound) < rate_hz:
        raise DataError(f"{len(sound) / rate_hz:.1f} s are too short for ComParE; give a second or more")
    if not np.isfinite(sound).all():
        raise DataError("the sound holds what is no number; decode the clip again")
    smile = opensmile.Smile(
        feature_set=opensmile.FeatureSet.ComParE_2016, feature_level=opensmile.FeatureLevel.Functionals
    )
    frame = smile.process_signal(sound.astype(np.float32), round(rate_hz))
    return {str(name): float(value) for name, value in zip(frame.columns, frame.to_numpy()[0], strict=True)}


def _opensmile() -> Any:
    try:
        import opensmile
    except ImportError as error:
        raise MissingExtra(NO_OPENSMILE) from error
    return opensmile


def _table(name: str, lines: Iterator[tuple[int, str]], columns: int | None) -> FeatureTable:
    _, header = next(lines, (1, ""))
    names = tuple(cell.strip().strip('"') for cell in header.rstrip("\r\n").split(","))
    if len(names) < 2 or (columns is not None and len(names) != columns + 1):
        wanted = "at least one" if columns is None else str(columns)
        raise DataError(
            f"{name}:1: {len(names) - 1} columns after the first, not {wanted}; is it the right table?"
        )
    places: dict[str, int] = {}
    rows: list[NDArray[np.float64]] = []
    for number, line in lines:
        if not line.strip():
            continue
        song, _, rest = line.rstrip("\r\n").partition(",")
        song = song.strip().strip('"')
        if song in places:
            raise DataError(
                f"{name}:{number}: song {song} stands in line {places[song]} already; keep one of them"
            )
        places[song] = number
        rows.append(_row(name, number, rest.split(","), names[1:]))
    if not rows:
        raise DataError(f"{name} has a header but no songs; export the table again")
    return FeatureTable(tuple(places), names[1:], np.stack(rows))


def _row(name: str, number: int, cells: list[str], names: tuple[str, ...]) -> NDArray[np.float64]:
    if len(cells) != len(names):
        raise DataError(f"{name}:{number}: {len(cells)} figures, not {len(names)}; the line is cut or joined")
    try:
        row = np.array(cells, dtype=np.float64)
    except ValueError:
        row = np.full(len(cells), np.nan)
    if not np.isfinite(row).all():
        at = next(i for i, cell in enumerate(cells) if not _is_number(cell))
        raise DataError(f"{name}:{number}: {names[at]} is {shown(cells[at].strip())}, which is no number")
    return row


def _is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False
