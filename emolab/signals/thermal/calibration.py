"""From the RGB camera's pixels to the thermal camera's: a map fitted from pairs of points.

    calibration = fit_calibration(rgb_px, thermal_px)      # the same marks seen by both cameras
    calibration.residual_px                                # how well it fits
    text = json.dumps(calibration.to_dict())               # beside the study; `from_dict` reads it back

The cameras stand side by side, so a plain map of the plane holds at one distance: that of the face. Warm
marks (a lamp, a coin held in the hand) at the participant's seat serve both cameras; so do the faces that
both saw (`pairing`), and then the map knows where and how large they were, and says nothing beyond.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emolab.core.errors import DataError, shown
from emolab.signals.measures import Array

Form = Literal["similarity", "affine"]
LEAST_POINTS = {"similarity": 2, "affine": 3}
FLAT = 1e-6  # of the points' spread: they lie on one line
BETWEEN_S = 0.5  # a face does not go far between two sights so near
BEYOND = 0.3  # of the face's height: how far beyond the faces it was fitted to a map is believed
NEARER = 1.3  # times as large or as small: a face at another distance, seen from two places


@dataclass(frozen=True)
class Calibration:
    """`matrix` `(2, 3)`: thermal px = matrix · (x, y, 1). `residual_px`: RMS of the pairs of its fit.

    Of a map fitted to faces, `size` `(2,)`: width and height of heads in the thermal picture, in those of
    the faces' boxes; `seen_px` `(4,)`: left, top, right, bottom of where the boxes' middles were; `face_px`:
    their usual height.
    """

    matrix: Array
    form: Form
    residual_px: float
    points: int
    size: Array | None = None
    seen_px: Array | None = None
    face_px: float = 0.0

    def map(self, points_px: ArrayLike) -> Array:
        """Points `(..., 2)` of the RGB picture, x and y, in the thermal picture."""
        points = np.asarray(points_px, dtype=np.float64)
        return np.asarray(points @ self.matrix[:, :2].T + self.matrix[:, 2])

    def boxes(self, boxes_px: ArrayLike) -> Array:
        """Boxes `(n, 4)` left, top, right, bottom: the upright boxes about their mapped corners' middles.

        Faces become heads where the map was fitted to them, and NaN where it cannot be believed.
        """
        box = np.asarray(boxes_px, dtype=np.float64).reshape(-1, 4)
        middle = self.map(np.stack([(box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2], axis=1))
        size = np.linalg.norm(self.matrix[:, :2], axis=0) if self.size is None else self.size
        half = np.stack([box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]], axis=1) / 2 * size
        mapped = np.concatenate([middle - half, middle + half], axis=1)
        mapped[~self._is_within(box)] = np.nan
        return mapped

    def _is_within(self, box: Array) -> NDArray[np.bool_]:
        """Which faces are where, and as large as, those of the fit."""
        if self.seen_px is None:
            return np.ones(len(box), dtype=bool)
        reach = BEYOND * self.face_px
        x, y, high = (box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2, box[:, 3] - box[:, 1]
        left, top, right, bottom = self.seen_px
        within = (x > left - reach) & (x < right + reach) & (y > top - reach) & (y < bottom + reach)
        return np.asarray(within & (high < NEARER * self.face_px) & (high * NEARER > self.face_px))

    def boxes_at(self, times_s: ArrayLike, boxes_px: ArrayLike, boxes_s: ArrayLike) -> Array:
        """The boxes `(n, 4)` at the thermal frames' `times_s` `(n,)`, NaN where no face was seen near.

        `boxes_px` `(m, 4)`, NaN rows where there is no face, seen at `boxes_s` `(m,)`, ascending.
        """
        asked_s, seen_s = np.asarray(times_s, np.float64), np.asarray(boxes_s, np.float64)
        mapped = self.boxes(boxes_px)
        is_seen = np.isfinite(mapped).all(axis=1)
        found = np.full((len(asked_s), 4), np.nan)
        if not is_seen.any():
            return found
        at_s, mapped = seen_s[is_seen], mapped[is_seen]
        after = np.searchsorted(at_s, asked_s)
        before_s, after_s = at_s[np.maximum(after - 1, 0)], at_s[np.minimum(after, len(at_s) - 1)]
        is_near = (np.abs(asked_s - before_s) <= BETWEEN_S) & (np.abs(after_s - asked_s) <= BETWEEN_S)
        for side in range(4):
            found[:, side] = np.interp(asked_s, at_s, mapped[:, side])
        found[~is_near] = np.nan
        return found

    def to_dict(self) -> dict[str, Any]:
        """All of it, JSON-able."""
        return {
            "form": self.form,
            "matrix": self.matrix.tolist(),
            "residual_px": self.residual_px,
            "points": self.points,
            "size": None if self.size is None else self.size.tolist(),
            "seen_px": None if self.seen_px is None else self.seen_px.tolist(),
            "face_px": self.face_px,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Calibration:
        """What `to_dict` gave. Raises `DataError` when it is something else."""
        try:
            form, matrix = stored["form"], np.asarray(stored["matrix"], dtype=np.float64)
            residual_px, points = float(stored["residual_px"]), int(stored["points"])
            size, seen_px = _optional(stored, "size", 2), _optional(stored, "seen_px", 4)
            face_px = float(stored.get("face_px", 0.0))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"this is no calibration of two cameras ({shown(stored)}); fit it again"
            ) from error
        is_known = form in LEAST_POINTS and (seen_px is None or face_px > 0)
        if matrix.shape != (2, 3) or not np.isfinite([*matrix.ravel(), residual_px, face_px]).all():
            is_known = False
        if not is_known:
            raise DataError(f"this is no calibration of two cameras ({shown(stored)}); fit it again")
        return cls(matrix, form, residual_px, points, size, seen_px, face_px)


def _optional(stored: Mapping[str, Any], name: str, count: int) -> Array | None:
    if stored.get(name) is None:
        return None
    told = np.asarray(stored[name], dtype=np.float64)
    if told.shape != (count,) or not np.isfinite(told).all():
        raise ValueError(name)
    return told


def fit_calibration(rgb_px: ArrayLike, thermal_px: ArrayLike, form: Form = "similarity") -> Calibration:
    """The map that brings the points `(n, 2)` of the RGB picture nearest to those of the thermal one.

    `similarity`: shift, turn and one scale, from two points on; for cameras side by side. `affine`: also
    shear and two scales, from three points on; where the pixels of one are not square.

    Raises `DataError` for too few points, points on one spot (for `affine`: on one line), or not as many
    in one picture as in the other.
    """
    source, target = np.asarray(rgb_px, np.float64), np.asarray(thermal_px, np.float64)
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] != 2:
        raise DataError(
            f"points of shape {source.shape} and {target.shape} are no pairs; give (n, 2) of each"
        )
    if len(source) < LEAST_POINTS[form]:
        raise DataError(f"{len(source)} pairs are too few: {form} needs {LEAST_POINTS[form]}, better six")
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise DataError("a point of the calibration is no number; mark it again")
    middle = source.mean(axis=0)
    spread = np.linalg.svd(source - middle, compute_uv=False)
    if spread[0] == 0.0 or (form == "affine" and spread[1] < FLAT * spread[0]):
        raise DataError("the points lie on one line; spread them over the picture")
    matrix = _affine(source, target) if form == "affine" else _similarity(source, target)
    off = source @ matrix[:, :2].T + matrix[:, 2] - target
    return Calibration(matrix, form, float(np.sqrt(np.mean(np.sum(off**2, axis=1)))), len(source))


def _affine(source: Array, target: Array) -> Array:
    design = np.column_stack([source, np.ones(len(source))])
    return np.asarray(np.linalg.lstsq(design, target, rcond=None)[0].T)


def _similarity(source: Array, target: Array) -> Array:
    """Least squares in the plane of complex numbers: target = turn · source + shift."""
    one, other = source @ [1, 1j], target @ [1, 1j]
    away = one - one.mean()
    turn = np.vdot(away, other - other.mean()) / np.vdot(away, away)
    shift = other.mean() - turn * one.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
