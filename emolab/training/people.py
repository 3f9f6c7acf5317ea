"""Was somebody among those whom a classifier has learnt from? Told by marks, which name nobody.

    mark(scope("study", "emolab study", Path("STUDY")), "P014")      # 16 hexadecimal digits
    facts_of(order, found.how, examples, rows)                        # what `people.json` holds
    is_among(facts, Path("STUDY/P014/P014_session-0.h5"), "P014", "as its header names the study")

A mark is of a participant within a corpus, since `P014` of one study is not `P014` of another. A study is
known by the id in its `study.json`, which stays when its folder is copied or renamed. Where either side has
none it is known by the name of its folder and by those that stand in the headers of its recordings
(`by_name`); runs made before ids were looked at have marks by the folder's name alone. Pseudonyms are few and
can be tried one by one, so that a mark hides them from a glance and not from somebody who searches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emolab.core.errors import ConfigError
from emolab.study import study_file

if TYPE_CHECKING:  # a window that only reads marks needs neither: it opens twice as fast
    import numpy as np
    from numpy.typing import NDArray

    from emolab.models.examples import Examples
    from emolab.training.order import Order

STUDY = "study"  # as an order calls data of our own
BY_ID = "study id "  # how the scope of a study with an id begins
IN_TRAINING = (
    "{who} is among those from whom this model has learnt. What it says here it may remember: "
    "it does not tell how well it does."
)
NOT_KNOWN = (
    "Whether {who} is among those from whom this model has learnt is not known: nobody noted it beside its "
    "weights."
)


def scope(data: str, corpus: str, root: Path) -> str:
    """Where a participant's name holds: the public corpus, or the study by its id, else by its folder."""
    if data != STUDY:
        return corpus
    return _by_id(root) or _by_name(root.resolve().name)


def mark(where: str, participant: str) -> str:
    """What stands for a participant of `where`; capitals make nobody another."""
    return _mark(where, participant.casefold())


def told(in_training: bool | None, who: str) -> str:
    """What is to be said of whom a model has learnt from; empty where it was not from `who`."""
    words = {True: IN_TRAINING, False: "", None: NOT_KNOWN}[in_training]
    return words.format(who=who or "the participant")


def is_among(facts: Mapping[str, Any], recording: Path, participant: str, study: str = "") -> bool | None:
    """Whether the participant of a recording is among those of `facts`; None where that is not known.

    `study`: as the recording's header names it. Where both studies have an id, nothing else counts.
    """
    if "participants" not in facts:
        return None
    folder, own = recording.resolve().parent.parent, set(facts["participants"])
    by_id = _by_id(folder)
    if by_id and str(facts.get("scope", "")).startswith(BY_ID):
        return mark(by_id, participant) in own
    names = [folder.name, *([Path(study).name] if study else [])]
    spelt = {participant, participant.casefold(), participant.upper()}  # before, capitals told people apart
    marks = {_mark(_by_name(name), one) for name in names for one in spelt}
    return not marks.isdisjoint(own.union(facts.get("by_name", ())))


def facts_of(
    order: Order,
    how: Mapping[str, Any],
    examples: Examples,
    rows: NDArray[np.intp],
    alarms: Sequence[str] = (),
) -> dict[str, Any]:
    """From whom a classifier has learnt that saw these rows, to learn or to stop; `alarms` of its run.

    `how`: as `corpus_examples.Found` has it.
    """
    where = scope(order.data, how["corpus"], order.root)
    who = set(examples.subjects[rows].tolist())
    facts = {
        "corpus": how["corpus"],
        "scope": where,
        "target": order.target,
        "labels": order.labels,
        "classes": list(examples.classes),
        "participants": sorted({mark(where, one) for one in who}),
        "songs": len(set(examples.songs[rows].tolist())),
        "rows": len(rows),
        "alarms": list(alarms),
    }
    if order.data != STUDY:
        return facts
    return facts | {"by_name": _marks_by_name(who, order.root.resolve().name, how["studies"])}


def _marks_by_name(who: Iterable[str], folder: str, headers: Mapping[str, Sequence[str]]) -> list[str]:
    """Of each by the folder's name, and by those in the headers of that participant's recordings."""
    named = {one: {folder, *(Path(name).name for name in headers.get(one, ()))} - {""} for one in who}
    return sorted({mark(_by_name(name), one) for one, names in named.items() for name in names})


def _by_id(folder: Path) -> str:
    """The scope of a study with an id; empty without one, or where its file is damaged: names remain."""
    try:
        found = study_file.read(folder)
    except (ConfigError, OSError):
        return ""
    return BY_ID + found.id if found else ""


def _by_name(name: str) -> str:
    return f"study {name}"


def _mark(where: str, participant: str) -> str:
    return hashlib.sha256(f"emolab participant\0{where}\0{participant}".encode()).hexdigest()[:16]
