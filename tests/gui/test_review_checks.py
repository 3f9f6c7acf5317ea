"""The check of labels in the analyst's window: run as a child, shown, gone through by conflicts."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QTableWidget

from emolab.core.label import state
from emolab.gui.review.checker import Checker
from emolab.review.checks import Check, to_label
from emolab.review.desk import Desk
from emolab.review.lanes import Lane, conflicts
from tests.gui import review_room as room
from tests.gui.review_room import key, under_review

CHECKS = (
    Check("a-1", 5.0, 10.0, "less_positive", "negative", 0.94, (0.71, 0.2, 0.09)),
    Check("b-2", 14.0, 19.0, None, "unknown", 0.3, None, "one face is seen in 30 % of the clip"),
)


@pytest.fixture
def checked(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Path:
    """A session with the lane that a check has written."""
    path = room.record(tmp_path / "P07_session-2.h5")
    session = room.copy(path, tmp_path / "study")
    by = {"model": "small", "weights": "ab" * 32, "agg": "sum"}
    Desk(session, "face-small").say([to_label(check, ("sum",)) for check in CHECKS], "validate", by)
    return session


def cell(table: QTableWidget, row: int, column: int) -> str:
    """The words in a cell."""
    item = table.item(row, column)
    assert item is not None
    return item.text()


def test_verdicts_stand_in_their_lane_and_beside_the_report(qapp: QApplication, checked: Path) -> None:
    with under_review(checked) as flow:
        names = [(lane.name, lane.source) for lane in flow.window.lanes.lanes]
        assert names[3] == ("face-small", "model")
        assert flow.window.header.conflict_button.text() == "1 conflict ▸"
        key(flow, "n")
        assert flow.span.cursor_s == 5.0
        assert ("face-small", "negative .71, conflict, coverage 94%") in flow.window.facts.rows()
        key(flow, "n")
        assert flow.span.cursor_s == 5.0  # round again
        flow.seek(15.0)
        rows = dict(flow.window.facts.rows())
        assert rows["face-small"].startswith("cannot judge: one face is seen in 30 %")
        assert rows["reported"] == "no report in time"


def test_a_clip_that_two_models_contradict_is_one_conflict() -> None:
    def face(name: str, *clips: tuple[float, float]) -> Lane:
        said = "most_positive"
        checks = {
            str(at_s): Check("c", at_s, at_s + 5, said, "negative", 1.0, (sure, 1 - sure, 0.0))
            for at_s, sure in clips
        }
        return Lane(name, "model", {}, checks=checks)

    found = conflicts([face("face-small", (5.0, 0.6), (14.0, 0.7)), face("face-vgg19", (5.0, 0.9))])
    assert [(check.start_s, check.confidence) for check in found] == [(5.0, 0.9), (14.0, 0.7)]


def test_the_verdicts_window_lists_conflicts_first_and_goes_to_a_clip(
    qapp: QApplication, checked: Path
) -> None:
    with under_review(checked) as flow:
        key(flow, "v")
        window = flow._checks
        assert window.isVisible()
        assert window.summary.text() == "1 in conflict, 0 weak, 1 unknown, 0 agree"
        assert window.clips.item(0, 1).text() == "a-1" and window.clips.item(1, 8).text().startswith(
            "one face"
        )  # type: ignore[union-attr]
        assert window._cells[2][0].text() == "1"  # said positive, face negative
        assert state("less_positive").group == "positive"
        window.clips.cellDoubleClicked.emit(1, 0)
        assert flow.span.cursor_s == 14.0
        window.close()


def test_the_agreement_window_follows_the_labels(qapp: QApplication, checked: Path) -> None:
    with under_review(checked) as flow:
        key(flow, "a")
        window = flow._agreement
        names = {cell(window.figures, row, 1) for row in range(window.figures.rowCount())}
        assert "intended × reported" in names and not any("anna" in name for name in names)
        flow.seek(7.0)
        flow.give_state(1)
        names = {cell(window.figures, row, 1) for row in range(window.figures.rowCount())}
        assert "reported × anna" in names
        window.close()


@pytest.mark.slow
def test_a_check_runs_beside_the_window_and_can_be_stopped(qapp: QApplication, checked: Path) -> None:
    checker = Checker()
    ends: list[str] = []
    checker.ended.connect(ends.append)
    checker.start(checked)
    assert checker.is_running
    checker.stop()
    room.until(lambda: bool(ends))
    assert ends == ["The check was stopped; nothing was written."] and not checker.is_running
    checker.start(checked.with_name("P07_session-9.h5"))
    room.until(lambda: len(ends) == 2, 200.0)
    assert "there is no session file" in ends[1]


def test_without_a_check_the_keys_say_what_to_do(qapp: QApplication, tmp_path: Path) -> None:
    session = room.copy(room.record(tmp_path / "P07_session-2.h5"), tmp_path / "study")
    with under_review(session) as flow:
        assert not flow.window.header.conflict_button.isVisible()
        for pressed in ("n", "v"):
            key(flow, pressed)
            assert "compare" in flow.window.notice.sentence
