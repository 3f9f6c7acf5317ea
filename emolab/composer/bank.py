"""The default bank on disk: render a piece, render them all, say what was made.

The clips are never shipped: they are rendered on first use, the same samples on every machine.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from emolab.composer.audio import Samples, fade, loudness_lufs, normalise, pcm_sha256, to_pcm, write_flac
from emolab.composer.compose import compose
from emolab.composer.pieces import RATE_HZ, SECONDS, Piece, catalogue, piece, recipe_of, seed_of
from emolab.composer.score import Score
from emolab.composer.synth import mix

FADE_S = 1.0


@dataclass(frozen=True)
class ClipRow:
    """One row of a manifest, in the order of its columns. `file` is relative to the manifest."""

    id: str
    state: str
    file: str
    title: str
    source: str
    licence: str
    sha256: str
    loudness_lufs: float


COLUMNS = tuple(field.name for field in fields(ClipRow))


def score(piece_id: str, seconds: float = SECONDS) -> Score:
    """The notes of a piece. Raises `ConfigError` for an unknown id."""
    each = piece(piece_id)
    return compose(recipe_of(each), seed_of(each), seconds)


def render(piece_id: str, seconds: float = SECONDS, rate_hz: int = RATE_HZ) -> Samples:
    """A piece as sound: `(round(seconds · rate_hz), 2)`, −23 LUFS, faded 1 s in and out.

    A shorter or longer piece is composed for its length, not cut. Raises `ConfigError` for an unknown id.
    """
    sound = fade(mix(score(piece_id, seconds), rate_hz), rate_hz, FADE_S)
    return normalise(sound, rate_hz)


def render_clip(piece_id: str, folder: Path) -> ClipRow:
    """Write one piece as `folder/clips/<id>.flac` and return its manifest row."""
    each = piece(piece_id)
    pcm = to_pcm(render(piece_id))
    write_flac(folder / each.file, pcm, RATE_HZ)
    return _row(each, pcm_sha256(pcm), loudness_lufs(pcm / 32768.0, RATE_HZ))


def render_bank(
    folder: Path,
    pieces: Iterable[Piece] | None = None,
    progress: Callable[[int, int, Piece], None] | None = None,
) -> tuple[ClipRow, ...]:
    """Write the pieces (all 35 by default) into `folder/clips` and return their manifest rows.

    `progress(done, total, piece)` is called after each. Existing files are replaced, each at once as a
    whole. Raises `DataError` when the folder cannot be written.
    """
    wanted: Sequence[Piece] = catalogue() if pieces is None else tuple(pieces)
    rows = []
    for done, each in enumerate(wanted, start=1):
        rows.append(render_clip(each.id, folder))
        if progress is not None:
            progress(done, len(wanted), each)
    return tuple(rows)


def write_rows(path: Path, rows: Iterable[ClipRow]) -> None:
    """Write manifest rows as CSV, with a heading line."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for row in rows:
            table.writerow((*astuple(row)[:-1], f"{row.loudness_lufs:.2f}"))


def _row(each: Piece, sha256: str, loudness: float) -> ClipRow:
    return ClipRow(each.id, each.state, each.file, each.title, each.source, each.licence, sha256, loudness)
