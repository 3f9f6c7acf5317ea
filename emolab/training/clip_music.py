"""The music's figures of a folder of clips, by openSMILE; kept as a table, where workers can read it."""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path

import numpy as np

from emolab.composer.audio import read
from emolab.core.errors import ConfigError, DataError
from emolab.datasets.cache import ArrayCache, keep_whole
from emolab.signals.audio_features import FeatureTable, compare_features

SOUNDS = (".wav", ".flac", ".mp3", ".ogg")


def table_file(place: Path, cache: Path | None) -> Path:
    """A table of the music's figures: `place`, or where it is a folder of clips, one that is made of them.

    It is made once for the same clips and version of openSMILE, and kept in the cache, from where workers
    read it, which need no openSMILE. Raises `MissingExtra` without it, `DataError` for a folder without
    sounds, `ConfigError` where nothing can be kept, or a clip is called what no table can hold.
    """
    if not place.is_dir():
        return place
    kept = ArrayCache(cache).folder / f"music-{_mark(place)}.csv"
    if kept.is_file():
        return kept
    table = music_table(place)
    if strange := [one for one in table.ids if "," in one or one != one.strip(' "')]:
        raise ConfigError(f"no table can hold a clip called {strange[0]!r}; give its file another name")
    lines = [",".join(("clip", *table.names))]
    rows = zip(table.ids, table.values.tolist(), strict=True)
    lines += [",".join((clip, *map(repr, row))) for clip, row in rows]
    content = ("\n".join(lines) + "\n").encode()
    if not keep_whole(kept, lambda half: half.write(content)):
        raise ConfigError(f"the music's figures cannot be kept in {kept.parent}; name a folder with --cache")
    return kept


def music_table(folder: Path) -> FeatureTable:
    """The 6373 figures of every sound in a folder, by its name without the ending: needs openSMILE.

    Raises `MissingExtra` without it, `DataError` when there is no sound, or one cannot be read.
    """
    paths = _sounds(folder)
    if not paths:
        raise DataError(f"{folder} has no sound to compute music's figures from; give WAV, FLAC, MP3 or OGG")
    found = [compare_features(*read(path)) for path in paths]
    names = tuple(found[0])
    values = np.array([[figures[name] for name in names] for figures in found])
    return FeatureTable(tuple(path.stem for path in paths), names, values)


def _sounds(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix.lower() in SOUNDS)


def _mark(folder: Path) -> str:
    """What the figures hang on: names and bytes of the clips, and the version of openSMILE, if any."""
    try:
        version = metadata.version("opensmile")
    except metadata.PackageNotFoundError:
        version = ""
    mark = hashlib.sha256(version.encode())
    for path in _sounds(folder):
        mark.update(f"\n{path.name}\n{path.stat().st_size}\n".encode())
        mark.update(path.read_bytes())
    return mark.hexdigest()
