"""Faces that both cameras saw tell how the pictures lie, also among many that were no faces."""

from __future__ import annotations

import json

import numpy as np
import pytest

from emolab.core.errors import DataError
from emolab.signals.measures import Array
from emolab.signals.thermal.calibration import BEYOND, Calibration
from emolab.signals.thermal.pairing import fit_faces

SCALE, TURN = 0.45, np.deg2rad(3.0)
MATRIX = SCALE * np.array([[np.cos(TURN), -np.sin(TURN)], [np.sin(TURN), np.cos(TURN)]])
SHIFT = np.array([12.0, -4.0])
FACE = (90.0, 118.0)  # px in the RGB picture
HEAD = (1.1, 1.25)  # a head is larger than the box of its face
RISE = 0.1  # and its middle higher, in its heights


def pairs(
    n: int = 200, way_px: float = 60.0, noise_px: float = 0.5, wrong: float = 0.0, seed: int = 1
) -> tuple[Array, Array]:
    """Boxes of a face that moves by `way_px` about the middle; `wrong`: share of them of something else."""
    rng = np.random.default_rng(seed)
    middle = np.array([320.0, 220.0]) + way_px * rng.uniform(-1, 1, (n, 2))
    half = np.array(FACE) / 2 * rng.normal(1.0, 0.02, (n, 1))
    faces = np.concatenate([middle - half, middle + half], axis=1)
    heads_half = half * SCALE * np.array(HEAD)
    there = middle @ MATRIX.T + SHIFT - [0.0, RISE * FACE[1] * SCALE] + noise_px * rng.normal(size=(n, 2))
    is_wrong = rng.random(n) < wrong
    there[is_wrong] = rng.uniform(20, 250, (int(is_wrong.sum()), 2))
    return faces, np.concatenate([there - heads_half, there + heads_half], axis=1)


def truth(faces: Array) -> Array:
    middle = (faces[:, :2] + faces[:, 2:]) / 2
    return middle @ MATRIX.T + SHIFT - [0.0, RISE * FACE[1] * SCALE]


def off_px(calibration: Calibration, faces: Array) -> Array:
    boxes = calibration.boxes(faces)
    return np.linalg.norm((boxes[:, :2] + boxes[:, 2:]) / 2 - truth(faces), axis=1)


@pytest.mark.parametrize("wrong", [0.0, 0.2, 0.35])
def test_heads_are_where_the_map_puts_them_though_some_faces_were_none(wrong: float) -> None:
    calibration = fit_faces(*pairs(wrong=wrong))
    unseen, heads = pairs(seed=7, way_px=55.0, noise_px=0.0)
    assert off_px(calibration, unseen).max() < 0.05 * FACE[0] * SCALE
    np.testing.assert_allclose(calibration.boxes(unseen), heads, atol=3.0)
    assert calibration.points == pytest.approx(200 * (1 - wrong), rel=0.12)
    assert 0.3 < calibration.residual_px < 2.5


def test_a_face_that_stays_in_its_place_tells_enough_for_that_place() -> None:
    calibration = fit_faces(*pairs(way_px=3.0))
    near, _ = pairs(seed=5, way_px=20.0)
    assert off_px(calibration, near).max() < 0.06 * FACE[0] * SCALE


def test_nothing_is_said_of_places_and_distances_where_no_face_was() -> None:
    calibration = fit_faces(*pairs(way_px=20.0))
    faces, _ = pairs(1, way_px=0.0, noise_px=0.0)
    beyond = 20.0 + BEYOND * FACE[1] + 6.0
    for move in ([beyond, 0], [-beyond, 0], [0, beyond], [0, -beyond]):
        assert np.isnan(calibration.boxes(faces + np.array([*move, *move]))).all()
    middle, half = (faces[:, :2] + faces[:, 2:]) / 2, (faces[:, 2:] - faces[:, :2]) / 2
    for times, is_told in ((1.0, True), (1.2, True), (1.5, False), (0.6, False)):
        resized = np.concatenate([middle - times * half, middle + times * half], axis=1)
        assert np.isfinite(calibration.boxes(resized)).all() == is_told


def test_it_is_stored_with_where_it_holds() -> None:
    calibration = fit_faces(*pairs())
    again = Calibration.from_dict(json.loads(json.dumps(calibration.to_dict())))
    faces, _ = pairs(seed=3, way_px=90.0)
    np.testing.assert_array_equal(again.boxes(faces), calibration.boxes(faces))
    for name, value in (
        ("size", [1.0]),
        ("seen_px", [1, 2, 3, "left"]),
        ("face_px", 0.0),
        ("size", [1, np.inf]),
    ):
        with pytest.raises(DataError, match="no calibration of two cameras"):
            Calibration.from_dict({**calibration.to_dict(), name: value})


def test_moments_without_a_face_do_not_count() -> None:
    faces, heads = pairs()
    faces[::3], heads[1::3] = np.nan, np.nan
    calibration = fit_faces(faces, heads)
    assert calibration.points <= 67 and off_px(calibration, pairs(seed=9, way_px=50)[0]).max() < 3.0


def mirrored() -> tuple[Array, Array]:
    faces, heads = pairs()
    return faces, np.stack([160 - heads[:, 2], heads[:, 1], 160 - heads[:, 0], heads[:, 3]], axis=1)


def shaken() -> tuple[Array, Array]:
    return pairs(noise_px=4.5)


@pytest.mark.parametrize(
    ("rgb", "thermal", "why"),
    [
        (*pairs(19), "19 moments only"),
        (np.full((50, 4), np.nan), np.full((50, 4), np.nan), "0 moments only"),
        (*pairs(wrong=0.6), "agree on where the face is"),
        (*mirrored(), "mirrored"),
        (*shaken(), r"off by|agree on"),
        (pairs()[0], pairs(90)[1], "no pairs"),
        (pairs()[0][:, ::-1], pairs()[1], "0 moments only"),
    ],
)
def test_a_poor_fit_is_refused_with_its_reason(rgb: Array, thermal: Array, why: str) -> None:
    with pytest.raises(DataError, match=why):
        fit_faces(rgb, thermal)
