"""Everything of one participant that the study knows of, found before the first of it is erased.

    recordings   session files, also damaged and half made ones      STUDY/P014/…
    labels       ledgers of analysts                                 STUDY/P014/….labels/
    journals     what is kept of a session until its file is whole   beside it, or in the user's state folder
    derived      whatever else is named after the participant: STUDY/…/P014/…, P014_session-0…, sub-P014…;
                 for a pseudonym that may mean other things (7, v1) no folder but STUDY/v1
    exports      files noted in `exports_made`, and sub-P014 of BIDS data sets exported to

Further: rows of BIDS tables (`tables`), lines of the engine's log (`logs`), what is known but not at hand
(`left`, `unsure`), and folders of exports that are (`reached`). Nothing is followed through links but the
participant's own folder, and of what lies outside the study only files that bear the participant's
name or code are taken.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emolab.recording.places import places
from emolab.study import exports_made, tombstone
from emolab.study.export.bids_text import label
from emolab.study.sessions import session_path

KINDS = ("exports", "labels", "derived", "journals", "recordings")  # erased in this order
DEIDENTIFIED = "de-identified"


@dataclass
class Remains:
    """See the file's docstring. `folders`: to be removed once empty. `names`: what BIDS calls them."""

    participant: str
    files: dict[str, list[Path]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    folders: list[Path] = field(default_factory=list)
    tables: list[Path] = field(default_factory=list)
    logs: list[Path] = field(default_factory=list)
    left: list[Mapping[str, Any]] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)
    unsure: list[Path] = field(default_factory=list)
    linked: list[Path] = field(default_factory=list)
    names: frozenset[str] = frozenset()

    def unread(self, error: OSError) -> None:
        """A folder that cannot be read may hold anything: it is told, not passed over."""
        if not isinstance(error, FileNotFoundError):
            self.unsure.append(Path(error.filename))

    def counted(self) -> dict[str, dict[str, int]]:
        """For each kind how many files and bytes; for tables and logs how many hold something of theirs."""
        found = {
            kind: {"files": len(paths), "bytes": sum(_size(path) for path in paths)}
            for kind, paths in self.files.items()
            if paths
        }
        found |= {"tables": {"files": len(self.tables)}} if self.tables else {}
        return found | ({"logs": {"files": len(self.logs)}} if self.logs else {})


def find(study: Path, participant: str, others: Iterable[str], code: str = "") -> Remains:
    """What there is of a participant. `others`: everybody else's pseudonyms, so that nothing of theirs is.

    `code`: what de-identified exports call them, where the key tells.
    """
    taken = {label(other) for other in others if other != participant}
    names = {f"sub-{name}" for name in (label(participant), code) if name and name not in taken}
    found = Remains(participant, names=frozenset(names))
    seen: set[Path] = set()
    _in_study(study, found, seen)
    _journals(study, found, seen)
    _exports(study, found, seen, code)
    for folder in (study, study / ".emolab", study / "withdrawn", *{path.parent for path in found.tables}):
        _half_written(folder, found, seen)
    log = study / ".emolab" / "engine.log"
    if log.is_file() and mentions(participant).search(log.read_bytes()):
        found.logs.append(log)
    return found


def mentions(participant: str) -> re.Pattern[bytes]:
    """Finds a pseudonym as a word, in bytes: P014 is neither in P0145 nor in XP014 or P014-B.

    One that may mean other things is found in names of sessions and BIDS subjects only.
    """
    who = re.escape(participant.encode())
    if not is_distinctive(participant):
        who = rb"(?:" + who + rb"(?=_session-\d)|(?<=sub-)" + who + rb")"
    return re.compile(rb"(?<![A-Za-z0-9])" + who + rb"(?![A-Za-z0-9]|-[A-Za-z0-9])")


def is_distinctive(participant: str) -> bool:
    """Whether a pseudonym hardly means anything else: it has a letter and two digits."""
    digits = sum(sign.isdigit() for sign in participant)
    return digits >= 2 and any(sign.isalpha() for sign in participant)


def _in_study(study: Path, found: Remains, seen: set[Path]) -> None:
    own = found.participant
    begins = tuple(f"{dot}{own}_session-" for dot in ("", "."))
    for folder, inside, files in os.walk(study, onerror=found.unread):
        here = Path(folder)
        if here == study:
            inside[:] = [name for name in inside if name not in ("withdrawn", "consent")]
        for name in list(inside):
            path = here / name
            is_own = name == own and (here == study or is_distinctive(own))
            if path == study / own and path.is_symlink():
                inside.remove(name)
                _elsewhere(path, found, seen, begins)
            elif is_own or name in found.names or name.startswith(begins):
                inside.remove(name)
                _whole(path, found, seen)
        for name in files:
            if name.startswith(begins) or name.startswith(tuple(f"{each}_" for each in found.names)):
                _take(here / name, found, seen)
        if "participants.tsv" in files:
            _tables(here, found)


def _whole(folder: Path, found: Remains, seen: set[Path]) -> None:
    """A folder that is the participant's, with all in it; of a link, the link alone."""
    if folder.is_symlink():
        _take(folder, found, seen)
        return
    for here, inside, files in os.walk(folder, topdown=False, onerror=found.unread):
        for name in [*files, *(each for each in inside if (Path(here) / each).is_symlink())]:
            _take(Path(here) / name, found, seen)
        found.folders.append(Path(here))


def _elsewhere(link: Path, found: Remains, seen: set[Path], begins: tuple[str, ...]) -> None:
    """The participant's own folder where it lies on another disk: what is named after their sessions."""
    home = link.resolve()
    for path in sorted(home.iterdir()) if home.is_dir() else ():
        if not path.name.startswith(begins):
            found.unsure.append(path)
        elif path.is_dir():
            _whole(path, found, seen)
        else:
            _take(path, found, seen)
    found.folders.append(home)
    _take(link, found, seen)


def _take(path: Path, found: Remains, seen: set[Path], kind: str = "") -> None:
    if path in seen:
        return
    seen.add(path)
    found.files[kind or _kind(path)].append(path)
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
    name = re.compile(re.escape(found.participant) + r"_session-\d+(_part-\d+)?-[0-9a-f]{12}\..+")
    for folder in (away, away / "rescued"):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if not name.fullmatch(path.name):
                continue
            stem = path.name.partition(".")[0]
            session = stem.rpartition("-")[0]
            homes = {places(home / found.participant / f"{session}.h5")[1].stem for home in _ways(study)}
            if stem not in homes:
                found.unsure.append(path)
            elif path.is_dir():
                _whole(path, found, seen)
            else:
                _take(path, found, seen, "journals")


def _ways(study: Path) -> set[Path]:
    """The paths a study is likely to have been opened by."""
    return {study, study.absolute(), study.resolve()}


def _exports(study: Path, found: Remains, seen: set[Path], code: str) -> None:
    stone = tombstone.read(study, found.participant)
    gone = set(stone.reached) if stone is not None else set()
    known: list[tuple[str, Path, tuple[Path, ...]]] = [
        (export.format, export.folder, export.files)
        for export in exports_made.made(study)
        if export.participant == found.participant
    ]
    known += [(format, folder, files) for format, folder, files in _told_left(stone)]
    hidden = {folder for format, folder, _ in known if DEIDENTIFIED in format}
    for folder in sorted({folder for _, folder, _ in known}):
        files = [path for _, there, paths in known if there == folder for path in paths]
        format = next(format for format, there, _ in known if there == folder)
        if str(folder) in gone and not folder.exists() and folder.parent.is_dir():
            continue  # it was removed, empty, before a kill
        if not folder.is_dir() or (folder in hidden and not code):
            left = {"format": format, "folder": str(folder), "files": sorted({str(path) for path in files})}
            found.left.append(left)
            continue
        found.reached.append(str(folder))
        for path in files:
            if path.name.startswith(_named(found, code)):
                for each in (path, path.with_name(f".{path.name}.part")):
                    if each.exists() or each.is_symlink():
                        _take(each, found, seen, "exports")
                found.folders += _between(path.parent, folder)
        if folder in hidden or "bids" in format:
            _exported(folder, found, seen, code)
            _tables(folder, found)


def _told_left(stone: tombstone.Tombstone | None) -> Iterator[tuple[str, Path, tuple[Path, ...]]]:
    for each in stone.left if stone is not None else ():
        files = each.get("files")
        told = tuple(Path(str(path)) for path in files) if isinstance(files, list) else ()
        yield str(each.get("format", "")), Path(str(each.get("folder", ""))), told


def _named(found: Remains, code: str) -> tuple[str, ...]:
    """How names of exported files begin that may be erased: whatever a list says, no other is touched."""
    whose = [found.participant, *([code] if code else [])]
    return (*(f"{each}_session-" for each in whose), *(f"{each}_" for each in found.names))


def _exported(folder: Path, found: Remains, seen: set[Path], code: str) -> None:
    """All in an export's folder that bears the participant's BIDS name, or the code."""
    names = {*found.names, *([code] if code else [])}
    for here, inside, files in os.walk(folder, onerror=found.unread):
        for name in [name for name in inside if name in names]:
            inside.remove(name)
            before = {kind: len(paths) for kind, paths in found.files.items()}
            _whole(Path(here) / name, found, seen)
            for kind, count in before.items():
                if kind != "exports":
                    found.files["exports"] += found.files[kind][count:]
                    del found.files[kind][count:]
        for name in files:
            if name.startswith(_named(found, code)):
                _take(Path(here) / name, found, seen, "exports")


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


def _tables(folder: Path, found: Remains) -> None:
    """BIDS tables with a row of the participant."""
    for path in sorted(folder.glob("*.tsv")):
        if path not in found.tables and any(is_row_of(row, found.names) for row in _lines(path)):
            found.tables.append(path)


def is_row_of(row: bytes, names: Iterable[str], between: bytes = b"\t") -> bool:
    """Whether a row of a table, such as one of BIDS, is about a subject of one of these names."""
    return row.split(between)[0].strip() in {name.encode() for name in names}


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
