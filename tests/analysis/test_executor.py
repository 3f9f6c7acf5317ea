"""Work done here, in other processes, or refused with a reason."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from emolab.analysis.executor import run
from emolab.core.errors import ConfigError, DataError


def twice(number: int) -> tuple[int, int]:
    return 2 * number, os.getpid()


def fall(number: int) -> int:
    if number == 2:
        raise DataError("number two is broken; leave it out")
    return number


def die(number: int) -> int:
    os._exit(number)


@pytest.mark.parametrize("where", ["here", "local"])
def test_results_come_in_the_order_of_the_tasks(where: str):
    told: list[tuple[int, int]] = []
    found = run(twice, range(5), where, 2, lambda done, total: told.append((done, total)))
    assert [double for double, _ in found] == [0, 2, 4, 6, 8]
    assert told == [(number, 5) for number in range(1, 6)]
    is_here = {process == os.getpid() for _, process in found}
    assert is_here == {where == "here"}


@pytest.mark.parametrize("where", ["here", "local"])
def test_an_error_of_one_task_is_raised_as_it_was(where: str):
    with pytest.raises(DataError, match="number two is broken"):
        run(fall, range(4), where, 2)


def test_a_worker_that_dies_is_told_with_the_remedy():
    with pytest.raises(DataError, match="--workers"):
        run(die, [1], "local", 1)


def test_no_task_is_no_work():
    assert run(twice, [], "local") == []


def test_a_place_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="'here', 'local' or a Dask address"):
        run(twice, [1], "the cloud")


def linger(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    time.sleep(600)


def test_workers_end_when_their_parent_is_killed(tmp_path: Path):
    mark = tmp_path / "worker"
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from emolab.analysis.executor import run
from tests.analysis.test_executor import linger
if __name__ == "__main__":
    run(linger, [{str(mark)!r}], "local", 1)
"""
    script = tmp_path / "parent.py"
    script.write_text(code)
    parent = subprocess.Popen([sys.executable, str(script)])
    try:
        until(lambda: mark.exists() and mark.read_text() != "")
        worker = int(mark.read_text())
        assert psutil.pid_exists(worker)
    finally:
        parent.kill()
        parent.wait()
    until(lambda: not psutil.pid_exists(worker))


def until(claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.05)
