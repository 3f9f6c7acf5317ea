"""The map between two cameras from the faces that both saw, however many of them were something else.

    calibration = fit_faces(rgb_boxes, thermal_boxes)      # the same moments, a row each

A face's box in the colour picture ends at brow and chin, a head's in the thermal one at its top: what is
fitted is where the middle of the one is in the other, and how large. The sides of each pair are brought
together. So a face that stays in one place still tells the scale by its width, and one that moves, by its
way; `Calibration.boxes` says nothing of places where no face was.

What both saw wrongly (a poster, a lamp) does not take part: of many maps through two moments each, that is
taken on which most moments agree, and fitted again to those (Fischler & Bolles 1981,
doi:10.1145/358669.358692).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emolab.core.errors import DataError
from emolab.signals.measures import Array
from emolab.signals.thermal.calibration import Calibration, fit_calibration

LEAST_PAIRS = 20
TRIES = 300
AGREES = 0.15  # of the head's width: the nose ends half of that beside its middle
SAME_SIZE = 1.25  # times as wide as the map says
LEAST_AGREEING = 0.6  # of the pairs
WORST = 0.1  # residual in widths of the head: the nose is a quarter of it wide
SEEN_PERCENT = (2.0, 98.0)


def fit_faces(rgb_boxes: ArrayLike, thermal_boxes: ArrayLike) -> Calibration:
    """The map that brings faces `(n, 4)` of the RGB picture to heads `(n, 4)` of the thermal one.

    Boxes px left, top, right, bottom at the same moments; NaN rows where one camera saw none. `points` of the
    result: the pairs that agree. Raises `DataError` saying why when no map can be believed: fewer than 20
    pairs, less than 60 % of them agree, or a residual above a tenth of the head's width.
    """
    faces, heads = np.asarray(rgb_boxes, np.float64), np.asarray(thermal_boxes, np.float64)
    if faces.shape != heads.shape or faces.ndim != 2 or faces.shape[1] != 4:
        raise DataError(f"boxes of shape {faces.shape} and {heads.shape} are no pairs; give (n, 4) of each")
    with np.errstate(invalid="ignore"):
        is_pair = np.isfinite(faces).all(axis=1) & np.isfinite(heads).all(axis=1)
        is_pair &= (faces[:, 2] > faces[:, 0]) & (faces[:, 3] > faces[:, 1])
        is_pair &= (heads[:, 2] > heads[:, 0]) & (heads[:, 3] > heads[:, 1])
    faces, heads = faces[is_pair], heads[is_pair]
    if len(faces) < LEAST_PAIRS:
        raise DataError(
            f"both cameras saw one face at {len(faces)} moments only; {LEAST_PAIRS} are needed: let "
            "somebody sit before both, lit and uncovered, for half a minute"
        )
    agrees = _agreeing(faces, heads)
    for _ in range(3):
        fitted = _fit(faces[agrees], heads[agrees])
        agrees, before = _errors(fitted, faces, heads) < AGREES, agrees
        if agrees.sum() < LEAST_PAIRS or np.array_equal(agrees, before):
            agrees = before if agrees.sum() < LEAST_PAIRS else agrees
            break
    return _believed(faces[agrees], heads[agrees], len(faces))


def _believed(faces: Array, heads: Array, pairs: int) -> Calibration:
    share = len(faces) / pairs
    if share < LEAST_AGREEING or len(faces) < LEAST_PAIRS:
        raise DataError(
            f"the cameras agree on where the face is at {share:.0%} of {pairs} moments only; nobody else and "
            "nothing as warm may be in the picture, neither camera may move, and neither picture be mirrored"
        )
    fitted = _fit(faces, heads)
    off = fitted.map(_middles(faces)) - _middles(heads)
    residual_px = float(np.sqrt(np.mean(np.sum(off**2, axis=1))))
    wide_px = float(np.median(heads[:, 2] - heads[:, 0]))
    if residual_px > WORST * wide_px:
        raise DataError(
            f"the map is off by {residual_px:.1f} px, {residual_px / wide_px:.0%} of the head's width; sit "
            "at the distance of a session, move slowly, and do not turn the head"
        )
    seen = np.percentile(_middles(faces), SEEN_PERCENT, axis=0).ravel()
    size = np.median((heads[:, 2:] - heads[:, :2]) / (faces[:, 2:] - faces[:, :2]), axis=0)
    face_px = float(np.median(faces[:, 3] - faces[:, 1]))
    return replace(
        fitted, residual_px=residual_px, points=len(faces), size=size, seen_px=seen, face_px=face_px
    )


def _agreeing(faces: Array, heads: Array) -> NDArray[np.bool_]:
    """The pairs of the map through two moments on which most agree."""
    draws = np.random.default_rng(0).integers(0, len(faces), (TRIES, 2))
    best, most = np.zeros(len(faces), dtype=bool), (-1, -np.inf)
    for draw in draws:
        errors = _errors(_fit(faces[draw], heads[draw]), faces, heads)
        agrees = errors < AGREES
        told = (int(agrees.sum()), -float(errors[agrees].sum()))
        if told > most:
            best, most = agrees, told
    return best


def _fit(faces: Array, heads: Array) -> Calibration:
    return fit_calibration(_cheeks(faces), _cheeks(heads))


def _errors(fitted: Calibration, faces: Array, heads: Array) -> Array:
    """How far off each head's middle is, in its widths; infinite where it is of another size."""
    wide = heads[:, 2] - heads[:, 0]
    off = np.linalg.norm(fitted.map(_middles(faces)) - _middles(heads), axis=1) / wide
    ratio = np.linalg.norm(fitted.matrix[:, 0]) * (faces[:, 2] - faces[:, 0]) / wide
    return np.where((ratio < SAME_SIZE) & (ratio * SAME_SIZE > 1.0), off, np.inf)


def _middles(boxes: Array) -> Array:
    return np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2], axis=1)


def _cheeks(boxes: Array) -> Array:
    """The middles of the left and right sides, `(2 n, 2)`."""
    y = (boxes[:, 1] + boxes[:, 3]) / 2
    return np.concatenate([np.stack([boxes[:, 0], y], axis=1), np.stack([boxes[:, 2], y], axis=1)])
