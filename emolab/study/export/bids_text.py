"""How BIDS wants its texts: `n/a` for nothing, tables without tabs in cells; and whose a data set is.

Its labels are `study.participants.bids_label`: who takes part must be told apart by them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from emolab.study.export.whole import whole

DESCRIPTION = "dataset_description.json"


def cell(value: Any) -> str:
    """A value in a table; seconds and the like to the millionth."""
    if value is None or value == "":
        return "n/a"
    if isinstance(value, float):
        return f"{value:.6f}"
    return re.sub(r"[\t\r\n]+", " ", str(value))


def table(path: Path, lines: Iterable[str]) -> None:
    """Write lines as a file, whole or not at all."""
    with whole(path) as beside:
        beside.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_json(path: Path, told: Any) -> None:
    """Write JSON as a file, whole or not at all."""
    with whole(path) as beside:
        beside.write_text(json.dumps(told, indent=2, ensure_ascii=False), encoding="utf-8")


def is_data_set(folder: Path) -> bool:
    """Whether a folder is a BIDS data set: it has a description."""
    return os.path.lexists(folder / DESCRIPTION)


def is_ours(folder: Path) -> bool:
    """Whether emolab began a data set, as its description says."""
    try:
        told = json.loads((folder / DESCRIPTION).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    makers = told.get("GeneratedBy") if isinstance(told, dict) else None
    return isinstance(makers, list) and any(
        isinstance(maker, dict) and maker.get("Name") == "emolab" for maker in makers
    )


def is_anothers(folder: Path) -> bool:
    """Whether a folder is a data set that emolab did not begin, or whose description cannot be read."""
    return is_data_set(folder) and not is_ours(folder)
