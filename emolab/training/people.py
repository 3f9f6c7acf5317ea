"""Was somebody among those whom a classifier has learnt from? Told by marks, which name nobody.

    mark(scope("study", "emolab study", Path("STUDY")), "P014")      # 16 hexadecimal digits

A mark is of a participant within a corpus, since `P014` of one study is not `P014` of another. Pseudonyms are
few and can be tried one by one, so that a mark hides them from a glance and not from somebody who searches.
"""

from __future__ import annotations

import hashlib
from pathlib import Path


def scope(data: str, corpus: str, root: Path) -> str:
    """Where a participant's name holds: the public corpus, or the study by the name of its folder."""
    return f"study {root.resolve().name}" if data == "study" else corpus


def mark(where: str, participant: str) -> str:
    """What stands for a participant of `where`."""
    return hashlib.sha256(f"emolab participant\0{where}\0{participant}".encode()).hexdigest()[:16]
