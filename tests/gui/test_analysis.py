"""The analysis window: a study analysed by a click, looked at, touched, saved, stopped."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton, QToolTip, QWidget

from emolab.analysis import folder, kept
from emolab.gui import theme
from emolab.gui.analysis.figure_view import Canvas
from emolab.gui.analysis.flow import AnalysisFlow
from emolab.gui.analysis.section_view import SectionView
from emolab.gui.widgets.fact_table import FactTable
from emolab.gui.widgets.panel import Panel
from emolab.recording import label_ledger
from emolab.session.rehearsal import Order, devices_text, rehearse
from emolab.study.sessions import session_path
from tests.gui.review_room import drag, until
from tests.gui.windows import destroy

CTRL = Qt.KeyboardModifier.ControlModifier


@contextlib.contextmanager
def shown(place: Path, out: Path, waits: bool = True) -> Iterator[AnalysisFlow]:
    """The window on a study or recording; ready, unless it is to be left at once."""
    flow = AnalysisFlow(place, out)
    flow.window.resize(1366, 740)
    flow.window.show()
    try:
        if waits:
            until(lambda: flow.window.bar.isHidden())
        yield flow
    finally:
        flow.window.close()
        flow.close()
        destroy(flow.window)
        QApplication.processEvents()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two participants with a board."""
    made = tmp_path_factory.mktemp("analysis") / "study"
    rehearse(Order(made, 2, seed=5, devices_text=devices_text(("board",))), jobs=1)
    return made


@dataclass
class Clicked:
    """What was seen of an analysis from its click to its end."""

    out: Path
    percents: list[int] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    could_stop: bool = False
    titles: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def clicked(qapp: QApplication, study: Path, tmp_path_factory: pytest.TempPathFactory) -> Clicked:
    theme.apply(qapp, "dark", 1.0)
    told = Clicked(tmp_path_factory.mktemp("out") / "analysis")
    with shown(study, told.out) as flow:
        window = flow.window
        flow.analyser.progressed.connect(lambda percent, _: told.percents.append(percent))
        flow.analyser.progressed.connect(lambda _, words: told.words.append(words))
        flow.analyser.ended.connect(told.notices.append)
        QTest.mouseClick(window.go_button, Qt.MouseButton.LeftButton)
        told.could_stop = window.stop_button.isVisible() and not window.go_button.isVisible()
        until(lambda: not flow.analyser.is_running, 200)
        until(lambda: window.bar.isHidden())
        assert window.page is not None, (told.notices, _words(flow))
        told.titles = [window.sections.item(row).text() for row in range(window.sections.count())]
        assert window.go_button.isVisible() and not window.stop_button.isVisible()
    return told


@pytest.fixture(scope="module")
def seen(study: Path, clicked: Clicked) -> Iterator[AnalysisFlow]:
    """The window on what was analysed; tests leave no mark on it."""
    with shown(study, clicked.out) as flow:
        yield flow


def section(flow: AnalysisFlow, title: str) -> SectionView:
    sections = flow.window.sections
    (item,) = sections.findItems(title, Qt.MatchFlag.MatchExactly)
    sections.setCurrentItem(item)
    view = flow.window.pages.currentWidget()
    assert isinstance(view, SectionView)
    view.verticalScrollBar().setValue(0)
    until(lambda: all(one.canvas.width() > 400 for one in view.figures))
    QApplication.processEvents()
    return view


def wheel(widget: QWidget) -> None:
    middle = QPointF(widget.rect().center())
    at = widget.mapToGlobal(middle)
    none, button = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.NoButton
    turned: QWidget | None = widget
    while turned is not None:  # what is not taken goes to the parent, as Qt does with a real wheel
        phase = Qt.ScrollPhase.NoScrollPhase
        event = QWheelEvent(
            turned.mapFromGlobal(at), at, QPoint(), QPoint(0, -120), button, none, phase, False
        )
        is_taken = QApplication.sendEvent(turned, event) and event.isAccepted()
        turned = None if is_taken else turned.parentWidget()
    QApplication.processEvents()


def hover(canvas: Canvas, at: QPointF) -> None:
    none, button = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.NoButton
    event = QMouseEvent(QEvent.Type.MouseMove, at, canvas.mapToGlobal(at), button, button, none)
    QApplication.sendEvent(canvas, event)


def a_point(canvas: Canvas) -> tuple[QPointF, str]:
    """Where a clip's point lies on the widget, and what it ought to tell."""
    for axes in canvas.figure.axes:
        for points in axes.collections:
            if hasattr(points, "tips"):
                x, y = points.get_offset_transform().transform(points.get_offsets())[0]
                ratio = canvas.device_pixel_ratio
                hit, which = points.contains(_event_at(canvas, x, y))
                assert hit
                return QPointF(x / ratio, canvas.height() - y / ratio), str(points.tips[which["ind"][0]])
    raise AssertionError("no point tells whose it is")


def _event_at(canvas: Canvas, x: float, y: float):  # type: ignore[no-untyped-def]
    from matplotlib.backend_bases import MouseEvent

    return MouseEvent("motion_notify_event", canvas, x, y)


def test_nothing_analysed_yet_says_what_there_is(qapp: QApplication, study: Path, tmp_path: Path) -> None:
    with shown(study, tmp_path / "out") as flow:
        words = _words(flow)
        assert words.startswith("2 sessions of 2 participants.") and "Recordings are only read." in words
        assert flow.window.go_button.isEnabled()
        assert not flow.window.report_button.isEnabled() and not flow.window.folder_button.isEnabled()
        assert not flow.window.sections.isVisible()
    assert not (tmp_path / "out").exists()  # looking writes nothing


def test_a_click_analyses_and_tells_how_far_it_is(clicked: Clicked) -> None:
    assert clicked.could_stop
    assert clicked.percents == sorted(clicked.percents)
    assert clicked.percents[0] == 0 and clicked.percents[-1] > 80
    assert clicked.words[0] == "starting" and any(words.startswith("drawing") for words in clicked.words)
    assert clicked.notices == [""]
    assert (clicked.out / "report.html").is_file()
    assert clicked.titles[0] == "What was found" and "Changes from the rest" in clicked.titles


def test_what_was_analysed_is_there_when_the_window_opens_again(seen: AnalysisFlow, clicked: Clicked) -> None:
    sections = seen.window.sections
    assert [sections.item(row).text() for row in range(sections.count())] == clicked.titles
    assert "2 participants" in seen.window.facts.text()
    assert seen.window.report_button.isEnabled() and seen.window.folder_button.isEnabled()


def test_figures_are_as_high_as_their_width_asks_for(seen: AnalysisFlow) -> None:
    for title in ("What was reported", "Changes from the rest"):
        view = section(seen, title)
        assert view.figures
        for one in view.figures:
            wide, high = one.canvas.figure.get_size_inches()
            assert one.canvas.height() == pytest.approx(one.canvas.width() * high / wide, abs=1.5)
            assert one.height() >= one.canvas.height() + one.save_button.height()
        assert view.horizontalScrollBar().maximum() == 0


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_a_figure_fills_its_widget_on_every_kind_of_screen(
    seen: AnalysisFlow, monkeypatch: pytest.MonkeyPatch, ratio: float
) -> None:
    view = section(seen, "Changes from the rest")
    canvas = view.figures[0].canvas
    inches = tuple(canvas.figure.get_size_inches())
    handle = seen.window.windowHandle()
    with monkeypatch.context() as other_screen:
        other_screen.setattr(Canvas, "devicePixelRatioF", lambda _: ratio)
        QApplication.sendEvent(handle, QEvent(QEvent.Type.DevicePixelRatioChange))
        assert canvas.device_pixel_ratio == ratio
        box = canvas.figure.bbox
        assert box.width == pytest.approx(canvas.width() * ratio, abs=1)
        assert box.height == pytest.approx(canvas.height() * ratio, abs=2)
        assert tuple(canvas.figure.get_size_inches()) == pytest.approx(
            inches, abs=0.02
        )  # texts keep their share
        canvas.draw()
        at, told = a_point(canvas)
        hover(canvas, at)
        assert QToolTip.text() == told
    QApplication.sendEvent(handle, QEvent(QEvent.Type.DevicePixelRatioChange))


def test_the_pointer_tells_participant_clip_and_value(seen: AnalysisFlow) -> None:
    canvas = section(seen, "Changes from the rest").figures[0].canvas
    canvas.draw()
    at, told = a_point(canvas)
    hover(canvas, at)
    participant, clip, value = QToolTip.text().splitlines()
    assert QToolTip.text() == told
    assert participant in ("P001", "P002") and clip and any(sign.isdigit() for sign in value)
    hover(canvas, QPointF(2, 2))
    until(lambda: not QToolTip.isVisible())


def test_a_drawn_box_is_zoomed_into_and_whole_goes_back(seen: AnalysisFlow) -> None:
    view = section(seen, "Changes from the rest").figures[0]
    view.canvas.draw()
    axes = view.canvas.figure.axes[0]
    before = axes.get_ylim()
    QTest.mouseClick(view.zoom_button, Qt.MouseButton.LeftButton)
    box = axes.bbox
    high = view.canvas.height()
    drag(view.canvas, QPointF(box.x0 + 40, high - box.y0 - 40), QPointF(box.x1 - 40, high - box.y1 + 40))
    low, top = axes.get_ylim()
    assert before[0] < low < top < before[1]
    QTest.mouseClick(view.whole_button, Qt.MouseButton.LeftButton)
    assert axes.get_ylim() == before
    QTest.mouseClick(view.zoom_button, Qt.MouseButton.LeftButton)
    drag(view.canvas, QPointF(box.x0 + 40, high - box.y0 - 40), QPointF(box.x1 - 40, high - box.y1 + 40))
    assert axes.get_ylim() == before  # zooming was switched off


def test_tables_show_every_row_and_the_wheel_moves_the_page(seen: AnalysisFlow) -> None:
    view = section(seen, "Changes from the rest")
    wheel(view.figures[0].canvas)
    assert view.verticalScrollBar().value() > 0
    view.verticalScrollBar().setValue(0)
    table = next(one for one in view.findChildren(FactTable) if one.isVisible())
    assert table.verticalScrollBar().maximum() == 0
    wheel(table.viewport())
    assert view.verticalScrollBar().value() > 0
    table.setFocus()
    table.setCurrentCell(table.rowCount() - 1, 0)
    QApplication.processEvents()
    row = table.visualItemRect(table.currentItem())
    at = table.viewport().mapTo(view.viewport(), row.center())
    assert (
        view.viewport().rect().contains(view.viewport().rect().center().x(), at.y())
    )  # followed by the page


def test_numbers_stand_to_the_right_and_words_to_the_left(seen: AnalysisFlow) -> None:
    view = section(seen, "Protocol")
    (table,) = view.findChildren(FactTable)
    sides = {
        table.horizontalHeaderItem(at).text(): bool(
            table.item(0, at).textAlignment() & int(Qt.AlignmentFlag.AlignRight)
        )
        for at in range(table.columnCount())
    }
    assert sides["heard"] and not sides["session"] and not sides["outcome"]


def test_a_folded_table_opens_whole(seen: AnalysisFlow) -> None:
    view = section(seen, "Provenance")
    button = next(one for one in view.findChildren(QPushButton) if one.text().startswith("▸"))
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    until(lambda: view.verticalScrollBar().maximum() > 0)
    panel = button.parentWidget()
    assert isinstance(panel, Panel)
    (table,) = panel.findChildren(FactTable)
    assert table.isVisible() and table.viewport().height() >= table.verticalHeader().length() > 0
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not table.isVisible()


@pytest.mark.parametrize(
    ("name", "files"),
    [("own.png", ["own.png"]), ("fig 1.2", ["fig 1.2.svg", "fig 1.2.png", "fig 1.2.pdf"])],
)
def test_a_figure_is_saved_in_the_form_its_name_ends_with(
    seen: AnalysisFlow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, files: list[str]
) -> None:
    view = section(seen, "What was reported").figures[0]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / name), ""))
    QTest.mouseClick(view.save_button, Qt.MouseButton.LeftButton)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files)
    assert seen.window.notice.sentence == f"Saved {', '.join(files)}."


def test_a_place_that_cannot_be_written_is_told(
    seen: AnalysisFlow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "nowhere" / "own.svg"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    QTest.mouseClick(section(seen, "What was reported").figures[0].save_button, Qt.MouseButton.LeftButton)
    assert str(path) in seen.window.notice.sentence and "cannot be written" in seen.window.notice.sentence
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    seen.window.notice.hide()
    QTest.mouseClick(section(seen, "What was reported").figures[0].save_button, Qt.MouseButton.LeftButton)
    assert seen.window.notice.sentence == ""


def test_keys_go_through_the_sections(seen: AnalysisFlow) -> None:
    window = seen.window
    window.activateWindow()
    until(window.isActiveWindow)
    window.sections.setCurrentRow(0)
    for keys, row in ((Qt.Key.Key_Down, 1), (Qt.Key.Key_Down, 2), (Qt.Key.Key_Up, 1), (Qt.Key.Key_Up, 0)):
        QTest.keyClick(window, keys, CTRL)
        assert window.sections.currentRow() == row
    QTest.keyClick(window, Qt.Key.Key_Up, CTRL)
    assert window.sections.currentRow() == 0
    QTest.keyClick(window, Qt.Key.Key_Escape)  # nothing runs: nothing happens
    assert window.page is not None and window.notice.sentence == ""


def test_another_choice_of_z_scores_is_computed_without_measuring(seen: AnalysisFlow) -> None:
    box = seen.window.z_box
    row = seen.window.sections.currentRow()
    for key in ("participant", "table"):
        box.setCurrentIndex(box.findData(key))
        box.activated.emit(box.currentIndex())
        assert seen.window.bar.isVisible() and not seen.window.stop_button.isVisible()
        until(lambda: seen.window.bar.isHidden())
        (table, *_) = [one for one in section(seen, "Provenance").findChildren(FactTable) if one.isVisible()]
        assert key in [table.item(at, 1).text() for at in range(table.rowCount())]
        seen.window.sections.setCurrentRow(row)
    assert not seen.analyser.is_running


def test_another_look_draws_the_figures_again(qapp: QApplication, seen: AnalysisFlow) -> None:
    dark = section(seen, "What was reported").figures[0].canvas.figure.get_facecolor()
    theme.apply(qapp, "light", 1.0)
    light = section(seen, "What was reported").figures[0].canvas.figure.get_facecolor()
    assert sum(dark[:3]) < 1 < 2 < sum(light[:3])
    theme.apply(qapp, "dark", 1.0)


def test_recordings_that_are_new_must_be_measured_first(
    qapp: QApplication, study: Path, clicked: Clicked, tmp_path: Path
) -> None:
    other, out = tmp_path / "study", tmp_path / "out"
    shutil.copytree(study, other)
    shutil.copytree(clicked.out, out)
    label_ledger.Ledger.open(session_path(other, "P001", 0), "anna").append("edit", (), why="nothing yet")
    with shown(other, out) as flow:
        assert "2 of 2 are new, changed" in _words(flow)
        assert flow.window.report_button.isEnabled()  # the old report is still there
        lanes = [flow.window.lane_box.itemText(at) for at in range(flow.window.lane_box.count())]
        assert lanes == ["as participants reported", "as anna decided"]
        flow.window.lane_box.setCurrentIndex(1)
        flow.window.lane_box.activated.emit(1)
        until(lambda: flow.window.bar.isHidden())
        assert "2 of 2 are new" in _words(flow)


def test_one_session_alone_shows_its_time_line(
    qapp: QApplication, study: Path, clicked: Clicked, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    shutil.copy(clicked.out / kept.FILE, out)
    with shown(session_path(study, "P001", 0), out) as flow:
        titles = [flow.window.sections.item(row).text() for row in range(flow.window.sections.count())]
        extra = [title for title in titles if title not in clicked.titles]
        assert len(extra) == 1
        assert len(section(flow, extra[0]).figures) == 2


def test_stop_ends_child_and_workers_and_keeps_what_was_measured(
    qapp: QApplication, study: Path, clicked: Clicked, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    every = kept.load(clicked.out)
    first = next(iter(every))
    kept.save(out, [first], [every[first]])
    with shown(study, out) as flow:
        QTest.keyClick(flow.window, Qt.Key.Key_F5)
        assert flow.analyser.is_running
        until(lambda: len(_family()) >= 3)  # the child, its workers' helper, a worker
        family = _family()
        QTest.keyClick(flow.window, Qt.Key.Key_Escape)
        until(lambda: not flow.analyser.is_running)
        assert flow.window.notice.sentence == "The analysis was stopped."
        until(lambda: not any(_lives(one) for one in family))
        until(lambda: flow.window.bar.isHidden())
        assert "1 of 2 are new" in _words(flow) and flow.window.go_button.isVisible()
    assert list(kept.load(out)) == [first]
    with folder.own(out):
        pass  # nobody holds it any more


def _family() -> list[psutil.Process]:
    """The analysing child and all it began; other tests' children live in this process, too."""
    with suppress(psutil.NoSuchProcess):
        told = [one for one in psutil.Process().children() if "analyse" in one.cmdline()]
        return [*told, *(other for one in told for other in one.children(recursive=True))]
    return []


def test_closing_while_it_measures_or_computes_leaves_nobody_behind(
    qapp: QApplication, study: Path, clicked: Clicked, tmp_path: Path
) -> None:
    with shown(study, clicked.out, waits=False) as flow:
        assert flow.window.bar.isVisible()  # and is left at once
    with shown(study, tmp_path / "out") as flow:
        flow.analyse()
        until(lambda: bool(_family()))
        family = _family()
        flow.window.close()
        until(lambda: not any(_lives(one) for one in family))
        assert not flow.analyser.is_running


@pytest.mark.parametrize("what", ["empty folder", "nothing", "broken session"])
def test_what_cannot_be_analysed_says_why(qapp: QApplication, tmp_path: Path, what: str) -> None:
    place = tmp_path / "place"
    if what == "empty folder":
        place.mkdir()
    elif what == "broken session":
        place = tmp_path / "P001_session-0.h5"
        place.write_bytes(b"no recording")
    with shown(place, tmp_path / "out") as flow:
        assert str(place.name) in _words(flow)
        assert not flow.window.go_button.isEnabled()
        QTest.keyClick(flow.window, Qt.Key.Key_F5)
        flow.analyse()
        assert not flow.analyser.is_running


def test_an_analysis_that_fails_says_why_and_can_be_tried_again(qapp: QApplication, tmp_path: Path) -> None:
    session = tmp_path / "study" / "P001" / "P001_session-0.h5"
    session.parent.mkdir(parents=True)
    session.write_bytes(b"no recording")
    with shown(session.parent.parent, tmp_path / "out") as flow:
        assert flow.window.go_button.isEnabled()
        flow.analyse()
        until(lambda: not flow.analyser.is_running)
        until(lambda: flow.window.bar.isHidden())
        assert "could be read" in flow.window.notice.sentence
        assert flow.window.page is None and flow.window.go_button.isVisible()


def _words(flow: AnalysisFlow) -> str:
    """What stands on the page that holds no section."""
    from PySide6.QtWidgets import QLabel

    return "\n".join(label.text() for label in flow.window.pages.currentWidget().findChildren(QLabel))


def _lives(one: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return one.is_running() and one.status() != psutil.STATUS_ZOMBIE
    return False
