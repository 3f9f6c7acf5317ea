"""What every model says of itself, how one is made by its name, and what one that learns can do.

    model = make("rtcan")
    model.spec.inputs[0].shape      # (3, 2500)

No torch is loaded by this file; `make` loads it for the models that need it. A network becomes a `Classifier`
in `training.network`, which knows its recipe.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import MissingExtra
from emolab.core.registry import resolve
from emolab.models import MODELS
from emolab.models.examples import Examples, Rows

CARD, WEIGHTS = "classifier.json", "weights.safetensors"  # what `save` writes


@dataclass(frozen=True)
class Input:
    """One array that goes in: `shape` without the first axis, which counts the trials."""

    modality: str
    shape: tuple[int, ...]
    what: str


@dataclass(frozen=True)
class Spec:
    """The facts of a model: `paper` with its DOI, `inputs` in the order of the call, what comes out.

    `classes`: 0 for a regression. `parameters`: how many numbers are learnt; None where that hangs on the
    data.
    """

    name: str
    paper: str
    inputs: tuple[Input, ...]
    classes: int
    parameters: int | None


@dataclass(frozen=True)
class Epoch:
    """One line of how a model learnt: `epoch` counts from 1, losses are cross-entropies.

    `valid_loss`, `valid_score` (macro-F1): of the rows held back; NaN without any. `seconds`: it took;
    `left_s`: that it will take to the last epoch, when it is not stopped before.
    """

    epoch: int
    epochs: int
    rate: float
    loss: float
    valid_loss: float
    valid_score: float
    seconds: float
    left_s: float


Told = Callable[[Epoch], None]


@runtime_checkable
class Classifier(Protocol):
    """A model that learns classes. Regressors have `predict(inputs) -> (n,)` for `predict_proba`."""

    @property
    def spec(self) -> Spec:
        """Its paper, what goes in, how many classes come out."""
        ...

    def fit(
        self,
        train: Examples,
        valid: Examples | None = None,
        *,
        seed: int = 0,
        on_epoch: Told | None = None,
        folder: Path | None = None,
    ) -> Self:
        """Learn from `train`; `valid` decides when to stop, scalings come from `train` alone.

        `folder`: where what has been learnt is kept after each epoch, and where learning goes on from after
        it was killed. Raises `ModelError` for one class alone, `WrongInput` for inputs of another shape or
        that are no numbers.
        """
        ...

    def predict_proba(self, inputs: Sequence[Rows]) -> NDArray[np.float64]:
        """`(n, classes)`, rows of sum 1. Raises `NotFitted` before `fit` or `load`, `WrongInput` as `fit`."""
        ...

    def save(self, folder: Path) -> None:
        """Write `classifier.json` and `weights.safetensors` into `folder`; nothing of it is a pickle."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """What `save` wrote; `ModelError` for the weights of another model, cut short, or pickled."""
        ...


def make(name: str, **chosen: Any) -> Any:
    """The model registered as `name`, as it is by default but for what is `chosen` (see `choices`).

    Raises `ConfigError` for an unknown name, `MissingExtra` where torch is needed and is not there.
    """
    try:
        return resolve(MODELS, name, "model")(**chosen)
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"the model {name!r} needs {error.name}, which is not installed; pip install 'emolab[faces]'"
        ) from error
