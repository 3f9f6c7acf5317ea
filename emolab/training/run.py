"""A model learns from a corpus, fold by fold, and is judged on what it never saw: a folder with all of it.

    made = train(Order("svm", "hku956", folder, "valence"), Path("runs/svm"), where="local", workers=2)
    made.metrics["seeds"]["0"]["over_folds"]["macro_f1"]["mean"]

The same order goes on where a run was broken off, however that came about: folds that are done are kept, and
the numbers are those of an unbroken run, here, in other processes or on a cluster. See `run_folder` for what
lies where.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emolab.core import executor
from emolab.core.errors import DataError
from emolab.training import run_examples, run_folder, run_results
from emolab.training.alarm import Alarm, of_labels, of_left_out, of_simulated, of_splits
from emolab.training.corpus_examples import Found
from emolab.training.fold_work import FoldTask, work
from emolab.training.learner import make_model, settings_of
from emolab.training.order import Order
from emolab.training.run_folder import CONFIG, FOLDS, begin, check_same, own, write_json
from emolab.training.run_progress import Tell, watched
from emolab.training.splits import Fold, folds

READ_AT_ONCE = 20  # trials, between two words


@dataclass(frozen=True)
class Made:
    """A run that is done: its folder, its metrics as in `metrics.json`, its alarms, what was left out."""

    out: Path
    metrics: dict[str, Any]
    alarms: tuple[Alarm, ...]
    skipped: tuple[str, ...]


def train(
    order: Order,
    out: Path,
    where: str = "here",
    workers: int | None = None,
    tell: Tell | None = None,
    *,
    command: Sequence[str] = (),
    with_final: bool = True,
) -> Made:
    """Learn, judge and write; or finish a run begun before.

    `where`, `workers`: see `core.executor`. `tell`: called now and then with the share done, the seconds left
    and words. `command`: for the card. `with_final`: also learn from all rows, for use. Raises `ConfigError`
    for a folder that is taken or holds another run, `DataError` for a corpus that cannot be used, and when
    no fold could be judged or a worker died: the same command then goes on.
    """
    out = out.resolve()
    make_model(order, "", settings_of(order)[-1])  # what cannot be is told before a corpus is read
    config: dict[str, Any] = {"format": run_folder.FORMAT, "order": order.identity()}
    check_same(out, config)  # before `own`, which leaves its lock in a folder
    with own(out):
        check_same(out, config)
        digest, found = run_examples.read(order, _reading(tell))
        every = folds(found.examples, order.folds, order.group, order.seed)
        begin(out, config | _about(order, digest, found, command))
        write_json(out / FOLDS, _written(every, found))
        tasks = _tasks(order, out, digest, with_final)
        with watched(tasks, tell):
            results = executor.run(work, tasks, where, workers)
        run_results.check(tasks, results, found, every)
        check, final = results[0], results[-1] if with_final else None
        judged = results[1 : 1 + order.folds * order.seeds]
        is_own, lent = found.how["is_own"], [] if order.is_regression else found.how["population"]
        inputs = make_model(order, found.how["corpus"], {}).spec.inputs
        counts = None if order.is_regression else found.examples.counts()
        alarms = (
            *of_simulated(found.examples, every, found.how["simulated"]),
            *of_left_out(run_results.account(order, found), counts),
            *of_splits(found.examples, every, order.group, inputs, is_own, order.is_regression),
            *of_labels(found.examples, every, is_own, lent),
            *(Alarm(**{**one, "folds": tuple(one["folds"])}) for one in check["alarms"]),
        )
        if all(one["skipped"] for one in judged):
            raise DataError(f"no fold could be judged: {judged[0]['skipped']}")
        metrics, alarms = run_results.write(order, out, found, every, judged, alarms, final)
        skipped = tuple(f"fold {one['fold']}: {one['skipped']}" for one in judged if one["skipped"])
        return Made(out, metrics, alarms, skipped)


def _tasks(order: Order, out: Path, digest: str, with_final: bool) -> list[FoldTask]:
    """The look for leaks, every fold of every seed, and what learns from all rows."""
    found = [FoldTask(order, out, digest, 0, order.seed, is_check=True)]
    found += [FoldTask(order, out, digest, k, seed) for seed in order.every_seed for k in range(order.folds)]
    return found + [FoldTask(order, out, digest, None, order.seed)] * with_final


def _about(order: Order, digest: str, found: Found, command: Sequence[str]) -> dict[str, Any]:
    """What of a run is written down beside its order."""
    return {
        "data_sha256": digest,
        "corpus": found.how["corpus"],
        "labels": {name: found.how[name] for name in ("is_own", "population")},
        "classes": list(found.examples.classes),
        "rows": len(found.examples),
        "program": run_folder.program(),
        "command": list(command),
    }


def _written(every: Sequence[Fold], found: Found) -> dict[str, Any]:
    """Folds by the keys of their trials, and the trials left out altogether, with the reason."""
    keys = found.examples.keys
    parts = ("train", "valid", "test", "shared", "purged")
    return {
        "folds": [
            {"fold": fold.number, "one_class": list(fold.one_class)}
            | {part: keys[getattr(fold, part)].tolist() for part in parts}
            for fold in every
        ],
        "left_out": [vars(one) for one in found.left_out],
    }


def _reading(tell: Tell | None) -> Callable[[int, int], None] | None:
    if tell is None:
        return None

    def told(done: int, total: int) -> None:
        if done % READ_AT_ONCE == 0 or done == total:
            tell(0.0, None, f"reading trial {done} of {total}")

    return told


def is_run(folder: Path) -> bool:
    """Is there a run in `folder`, finished or not?"""
    return (folder / CONFIG).is_file()
