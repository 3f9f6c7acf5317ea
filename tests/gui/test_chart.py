"""The lanes of the review's chart: as many as there is room for, and the curves in them seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtWidgets import QApplication

from emolab.gui import theme
from emolab.gui.review.chart import LEFT_PX, LOW_PX, Chart
from emolab.gui.review.heat_strip import Heat
from emolab.gui.review.ruler import RULER_PX
from emolab.gui.review.span import Span
from emolab.review.curves import Track
from emolab.signals.pyramid import Pyramid, View
from tests.gui.windows import destroy

TIMES_S = np.arange(0, 60, 0.01)
HEATS = (Heat(10.0, 40.0, (0.0, 0.5, 1.0)),)


class Line:
    """All of a `Timeline` that the chart asks for: the same wave in every track."""

    def __init__(self, kinds: list[str]) -> None:
        self.problems: dict[str, str] = {}
        self.tracks = [Track(f"cap/{at}", "cap", at, kind, "uV") for at, kind in enumerate(kinds)]
        self._pyramid = Pyramid(TIMES_S, np.sin(TIMES_S).astype(np.float32))

    def view(self, track: str, from_s: float, to_s: float, pixels: int) -> View:
        return self._pyramid.view(from_s, to_s, pixels)

    def value_at(self, track: str, time_s: float) -> float:
        return 1.0

    def is_ready(self, track: str) -> bool:
        return True

    def usable(self, track: str) -> tuple[float, ...]:
        return (1.0,) * 6

    def why_not_judged(self, track: str) -> str:
        return ""


@contextmanager
def charted(kinds: list[str], height: int) -> Iterator[Chart]:
    theme.apply(QApplication.instance(), "dark")  # type: ignore[arg-type]
    chart = Chart(Line(kinds), Span(0.0, 60.0))  # type: ignore[arg-type]
    chart.resize(800, height)
    chart.show()
    try:
        yield chart
    finally:
        destroy(chart)


def turn(chart: Chart, x: float, notches: int) -> None:
    """Turn the wheel at a place."""
    at, none = QPointF(x, 30), Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        at, chart.mapToGlobal(at), QPoint(), QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton, none, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(chart, event)


def names(chart: Chart) -> list[str]:
    return [track.name for track in chart.tracks]


def test_of_a_cap_of_64_channels_so_many_are_shown_as_can_be_told_apart(qapp: object) -> None:
    """Each had a lane of two pixels, and painting it ended in an IndexError, again and again."""
    height = RULER_PX + 6 * LOW_PX + 5
    with charted(["eeg"] * 64, height) as chart:
        chart.grab()
        assert names(chart) == [f"cap/{at}" for at in range(6)]
        assert min(chart._lane(at).height() for at in range(6)) >= LOW_PX
        turn(chart, LEFT_PX / 2, -1)
        assert names(chart)[0] == "cap/1"
        turn(chart, LEFT_PX / 2, -200)
        assert names(chart) == [f"cap/{at}" for at in range(58, 64)]
        turn(chart, LEFT_PX / 2, 2)
        chart.resize(800, RULER_PX + 64 * LOW_PX)
        QApplication.processEvents()
        assert names(chart) == [f"cap/{at}" for at in range(64)]


def test_where_all_have_room_the_wheel_zooms_over_the_names_too(qapp: object) -> None:
    with charted(["eeg"] * 3, 200) as chart:
        turn(chart, LEFT_PX / 2, 1)
        assert len(chart.tracks) == 3
        assert chart.time_at(chart.width()) < 60.0


def test_a_chart_of_no_height_is_painted(qapp: object) -> None:
    for height in range(1, 60, 3):
        with charted(["eda", "respiration"], height) as chart:
            chart.show_heats(HEATS, "rtcag")
            chart.grab()


@pytest.mark.parametrize("height", [RULER_PX + 112, 400])
def test_the_curve_a_network_looked_at_is_taller_than_the_others(qapp: object, height: int) -> None:
    """At 1366x768 its strips left it three pixels: what was judged could not be seen."""

    def tall(chart: Chart, at: int) -> int:
        """Over how many rows the curve goes."""
        image = chart.grab().toImage()
        ratio, lane = image.devicePixelRatio(), chart._lane(at)
        colour = QColor(theme.signal_colour(chart.tracks[at].kind)).rgb()
        rows = [
            y
            for y in range(round(lane.top() * ratio), round(lane.bottom() * ratio))
            if any(image.pixel(x, y) == colour for x in range(round(LEFT_PX * ratio), image.width()))
        ]
        return len(rows)

    with charted(["eda", "respiration", "ppg", "ppg", "audio"], height) as chart:
        before = tall(chart, 0)
        chart.show_heats(HEATS, "rtcag")
        assert tall(chart, 0) >= 1.5 * tall(chart, 1)
        assert tall(chart, 0) >= before
        bottoms = [chart._lane(at).bottom() for at in range(5)]
        assert bottoms[-1] == chart.height() - RULER_PX
        assert [chart._lane(at).top() for at in range(1, 5)] == bottoms[:-1]
