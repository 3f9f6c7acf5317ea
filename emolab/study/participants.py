"""Who takes part: pseudonyms as the program gave them, in the order in which it did.

    STUDY/participants.jsonl     one line a participant: id, number, utc, how ("allocated", or "joined");
                                 and one for each who withdrew: withdrawn, utc

The list only grows. `number`, counted from 1, decides which order of clips a participant hears; the
list's order gives it. A pseudonym typed by hand brings its own number, the last in it (P014 is 14), and
joins the list when its first session begins; so studies begun without a list stay as they are.
Nobody's pseudonym is given to anybody else, withdrawn or not. P014 and p014 are one, written as the study
wrote it first; P1-1 and P11 are two whom BIDS cannot tell apart, so that only one of them may come.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emolab.core.errors import ConfigError
from emolab.protocol.plan import participant_number
from emolab.study import kept, study_file, tombstone
from emolab.study.sessions import check_pseudonym, is_pseudonym, is_shut, sessions

TRIES = 1000


@dataclass(frozen=True)
class Participant:
    """One line of the list. `withdrawn_utc`: when they withdrew, empty for who takes part."""

    id: str
    number: int
    utc: str = ""
    how: str = "joined"
    withdrawn_utc: str = ""


def list_path(study: Path) -> Path:
    """The list of a study's participants."""
    return study / "participants.jsonl"


def everyone(study: Path) -> list[Participant]:
    """All participants: those of the list in its order, then those known by their recordings alone."""
    found: dict[str, Participant] = {}
    gone = tombstone.withdrawn(study)
    lines = kept.read_lines(list_path(study))
    unused = {line["unused"] for line in lines if isinstance(line.get("unused"), str)}
    for line in lines:
        if (one := _read(line)) is not None:
            if line.get("claim") not in unused:
                found.setdefault(one.id.casefold(), one)
        elif isinstance(who := line.get("withdrawn"), str) and is_pseudonym(who):
            gone.setdefault(who, str(line.get("utc", "")))
    for name in [*dict.fromkeys(who for who, _, _ in sessions(study)), *gone]:
        if name.casefold() not in found and any(sign.isdigit() for sign in name):
            found[name.casefold()] = Participant(name, participant_number(name))
    for name, utc in gone.items():
        if (one := found.get(name.casefold())) is not None:
            found[name.casefold()] = replace(one, withdrawn_utc=utc or "?")
    return list(found.values())


def _read(line: dict[str, Any]) -> Participant | None:
    who, number = line.get("id"), line.get("number")
    if not isinstance(who, str) or not is_pseudonym(who) or type(number) is not int or number < 0:
        return None
    return Participant(who, number, str(line.get("utc", "")), str(line.get("how", "")))


def withdrawn(study: Path) -> dict[str, str]:
    """Who withdrew, and when: by pseudonym."""
    return {one.id: one.withdrawn_utc for one in everyone(study) if one.withdrawn_utc}


def find(study: Path, participant: str) -> Participant | None:
    """The participant of this name, None when the study knows none. P014 and p014 are one."""
    return _among(everyone(study), participant)


def _among(known: list[Participant], participant: str) -> Participant | None:
    wanted = participant.casefold()
    return next((one for one in known if one.id.casefold() == wanted), None)


def bids_label(text: str) -> str:
    """Letters and digits alone, as BIDS wants labels: to it P1-1 and P11 are one."""
    return re.sub(r"[^0-9A-Za-z]", "", text) or "x"


def number_of(study: Path, participant: str) -> int:
    """The number that decides the order of clips: from the list, or what the pseudonym would bring to it.

    Raises `ConfigError` when the pseudonym holds no number, or is to be written otherwise (`check_open`).
    """
    known = everyone(study)
    _check_told_apart(study, known, participant)
    return _number(study, known, participant)


def _number(study: Path, known: list[Participant], participant: str) -> int:
    if (one := _among(known, participant)) is not None:
        return one.number
    told = study_file.read(study)
    if told and not study_file.has_number(told.pattern) and study_file.matches(told.pattern, participant):
        return _next_number(known)
    return participant_number(participant)


def next_pseudonym(study: Path) -> str:
    """Who comes next: the first in the list without a recording, else a pseudonym nobody has had.

    Nobody whose folder cannot be looked into.
    """
    known = everyone(study)
    recorded = {who.casefold() for who, _, _ in sessions(study)}
    for one in known:
        is_new = one.how == "allocated" and not one.withdrawn_utc and one.id.casefold() not in recorded
        if is_new and not is_shut(study, one.id):
            return one.id
    return _unused(study, known)[0]


def new_pseudonym(study: Path) -> str:
    """A pseudonym nobody has had, without keeping it."""
    return _unused(study, everyone(study))[0]


def pattern_in_use(study: Path) -> str:
    """How the pseudonyms of a study look that has no file to say so; `P###` for a new one."""
    return _pattern_of(everyone(study))


def allocate(study: Path) -> Participant:
    """Give the next pseudonym to somebody. Two programs that ask at once get two different ones."""
    for _ in range(TRIES):
        made, number = _unused(study, everyone(study))
        claim = secrets.token_hex(8)
        line = {"id": made, "number": number, "utc": kept.now(), "how": "allocated", "claim": claim}
        _add(study, line)
        first = next(
            (
                line
                for line in kept.read_lines(list_path(study))
                if (one := _read(line)) is not None
                and (one.id.casefold() == made.casefold() or one.number == number)
            ),
            {},
        )
        if first.get("claim") == claim:
            return Participant(made, number, str(line["utc"]), "allocated")
        if first.get("id") != made:  # ours lost by its number alone: nobody else knows of it
            _add(study, {"unused": claim, "utc": kept.now()})
    raise ConfigError(f"{list_path(study)} cannot be added to; see that the folder is yours, and on one disk")


def admit(study: Path, participant: str) -> Participant:
    """Put a typed pseudonym into the list, if it is not there. Raises `ConfigError` as `check_open` does.

    Of what an older emolab recorded under another spelling the participant listed is returned.
    """
    check_open(study, participant)
    listed = (_read(line) for line in kept.read_lines(list_path(study)))
    for each in listed:
        if each is not None and each.id.casefold() == participant.casefold():
            return each
    number = _number(study, everyone(study), participant)
    made = Participant(participant, number, kept.now(), "joined")
    _add(study, {"id": made.id, "number": made.number, "utc": made.utc, "how": made.how})
    return made


def check_open(study: Path, participant: str) -> str:
    """`participant` itself when somebody may be recorded under it.

    Raises `ConfigError` when it cannot be a pseudonym, belongs to somebody who withdrew, is known by
    another spelling, or is new and would be one subject of BIDS with somebody else.
    """
    check_pseudonym(participant)
    known = everyone(study)
    one = _among(known, participant)
    if one is not None and one.withdrawn_utc:
        raise ConfigError(
            f"{one.id} withdrew from the study on {one.withdrawn_utc[:10]}; the pseudonym is never used "
            f"again. Take {_unused(study, known)[0]}"
        )
    _check_told_apart(study, known, participant)
    return participant


def _check_told_apart(study: Path, known: list[Participant], participant: str) -> None:
    """Raises `ConfigError` for p014 where there is P014, and for a new P1-1 where there is P11.

    Not for p014 where an older emolab recorded p014: what broke off must go on.
    """
    if (same := _among(known, participant)) is not None:
        is_recorded = any(who == participant for who, _, _ in sessions(study))
        if same.id != participant and not same.withdrawn_utc and not is_recorded:
            raise ConfigError(f"this study knows {same.id}; write it so, not {participant}")
        return
    label = bids_label(participant)
    for one in known:
        if bids_label(one.id).casefold() == label.casefold():
            raise ConfigError(
                f"{participant} cannot be told from {one.id} in BIDS, where both are sub-{label}, and the "
                f"files of one would replace the other's; take another pseudonym, {_unused(study, known)[0]} "
                "say"
            )


def mark_withdrawn(study: Path, participant: str) -> None:
    """Note in the list that somebody withdrew, once."""
    lines = kept.read_lines(list_path(study))

    def tells(key: str) -> bool:
        return any(str(line.get(key, "")).casefold() == participant.casefold() for line in lines)

    if not tells("withdrawn"):
        if not tells("id"):
            number = participant_number(participant)
            _add(study, {"id": participant, "number": number, "utc": kept.now(), "how": "joined"})
        _add(study, {"withdrawn": participant, "utc": kept.now()})


def _unused(study: Path, known: list[Participant]) -> tuple[str, int]:
    """A pseudonym, whose label in BIDS and whose folder are free as well, and a number that nobody has."""
    number = _next_number(known)
    told = study_file.read(study)
    pattern = told.pattern if told is not None else _pattern_of(known)
    taken = {bids_label(one.id).casefold() for one in known}
    for _ in range(TRIES):
        made = study_file.pseudonym(pattern, number)
        if bids_label(made).casefold() not in taken and not is_shut(study, made):
            return made, number
        if study_file.has_number(pattern) and "*" not in pattern:
            number += 1
    raise ConfigError(f"the pattern {pattern!r} has hardly a free pseudonym left; type one of your own")


def _next_number(known: list[Participant]) -> int:
    return max((one.number for one in known), default=0) + 1


def _pattern_of(known: list[Participant]) -> str:
    """How the pseudonym with the highest number looks: studies without a file go on as they began."""
    highest, prefix, width = 0, "P", 3
    for one in known:
        # the last number in it, which also decides the order of clips: P002-B takes P002's place
        if (match := re.fullmatch(r"(.*?)(\d+)\D*", one.id)) and int(match[2]) > highest:
            highest, prefix, width = int(match[2]), match[1], len(match[2])
    return prefix + "#" * width


def _add(study: Path, line: dict[str, Any]) -> None:
    """Add a line; a list that begins takes in first who was recorded before there was one."""
    before = [] if list_path(study).exists() else everyone(study)
    try:
        for one in before:
            if one.id != line.get("id"):
                told = {"id": one.id, "number": one.number, "utc": kept.now(), "how": one.how}
                kept.add_line(list_path(study), told)
        kept.add_line(list_path(study), line)
    except OSError as error:
        raise ConfigError(
            f"{list_path(study)} cannot be written ({error.strerror or error}); make room, and see that it "
            "is yours"
        ) from error
