"""One fold of a run, worked on by whichever process: it learns, guesses the tested rows, and writes it down.

    work(FoldTask(order, out, digest, number=3, seed=0))

A fold that is done is read, one that was broken off goes on from its checkpoint. Whichever process works on
it reckons with the same number of threads, so that the numbers are the same.
"""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import ModelError
from emolab.models.classifier import WEIGHTS, Epoch
from emolab.models.examples import Examples
from emolab.training import alarm, run_examples, run_folder
from emolab.training.corpus_examples import Found
from emolab.training.learner import Learnt, Rows, make_model, taught
from emolab.training.order import Order
from emolab.training.people import facts_of
from emolab.training.run_folder import CHECK, FINAL, PEOPLE, PROGRESS, RESULT
from emolab.training.splits import Fold, folds, overlapping

CHECKED_ROWS = 64  # of a network, to see whether it looks at test rows
CHECKPOINT = "checkpoint.safetensors"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FoldTask:
    """Fold `number` of `order`'s split, learnt from `seed`; None is all rows. `digest`: of the data.

    `is_check`: nothing is kept; only whether what is learnt hangs on test rows.
    """

    order: Order
    out: Path
    digest: str
    number: int | None
    seed: int
    is_check: bool = False

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        if self.is_check:
            return self.out / CHECK
        if self.number is None:
            return self.out / FINAL
        return run_folder.fold_folder(self.out, self.number, self.seed, self.order.seeds)

    @property
    def words(self) -> str:
        """What is being done, for people."""
        if self.is_check:
            return "looking for leaks"
        if self.number is None:
            return "learning from all rows"
        return f"fold {self.number + 1} of {self.order.folds}" + (
            f", seed {self.seed}" if self.order.seeds > 1 else ""
        )


def work(task: FoldTask) -> dict[str, Any]:
    """What came of it, as its `result.json` has it; `programs`: those by which it was learnt."""
    with run_folder.own(task.folder):
        done: dict[str, Any] | None = run_folder.read_json(task.folder / RESULT)
        if done is None:
            programs = run_folder.joined(_programs_before(task.folder), run_folder.program())
            found = run_examples.again(task.order, task.digest)
            with threads(task.order):
                done = _worked(task, found)
            done |= {"programs": programs}
            run_folder.write_json(task.folder / RESULT, done)
        _swept(task.folder)
        return done


def _worked(task: FoldTask, found: Found) -> dict[str, Any]:
    order, examples, corpus = task.order, found.examples, str(found.how["corpus"])
    every = folds(examples, order.folds, order.group, order.seed)
    if task.is_check:
        return {"alarms": [vars(one) for one in _looked_for(order, corpus, examples, every, task.seed)]}
    fold = every[task.number or 0]
    train, valid = (
        (fold.train, fold.valid) if task.number is not None else for_good(examples, fold, order.group)
    )
    facts: dict[str, Any] = {"fold": task.number, "seed": task.seed, "train": len(train), "valid": len(valid)}
    begun_s = time.monotonic()
    try:
        learnt = taught(
            order, corpus, Rows(examples, train, valid), task.seed, task.folder, _Told(task.folder)
        )
    except ModelError as error:
        return {**facts, "skipped": str(error)}
    learnt.model.save(task.folder)
    seen = np.union1d(train, valid)
    run_folder.write_json(task.folder / PEOPLE, facts_of(order, found.how, examples, seen))
    tested = fold.test if task.number is not None else fold.test[:0]
    return {
        **facts,
        "skipped": None,
        "guesses": guesses(order, learnt.model, examples.take(tested)).tolist(),
        "settings": learnt.settings,
        "tried": list(learnt.tried),
        "chosen_epoch": getattr(learnt.model, "chosen_epoch", None),
        "history": _lines(learnt),
        "took_s": round(time.monotonic() - begun_s, 3),
    }


def _looked_for(
    order: Order, corpus: str, examples: Examples, every: Sequence[Fold], seed: int
) -> tuple[alarm.Alarm, ...]:
    """Whether what is learnt hangs on test rows, in the first fold from which something can be learnt."""
    for fold in every:
        if order.is_regression or len(np.unique(examples.labels[fold.train])) > 1:
            return alarm.of_fitting(_Once(order, corpus, seed), examples, fold, seed)
    return ()


def for_good(examples: Examples, fold: Fold, group: str) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """All rows but the validation part of `fold` and what shares a group or a moment with it; that part."""
    valid = fold.valid
    others = np.setdiff1d(np.arange(len(examples)), valid)
    if group == "both":
        shared = np.isin(examples.subjects[others], examples.subjects[valid])
        shared |= np.isin(examples.songs[others], examples.songs[valid])
        others = others[~shared]
    return others[~overlapping(examples, others, valid)], valid


def guesses(order: Order, model: Any, rows: Examples) -> NDArray[np.float64]:
    """Probabilities `(n, classes)`, or of a regression ratings `(n,)`."""
    if order.is_regression:
        return np.asarray(model.predict(rows.inputs, order.target), np.float64)
    return np.asarray(model.predict_proba(rows.inputs), np.float64)


@contextlib.contextmanager
def threads(order: Order) -> Iterator[None]:
    """Reckon with as many threads as the order says, whatever this process's libraries would take."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(order.threads):
        if not order.is_network:
            yield
            return
        import torch

        before = torch.get_num_threads()
        torch.set_num_threads(order.threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


@dataclass(frozen=True)
class _Told:
    """Writes down how far a fold is, for whoever watches; a machine that dies may lose it."""

    folder: Path

    def __call__(self, line: Epoch) -> None:
        facts = {"epoch": line.epoch, "epochs": line.epochs, "left_s": line.left_s}
        half = self.folder / f"{PROGRESS}.part"
        with contextlib.suppress(OSError):
            half.write_text(json.dumps(facts), encoding="utf-8")
            half.replace(self.folder / PROGRESS)


@dataclass(frozen=True)
class _Once:
    """Learns a fold shortly, and gives what was learnt as arrays."""

    order: Order
    corpus: str
    seed: int

    def __call__(self, examples: Examples, fold: Fold) -> Mapping[str, NDArray[Any]]:
        from safetensors.numpy import load_file

        model = make_model(self.order, self.corpus, {})
        train, valid = fold.train, fold.valid
        if self.order.is_network:
            model = make_model(replace(self.order, epochs=1), self.corpus, {})
            train = _some(examples, train)
            valid = valid[:CHECKED_ROWS]
        model.fit(examples.take(train), examples.take(valid), seed=self.seed)
        with tempfile.TemporaryDirectory() as folder:
            model.save(Path(folder))
            return load_file(Path(folder) / WEIGHTS)


def _some(examples: Examples, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """A few rows of each class."""
    labels = examples.labels[rows]
    each = CHECKED_ROWS // max(len(np.unique(labels)), 1)
    return np.sort(np.concatenate([rows[labels == label][:each] for label in np.unique(labels)]))


def _lines(learnt: Learnt) -> list[dict[str, Any]]:
    names = ("epoch", "loss", "valid_loss", "valid_score")
    return [
        {name: None if (value := getattr(line, name)) != value else value for name in names}
        for line in learnt.history
    ]


def _programs_before(folder: Path) -> list[dict[str, Any]]:
    """By which programs the checkpoints here were learnt.

    One that cannot be read is deleted: it costs its epochs, not the run.
    """
    found: list[dict[str, Any]] = []
    for path in [folder / CHECKPOINT, *sorted(folder.glob(f"search-*/{CHECKPOINT}"))]:
        if path.is_file():
            from emolab.training import checkpoint

            try:
                facts = checkpoint.load(path)[1]
            except ModelError as error:
                log.warning("%s; it is begun anew", error)
                path.unlink()
            else:
                found = run_folder.joined(found, *facts.get("programs", [run_folder.NOT_NOTED]))
    return found


def _swept(folder: Path) -> None:
    """A fold that is done needs no checkpoint."""
    for path in folder.glob("search-*"):
        shutil.rmtree(path, ignore_errors=True)
    for name in (CHECKPOINT, PROGRESS, f"{PROGRESS}.part", CHECKPOINT.replace(".safetensors", ".part")):
        (folder / name).unlink(missing_ok=True)
