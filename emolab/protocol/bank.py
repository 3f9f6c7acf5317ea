"""The bank of clips as its manifest lists them: `manifest.csv`, UTF-8, one row a clip.

    id             unique, e.g. most_negative-1
    state          what it was chosen for: one of the five state keys
    file           its name beside the manifest or in the folder of rendered clips
    title source licence   what it is, who made it, on what terms; free text
    sha256         64 hexadecimal digits of the sound itself (decoded, 16-bit, interleaved), or empty;
                   not of the file, which another FLAC library writes otherwise
    loudness_lufs  integrated loudness, EBU R128, or empty when not known

Only the list is read here; whether the sound is as it says is checked in the composer room.
"""

from __future__ import annotations

import csv
import math
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath

from emolab.core.errors import ConfigError, shown
from emolab.core.label import STATE_KEYS

COLUMNS = ("id", "state", "file", "title", "source", "licence", "sha256", "loudness_lufs")
FILE_CHARACTERS = 4 << 20  # thirty thousand clips
CELL_CHARACTERS = 2000
FILE_S = 30.0  # every file of a bank is cut or composed to this length


@dataclass(frozen=True)
class ClipEntry:
    """One row. `position`: its place, from 0, among the clips of its state."""

    id: str
    state: str
    title: str
    source: str
    licence: str
    sha256: str
    loudness_lufs: float | None
    file: str
    position: int


@dataclass(frozen=True)
class Bank:
    """All clips of a manifest, in its order. `path`: the manifest."""

    path: Path
    entries: tuple[ClipEntry, ...]

    @cached_property
    def by_state(self) -> Mapping[str, tuple[ClipEntry, ...]]:
        """The clips of each of the five states, in the manifest's order."""
        return {key: tuple(e for e in self.entries if e.state == key) for key in STATE_KEYS}

    @property
    def smallest(self) -> int:
        """How many clips the state with fewest has."""
        return min(len(entries) for entries in self.by_state.values())

    def entry(self, clip: str) -> ClipEntry:
        """The row of a clip. Raises `ConfigError` when there is none."""
        for entry in self.entries:
            if entry.id == clip:
                return entry
        raise ConfigError(
            f"{self.path}: there is no clip {clip!r}; check the spelling or add it to the manifest"
        )


def read_manifest(path: Path) -> Bank:
    """The bank listed in `path`. Raises `ConfigError` naming file, line and column."""
    return _read(path, path)


def _read(file_path: Path, path: Path) -> Bank:
    """The bank listed in `file_path`, which is or becomes the manifest `path`."""
    try:
        with file_path.open(encoding="utf-8-sig") as file:  # spreadsheets put a mark in front
            text = file.read(FILE_CHARACTERS + 1)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text; save it again as 'CSV UTF-8'") from error
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); check the path of the clip bank"
        ) from error
    if len(text) > FILE_CHARACTERS:
        raise ConfigError(f"{path}: is larger than {FILE_CHARACTERS >> 20} MB; that is no list of clips")
    rows = csv.reader(text.splitlines(), strict=True)
    try:
        header = tuple(name.strip() for name in next(rows, []))
        if header != COLUMNS:
            raise ConfigError(
                f"{path}:1: the columns are {','.join(header)[:200] or 'missing'}; "
                f"they must be {','.join(COLUMNS)}, separated by commas"
            )
        entries: dict[str, ClipEntry] = {}
        counts = dict.fromkeys(STATE_KEYS, 0)
        for row in rows:
            if any(cell.strip() for cell in row):
                where = f"{path}:{rows.line_num}"
                entry = _entry([cell.strip() for cell in row], counts, where)
                if entry.id in entries:
                    raise ConfigError(f"{where}: id {shown(entry.id)} is used twice; give each clip its own")
                entries[entry.id] = entry
                counts[entry.state] += 1
    except csv.Error as error:
        raise ConfigError(
            f"{path}:{rows.line_num}: is no CSV here ({error}); mend the quotes of this line"
        ) from error
    if not entries:
        raise ConfigError(f"{path}:1: lists no clip; add rows below the header or use the shipped bank")
    return Bank(path, tuple(entries.values()))


def write_manifest(path: Path, entries: Iterable[ClipEntry]) -> Bank:
    """Write `entries` to `path`, replacing it in one move, and return the bank as read back.

    Raises `ConfigError` for what could not be read again; the manifest that was there stays then.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(COLUMNS)
            for line, entry in enumerate(entries, start=2):
                loudness = "" if entry.loudness_lufs is None else f"{entry.loudness_lufs:.2f}"
                row = [*(getattr(entry, name) for name in COLUMNS[:-1]), loudness]
                _check_lines(row, f"{path}:{line}")
                rows.writerow(row)
        bank = _read(part, path)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return bank


def is_one_line(text: str) -> bool:
    """Whether a text can stand in a cell: one line of signs that can be written, and not too long."""
    no_text = ("Cc", "Cs", "Zl", "Zp")
    return len(text) <= CELL_CHARACTERS and not any(unicodedata.category(sign) in no_text for sign in text)


def _entry(row: list[str], counts: Mapping[str, int], where: str) -> ClipEntry:
    if len(row) != len(COLUMNS):
        raise ConfigError(
            f"{where}: has {len(row)} cells instead of {len(COLUMNS)}; put text that holds a comma in quotes"
        )
    cells = dict(zip(COLUMNS, row, strict=True))
    for name in ("id", "file"):
        if not cells[name]:
            raise ConfigError(f"{where}: {name} is empty; give every clip its {name}")
    _check_lines(row, where)
    if cells["state"] not in STATE_KEYS:
        raise ConfigError(
            f"{where}: state {shown(cells['state'])} is none of {', '.join(STATE_KEYS)}; write one of them"
        )
    if _leaves_folder(cells["file"]):
        raise ConfigError(
            f"{where}: file {shown(cells['file'])} leads out of the bank's folder; move the file into it"
        )
    if cells["sha256"] and not re.fullmatch(r"[0-9a-f]{64}", cells["sha256"]):
        raise ConfigError(f"{where}: sha256 is not 64 hexadecimal digits; correct it or leave it empty")
    return ClipEntry(
        id=cells["id"],
        state=cells["state"],
        title=cells["title"],
        source=cells["source"],
        licence=cells["licence"],
        sha256=cells["sha256"],
        loudness_lufs=_loudness(cells["loudness_lufs"], where),
        file=cells["file"],
        position=counts[cells["state"]],
    )


def _check_lines(row: list[str], where: str) -> None:
    for name, cell in zip(COLUMNS, row, strict=True):
        if not is_one_line(cell):
            raise ConfigError(f"{where}: {name} {shown(cell)} is no text of one line; type it again")


def _leaves_folder(name: str) -> bool:
    return any(
        p.is_absolute() or p.drive or ".." in p.parts for p in (PurePosixPath(name), PureWindowsPath(name))
    )


def _loudness(cell: str, where: str) -> float | None:
    try:
        value = float(cell) if cell else None
    except ValueError:
        value = math.nan
    if value is not None and not math.isfinite(value):
        raise ConfigError(
            f"{where}: loudness_lufs {shown(cell)} is no number; write e.g. -23.0 or leave it empty"
        )
    return value
