"""How every figure looks: paper sizes, two looks, five states that nobody confuses, files that repeat.

Colours are those of the windows (Okabe and Ito for signals, ColorBrewer's PuOr for the five states), and none
stands alone: each state has a mark, a pattern and its words. The font comes with matplotlib, so that a
figure is the same on every machine; on paper nothing is smaller than 6.5 pt.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emolab.core.errors import DataError
from emolab.core.label import STATE_KEYS

COLUMN_IN = 3.5  # one of two columns of a journal's page (IEEE)
PAGE_IN = 7.16  # both
DPI = 300
TEXT_PT = 8.0
SMALL_PT = 7.0
LEAST_PT = 6.5


@dataclass(frozen=True)
class Look:
    """The greys of a look, as #RRGGBB; `panel` lies behind data."""

    name: str
    ground: str
    panel: str
    line: str
    text: str
    muted: str
    accent: str


LIGHT = Look("light", "#FFFFFF", "#FFFFFF", "#D3D7DD", "#1B1E23", "#565E69", "#0072B2")
DARK = Look("dark", "#15181D", "#101317", "#343B45", "#E6E8EB", "#A4ADB8", "#56B4E9")
LOOKS = {look.name: look for look in (LIGHT, DARK)}


@dataclass(frozen=True)
class StateLook:
    """A state as it is drawn: `hatch` tells negative from positive where there is no colour."""

    words: str
    colour: str
    marker: str
    hatch: str


STATE_LOOKS: Mapping[str, StateLook] = {
    "most_negative": StateLook("most negative", "#5E3C99", "v", "//////"),
    "less_negative": StateLook("less negative", "#B2ABD2", "<", "//////"),
    "neutral": StateLook("neutral", "#9AA0A6", "o", ""),
    "less_positive": StateLook("less positive", "#FDB863", ">", ""),
    "most_positive": StateLook("most positive", "#E66101", "^", ""),
}
MISSING_LOOK = StateLook("no report", "none", "x", "")

SIGNAL_COLOURS: Mapping[str, str] = {
    "eda": "#0072B2", "ppg": "#D55E00", "respiration": "#009E73", "thermal": "#CC79A7", "audio": "#56B4E9",
}  # fmt: skip

LEVELS: Mapping[str, str] = {"well": "#009E73", "look": "#E69F00", "act": "#D55E00"}  # how usable a signal is


@dataclass(frozen=True)
class Drawing:
    """A figure, its caption for print, and its words for who cannot see it.

    `caption`: what is drawn, and what could not be. `alt`: one sentence with the numbers.
    """

    figure: Figure
    caption: str
    alt: str
    look: Look = LIGHT

    def save(self, path: Path, dpi: int = DPI) -> Path:
        """Write PNG, SVG or PDF, by the name's end; the same figure gives the same bytes."""
        path.write_bytes(self.data(path.suffix.removeprefix("."), dpi))
        return path

    def data(self, form: str, dpi: int = DPI) -> bytes:
        """The figure as `png`, `svg` or `pdf`."""
        facts: dict[str, dict[str, str | None]] = {
            "svg": {"Date": None, "Creator": "emolab", "Title": self.alt},
            "pdf": {"CreationDate": None, "Creator": "emolab", "Producer": None, "Title": self.alt},
            "png": {"Software": "emolab", "Description": self.alt},
        }
        if form not in facts:
            raise DataError(f"a figure can be png, svg or pdf, not {form!r}")
        made = io.BytesIO()
        with styled(self.look):  # matplotlib makes some of the texts only when it draws
            self.figure.savefig(made, format=form, dpi=dpi, metadata=facts[form])
        return made.getvalue()


_ONE_AT_A_TIME = RLock()  # matplotlib's settings are one for all threads


@contextmanager
def styled(look: Look) -> Iterator[None]:
    """Within it axes and texts are made in this look, whatever the user's own matplotlib settings are."""
    with _ONE_AT_A_TIME, mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": SMALL_PT,
                "axes.titlesize": TEXT_PT, "axes.titleweight": "bold", "axes.titlelocation": "left",
                "axes.labelsize": TEXT_PT, "axes.labelcolor": look.text, "axes.titlecolor": look.text,
                "axes.linewidth": 0.6, "axes.edgecolor": look.muted, "axes.facecolor": look.panel,
                "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
                "axes.unicode_minus": True, "text.color": look.text,
                "xtick.color": look.muted, "ytick.color": look.muted, "xtick.labelcolor": look.text,
                "ytick.labelcolor": look.text, "xtick.major.width": 0.6, "ytick.major.width": 0.6,
                "xtick.major.size": 2.5, "ytick.major.size": 2.5, "hatch.linewidth": 0.5,
                "figure.facecolor": look.ground, "savefig.facecolor": "auto", "grid.color": look.line,
                "grid.linewidth": 0.5, "legend.frameon": False, "legend.fontsize": SMALL_PT,
                "svg.hashsalt": "emolab", "svg.fonttype": "path", "pdf.fonttype": 42,
                "legend.handlelength": 1.2, "legend.columnspacing": 1.2, "legend.handletextpad": 0.4,
            }
        )  # fmt: skip
        yield


def place(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at this place of the figure, in inches from its lower left; within `styled`.

    Their ticks keep the look in a window, too, where they are made when somebody zooms.
    """
    wide, high = figure.get_size_inches()
    axes = figure.add_axes((left / wide, bottom / high, width / wide, height / high))
    colours = {"color": mpl.rcParams["xtick.color"], "labelcolor": mpl.rcParams["xtick.labelcolor"]}
    axes.tick_params(labelsize=SMALL_PT, width=0.6, length=2.5, **colours)
    return axes


def contrasting(colour: str) -> str:
    """Black or white, whichever reads better on this colour."""
    red, green, blue = mpl.colors.to_rgb(colour)
    light = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
    return "#1B1E23" if light > 0.18 else "#FFFFFF"


def number(value: float) -> str:
    """A figure for words: three digits, a real minus, no nought with a sign."""
    told = f"{value:.3g}"
    if 1000 <= abs(float(told)) < 1e7:  # as it is rounded: 999.9 is no 1e+03
        told = f"{value:,.0f}"
    return told.replace("-", "−") if float(told.replace(",", "")) else "0"


def p_words(p: float) -> str:
    """0.003, < 0.001, or a dash."""
    if not 0 <= p <= 1:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def check_states(keys: Iterable[object]) -> None:
    """Raise `DataError` for what is no state."""
    strange = sorted({str(key) for key in keys} - set(STATE_KEYS))
    if strange:
        raise DataError(f"{strange[0]!r} is no state; the states are {', '.join(STATE_KEYS)}")
