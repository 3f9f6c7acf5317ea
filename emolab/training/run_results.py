"""What came of a run's folds, gathered: figures beside chance, a row for each guess, pictures, the card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from emolab.core.errors import DataError
from emolab.training import run_card, run_folder, scores
from emolab.training.alarm import Alarm, of_programs, of_ratings, of_scores
from emolab.training.corpus_examples import Found
from emolab.training.fold_work import FoldTask
from emolab.training.order import Order
from emolab.training.people import facts_of
from emolab.training.run_folder import CONFIG, FIGURES, FINAL, METRICS, PEOPLE, PREDICTIONS, RESULT
from emolab.training.splits import Fold

TOLD = (*scores.FIGURES, "ece", "high_f1", "auroc", "majority_macro_f1")
RATED = ("rmse", "rmse_of_mean", "r")

Results = Sequence[Mapping[str, Any]]


def check(tasks: Sequence[FoldTask], results: Sequence[Any], found: Found, every: Sequence[Fold]) -> None:
    """Raises `DataError` naming the `result.json` of the first of `tasks` whose result no run has written."""
    for task, one in zip(tasks, results, strict=True):
        try:
            is_ours = isinstance(one, dict) and (
                _is_alarms(one) if task.is_check else _is_fold(task, one, found, every)
            )
        except (KeyError, TypeError, ValueError):
            is_ours = False
        if not is_ours:
            raise DataError(
                f"{task.folder / RESULT} is not as a run has written it; delete it, and run the same command "
                "again"
            )


def _is_alarms(one: Mapping[str, Any]) -> bool:
    return all(isinstance(Alarm(**told).text, str) for told in one["alarms"])


def _is_fold(task: FoldTask, one: Mapping[str, Any], found: Found, every: Sequence[Fold]) -> bool:
    """Is this of the task's fold, or of what learnt from all rows? What is neither may raise as it comes."""
    for program in one.get("programs", []):
        run_folder.program_words(program)
    if (one["fold"], one["seed"]) != (task.number, task.seed):
        return False
    if one["skipped"] is not None:
        return isinstance(one["skipped"], str)
    rows = 0 if task.number is None else len(every[task.number].test)
    shape = (rows,) if task.order.is_regression or not rows else (rows, len(found.examples.classes))
    guesses = np.asarray(one["guesses"], np.float64)
    kinds = {"train": int, "valid": int, "settings": dict, "tried": list, "history": list}
    is_whole = all(isinstance(one[name], kind) for name, kind in kinds.items())
    return is_whole and guesses.shape == shape and bool(np.isfinite(guesses).all())


def write(
    order: Order,
    out: Path,
    found: Found,
    every: Sequence[Fold],
    results: Results,
    alarms: Sequence[Alarm],
    final: Mapping[str, Any] | None,
) -> tuple[dict[str, Any], tuple[Alarm, ...]]:
    """Write it all into `out`; the metrics, and the alarms with those that figures and programs raise.

    `metrics.json`, by which a run is known to be finished, is written last.
    """
    by_seed = {seed: [one for one in results if one["seed"] == seed] for seed in order.every_seed}
    seeds = {str(seed): _judged(order, found, every, ours) for seed, ours in by_seed.items()}
    told = list(alarms)
    too_good = of_ratings if order.is_regression else of_scores
    for summary in seeds.values():
        told += too_good(found.how["corpus"], order.target, order.group, summary)
    programs = _programs(order, out, [*results, *([final] if final is not None else [])])
    told += of_programs(programs)
    told = list(dict.fromkeys(told))
    metrics = {
        "classes": None if order.is_regression else list(found.examples.classes),
        "seeds": seeds,
        "over_seeds": _over(seeds),
        "left_out": account(order, found),
        "alarms": [{**vars(one), "folds": list(one.folds)} for one in told],
        "skipped": [
            {"fold": one["fold"], "seed": one["seed"], "why": one["skipped"]}
            for one in results
            if one["skipped"]
        ],
        "chosen": [
            {"fold": one["fold"], "seed": one["seed"], "settings": one["settings"], "tried": one["tried"]}
            for one in results
            if not one["skipped"] and order.search
        ],
    }
    _predictions(order, out / PREDICTIONS, found, every, results)
    _figures(order, out / FIGURES, found, results, seeds)
    if final is not None and not final["skipped"]:
        _people(order, out, found, told)
    run_folder.write_text(
        out / run_folder.CARD, run_card.text(order, out, found, every, metrics, told, final, list(programs))
    )
    run_folder.write_json(out / METRICS, metrics)
    return metrics, tuple(told)


def account(order: Order, found: Found) -> dict[str, Any]:
    """What was left out, as `metrics.json` has it; a regression has no classes, and `of_class` is None."""
    told = found.account(order.root)
    return told | {"of_class": None} if order.is_regression else told


def _programs(order: Order, out: Path, results: Results) -> dict[str, list[str]]:
    """What each program has learnt, by the program in words.

    What was learnt before programs were noted is taken to be of the one that began the run.
    """
    first = run_folder.read_json(out / CONFIG)["program"]
    found: dict[str, list[str]] = {}
    for one in results:
        name = f"`{FINAL}/`" if one["fold"] is None else f"fold {one['fold']}"
        name += f" of seed {one['seed']}" if order.seeds > 1 and one["fold"] is not None else ""
        noted = one.get("programs", [run_folder.NOT_NOTED])
        words = [run_folder.program_words(first if by == run_folder.NOT_NOTED else by) for by in noted]
        for by in dict.fromkeys(words):
            found.setdefault(by, []).append(name)
    return found


def _judged(order: Order, found: Found, every: Sequence[Fold], results: Results) -> dict[str, Any]:
    """All figures of one seed."""
    examples, done = found.examples, [one for one in results if not one["skipped"]]
    if order.is_regression:
        return _rated(order, found, every, done)
    given = np.full((len(examples), len(examples.classes)), np.nan)
    fold_of = np.full(len(examples), -1)
    for one in done:
        rows = every[one["fold"]].test
        given[rows], fold_of[rows] = np.asarray(one["guesses"]), one["fold"]
    if not done:
        return {"folds": [], "over_folds": {}, "pooled": None, "permutation": None, "untested": len(examples)}
    return scores.summary(examples.labels, given, fold_of, examples.classes, seed=order.seed)


def _rated(order: Order, found: Found, every: Sequence[Fold], done: Results) -> dict[str, Any]:
    ratings = found.examples.ratings
    assert ratings is not None
    truth = ratings[:, ("valence", "arousal").index(order.target)]
    each = []
    given, fold_of = np.full(len(truth), np.nan), np.full(len(truth), -1)
    for one in done:
        fold = every[one["fold"]]
        given[fold.test], fold_of[fold.test] = one["guesses"], one["fold"]
        mean = float(truth[np.concatenate([fold.train, fold.valid])].mean())
        each.append({"fold": one["fold"]} | scores.regression(truth[fold.test], one["guesses"], mean))
    over = {name: _spread([one[name] for one in each]) for name in RATED}
    known = fold_of >= 0
    return {
        "folds": each,
        "over_folds": {name: _by_fold(told) for name, told in over.items()},
        "permutation": scores.permutation_of_r(truth[known], given[known], fold_of[known], seed=order.seed),
        "untested": int((~known).sum()),
    }


def _over(seeds: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Each figure's mean over folds, and how it changes from seed to seed; of seeds that have folds."""
    told = [one["over_folds"] for one in seeds.values() if one["folds"]]
    names = [name for name in (*TOLD, *RATED) if told and all(name in one for one in told)]
    return {name: _spread([one[name]["mean"] for one in told]) for name in names}


def _spread(values: Sequence[float | None]) -> dict[str, Any]:
    told = [value for value in values if value is not None]
    return {
        "mean": float(np.mean(told)) if told else None,
        "sd": float(np.std(told)) if told else None,
        "values": list(values),
    }


def _by_fold(told: Mapping[str, Any]) -> dict[str, Any]:
    """The values are those of folds."""
    return {"mean": told["mean"], "sd": told["sd"], "folds": told["values"]}


def _predictions(order: Order, path: Path, found: Found, every: Sequence[Fold], results: Results) -> None:
    examples, parts = found.examples, []
    for one in results:
        if one["skipped"]:
            continue
        rows = every[one["fold"]].test
        part = {
            "key": examples.keys[rows].astype(object),
            "participant": examples.subjects[rows].astype(object),
            "song": examples.songs[rows].astype(object),
            "start_s": examples.starts_s[rows],
            "end_s": examples.ends_s[rows],
            "fold": one["fold"],
            "seed": one["seed"],
        }
        parts.append(pd.DataFrame(part | _columns(order, found, rows, np.asarray(one["guesses"]))))
    half = path.with_name(path.name + ".part")
    pd.concat(parts, ignore_index=True).to_parquet(half, index=False)
    run_folder.put(half, path)


def _columns(
    order: Order, found: Found, rows: NDArray[np.intp], given: NDArray[np.float64]
) -> dict[str, NDArray[Any]]:
    examples = found.examples
    if order.is_regression:
        assert examples.ratings is not None
        axis = ("valence", "arousal").index(order.target)
        return {"rating": examples.ratings[rows, axis], "guess": given}
    names = np.asarray(examples.classes, object)
    return {
        "label": names[examples.labels[rows]],
        "guess": names[given.argmax(1)],
        **{f"probability_{name}": given[:, k] for k, name in enumerate(examples.classes)},
    }


def _figures(
    order: Order, folder: Path, found: Found, results: Results, seeds: Mapping[str, Mapping[str, Any]]
) -> None:
    from emolab.plots import learning

    folder.mkdir(exist_ok=True)
    histories = [one["history"] for one in results if not one["skipped"] and one["history"]]
    drawn = {}
    if histories:
        drawn["learning"] = learning.curves(histories)
    first = next((one for one in seeds.values() if one["folds"]), {})
    if first.get("pooled"):
        pooled = first["pooled"]
        drawn["confusion"] = learning.confusion(pooled["confusion"], found.examples.classes)
        drawn["calibration"] = learning.calibration(
            pooled["calibration"]["bins"], pooled["calibration"]["ece"]
        )
    for name, drawing in drawn.items():
        for form in ("svg", "png"):
            half = folder / f"{name}.part.{form}"
            drawing.save(half)
            run_folder.put(half, folder / f"{name}.{form}")


def _people(order: Order, out: Path, found: Found, told: Sequence[Alarm]) -> None:
    """From whom the final classifier has learnt, as marks that do not tell who it was; that it was nobody."""
    every = np.arange(len(found.examples))
    alarms = [one.text for one in told if one.level == "red" or one.kind == "simulated"]
    facts = facts_of(order, found.how, found.examples, every, alarms)
    run_folder.write_json(out / FINAL / PEOPLE, facts)
