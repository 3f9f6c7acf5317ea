"""How BIDS wants its texts: labels of letters and digits, `n/a` for nothing, tables without tabs in cells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from emolab.study.export.whole import whole


def label(text: str) -> str:
    """Letters and digits alone, as BIDS wants labels."""
    return re.sub(r"[^0-9A-Za-z]", "", text) or "x"


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
