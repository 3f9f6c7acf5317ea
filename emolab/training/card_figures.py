"""Of a run's card: the figures, beside what chance does, over the folds and of each fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emolab.training.card_labels import SCALES, scale_words

WORDS = {
    "macro_f1": "macro-F1",
    "majority_macro_f1": "macro-F1 of the commonest class",
    "balanced_accuracy": "balanced accuracy",
    "kappa": "Cohen's κ",
    "accuracy": "accuracy",
    "majority": "accuracy of the commonest class",
    "harmonic_macro_f1": "harmonic macro-F1",
    "high_f1": "F1 of the high class",
    "auroc": "area under the ROC curve",
    "ece": "expected calibration error",
    "rmse": "RMSE",
    "rmse_of_mean": "RMSE of always guessing the mean",
    "r": "Pearson's r",
}
COLUMNS = ("macro_f1", "majority_macro_f1", "balanced_accuracy", "kappa", "accuracy", "majority")
ERRORS = ("rmse", "rmse_of_mean")


def of_classes(metrics: Mapping[str, Any]) -> list[str]:
    """Tables of a classifier, seed by seed."""
    lines, classes = [], metrics["classes"]
    for seed, one in metrics["seeds"].items():
        if not one["folds"]:
            continue
        over, line, pooled = one["over_folds"], one["permutation"], one["pooled"]
        names = [name for name in (*COLUMNS, "harmonic_macro_f1", "high_f1", "auroc", "ece") if name in over]
        figures = [[WORDS[name], _told(over[name]["mean"]), _told(over[name]["sd"])] for name in names]
        lines += [*_heading(seed, one), *table(["figure", "mean", "SD"], figures)]
        lines += ["", _shuffled(line, "labels", "macro-F1"), ""]
        by_fold = [
            [str(fold["fold"]), str(fold["n"]), *(_told(fold[name]) for name in COLUMNS)]
            for fold in one["folds"]
        ]
        lines += table(["fold", "tested", *(WORDS[name] for name in COLUMNS)], by_fold)
        called = [
            [name, *map(str, row), _told(pooled["per_class"][name]["recall"])]
            for name, row in zip(classes, pooled["confusion"], strict=True)
        ]
        lines += ["", "All folds together; rows said, columns guessed:", ""]
        lines += [*table(["", *classes, "recall"], called), ""]
    return lines


def of_ratings(metrics: Mapping[str, Any], corpus: str) -> list[str]:
    """Tables of a regression, seed by seed: on the corpus's scale, and from 0 to 1 where that is another."""
    columns = _columns(corpus)
    low, high = SCALES[corpus]
    unit = (
        ""
        if high - low == 1
        else f"; brought to 0 to 1, as Yin et al. 2019 have it, it is 1/{high - low:g} of that"
    )
    lines = [f"RMSE is of ratings {scale_words(corpus)}{unit}.", ""]
    for seed, one in metrics["seeds"].items():
        if not one["folds"]:
            continue
        over = one["over_folds"]
        figures = [
            [words, _told(over[name]["mean"], size), _told(over[name]["sd"], size)]
            for words, name, size in columns
        ]
        by_fold = [
            [str(fold["fold"]), str(fold["n"]), *(_told(fold[name], size) for _, name, size in columns)]
            for fold in one["folds"]
        ]
        lines += [*_heading(seed, one), *table(["figure", "mean", "SD"], figures), ""]
        if (line := one["permutation"]) is not None:
            lines += [_shuffled(line, "ratings", "r"), ""]
        lines += [*table(["fold", "tested", *(words for words, _, _ in columns)], by_fold), ""]
    return lines


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown."""
    return [
        f"| {' | '.join(heads)} |",
        "|---" * len(heads) + "|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def _columns(corpus: str) -> list[tuple[str, str, float]]:
    """Of a regression's tables: heading, figure, and by what it is divided."""
    low, high = SCALES[corpus]
    errors = [(WORDS[name], name, 1.0) for name in ERRORS]
    if high - low != 1:
        errors += [(f"{WORDS[name]}, on 0 to 1", name, high - low) for name in ERRORS]
    return [*errors, (WORDS["r"], "r", 1.0)]


def _heading(seed: str, one: Mapping[str, Any]) -> list[str]:
    return [f"Seed {seed}, mean and population SD over {len(one['folds'])} folds:", ""]


def _shuffled(line: Mapping[str, Any], what: str, figure: str) -> str:
    """What chance does."""
    return (
        f"The same guesses, {what} shuffled within folds {line['draws']} times: {figure} "
        f"{line['mean']:z.3f} on average, {line['high_95']:.3f} at the 95th percentile; "
        f"p = {line['p']:.4f}, rows of one person taken for independent, which makes it rather small."
    )


def _told(value: float | None, size: float = 1.0) -> str:
    return "–" if value is None else f"{value / size:.3f}"
