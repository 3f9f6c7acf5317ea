"""What every model says of itself, and how one is made by its name.

    model = make("rtcan")
    model.spec.inputs[0].shape      # (3, 2500)

No torch is loaded by this file; `make` loads it for the models that need it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emolab.core.errors import MissingExtra
from emolab.core.registry import resolve
from emolab.models import MODELS


@dataclass(frozen=True)
class Input:
    """One array that goes in: `shape` without the first axis, which counts the trials."""

    modality: str
    shape: tuple[int, ...]
    what: str


@dataclass(frozen=True)
class Spec:
    """The facts of a model: `paper` with its DOI, `inputs` in the order of the call, what comes out.

    `parameters`: how many numbers are learnt; None where that hangs on the data.
    """

    name: str
    paper: str
    inputs: tuple[Input, ...]
    classes: int
    parameters: int | None


def make(name: str) -> Any:
    """The model registered as `name`, as it is by default.

    Raises `ConfigError` for an unknown name, `MissingExtra` where torch is needed and is not there.
    """
    try:
        return resolve(MODELS, name, "model")()
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"the model {name!r} needs {error.name}, which is not installed; pip install 'emolab[faces]'"
        ) from error
