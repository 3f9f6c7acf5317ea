"""What was measured, kept beside the report: an unchanged session is not measured twice.

    OUT/sessions.json    {"schema", "sessions": [{"key", "measured"}, ...], "files": [...]}

A session's key is made of everything its figures depend on: its files, the labels decided on it, the lane
asked for, the calibration of its cameras, the code that measures, and what that runs on: the libraries, and
which of the optional ones are there. A file that cannot be understood is as good as none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import emolab
from emolab import __version__
from emolab.analysis.measure import Job, Measured, Row
from emolab.analysis.modalities import MODALITIES
from emolab.analysis.sections.provenance import made_with
from emolab.analysis.windows import Baseline
from emolab.recording import label_ledger
from emolab.study.export.whole import whole
from emolab.study.sessions import parts

SCHEMA = 3
FILE = "sessions.json"
ROOMS = ("core", "signals", "analysis", "recording", "faces")
# of other rooms what measuring goes by
FILES = (
    "protocol/__init__.py", "protocol/bank.py",
    "study/__init__.py", "study/kept.py", "study/sessions.py", "study/thermal_calibration.py",
)  # fmt: skip
OPTIONAL = ("torch", "facenet_pytorch")  # without them a film stays as the thermal camera alone has it
_BEGIN = b'{"schema":'


def key(job: Job) -> str:
    """What a session's figures depend on, as one hash."""
    told: list[Any] = [SCHEMA, __version__, _code(), _surroundings(), job.lane, job.calibration]
    for file in parts(job.recording):
        facts = file.stat()
        told.append([str(file.absolute()), facts.st_size, facts.st_mtime_ns])
        told += [[ledger.name, _content(ledger)] for ledger in label_ledger.ledgers(file)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def load(folder: Path) -> dict[str, Measured]:
    """What was kept in a folder, by key; empty when nothing was."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if told["schema"] == SCHEMA:
            return {str(one["key"]): _measured(one["measured"]) for one in told["sessions"]}
    return {}


def is_there(folder: Path) -> bool:
    """Whether something was kept in a folder, by whatever version: then the folder is an analysis's own."""
    with contextlib.suppress(OSError), (folder / FILE).open("rb") as file:
        return file.read(len(_BEGIN)) == _BEGIN
    return False


def files(folder: Path) -> list[str]:
    """The figures and tables written beside it, relative to the folder."""
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
        return [
            str(name) for name in json.loads((folder / FILE).read_text(encoding="utf-8")).get("files", ())
        ]
    return []


def save(folder: Path, keys: Sequence[str], every: Sequence[Measured], files: Sequence[str] = ()) -> Path:
    """Keep these. `files`: the figures and tables that stand beside them."""
    sessions = [{"key": one_key, "measured": _told(one)} for one_key, one in zip(keys, every, strict=True)]
    with whole(folder / FILE) as beside:
        told = {"schema": SCHEMA, "sessions": sessions, "files": list(files)}
        text = json.dumps(told, ensure_ascii=False, allow_nan=False)
        beside.write_text(text, encoding="utf-8")
    return folder / FILE


@cache
def _code() -> str:
    """The hash of everything that computes: figures of another solver are other figures."""
    told = hashlib.sha256()
    for file in code_files():
        told.update(file.read_bytes())
    return told.hexdigest()


def code_files() -> list[Path]:
    """The sources that figures come from."""
    home = Path(emolab.__file__).parent
    rooms = [file for room in ROOMS for file in (home / room).rglob("*.py")]
    return sorted([*rooms, *(home / name for name in FILES)])


@cache
def _surroundings() -> dict[str, Any]:
    """What the code runs on: the report says that figures were made with it."""
    return {"made_with": made_with(), "optional": [find_spec(name) is not None for name in OPTIONAL]}


def _content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _told(one: Measured) -> dict[str, Any]:
    told = {field.name: _finite(getattr(one, field.name)) for field in fields(one)}
    told["window"] = None if one.window is None else _finite(vars(one.window))
    return told


def _measured(told: Mapping[str, Any]) -> Measured:
    window = told["window"]
    return Measured(
        **{
            **told,
            "files": tuple(told["files"]),
            "rows": tuple(_with_nan(row) for row in told["rows"]),
            "baseline": _with_nan(told["baseline"]),
            "window": None if window is None else Baseline(**window),
            "remarks": tuple(told["remarks"]),
            "unsound": tuple(told["unsound"]),
            "skipped": tuple(told["skipped"]),
            "rivals": tuple(told["rivals"]),
            "health": tuple(told["health"]),
            "quality": {kind: tuple(shares) for kind, shares in told["quality"].items()},
        }
    )


def _finite(value: Any) -> Any:
    """The same with None for what is no number, however deep: JSON has no word for it."""
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _with_nan(row: Mapping[str, Any]) -> Row:
    """A missing figure is NaN again; a missing word stays None."""
    names = {name for m in MODALITIES.values() for f in m.features for name in (f.name, f"d_{f.name}")}
    return {name: math.nan if value is None and name in names else value for name, value in row.items()}
