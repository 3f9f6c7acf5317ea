"""What a judgement is: a level, and for all that is not well the reason, the remedy and the figure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["well", "look", "act"]
LEVELS: tuple[Level, ...] = ("well", "look", "act")  # from best to worst
WELL, LOOK = 0.8, 0.5  # of a stretch can be used


@dataclass(frozen=True)
class Finding:
    """One thing that is not well. `value`: what was measured, in the unit that `what` names.

    `code` is for programs, `what` and `remedy` are for people: a clause, and a sentence.
    """

    code: str
    level: Level
    what: str
    remedy: str
    value: float

    def __str__(self) -> str:
        return f"{self.what}. {self.remedy}"


@dataclass(frozen=True)
class Quality:
    """How good a window of a signal is: the level of its worst finding, and all of them, worst first.

    `share`: how much of it can be used, 0 to 1, as `usable` has it; None where that was not asked.
    """

    level: Level = "well"
    findings: tuple[Finding, ...] = ()
    share: float | None = field(default=None, compare=False)

    @classmethod
    def of(cls, findings: Iterable[Finding], share: float | None = None) -> Quality:
        """The judgement these findings make; well without any."""
        ordered = tuple(sorted(findings, key=lambda finding: -LEVELS.index(finding.level)))
        return cls(ordered[0].level if ordered else "well", ordered, share)

    @property
    def codes(self) -> tuple[str, ...]:
        """The findings' codes, worst first."""
        return tuple(finding.code for finding in self.findings)


def worst(levels: Iterable[Level]) -> Level:
    """The worst of some levels; well when there is none."""
    return LEVELS[max((LEVELS.index(level) for level in levels), default=0)]


def level_of(share: float) -> Level:
    """How good a stretch is of which so much, 0 to 1, can be used."""
    return "well" if share >= WELL else "look" if share >= LOOK else "act"
