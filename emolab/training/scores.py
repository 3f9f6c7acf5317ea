"""How a classifier did over folds, always beside what chance does (specification 00 §0.3).

    summary(labels, probabilities, fold_of, ("low", "high"))["over_folds"]["macro_f1"]
    {"mean": 0.512, "sd": 0.041, "folds": [0.47, 0.55, …]}

`macro_f1` is the mean of the classes' F1. Beside it stand what the commonest class alone would reach,
balanced accuracy, Cohen's κ, and the permutation line: what the same guesses reach when labels are shuffled
within their fold. SDs over folds are those of a population (ddof 0). All is plain numbers, ready for JSON;
what cannot be told, such as an area under the curve where one class is missing, is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from emolab.core.errors import DataError
from emolab.training.metrics import calibration_error, confusion_of, rates_of, wilson

FIGURES = ("accuracy", "balanced_accuracy", "macro_f1", "harmonic_macro_f1", "kappa", "majority")
BINS = 15  # of confidence, as in metrics.calibration_error
DRAWS = 10_000  # so that p can be told from 0 after it was corrected for a table of a hundred cells
DRAWS_AT_ONCE = 500  # 13 MB for a fold of a thousand rows
LEAST_LIKELY = 1e-12  # below which a probability counts as this one, so that the log loss stays a number

Array = NDArray[Any]


def summary(
    labels: ArrayLike,
    probabilities: ArrayLike,
    fold_of: ArrayLike,
    classes: Sequence[str],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, Any]:
    """All of it: `folds` (each as `judged`, with its `fold`), `over_folds`, `pooled`, `permutation`.

    `labels` `(n,)` and `probabilities` `(n, k)` of tested rows; `fold_of` `(n,)`: in which fold each was, −1
    where it was in none that was judged, such as a fold that could not be trained; `untested` counts those.
    """
    numbers = np.asarray(fold_of)
    tested = numbers >= 0
    if not tested.any():
        raise DataError("no row was tested: there is nothing to judge")
    truth, given = _checked(np.asarray(labels)[tested], np.asarray(probabilities)[tested], classes)
    numbers = numbers[tested]
    single = [
        {"fold": int(k)} | judged(truth[numbers == k], given[numbers == k], classes)
        for k in np.unique(numbers)
    ]
    return {
        "folds": single,
        "over_folds": over_folds(single),
        "pooled": judged(truth, given, classes),
        "permutation": permutation_line(
            truth, given.argmax(1), numbers, len(classes), draws=draws, seed=seed
        ),
        "untested": int((~tested).sum()),
    }


def judged(labels: ArrayLike, probabilities: ArrayLike, classes: Sequence[str]) -> dict[str, Any]:
    """The figures of one set of rows.

    `high` are precision, recall and F1 of the second of two classes: the "F1" of Res-SIN and RTCAN-1D.
    `majority_macro_f1`: what always saying the commonest class reaches. Raises `DataError` without rows, and
    where probabilities are none.
    """
    truth, given = _checked(labels, probabilities, classes)
    k = len(classes)
    confusion = confusion_of(truth, given.argmax(1), k)
    rates = rates_of(confusion)
    commonest = np.full(len(truth), confusion.sum(1).argmax())
    found: dict[str, Any] = {"n": len(truth)} | {name: float(rates[name]) for name in FIGURES}
    found["accuracy_95"] = list(wilson(int(confusion.trace()), len(truth)))
    found["majority_macro_f1"] = float(rates_of(confusion_of(truth, commonest, k))["macro_f1"])
    three = ("precision", "recall", "f1")
    per_class = [
        {"n": int(confusion[c].sum())} | {name: float(rates[name][c]) for name in three} for c in range(k)
    ]
    found["per_class"] = dict(zip(classes, per_class, strict=True))
    if k == 2:
        found["high"] = {name: per_class[1][name] for name in three}
        found["auroc"] = area_under_curve(truth == 1, given[:, 1])
    found["confusion"] = confusion.tolist()
    return found | {"calibration": calibration(truth, given)}


def calibration(labels: Array, probabilities: Array) -> dict[str, Any]:
    """How far probabilities may be believed: expected calibration error, Brier score, log loss, and `bins`.

    `bins`: where the confidence in what was called lay, how often that was right, of how many; only those
    that hold rows. Brier: squared distance over all classes, 0 to 2 (Brier 1950).
    """
    rows = np.arange(len(labels))
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    which = np.minimum((confidence * BINS).astype(int), BINS - 1)
    hits = np.eye(probabilities.shape[1])[labels]
    return {
        "ece": calibration_error(probabilities, labels, BINS),
        "brier": float(((probabilities - hits) ** 2).sum(1).mean()),
        "log_loss": float(-np.log(np.maximum(probabilities[rows, labels], LEAST_LIKELY)).mean()),
        "bins": [
            {
                "confidence": float(confidence[which == b].mean()),
                "accuracy": float(right[which == b].mean()),
                "n": int((which == b).sum()),
            }
            for b in np.unique(which)
        ],
    }


def area_under_curve(is_high: Array, score: Array) -> float | None:
    """How often a high row has the higher score than a low one, ties half; None where either is missing."""
    high, low = int(is_high.sum()), int((~is_high).sum())
    if not high or not low:
        return None
    return float((rankdata(score)[is_high].sum() - high * (high + 1) / 2) / (high * low))


def over_folds(folds: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Mean, population SD and the folds' own values of each figure; of `high_f1` and `auroc` for two classes.

    A fold where a figure cannot be told is left out of that figure's mean and stands as None.
    """
    columns: dict[str, list[float | None]] = {name: [fold[name] for fold in folds] for name in FIGURES}
    columns["majority_macro_f1"] = [fold["majority_macro_f1"] for fold in folds]
    columns["ece"] = [fold["calibration"]["ece"] for fold in folds]
    if folds and all("high" in fold for fold in folds):
        columns["high_f1"] = [fold["high"]["f1"] for fold in folds]
        columns["auroc"] = [fold["auroc"] for fold in folds]
    return {name: _spread(values) for name, values in columns.items()}


def permutation_line(
    labels: ArrayLike,
    guesses: ArrayLike,
    fold_of: ArrayLike,
    classes: int,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    figure: str = "macro_f1",
) -> dict[str, Any]:
    """What the same guesses reach, averaged over folds, when labels are shuffled within their fold.

    `mean` and `high_95` (exceeded by 5 % of the shuffles) are the line to be over; `p` counts the true order
    among the shuffles (Phipson and Smyth 2010, doi:10.2202/1544-6115.1585). The model is not trained again:
    this asks whether guesses and labels have to do with each other (Ojala and Garriga 2010, test 1, asks
    with training). Rows of one person are taken for independent, which makes p rather too small.
    """
    if figure not in FIGURES:
        raise DataError(f"there is no line for {figure!r}; take one of {', '.join(FIGURES)}")
    truth, called, numbers = np.asarray(labels), np.asarray(guesses), np.asarray(fold_of)
    rng = np.random.default_rng(seed)
    observed, shuffled = [], np.zeros(draws)
    folds = np.unique(numbers)
    for k in folds:
        own, said = truth[numbers == k], called[numbers == k]
        observed.append(float(rates_of(confusion_of(own, said, classes))[figure]))
        for at in range(0, draws, DRAWS_AT_ONCE):
            count = min(DRAWS_AT_ONCE, draws - at)
            cells = rng.permuted(np.tile(own, (count, 1)), axis=1) * classes + said
            places = cells + np.arange(count)[:, None] * classes**2
            counts = np.bincount(places.ravel(), minlength=count * classes**2)
            rates = rates_of(counts.reshape(count, classes, classes))
            shuffled[at : at + count] += rates[figure] / len(folds)
    return _line(figure, observed, shuffled)


def permutation_of_r(
    truth: ArrayLike, guesses: ArrayLike, fold_of: ArrayLike, *, draws: int = DRAWS, seed: int = 0
) -> dict[str, Any] | None:
    """The same line of Pearson's r, for guessed ratings: `truth`, `guesses` and `fold_of` `(n,)`.

    Folds in which ratings or guesses do not vary have no r and are left out; None where no other is.
    """
    true, said, numbers = np.asarray(truth, float), np.asarray(guesses, float), np.asarray(fold_of)
    rng = np.random.default_rng(seed)
    observed, shuffled = [], np.zeros(draws)
    for k in np.unique(numbers):
        own, called = true[numbers == k], said[numbers == k]
        if not (np.ptp(own) > 0 and np.ptp(called) > 0):
            continue
        own, called = ((one - one.mean()) / np.linalg.norm(one - one.mean()) for one in (own, called))
        observed.append(float(own @ called))
        for at in range(0, draws, DRAWS_AT_ONCE):
            count = min(DRAWS_AT_ONCE, draws - at)
            shuffled[at : at + count] += rng.permuted(np.tile(own, (count, 1)), axis=1) @ called
    return _line("r", observed, shuffled / len(observed)) if observed else None


def _line(figure: str, observed: Sequence[float], shuffled: Array) -> dict[str, Any]:
    """`observed`: of each fold; `shuffled` `(draws,)`: means over folds."""
    reached, draws = float(np.mean(observed)), len(shuffled)
    return {
        "figure": figure,
        "observed": reached,
        "mean": float(shuffled.mean()),
        "high_95": float(np.quantile(shuffled, 0.95)),
        "p": float((1 + np.count_nonzero(shuffled >= reached - 1e-12)) / (draws + 1)),
        "draws": draws,
    }


def regression(truth: ArrayLike, guesses: ArrayLike, mean_of_training: float) -> dict[str, Any]:
    """RMSE and Pearson's r of guessed ratings, beside the RMSE of always guessing the training mean."""
    true, said = np.asarray(truth, np.float64), np.asarray(guesses, np.float64)
    if true.shape != said.shape or true.ndim != 1 or not len(true):
        raise DataError(f"{true.shape} ratings for {said.shape} guesses; one row of each is needed")
    if not (np.isfinite(true).all() and np.isfinite(said).all()):
        raise DataError("ratings or guesses hold NaN or infinity")
    moves = np.ptp(true) > 0 and np.ptp(said) > 0
    return {
        "n": len(true),
        "rmse": float(np.sqrt(((said - true) ** 2).mean())),
        "rmse_of_mean": float(np.sqrt(((mean_of_training - true) ** 2).mean())),
        "r": float(np.corrcoef(true, said)[0, 1]) if moves else None,
    }


def _spread(values: Sequence[float | None]) -> dict[str, Any]:
    told = [value for value in values if value is not None]
    return {
        "mean": float(np.mean(told)) if told else None,
        "sd": float(np.std(told)) if told else None,
        "folds": list(values),
    }


def _checked(labels: ArrayLike, probabilities: ArrayLike, classes: Sequence[str]) -> tuple[Array, Array]:
    truth, given = np.asarray(labels), np.asarray(probabilities, np.float64)
    if not len(truth) or given.shape != (len(truth), len(classes)):
        raise DataError(
            f"{len(truth)} labels for probabilities {given.shape}; one row of {len(classes)} each is needed"
        )
    if not np.issubdtype(truth.dtype, np.integer) or truth.min() < 0 or truth.max() >= len(classes):
        raise DataError(f"labels must be places among {len(classes)} classes")
    if not np.isfinite(given).all() or given.min() < 0 or np.abs(given.sum(1) - 1).max() > 1e-3:
        raise DataError("probabilities must be numbers from 0 up, and a row of them 1 together")
    return truth, given
