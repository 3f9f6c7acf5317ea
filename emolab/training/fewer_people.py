"""Fewer participants than a corpus has, drawn by lot: whoever is in a small draw is in every greater one.

    read_people("40%"), read_people("46")       # 0.4, 46
    drawn(["a", "b", "c", "d", "e"], 0.4, seed=0)       # two of them

How figures change with the number of participants is the subject-incremental experiment of Yin et al. 2022,
doi:10.1145/3490686 (specification 05 §5.5), on 46, 128, 319 and all 457 of PMEmo. Each name has its own lot:
where one is missing, of another target or in another download, the others are drawn as before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from math import floor, isfinite

from emolab.core.errors import ConfigError, shown

FEWEST = 2


def read_people(text: str) -> int | float:
    """A number of participants (`46`), or a share of them (`40%`, `0.4`). Raises `ConfigError` for others."""
    word = text.strip()
    try:
        people = int(word) if word.isdecimal() else float(word.removesuffix("%"))
        if word.endswith("%"):
            people /= 100
        check_people(people)
    except (ValueError, ConfigError):
        raise ConfigError(
            f"{shown(text)} is no number of participants; give {FEWEST} or more, or a share such as 40%"
        ) from None
    return people


def check_people(people: int | float) -> None:
    """Raises `ConfigError` for what is neither a number from 2 nor a share above 0 and up to 1."""
    is_share = isinstance(people, float)
    if (is_share and not (isfinite(people) and 0 < people <= 1)) or (not is_share and people < FEWEST):
        raise ConfigError(f"people must be {FEWEST} or more, or a share above 0 and up to 1, not {people:g}")


def people_words(people: int | float) -> str:
    """As it may be given: `46`, `40%`."""
    return f"{100 * people:g}%" if isinstance(people, float) else str(people)


def drawn(subjects: Iterable[str], people: int | float, seed: int) -> frozenset[str]:
    """So many of some participants, or that share of them, rounded to the nearest.

    The same names and seed give the same draw, in whatever order the names come. Raises `ConfigError` where
    there are fewer.
    """
    everybody = sorted(set(subjects))
    wanted = floor(people * len(everybody) + 0.5) if isinstance(people, float) else people
    if not FEWEST <= wanted <= len(everybody):
        raise ConfigError(
            f"--people {people_words(people)} would be {wanted} of the corpus's {len(everybody)} "
            f"participants; give a number from {FEWEST} to {len(everybody)}"
        )
    return frozenset(sorted(everybody, key=lambda name: _lot(name, seed))[:wanted])


def _lot(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\0{name}".encode()).digest()
