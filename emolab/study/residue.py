"""What still speaks of somebody who withdrew: names of files, and words inside them.

Looked into are files of up to 64 MB, unpacked where they are gzip, but not the recordings of others.
`STUDY/participants.jsonl` and the tombstone may name them; so may nothing else.
"""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from emolab.study.remains import mentions

LARGEST_BYTES = 64 << 20
_TOKEN = re.compile(rb"[A-Za-z0-9-]")


@dataclass(frozen=True)
class Residue:
    """`found`: files whose name or contents name the participant. `unseen`: too large, or not readable."""

    found: tuple[Path, ...]
    unseen: tuple[Path, ...]


def look(study: Path, participant: str, others: Iterable[str], further: Iterable[Path] = ()) -> Residue:
    """Look through the study and the folders `further`. `others`: pseudonyms that may contain this one."""
    word = mentions(participant)
    theirs = {other.encode() for other in others if other != participant}
    found: list[Path] = []
    unseen: list[Path] = []
    for path in _paths(study, further):
        if _names(word, path.name.encode("utf-8", "surrogateescape"), theirs):
            found.append(path)
        elif path.is_file() and not path.is_symlink() and path.suffix != ".h5":
            raw = _contents(path)
            if raw is None:
                unseen.append(path)
            elif _names(word, raw, theirs):
                found.append(path)
    return Residue(tuple(found), tuple(unseen))


def _paths(study: Path, further: Iterable[Path]) -> list[Path]:
    allowed = {study / "participants.jsonl", study / "withdrawn"}
    paths: list[Path] = []
    for root in dict.fromkeys([study, *further]):
        for folder, inside, files in os.walk(root):
            here = Path(folder)
            inside[:] = [name for name in inside if here / name not in allowed]
            paths += [here / name for name in (*inside, *files) if here / name not in allowed]
    return list(dict.fromkeys(paths))


def _names(word: re.Pattern[bytes], raw: bytes, theirs: set[bytes]) -> bool:
    return any(_token(raw, match).removeprefix(b"sub-") not in theirs for match in word.finditer(raw))


def _token(raw: bytes, match: re.Match[bytes]) -> bytes:
    """The whole word a match stands in: X-P014 may be somebody else."""
    start = match.start()
    while start > 0 and _TOKEN.match(raw, start - 1):
        start -= 1
    return raw[start : match.end()]


def _contents(path: Path) -> bytes | None:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            return None
        if path.suffix == ".gz":
            with gzip.open(path) as file:
                raw = file.read(LARGEST_BYTES + 1)
            return raw if len(raw) <= LARGEST_BYTES else None
        return path.read_bytes()
    except (OSError, EOFError, zlib.error):
        return None
