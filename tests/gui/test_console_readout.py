"""A classifier's read-out in the console: the newest line, ended with what it belongs to."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from emolab.gui.console.readout import ReadOut, tip, words
from emolab.gui.console.signals_panel import SignalsPanel
from tests.gui import review_room as room

TOLD: dict[str, Any] = {
    "from_s": 10.0, "to_s": 40.0, "model": "svm", "target": "arousal", "predicted": "high",
    "probabilities": {"low": 0.42, "high": 0.58}, "usable": 0.97, "why": None,
}  # fmt: skip


def test_a_line_is_told_in_words() -> None:
    assert words(TOLD) == "svm: high arousal .58 · last 30 s"
    assert "97% of it usable" in tip(TOLD)
    nothing = TOLD | {"predicted": None, "probabilities": None, "why": "10% can be used"}
    assert words(nothing) == "svm: cannot judge the last 30 s" and "10% can be used" in tip(nothing)


def test_of_many_lines_the_newest_is_seen(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [json.dumps(TOLD | {"to_s": 40.0 + k}) for k in range(50)]
    child = tmp_path / "child.sh"
    child.write_text("#!/bin/sh\n" + "\n".join(f"echo '{line}'" for line in ["no line of ours", *lines]))
    child.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(child))
    read, said, ends = ReadOut(), [], []
    read.said.connect(lambda what, _: said.append(what))
    read.ended.connect(ends.append)
    read.start(tmp_path)
    room.until(lambda: bool(ends))
    assert ends == [""] and not read.is_running
    assert said[0].startswith("svm: waiting") and said[-1] == "svm: high arousal .58 · last 79 s"
    assert not any("no line" in one for one in said)


def test_where_nothing_is_recorded_it_says_so(qapp: QApplication, tmp_path: Path) -> None:
    read, ends = ReadOut(), []
    read.ended.connect(ends.append)
    read.start(tmp_path)
    room.until(lambda: bool(ends), 240.0)
    assert "no engine runs" in ends[0]
    read.start(tmp_path, run=str(tmp_path))
    assert "no classifier" in ends[1]
    read.start(tmp_path)
    read.stop()
    assert ends[2:] == [""] and not read.is_running


def test_the_panel_shows_it_beside_the_curves(qapp: QApplication) -> None:
    panel, wanted = SignalsPanel(), []
    panel.readOutWanted.connect(wanted.append)
    panel.classifier_button.toggle()
    panel.show_reading(words(TOLD), tip(TOLD))
    assert wanted == [True] and panel.reading.text() == "svm: high arousal .58 · last 30 s"
    assert "near chance" in panel.reading.toolTip()
    assert panel.reading.property("role") == "muted"
    panel.show_reading(f"■ in its training · {words(TOLD)}")
    assert panel.reading.property("role") == "alarm"
