"""Colours, sizes and one style sheet made from them.

`apply(app)` dresses the program; `palette()` and `px(n)` are what painting code asks for. The
look follows the system's dark or light scheme, or stays where the user put it, and grows from
100 to 200 %. Colours of signals and of valence mean the same in every plot and lane (Okabe and
Ito 2008, safe for colour-blind readers; the valence steps are ColorBrewer's PuOr). Meaning never
hangs on colour alone: health has a shape and a word too.

Style sheet roles, set with `theme.role(widget, NAME)`:

    labels    title, heading, muted, figure (large digits), message
    buttons   primary (the one thing to do next), danger (cannot be undone), quiet, choice
    frames    panel, sunken, bar
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Literal, TypeVar

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QWidget

ThemeName = Literal["system", "dark", "light"]
W = TypeVar("W", bound=QWidget)


@dataclass(frozen=True)
class Palette:
    """The greys and the one accent of a theme, as #RRGGBB."""

    name: str
    ground: str  # behind everything
    panel: str  # a group of things on the ground
    sunken: str  # where data lie: plots, text fields, lists
    raised: str  # buttons
    line: str  # borders between things
    edge: str  # borders of things one can operate: 3:1 against what they lie on
    text: str
    muted: str  # text that may be overlooked
    accent: str  # the next thing to do, focus, selection
    on_accent: str


DARK = Palette(
    name="dark", ground="#15181D", panel="#1E2228", sunken="#101317", raised="#2B313A", line="#343B45",
    edge="#76808C", text="#E6E8EB", muted="#A4ADB8", accent="#56B4E9", on_accent="#0B1016",
)  # fmt: skip
LIGHT = Palette(
    name="light", ground="#FAFAF8", panel="#FFFFFF", sunken="#F3F4F1", raised="#EDEFF1", line="#D3D7DD",
    edge="#7A838E", text="#1B1E23", muted="#565E69", accent="#0072B2", on_accent="#FFFFFF",
)  # fmt: skip

SIGNAL_COLOURS: dict[str, str] = {
    "eda": "#0072B2",
    "ppg": "#D55E00",
    "respiration": "#009E73",
    "thermal": "#CC79A7",
    "audio": "#56B4E9",
    "rgb": "#9AA0A6",
    "lsl": "#9AA0A6",
    "mixed": "#9AA0A6",
    "mark": "#E69F00",
}

VALENCE_COLOURS: dict[str, str] = {
    "most_negative": "#5E3C99",
    "less_negative": "#B2ABD2",
    "neutral": "#9AA0A6",
    "less_positive": "#FDB863",
    "most_positive": "#E66101",
}


@dataclass(frozen=True)
class HealthLook:
    """How a level of health is told: by shape, colour and word together."""

    symbol: str
    colour: str
    word: str


HEALTH: dict[str, HealthLook] = {
    "well": HealthLook("●", "#009E73", "well"),
    "look": HealthLook("▲", "#E69F00", "look"),
    "act": HealthLook("■", "#D55E00", "act"),
}


@dataclass(frozen=True)
class Sizes:
    """Pixels at 100 %; everything lies on a grid of four."""

    grid: int = 4
    gap_small: int = 8
    gap: int = 16
    gap_large: int = 24
    radius: int = 6
    small: int = 12
    body: int = 14
    large: int = 16
    heading: int = 20
    title: int = 28
    figure: int = 40
    target: int = 36  # least height of a thing to press


SIZES = Sizes()


@dataclass(frozen=True)
class ParticipantLook:
    """Greys of the participant's screen, the same in every theme, and its sizes at 1080 lines.

    `ground` is the grey whose light the whole page gives off on average, whatever stands on it.
    """

    ground: str = "#44474B"
    text: str = "#D3D6DA"
    muted: str = "#C0C3C8"
    faint: str = "#90949A"  # outlines, and the label of a button that cannot be pressed yet
    body: int = 28
    choice: int = 32
    title: int = 40
    small: int = 24


PARTICIPANT = ParticipantLook()


class _Notifier(QObject):
    """Emits `changed` after the theme or the scale has changed, for things that paint themselves."""

    changed = Signal()


@dataclass
class _State:
    choice: ThemeName = "system"
    scale: float = 1.0
    palette: Palette = DARK
    follows: bool = False


_state = _State()


@cache
def notifier() -> _Notifier:
    """The object whose `changed` signal painting widgets connect to."""
    return _Notifier()


def palette() -> Palette:
    """The palette in use."""
    return _state.palette


def choice() -> ThemeName:
    """What the user chose: system, dark or light."""
    return _state.choice


def scale() -> float:
    """1.0 to 2.0."""
    return _state.scale


def px(size: float) -> int:
    """`size` pixels at 100 % in pixels at the present scale."""
    return round(size * _state.scale)


def font(size: float = SIZES.body, bold: bool = False) -> QFont:
    """The system's own font in `size` pixels at 100 %."""
    made = QFont(QApplication.font())
    made.setPixelSize(px(size))
    made.setBold(bold)
    return made


def role(widget: W, name: str) -> W:
    """Give a widget one of the style sheet's roles; returns the widget."""
    widget.setProperty("role", name)
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    return widget


def luminance(colour: str) -> float:
    """Relative luminance of #RRGGBB, 0 to 1. Source: WCAG 2.2."""
    red, green, blue = (linear(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(value: float) -> float:
    """Light of an sRGB value 0 to 255, as a share of white's. Source: IEC 61966-2-1."""
    share = value / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two colours #RRGGBB, 1 to 21. Source: WCAG 2.2."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@cache
def legible(colour: str, ground: str, at_least: float = 3.0) -> str:
    """`colour` moved towards black or white until it stands out from `ground`.

    `at_least`: contrast ratio; 3 suits curves and symbols, 4.5 text. The hue stays, so a signal
    is recognised on both grounds.
    """
    towards = "#FFFFFF" if luminance(ground) < 0.18 else "#000000"
    for percent in range(0, 101, 4):
        moved = mix(colour, towards, percent / 100)
        if contrast(moved, ground) >= at_least:
            return moved
    return towards


def red_text() -> str:
    """The red of what needs a hand, so that words in it can be read on the ground in use."""
    return mix(HEALTH["act"].colour, palette().text, 0.25)


def mix(a: str, b: str, share: float) -> str:
    """Colour between `a` (share 0) and `b` (share 1)."""
    pairs = ((int(a[i : i + 2], 16), int(b[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(x + (y - x) * share):02X}" for x, y in pairs)


def ink_on(colour: str) -> str:
    """White or near black, whichever is read better on `colour`."""
    light, dark = "#FFFFFF", "#101317"
    return light if contrast(light, colour) >= contrast(dark, colour) else dark


def signal_colour(kind: str, ground: str | None = None) -> str:
    """Colour of a curve of `kind` that stands out from `ground` (default: where plots lie)."""
    colour = SIGNAL_COLOURS.get(kind, SIGNAL_COLOURS["mixed"])
    return legible(colour, ground or _state.palette.sunken)


def apply(app: QApplication, theme: ThemeName = "system", scale: float = 1.0) -> None:
    """Dress the program; call it again to switch.

    `theme`: `system` follows the desktop's scheme as it changes (dark where it tells none).
    `scale`: 1 to 2; values outside are brought inside.
    """
    _state.choice = theme
    _state.scale = min(max(scale, 1.0), 2.0)
    if not _state.follows:
        _state.follows = True
        app.styleHints().colorSchemeChanged.connect(lambda _: _dress(app))
        app.setStyle("Fusion")
    schemes = {"dark": Qt.ColorScheme.Dark, "light": Qt.ColorScheme.Light}
    app.styleHints().setColorScheme(schemes.get(theme, Qt.ColorScheme.Unknown))  # for title bars
    _dress(app)


def _dress(app: QApplication) -> None:
    names: dict[str, Palette] = {"dark": DARK, "light": LIGHT}
    _state.palette = names.get(_state.choice, LIGHT if _system_is_light(app) else DARK)
    base = QFont(app.font())
    base.setPixelSize(px(SIZES.body))
    app.setFont(base)
    app.setPalette(_qt_palette(_state.palette))
    app.setStyleSheet(style_sheet(_state.palette, _state.scale))
    notifier().changed.emit()


def _system_is_light(app: QApplication) -> bool:
    return app.styleHints().colorScheme() == Qt.ColorScheme.Light


def _qt_palette(p: Palette) -> QPalette:
    made = QPalette()
    group, roles = QPalette.ColorGroup, QPalette.ColorRole
    for part, colour in (
        (roles.Window, p.ground), (roles.WindowText, p.text), (roles.Base, p.sunken),
        (roles.AlternateBase, p.panel), (roles.Text, p.text), (roles.Button, p.raised),
        (roles.ButtonText, p.text), (roles.ToolTipBase, p.panel), (roles.ToolTipText, p.text),
        (roles.Highlight, p.accent), (roles.HighlightedText, p.on_accent), (roles.Link, p.accent),
        (roles.PlaceholderText, p.muted), (roles.Mid, p.line),
    ):  # fmt: skip
        made.setColor(part, QColor(colour))
    for part in (roles.WindowText, roles.Text, roles.ButtonText):
        made.setColor(group.Disabled, part, QColor(p.muted))
    return made


def style_sheet(p: Palette, scale: float = 1.0) -> str:
    """The whole program's style sheet for a palette, at a scale."""
    sizes = {f.name: f"{round(getattr(SIZES, f.name) * scale)}px" for f in fields(Sizes)}
    colours = {f.name: getattr(p, f.name) for f in fields(Palette)}
    tokens = {**sizes, **colours, "act": HEALTH["act"].colour, "thin": f"{max(1, round(scale))}px",
              "thick": f"{round(2 * scale)}px", "hover": mix(p.raised, p.text, 0.12),
              "pressed": mix(p.raised, p.text, 0.22), "box": f"{round(16 * scale)}px",
              "ring": f"{round(9 * scale)}px", "tick": _tick(p),
              "red_text": mix(HEALTH["act"].colour, p.text, 0.25)}  # fmt: skip
    sheet = _SHEET
    for name in sorted(tokens, key=len, reverse=True):
        sheet = sheet.replace(f"@{name}", tokens[name])
    return sheet


def _tick(p: Palette) -> str:
    """The picture of a tick in what is read on the accent."""
    name = "dark" if luminance(p.on_accent) < 0.18 else "light"
    return Path(__file__).with_name(f"check-{name}.svg").as_posix()


_SHEET = """
QWidget { color: @text; font-size: @body; }
QMainWindow, QDialog { background: @ground; }
QToolTip { background: @panel; color: @text; border: @thin solid @line; padding: @grid; }
QFrame[role="panel"] { background: @panel; border: @thin solid @line; border-radius: @radius; }
QFrame[role="sunken"] { background: @sunken; border: @thin solid @line; border-radius: @radius; }
QFrame[role="bar"] { background: @panel; border: none; }
QLabel { background: transparent; border: none; }
QLabel[role="title"] { font-size: @title; font-weight: 600; }
QLabel[role="heading"] { font-size: @heading; font-weight: 600; }
QLabel[role="figure"] { font-size: @figure; font-weight: 600; }
QLabel[role="muted"] { color: @muted; }
QLabel[role="alarm"] { color: @red_text; }
QLabel[role="message"] { font-size: @large; }
QPushButton { background: @raised; border: @thin solid @edge; border-radius: @radius;
  padding: 0 @gap; min-height: @target; }
QPushButton:hover { background: @hover; }
QPushButton:pressed, QPushButton:checked { background: @pressed; }
QPushButton:checked { border: @thick solid @accent; }
QPushButton:focus { border: @thick solid @accent; }
QPushButton:disabled { color: @muted; border-color: @line; background: transparent; }
QPushButton[role="primary"] { background: @accent; color: @on_accent; border-color: @accent;
  font-weight: 600; }
QPushButton[role="primary"]:focus { border: @thick solid @text; }
QPushButton[role="primary"]:disabled { background: transparent; color: @muted; border-color: @line; }
QPushButton[role="danger"] { border: @thick solid @act; }
QPushButton[role="quiet"] { background: transparent; border-color: transparent; }
QPushButton[role="quiet"]:hover { background: @hover; }
QPushButton[role="quiet"]:checked { border: @thick solid @accent; }
QPushButton[role="quiet"]:focus { border: @thick solid @accent; }
QPushButton[role="choice"] { text-align: left; min-height: @target; }
QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox, QComboBox {
  background: @sunken; border: @thin solid @edge; border-radius: @radius; padding: 0 @gap_small;
  min-height: @target; selection-background-color: @accent; selection-color: @on_accent; }
QPlainTextEdit, QTextEdit { padding: @gap_small; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus,
QDoubleSpinBox:focus, QComboBox:focus {
  border: @thick solid @accent; }
QComboBox QAbstractItemView, QMenu { background: @panel; border: @thin solid @edge;
  selection-background-color: @accent; selection-color: @on_accent; }
QMenuBar { background: @ground; } QMenuBar::item:selected { background: @hover; }
QMenu::item { padding: @gap_small @gap_large; }
QMenu::item:selected { background: @accent; color: @on_accent; }
QMenu::item:disabled { color: @muted; }
QListView, QTreeView, QTableView { background: @sunken; border: @thin solid @line;
  border-radius: @radius; gridline-color: @line; selection-background-color: @accent;
  selection-color: @on_accent; }
QHeaderView::section { background: @panel; color: @muted; border: none; padding: @grid; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QCheckBox, QRadioButton { spacing: @gap_small; min-height: @target; background: transparent; }
QCheckBox:focus, QRadioButton:focus { color: @accent; }
QCheckBox:disabled, QRadioButton:disabled { color: @muted; }
QCheckBox::indicator, QRadioButton::indicator { width: @box; height: @box; background: @sunken;
  border: @thin solid @edge; border-radius: @grid; }
QRadioButton::indicator { border-radius: @ring; }
QCheckBox::indicator:hover, QRadioButton::indicator:hover { border-color: @text; }
QCheckBox::indicator:checked { background: @accent; border-color: @accent; image: url("@tick"); }
QRadioButton::indicator:checked { border-color: @accent; background: qradialgradient(cx: 0.5, cy: 0.5,
  radius: 0.5, fx: 0.5, fy: 0.5, stop: 0.55 @accent, stop: 0.65 @sunken); }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { border-color: @line; }
QCheckBox::indicator:checked:disabled { background: @muted; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; border: none; }
QAbstractSpinBox QLineEdit { border: none; padding: 0; min-height: 0; background: transparent; }
QScrollArea { background: transparent; border: none; }
QScrollArea > QWidget > QWidget { background: transparent; }
QScrollBar:vertical { background: transparent; width: @gap_small; margin: 0; }
QScrollBar:horizontal { background: transparent; height: @gap_small; margin: 0; }
QScrollBar::handle { background: @edge; border-radius: @grid; min-height: @gap_large; min-width: @gap_large; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QSplitter::handle { background: @line; }
QStatusBar { background: @panel; }
"""
