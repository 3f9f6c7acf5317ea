"""One analyst's acts on one session, appended and never altered: who, when, what, why.

    STUDY/P014/P014_session-0.labels/anna.jsonl

A line is one act as JSON, and ends with the SHA-256 of itself and of the line before: a line that
was changed, removed, added or moved breaks the chain. The first line names session and analyst.
Lines cut off at the end would leave a sound chain, so the newest hash is kept a second time, in
`heads.json` beside the ledgers, always written after the line itself.

An act is on the disk before `append` returns. A process killed in the middle of one leaves half a
line, which the next to open the ledger moves to `anna.jsonl.cut`; no other act is lost. Programs that
write the labels of one recording do so one after the other (`alone_in`), and one whose ledger has
grown meanwhile is told.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emolab.core.disk import alone
from emolab.core.errors import ConfigError, DataError, RecordingError
from emolab.recording.labels import Change, TimedLabel

SCHEMA = 1
DEEDS = ("edit", "undo", "redo")
HEADS = "heads.json"
PATIENCE_S = 10.0  # for another program that writes labels of the same recording
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _@.+-]{0,63}")
# the lanes that are read from the recording, of faces, and of classifiers (`review.guesses.lane_of`)
_NOT_A_PERSON = re.compile(
    r"(events|intended|reported|face-.*|.+-(valence|arousal|state|group)(-[0-9a-f]{4})?)( \d+)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Act:
    """One line of a ledger.

    `number`: from 1. `do`: `edit`, `undo` or `redo`. `changes`: what it did to labels. `why`: the
    reason given. `of`: the act that is undone or done again. `by`: the model and the hash of its
    weights where no person judged. `hash`: of this line and all before it.
    """

    number: int
    utc: datetime
    do: str
    changes: tuple[Change, ...]
    why: str = ""
    of: int | None = None
    by: Mapping[str, str] = field(default_factory=dict)
    hash: str = ""


def folder_of(recording: Path) -> Path:
    """Where the ledgers of a recording lie."""
    return recording.with_suffix(".labels")


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """While this lasts no other program writes labels in `folder`. Not to be asked for twice at once.

    Raises `RecordingError` when the folder cannot be written, or another program is not done in ten seconds.
    """
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(alone(folder / HEADS, PATIENCE_S))
        except OSError as error:
            raise _cannot_keep(folder, error) from error
        yield


def _cannot_keep(folder: Path, error: OSError) -> RecordingError:
    return RecordingError(
        f"labels cannot be kept in {folder} ({error.strerror or error}); "
        "make room, and see that the folder is yours"
    )


def check_name(analyst: str) -> str:
    """`analyst` itself when a person can be called that here. Raises `ConfigError` otherwise."""
    if _NOT_A_PERSON.fullmatch(_written(analyst)):
        raise ConfigError(f"{analyst!r} is what a lane of another kind is called; choose another name")
    return analyst


def _written(name: str) -> str:
    """`name` itself when a ledger can carry it, a person's or a model's. Raises `ConfigError` otherwise."""
    if not _NAME.fullmatch(name) or name.endswith((" ", ".")):
        raise ConfigError(
            f"{name!r} cannot be an analyst's name; use 1 to 64 letters, digits, spaces and _ @ . + -"
        )
    return name


class Ledger:
    """The acts of one analyst; make it with `Ledger.open`. `acts` grows with each `append`."""

    def __init__(
        self, path: Path, analyst: str, recording: str, acts: list[Act], head: str, size: int
    ) -> None:
        self.path = path
        self.analyst = analyst
        self.recording = recording
        self.acts = acts
        self.cut = ""  # half a line found at the end, which a killed process left
        self.size = size  # of what is sound, in bytes
        self._head = head

    @property
    def name(self) -> str:
        """What the lane is called: the analyst, or `anna 2` for what a copy of theirs brought."""
        return self.path.stem

    @property
    def head(self) -> str:
        """The hash of the newest line."""
        return self._head

    @classmethod
    def open(cls, recording: Path, name: str) -> Ledger:
        """The ledger called `name`, an analyst, for a recording; begun when there is none.

        Raises `RecordingError` when the chain is broken, naming the first line that is not sound, or
        when nothing can be written there.
        """
        path = folder_of(recording) / f"{_written(name)}.jsonl"
        if not path.exists():
            with alone_in(path.parent):
                return cls._begin(path, recording.stem, name)
        ledger = read(path)
        is_theirs = name == ledger.analyst or re.fullmatch(re.escape(ledger.analyst) + r" \d+", name)
        if ledger.recording != recording.stem or not is_theirs:
            raise RecordingError(
                f"{path} is the ledger of {ledger.analyst!r} for {ledger.recording}, "
                f"not of {name!r} for {recording.stem}; put it back where it belongs"
            )
        if ledger.cut:
            with alone_in(path.parent):  # or it may be a line that another program is writing
                ledger = read(path)
                ledger.set_aside()
        return ledger

    @classmethod
    def _begin(cls, path: Path, recording: str, analyst: str) -> Ledger:
        first = {
            "ledger": SCHEMA,
            "recording": recording,
            "analyst": analyst,
            "utc": datetime.now(UTC).isoformat(),
        }
        line, head = _sealed(first, "")
        if path.exists():  # another program was faster
            return read(path)
        ledger = cls(path, analyst, recording, [], head, len(line))
        try:
            put(path, line, ledger)
        except OSError as error:
            raise _cannot_keep(path.parent, error) from error
        return ledger

    def append(
        self,
        do: str,
        changes: tuple[Change, ...],
        why: str = "",
        of: int | None = None,
        by: Mapping[str, str] | None = None,
    ) -> Act:
        """Put an act on the disk. Raises `RecordingError` when another program wrote in the meantime."""
        number = len(self.acts) + 1
        utc = datetime.now(UTC)
        fields: dict[str, Any] = {"number": number, "utc": utc.isoformat(), "do": do}
        fields["changes"] = [_change_fields(change) for change in changes]
        fields |= {key: value for key, value in (("why", why), ("of", of), ("by", dict(by or {}))) if value}
        line, head = _sealed(fields, self._head)
        with alone_in(self.path.parent):
            self._write(line)
            act = Act(number, utc, do, changes, why, of, dict(by or {}), head)
            self.acts.append(act)
            self._head, self.size = head, self.size + len(line)
            with contextlib.suppress(OSError):  # the act itself is safe
                _keep_head(self.path, number, head)
        return act

    def _write(self, line: bytes) -> None:
        try:
            with self.path.open("r+b") as file:
                if file.seek(0, os.SEEK_END) != self.size:
                    raise RecordingError(
                        f"{self.path} was written by another program; close one of the two and open it again"
                    )
                file.write(line)
                _to_disk(file)
        except OSError as error:
            if isinstance(error, RecordingError):
                raise
            self._take_back()
            raise RecordingError(
                f"{self.path} cannot be written ({error.strerror or error}); nothing was changed"
            ) from error

    def _take_back(self) -> None:
        with contextlib.suppress(OSError), self.path.open("r+b") as file:
            file.truncate(self.size)

    def set_aside(self) -> None:
        """Move the half line at the end, if there is one, to a file beside. Ask for `alone_in` first."""
        if not self.cut:
            return
        with self.path.with_name(self.path.name + ".cut").open("ab") as aside:
            aside.write(self.cut.encode("utf-8", "surrogateescape") + b"\n")
        with self.path.open("r+b") as file:
            file.truncate(self.size)


def read(path: Path) -> Ledger:
    """A ledger as it stands, without changing anything.

    Raises `RecordingError` naming the first line that breaks the chain, or that lines are missing.
    """
    kept = _heads(path.parent).get(path.name)  # first: it is written last
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path} cannot be read ({error.strerror or error})") from error
    whole, newline, rest = content.rpartition(b"\n")
    lines = whole.split(b"\n") if newline else []
    head, acts = "", []
    first: dict[str, Any] = {}
    for at, line in enumerate(lines):
        fields, head = _opened(line, head, path, at + 1)
        if at == 0:
            first = fields
        else:
            acts.append(_act(fields, head, at, path))
    if first.get("ledger") != SCHEMA or not all(
        isinstance(first.get(k), str) for k in ("recording", "analyst")
    ):
        raise RecordingError(f"{path} is no ledger of labels that this version can read")
    ledger = Ledger(path, first["analyst"], first["recording"], acts, head, len(whole) + 1)
    ledger.cut = rest.decode("utf-8", "surrogateescape")
    _check_head(path, acts, kept)
    return ledger


def put(path: Path, whole: bytes, like: Ledger) -> None:
    """Put a whole ledger at `path`, in the place of what is there, and keep the hash it ends with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as file:
        file.write(whole)
        _to_disk(file)
    beside.replace(path)
    _keep_head(path, len(like.acts), like.head)


def ledgers(recording: Path) -> Iterator[Path]:
    """The ledgers there are for a recording, by analyst."""
    yield from sorted(folder_of(recording).glob("*.jsonl"))


def _sealed(fields: Mapping[str, Any], before: str) -> tuple[bytes, str]:
    """The line for these fields after one whose hash is `before`, and its own hash."""
    body = json.dumps(fields, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    head = hashlib.sha256(f"{before}{body}".encode()).hexdigest()
    return f'{body[:-1]},"hash":"{head}"}}\n'.encode(), head


def _opened(line: bytes, before: str, path: Path, number: int) -> tuple[dict[str, Any], str]:
    body, mark, tail = line.rpartition(b',"hash":"')
    head = tail[:-2].decode("ascii", "replace")
    is_sound = (
        mark and tail.endswith(b'"}') and hashlib.sha256(before.encode() + body + b"}").hexdigest() == head
    )
    if not is_sound:
        raise RecordingError(
            f"{path}: line {number} is not as it was written, or a line before it is missing; "
            "the lines above it are sound: take the file from a backup or a colleague's copy"
        )
    fields = json.loads(body + b"}")
    return fields, head


def _act(fields: Mapping[str, Any], head: str, number: int, path: Path) -> Act:
    try:
        changes = tuple(_change(change) for change in fields["changes"])
        act = Act(
            int(fields["number"]),
            datetime.fromisoformat(fields["utc"]),
            str(fields["do"]),
            changes,
            str(fields.get("why", "")),
            None if fields.get("of") is None else int(fields["of"]),
            {str(key): str(value) for key, value in dict(fields.get("by", {})).items()},
            head,
        )
        if act.number != number or act.do not in DEEDS:
            raise ValueError(f"act {act.number} {act.do!r}")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordingError(f"{path}: line {number + 1} is no act this version knows ({error})") from error
    return act


def _change_fields(change: Change) -> dict[str, Any]:
    fields: dict[str, Any] = {"label": change.label}
    if change.before is not None:
        fields["before"] = change.before.to_fields()
    if change.after is not None:
        fields["after"] = change.after.to_fields()
    return fields


def _change(fields: Mapping[str, Any]) -> Change:
    before, after = fields.get("before"), fields.get("after")
    if not isinstance(fields["label"], str) or (before is None and after is None):
        raise DataError("a change without a label")
    return Change(
        fields["label"],
        None if before is None else TimedLabel.from_fields(before),
        None if after is None else TimedLabel.from_fields(after),
    )


def _keep_head(path: Path, number: int, head: str) -> None:
    heads = _heads(path.parent) | {path.name: [number, head]}
    beside = path.with_name(f".{HEADS}.{os.getpid()}")
    beside.write_text(json.dumps(heads, indent=1), encoding="utf-8")
    beside.replace(path.with_name(HEADS))


def _heads(folder: Path) -> dict[str, Any]:
    try:
        heads = json.loads((folder / HEADS).read_text(encoding="utf-8"))
        return heads if isinstance(heads, dict) else {}
    except (OSError, ValueError, RecursionError):
        return {}


def _check_head(path: Path, acts: list[Act], kept: object) -> None:
    match kept:
        case [int(number), str(head)] if number > 0:
            if number > len(acts) or acts[number - 1].hash != head:
                raise RecordingError(
                    f"{path} has {len(acts)} acts, but act {number} was written once and is gone; "
                    "take the file from a backup or a colleague's copy"
                )


def _to_disk(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())
