"""The report as one HTML page that needs nothing but itself: words, tables and pictures in sections.

The page opens offline, prints on A4, follows the reader's dark or light scheme and can be read without
seeing the pictures: each carries a sentence with its numbers. How it looks is in `page.html.j2`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal

from jinja2 import Environment, StrictUndefined
from matplotlib.figure import Figure

from emolab.plots.style import Mode, svg

Mood = Literal["plain", "well", "look", "act"]
SYMBOLS: dict[str, str] = {"plain": "", "well": "●", "look": "▲", "act": "■"}


@dataclass(frozen=True)
class Words:
    """A paragraph; with a mood other than plain, a remark to be noticed."""

    text: str
    mood: Mood = "plain"
    kind: Literal["words"] = "words"

    @property
    def symbol(self) -> str:
        """The mood as a shape: colour alone tells nobody anything."""
        return SYMBOLS[self.mood]


@dataclass(frozen=True)
class Table:
    """Cells as they are shown; numbers come formatted. `folded`: opened by a click."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    folded: bool = False
    kind: Literal["table"] = "table"


@dataclass(frozen=True)
class Picture:
    """A figure, drawn where it is wanted: `draw("light")` for paper, `draw("dark")` for a dark window.

    `alt`: the sentence that says what it shows, with the numbers. `name`: of its files, without ending.
    """

    name: str
    draw: Callable[[Mode], Figure]
    caption: str
    alt: str
    kind: Literal["picture"] = "picture"

    @property
    def source(self) -> str:
        """The picture inside the page."""
        return f"data:image/svg+xml;base64,{base64.b64encode(svg(self.draw('light'))).decode()}"


Part = Words | Table | Picture


@dataclass(frozen=True)
class Section:
    """A heading, what the reader should take home, and what it rests on. `key`: where a link points."""

    key: str
    title: str
    parts: Sequence[Part]
    lead: str = ""


@dataclass(frozen=True)
class Fact:
    """A large number at the top."""

    number: str
    what: str
    mood: Mood = "plain"

    @property
    def symbol(self) -> str:
        """As in `Words`."""
        return SYMBOLS[self.mood]


@dataclass(frozen=True)
class Page:
    """The whole report. `made`: when, by what."""

    title: str
    lead: str
    facts: Sequence[Fact]
    sections: Sequence[Section]
    made: str


def html(page: Page) -> str:
    """The page as HTML. Everything in it is text: what a clip or study is called cannot become markup."""
    text = resources.files("emolab.analysis").joinpath("page.html.j2").read_text(encoding="utf-8")
    shelf = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return shelf.from_string(text).render(page=page)
