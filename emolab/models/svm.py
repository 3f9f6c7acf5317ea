"""Linear support vector machines: of the 128 figures of skin conductance, and of music alone.

Yin et al. 2022, doi:10.1145/3490686, compare RTCAN-1D with a linear SVM of C = 0.25 on z-scored figures
(specification 03 §3.3), Yin et al. 2019 Res-SIN with one on ComParE's 6373 figures of the music: since a song
has the same figures whoever hears it, that one remembers songs, unless folds keep them apart.

    model = Svm().fit(train)
    model.predict_proba((figures,))         # (n, 2)

Which class is called follows the plane alone. How sure it says to be is the distance from the plane times one
number, found where rows of a third of the participants are judged by the plane of the others, so that it is
right on people not seen before. Of more than two classes each has a plane against the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import NotFitted
from emolab.models.classifier import Input, Spec, Told
from emolab.models.examples import Examples, Rows
from emolab.models.tabular import (
    check_classes,
    keep,
    kept,
    matching,
    scaled,
    scaling,
    table_of,
    told_classes,
    told_number,
)

C = 0.25  # Yin et al. 2022
FIGURES, MUSIC = 128, 6373
JUDGED_IN = 3  # parts, to learn how sure to be
SUREST, LEAST_SURE = 20.0, 1e-3  # times the distance
WIDE = 1000  # columns, from which products of rows are reckoned once beforehand, ten times as fast
MOST_ROWS = 16_000  # of which the products take 2 GB

Array = NDArray[np.float64]


class Svm:
    """The linear SVM on hand-crafted figures. `c`: what a row on the wrong side costs."""

    name = "svm"
    of = Spec(
        "linear SVM on 128 features",
        "Yin et al. 2022, doi:10.1145/3490686",
        (Input("eda_features", (FIGURES,), "hand-crafted figures, z-scored by the training rows"),),
        2,
        FIGURES + 1,
    )

    def __init__(self, c: float = C) -> None:
        self.c = c
        self.classes: tuple[str, ...] = ()
        self.arrays: dict[str, NDArray[Any]] = {}

    @property
    def spec(self) -> Spec:
        """Its paper, what goes in, how many classes come out."""
        k = len(self.classes)
        if k < 3:
            return self.of
        return replace(self.of, classes=k, parameters=k * (self.of.inputs[0].shape[0] + 1))

    def fit(
        self,
        train: Examples,
        valid: Examples | None = None,
        *,
        seed: int = 0,
        on_epoch: Told | None = None,
        folder: Path | None = None,
    ) -> Self:
        """Learn from `train` alone; nothing is stopped early. `seed`: which participants judge how sure."""
        check_classes(train.labels, train.classes, self.name)
        table = table_of(train.inputs, self.of)
        middle, spread = scaling(table)
        rows = scaled(table, middle, spread)
        sides = _sides(train.labels, len(train.classes))
        products = rows @ rows.T if rows.shape[1] >= WIDE and len(rows) <= MOST_ROWS else None
        every = np.arange(len(rows))
        planes, offsets = _planes(rows, products, sides, every, self.c)
        distances, judged = _of_strangers(rows, products, sides, train.subjects, self.c, seed)
        present = np.bincount(train.labels, minlength=len(train.classes)) > 0
        self.classes = train.classes
        self.arrays = {
            "middle": middle,
            "spread": spread,
            "planes": planes,
            "offsets": offsets,
            "present": present.astype(np.uint8),
            "sureness": np.array([_sureness(distances, train.labels[judged], present)]),
        }
        return self

    def distances(self, inputs: Sequence[Rows]) -> Array:
        """How far on a class's side of its plane a row lies: `(n, k)`; of two, of the second alone."""
        if not self.arrays:
            raise NotFitted(f"{self.name} has learnt nothing yet; fit it, or load it")
        rows = scaled(table_of(inputs, self.of), self.arrays["middle"], self.arrays["spread"])
        return np.asarray(rows @ self.arrays["planes"].T + self.arrays["offsets"])

    def predict_proba(self, inputs: Sequence[Rows]) -> Array:
        """`(n, classes)`, rows of sum 1; a class that was not there to learn has 0."""
        distances = self.distances(inputs)
        return _probabilities(distances, float(self.arrays["sureness"][0]), self.arrays["present"] > 0)

    def save(self, folder: Path) -> None:
        """Write card and arrays into `folder`."""
        if not self.arrays:
            raise NotFitted(f"{self.name} has learnt nothing that could be saved")
        keep(folder, self.name, self.arrays, {"classes": list(self.classes), "c": self.c})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """What `save` wrote; `ModelError` for anything else."""
        arrays, card = kept(folder, cls.name)
        model = cls(told_number(card, "c", C, folder))
        model.classes = told_classes(card, folder)
        columns, k = cls.of.inputs[0].shape[0], len(model.classes)
        planes = 1 if k == 2 else k
        matching(
            arrays,
            {
                "middle": (columns,),
                "spread": (columns,),
                "planes": (planes, columns),
                "offsets": (planes,),
                "present": (k,),
                "sureness": (1,),
            },
            folder,
        )
        model.arrays = arrays
        return model


class MusicSvm(Svm):
    """The same on the figures of the music."""

    name = "music_svm"
    of = Spec(
        "linear SVM on music alone",
        "Yin et al. 2019, Res-SIN, and 2022, doi:10.1145/3490686",
        (Input("music", (MUSIC,), "ComParE functionals of the song, z-scored by the training rows"),),
        2,
        MUSIC + 1,
    )


def _sides(labels: NDArray[np.int64], k: int) -> NDArray[np.bool_]:
    """`(n, planes)`: is a row on the plane's own side?"""
    return labels[:, None] == (np.array([1]) if k == 2 else np.arange(k))


def _varies(sides: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(sides.any(0) & ~sides.all(0))


def _planes(
    rows: Array, products: Array | None, sides: NDArray[np.bool_], which: NDArray[np.intp], c: float
) -> tuple[Array, Array]:
    """Planes `(planes, columns)` and offsets of the rows `which`; of a class without rows there is none."""
    from sklearn.svm import SVC

    planes, offsets = np.zeros((sides.shape[1], rows.shape[1])), np.zeros(sides.shape[1])
    for k, side in enumerate(sides[which].T):
        if side.all() or not side.any():
            continue
        if products is None:
            found = SVC(kernel="linear", C=c).fit(rows[which], side)
            planes[k] = found.coef_[0]
        else:
            found = SVC(kernel="precomputed", C=c).fit(products[np.ix_(which, which)], side)
            planes[k] = found.dual_coef_[0] @ rows[which[found.support_]]
        offsets[k] = found.intercept_[0]
    return planes, offsets


def _of_strangers(
    rows: Array, products: Array | None, sides: NDArray[np.bool_], subjects: Any, c: float, seed: int
) -> tuple[Array, NDArray[np.intp]]:
    """Distances of rows from planes that others' rows gave, and which rows those are."""
    groups = np.unique(subjects, return_inverse=True)[1]
    if groups.max() + 1 < JUDGED_IN:
        groups = np.arange(len(rows))
    part = (np.random.default_rng(seed).permutation(groups.max() + 1) % JUDGED_IN)[groups]
    found, judged = [], []
    for k in range(JUDGED_IN):
        others, own = np.flatnonzero(part != k), np.flatnonzero(part == k)
        if len(own) and np.array_equal(_varies(sides[others]), _varies(sides)):
            planes, offsets = _planes(rows, products, sides, others, c)
            found.append(rows[own] @ planes.T + offsets)
            judged.append(own)
    if not found:
        return np.zeros((0, sides.shape[1])), np.zeros(0, np.intp)
    return np.concatenate(found), np.concatenate(judged)


def _sureness(distances: Array, labels: NDArray[np.int64], present: NDArray[np.bool_]) -> float:
    """What to multiply distances by, so that the labels become most likely; 1 where nobody could judge."""
    from scipy.optimize import minimize_scalar

    if not len(distances):
        return 1.0
    rows = np.arange(len(labels))

    def surprise(logarithm: float) -> float:
        likely = _probabilities(distances, float(np.exp(logarithm)), present)[rows, labels]
        return -float(np.log(np.maximum(likely, 1e-300)).mean())

    ends = (np.log(LEAST_SURE), np.log(SUREST))
    return float(np.exp(minimize_scalar(surprise, bounds=ends, method="bounded").x))


def _probabilities(distances: Array, sureness: float, present: NDArray[np.bool_]) -> Array:
    from scipy.special import softmax

    two = distances.shape[1] == 1
    logits = sureness * (np.hstack([-distances, distances]) / 2 if two else distances)
    return np.asarray(softmax(np.where(present, logits, -np.inf), axis=1))
