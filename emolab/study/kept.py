"""Small files that must not be lost: written whole or not at all, and lists that only grow."""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emolab.core.disk import sync_folder


def now() -> str:
    """The moment as it stands in these files: UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_whole(path: Path, raw: bytes, mode: int = 0o644) -> None:
    """Put `raw` in the place of what `path` holds; a kill or a power cut leaves the one or the other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def add_line(path: Path, facts: Mapping[str, Any]) -> None:
    """Add one line to a list; it is on the disk when this returns.

    What a killed process left of a line stays a line of its own, which `read_lines` passes over.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
        is_cut = bool(size) and file.read(1) != b"\n"
        file.write((b"\n" if is_cut else b"") + as_line(facts))
        file.flush()
        os.fsync(file.fileno())
    if not size:
        sync_folder(path.parent)


def as_line(facts: Mapping[str, Any]) -> bytes:
    """`facts` as one line of a list."""
    return json.dumps(dict(facts), ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a list, without those that are none; empty when there is no list."""
    found: list[dict[str, Any]] = []
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return found
    for line in raw.removeprefix(codecs.BOM_UTF8).splitlines():  # of an editor that it was saved with
        with contextlib.suppress(ValueError, RecursionError):
            if isinstance(facts := json.loads(line), dict):
                found.append(facts)
    return found
