"""A study's sessions with each recording counted once: a copy is left out, a rival is told.

Clips that enter twice halve every p: no test can see that they are no new data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from emolab.analysis.measure import Measured
from emolab.recording.copies import Identity, copies, identity, rivals
from emolab.study.sessions import parts

COPY = "{} is left out: it is a copy of {}, and no clip counts twice; keep copies outside the study"
RIVAL = (
    "{} is another recording that calls itself session {} of {}, and both count: look which of them it is, "
    "and take the other out of the study"
)


def counted_once(found: Sequence[Path], every: Sequence[Measured]) -> list[Measured]:
    """The sessions, copies without rows and with the trouble told, rivals told.

    `found`: the first file of each. One that could not be read is no copy of anything, and the copy of such
    a one counts.
    """
    known = [
        (path, parts_of)
        for path, one in zip(found, every, strict=True)
        if not one.trouble and (parts_of := _identities(one))
    ]
    twice = copies(known)
    others = rivals([one for one in known if one[0] not in twice])
    told = []
    for path, one in zip(found, every, strict=True):
        if path in twice:
            why = COPY.format(_files(path), twice[path])
            one = replace(one, rows=(), health=(), is_copy=True, trouble=why)
        same = tuple(RIVAL.format(other, one.session, one.participant) for other in others.get(path, ()))
        told.append(replace(one, rivals=same) if same else one)
    return told


def _files(first: Path) -> str:
    return " and ".join(map(str, parts(first)))


def _identities(one: Measured) -> list[Identity]:
    """Of each of its files."""
    return [
        identity(health["participant"], health["session"], health["started_utc"]) for health in one.health
    ]
