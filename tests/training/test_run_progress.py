"""How far a run is: folds count alike, a running one by its epochs, and the time left follows."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from emolab.training import run_progress
from emolab.training.fold_work import FoldTask
from emolab.training.order import Order
from emolab.training.run_folder import PROGRESS, RESULT
from emolab.training.run_progress import so_far, watched


@pytest.fixture
def tasks(tmp_path: Path) -> list[FoldTask]:
    order = Order("feature_cnn", "hku956", tmp_path, "valence", folds=4)
    found = [FoldTask(order, tmp_path, "", k, 0) for k in range(4)]
    for task in found:
        task.folder.mkdir()
    return found


def test_a_running_fold_counts_by_its_epochs(tasks: list[FoldTask]) -> None:
    assert so_far(tasks) == (0.0, "0 of 4 done")
    (tasks[0].folder / RESULT).write_text("{}")
    (tasks[1].folder / PROGRESS).write_text(json.dumps({"epoch": 5, "epochs": 10}))
    assert so_far(tasks) == (0.375, "fold 2 of 4, epoch 5")
    (tasks[2].folder / PROGRESS).write_text('{"epoch": ')  # half of it is written
    assert so_far(tasks)[0] == 0.375


def test_the_time_left_is_reckoned_from_what_was_done_since_the_start(
    tasks: list[FoldTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_progress, "EVERY_S", 0.01)
    (tasks[0].folder / RESULT).write_text("{}")  # of a call before
    told: list[tuple[float, float | None]] = []
    with watched(tasks, lambda share, left_s, _: told.append((share, left_s))):
        while not told:
            time.sleep(0.01)
        (tasks[1].folder / RESULT).write_text("{}")
        while told[-1][0] < 0.5:
            time.sleep(0.01)
    assert told[0] == (0.25, None)
    share, left_s = told[-1]
    assert share == 0.5 and left_s is not None and left_s > 0
