"""What is left of a participant who withdrew: `STUDY/withdrawn/P014.json`, and nothing of what they gave.

    participant, state    "begun" while it is being erased (or a kill interrupted that), then "done"
    begun_utc, done_utc
    erased                for each kind of thing how many files and bytes, or rows, or entries
    left                  exports that were not there to be erased: folder and files, to be tried again
    reached               while it is erased: folders of exports that were there when it began
    emolab                the version that erased

It is written before the first file goes, so that whatever happens the pseudonym stays withdrawn.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import emolab
from emolab.study import kept

SCHEMA = 1


@dataclass(frozen=True)
class Tombstone:
    """See the file's docstring."""

    participant: str
    state: Literal["begun", "done"] = "begun"
    begun_utc: str = ""
    done_utc: str = ""
    erased: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    left: tuple[Mapping[str, Any], ...] = ()
    reached: tuple[str, ...] = ()
    emolab: str = emolab.__version__


def path_of(study: Path, participant: str) -> Path:
    """Where it stands; that of p014 is P014's."""
    own = study / "withdrawn" / f"{participant}.json"
    if own.exists():
        return own
    return next((path for path in _all(study) if path.stem.casefold() == participant.casefold()), own)


def _all(study: Path) -> list[Path]:
    return sorted((study / "withdrawn").glob("[!.]*.json"))


def read(study: Path, participant: str) -> Tombstone | None:
    """The tombstone of a participant, None when there is none. A damaged one counts as begun."""
    try:
        told = json.loads(path_of(study, participant).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        return Tombstone(participant)
    if not isinstance(told, dict):
        return Tombstone(participant)
    erased, left, reached = told.get("erased"), told.get("left"), told.get("reached")
    return Tombstone(
        participant,
        "done" if told.get("state") == "done" else "begun",
        str(told.get("begun_utc", "")),
        str(told.get("done_utc", "")),
        {k: dict(v) for k, v in erased.items() if isinstance(v, dict)} if isinstance(erased, dict) else {},
        tuple(each for each in left if isinstance(each, dict)) if isinstance(left, list) else (),
        tuple(map(str, reached)) if isinstance(reached, list) else (),
        str(told.get("emolab", "")),
    )


def write(study: Path, stone: Tombstone) -> None:
    """Put it up, or bring it up to date."""
    raw = json.dumps({"tombstone": SCHEMA, **asdict(stone)}, indent=1, ensure_ascii=False)
    kept.write_whole(path_of(study, stone.participant), raw.encode("utf-8"))


def withdrawn(study: Path) -> dict[str, str]:
    """Who withdrew, and when: by pseudonym."""
    found = {}
    for path in _all(study):
        stone = read(study, path.stem)
        found[path.stem] = stone.begun_utc if stone is not None else ""
    return found
