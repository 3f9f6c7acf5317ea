"""What a study is called and how its pseudonyms look: `STUDY/study.json`.

    {"study": 1, "id": "3f0c…", "title": "Music and skin", "pattern": "P###", "made_utc": "…"}

In a pattern, `#` stands for a digit of the participant's number, `*` for a letter or digit drawn at
random; all else stands for itself. `P###` gives P001, P002 …; `MUS-****` gives codes that do not tell who
came first. `id` is random: it tells studies of the same title apart. Studies without the file are as
good: their pseudonyms go on as they began.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from emolab.core.errors import ConfigError
from emolab.study import kept
from emolab.study.sessions import check_pseudonym

SCHEMA = 1
PATTERN = "P###"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # no I and O, no 1 and 0: codes are written by hand
LEAST_RANDOM = 3  # 30 thousand codes
_PLACEHOLDERS = re.compile(r"#+|\*+")


@dataclass(frozen=True)
class StudyFile:
    """The facts of a study; see the file's docstring."""

    id: str
    title: str
    pattern: str = PATTERN
    made_utc: str = ""


def path_of(study: Path) -> Path:
    """Where the facts of a study lie."""
    return study / "study.json"


def read(study: Path) -> StudyFile | None:
    """The facts of a study, None when nobody wrote them. Raises `ConfigError` when they are damaged."""
    path = path_of(study)
    try:
        told = json.loads(path.read_text(encoding="utf-8-sig"))  # Windows' editor puts a mark before it
        found = StudyFile(
            str(told["id"]), str(told["title"]), check_pattern(str(told["pattern"])), str(told["made_utc"])
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ConfigError(f"{path} is damaged ({error}); take it from a backup") from error
    if not re.fullmatch(r"[0-9a-f]{32}", found.id):
        raise ConfigError(f"{path} is damaged (its id is none); take it from a backup")
    return found


def make(study: Path, title: str = "", pattern: str = PATTERN) -> StudyFile:
    """Write the facts of a study; the folder is made. Raises `ConfigError` when it has some already."""
    if (there := read(study)) is not None:
        raise ConfigError(f"{study} is a study already, {there.title!r} with pseudonyms {there.pattern}")
    made = StudyFile(secrets.token_hex(16), title or study.resolve().name, check_pattern(pattern), kept.now())
    try:
        kept.write_whole(path_of(study), json.dumps({"study": SCHEMA, **asdict(made)}, indent=1).encode())
    except OSError as error:
        raise ConfigError(
            f"the study folder {study} cannot be written ({error.strerror or error}); choose another folder"
        ) from error
    return made


def check_pattern(pattern: str) -> str:
    """`pattern` itself when pseudonyms can be made after it. Raises `ConfigError` with the remedy."""
    places = _PLACEHOLDERS.findall(pattern)
    numbers = [place for place in places if "#" in place]
    if len(numbers) > 1 or not places or (not numbers and pattern.count("*") < LEAST_RANDOM):
        raise ConfigError(
            f"pattern {pattern!r} gives no pseudonyms; write # for the digits of the participant's number, "
            f"as in {PATTERN}, or at least {LEAST_RANDOM} * for random letters and digits, as in MUS-****"
        )
    if numbers and re.search(r"[0-9*]", pattern.partition(numbers[0])[2]):
        # the last number in a pseudonym decides the order of clips wherever the list is not at hand
        raise ConfigError(f"in pattern {pattern!r} digits follow the number; put {numbers[0]} last")
    check_pseudonym(pattern.replace("#", "1").replace("*", "2"))
    return pattern


def pseudonym(pattern: str, number: int) -> str:
    """A pseudonym after a pattern; random places are drawn."""

    def filled(place: re.Match[str]) -> str:
        width = len(place[0])
        return f"{number:0{width}d}" if "#" in place[0] else "".join(map(secrets.choice, [LETTERS] * width))

    while True:  # by chance a code has no digit, which a pseudonym needs
        made = _PLACEHOLDERS.sub(filled, pattern)
        if any(sign.isdigit() for sign in made):
            return made


def has_number(pattern: str) -> bool:
    """Whether pseudonyms after it show the participant's number."""
    return "#" in pattern


def matches(pattern: str, participant: str) -> bool:
    """Whether a pseudonym looks as if made after a pattern."""
    parts = _PLACEHOLDERS.split(pattern)
    signs = [
        rf"\d{{{len(place)},}}" if "#" in place else f"[{LETTERS}]{{{len(place)}}}"
        for place in _PLACEHOLDERS.findall(pattern)
    ]
    regex = "".join(re.escape(part) + sign for part, sign in zip(parts, [*signs, ""], strict=True))
    return re.fullmatch(regex, participant) is not None
