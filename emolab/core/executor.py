"""Many tasks worked on at once: in this process, in others, or on a Dask scheduler; same code.

    run(work, tasks)                              one after the other, here
    run(work, tasks, "local", workers=2)          in processes of this machine
    run(work, tasks, "tcp://10.0.0.5:8786")       on a Dask cluster that sees the same files

`work` and its tasks travel to other processes: a function of a module, arguments that can be pickled.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

from emolab.core.errors import ConfigError, DataError, MissingExtra

ANSWERS_IN = "10s"  # a scheduler that is there
Task = TypeVar("Task")
Result = TypeVar("Result")
Done = Callable[[int, int], None]  # so many of so many
Got = Callable[[int, Any], None]  # the number of a task, from 0, and what came of it


def run(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    where: str = "here",
    workers: int | None = None,
    on_done: Done = lambda done, total: None,
    on_result: Got = lambda number, result: None,
) -> list[Result]:
    """What `work` makes of each task, in the order of the tasks; `on_result` gets each when it is there.

    `where`: `here`, `local`, or a Dask scheduler's address. `workers`: processes for `local`, one a core
    when None. An error of a task ends all of it and is raised here.
    Raises `ConfigError` for an address that is none or does not answer, `MissingExtra` without Dask,
    `DataError` when a process died (memory, mostly).
    """
    if where == "here" or not tasks:
        found = []
        for number, task in enumerate(tasks):
            found.append(work(task))
            on_result(number, found[-1])
            on_done(number + 1, len(tasks))
        return found
    if where == "local":
        return _local(work, tasks, workers or os.cpu_count() or 1, on_done, on_result)
    if "://" not in where:
        raise ConfigError(
            f"{where!r} is no place to work; use 'here', 'local' or a Dask address, tcp://HOST:PORT"
        )
    return _dask(work, tasks, where, on_done, on_result)


def _local(
    work: Callable[[Task], Result], tasks: Sequence[Task], workers: int, on_done: Done, on_result: Got
) -> list[Result]:
    # spawned: a fork would take locks of threads along that nobody there will ever open
    with ProcessPoolExecutor(min(workers, len(tasks)), get_context("spawn"), _alone) as pool:
        futures = {pool.submit(_one, work, task): number for number, task in enumerate(tasks)}
        try:
            for done, future in enumerate(_as_they_end(futures), 1):
                on_result(futures[future], future.result())
                on_done(done, len(tasks))
        except BrokenProcessPool as error:
            raise DataError(
                "a worker process died, most likely for want of memory; use fewer with --workers"
            ) from error
        except BaseException:
            workers_now = list((pool._processes or {}).values())  # a task under way may take hours
            pool.shutdown(wait=False, cancel_futures=True)
            for process in workers_now:
                process.terminate()
            raise
        return [future.result() for future in futures]


def _alone() -> None:
    """One thread a process, the libraries' own would fight over the cores; and none outlives its parent.

    Ctrl-C goes to every process of a terminal; the parent alone answers it, and ends its workers. What the
    work imports is not searched for garbage: there is none, and the search takes a sixth of the start.
    """
    gc.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _one(work: Callable[[Task], Result], task: Task) -> Result:
    """The task in a worker, whose modules are all there when it gets the first: they are no garbage, ever."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
    return work(task)


def _end_with_parent() -> None:
    """A parent that was killed cannot say goodbye."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _as_they_end(futures: Iterable[Future[Any]]) -> Iterator[Future[Any]]:
    left = set(futures)
    while left:
        ended, left = wait(left, return_when=FIRST_COMPLETED)
        yield from sorted(ended, key=_has_failed)


def _has_failed(future: Future[Any]) -> bool:
    return future.exception() is not None


def _dask(
    work: Callable[[Task], Result], tasks: Sequence[Task], address: str, on_done: Done, on_result: Got
) -> list[Result]:
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError as error:
        raise MissingExtra("working on a Dask cluster needs Dask; pip install 'emolab[dask]'") from error
    try:
        client = Client(address, timeout=ANSWERS_IN)
    except (OSError, ValueError, TimeoutError) as error:
        raise ConfigError(f"no Dask scheduler answers at {address} ({error}); start one there") from error
    with client:
        if not client.scheduler_info(n_workers=-1)["workers"]:
            raise ConfigError(
                f"the Dask scheduler at {address} has no worker; start one: dask worker {address}"
            )
        futures = {client.submit(work, task, pure=False): number for number, task in enumerate(tasks)}
        try:
            found: dict[int, Result] = {}
            for done, future in enumerate(as_completed(futures), 1):
                number = futures[future]
                found[number] = future.result()
                on_result(number, found[number])
                on_done(done, len(tasks))
        except KilledWorker as error:
            raise DataError(f"a Dask worker died again and again ({error}); it may want memory") from error
        except BaseException:
            client.cancel(list(futures))
            raise
        return [found[number] for number in range(len(tasks))]
