"""How loud the clips themselves are, by the bank of clips that a session's protocol names.

The manifest's figure was measured in the very sound whose checksum stands beside it, so it holds wherever the
sound itself is; a clip without one is measured in its file. How far the volume was turned up nobody knows:
compare clips, not rooms.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import yaml

from emolab.core import shipped
from emolab.core.errors import ConfigError, DataError
from emolab.protocol.bank import Bank, ClipEntry, read_manifest

SHIPPED = "shipped"
SOURCE = "the bank's manifest, or EBU R 128 of the file"


def bank_of(protocol_text: str) -> str:
    """The bank a protocol names, `shipped` or a path; empty when it names none."""
    try:
        return str(yaml.safe_load(protocol_text)["clips"]["bank"])
    except (yaml.YAMLError, TypeError, KeyError):  # of another program, or none
        return ""


def level_lufs(bank: str, clip: str) -> float:
    """The integrated loudness of a clip; NaN when the bank is not on this machine or has no such clip.

    A path that is not absolute counts from the protocol's own folder, which no recording knows: NaN, too.
    """
    try:
        path = shipped.folder("stimuli") / "manifest.csv" if bank == SHIPPED else Path(bank)
        if not path.is_absolute() or not path.is_file():
            return math.nan
        entry = _read(path, path.stat().st_mtime_ns).entry(clip)
    except (ConfigError, OSError):
        return math.nan
    return _measured(path.parent, entry) if entry.loudness_lufs is None else entry.loudness_lufs


@lru_cache(8)
def _read(path: Path, _changed_ns: int) -> Bank:
    return read_manifest(path)


@lru_cache(256)
def _measured(folder: Path, entry: ClipEntry) -> float:
    from emolab.composer import audio  # loads libsndfile

    try:
        return audio.loudness_lufs(*audio.read(folder / entry.file))
    except (DataError, OSError):
        return math.nan
