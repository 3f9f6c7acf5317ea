"""Nothing is cut off on the smallest screen the console must serve, 1366×768, in any state."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLabel, QLineEdit, QWidget

from emolab.core.settings import Settings
from emolab.gui import app as program
from emolab.gui import theme
from emolab.gui.console.memory import Memory
from emolab.gui.console.planning import PlanView
from emolab.gui.widgets.health_light import HealthLight
from emolab.gui.widgets.panel import Elided
from tests.gui import engine_states as states
from tests.gui.windows import destroy

WIDTH, HEIGHT = 1366, 768 - 32  # less the desktop's title bar
FRAME = 2  # a chosen or focused button draws its frame inwards
STATES = {**states.ALL, "long_names": states.long_names}
LONG_PLAN = PlanView(
    "EmoMusic",
    15,
    14,
    1200.0,
    (
        "15 clips planned (3 for each of 5 states), 14 guaranteed: 300 s rest + 30 s baseline + 15 × (30 "
        "s clip + 30 s report) = 1230 s > 1200 s cap, while 14 clips take at most 1170 s.",
    )
    * 3,
    ("en", "zh"),
    "en",
)


@pytest.fixture(scope="module")
def console(qapp, tmp_path_factory):
    theme.apply(qapp, "dark", 1.0)
    flow = program.open_console(Settings(), Memory(tmp_path_factory.mktemp("state") / "memory.json"))
    flow._has_seated = True
    flow.window.setFixedSize(WIDTH, HEIGHT)
    flow.window.show()
    yield flow.window
    flow.window.leave()
    destroy(flow.window)


def cut_off(window: QWidget) -> list[str]:
    """Words that have less room than they need."""
    found = []
    for widget in window.findChildren(QWidget):
        if not widget.isVisible() or isinstance(widget, Elided):
            continue
        if isinstance(widget, QLabel) and widget.text():
            if widget.wordWrap():
                is_short = widget.heightForWidth(widget.width()) > widget.height()
            else:
                need, have = widget.sizeHint(), widget.size()
                is_short = need.width() > have.width() or need.height() > have.height()
            if is_short:
                found.append(f"label {widget.text()!r}: {widget.sizeHint()} in {widget.size()}")
        elif isinstance(widget, QAbstractButton | HealthLight):
            need, have = widget.minimumSizeHint().expandedTo(widget.sizeHint()), widget.size()
            if need.width() > have.width() + FRAME or need.height() > have.height() + FRAME:
                found.append(f"{type(widget).__name__} {widget.accessibleName()}: {need} in {have}")
    return found


def wait_until_whole(qtbot, window: QWidget) -> None:
    """Wait until all has its place and nothing is cut off."""

    def is_whole() -> None:
        assert cut_off(window) == []

    qtbot.wait(20)
    qtbot.waitUntil(is_whole)


@pytest.mark.parametrize("name", ["dark", "light"])
@pytest.mark.parametrize("state", STATES)
def test_no_text_is_cut_off(console, qapp, qtbot, state, name):
    theme.apply(qapp, name, 1.0)
    if state in ("setup", "one_red", "loading"):
        console.setup.protocol.show_plan(LONG_PLAN)
        console.setup.participant.pseudonym.setText("Anna Meyer")
        console.setup.instruments.show_devices(states.LONG_PATH)
    console.show_snapshot(STATES[state]())
    wait_until_whole(qtbot, console)
    assert console.minimumSizeHint().width() <= WIDTH
    assert console.minimumSizeHint().height() <= HEIGHT
    theme.apply(qapp, "dark", 1.0)


def test_no_text_is_cut_off_on_the_start_page(console, qtbot):
    console.start.show_recent(states.LONG_PATH)
    console.start.show_running(states.LONG_PATH, states.long_names())
    console.show_page("start")
    wait_until_whole(qtbot, console)


def test_no_text_is_cut_off_when_the_engine_is_lost(console, qtbot):
    console.show_loss("the other end has gone", states.long_names())
    wait_until_whole(qtbot, console)


@pytest.mark.parametrize("page", ["start", "setup", "run", "finish", "lost"])
def test_every_control_has_a_name_for_the_ear_and_a_place_in_the_tab_order(console, page):
    console.show_page(page)
    for widget in getattr(console, page).findChildren(QWidget):
        if isinstance(widget, QAbstractButton | QLineEdit | QComboBox | QAbstractSpinBox):
            if widget.objectName() == "qt_tableview_cornerbutton":
                continue
            spoken = QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)
            hidden_for_now = not widget.isVisibleTo(getattr(console, page))
            assert spoken or hidden_for_now, f"{type(widget).__name__} on {page} has no name"
            assert widget.focusPolicy().value, f"{spoken} cannot be reached by keyboard"
