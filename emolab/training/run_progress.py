"""How far a run is, out of what its folds write down: the same wherever they are worked on.

    with watched(tasks, tell):
        executor.run(work, tasks, …)

Folds count alike; a running one by its epochs. The time left is reckoned from what was done since the start,
and is too long where learning is stopped early.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from emolab.training.fold_work import FoldTask
from emolab.training.run_folder import PROGRESS, RESULT

EVERY_S = 0.5
Tell = Callable[[float, float | None, str], None]  # share done, seconds left where they can be told, words


@contextmanager
def watched(tasks: Sequence[FoldTask], tell: Tell | None) -> Iterator[None]:
    """Tell while the block runs, from a thread of its own."""
    if tell is None:
        yield
        return
    ended = threading.Event()
    thread = threading.Thread(target=_watch, args=(tasks, tell, ended), name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=5 * EVERY_S)


def so_far(tasks: Sequence[FoldTask]) -> tuple[float, str]:
    """The share done, and words for what is being done."""
    shares, running = [], []
    for task in tasks:
        if (task.folder / RESULT).is_file():
            shares.append(1.0)
            continue
        epoch, epochs = _epochs(task)
        shares.append(epoch / epochs if epochs else 0.0)
        if epochs:
            running.append(f"{task.words}, epoch {epoch}")
    done = sum(share == 1.0 for share in shares)
    words = running[0] if running else f"{done} of {len(tasks)} done"
    return sum(shares) / max(len(tasks), 1), words


def _epochs(task: FoldTask) -> tuple[int, int]:
    try:
        facts = json.loads((task.folder / PROGRESS).read_text(encoding="utf-8"))
        return int(facts["epoch"]), int(facts["epochs"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0, 0


def _watch(tasks: Sequence[FoldTask], tell: Tell, ended: threading.Event) -> None:
    begun_s, before = time.monotonic(), so_far(tasks)[0]
    while not ended.wait(EVERY_S):
        share, words = so_far(tasks)
        gained = share - before
        left_s = (time.monotonic() - begun_s) * (1 - share) / gained if gained > 0 else None
        tell(share, left_s, words)
