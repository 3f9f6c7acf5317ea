"""Everything of one participant that the study knows of, found before the first of it is erased.

    recordings   session files, also damaged and half made ones      STUDY/P014/…
    labels       ledgers of analysts                                 STUDY/P014/….labels/
    journals     what is kept of a session until its file is whole   beside it, or in the user's state folder
    derived      whatever else is named after the participant: STUDY/…/P014/…, P014_session-0…, sub-P014…;
                 for a pseudonym that may mean other things (7, v1) no folder but STUDY/v1
    exports      files noted in `exports_made`; of BIDS data sets exported to, sub-P014 in them and in
                 their derivatives/…; of de-identified exports what bears the code, at their top

Further: rows of BIDS tables (`tables`), lines of the engine's log (`logs`), what is known but not at hand
(`left`, `unsure`), folders of theirs that nobody can look into now (`shut`, with why), and folders of
exports that are there (`reached`). Nothing is followed through links but the
participant's own folder, and of what lies outside the study only files that bear the participant's
name or code are taken.

Capitals make no difference: what an older emolab recorded as p014 is P014's. Told and not taken
(`unsure`) is what may be somebody else's: a subject of a data set that emolab did not begin, and one that
BIDS calls as it calls another participant (P1-1 and P11 are both sub-P11).
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emolab.recording.places import places
from emolab.study import exports_made, tombstone
from emolab.study.export.bids_text import is_anothers, is_data_set
from emolab.study.participants import bids_label
from emolab.study.sessions import session_path

KINDS = ("exports", "labels", "derived", "journals", "recordings")  # erased in this order
DEIDENTIFIED = "de-identified"


@dataclass
class Remains:
    """See the file's docstring. `folders`: to be removed once empty.

    `names`: what BIDS calls them, `shared`: them and somebody else, `codes`: what de-identified exports
    do; all without capitals.
    """

    participant: str
    files: dict[str, list[Path]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    folders: list[Path] = field(default_factory=list)
    tables: list[Path] = field(default_factory=list)
    logs: list[Path] = field(default_factory=list)
    left: list[Mapping[str, Any]] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)
    unsure: list[Path] = field(default_factory=list)
    linked: list[Path] = field(default_factory=list)
    shut: list[tuple[Path, OSError]] = field(default_factory=list)
    names: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()

    @property
    def own(self) -> str:
        """The pseudonym without capitals."""
        return self.participant.casefold()

    def unread(self, error: OSError) -> None:
        """A folder that cannot be read may hold anything: it is told, not passed over."""
        if not isinstance(error, FileNotFoundError):
            self.unsure.append(Path(error.filename))

    def closed(self, error: OSError) -> None:
        """A folder of theirs that cannot be read is not erased: it is told, and is to be done again."""
        if not isinstance(error, FileNotFoundError):
            self.shut.append((Path(error.filename), error))

    def counted(self) -> dict[str, dict[str, int]]:
        """For each kind how many files and bytes; for tables and logs how many hold something of theirs."""
        found = {
            kind: {"files": len(paths), "bytes": sum(_size(path) for path in paths)}
            for kind, paths in self.files.items()
            if paths
        }
        found |= {"tables": {"files": len(self.tables)}} if self.tables else {}
        return found | ({"logs": {"files": len(self.logs)}} if self.logs else {})


def find(study: Path, participant: str, others: Iterable[str], codes: Iterable[str] = ()) -> Remains:
    """What there is of a participant. `others`: what everybody else is called, so that nothing of theirs is.

    `codes`: what de-identified exports call the participant, where the key tells.
    """
    known = {other.casefold() for other in others} - {participant.casefold()}
    taken = {bids_label(other).casefold() for other in known}
    label = bids_label(participant).casefold()
    is_shared = label in taken or f"sub-{label}" in known
    free = {code.casefold() for code in codes if code and bids_label(code).casefold() not in taken}
    names = {bids_label(code) for code in free} | (set() if is_shared else {label})
    found = Remains(
        participant,
        names=frozenset(f"sub-{name}" for name in names),
        shared=frozenset({f"sub-{label}"} if is_shared else ()),
        codes=frozenset(free),
    )
    seen: set[Path] = set()
    _exports(study, found, seen)
    _in_study(study, found, seen)
    _journals(study, found, seen)
    for folder in (study, study / ".emolab", study / "withdrawn", *{path.parent for path in found.tables}):
        _half_written(folder, found, seen)
    log = study / ".emolab" / "engine.log"
    if log.is_file() and mentions(participant).search(log.read_bytes()):
        found.logs.append(log)
    found.unsure = _outermost(found.unsure)
    return found


def mentions(participant: str) -> re.Pattern[bytes]:
    """Finds a pseudonym as a word, in bytes: P014 is neither in P0145 nor in XP014 or P014-B.

    One that may mean other things is found in names of sessions and BIDS subjects only.
    """
    who = re.escape(participant.encode())
    if not is_distinctive(participant):
        who = rb"(?:" + who + rb"(?=_session-\d)|(?<=sub-)" + who + rb")"
    return _word(who)


def mentions_subject(label: str) -> re.Pattern[bytes]:
    """Finds a subject of BIDS as a word, in bytes."""
    return _word(b"sub-" + label.encode())


def _word(regex: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"(?<![A-Za-z0-9])" + regex + rb"(?![A-Za-z0-9]|-[A-Za-z0-9])", re.IGNORECASE)


def is_distinctive(participant: str) -> bool:
    """Whether a pseudonym hardly means anything else: it has a letter and two digits."""
    digits = sum(sign.isdigit() for sign in participant)
    return digits >= 2 and any(sign.isalpha() for sign in participant)


def _in_study(study: Path, found: Remains, seen: set[Path]) -> None:
    own = found.own
    begins = tuple(f"{dot}{own}_session-" for dot in ("", "."))
    subjects = tuple(f"{each}_" for each in found.names)
    doubtful = tuple(f"{each}_" for each in found.shared)
    foreign: set[Path] = set()
    for folder, inside, files in os.walk(study, onerror=found.unread):
        here = Path(folder)
        if here == study:
            inside[:] = [name for name in inside if name not in ("withdrawn", "consent")]
        elif _is_foreign(here, study, foreign):
            foreign.add(here)
        for name in list(inside):
            path, low = here / name, name.casefold()
            is_home = here == study and low == own
            is_own = is_home or (low == own and is_distinctive(own))
            if is_home and path.is_symlink():
                inside.remove(name)
                _elsewhere(path, found, seen, begins)
            elif is_own or low in found.names or low in found.shared or low.startswith(begins):
                inside.remove(name)
                is_alien = here in foreign or (is_anothers(path) and not path.is_symlink())
                if low in found.shared or (is_alien and not is_home):
                    _doubt(path, found, seen)
                else:
                    _whole(path, found, seen)
        for name in files:
            low = name.casefold()
            if here == study and low == own and (here / name).is_symlink():  # to a disk that is away
                _elsewhere(here / name, found, seen, begins)
            elif low.startswith((*begins, *subjects)) and here not in foreign:
                _take(here / name, found, seen)
            elif low.startswith((*begins, *subjects, *doubtful)):
                _doubt(here / name, found, seen)
        if "participants.tsv" in files:
            _tables(here, found, seen, is_foreign=here in foreign)


def _is_foreign(here: Path, study: Path, foreign: Collection[Path]) -> bool:
    """Whether a folder of the study is, or lies in, a data set that emolab did not begin.

    What was derived from one that is the study's own is the study's own.
    """
    if not is_data_set(here):
        return here.parent in foreign
    source = here.parent.parent
    is_derived = here.parent.name == "derivatives" and is_data_set(source) and source not in foreign
    return is_anothers(here) and not (is_derived and source.is_relative_to(study))


def _doubt(path: Path, found: Remains, seen: Collection[Path]) -> None:
    """What may be somebody else's is told, unless all of it is known to be theirs from elsewhere."""
    if path.is_symlink() or not path.is_dir():
        inside = [path]
    else:
        inside = [Path(here) / name for here, _, files in os.walk(path) for name in files]
    if path not in found.unsure and any(each.absolute() not in seen for each in inside):
        found.unsure.append(path)


def _outermost(paths: Iterable[Path]) -> list[Path]:
    """Each once, and none that lies in another."""
    whole = {path.absolute(): path for path in paths}
    return [path for place, path in whole.items() if whole.keys().isdisjoint(place.parents)]


def _whole(folder: Path, found: Remains, seen: set[Path], kind: str = "") -> None:
    """A folder that is the participant's, with all in it; of a link, the link alone."""
    if folder.is_symlink():
        _take(folder, found, seen, kind)
        return
    for here, inside, files in os.walk(folder, topdown=False, onerror=found.closed):
        for name in [*files, *(each for each in inside if _is_link(Path(here) / each))]:
            _take(Path(here) / name, found, seen, kind)
        found.folders.append(Path(here))


def _is_link(path: Path) -> bool:
    try:
        return path.is_symlink()
    except OSError:  # of a folder that only its names can be read of; erasing what is in it will tell
        return False


def _elsewhere(link: Path, found: Remains, seen: set[Path], begins: tuple[str, ...]) -> None:
    """The participant's own folder where it lies on another disk: what is named after their sessions."""
    home = link.resolve()
    if not home.exists():
        away = OSError(
            errno.ENOENT, f"{home} is not there; attach its disk, or take the link away", str(link)
        )
        found.shut.append((link, away))
        return
    try:
        inside = sorted(home.iterdir()) if home.is_dir() else []
    except OSError as error:
        found.shut.append((link, error))
        return
    for path in inside:
        if not path.name.casefold().startswith(begins):
            found.unsure.append(path)
        elif path.is_dir():
            _whole(path, found, seen)
        else:
            _take(path, found, seen)
    found.folders.append(home)
    _take(link, found, seen)


def _take(path: Path, found: Remains, seen: set[Path], kind: str = "") -> None:
    if path.absolute() in seen:
        return
    seen.add(path.absolute())
    found.files[kind or _kind(path)].append(path)
    with contextlib.suppress(OSError):  # erasing it will tell
        if path.is_symlink() or path.stat().st_nlink > 1:
            found.linked.append(path)


def _kind(path: Path) -> str:
    if ".journal" in path.suffixes:
        return "journals"
    if path.parent.suffix == ".labels":
        return "labels"
    return "recordings" if ".h5" in path.suffixes else "derived"


def _journals(study: Path, found: Remains, seen: set[Path]) -> None:
    """Journals and rescued files in the user's state folder, which know their study by a digest."""
    away = places(session_path(study, found.participant, 0))[1].parent
    own = re.escape(found.participant)
    name = re.compile(rf"(?i:(?P<who>{own})_session-)\d+(_part-\d+)?-[0-9a-f]{{12}}\..+")
    spelled = {path.name for path in _inside(study, found) if path.name.casefold() == found.own}
    for folder in (away, away / "rescued"):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if (match := name.fullmatch(path.name)) is None:
                continue
            stem = path.name.partition(".")[0]
            session = stem.rpartition("-")[0]
            folders = [home / who for home in _ways(study) for who in (match["who"], *spelled)]
            homes = {places(home / f"{session}.h5")[1].stem for home in folders}
            if stem not in homes:
                found.unsure.append(path)
            elif path.is_dir():
                _whole(path, found, seen)
            else:
                _take(path, found, seen, "journals")


def _ways(study: Path) -> set[Path]:
    """The paths a study is likely to have been opened by."""
    return {study, study.absolute(), study.resolve()}


def _exports(study: Path, found: Remains, seen: set[Path]) -> None:
    stone = tombstone.read(study, found.participant)
    gone = set(stone.reached) if stone is not None else set()
    known: list[tuple[str, Path, tuple[Path, ...]]] = [
        (export.format, export.folder, export.files)
        for export in exports_made.made(study)
        if export.participant.casefold() == found.own
    ]
    known += [(format, folder, files) for format, folder, files in _told_left(stone)]
    for folder in sorted({folder for _, folder, _ in known}):
        files = [path for _, there, paths in known if there == folder for path in paths]
        formats = [format for format, there, _ in known if there == folder]
        is_hidden = any(DEIDENTIFIED in format for format in formats)
        if str(folder) in gone and not folder.exists() and folder.parent.is_dir():
            continue  # it was removed, empty, before a kill
        if not folder.is_dir() or (is_hidden and not found.codes):
            told = {
                "format": formats[0],
                "folder": str(folder),
                "files": sorted({str(path) for path in files}),
            }
            found.left.append(told)
            continue
        found.reached.append(str(folder))
        for path in files:
            _noted(path, folder, found, seen)
        if any("bids" in format for format in formats):
            is_foreign = is_anothers(folder) and not is_hidden
            _of_data_set(folder, found, seen, is_foreign=is_foreign)
            _tables(folder, found, seen, is_foreign=is_foreign)
        if is_hidden:
            _of_code(folder, found, seen)


def _noted(path: Path, folder: Path, found: Remains, seen: set[Path]) -> None:
    """A file that the list says is theirs; by its name it must be, too: no other is touched."""
    low = path.name.casefold()
    sessions, subjects = _sessions(found), tuple(f"{each}_" for each in found.names)
    if low.startswith((*sessions, *subjects)):
        for each in (path, path.with_name(f".{path.name}.part")):
            if each.exists() or each.is_symlink():
                _take(each, found, seen, "exports")
        found.folders += _between(path.parent, folder)
    elif low.startswith(tuple(f"{each}_" for each in found.shared)) and path.exists():
        _doubt(path, found, seen)


def _sessions(found: Remains) -> tuple[str, ...]:
    """How names of their sessions begin."""
    return tuple(f"{each}_session-" for each in (found.own, *found.codes))


def _told_left(stone: tombstone.Tombstone | None) -> Iterator[tuple[str, Path, tuple[Path, ...]]]:
    for each in stone.left if stone is not None else ():
        files = each.get("files")
        told = tuple(Path(str(path)) for path in files) if isinstance(files, list) else ()
        yield str(each.get("format", "")), Path(str(each.get("folder", ""))), told


def _of_data_set(folder: Path, found: Remains, seen: set[Path], *, is_foreign: bool) -> None:
    """The participant as a subject of a BIDS data set and of what was derived from it.

    `is_foreign`: emolab did not begin it; then what was not noted there is told and left alone.
    """
    homes = {folder: is_foreign}
    derived = folder / "derivatives"
    if not derived.is_symlink():
        for home in _inside(derived, found):
            if home.is_dir() and not home.is_symlink():
                homes[home] = is_foreign and (is_anothers(home) or not is_data_set(home))
    for home, is_doubtful in homes.items():
        for path in _inside(home, found):
            low = path.name.casefold()
            is_subject = path.is_symlink() or (path.is_dir() and not is_anothers(path))
            if low in found.names and is_subject and not is_doubtful:
                _whole(path, found, seen, "exports")
            elif low in found.names | found.shared or low.startswith(
                tuple(f"{each}{sign}" for each in found.names | found.shared for sign in "_.")
            ):
                _doubt(path, found, seen)


def _of_code(folder: Path, found: Remains, seen: set[Path]) -> None:
    """What bears the participant's code at the top of a de-identified export."""
    for path in _inside(folder, found):
        low = path.name.casefold()
        if low in found.codes:
            _whole(path, found, seen, "exports")
        elif low.removeprefix(".").startswith(_sessions(found)):
            _take(path, found, seen, "exports")


def _inside(folder: Path, found: Remains) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        found.unread(error)
        return []


def _half_written(folder: Path, found: Remains, seen: set[Path]) -> None:
    """What a kill left of a small file (see `kept`, `export.whole`), when it names the participant."""
    word = mentions(found.participant)
    for path in sorted(folder.glob(".*.part")):
        if path.is_file() and (word.search(os.fsencode(path.name)) or word.search(path.read_bytes())):
            _take(path, found, seen, "derived")


def _between(inner: Path, outer: Path) -> list[Path]:
    """`inner` and the folders above it, up to and with `outer`: they go when they are empty."""
    found = [inner]
    while found[-1] != outer and found[-1].is_relative_to(outer):
        found.append(found[-1].parent)
    return found


def _tables(folder: Path, found: Remains, seen: Collection[Path], *, is_foreign: bool) -> None:
    """BIDS tables with a row of the participant; those of others are told and left alone."""
    for path in sorted(folder.glob("*.tsv")):
        if path not in found.tables and any(is_row_of(row, found.names) for row in _lines(path)):
            if is_foreign and not _names_them(path, found):
                _doubt(path, found, seen)
            else:
                found.tables.append(path)


def _names_them(path: Path, found: Remains) -> bool:
    """Whether a table says itself, in its column `pseudonym`, that their rows are theirs."""
    head, *rows = [row.split(b"\t") for row in _lines(path)]
    if b"pseudonym" not in head:
        return False
    at, own = head.index(b"pseudonym"), found.own.encode()
    told = [row[at : at + 1] for row in rows if is_row_of(b"\t".join(row), found.names)]
    return all(cells and cells[0].strip().lower() == own for cells in told)


def is_row_of(row: bytes, names: Iterable[str]) -> bool:
    """Whether a row of a table of BIDS is about a subject of one of these names."""
    return row.split(b"\t")[0].strip().lower() in {name.casefold().encode() for name in names}


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except OSError:
        return []


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
