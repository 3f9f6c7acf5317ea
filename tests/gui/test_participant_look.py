"""The participant's pages to the eye and the ear: constant light, texts that fit, names for readers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAccessible, QFontMetrics
from PySide6.QtWidgets import QAbstractButton

from emolab.gui.participant import ground
from emolab.gui.participant.canvas import PAGES, StageCanvas
from emolab.gui.participant.fit import font_of
from emolab.gui.participant.mirror import StageMirror
from emolab.session.snapshot import StageView
from tests.gui.test_participant import CONSENT, INSTRUCT, LISTEN, RATE, REST

SIZES = [QSize(1366, 768), QSize(1920, 1080), QSize(3840, 2160)]
LONG = replace(
    RATE,
    title="Wie haben Sie sich während der Musik gefühlt?",
    choices=tuple(
        replace(choice, words=words)
        for choice, words in zip(
            RATE.choices,
            [("traurig", "angeekelt", "wütend"), ("ängstlich", "verängstigt", "niedergeschlagen"),
             ("neutral", "friedlich", "ausgeglichen"), ("überrascht", "aufgeregt", "mitgerissen"),
             ("glücklich", "hocherfreut", "genießerisch")],
            strict=True,
        )
    ),
)  # fmt: skip


@pytest.fixture
def canvas(dressed, qtbot):
    made = StageCanvas()
    qtbot.addWidget(made)
    made.resize(SIZES[0])
    made.show()
    return made


def light(canvas) -> float:
    return ground.mean_luminance(canvas.grab().toImage())


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda s: str(s.height()))
def test_light_is_the_same_through_rest_clip_and_report(canvas, size):
    canvas.resize(size)
    lights = {}
    for view in (
        REST,
        LISTEN,
        RATE,
        replace(RATE, chosen="neutral"),
        replace(RATE, chosen="neutral", word="calm"),
        LONG,
    ):
        canvas.show_view(view)
        canvas.set_now(345.0)
        lights[view.page, view.chosen, view.word] = light(canvas)
    assert max(lights.values()) / min(lights.values()) < 1.02, lights
    assert lights["rest", "", ""] == pytest.approx(ground.target(), rel=0.01)


def test_light_stays_while_the_time_runs_out(canvas):
    canvas.show_view(RATE)
    canvas.set_now(330.0)
    full = light(canvas)
    canvas.set_now(359.9)
    assert light(canvas) == pytest.approx(full, rel=0.02)


def test_light_is_the_same_after_the_window_changed_its_size(canvas):
    canvas.show_view(RATE)
    canvas.resize(SIZES[1])
    assert light(canvas) == pytest.approx(ground.target(), rel=0.02)


def test_ground_between_two_greys_has_the_light_between_theirs():
    def of(level: float) -> float:
        image = ground.brush(level).texture().toImage()
        return ground.mean_luminance(image)

    assert of(60.0) < of(60.25) < of(60.5) < of(61.0)
    assert of(60.5) == pytest.approx((of(60.0) + of(61.0)) / 2, rel=1e-6)


@pytest.mark.parametrize("size", SIZES, ids=lambda s: str(s.height()))
def test_words_fit_their_buttons_and_are_all_of_one_size(canvas, size):
    canvas.resize(size)
    for view in (RATE, LONG):
        canvas.show_view(view)
        words = [word for card in canvas.page.cards for word in card.words]
        assert len(words) == 15 and len({word.pixels for word in words}) == 1
        for word in words:
            assert QFontMetrics(font_of(word.pixels)).horizontalAdvance(word.text()) <= word.width()


@pytest.mark.parametrize("size", SIZES, ids=lambda s: str(s.height()))
@pytest.mark.parametrize("view", [CONSENT, INSTRUCT, REST, RATE, LONG], ids=lambda v: v.title[:12])
def test_everything_lies_on_the_page_and_nothing_on_top_of_another(canvas, size, view):
    canvas.resize(size)
    canvas.show_view(view)
    parts = [
        w for w in canvas.page.children() if w.isWidgetType() and w.isVisible() and not w.geometry().isEmpty()
    ]
    assert len(parts) >= 2
    for i, part in enumerate(parts):
        assert canvas.page.rect().contains(part.geometry()), part
        for other in parts[i + 1 :]:
            assert not part.geometry().adjusted(1, 1, -1, -1).intersects(other.geometry()), (part, other)


def test_targets_are_large_enough_for_a_finger(canvas):
    for view in (CONSENT, INSTRUCT, RATE):
        canvas.show_view(view)
        for control in canvas.page.findChildren(QAbstractButton):
            if control.isVisible():
                assert min(control.width(), control.height()) >= 44, control.objectName()


def test_letters_are_twice_as_large_on_a_screen_twice_as_high(canvas):
    canvas.resize(SIZES[1])
    canvas.show_view(RATE)
    before = canvas.page.cards[0].words[0].pixels
    assert before == 32
    canvas.resize(SIZES[2])
    assert canvas.page.cards[0].words[0].pixels == 2 * before


@pytest.mark.parametrize("size", SIZES, ids=lambda s: str(s.height()))
def test_very_long_instruction_is_shrunk_and_then_scrolled_beside_title_and_button(canvas, size):
    canvas.resize(size)
    for count, scrolls in ((20, False), (200, True)):
        canvas.show_view(replace(INSTRUCT, text="One more thing to bear in mind meanwhile. " * count))
        page = canvas.page
        for part in (page.title, page.area, page.button):
            assert page.rect().contains(part.geometry()), (count, part)
        assert (page.text.height() > page.area.height()) == scrolls
    canvas.press(Qt.Key.Key_PageDown)
    assert page.area.verticalScrollBar().value() > 0
    canvas.show_view(replace(INSTRUCT, step=99, text="Short."))
    assert page.area.verticalScrollBar().value() == 0 and not page.area.verticalScrollBar().isVisible()


@pytest.mark.parametrize("view", [CONSENT, INSTRUCT, RATE], ids=lambda v: v.page)
def test_screen_reader_has_a_name_for_everything_that_can_be_pressed(canvas, view):
    canvas.show_view(view)
    names = [
        QAccessible.queryAccessibleInterface(control).text(QAccessible.Text.Name)
        for control in canvas.page.findChildren(QAbstractButton)
        if control.isVisible()
    ]
    assert names and all(names)
    if view.page == "rate":
        assert "1: SAD, DISGUST, ANGRY" in names and "CALM" in names


def test_chosen_step_differs_by_shape_not_by_colour_alone(canvas):
    canvas.show_view(RATE)
    before = canvas.page.cards[3].grab().toImage()
    canvas.show_view(replace(RATE, chosen="less_positive"))
    after = canvas.page.cards[3].grab().toImage()
    grey = [
        sum(image.pixelColor(5, y).lightness() > 150 for y in range(40, 200)) for image in (before, after)
    ]
    assert grey[1] > 100 and grey[0] < 20  # the outline has grown inwards


def test_page_that_comes_after_a_report_was_confirmed_shows_it_so(canvas):
    canvas.show_view(replace(RATE, chosen="less_positive", is_confirmed=True))
    page = canvas.page
    assert [card.isEnabled() for card in page.cards] == [False, False, False, True, False]
    assert not page.button.isEnabled() and page.button.text() == ""
    canvas.show_view(replace(RATE, step=9))
    assert all(card.isEnabled() for card in page.cards)


def test_every_page_of_the_engine_has_a_class():
    from typing import get_args

    from emolab.session.snapshot import Page

    assert set(get_args(Page)) <= set(PAGES)


def test_mirror_shows_the_participants_page_and_takes_no_input(dressed, qtbot):
    mirror = StageMirror()
    qtbot.addWidget(mirror)
    mirror.resize(320, 180)
    pictures = set()
    for view in (REST, RATE, replace(RATE, chosen="neutral")):
        mirror.show_view(view, 340.0)
        pictures.add(bytes(mirror.grab().toImage().constBits()))
    assert len(pictures) == 3
    assert mirror.accessibleDescription().startswith("rate")
    assert not mirror._canvas.press(0x31)


def test_mirror_is_cheap_when_nothing_changes(dressed, qtbot, monkeypatch):
    mirror = StageMirror()
    qtbot.addWidget(mirror)
    drawn = []
    monkeypatch.setattr(StageMirror, "_take", lambda self: drawn.append(1))
    for i in range(30):
        mirror.show_view(StageView("listen", 3), i / 30)
    assert len(drawn) == 1
