"""Was somebody among those whom a classifier has learnt from? Told by marks, which name nobody.

    mark(scope("study", "emolab study", Path("STUDY")), "P014")      # 16 hexadecimal digits
    facts_of(order, "HKU956", examples, rows)                         # what `people.json` holds

A mark is of a participant within a corpus, since `P014` of one study is not `P014` of another. Pseudonyms are
few and can be tried one by one, so that a mark hides them from a glance and not from somebody who searches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a window that only reads marks needs neither: it opens twice as fast
    import numpy as np
    from numpy.typing import NDArray

    from emolab.models.examples import Examples
    from emolab.training.order import Order


def scope(data: str, corpus: str, root: Path) -> str:
    """Where a participant's name holds: the public corpus, or the study by the name of its folder."""
    return f"study {root.resolve().name}" if data == "study" else corpus


def mark(where: str, participant: str) -> str:
    """What stands for a participant of `where`."""
    return hashlib.sha256(f"emolab participant\0{where}\0{participant}".encode()).hexdigest()[:16]


def facts_of(
    order: Order, corpus: str, examples: Examples, rows: NDArray[np.intp], alarms: Sequence[str] = ()
) -> dict[str, Any]:
    """From whom a classifier has learnt that saw these rows, to learn or to stop; `alarms` of its run."""
    where = scope(order.data, corpus, order.root)
    return {
        "corpus": corpus,
        "scope": where,
        "target": order.target,
        "labels": order.labels,
        "classes": list(examples.classes),
        "participants": sorted({mark(where, who) for who in examples.subjects[rows].tolist()}),
        "songs": len(set(examples.songs[rows].tolist())),
        "rows": len(rows),
        "alarms": list(alarms),
    }
