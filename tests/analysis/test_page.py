"""The report as a page: whole in itself, and nothing in it can become markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from matplotlib.figure import Figure

from emolab.analysis.page import Fact, Page, Picture, Section, Table, Words, html
from emolab.plots.style import Drawing


def _page(name: str = "A study") -> Page:
    parts = [
        Words("Plain."),
        Words("Look here.", "look"),
        Table("Counts", ("what", "n"), [["clips", "15"]], "A note."),
        Table("More", ("what",), [["long " * 20]], folded=True),
        Picture(
            "labels", "Fig. 2", lambda _look: Drawing(Figure((4, 3)), "Made.", 'Counts of "labels" & more')
        ),
    ]
    return Page(
        name, "What it says.", [Fact("24", "participants")], [Section("one", "One", parts)], "Made today"
    )


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "img"):
            self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_tag_is_closed_and_nothing_is_fetched_from_elsewhere():
    tags = _Tags()
    tags.feed(html(_page()))
    assert tags.open == []
    assert all(link.startswith(("#", "data:image/svg+xml;base64,")) for link in tags.links)
    assert "#one" in tags.links
    assert "default-src 'none'" in html(_page())


def test_names_cannot_become_markup():
    made = html(_page("<script>alert(1)</script>"))
    assert "<script" not in made
    assert "&lt;script&gt;" in made


def test_pictures_say_what_they_show_and_remarks_have_a_shape():
    made = html(_page())
    assert 'alt="Counts of &#34;labels&#34; &amp; more"' in made
    assert re.search(r'class="remark look">▲ Look here\.', made)


def test_only_files_that_were_written_are_named():
    assert "(figures/labels.svg, .png, .pdf)" in html(_page())
    assert "(figures/labels.svg)" in html(_page(), ("svg",))
    assert "figures/" not in html(_page(), ())
