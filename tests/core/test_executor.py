"""Work done here, in other processes, or refused with a reason."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from pickle import PicklingError

import psutil
import pytest

from emolab.core.errors import ConfigError, DataError, MissingExtra
from emolab.core.executor import run

NO_DASK = "Dask is not installed: pip install 'emolab[dask]'"


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
from emolab.core.executor import run
from tests.core.test_executor import linger
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


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A Dask cluster of two processes."""
    distributed = pytest.importorskip("distributed", reason=NO_DASK)
    with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as made:
        yield made.scheduler_address


def test_a_dask_cluster_does_the_same(cluster: str):
    told: list[tuple[int, int]] = []
    got: dict[int, int] = {}
    found = run(
        twice,
        range(5),
        cluster,
        on_done=lambda done, total: told.append((done, total)),
        on_result=lambda number, result: got.update({number: result[0]}),
    )
    assert [double for double, _ in found] == [0, 2, 4, 6, 8]
    assert got == {0: 0, 1: 2, 2: 4, 3: 6, 4: 8}
    assert told == [(number, 5) for number in range(1, 6)]
    assert os.getpid() not in {process for _, process in found}


def test_an_error_on_a_dask_cluster_is_raised_as_it_was(cluster: str):
    with pytest.raises(DataError, match="number two is broken"):
        run(fall, range(4), cluster)


def test_a_dask_scheduler_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("distributed", reason=NO_DASK)
    monkeypatch.setattr("emolab.core.executor.ANSWERS_IN", "1s")
    with pytest.raises(ConfigError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        run(twice, [1], "tcp://127.0.0.1:9")


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra, match=r"pip install 'emolab\[dask\]'"):
        run(twice, [1], "tcp://127.0.0.1:9")


@pytest.mark.parametrize("where", ["here", "local"])
def test_every_result_is_handed_over_as_it_comes(where: str):
    got: dict[int, int] = {}
    with pytest.raises(DataError, match="broken"):
        run(fall, range(3), where, 1, on_result=lambda number, result: got.update({number: result}))
    assert got == {0: 0, 1: 1}


def unsendable(number: int) -> object:
    return lambda: number


def test_a_result_that_cannot_be_sent_is_told_and_ends():
    with pytest.raises((AttributeError, PicklingError), match="pickle"):
        run(unsendable, [1, 2], "local", 1)


def test_who_listens_may_stop_it():
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(twice, range(50), "local", 2, stop)


def test_ctrl_c_ends_the_workers_at_once(tmp_path: Path):
    script = tmp_path / "stopped.py"
    script.write_text(
        f"""
import signal, sys, time
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from emolab.core.executor import run

def work(number):
    Path({str(tmp_path)!r}, f"worker-{{number}}").write_text(str(__import__("os").getpid()))
    time.sleep(600)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where this runs in the background
    run(work, [0], "local", 1)
"""
    )
    note = tmp_path / "worker-0"
    parent = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.DEVNULL)
    try:
        until(lambda: note.is_file() and note.read_text() != "")
        worker = int(note.read_text())
        parent.send_signal(signal.SIGINT)
        assert parent.wait(60) != 0
    finally:
        parent.kill()
        parent.wait()
    until(lambda: not psutil.pid_exists(worker))
