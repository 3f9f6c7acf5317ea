"""Runs beside one another: a table, and tests of those that were judged on the same rows in the same folds.

    found = compare([Path("runs/svm"), Path("runs/rtcag")])
    found["runs"][0]["figures"]["macro_f1"]["mean"], found["pairs"][0]["p"]

Folds are compared in pairs (`stats.folds`), p over all pairs corrected after Holm; of several seeds each
fold's mean is taken. McNemar's test counts rows, of classes only. Runs of other folds, labels or rows have a
place in the table, and no test: the reason is told.
Beside a run with the authors' variant stands what their paper prints for the same (`printed`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emolab.core.errors import DataError, NoWeights
from emolab.datasets.thresholds import AXES
from emolab.stats.correction import holm
from emolab.stats.folds import mcnemar, paired
from emolab.training.printed import printed_for
from emolab.training.run_folder import CONFIG, FOLD, FOLDS, METRICS, PREDICTIONS, RESULT, read_json
from emolab.training.scores import FIGURES

LESS_IS_BETTER = ("rmse",)
AGAIN, ELSEWHERE = "run its command again", "train into another folder"
NOT_OURS = (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, ZeroDivisionError)


@dataclass(frozen=True)
class _Run:
    """A finished run, read."""

    place: Path
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]
    folds: Sequence[Mapping[str, Any]]
    rows: pd.DataFrame
    left_out: Sequence[Mapping[str, Any]]

    @property
    def is_regression(self) -> bool:
        return self.metrics["classes"] is None

    @property
    def known(self) -> tuple[str, ...]:
        """The figures by which folds can be compared."""
        return ("rmse", "r") if self.is_regression else FIGURES

    @property
    def usual(self) -> str:
        """That by which they are compared where none is asked for."""
        return "rmse" if self.is_regression else "macro_f1"

    def by_fold(self, figure: str) -> list[float]:
        """A figure of each fold, the mean of the seeds; NaN where the fold was skipped."""
        found = []
        for fold in range(len(self.folds)):
            told = [
                one[figure]
                for seed in self.metrics["seeds"].values()
                for one in seed["folds"]
                if one["fold"] == fold and one[figure] is not None
            ]
            found.append(float(np.mean(told)) if told else math.nan)
        return found

    def truth(self) -> dict[tuple[str, float], Any]:
        """What was said of each tested row."""
        return dict(zip(_ids(self.rows), self.rows["rating" if self.is_regression else "label"], strict=True))

    def tested(self) -> list[frozenset[str]]:
        return [frozenset(one["test"]) for one in self.folds]

    def test_share(self) -> float:
        """Tested rows by those learnt from, stopped by and tested."""
        parts = [[len(one[name]) for name in ("test", "train", "valid")] for one in self.folds]
        return float(np.mean([part[0] / sum(part) for part in parts]))


def compare(places: Sequence[Path], figure: str | None = None) -> dict[str, Any]:
    """`runs`: the figures of each. `pairs`: tests of each two. Plain numbers, None for what cannot be told.

    `figure`: what folds are compared by: macro-F1 when None, of regressions RMSE. Raises `NoWeights` for a
    folder without a finished run, `DataError` for one that is damaged or a figure that there is not.
    """
    runs = [_read(Path(place), figure) for place in places]
    names = _names([run.place for run in runs])
    for run in runs:
        if figure is not None and figure not in run.known:
            raise DataError(f"{run.place} has no figure {figure!r}; it has {', '.join(run.known)}")
    pairs = [
        {"one": names[k], "other": names[m], **_pair(runs[k], runs[m], figure)}
        for k, m in combinations(range(len(runs)), 2)
    ]
    adjusted: list[float] = (
        [] if not pairs else holm([math.nan if one["p"] is None else one["p"] for one in pairs]).tolist()
    )
    for one, p in zip(pairs, adjusted, strict=True):
        one["p_holm"] = _told(float(p))
    return {
        "runs": [{"name": name, **_facts(run)} for name, run in zip(names, runs, strict=True)],
        "pairs": pairs,
    }


def _pair(one: _Run, other: _Run, figure: str | None) -> dict[str, Any]:
    if why := _why_not(one, other):
        return {"figure": figure, "p": None, "why": why}
    by = figure or one.usual
    first, second = one.by_fold(by), other.by_fold(by)
    found = paired(first, second, one.test_share())
    better = list(found.better)
    if by in LESS_IS_BETTER:
        better[:2] = better[1::-1]
    facts = {
        "figure": by,
        "folds": found.folds,
        "difference": _told(found.difference.value),
        "low": _told(found.difference.low),
        "high": _told(found.difference.high),
        "t": _told(found.t),
        "df": found.df,
        "p": _told(found.p),
        "p_wilcoxon": _told(found.p_wilcoxon),
        "p_signs": _told(found.p_signs),
        "better": better,
        "why": None,
    }
    return facts | {"p_mcnemar": None if one.is_regression else _mcnemar(one, other)}


def _why_not(one: _Run, other: _Run) -> str | None:
    if one.is_regression != other.is_regression:
        return "one tells classes, the other guesses ratings"
    if one.truth() != other.truth():
        return "they were judged on other rows, or the rows are called otherwise"
    if one.tested() != other.tested():
        return "their folds are others: take the same split, number of folds and seed"
    return None


def _mcnemar(one: _Run, other: _Run) -> float | None:
    """Of the first seed's rows."""
    right = []
    for run in (one, other):
        rows = run.rows[run.rows["seed"] == run.rows["seed"].min()]
        is_right = (rows["label"] == rows["guess"]).tolist()
        right.append(dict(zip(_ids(rows), is_right, strict=True)))
    both = sorted(right[0].keys() & right[1].keys())
    return _told(mcnemar([right[0][row] for row in both], [right[1][row] for row in both])) if both else None


def _facts(run: _Run) -> dict[str, Any]:
    order, metrics = run.config["order"], run.metrics
    names = ("model", "variant", "target", "group", "folds", "seed", "seeds", "search", "epochs")
    judged = [one for one in metrics["seeds"].values() if one["folds"]]
    if not judged:
        raise ValueError("no fold in it was judged")
    first = judged[0]
    return {
        "place": str(run.place),
        **{name: order[name] for name in names},
        "labels": order["labels"] if order["target"] in AXES else None,  # of the others there is one kind
        "options": dict(order.get("options", {})),
        "people": order.get("people"),
        "corpus": run.config["corpus"],
        "rows": run.config["rows"],
        "left_out": _left_out(run),
        "figures": {
            name: {
                "mean": metrics["over_seeds"][name]["mean"],
                "sd": first["over_folds"][name]["sd"],  # over folds, of the first seed
                "sd_over_seeds": metrics["over_seeds"][name]["sd"],
            }
            for name in metrics["over_seeds"]
            if name in first["over_folds"]
        },
        "printed": _printed(run),
        "permutation_p": None if run.is_regression else first["permutation"]["p"],
        **{
            level: [one["text"] for one in metrics["alarms"] if one["level"] == level]
            for level in ("red", "amber")
        },
        "skipped": len(metrics["skipped"]),
    }


def _printed(run: _Run) -> dict[str, Any] | None:
    """What its paper prints, each figure beside that of the run, the mean of folds and seeds.

    Of labels that are a song's means nothing is printed.
    """
    found = printed_for(run.config["order"], run.config["corpus"])
    if found is None or not run.config.get("labels", {}).get("is_own"):
        return None
    figures = {name: {"printed": value, "here": _here(run, name)} for name, value in found.figures.items()}
    return {**vars(found), "figures": figures}


def _here(run: _Run, name: str) -> float | None:
    if name in run.metrics["over_seeds"]:
        told = run.metrics["over_seeds"][name]["mean"]
        return None if told is None else float(told)
    of_high = name.removeprefix("high_")
    seeds = [
        [fold["high"][of_high] for fold in one["folds"]]
        for one in run.metrics["seeds"].values()
        if one["folds"]
    ]
    return _told(float(np.mean([np.mean(folds) for folds in seeds])))


def _left_out(run: _Run) -> dict[str, Any]:
    """How many trials, of how many, and how many for each reason; of runs that did not count those, None."""
    count = len(run.left_out)
    told = run.metrics.get("left_out", {"n": count, "of": count + run.config["rows"], "why": None})
    return {"n": int(told["n"]), "of": int(told["of"]), "why": told["why"] and dict(told["why"])}


def _read(place: Path, figure: str | None) -> _Run:
    if not (place / METRICS).is_file():
        raise NoWeights(f"{place} {_unfinished(place)}")
    try:
        split = read_json(place / FOLDS, AGAIN)
        run = _Run(
            place,
            read_json(place / CONFIG, ELSEWHERE),
            read_json(place / METRICS, AGAIN),
            split["folds"],
            pd.read_parquet(place / PREDICTIONS),
            split.get("left_out", []),
        )
        _look_through(run, figure)
    except DataError as error:
        raise DataError(f"{place} is damaged: {error}") from error
    except NOT_OURS as error:
        why = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise DataError(f"{place} is damaged ({why}); {ELSEWHERE}") from error
    return run


def _unfinished(place: Path) -> str:
    """What a folder without metrics is, and what can be done about it."""
    if not (place / CONFIG).is_file():
        return "holds no run; 'emolab train' makes one"
    try:
        order = read_json(place / CONFIG)["order"]
        skipped = [read_json(path)["skipped"] for path in sorted(place.glob(f"{FOLD}*/{RESULT}"))]
        if len(skipped) == order["folds"] * order["seeds"] and all(skipped):
            return f"has no fold that could be judged: {skipped[0]}; {ELSEWHERE}"
    except NOT_OURS:
        pass  # it tells more when it is run
    return f"is not finished; {AGAIN}"


def _look_through(run: _Run, figure: str | None) -> None:
    """Ask a run all that will be asked of it; raises one of `NOT_OURS` where its files are something else."""
    if not isinstance(run.folds, list) or not run.folds:
        raise TypeError(f"{FOLDS} tells of no folds")
    for name, told in _facts(run)["figures"].items():
        if not all(one is None or isinstance(one, int | float) for one in told.values()):
            raise TypeError(f"its {name} is no number")
    run.by_fold(figure if figure in run.known else run.usual)
    run.truth()
    run.tested()
    run.test_share()


def _names(places: Sequence[Path]) -> list[str]:
    """Short where that is enough."""
    short = [place.resolve().name for place in places]
    return short if len(set(short)) == len(short) else [str(place) for place in places]


def _ids(rows: pd.DataFrame) -> list[tuple[str, float]]:
    return list(zip(rows["key"].tolist(), rows["start_s"].tolist(), strict=True))


def _told(value: float) -> float | None:
    return value if math.isfinite(value) else None
