"""A participant withdraws: all that the study has of them is erased, and a tombstone stands in its place.

The order, so that a kill at any moment leaves something that can be gone on with:

    1  the tombstone, "begun": from here on nobody is recorded under the pseudonym, now or ever
    2  the list of participants notes it
    3  the entry in the identity map, where that is given
    4  exports, rows of BIDS tables, labels, derived files, journals, recordings, lines of the log
    5  the list of exports forgets theirs: it was the only thing that knew where to look
    6  the tombstone, "done", with what was erased and what could not be reached

Doing it again goes on where it stopped, and tries exports again that were not there.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path

import emolab
from emolab.core.disk import sync_folder
from emolab.core.errors import ConfigError
from emolab.study import exports_made, kept, key_file, participants, remains, residue, tombstone
from emolab.study.identity import IdentityMap
from emolab.study.remains import KINDS, Remains
from emolab.study.tombstone import Tombstone

BEYOND_REACH = (
    "backups, snapshots and synchronised copies of the study, also those a system makes by itself",
    "copies and exports that were moved, sent on or made without emolab; copies that analysts work on",
    "what was computed from the recordings: results, figures, models trained on them",
    "blocks of the disk that held the files: an SSD, a copy-on-write file system or a journal keeps them "
    "for a while; only a disk that was encrypted from the start protects them",
)


@dataclass(frozen=True)
class Withdrawn:
    """What became of it. `unsure`: files that may be theirs, left alone; `linked`: had other names, too.

    `computed`: folders of analyses in which they still count.
    """

    stone: Tombstone
    unsure: tuple[Path, ...] = ()
    linked: tuple[Path, ...] = ()
    residue: tuple[Path, ...] = ()
    unseen: tuple[Path, ...] = ()
    computed: tuple[Path, ...] = ()


def look(study: Path, participant: str, key: Path | None = None) -> Remains:
    """What would be erased. Raises `ConfigError` when the study does not know the participant.

    `key`: the table `pseudonym,code` of de-identified exports, where one was kept.
    """
    one = participants.find(study, participant)
    if one is None:
        known = [each.id for each in participants.everyone(study)]
        near = get_close_matches(participant, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"'emolab study list {study}' tells who there is"
        raise ConfigError(f"{study} knows no participant {participant!r}; {hint}")
    return _find(study, one.id, key)


def withdraw(
    study: Path,
    participant: str,
    identities: IdentityMap | None = None,
    key: Path | None = None,
    is_recorded: Callable[[str], str] = lambda participant: "",
) -> Withdrawn:
    """Erase a participant; see the file's docstring.

    `identities`: the opened map, when their name is to go, too. `key`: as `look` has it; their row in it
    goes. `is_recorded` says why they cannot be erased now, empty when they can. Raises `ConfigError` when
    they are being recorded (before anything was erased), are not known, or something cannot be erased;
    then it is to be done again.
    """
    found = look(study, participant, key)
    who = found.participant
    if why_not := is_recorded(who):
        raise ConfigError(f"{why_not} Nothing was erased; do it again when that is over")
    before = tombstone.read(study, who)
    stone = _begun(before, found)
    tombstone.write(study, stone)
    participants.mark_withdrawn(study, who)
    if why_not := is_recorded(who):  # it began while we looked
        raise ConfigError(
            f"{why_not} Do it again when that is over; nobody can be recorded as {who} any more"
        )
    if identities is not None and (entries := entries_of(identities, who)):
        for name in entries:
            del identities.persons[name]
        identities.save()
        stone = replace(stone, erased={**stone.erased, "identity": {"entries": len(entries)}})
        tombstone.write(study, stone)
    theirs = [each for each in exports_made.made(study) if each.participant.casefold() == who.casefold()]
    folders = {export.folder for export in theirs}
    analyses = {export.folder for export in theirs if export.format == exports_made.ANALYSIS}
    try:
        _erase(found)
        again = _find(study, who, key)  # what came meanwhile
        _erase(again)
        if key is not None:
            key_file.drop(key, who)
        exports_made.forget(study, who)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or study} cannot be erased ({error.strerror or error}); close the programs "
            f"that use it, see that it is yours, and run 'emolab study withdraw {study} {who}' again: it "
            "goes on where it stopped"
        ) from error
    if why_not := is_recorded(who):  # the engine had asked before the tombstone stood
        raise ConfigError(f"{why_not} End that session, and do it again")
    stone = replace(stone, state="done", done_utc=kept.now(), left=tuple(found.left), reached=())
    tombstone.write(study, stone)
    others = [one.id for one in participants.everyone(study) if one.id != who]
    seen = residue.look(study, who, others, [each for each in folders if each.is_dir()])
    computed = sorted(folder for folder in analyses if folder.is_dir())
    unsure = [path for path in dict.fromkeys([*found.unsure, *again.unsure]) if os.path.lexists(path)]
    # of an analysis one line says all, it is made anew or erased as a whole; and what is told once is told
    told = [folder.absolute() for folder in (*computed, *unsure)]
    still, unseen = (
        tuple(path for path in paths if not any(path.absolute().is_relative_to(each) for each in told))
        for paths in (seen.found, seen.unseen)
    )
    return Withdrawn(stone, tuple(unsure), tuple(found.linked), still, unseen, tuple(computed))


def entries_of(identities: IdentityMap, participant: str) -> list[str]:
    """The participant's entries in an identity map: P014 is found as p014, too."""
    return [name for name in identities.persons if name.casefold() == participant.casefold()]


def _find(study: Path, participant: str, key: Path | None) -> Remains:
    """What there is of them. A name in BIDS shared with who withdrew as well is theirs alone to erase."""
    present = [one for one in participants.everyone(study) if one.id != participant and not one.withdrawn_utc]
    codes, of_others = _codes(key, participant)
    return remains.find(study, participant, [*(one.id for one in present), *of_others], codes)


def _codes(key: Path | None, participant: str) -> tuple[list[str], list[str]]:
    """What de-identified exports call a participant, and all others; nothing when the key does not tell."""
    if key is None:
        return [], []
    rows = [(who.casefold(), code) for who, code in key_file.rows(key)]
    own = participant.casefold()
    return [code for who, code in rows if who == own], [code for who, code in rows if code and who != own]


def _begun(before: Tombstone | None, found: Remains) -> Tombstone:
    """The tombstone to begin with; of one begun before, what was counted then is kept."""
    counts = {kind: dict(count) for kind, count in found.counted().items()}
    if before is None:
        left, reached = tuple(found.left), tuple(found.reached)
        return Tombstone(found.participant, "begun", kept.now(), "", counts, left, reached)
    if before.state == "done":  # what is erased now comes on top
        for kind, count in before.erased.items():
            counts[kind] = _merged(counts.get(kind, {}), count, sum)
    else:
        for kind, count in before.erased.items():
            counts[kind] = _merged(counts.get(kind, {}), count, max)
    return replace(
        before,
        state="begun",
        begun_utc=before.begun_utc or kept.now(),
        erased=counts,
        left=tuple(found.left),
        reached=tuple(sorted({*before.reached, *found.reached})),
        emolab=emolab.__version__,
    )


def _merged(
    one: Mapping[str, int], other: Mapping[str, int], how: Callable[[list[int]], int]
) -> dict[str, int]:
    return {key: how([one.get(key, 0), other.get(key, 0)]) for key in sorted({*one, *other})}


def _erase(found: Remains) -> None:
    """Erase what was found. Raises `OSError` for the first that cannot be, when all others are gone."""
    failed = [error for _, error in found.shut]

    def tried(erase: Callable[[], None]) -> None:
        try:
            erase()
        except FileNotFoundError:
            pass
        except OSError as error:
            failed.append(error)

    for path in found.tables:
        tried(partial(_drop_rows, path, found.names))
    for kind in KINDS:
        for path in found.files[kind]:
            tried(partial(_unlink, path))
    for folder in sorted(set(found.folders), key=lambda each: len(each.parts), reverse=True):
        with contextlib.suppress(OSError):  # not empty: it holds what is not theirs
            folder.rmdir()
            sync_folder(folder.parent)
    for path in found.logs:
        tried(partial(_blank_lines, path, found.participant))
    if failed:
        raise failed[0]


def _unlink(path: Path) -> None:
    try:
        path.unlink()
    except PermissionError:
        if os.name != "nt":
            raise
        path.chmod(stat.S_IWRITE)  # Windows erases no read-only file
        path.unlink()


def _drop_rows(path: Path, names: Collection[str]) -> None:
    """Take the rows that begin with one of `names`, in whatever capitals, out of a table of BIDS."""
    lines = path.read_bytes().splitlines(keepends=True)
    left = [line for line in lines if not remains.is_row_of(line, names)]
    if len(left) < len(lines):
        kept.write_whole(path, b"".join(left), stat.S_IMODE(path.stat().st_mode))


def _blank_lines(path: Path, participant: str) -> None:
    """Write blanks over the lines of a log that name a participant, in place: an engine may write on."""
    word = remains.mentions(participant)
    with path.open("rb+") as file:
        at = 0
        for line in file.read().splitlines(keepends=True):
            if word.search(line):
                file.seek(at)
                file.write(b" " * len(line.rstrip(b"\r\n")))
            at += len(line)
        file.flush()
        os.fsync(file.fileno())
