"""The tables that corpora come with, opened so that whatever is wrong with one is told with its name."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from emolab.core.errors import DataError


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """The text of a table; what cannot be opened or read of it within is a `DataError`.

    Spreadsheets save tables in encodings of their own.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            yield file
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read ({error}); get the file again") from error
