"""The way from the console to the analyst's window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emolab.gui.console import chores
from emolab.gui.console.finish_page import FinishPage
from emolab.session.snapshot import Snapshot


def test_a_finished_session_can_be_reviewed_at_once(dressed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    page = FinishPage()
    page.show_snapshot(Snapshot(phase="finished", path="/study/P1/P1_session-0.h5", summary={"file": ""}))
    asked: list[Path] = []
    page.reviewRequested.connect(asked.append)
    page.review_button.click()
    assert asked == [Path("/study/P1/P1_session-0.h5")]


def test_the_review_is_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(chores.QProcess, "startDetached", lambda *told: started.append(told))
    chores.open_review(Path("/study/P1/P1_session-0.h5"))
    assert started[0][1] == ["-m", "emolab", "review", str(Path("/study/P1/P1_session-0.h5"))]


def test_a_finished_session_can_be_analysed_at_once(dressed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(chores.QProcess, "startDetached", lambda *told: started.append(told))
    page = FinishPage()
    page.show_snapshot(Snapshot(phase="finished", path="/study/P1/P1_session-0.h5", summary={"file": ""}))
    page.analysisRequested.connect(chores.open_analysis)
    page.analysis_button.click()
    assert started[0][1] == ["-m", "emolab", "analyse", str(Path("/study/P1/P1_session-0.h5")), "--window"]
