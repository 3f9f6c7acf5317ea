"""The report as one HTML page that needs nothing but itself: words, tables and pictures in sections.

The page opens offline, prints on A4, follows the reader's dark or light scheme and can be read without
seeing the pictures: each carries a sentence with its numbers. How it looks is in `page.html.j2`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Literal

from jinja2 import Environment, StrictUndefined

from emolab.plots.style import LIGHT, Drawing, Look
from emolab.study.export.whole import whole

Mood = Literal["plain", "well", "look", "act"]
FORMS = ("svg", "png", "pdf")
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
    """A figure, drawn where it is wanted: `draw(LIGHT)` for paper, `draw(DARK)` for a dark window.

    `name`: of its files, without ending. `title`: what stands before the drawing's own caption.
    """

    name: str
    title: str
    draw: Callable[[Look], Drawing]
    kind: Literal["picture"] = "picture"

    @cached_property
    def printed(self) -> Drawing:
        """As it stands on paper."""
        return self.draw(LIGHT)

    @property
    def caption(self) -> str:
        """What it shows, and what it could not."""
        return f"{self.title} {self.printed.caption}"

    @cached_property
    def svg(self) -> bytes:
        """The picture on paper, as SVG."""
        return self.printed.data("svg")

    @property
    def source(self) -> str:
        """The picture inside the page."""
        return f"data:image/svg+xml;base64,{base64.b64encode(self.svg).decode()}"

    def save(self, stem: Path, forms: Sequence[str] = FORMS) -> list[Path]:
        """Write `stem` with the end of each of `forms`; returns the files."""
        files = [stem.with_name(f"{stem.name}.{form}") for form in forms]
        for file, form in zip(files, forms, strict=True):
            with whole(file) as beside:
                beside.write_bytes(self.svg if form == "svg" else self.printed.data(form))
        return files


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


def html(page: Page, forms: Sequence[str] = FORMS) -> str:
    """The page as HTML; `forms`: of the files in which each picture lies beside it.

    Everything in it is text: what a clip or study is called cannot become markup.
    """
    text = resources.files("emolab.analysis").joinpath("page.html.j2").read_text(encoding="utf-8")
    shelf = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return shelf.from_string(text).render(page=page, forms=forms)
