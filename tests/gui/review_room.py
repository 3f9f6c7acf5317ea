"""A short recording to review: two clips, both reported; the signals' truth is known."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from emolab.core.event import Event
from emolab.gui.review.flow import ReviewFlow
from emolab.gui.review.menus import menus
from emolab.recording.writer import SessionWriter
from tests.gui.windows import destroy
from tests.recording import made

SECONDS = 24
EVENTS = [
    Event(0.0, "session_started", data={"planned": 2}),
    Event(0.0, "step_started", data={"step": 2, "kind": "rest"}),
    Event(4.0, "step_ended", data={"step": 2, "kind": "rest"}),
    Event(4.5, "answer", data={"clip": None, "state": "neutral", "word": "calm", "response_s": 0.5}),
    Event(5.0, "clip_onset", 5.0, {"clip": "a-1", "state": "neutral", "fitted_s": 5.0}),
    Event(10.0, "clip_ended", data={"clip": "a-1", "how": "done"}),
    Event(
        12.0, "answer", data={"clip": "a-1", "state": "less_positive", "word": "thrill", "response_s": 1.5}
    ),
    Event(14.0, "clip_onset", 14.0, {"clip": "b-2", "state": "most_negative", "fitted_s": 14.0}),
    Event(19.0, "clip_ended", data={"clip": "b-2", "how": "done"}),
    Event(21.0, "answer", data={"clip": "b-2", "state": None, "response_s": None}),
]


def record(path: Path, more: Sequence[Event] = ()) -> Path:
    """Write it: a board, a camera whose pictures are numbered, a thermal camera and sound."""
    streams = (made.BOARD, made.CAMERA, made.THERMAL, made.MICROPHONE)
    writer = SessionWriter(path, made.HEADER)
    writer.open(streams)
    for info in streams:
        rate_hz = info.nominal_rate_hz or 0.0
        for second in range(SECONDS):
            writer.write(made.chunk(info, round(second * rate_hz), round(rate_hz), rate_hz))
    for event in sorted([*EVENTS, *more], key=lambda event: event.time_s):
        writer.mark(event)
    writer.close()
    return path


def copy(recorded: Path, folder: Path) -> Path:
    """A recording of one's own in a study folder."""
    path = folder / "P07" / recorded.name
    path.parent.mkdir(parents=True)
    shutil.copy(recorded, path)
    return path


@contextmanager
def under_review(path: Path, analyst: str = "anna") -> Iterator[ReviewFlow]:
    """The window on a recording, shown and ready."""
    flow = ReviewFlow(path, analyst, sound="no such output")
    flow.window.set_menus(menus(flow))
    flow.window.resize(1280, 800)
    flow.window.show()
    assert flow.line.wait()
    QApplication.processEvents()
    try:
        yield flow
    finally:
        flow.window.close()
        flow.close()
        destroy(flow.window)
        QApplication.processEvents()


def key(flow: ReviewFlow, *keys: Qt.Key | str, modifier: Qt.KeyboardModifier | None = None) -> None:
    """Press keys where the keyboard is."""
    for one in keys:
        target: QWidget = QApplication.focusWidget() or flow.window
        QTest.keyClick(target, one, modifier or Qt.KeyboardModifier.NoModifier)  # type: ignore[call-overload]
    QApplication.processEvents()


def click(widget: QWidget, place: QPointF) -> None:
    """Press and release the left button, with what that does to the keyboard's focus."""
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=QPoint(round(place.x()), round(place.y())))
    QApplication.processEvents()


def drag(widget: QWidget, start: QPointF, end: QPointF) -> None:
    """Press, move and release the left button."""
    places = [QPoint(round(p.x()), round(p.y())) for p in (start, (start + end) / 2, end)]
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, pos=places[0])
    for place in places[1:]:
        QTest.mouseMove(widget, place)
        QApplication.processEvents()
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=places[-1])
    QApplication.processEvents()


def until(comes_true: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Let the window work until something holds."""
    ends = time.monotonic() + timeout_s
    while not comes_true():
        assert time.monotonic() < ends, "it did not come true"
        QApplication.processEvents()
        time.sleep(0.005)


os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
