"""Ratings out of the tonic or the phasic part of skin conductance: linear, and by support vectors.

The pre-experiment of Yin et al. 2019, doi:10.1109/ICIP.2019.8803627 (specification 03 §3.6). Which figures
they took is not told; here it is the 28 of the 128 that are no cepstral coefficients, or, with
`input="waveform"`, the part itself as 100 points. Expect little: they report correlations up to 0.09.

    model = Svr().fit(train)                        # train.ratings: (n, 2), valence and arousal
    model.predict((figures,), "arousal")            # (n,), on the scale of the ratings

Support vectors leave errors up to ε = 0.1 free, which is of a scale from 0 to 1: ratings that go beyond are
brought to it by the least and the greatest of the training rows, and guesses brought back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import ConfigError, ModelError, NotFitted
from emolab.models.choices import Choice
from emolab.models.classifier import Input, Spec, Told
from emolab.models.examples import Examples, Rows
from emolab.models.tabular import keep, kept, matching, scaled, scaling, table_of, told_number

Axis = Literal["valence", "arousal"]

PAPER = "Yin et al. 2019, doi:10.1109/ICIP.2019.8803627"
AXES = ("valence", "arousal")
USUAL = "figures"
TAKEN = {  # of a part: how many numbers, and what they are
    USUAL: (28, "plain figures of the {} part"),
    "waveform": (100, "the {} part in 100 points, evenly over the trial"),
}
CHOICES = {"input": Choice("what goes in of that part, 28 figures or 100 points", tuple(TAKEN), USUAL)}
WEAKEST = 1e-3  # of the strongest direction among points, which are nearly collinear; below are roundings
C, FREE = 1.0, 0.1  # specification 03 §3.6
AT_ONCE = 1 << 22  # numbers

Array = NDArray[np.float64]


class _OfPart:
    """What both kinds share: which part they are of, and what of it goes in."""

    name: str
    what: str
    component: str

    def __init__(self, input: str = USUAL) -> None:
        if input not in TAKEN:
            raise ConfigError(f"{self.name} has no input {input!r}; known are {', '.join(TAKEN)}")
        self.input = input
        self.arrays: dict[str, NDArray[Any]] = {}

    @property
    def options(self) -> dict[str, str]:
        """How it is made, where that is not as usual."""
        return {} if self.input == USUAL else {"input": self.input}

    @property
    def size(self) -> int:
        """How many numbers go in."""
        return TAKEN[self.input][0]

    @property
    def spec(self) -> Spec:
        """Its paper and what goes in."""
        size, words = TAKEN[self.input]
        suffix = "features" if self.input == USUAL else self.input
        taken = Input(f"eda_{self.component}_{suffix}", (size,), words.format(self.component))
        return Spec(f"{self.what} on the {self.component} part", PAPER, (taken,), 0, self._parameters)

    @property
    def _parameters(self) -> int | None:
        """None where that hangs on the data."""
        return None


class Mlr(_OfPart):
    """Multivariate linear regression on the phasic part, by least squares. `input`: a key of `TAKEN`."""

    name, what, component = "mlr", "linear regression", "phasic"

    @property
    def how(self) -> str:
        """How it learns, in words."""
        if self.input == USUAL:
            return "ordinary least squares, with nothing to set"
        return (
            f"least squares, without directions weaker than {WEAKEST:g} of the strongest, which are roundings"
        )

    @property
    def _parameters(self) -> int:
        return len(AXES) * (self.size + 1)

    def fit(
        self,
        train: Examples,
        valid: Examples | None = None,
        *,
        seed: int = 0,
        on_epoch: Told | None = None,
        folder: Path | None = None,
    ) -> Self:
        """Learn the ratings of `train`, both axes; nothing is drawn by lot and nothing stopped early."""
        from sklearn.linear_model import LinearRegression

        table, ratings = table_of(train.inputs, self.spec), _ratings(train)
        middle, spread = scaling(table)
        rows = scaled(table, middle, spread)
        if self.input == USUAL:
            found = LinearRegression().fit(rows, ratings)
            slopes, offsets = found.coef_, found.intercept_
        else:  # columns of `rows` have mean 0
            offsets = ratings.mean(0)
            slopes = np.linalg.lstsq(rows, ratings - offsets, rcond=WEAKEST)[0].T
        self.arrays = {"middle": middle, "spread": spread, "slopes": slopes, "offsets": offsets}
        return self

    def predict(self, inputs: Sequence[Rows], axis: Axis = "valence") -> Array:
        """Ratings `(n,)` of one axis."""
        rows, k = _rows(self, inputs), AXES.index(axis)
        return np.asarray(rows @ self.arrays["slopes"][k] + self.arrays["offsets"][k])

    def save(self, folder: Path) -> None:
        """Write card and arrays into `folder`."""
        _saved(self, folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """What `save` wrote; `ModelError` for anything else."""
        arrays, _ = kept(folder, cls.name)
        model = cls(_input_of(arrays))
        size = model.size
        columns = {"middle": (size,), "spread": (size,)}
        matching(arrays, {**columns, "slopes": (2, size), "offsets": (2,)}, folder)
        model.arrays = arrays
        return model


class MlrTonic(Mlr):
    """The same on the tonic part."""

    name, component = "mlr_tonic", "tonic"


class Svr(_OfPart):
    """Support vector regression with a Gaussian kernel on the phasic part.

    `c`: what an error costs. `input`: a key of `TAKEN`.
    """

    name, what, component = "svr", "support vector regression", "phasic"

    def __init__(self, c: float = C, input: str = USUAL) -> None:
        super().__init__(input)
        self.c = c

    def fit(
        self,
        train: Examples,
        valid: Examples | None = None,
        *,
        seed: int = 0,
        on_epoch: Told | None = None,
        folder: Path | None = None,
    ) -> Self:
        """Learn the ratings of `train`, each axis for itself; nothing is drawn by lot."""
        from sklearn.svm import SVR

        table, ratings = table_of(train.inputs, self.spec), _ratings(train)
        middle, spread = scaling(table)
        rows = scaled(table, middle, spread)
        width = 1 / (rows.shape[1] * rows.var()) if rows.any() else 1.0
        arrays = {"middle": middle, "spread": spread, "width": np.array([width])}
        for k, axis in enumerate(AXES):
            least, size = _scale(ratings[:, k])
            found = SVR(C=self.c, epsilon=FREE, gamma=width).fit(rows, (ratings[:, k] - least) / size)
            arrays[f"{axis}_vectors"] = rows[found.support_]
            arrays[f"{axis}_weights"] = found.dual_coef_[0]
            arrays[f"{axis}_line"] = np.array([found.intercept_[0], least, size])
        self.arrays = arrays
        return self

    def predict(self, inputs: Sequence[Rows], axis: Axis = "valence") -> Array:
        """Ratings `(n,)` of one axis."""
        from scipy.spatial.distance import cdist

        rows = _rows(self, inputs)
        vectors, weights = self.arrays[f"{axis}_vectors"], self.arrays[f"{axis}_weights"]
        offset, least, size = self.arrays[f"{axis}_line"]
        if not len(vectors):  # all ratings within ε of one another
            return np.full(len(rows), offset * size + least)
        step = max(AT_ONCE // len(vectors), 1)
        found = np.empty(len(rows))
        for at in range(0, len(rows), step):
            near = np.exp(-self.arrays["width"][0] * cdist(rows[at : at + step], vectors, "sqeuclidean"))
            found[at : at + step] = near @ weights
        return (found + offset) * size + least

    def save(self, folder: Path) -> None:
        """Write card and arrays into `folder`."""
        _saved(self, folder, c=self.c)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """What `save` wrote; `ModelError` for anything else."""
        arrays, card = kept(folder, cls.name)
        model = cls(told_number(card, "c", C, folder), _input_of(arrays))
        size = model.size
        shapes: dict[str, tuple[int | str, ...]] = {"middle": (size,), "spread": (size,), "width": (1,)}
        for axis in AXES:
            shapes |= {f"{axis}_vectors": (axis, size), f"{axis}_weights": (axis,), f"{axis}_line": (3,)}
        matching(arrays, shapes, folder)
        model.arrays = arrays
        return model


class SvrTonic(Svr):
    """The same on the tonic part."""

    name, component = "svr_tonic", "tonic"


def _input_of(arrays: dict[str, NDArray[Any]]) -> str:
    """What went in, by how many numbers were scaled; whether all else is of that size is looked at later."""
    sizes = {size: name for name, (size, _) in TAKEN.items()}
    return sizes.get(arrays["middle"].size if "middle" in arrays else 0, USUAL)


def _ratings(train: Examples) -> Array:
    if train.ratings is None or not len(train):
        raise ModelError("a regression learns ratings, of which these examples have none")
    if bad := int((~np.isfinite(train.ratings)).any(1).sum()):
        raise ModelError(f"{bad} of {len(train)} rows were not rated; leave them out")
    return train.ratings


def _scale(ratings: Array) -> tuple[float, float]:
    """What is 0, and how far it is from there to 1."""
    low, high = float(ratings.min()), float(ratings.max())
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    return low, (high - low) or 1.0


def _rows(model: Mlr | Svr, inputs: Sequence[Rows]) -> Array:
    if not model.arrays:
        raise NotFitted(f"{model.name} has learnt nothing yet; fit it, or load it")
    return scaled(table_of(inputs, model.spec), model.arrays["middle"], model.arrays["spread"])


def _saved(model: Mlr | Svr, folder: Path, **facts: float) -> None:
    if not model.arrays:
        raise NotFitted(f"{model.name} has learnt nothing that could be saved")
    keep(folder, model.name, model.arrays, facts)
