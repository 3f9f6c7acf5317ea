"""What still speaks of somebody who withdrew: names of files, and words inside them.

Looked into are files of up to 64 MB, unpacked where they are gzip, but not the recordings of others.
A folder that is named after them stands for all in it. `STUDY/participants.jsonl` and the tombstone may
name them; so may nothing else. P014 is found as p014, and MUS-01 as sub-MUS01, as BIDS calls them.
"""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from emolab.study.participants import bids_label
from emolab.study.remains import mentions, mentions_subject

LARGEST_BYTES = 64 << 20
_TOKEN = re.compile(rb"[A-Za-z0-9-]")


@dataclass(frozen=True)
class Residue:
    """`found`: files whose name or contents name the participant. `unseen`: too large, or not readable."""

    found: tuple[Path, ...]
    unseen: tuple[Path, ...]


def look(study: Path, participant: str, others: Iterable[str], further: Iterable[Path] = ()) -> Residue:
    """Look through the study and the folders `further`. `others`: pseudonyms that may contain this one."""
    theirs = {other.casefold() for other in others} - {participant.casefold()}
    words = [mentions(participant)]
    label = bids_label(participant).casefold()
    if label != participant.casefold() and label not in {bids_label(other) for other in theirs}:
        words.append(mentions_subject(label))
    names = {other.encode() for other in theirs}
    found: list[Path] = []
    unseen: list[Path] = []
    for path in _paths(study, further, lambda name: _names(words, os.fsencode(name), names)):
        if _names(words, os.fsencode(path.name), names):
            found.append(path)
        elif path.is_file() and not path.is_symlink() and path.suffix != ".h5":
            raw = _contents(path)
            if raw is None:
                unseen.append(path)
            elif _names(words, raw, names):
                found.append(path)
    return Residue(tuple(found), tuple(unseen))


def _paths(study: Path, further: Iterable[Path], is_told: Callable[[str], bool]) -> Iterator[Path]:
    """Everything in these folders, each once; what lies in a folder whose name `is_told` is passed over."""
    allowed = {study / "participants.jsonl", study / "withdrawn"}
    passed: set[Path] = set()
    for root in dict.fromkeys([study, *further]):
        for folder, inside, files in os.walk(root):
            here = Path(folder)
            new = {here / name for name in (*inside, *files)} - allowed - passed
            passed |= new
            yield from sorted(new)
            inside[:] = [name for name in inside if here / name in new and not is_told(name)]


def _names(words: Iterable[re.Pattern[bytes]], raw: bytes, theirs: Collection[bytes]) -> bool:
    return any(
        _token(raw, match).lower().removeprefix(b"sub-") not in theirs
        for word in words
        for match in word.finditer(raw)
    )


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
