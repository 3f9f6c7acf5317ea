"""The small widgets: what they show, in shape and word, and what they emit."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from emolab.core.ring import FrameSlot
from emolab.gui.widgets.chooser import Chooser
from emolab.gui.widgets.frame_view import FrameView
from emolab.gui.widgets.health_light import HealthLight
from emolab.gui.widgets.hold_button import HoldButton
from emolab.gui.widgets.step_strip import StepStrip
from emolab.gui.widgets.time_bar import TimeBar
from emolab.session.snapshot import StepView


def shown(qtbot, widget, width=200, height=40):
    qtbot.addWidget(widget)
    widget.resize(width, height)
    widget.show()
    return widget


def spoken(widget) -> str:
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)


@pytest.mark.parametrize("level", ["well", "look", "act"])
def test_light_says_its_level_in_a_word_to_the_eye_and_the_ear(qtbot, dressed, level):
    light = shown(qtbot, HealthLight("board"))
    light.set_level(level, "Check the USB cable.")
    assert light.word == level
    assert spoken(light) == f"board: {level}"
    assert light.toolTip() == "Check the USB cable."


def test_lights_of_the_three_levels_differ_in_shape(qtbot, dressed):
    light = shown(qtbot, HealthLight("board", shows_word=False), 18, 18)
    covered = set()
    for level in ("well", "look", "act"):
        light.set_level(level)
        image = light.grab().toImage()
        ground = image.pixel(0, 0)
        covered.add(sum(image.pixel(x, y) != ground for x in range(18) for y in range(18)))
    assert len(covered) == 3


def test_bar_is_the_share_of_time_left(qtbot, dressed):
    bar = shown(qtbot, TimeBar())
    bar.set_span(100.0, 130.0)
    for now_s, left in ((100.0, 1.0), (115.0, 0.5), (130.0, 0.0), (140.0, 0.0)):
        bar.set_now(now_s)
        assert bar.left == pytest.approx(left, abs=0.01)


def test_bar_is_not_drawn_for_a_step_that_waits(qtbot, dressed):
    bar = shown(qtbot, TimeBar(colour="#FFFFFF"))
    bar.set_span(100.0, None)
    bar.set_now(110.0)
    image = bar.grab().toImage()
    assert image.pixel(1, 20) == image.pixel(150, 20)


STEPS = (
    StepView(0, "rest", "rest", "done", 0.0, 300.0),
    StepView(1, "play", "clip 1", "now", 300.0, 30.0, trial=1, title="Slow sea"),
    StepView(2, "rate", "report 1", "waiting", 330.0, 30.0, trial=1),
    StepView(3, "play", "clip 2", "skipped", 360.0, 30.0, trial=2),
)


def test_strip_has_a_cell_for_each_step_in_order(qtbot, dressed):
    strip = shown(qtbot, StepStrip(), 600)
    strip.set_steps(STEPS)
    cells = strip.cells()
    assert [step.index for step, _ in cells] == [0, 1, 2, 3]
    assert all(a.right() <= b.left() for (_, a), (_, b) in pairwise(cells))
    assert cells[-1][1].right() == pytest.approx(600, abs=1)
    assert strip.accessibleDescription() == "step 2 of 4: clip 1"


def test_cells_of_each_status_look_different(qtbot, dressed):
    strip = shown(qtbot, StepStrip(), 600)
    pictures = set()
    for status in ("waiting", "now", "done", "skipped"):
        strip.set_steps((StepView(0, "play", "a clip", status, 0.0, 30.0),))
        pictures.add(bytes(strip.grab().toImage().constBits()))
    assert len(pictures) == 4


def test_held_button_confirms_and_a_short_press_does_not(qtbot, dressed):
    button = shown(qtbot, HoldButton("Stop", hold_s=0.15))
    with qtbot.assertNotEmitted(button.confirmed, wait=250):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        qtbot.keyClick(button, Qt.Key.Key_Return)
    with qtbot.waitSignal(button.confirmed):
        qtbot.mousePress(button, Qt.MouseButton.LeftButton)
    qtbot.mouseRelease(button, Qt.MouseButton.LeftButton)


def test_key_whose_release_goes_to_another_window_holds_no_longer(qtbot, dressed):
    window, other = shown(qtbot, QWidget(), 300, 100), shown(qtbot, QWidget())
    button = HoldButton("Stop", hold_s=0.4, parent=window)
    button.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    button.press_and_hold()
    with qtbot.assertNotEmitted(button.confirmed, wait=700):
        other.activateWindow()
        qtbot.waitUntil(other.isActiveWindow)
        window.activateWindow()  # back at once: the key was released meanwhile all the same
    other.activateWindow()
    qtbot.waitUntil(other.isActiveWindow)
    with qtbot.assertNotEmitted(button.confirmed, wait=700):
        button.press_and_hold()  # an input method may pass a key on late, when the window has lost it


def test_mouse_holds_the_button_whichever_window_is_active(qtbot, dressed):
    window, other = shown(qtbot, QWidget(), 300, 100), shown(qtbot, QWidget())
    button = HoldButton("Stop", hold_s=0.4, parent=window)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # else Qt itself lets go of it
    button.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    with qtbot.waitSignal(button.confirmed):
        qtbot.mousePress(button, Qt.MouseButton.LeftButton)
        other.activateWindow()
    qtbot.mouseRelease(button, Qt.MouseButton.LeftButton)


def test_key_released_while_the_window_stood_still_was_not_held(qtbot, dressed):
    button = shown(qtbot, HoldButton("Stop", hold_s=0.3))
    button.activateWindow()
    qtbot.waitUntil(button.isActiveWindow)
    with qtbot.assertNotEmitted(button.confirmed, wait=400):
        qtbot.keyPress(button, Qt.Key.Key_Space)
        time.sleep(0.5)
        QApplication.processEvents()  # its timer comes before what the keyboard has told meanwhile
        qtbot.keyRelease(button, Qt.Key.Key_Space)


def test_button_is_held_by_key_too_and_only_once(qtbot, dressed):
    button = shown(qtbot, HoldButton("Stop", hold_s=0.05))
    confirmed = []
    button.confirmed.connect(lambda: confirmed.append(1))
    button.activateWindow()
    qtbot.waitUntil(button.isActiveWindow)
    qtbot.keyPress(button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: confirmed == [1])
    qtbot.wait(100)
    assert confirmed == [1]
    qtbot.keyRelease(button, Qt.Key.Key_Space)


def test_thermal_picture_tells_the_temperature_in_its_middle(qtbot, dressed, tmp_path):
    slot = FrameSlot.create(tmp_path / "thermal", (120, 160), "uint16", scale=0.01, offset=-273.15)
    celsius = np.full((120, 160), 22.0)
    celsius[40:80, 60:100] = 34.1
    slot.write(1.0, np.rint((celsius + 273.15) * 100).astype(np.uint16))
    view = shown(qtbot, FrameView(lambda: slot, "thermal"), 160, 120)
    assert view.reading == ""
    view.refresh()
    assert view.reading == "34.1 °C"
    picture = view.grab().toImage()
    assert picture.pixelColor(70, 50).lightness() > picture.pixelColor(10, 50).lightness() + 80


def test_picture_shows_the_newest_frame_in_its_own_colours(qtbot, dressed, tmp_path):
    slot = FrameSlot.create(tmp_path / "camera", (30, 40, 3))
    view = shown(qtbot, FrameView(lambda: slot, "camera"), 400, 300)
    view.refresh()
    assert view.time_s < 0
    for time_s, colour in ((1.0, (200, 40, 10)), (2.0, (10, 40, 200))):
        slot.write(time_s, np.full((30, 40, 3), colour, np.uint8))
        view.refresh()
        assert view.time_s == time_s
        assert view.grab().toImage().pixelColor(200, 150).getRgb()[:3] == colour


def test_wheel_over_a_chooser_scrolls_the_page_and_chooses_nothing(qtbot, dressed):
    chooser = Chooser("Protocol")
    chooser.addItems(["emomusic", "quick"])
    shown(qtbot, chooser)
    turned = QWheelEvent(
        QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(chooser, turned)
    assert chooser.currentText() == "emomusic" and not turned.isAccepted()
