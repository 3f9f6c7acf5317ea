"""What was drawn with one map is mapped back by the map that is fitted to it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from emolab.core.errors import DataError
from emolab.signals.thermal.calibration import Calibration, Form, fit_calibration

RGB = np.array([[100.0, 80.0], [520.0, 90.0], [310.0, 400.0], [120.0, 350.0], [500.0, 330.0], [300.0, 200.0]])
TURN = np.deg2rad(3.0)
SIMILAR = 0.24 * np.array([[np.cos(TURN), -np.sin(TURN)], [np.sin(TURN), np.cos(TURN)]])
SHEARED = np.array([[0.25, 0.02], [-0.01, 0.21]])


@pytest.mark.parametrize("form,matrix", [("similarity", SIMILAR), ("affine", SIMILAR), ("affine", SHEARED)])
def test_the_map_is_found_again(form: Form, matrix: np.ndarray) -> None:
    thermal = RGB @ matrix.T + [8.0, -5.0]
    calibration = fit_calibration(RGB, thermal, form)
    np.testing.assert_allclose(calibration.map(RGB), thermal, atol=1e-9)
    assert calibration.residual_px < 1e-9 and calibration.points == 6


def test_badly_marked_points_show_in_the_residual() -> None:
    noise = np.random.default_rng(1).normal(0.0, 1.0, (200, 2))
    points = np.random.default_rng(2).uniform(0, 600, (200, 2))
    calibration = fit_calibration(points, points @ SIMILAR.T + noise)
    assert calibration.residual_px == pytest.approx(np.sqrt(2), rel=0.15)
    np.testing.assert_allclose(calibration.matrix[:, :2], SIMILAR, atol=0.002)


def test_a_stretched_picture_needs_the_affine_form() -> None:
    thermal = RGB @ np.diag([0.25, 0.2])
    assert fit_calibration(RGB, thermal).residual_px > 3.0
    assert fit_calibration(RGB, thermal, "affine").residual_px < 1e-9


def test_two_pairs_make_a_similarity() -> None:
    calibration = fit_calibration(RGB[:2], RGB[:2] @ SIMILAR.T)
    np.testing.assert_allclose(calibration.map(RGB), RGB @ SIMILAR.T, atol=1e-9)


def test_it_survives_the_file() -> None:
    calibration = fit_calibration(RGB, RGB @ SHEARED.T, "affine")
    again = Calibration.from_dict(json.loads(json.dumps(calibration.to_dict())))
    np.testing.assert_array_equal(again.matrix, calibration.matrix)
    assert (again.form, again.points, again.residual_px) == ("affine", 6, calibration.residual_px)


def test_boxes_are_mapped_in_place_and_time() -> None:
    calibration = fit_calibration(RGB, RGB * 0.5 + 10.0)
    boxes = np.array([[100.0, 100.0, 200.0, 240.0], [np.nan] * 4, [120.0, 100.0, 220.0, 240.0]])
    np.testing.assert_allclose(calibration.boxes(boxes)[0], [60.0, 60.0, 110.0, 130.0], atol=1e-9)
    found = calibration.boxes_at([0.1, 0.2, 0.3, 5.0], boxes, [0.0, 0.2, 0.4])
    np.testing.assert_allclose(found[:3, 0], [62.5, 65.0, 67.5], atol=1e-9)
    assert np.isnan(found[3]).all()
    assert np.isnan(calibration.boxes_at([0.0, 1.0], boxes[1:2], [0.0])).all()


@pytest.mark.parametrize(
    "rgb,thermal,form,says",
    [
        (RGB[:1], RGB[:1], "similarity", "too few"),
        (RGB[:2], RGB[:2], "affine", "too few"),
        (RGB, RGB[:3], "similarity", "no pairs"),
        (RGB[[0, 0]], RGB[:2], "similarity", "one line"),
        (np.outer([1, 2, 3, 4], [1.0, 2.0]), RGB[:4], "affine", "one line"),
        (np.where(RGB == 80.0, np.nan, RGB), RGB, "affine", "no number"),
    ],
)
def test_points_that_say_nothing_are_refused(
    rgb: np.ndarray, thermal: np.ndarray, form: Form, says: str
) -> None:
    with pytest.raises(DataError, match=says):
        fit_calibration(rgb, thermal, form)


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"form": "affine"},
        {"form": "bent", "matrix": [[1, 0, 0], [0, 1, 0]], "residual_px": 0, "points": 3},
    ],
)
def test_another_file_is_no_calibration(stored: dict) -> None:
    with pytest.raises(DataError, match="fit it again"):
        Calibration.from_dict(stored)
