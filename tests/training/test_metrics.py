"""Figures as they are defined, on tables small enough to reckon by hand."""

from __future__ import annotations

import numpy as np
import pytest

from emolab.core.errors import DataError
from emolab.faces.fer import CLASSES
from emolab.training.metrics import (
    calibrated,
    calibration_error,
    confusion_of,
    figures,
    in_groups,
    labels_in_groups,
    temperature_of,
    wilson,
)


def certain(guesses: list[int], classes: int) -> np.ndarray:
    return np.eye(classes)[guesses]


def test_figures_of_a_small_table() -> None:
    labels = np.array([0, 0, 0, 1, 1, 2])
    found = figures(certain([0, 0, 1, 1, 1, 0], 3), labels, ["a", "b", "c"])
    assert found["confusion"] == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert found["accuracy"] == pytest.approx(4 / 6, abs=1e-5)
    assert found["majority"] == 0.5
    assert found["balanced_accuracy"] == pytest.approx((2 / 3 + 1 + 0) / 3, abs=1e-5)
    assert found["per_class"]["a"] == {"n": 3, "recall": 0.6667, "precision": 0.6667, "f1": 0.6667}
    assert found["per_class"]["c"] == {"n": 1, "recall": 0.0, "precision": 0.0, "f1": 0.0}
    assert found["macro_f1"] == pytest.approx((2 / 3 + 0.8 + 0) / 3, abs=1e-5)
    by_chance = (3 * 3 + 2 * 3 + 1 * 0) / 36
    assert found["kappa"] == pytest.approx((4 / 6 - by_chance) / (1 - by_chance), abs=1e-5)
    assert found["ece"] == pytest.approx(2 / 6, abs=1e-5)


def test_confusion_counts_true_classes_in_rows() -> None:
    assert confusion_of(np.array([1, 1]), np.array([0, 1]), 2).tolist() == [[0, 0], [1, 1]]


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    sure = np.tile([0.9, 0.1], (10, 1))
    half_right = np.array([0, 1] * 5)
    assert calibration_error(sure, half_right) == pytest.approx(0.4)
    mixed = np.vstack([np.tile([0.9, 0.1], (10, 1)), np.tile([0.6, 0.4], (10, 1))])
    labels = np.array([0] * 9 + [1] + [0] * 8 + [1] * 2)
    assert calibration_error(mixed, labels) == pytest.approx((0 + 0.2) / 2)


def test_temperature_finds_how_much_too_sure_the_logits_are() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 1.5, (20_000, 7))
    labels = (calibrated(logits, 1).cumsum(1) > random.random((20_000, 1))).argmax(1)
    assert temperature_of(logits * 2.5, labels) == pytest.approx(2.5, rel=0.05)
    too_sure = calibration_error(calibrated(logits * 2.5, 1), labels)
    mended = calibration_error(calibrated(logits * 2.5, temperature_of(logits * 2.5, labels)), labels)
    assert mended < 0.02 < 0.15 < too_sure


def test_seven_classes_sum_to_three() -> None:
    probabilities = np.random.default_rng(0).dirichlet(np.ones(7), 50)
    three = in_groups(probabilities)
    np.testing.assert_allclose(three.sum(1), 1)
    named = dict(zip(CLASSES, probabilities.T, strict=True))
    np.testing.assert_allclose(three[:, 0], named["angry"] + named["disgust"] + named["fear"] + named["sad"])
    np.testing.assert_allclose(three[:, 2], named["happy"] + named["surprise"])
    assert labels_in_groups(np.arange(7)).tolist() == [0, 0, 0, 2, 0, 2, 1]


def test_the_interval_is_wilsons() -> None:
    low, high = wilson(81, 263)  # Newcombe 1998, table I, method 3
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_no_faces_have_no_figures() -> None:
    with pytest.raises(DataError):
        figures(np.empty((0, 7)), np.empty(0, int), CLASSES)
