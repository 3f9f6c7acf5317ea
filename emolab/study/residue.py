"""What still speaks of somebody who withdrew: names of files, and words inside them.

Looked into are files of up to 64 MB, unpacked as far as `unpacked` can, but not the recordings of others;
what could not be is told. Links are not followed, but to the folders of other participants. A folder that
is named after them stands for all in it. `STUDY/participants.jsonl` and the tombstone may name them; so may
nothing else. P014 is found as p014, and MUS-01 as sub-MUS01, as BIDS calls them.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from emolab.study import unpacked
from emolab.study.participants import bids_label
from emolab.study.remains import mentions, mentions_subject

_TOKEN = re.compile(rb"[A-Za-z0-9-]")


@dataclass(frozen=True)
class Residue:
    """`found`: files whose name or contents name the participant.

    `unseen`: files too large, packed otherwise or not readable; folders not readable; links that lead out.
    """

    found: tuple[Path, ...]
    unseen: tuple[Path, ...]


def look(study: Path, participant: str, others: Iterable[str], further: Iterable[Path] = ()) -> Residue:
    """Look through the study and the folders `further`. `others`: pseudonyms that may contain this one."""
    known = list(others)
    theirs = {other.casefold() for other in known} - {participant.casefold()}
    words = [mentions(participant)]
    label = bids_label(participant).casefold()
    if label != participant.casefold() and label not in {bids_label(other) for other in theirs}:
        words.append(mentions_subject(label))
    names = {other.encode() for other in theirs}
    homes = (study / other for other in known)
    elsewhere = (home for home in homes if home.is_symlink() and home.is_dir())
    roots = list(dict.fromkeys([study, *elsewhere, *further]))
    found: list[Path] = []
    unseen: list[Path] = []

    def is_told(raw: bytes) -> bool:
        return _names(words, raw, names)

    def is_shut(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            unseen.append(Path(error.filename))

    for path in _paths(study, roots, lambda name: is_told(os.fsencode(name)), is_shut):
        try:
            if is_told(os.fsencode(path.name)) or _tells(path, is_told, roots):
                found.append(path)
        except unpacked.Unseen:
            unseen.append(path)
    return Residue(tuple(found), tuple(unseen))


def _tells(path: Path, is_told: Callable[[bytes], bool], roots: Iterable[Path]) -> bool:
    """Whether something in a file is. Raises `Unseen` when not all of it could be looked into."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False  # gone meanwhile
    except OSError as error:
        raise unpacked.Unseen(f"{path} was not looked into: {error}") from error
    if path.suffix == ".h5" or not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        return False
    if stat.S_ISLNK(mode):
        there = Path(os.path.realpath(path))
        if not any(there.is_relative_to(os.path.realpath(root)) for root in roots):
            raise unpacked.Unseen(f"{path} leads elsewhere")
        return False
    return any(is_told(text) for text in unpacked.texts(path))


def _paths(
    study: Path,
    roots: Iterable[Path],
    is_told: Callable[[str], bool],
    is_shut: Callable[[OSError], None],
) -> Iterator[Path]:
    """Everything in these folders, each once; what lies in a folder whose name `is_told` is passed over."""
    allowed = {study / "participants.jsonl", study / "withdrawn"}
    passed: set[Path] = set()
    for root in roots:
        for folder, inside, files in os.walk(root, onerror=is_shut):
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
