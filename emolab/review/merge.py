"""The ledgers of a copy brought home: analysts may work apart, and nothing of theirs is lost.

Each analyst has a ledger of their own, so copies only meet where the same analyst worked on both.
One of the two then goes on where the other ends, and takes its place; or both went on from the
same act, and the copy's becomes a lane beside, `anna 2`, for the analyst to reconcile. Ledgers are
brought whole, line by line as they were written, so that their hashes hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emolab.core.errors import RecordingError
from emolab.recording import label_ledger as ledger
from emolab.recording.label_ledger import Ledger
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

    Raises `RecordingError` when a ledger is damaged, and `ConfigError` when the participant withdrew from
    the study at home, before anything was changed.
    """
    study, who = exports_made.study_of(home), named(home)
    if study is not None and who is not None:
        participants.check_open(study, who[0])
    if home.stem != copy.stem:
        raise RecordingError(f"{copy} is not the recording {home.stem}; choose its copy")
    theirs = [ledger.read(path) for path in ledger.ledgers(copy)]
    ours = [ledger.read(path) for path in ledger.ledgers(home)]
    return [_bring(home, one, [mine for mine in ours if mine.analyst == one.analyst]) for one in theirs]


def _bring(home: Path, theirs: Ledger, ours: list[Ledger]) -> Met:
    for mine in ours:
        shared = _shared(mine, theirs)
        if shared == len(theirs.acts):
            return Met(mine.name, "same" if shared == len(mine.acts) else "behind", 0)
        if shared == len(mine.acts):
            _copy(theirs, mine.path)
            return Met(mine.name, "longer", len(theirs.acts) - shared)
    name = theirs.analyst if not ours else _free_name(home, theirs.analyst)
    _copy(theirs, ledger.folder_of(home) / f"{name}.jsonl")
    return Met(name, "apart" if ours else "new", len(theirs.acts))


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


def _free_name(home: Path, analyst: str) -> str:
    names = (f"{analyst} {number}" for number in range(2, 1000))
    return next(name for name in names if not (ledger.folder_of(home) / f"{name}.jsonl").exists())
