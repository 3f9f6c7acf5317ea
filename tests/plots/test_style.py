"""One look for all figures: legible, the same colours as the windows, the same bytes each time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from emolab.core.errors import DataError
from emolab.core.label import STATE_KEYS
from emolab.plots.changes import changes
from emolab.plots.style import (
    LOOKS,
    SIGNAL_COLOURS,
    STATE_LOOKS,
    Drawing,
    contrasting,
    number,
    p_words,
    styled,
)
from tests.plots.studies import FEATURES, check, study


def luminance(colour: str) -> float:
    """Of WCAG 2."""
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in mpl.colors.to_rgb(colour)
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def drawn(look: str = "light") -> Drawing:
    return changes(study(6), dict(list(FEATURES.items())[:1]), look=LOOKS[look])


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_texts_stand_out_from_what_they_lie_on(look: object) -> None:
    for text in (look.text, look.muted):  # type: ignore[attr-defined]
        for ground in (look.ground, look.panel):  # type: ignore[attr-defined]
            assert contrast(text, ground) >= 4.5


@pytest.mark.parametrize("key", STATE_KEYS)
def test_counts_can_be_read_on_every_state(key: str) -> None:
    colour = STATE_LOOKS[key].colour
    assert contrast(contrasting(colour), colour) >= 4.5


def test_states_differ_in_more_than_colour() -> None:
    assert list(STATE_LOOKS) == list(STATE_KEYS)
    assert len({one.marker for one in STATE_LOOKS.values()}) == 5
    assert all(bool(STATE_LOOKS[key].hatch) == key.endswith("negative") for key in STATE_KEYS)


def test_colours_are_those_of_the_windows() -> None:
    from emolab.gui.theme import SIGNAL_COLOURS as OF_WINDOWS
    from emolab.gui.theme import VALENCE_COLOURS

    assert {key: one.colour for key, one in STATE_LOOKS.items()} == VALENCE_COLOURS
    assert SIGNAL_COLOURS.items() <= OF_WINDOWS.items()


@pytest.mark.parametrize(("x", "words"), [(0.5, "lies on"), (-0.5, "leaves the paper")])
def test_what_is_checked_of_every_figure_can_fail(x: float, words: str) -> None:
    figure = Figure((2, 1))
    figure.text(0.5, 0.5, "here")
    figure.text(x, 0.5, "and here")
    with pytest.raises(AssertionError, match=words):
        check(Drawing(figure, "A caption.", "Words."))


@pytest.mark.parametrize("form", ["svg", "pdf", "png"])
def test_same_table_same_bytes(form: str) -> None:
    assert drawn().data(form, 60) == drawn().data(form, 60)


def test_svg_knows_no_date_and_tells_what_it_shows() -> None:
    text = drawn().data("svg").decode()
    assert "dc:date" not in text and "median by reported state" in text


def test_png_of_a_column_has_300_dots_to_the_inch(tmp_path: Path) -> None:
    data = drawn().save(tmp_path / "one.png").read_bytes()
    width = int.from_bytes(data[16:20], "big")
    assert width == 1050  # 3.5 inches


def test_form_that_nobody_writes_is_told() -> None:
    with pytest.raises(DataError, match="png, svg or pdf, not 'bmp'"):
        drawn().data("bmp")


def test_the_users_own_matplotlib_settings_change_nothing_and_stay() -> None:
    usual = drawn().data("svg")
    with mpl.rc_context({"font.size": 30, "axes.grid": True, "svg.fonttype": "none"}):
        assert drawn().data("svg") == usual
        assert mpl.rcParams["font.size"] == 30
    with styled(LOOKS["dark"]):
        assert mpl.rcParams["text.color"] == LOOKS["dark"].text


def test_figures_made_in_threads_keep_each_its_look() -> None:
    looks = ["light", "dark"] * 3
    alone = {look: drawn(look).data("svg") for look in LOOKS}
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda look: drawn(look).data("svg"), looks))
    assert made == [alone[look] for look in looks]


def test_no_figure_is_left_with_pyplot() -> None:
    assert isinstance(drawn().figure, Figure)
    source = Path(__file__).parents[2] / "emolab" / "plots"
    sources = {path.name: path.read_text() for path in source.glob("*.py")}
    assert len(sources) >= 7
    assert not [
        name for name, text in sources.items() if "import pyplot" in text or "matplotlib.pyplot" in text
    ]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (-0.5, "−0.5"),
        (1234.6, "1,235"),
        (-12345.6, "−12,346"),
        (0.00012345, "0.000123"),
        (999.4, "999"),
        (999.6, "1,000"),
        (-999.9, "−1,000"),
        (2e7, "2e+07"),
        (-0.0, "0"),
    ],
)
def test_numbers_in_words(value: float, words: str) -> None:
    assert number(value) == words


def test_p_in_words() -> None:
    assert [p_words(p) for p in (0.0004, 0.0123, 1, float("nan"))] == ["< 0.001", "0.012", "1.000", "–"]
