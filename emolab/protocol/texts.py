"""What the participant reads, one YAML file a language: `protocols/texts/<code>.yaml`.

To add a language, copy `en.yaml` to the new code, translate the right-hand sides, and change
`language` and `name`; every protocol that uses the folder then offers it. Keys:

    schema      1
    language    the file's code, e.g. en
    name        the language in its own words, e.g. English
    consent     title, text, agree (the sentence beside the box to tick), button
    instruct    title, text, button
    rest        title, text          shown while resting
    listen      title, text          shown during a clip; may be empty: calm is better
    baseline    title, text, hint, button    the question after the rest
    rate        title, text, hint, button    the question after a clip; hint: how to confirm
    pause       title, text          wash-out, or the experimenter paused
    hold        title, text          the program waits for something to be mended
    thanks      title, text
    words       the fifteen words of Table I, stored in English, shown in this language
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from emolab.core.errors import ConfigError
from emolab.core.label import STATES
from emolab.protocol.marked import read
from emolab.protocol.schema import Section, Text, unknown, validate

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}")
WORDS: tuple[str, ...] = tuple(word for state in STATES for word in state.words)


@dataclass(frozen=True)
class PageText:
    """One page: parts it does not have are empty."""

    title: str
    text: str = ""
    button: str = ""
    agree: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Texts:
    """All a participant reads in one language. `source_text`: the file, for the recording."""

    language: str
    name: str
    source_text: str
    consent: PageText
    instruct: PageText
    rest: PageText
    listen: PageText
    baseline: PageText
    rate: PageText
    pause: PageText
    hold: PageText
    thanks: PageText
    words: Mapping[str, str]


def load(folder: Path, language: str) -> Texts:
    """The texts in `folder/<language>.yaml`. Raises `ConfigError` naming file, line and key."""
    path = folder / f"{language}.yaml"
    if not path.is_file():
        known = ", ".join(languages(folder)) or "none"
        raise ConfigError(
            f"{path}: there is no such language file; there are {known}; add it or choose another"
        )
    _check_name(path)
    marked = read(path)
    model = validate(_File, marked)
    if model.language != language:
        raise marked.error(
            ("language",), f"is {model.language!r} in a file named {path.name}; make them the same"
        )
    for word in model.words:
        if word not in WORDS:
            raise marked.error(("words", word), f"is no word of Table I; {unknown(word, WORDS)}")
    for word in WORDS:
        if word not in model.words:
            raise marked.error(("words", word), "is missing; add its translation below 'words'")
    shown: dict[str, str] = {}
    for word, translated in model.words.items():
        if translated in shown:
            raise marked.error(
                ("words", word),
                f"is shown as {translated!r} like {shown[translated]!r}; choose words that differ",
            )
        shown[translated] = word
    pages = {name: PageText(**getattr(model, name).model_dump()) for name in _PAGES}
    return Texts(language=language, name=model.name, source_text=marked.text, words=model.words, **pages)


def languages(folder: Path) -> tuple[str, ...]:
    """Codes of the languages in `folder`, in alphabetical order; hidden files are none."""
    return tuple(sorted(path.stem for path in folder.glob("[!.]*.yaml")))


def is_language(code: str) -> bool:
    """Whether a word can be the code of a language: en, zh, zh-TW."""
    return _LANGUAGE.fullmatch(code) is not None


def _check_name(path: Path) -> None:
    if not is_language(path.stem):
        better = path.stem.replace("_", "-")
        raise ConfigError(
            f"{path}: is named after no language code; name it like {better if is_language(better) else 'en'}"
            ".yaml, and change its key 'language', too"
        )


class _Page(Section):
    title: Text = Field(examples=["Rest"])
    text: Text


class _Instruct(_Page):
    button: Text


class _Consent(_Instruct):
    agree: Text


class _Question(_Instruct):
    hint: Text


class _Listen(Section):
    title: str
    text: str


class _File(Section):
    schema_: Annotated[Literal[1], Field(alias="schema")]
    language: Text
    name: Text
    consent: _Consent
    instruct: _Instruct
    rest: _Page
    listen: _Listen
    baseline: _Question
    rate: _Question
    pause: _Page
    hold: _Page
    thanks: _Page
    words: dict[str, Text]


_PAGES = ("consent", "instruct", "rest", "listen", "baseline", "rate", "pause", "hold", "thanks")
