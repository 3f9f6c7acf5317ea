"""How good and how honest probabilities are, on labelled examples; numpy only.

`probabilities` `(n, k)`, rows sum to 1; `labels` `(n,)` from 0 to k − 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from emolab.core.errors import DataError
from emolab.faces.fer import CLASSES, GROUP_OF, GROUPS

Array = NDArray[Any]


def confusion_of(labels: Array, guesses: Array, classes: int) -> Array:
    """How often true class (row) was called what (column); `(classes, classes)` integers."""
    return np.bincount(labels.astype(np.int64) * classes + guesses, minlength=classes * classes).reshape(
        classes, classes
    )


def calibration_error(probabilities: Array, labels: Array, bins: int = 15) -> float:
    """Expected calibration error: how far confidence lies from accuracy, in equal bins of confidence.

    Source: Guo et al. 2017, arXiv:1706.04599, with their 15 bins.
    """
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(which, right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def temperature_of(logits: Array, labels: Array) -> float:
    """The temperature under which the softmax of `logits` makes `labels` most likely (Guo et al. 2017)."""

    def surprise(log_temperature: float) -> float:
        return -float(
            log_softmax(logits / np.exp(log_temperature), axis=1)[np.arange(len(labels)), labels].mean()
        )

    found = minimize_scalar(surprise, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))


def calibrated(logits: Array, temperature: float) -> Array:
    """Probabilities out of logits."""
    return np.asarray(softmax(logits.astype(np.float64) / temperature, axis=1))


def in_groups(probabilities: Array) -> Array:
    """Seven classes summed to negative, neutral, positive: `(n, 7)` → `(n, 3)`."""
    return np.stack(
        [probabilities[:, [GROUP_OF[name] == group for name in CLASSES]].sum(1) for group in GROUPS], 1
    )


def labels_in_groups(labels: Array) -> Array:
    """Labels of seven classes as indices into `GROUPS`."""
    return np.array([GROUPS.index(GROUP_OF[name]) for name in CLASSES])[labels]


def figures(probabilities: Array, labels: Array, classes: Sequence[str]) -> dict[str, Any]:
    """What a card says about one set: accuracy with its interval, per class, confusion, calibration.

    The interval is Wilson's, 95 %. Beside accuracy stand what the commonest class alone would reach,
    balanced accuracy, macro F1 (as `rates_of`) and Cohen's κ. Raises `DataError` without faces.
    """
    n, k = len(labels), len(classes)
    if not n or probabilities.shape != (n, k):
        raise DataError(
            f"{n} labels for probabilities {probabilities.shape}; one row of {k} for each is needed"
        )
    confusion = confusion_of(labels, probabilities.argmax(1), k)
    found = rates_of(confusion)
    low, high = wilson(int(confusion.trace()), n)
    return {
        "n": n,
        "accuracy": round(float(found["accuracy"]), 5),
        "accuracy_95": [round(low, 5), round(high, 5)],
        "majority": round(float(found["majority"]), 5),
        "balanced_accuracy": round(float(found["balanced_accuracy"]), 5),
        "macro_f1": round(float(found["macro_f1"]), 5),
        "kappa": round(float(found["kappa"]), 5),
        "ece": round(calibration_error(probabilities, labels), 5),
        "per_class": {
            name: {
                "n": int(confusion[c].sum()),
                "recall": round(float(found["recall"][c]), 4),
                "precision": round(float(found["precision"][c]), 4),
                "f1": round(float(found["f1"][c]), 4),
            }
            for c, name in enumerate(classes)
        },
        "confusion": confusion.tolist(),
    }


def rates_of(confusion: Array) -> dict[str, Any]:
    """What follows from confusion alone, `(..., k, k)`, true classes in rows; figures `(...)`, or `(..., k)`.

    `macro_f1` is the mean of the classes' F1, `harmonic_macro_f1` the harmonic mean of mean precision and
    mean recall, which is another number. Both are over the classes that are there or called, as scikit-learn
    has them; `balanced_accuracy` is over those there. The rates of a class that is neither are 0.
    """
    n = confusion.sum((-2, -1))
    right, true = np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(-1)
    called = confusion.sum(-2)
    counted = np.maximum((true + called > 0).sum(-1), 1)  # what is neither there nor called adds 0 to a sum
    recall, precision = right / np.maximum(true, 1), right / np.maximum(called, 1)
    f1 = 2 * right / np.maximum(true + called, 1)
    accuracy = right.sum(-1) / n
    chance = (true * called).sum(-1) / n**2
    means = precision.sum(-1) / counted, recall.sum(-1) / counted
    return {
        "accuracy": accuracy,
        "majority": true.max(-1) / n,
        "balanced_accuracy": recall.sum(-1) / (true > 0).sum(-1),
        "macro_f1": f1.sum(-1) / counted,
        "harmonic_macro_f1": 2 * means[0] * means[1] / np.where(sum(means) > 0, sum(means), 1),
        "kappa": np.where(chance < 1, (accuracy - chance) / np.where(chance < 1, 1 - chance, 1), 0.0),
        "recall": recall,
        "precision": precision,
        "f1": f1,
    }


def wilson(right: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    share = right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return float(middle - half), float(middle + half)
