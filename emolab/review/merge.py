"""The ledgers of a copy brought home: analysts may work apart, and nothing of theirs is lost.

Each analyst has a ledger of their own, so copies only meet where the same analyst worked on both.
One of the two then goes on where the other ends, and takes its place; or both went on from the
same act, and the copy's becomes a lane beside, `anna 2`, for the analyst to reconcile. Ledgers are
brought whole, line by line as they were written, so that their hashes hold.

A copy may hold several ledgers of one analyst, from copies that it was merged with itself. They come
one after the other, each to what stands at home by then: a ledger at home gives way to one that goes
on from its last act and to no other. A merge that was killed is finished by the next.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emolab.core.errors import ConfigError, DataError, RecordingError
from emolab.recording import label_ledger as ledger
from emolab.recording.copies import Identity, identity
from emolab.recording.label_ledger import Ledger
from emolab.recording.reader import Session
from emolab.study import exports_made, participants
from emolab.study.sessions import named


@dataclass(frozen=True)
class Met:
    """What became of one ledger of the copy: under which name it is at home, and how many acts are new.

    `how`: `new`, `longer` (than the one at home, and took its place), `same`, `behind` (the one at
    home), or `apart` (they differ, and lies beside).
    """

    name: str
    how: Literal["new", "longer", "same", "behind", "apart"]
    acts: int


def merge(home: Path, copy: Path) -> list[Met]:
    """Bring the labels of `copy`, the same recording elsewhere, to `home`; the copy is only read.

    Raises `RecordingError` when a ledger or recording is damaged, `ConfigError` when there is no such home or
    copy, the two are not the same recording, or the participant withdrew from the study at home, and
    `DataError` when a ledger is of another recording; all before anything was changed.
    """
    for one in (home, copy):
        if one.is_dir():
            raise RecordingError(f"{one} is a folder; give the recording, as STUDY/P014/P014_session-0.h5")
    study, who = exports_made.study_of(home), named(home)
    if study is not None and who is not None:
        participants.check_open(study, who[0])
    if home.stem != copy.stem:
        raise RecordingError(f"{copy} is not the recording {home.stem}; choose its copy")
    theirs = sorted(_ledgers(copy), key=lambda one: (one.analyst, len(one.name), one.name))
    _check_copy(home, copy, theirs)
    known = {mine.analyst for mine in _ledgers(home)}  # all of them sound, or nothing is changed
    if not theirs:
        return []
    with ledger.alone_in(ledger.folder_of(home)):  # an act of a window that is open is before this or after
        return [_bring(home, one, one.analyst in known) for one in theirs]


def _check_copy(home: Path, copy: Path, theirs: Sequence[Ledger]) -> None:
    """Whether these labels belong to the recording at home: two studies may give two the same name."""
    if not home.is_file():
        raise ConfigError(f"there is no recording {home} to bring labels to; check the spelling")
    if not theirs and not copy.is_file():
        raise ConfigError(f"there is neither a recording {copy} nor labels of one; check the spelling")
    if copy.is_file() and _identity(copy) != _identity(home):
        raise ConfigError(f"{copy} is another recording than {home}, under the same name; choose its copy")
    if strange := [one for one in theirs if one.recording != home.stem]:
        raise DataError(
            f"{strange[0].path} holds labels of {strange[0].recording}, not of {home.stem}; "
            "put it back where it belongs, and merge again"
        )


def _identity(recording: Path) -> Identity:
    with Session.open(recording) as session:
        header = session.header
        return identity(header.participant, header.session, header.started_utc)


def _ledgers(recording: Path) -> Iterator[Ledger]:
    return (ledger.read(path) for path in ledger.ledgers(recording))


def _bring(home: Path, theirs: Ledger, is_known: bool) -> Met:
    """One ledger, to those of its analyst as they are now: the ones before it are among them.

    `is_known`: the analyst had a ledger at home before any was brought.
    """
    ours = [(mine, _shared(mine, theirs)) for mine in _ledgers(home) if mine.analyst == theirs.analyst]
    count = len(theirs.acts)
    if holds := [mine for mine, shared in ours if shared == count]:
        same = [mine for mine in holds if len(mine.acts) == count]
        return Met((same or holds)[0].name, "same" if same else "behind", 0)
    if ends := [mine for mine, shared in ours if shared == len(mine.acts)]:
        furthest = max(ends, key=lambda mine: (len(mine.acts), mine.name == theirs.name))
        furthest.set_aside()  # the half line that a killed process left
        _copy(theirs, furthest.path)
        return Met(furthest.name, "longer", count - len(furthest.acts))
    path = _free_place(home, theirs.analyst)
    _copy(theirs, path)
    return Met(path.stem, "apart" if is_known else "new", count)


def _shared(mine: Ledger, theirs: Ledger) -> int:
    """Acts the two have in common; each hash stands for all acts before it, too."""
    pairs = zip(mine.acts, theirs.acts, strict=False)
    return next(
        (at for at, (one, other) in enumerate(pairs) if one.hash != other.hash),
        min(len(mine.acts), len(theirs.acts)),
    )


def _copy(theirs: Ledger, path: Path) -> None:
    whole = theirs.path.read_bytes()[: theirs.size]
    ledger.put(path, whole, theirs)


def _free_place(home: Path, analyst: str) -> Path:
    """Where nothing stands yet: the analyst's own name, or that with a number."""
    names = itertools.chain([analyst], (f"{analyst} {number}" for number in itertools.count(2)))
    paths = (ledger.folder_of(home) / f"{name}.jsonl" for name in names)
    return next(path for path in paths if not path.exists())
