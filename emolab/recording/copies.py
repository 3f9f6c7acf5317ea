"""Recordings that lie in a study more than once: which one counts, which are copies of it, which are rivals.

A recording is known by whose it is (without capitals), its session and the moment at which it was started:
whoever copies a folder, or gives a file another name, copies all three. Data that count twice make
significant what is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

PART = "_part-"


class Identity(NamedTuple):
    """What a recording says of itself."""

    participant: str
    session: int
    started_utc: datetime

    @property
    def place(self) -> tuple[str, int]:
        """Whose session it is: one place, one recording."""
        return self.participant, self.session


def identity(participant: str, session: int, started_utc: datetime | str) -> Identity:
    """Of a header's facts, or of a report of `inspect`."""
    when = datetime.fromisoformat(started_utc) if isinstance(started_utc, str) else started_utc
    return Identity(participant.casefold(), session, when)


def copies(found: Sequence[tuple[Path, Sequence[Identity]]]) -> dict[Path, Path]:
    """Each session that is a copy, and the one that counts instead.

    `found`: the first file of each session, and who its parts are, in order. Of several that hold the same
    part the one with the most parts counts, of those the one in its own folder, else the first.
    """
    ranked = sorted(found, key=lambda one: (-len(one[1]), not is_at_home(one[0], one[1][0])))
    counts: dict[Identity, Path] = {}
    twice = {}
    for path, parts in ranked:
        other = next((counts[part] for part in parts if part in counts), None)
        if other is None:
            counts |= dict.fromkeys(parts, path)
        else:
            twice[path] = other
    return twice


def rivals(found: Sequence[tuple[Path, Sequence[Identity]]]) -> Mapping[Path, tuple[Path, ...]]:
    """Recordings that differ and are of one participant's same session: the others of each.

    `found`: as in `copies`, without them.
    """
    places: dict[tuple[str, int], list[Path]] = {}
    for path, parts in found:
        places.setdefault(parts[0].place, []).append(path)
    return {
        path: tuple(other for other in paths if other != path)
        for paths in places.values()
        if len(paths) > 1
        for path in paths
    }


def is_at_home(path: Path, told: Identity) -> bool:
    """Whether a file lies in the folder of its participant, under the name of its session."""
    who, number = told.place
    return path.parent.name.casefold() == who and path.stem.casefold().partition(PART)[0] == (
        f"{who}_session-{number}"
    )
