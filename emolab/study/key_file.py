"""The key of de-identified exports: a table `pseudonym,code`, which tables are looked at with, and saved.

    pseudonym,code
    P014,X7KQ2MAB

So cells may be quoted, a byte order mark may stand before them, and further columns beside them.
"""

from __future__ import annotations

import csv
import stat
from pathlib import Path

from emolab.core.errors import ConfigError
from emolab.study import kept

_MARK = "\ufeff"  # Excel writes it, and wants it


def rows(key: Path) -> list[tuple[str, str]]:
    """`(pseudonym, code)` of each row, as they stand there. Raises `ConfigError` for what is no key."""
    try:
        with key.open(encoding="utf-8-sig", newline="") as file:
            read = csv.DictReader(file)
            if missing := {"pseudonym", "code"}.difference(read.fieldnames or ("pseudonym", "code")):
                raise ValueError(f"there is no column {' and '.join(sorted(missing))}")
            return [((row["pseudonym"] or "").strip(), (row["code"] or "").strip()) for row in read]
    except (OSError, ValueError, csv.Error) as error:
        raise ConfigError(f"{key} is no key file ({error}); it begins with pseudonym,code") from error


def drop(key: Path, participant: str) -> None:
    """Take the rows of a participant out, in whatever capitals; all others stay to the byte."""
    with key.open(encoding="utf-8", newline="") as file:
        lines = list(file)
    read = csv.reader([lines[0].removeprefix(_MARK), *lines[1:]] if lines else [])
    at = next(read, []).index("pseudonym") if lines else 0
    left, begin = lines[: read.line_num], read.line_num
    for row in read:
        if len(row) <= at or row[at].strip().casefold() != participant.casefold():
            left += lines[begin : read.line_num]  # a quoted cell may hold ends of lines
        begin = read.line_num
    if len(left) < len(lines):
        kept.write_whole(key, "".join(left).encode(), stat.S_IMODE(key.stat().st_mode))
