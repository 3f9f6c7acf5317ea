"""A session whose process was killed made an ordinary file again.

The damaged file is only read. What it safely holds is written to a new file, which then takes
its name; the damaged one stays beside it as `NAME.damaged.h5`. Where the recording left a journal, the
new file is made from that: after a power cut the other may be any mixture of old and new.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from emolab.core.disk import sync_folder
from emolab.core.errors import RecordingError
from emolab.recording import layout, places
from emolab.recording.apart import mending
from emolab.recording.guard import damage_told
from emolab.recording.pack import readable_rows, write_again
from emolab.recording.reader import Session
from emolab.recording.rebuild import header_of, rebuild

_ALIVE_S = 1.5  # a recording writes to its file at least each half second
_OLD_S = 600.0  # beyond any difference between this computer's clock and that of a network drive
_HEAD_BYTES = 1 << 20  # a journal's head has some thousand
_UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FLAGS_AT, _OPEN_FOR_WRITING = 11, 0x05  # HDF5's superblock, versions 2 and 3: consistency flags


def recover(path: Path) -> dict[str, Any]:
    """Mend a session file in place, keeping the damaged one; returns the damage report.

    `mended` False: the file was sound and nothing was done. A file that holds everything but was
    never closed is mended too, as other programs cannot open it. `streams`: name, samples kept, the
    last sample's time, and rows that could not be read. Raises `RecordingError` when the session
    is being recorded at this moment, the file cannot be opened at all, or the disk is too full.
    """
    path = Path(path)
    if path.suffix == ".journal":
        return from_journal(path, _belonging_to(path))
    if (found := places.find(path)) is not None and _is_of(found, path):
        _refuse_if_alive(found)
        return from_journal(found, path)
    if found is not None and _is_torn(found):
        _refuse_if_alive(found)
        found.unlink()
    with (
        damage_told(path, "too much is lost to mend it; keep it as it is"),
        Session.open(path) as session,
    ):
        is_closed = session.finished and not _is_open(path)
        if is_closed and _is_sound(session):
            return _report(session, path, None, dict.fromkeys(session.streams, 0))
        if not is_closed:
            _refuse_if_alive(path)
        if shutil.disk_usage(path.parent).free < path.stat().st_size + (16 << 20):
            raise RecordingError(
                f"{path} cannot be mended: the disk has too little room for a copy; free some first"
            )
        kept = _free_name(path)
        beside = mending(path)
        outcome = session.outcome if session.finished else "interrupted"
        facts = {
            "mended_utc": datetime.now(UTC).isoformat(),
            "damaged": kept.name,
            "outcome_found": session.outcome,
        }
        try:
            with _writing(path, path):
                dropped = write_again(session, beside, outcome, facts)
            with Session.open(beside) as mended:
                report = _report(mended, path, kept, dropped)
        except BaseException:
            _erase(beside)
            raise
    try:
        _swap(beside, path, kept)  # the damaged one is closed by now: Windows replaces no file that is open
    finally:
        _erase(beside)
    return report


def from_journal(
    source: Path, path: Path, *, keep_damaged: bool = True, keep_journal: bool = False
) -> dict[str, Any]:
    """Make the session file `path` from its journal; returns and raises as `recover` does.

    What lies there is kept as a damaged file, if at all; the journal is removed in the end.
    """
    kept = _free_name(path) if keep_damaged and path.exists() else None
    beside = mending(path, f"{os.getpid()}-{threading.get_ident()}")  # two may come at once
    claimed = _claimed(path)
    facts = {
        "mended_utc": datetime.now(UTC).isoformat(),
        "damaged": kept.name if kept is not None else "",
        "outcome_found": layout.OUTCOMES[0],
        "journal": source.name,
    }
    try:
        with _writing(path, source):
            rebuild(source, beside, facts)
        with Session.open(beside) as mended:
            rows = {name: len(stream) for name, stream in mended.streams.items()}
            dropped = {name: max(0, claimed.get(name, 0) - count) for name, count in rows.items()}
            report = _report(mended, path, kept, dropped) | {"mended": True, "journal": str(source)}
        if kept is not None:
            _swap(beside, path, kept)
        else:
            beside.replace(path)
            sync_folder(path.parent)
        if not keep_journal:
            source.unlink()
    finally:
        _erase(beside)
    return report


def was_cut_off(path: Path) -> bool:
    """Whether whoever wrote this file never closed it: it is being recorded, or its writer died.

    Twelve bytes are read, so that a study of hundreds of sessions is looked through at once. False
    for what is no HDF5 file or cannot be read, unless it has a journal.
    """
    return places.find(path) is not None or _is_open(path)


def _is_open(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(_FLAGS_AT + 1)
    except OSError:
        return False
    return start[:8] == b"\x89HDF\r\n\x1a\n" and bool(
        start[_FLAGS_AT:] and start[_FLAGS_AT] & _OPEN_FOR_WRITING
    )


def text(report: dict[str, Any]) -> str:
    """The damage report as a page for people."""
    if not report["mended"]:
        return f"{report['file']} is sound; nothing was changed."
    lines = [f"{report['file']} is whole again"]
    if report.get("journal"):
        lines[0] += ", made from its journal"
    if report["damaged"]:
        lines[0] += f"; the damaged file is kept as {report['damaged']}"
    for stream in report["streams"]:
        last = (
            "nothing"
            if stream["last_s"] is None
            else f"{stream['samples']} samples, to {stream['last_s']:.2f} s"
        )
        lines.append(f"  {stream['name']}: {last}, {stream['rows_dropped']} rows dropped")
    lines.append(f"  {report['events']} events, {report['answers']} answers")
    return "\n".join(lines)


def _report(session: Session, path: Path, kept: Path | None, dropped: dict[str, int]) -> dict[str, Any]:
    return {
        "file": str(path),
        "mended": kept is not None,
        "damaged": None if kept is None else str(kept),
        "outcome": session.outcome,
        "streams": [
            {
                "name": name,
                "samples": len(stream),
                "last_s": stream.last_s(),
                "rows_dropped": dropped[name],
            }
            for name, stream in session.streams.items()
        ],
        "events": len(session.events),
        "answers": len(session.answers),
    }


def _is_of(found: Path, path: Path) -> bool:
    """Whether a journal belongs to this session file, as far as that can still say whose it is."""
    if _is_torn(found) and path.exists():
        return False
    try:
        with Session.open(path) as session:
            return session.header.started_utc == header_of(found).header.started_utc
    except RecordingError:
        return True


def _is_torn(found: Path) -> bool:
    """Whether the recorder died as it began this journal: it holds nothing, the session file all there is."""
    if found.stat().st_size > _HEAD_BYTES:
        return False
    try:
        header_of(found)
    except RecordingError:
        return True
    return False


def _belonging_to(found: Path) -> Path:
    """Which session file to make of a journal that was named itself."""
    if found.name.startswith("."):
        return found.with_name(found.name.removeprefix(".").removesuffix(".journal"))
    return found.with_suffix(".h5")


def _claimed(path: Path) -> dict[str, int]:
    """Rows that a damaged file speaks of, whether they can be read or not."""
    try:
        with Session.open(path) as session:
            return {name: len(stream) for name, stream in session.streams.items()}
    except RecordingError:
        return {}


def _is_sound(session: Session) -> bool:
    events, readable = session.events_that_can_be_read()
    return events == len(readable) and all(
        readable_rows(stream) == len(stream) for stream in session.streams.values()
    )


def is_growing(path: Path) -> bool:
    """Whether somebody writes this file now. It takes a second when it was written minutes ago."""
    before = _signs_of_life(path)
    if time.time() - before[0] / 1e9 < _OLD_S:
        time.sleep(_ALIVE_S)
    return _signs_of_life(path) != before


def _refuse_if_alive(path: Path) -> None:
    if is_growing(path):
        raise RecordingError(
            f"{path} is being recorded at this moment; end the session, then there is nothing to mend"
        )


def _signs_of_life(path: Path) -> tuple[int, int]:
    with path.open("rb") as file:  # a network drive tells the truth to who opens the file, not to who asks
        found = os.fstat(file.fileno())
    return found.st_mtime_ns, found.st_size


def _free_name(path: Path) -> Path:
    names = [path.with_name(f"{path.stem}.damaged{number or ''}{path.suffix}") for number in range(1000)]
    return next(name for name in names if not name.exists())


def _swap(beside: Path, path: Path, kept: Path) -> None:
    """Give the damaged file its new name and the mended one the old; the old name exists at every moment.

    Raises `RecordingError` when that cannot be, with the damaged file where it was.
    """
    try:
        try:
            os.link(path, kept)
            back: Callable[[], object] = kept.unlink
        except OSError:  # a file system without hard links
            path.rename(kept)
            back = partial(kept.rename, path)
        try:
            beside.replace(path)
        except OSError:
            back()
            raise
    except OSError as error:
        raise RecordingError(
            f"{path} can be mended, but what is mended cannot take its place ({error.strerror or error}); "
            "close the programs that use it, and mend it again"
        ) from error
    sync_folder(path.parent)


@contextlib.contextmanager
def _writing(path: Path, source: Path) -> Iterator[None]:
    """Where nothing can be written beside `path`, inside, `RecordingError` says so: that is no damage.

    What is wrong with `source`, which is only read, is told as it comes.
    """
    try:
        yield
    except Exception as error:
        why = _unwritten(error)
        if not why or getattr(error, "filename", None) == str(source):
            raise
        raise RecordingError(
            f"{path} cannot be mended: nothing can be written beside it ({why}). What there is stays as it "
            "was; make room there, or see that the folder is yours, and mend it again"
        ) from error


def _unwritten(error: BaseException | None) -> str:
    """Why the disk did not take something, in the system's words; empty when that was not it."""
    while error is not None:
        told = re.search(r"errno = (\d+)", str(error))  # HDF5 tells it in words only
        number = getattr(error, "errno", None) or (int(told[1]) if told else 0)
        if number in _UNWRITABLE:
            return os.strerror(number)
        error = error.__cause__ or error.__context__
    return ""


def _erase(beside: Path) -> None:
    with contextlib.suppress(OSError):
        beside.unlink()
