"""One session or all of a study in a format of others, one after the other; what fails stops no other.

    OUT/P014/P014_session-0_board.csv …      of a study: a folder a participant
    OUT/sub-P014/ses-0/…                     BIDS: one data set
    OUT/DEIDENTIFIED.txt                     what was removed, where it was; nothing else goes in there

Sessions are taken in the order of their names; de-identified, in a random one, so that the order of
files and rows leads to nobody. BIDS and what is de-identified name files after what a recording says it
is, so a copy that lies in the study is refused there: its files would replace the others'. Each file is
noted in the study it left before it is written (`exports_made`); of a de-identified export only the folder
is, since its names hold the codes.
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from emolab.core.errors import ConfigError, EmolabError, RecordingError
from emolab.recording.copies import PART, Identity, identity, is_at_home
from emolab.recording.guard import damage_told
from emolab.recording.reader import Session
from emolab.recording.recover import was_cut_off
from emolab.study import exports_made
from emolab.study.export import deidentify
from emolab.study.export.blurred import FaceBlur, FindsFaces
from emolab.study.export.outgoing import Outgoing, outgoing
from emolab.study.export.whole import telling, whole
from emolab.study.sessions import named, sessions

FORMATS = {
    "csv": "emolab.study.export.tables:write",
    "xdf": "emolab.study.export.xdf:write",
    "mp4": "emolab.study.export.film:write",
    "bids": "emolab.study.export.bids:write",
    "eaf": "emolab.study.export.eaf:write",
}
Writer = Callable[[Outgoing, Path], list[Path]]
MARK = "DEIDENTIFIED.txt"
NOT_CLOSED = (
    "was not closed; what its journal holds is missing: end the session if it goes on, else run "
    "'emolab recover' first"
)


@dataclass(frozen=True)
class Hide:
    """How sessions are de-identified. `blurs`: films go out with faces blurred, found by `faces`."""

    codes: deidentify.Codes
    blurs: bool = False
    faces: FindsFaces | None = None


@dataclass(frozen=True)
class Done:
    """What became of one session. `troubles`: empty when all of it was written. `remarks`: see `Outgoing`."""

    recording: Path
    files: tuple[Path, ...]
    troubles: tuple[str, ...] = ()
    blurred: str = ""
    remarks: tuple[str, ...] = ()


def recordings(place: Path) -> list[Path]:
    """The session file itself, or those of a study or of one participant in it.

    Raises `ConfigError` when a folder has none.
    """
    if not place.is_dir():
        return [place]
    own = (path for path in sorted(place.glob("*_session-*.h5")) if named(path) is not None)
    found = [path for _, _, path in sessions(place)] or list(own)
    if not found:
        raise ConfigError(
            f"{place} holds no session; choose a study folder, or a recording P014_session-0.h5"
        )
    return found


def export_all(
    place: Path,
    to: str,
    folder: Path,
    hide: Hide | None = None,
    on_done: Callable[[Done, int], None] = lambda _done, _of: None,
) -> list[Done]:
    """Write every session of `place`; `on_done` is told of each, and of how many there are.

    Raises `ConfigError` for a format there is none of, a folder that cannot be written or is of the other
    kind (de-identified or not), and when `place` holds no session.
    """
    found = recordings(place)
    writer(to)
    prepare(folder, to, hide)
    if hide is not None:
        random.SystemRandom().shuffle(found)
    # these files are named after what the recording says of itself, not after where it lies
    refused = _twice(found) if to == "bids" or hide is not None else {}
    done = []
    for recording in found:
        if recording in refused:
            done.append(Done(recording, (), (refused[recording],)))
            on_done(done[-1], len(found))
            continue
        inside = folder
        if place.is_dir() and to != "bids":
            who = recording.parent.name
            inside = folder / (hide.codes.of(who) if hide else who)
        done.append(_tried(recording, to, inside, hide, folder))
        on_done(done[-1], len(found))
    return done


def _twice(found: Sequence[Path]) -> dict[Path, str]:
    """Recordings whose files would take the names of another's, and why: the one in its own folder counts."""
    told: dict[Path, Identity] = {}
    for path in found:
        try:
            with Session.open(path) as session:
                header = session.header
        except EmolabError:  # told when its turn comes
            continue
        told[path] = identity(header.participant, header.session, header.started_utc)
    counts: dict[tuple[str, int], Path] = {}
    refused = {}
    for path in sorted(told, key=lambda path: (not is_at_home(path, told[path]), path)):
        first = path.with_name(f"{path.stem.partition(PART)[0]}.h5")
        if (other := counts.setdefault(told[path].place, first)) != first:
            refused[path] = (
                f"says it is the same session of the same participant as {other}, whose files it would "
                "replace; take it out of the study, or export it into another folder"
            )
    return refused


def _tried(recording: Path, to: str, folder: Path, hide: Hide | None, home: Path) -> Done:
    files: list[Path] = []
    try:
        return export_one(recording, to, folder, hide, files, home)
    except EmolabError as error:
        return Done(recording, tuple(path for path in files if path.exists()), (str(error),))


def export_one(
    recording: Path,
    to: str,
    folder: Path,
    hide: Hide | None = None,
    begun: list[Path] | None = None,
    home: Path | None = None,
) -> Done:
    """Write one session into a folder inside `home`, which was prepared; `begun` takes each file's name.

    Raises `RecordingError` when the session cannot be read, `DataError` when it holds nothing for this
    format, `ConfigError` when the folder cannot be written.
    """
    begun = [] if begun is None else begun
    study = exports_made.study_of(recording)
    if study is not None and hide is not None:
        exports_made.register(study, recording.stem, f"{to}, de-identified", home or folder, [])

    def note(path: Path) -> None:
        begun.append(path)
        is_shared = to == "bids" and path.parent.name != "beh"
        if study is not None and hide is None and not is_shared:
            exports_made.register(study, recording.stem, to, folder, [path])

    with Session.open(recording) as session:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with damage_told(recording):
                told = outgoing(session)
            if not session.finished or was_cut_off(recording):
                told.troubles.append(NOT_CLOSED)
            blur = FaceBlur(hide.faces) if hide is not None and hide.blurs else None
            if hide is not None:
                told = deidentify.deidentified(told, hide.codes, blur)
            with telling(note):
                files = writer(to)(told, folder)
        except EmolabError:
            raise
        except OSError as error:
            if error.errno is None:  # HDF5's
                raise _damaged(recording, error) from error
            raise ConfigError(
                f"{folder} cannot be written ({error.strerror or error}); make room, or choose another"
            ) from error
        except (RuntimeError, LookupError, ValueError, ArithmeticError) as error:
            raise _damaged(recording, error) from error
        except MemoryError as error:
            raise RecordingError(
                f"{recording} needs more memory than there is; close other programs, and export it again"
            ) from error
    seen = f"{blur.whole} of {blur.frames} frames blurred whole" if blur is not None and blur.frames else ""
    return Done(recording, tuple(files), tuple(told.troubles), seen, tuple(told.remarks))


def writer(to: str) -> Writer:
    """The function that writes a format. Raises `ConfigError` naming the formats."""
    if to not in FORMATS:
        raise ConfigError(f"there is no format {to!r}; the formats are {', '.join(FORMATS)}")
    module, _, function = FORMATS[to].partition(":")
    write: Writer = getattr(importlib.import_module(module), function)
    return write


def prepare(folder: Path, to: str, hide: Hide | None) -> None:
    """Make the folder, and see that what is in it is of one kind. Raises `ConfigError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_marked = (folder / MARK).exists()
        if hide is None and is_marked:
            raise ConfigError(f"{folder} holds de-identified data; export what is not into another folder")
        if hide is not None and is_marked and hide.codes.is_empty:
            raise ConfigError(
                f"{folder} holds de-identified data already, and the same people would stand in it twice; "
                "choose an empty folder, or give the key with which it was made"
            )
        if hide is not None and not is_marked:
            if any(folder.iterdir()):
                raise ConfigError(f"{folder} is not empty; de-identified data need a folder of their own")
            with whole(folder / MARK) as beside:
                beside.write_text(_said(hide), encoding="utf-8")
            if to == "bids":  # its validator knows no such file
                (folder / ".bidsignore").write_text(f"{MARK}\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{folder} cannot be made ({error.strerror or error}); choose another") from error


def _said(hide: Hide) -> str:
    about = (deidentify.__doc__ or "").rstrip()
    video = "with faces blurred, where the format is mp4" if hide.blurs else "left out"
    return f"{about}\n\nHere: video {video}.\n"


def _damaged(recording: Path, error: Exception) -> RecordingError:
    reason = str(error) or type(error).__name__
    return RecordingError(f"{recording} is damaged ({reason}); run 'emolab recover' on it")


def told(done: Sequence[Done]) -> list[str]:
    """What fell short, a line a session."""
    return [f"{one.recording.stem}: {trouble}" for one in done for trouble in one.troubles]
