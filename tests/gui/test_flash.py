"""The flashing window: white when it was planned, stamped when it was painted, on the right screen."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from emolab.core.clock import SessionClock
from emolab.core.errors import ConfigError
from emolab.gui.flash import FlashWindow
from emolab.gui.screens import participant_screen


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[FlashWindow]:
    made = FlashWindow.open()
    qtbot.addWidget(made)
    yield made


def test_it_covers_the_participants_screen(window: FlashWindow) -> None:
    theirs = participant_screen()
    assert theirs is not None
    assert window.name == theirs.name and not window.sentence
    assert window.geometry() == theirs.geometry


def test_it_is_white_when_planned_and_says_when_that_was(window: FlashWindow) -> None:
    clock = SessionClock()
    colours = []

    def work() -> list[float]:
        now_s = clock.now_s()
        window.begin([(now_s + 0.1, now_s + 0.2), (now_s + 0.35, now_s + 0.4)], clock)
        while len(colours) < 4 and clock.now_s() < now_s + 30:
            time.sleep(0.01)
        return [now_s + 0.1, now_s + 0.35]

    repaint = window.repaint

    def watched() -> None:
        repaint()
        colours.append(window.grab().toImage().pixelColor(5, 5).name())

    window.repaint = watched  # type: ignore[method-assign]
    planned_s = window.during(work, lambda: None)
    painted_s = window.painted_s()
    assert colours == ["#ffffff", "#000000", "#ffffff", "#000000"]
    assert len(painted_s) == 2
    assert all(painted >= planned for planned, painted in zip(planned_s, painted_s, strict=True))


def test_closing_it_stops_the_test_which_then_ends_in_order(window: FlashWindow) -> None:
    stopped = threading.Event()

    def work() -> str:
        window._door.planned.emit(([], SessionClock()))
        assert stopped.wait(10)
        return "in order"

    window._door.planned.connect(lambda _: window.close())
    assert window.during(work, stopped.set) == "in order"


def test_what_fails_in_the_test_is_raised_where_it_was_asked_for(window: FlashWindow) -> None:
    def work() -> None:
        raise ConfigError("no such thing")

    with pytest.raises(ConfigError, match="no such thing"):
        window.during(work, lambda: None)


def test_a_screen_that_is_not_there_is_refused_with_those_that_are(qtbot: QtBot) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.*there are"):
        FlashWindow.open("nowhere")
