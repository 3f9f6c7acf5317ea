"""Sessions in the formats of others: a function a format, `(Outgoing, folder) -> files`.

    outgoing    what of a session goes out: all formats see only this
    tables      csv: a table a stream, events, answers, labels, sound as FLAC, frame times
    xdf         xdf: all streams and events in one file, sample-exact
    film        mp4: video as it was recorded, without encoding it anew; thermal images lossless
    bids        bids: events and signals, in a data set that grows with each session; bids_labels
    eaf         eaf: all lanes of labels, for ELAN

Files are written beside their place and take it when they are whole. A new format is a file here
and a line in `FORMATS`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

from emolab.core.errors import ConfigError, RecordingError
from emolab.recording.reader import Session
from emolab.study.export.outgoing import Outgoing, outgoing

FORMATS = {
    "csv": "emolab.study.export.tables:write",
    "xdf": "emolab.study.export.xdf:write",
    "mp4": "emolab.study.export.film:write",
    "bids": "emolab.study.export.bids:write",
    "eaf": "emolab.study.export.eaf:write",
}
Writer = Callable[[Outgoing, Path], list[Path]]


def export(recording: Path, to: str, folder: Path) -> list[Path]:
    """Write a session in the format `to` into `folder`; returns the files.

    Raises `ConfigError` for a format there is none of or a folder that cannot be written, and
    `RecordingError` when the session cannot be read. What is there already under these names is
    replaced.
    """
    if to not in FORMATS:
        raise ConfigError(f"there is no format {to!r}; the formats are {', '.join(FORMATS)}")
    module, _, function = FORMATS[to].partition(":")
    write: Writer = getattr(importlib.import_module(module), function)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be made ({error.strerror or error}); choose another") from error
    with Session.open(recording) as session:
        try:
            return write(outgoing(session), folder)
        except OSError as error:
            if isinstance(error, RecordingError):
                raise
            raise ConfigError(
                f"{folder} cannot be written ({error.strerror or error}); make room, or choose another"
            ) from error
