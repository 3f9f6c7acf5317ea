"""Sessions in the formats of others: a function a format, `(Outgoing, folder) -> files`.

    many        one session, or all of a study: what fails stops no other
    outgoing    what of a session goes out: all formats see only this
    deidentify  what is taken out of it, and what remains; blurred: frames without faces
    tables      csv: a table a stream, events, answers, labels, sound as FLAC, frame times
    stretches   sound between its breaks, for csv and xdf
    xdf         xdf: all streams, events and labels in one file, sample-exact
    film        mp4: video as it was recorded, without encoding it anew; thermal images lossless
    bids        bids: events and signals, in a data set that grows with each session; bids_labels
    eaf         eaf: all lanes of labels, for ELAN

Files are written beside their place and take it when they are whole. A new format is a file here
and a line in `many.FORMATS`.
"""

from __future__ import annotations

import logging
from pathlib import Path

from emolab.study.export.many import FORMATS, Done, Hide, export_all, export_one, prepare, writer

_log = logging.getLogger(__name__)

__all__ = ["FORMATS", "Done", "Hide", "export", "export_all"]


def export(recording: Path, to: str, folder: Path, hide: Hide | None = None) -> list[Path]:
    """Write a session in the format `to` into `folder`; returns the files.

    Raises `ConfigError` for a format there is none of or a folder that cannot be written, `RecordingError`
    when the session cannot be read, `DataError` when it holds nothing for that format. What is there
    already under these names is replaced. Parts that are damaged are left out with a warning; `export_all`
    tells of them.
    """
    writer(to)
    prepare(folder, to, hide)
    done = export_one(recording, to, folder, hide)
    for trouble in done.troubles:
        _log.warning("%s: %s", recording.name, trouble)
    return list(done.files)
