"""A folder of clips as a table of their music's figures, made once and kept where workers can read it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from emolab.core.errors import ConfigError
from emolab.datasets.cache import ArrayCache, keep_whole
from emolab.training.corpus_examples import music_table


def table_file(place: Path, cache: Path | None) -> Path:
    """A table of the music's figures: `place`, or where it is a folder of clips, one that is made of them.

    It is made once and kept in the cache, from where workers read it, so that they need no openSMILE. Raises
    `MissingExtra` without it, `DataError` for a folder without sounds, `ConfigError` where nothing can be
    kept, or a clip is called what no table can hold.
    """
    if not place.is_dir():
        return place
    mark = hashlib.sha256()
    for path in sorted(one for one in place.iterdir() if one.is_file()):
        mark.update(f"{path.name}\n{path.stat().st_size}\n".encode())
        mark.update(path.read_bytes())
    kept = ArrayCache(cache).folder / f"music-{mark.hexdigest()}.csv"
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
