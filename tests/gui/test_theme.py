"""The theme: contrast of every pair used, one meaning a colour, switching and scaling."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QLabel, QPushButton, QRadioButton

from emolab.core.label import STATE_KEYS
from emolab.core.stream import KINDS
from emolab.gui import theme
from tests.gui.windows import destroy

PALETTES = [theme.DARK, theme.LIGHT]
GROUNDS = ("ground", "panel", "sunken", "raised")


@pytest.mark.parametrize("palette", PALETTES, ids=lambda p: p.name)
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("ink", ["text", "muted"])
def test_text_stands_out_from_every_ground(palette, ground, ink):
    assert theme.contrast(getattr(palette, ink), getattr(palette, ground)) >= 4.5


@pytest.mark.parametrize("palette", PALETTES, ids=lambda p: p.name)
def test_text_stands_out_from_the_accent_and_from_pressed_buttons(palette):
    assert theme.contrast(palette.on_accent, palette.accent) >= 4.5
    assert theme.contrast(palette.text, theme.mix(palette.raised, palette.text, 0.22)) >= 4.5


@pytest.mark.parametrize("palette", PALETTES, ids=lambda p: p.name)
@pytest.mark.parametrize("ground", GROUNDS)
def test_edges_of_what_can_be_operated_are_seen(palette, ground):
    assert theme.contrast(palette.edge, getattr(palette, ground)) >= 3.0


@pytest.mark.parametrize("palette", PALETTES, ids=lambda p: p.name)
@pytest.mark.parametrize(
    "colour", [*theme.SIGNAL_COLOURS.values(), *(h.colour for h in theme.HEALTH.values())]
)
def test_curves_and_symbols_are_made_to_stand_out(palette, colour):
    for ground in (palette.panel, palette.sunken):
        assert theme.contrast(theme.legible(colour, ground), ground) >= 3.0


@pytest.mark.parametrize("ground", ["#3A3D41", theme.PARTICIPANT.ground, "#474A4E"])
@pytest.mark.parametrize("ink", [theme.PARTICIPANT.text, theme.PARTICIPANT.muted])
def test_participant_can_read_on_the_darkest_and_the_brightest_ground(ink, ground):
    assert theme.contrast(ink, ground) >= 4.5


def test_contrast_knows_the_extremes():
    assert theme.contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert theme.contrast("#777777", "#777777") == pytest.approx(1)


def test_a_colour_that_stands_out_already_is_left_alone():
    assert theme.legible("#D55E00", "#101317") == "#D55E00"


def test_every_kind_and_every_state_has_a_colour():
    assert set(KINDS) <= set(theme.SIGNAL_COLOURS)
    assert set(STATE_KEYS) == set(theme.VALENCE_COLOURS)


def test_health_is_told_by_shape_and_word_too():
    looks = [theme.HEALTH[level] for level in ("well", "look", "act")]
    assert len({look.symbol for look in looks}) == len({look.word for look in looks}) == 3


@pytest.mark.parametrize("palette", PALETTES, ids=lambda p: p.name)
def test_style_sheet_has_no_token_left_over(palette):
    assert "@" not in theme.style_sheet(palette, 1.5)


def test_theme_can_be_switched_and_says_so(dressed, qtbot):
    with qtbot.waitSignal(theme.notifier().changed):
        theme.apply(dressed, "light")
    assert theme.palette() is theme.LIGHT
    assert dressed.palette().window().color().name().upper() == theme.LIGHT.ground
    theme.apply(dressed, "dark")
    assert theme.palette() is theme.DARK


def test_theme_follows_the_system_while_asked_to(dressed, monkeypatch):
    is_light = [False]
    monkeypatch.setattr(theme, "_system_is_light", lambda app: is_light[0])
    changed = dressed.styleHints().colorSchemeChanged
    theme.apply(dressed, "system")
    for now_light, expected in ((True, theme.LIGHT), (False, theme.DARK)):
        is_light[0] = now_light
        changed.emit(Qt.ColorScheme.Light if now_light else Qt.ColorScheme.Dark)
        assert theme.palette() is expected
    theme.apply(dressed, "dark")
    is_light[0] = True
    changed.emit(Qt.ColorScheme.Light)
    assert theme.palette() is theme.DARK


def test_everything_grows_to_200_percent_and_not_beyond(dressed, qtbot):
    button, label = QPushButton("Start session"), theme.role(QLabel("07:42"), "figure")
    for widget in (button, label):
        qtbot.addWidget(widget)
        widget.show()
    before = button.sizeHint().height(), label.sizeHint().height()
    theme.apply(dressed, "dark", 9.0)
    assert theme.scale() == 2.0
    assert button.sizeHint().height() >= 1.9 * before[0]
    assert label.sizeHint().height() >= 1.8 * before[1]


@pytest.mark.parametrize("ground", ["dark", "light"])
@pytest.mark.parametrize("kind", [QCheckBox, QRadioButton])
def test_a_box_that_is_not_ticked_is_seen_and_a_tick_too(dressed, ground, kind):
    """Fusion draws its edge darker than the window: on a dark one there was nothing to tick."""
    theme.apply(dressed, ground)
    box = kind("")
    empty = box.grab().toImage()
    box.setChecked(True)
    ticked = box.grab().toImage()
    palette = theme.palette()
    places = [(x, y) for x in range(empty.width()) for y in range(empty.height())]
    edge = max(theme.contrast(empty.pixelColor(*at).name(), palette.ground) for at in places)
    assert edge >= 3, "WCAG 2.2, 1.4.11: what tells a control stands out 3 to 1"
    inks = {ticked.pixelColor(*at).name() for at in places}
    assert palette.accent.lower() in inks
    if kind is QCheckBox:
        assert max(theme.contrast(ink, palette.accent) for ink in inks) >= 3, "the tick on its ground"
    destroy(box)


def test_a_number_in_a_spin_box_is_seen_whole(qapp):
    theme.apply(qapp, "dark")
    box = QDoubleSpinBox()
    box.setSuffix(" s")
    box.setMaximum(600.0)
    box.setValue(600.0)
    box.resize(box.sizeHint())
    box.grab()
    line = box.lineEdit()
    assert line.width() >= line.fontMetrics().horizontalAdvance(box.text()) + theme.SIZES.gap
    destroy(box)
