"""The strip under a curve says by colour and by height how usable its signal is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor

from emolab.gui import theme
from emolab.gui.review import usable_strip
from tests.gui.review_room import copy, under_review
from tests.review.test_usability import record

TALL = 6
RGB = {name: QColor(look.colour).getRgb()[:3] for name, look in theme.HEALTH.items()}


def painted(shares: list[float], from_s: float, to_s: float, wide: int) -> list[str]:
    """What each column says, by colour; its height must say the same."""
    pixels = np.zeros((TALL, wide, 4), np.uint8)
    usable_strip.paint(pixels, tuple(shares), from_s, to_s)
    found = []
    for column in pixels.transpose(1, 0, 2):
        name = next((name for name, rgb in RGB.items() if tuple(column[-1, 2::-1]) == rgb), "")
        tall = round(usable_strip.LEVELS[name] * TALL) if name else 0
        assert np.count_nonzero(column[:, 3]) == tall
        found.append(name)
    return found


def test_each_ten_seconds_have_their_level() -> None:
    told = painted([1.0, 0.6, 0.1], 0.0, 30.0, 6)
    assert told == ["well", "well", "look", "look", "act", "act"]


def test_nothing_is_said_before_the_beginning_and_after_the_end() -> None:
    assert painted([1.0, 0.1], -10.0, 40.0, 5) == ["", "well", "act", "", ""]
    assert painted([1.0], 100.0, 200.0, 3) == ["", "", ""]


@pytest.mark.parametrize("bad", [0, 7, 99])
def test_one_bad_stretch_of_a_long_session_is_seen(bad: int) -> None:
    shares = [1.0] * 100
    shares[bad] = 0.0
    told = painted(shares, 0.0, 1000.0, 10)
    assert told[bad // 10] == "act" and told.count("well") == 9


def test_close_up_ten_seconds_fill_the_strip() -> None:
    assert set(painted([1.0, 0.6, 1.0], 12.0, 13.0, 50)) == {"look"}


def test_words() -> None:
    assert usable_strip.words([1.0, 0.234], 15.0) == "■ act, 23% of these 10 s can be used"
    assert usable_strip.words([1.0], 10.0) == usable_strip.words([1.0], -0.1) == ""


def test_the_strip_lies_under_the_curve_and_tells_itself(qapp: object, tmp_path: Path) -> None:
    recorded = record(tmp_path / "made" / "P07_session-2.h5")
    with under_review(copy(recorded, tmp_path / "study")) as flow:
        chart = flow.window.chart
        assert flow.line.wait_judged()
        chart.refresh()
        image = chart.grab().toImage()
        ratio = image.devicePixelRatio()
        ear = [track.name for track in chart.tracks].index("board/ear")
        box = chart._lane(ear)

        def colour(time_s: float) -> tuple[int, ...]:
            x, y = chart.x_of(time_s) * ratio, (box.bottom() - 2) * ratio
            return tuple(image.pixelColor(round(x), round(y)).getRgb()[:3])

        assert colour(15.0) == RGB["well"] and colour(52.0) == RGB["act"]
        tip = chart.tip_at(QPointF(chart.x_of(52.0), box.center().y()))
        assert tip.startswith("board/ear: ■ act, ") and tip.endswith("of these 10 s can be used")
        assert chart.tip_at(QPointF(2.0, box.center().y())) == ""
