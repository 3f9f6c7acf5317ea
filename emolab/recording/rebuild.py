"""The session file made again from its journal, as if the recorder had written it in one go."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import h5py

from emolab.core.errors import DataError, RecordingError
from emolab.core.stream import Chunk
from emolab.recording import journal, layout
from emolab.recording.entries import End, Head, Item
from emolab.recording.video import EncodedFrames
from emolab.recording.writer import SessionWriter


def rebuild(source: Path, target: Path, facts: dict[str, Any]) -> None:
    """Write what the journal `source` holds into the new session file `target`, and have it on the disk.

    Its outcome is the one the session was ended with, or `interrupted`; `facts` go into its `recovery`.
    Raises `RecordingError` when nothing can be read, or the disk is too full.
    """
    entries = journal.read(source)
    head = next(entries)
    assert isinstance(head, Head)
    if shutil.disk_usage(target.parent).free < 3 * source.stat().st_size + (32 << 20):
        raise RecordingError(
            f"{target} cannot be made from {source}: the disk has too little room; free some first"
        )
    target.unlink(missing_ok=True)
    writer = SessionWriter(target, head.header, head.zero_s, pack_below_bytes=0)
    writer.open(head.streams)
    outcome = "interrupted"
    try:
        for entry in entries:
            if isinstance(entry, End):
                outcome = entry.outcome if entry.outcome in layout.OUTCOMES[1:] else outcome
            else:
                _write(writer, entry)
        writer.close(outcome)
        with h5py.File(target, "r+", libver=layout.LIBVER) as file:
            layout.make_text(file, layout.RECOVERY, json.dumps(facts))
        with target.open("rb+") as written:
            journal.sync(written.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            writer.close("interrupted")
        raise


def header_of(source: Path) -> Head:
    """Whose journal it is. Raises `RecordingError` when that cannot be read."""
    head = next(journal.read(source))
    assert isinstance(head, Head)
    return head


def _write(writer: SessionWriter, entry: Head | Item) -> None:
    """What the session file refused when it was recorded, it refuses again."""
    with contextlib.suppress(DataError):
        if isinstance(entry, Chunk):
            writer.write(entry)
        elif isinstance(entry, EncodedFrames):
            writer.write_encoded(entry)
        elif not isinstance(entry, Head):
            writer.mark(entry)
