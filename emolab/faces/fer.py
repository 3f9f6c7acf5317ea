"""The contract of every expression model: grey faces in, calibrated probabilities of seven classes out.

    model = load("small")
    model.probabilities(faces)      # (n, 48, 48) uint8 → (n, 7) float32, rows sum to 1
    model.card.weights_sha256       # by which weights, for the ledger

A name is looked for in the package, then in the user's folder of models; a path ending in `.safetensors`
or `.onnx` is taken as it is, with its card beside it. Whoever gets `NoWeights` says "unknown".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import platformdirs
from numpy.typing import NDArray

from emolab.core.errors import ConfigError, NoWeights, WrongInput
from emolab.core.registry import resolve
from emolab.faces.card import Card, checked

__all__ = ["CLASSES", "GROUPS", "GROUP_OF", "MODELS", "SIDE_PX", "ExpressionModel", "NoWeights", "load"]

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # FER2013's order
GROUPS = ("negative", "neutral", "positive")
GROUP_OF = {  # surprise is positive, as in table I of the EmoMusic paper
    "angry": "negative",
    "disgust": "negative",
    "fear": "negative",
    "happy": "positive",
    "sad": "negative",
    "surprise": "positive",
    "neutral": "neutral",
}
SIDE_PX = 48

# name: what makes a model from its card and weights
MODELS = {
    "small": "emolab.faces.network_model:NetworkModel",
    "vgg19": "emolab.faces.network_model:NetworkModel",
}
_BY_SUFFIX = {
    ".safetensors": "emolab.faces.network_model:NetworkModel",
    ".onnx": "emolab.faces.onnx_model:OnnxModel",
}


@runtime_checkable
class ExpressionModel(Protocol):
    """Judges faces; the same face gets the same answer, alone or among others."""

    @property
    def card(self) -> Card:
        """Data, figures, temperature and hash of the weights in use."""
        ...

    def probabilities(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """`faces`: `(n, 48, 48)` uint8 grey, n may be 0. Returns `(n, 7)`, rows sum to 1, as in `CLASSES`."""
        ...


def places() -> list[Path]:
    """Folders in which a model is looked for by name, the first wins."""
    return [Path(__file__).parent / "weights", Path(platformdirs.user_data_dir("emolab")) / "models"]


def load(name_or_path: str | Path, folders: Sequence[Path] | None = None) -> ExpressionModel:
    """The expression model `small`, `vgg19`, or that of a `.safetensors` or `.onnx` file.

    Raises `NoWeights` when there are none (or others than the card says), `ConfigError` when nothing is
    known under that name, `ModelError` when file and card do not belong together.
    """
    path = Path(name_or_path)
    if path.suffix in _BY_SUFFIX:
        if not path.is_file():
            raise NoWeights(f"there is no model file {path}; check the path")
        return _made(_BY_SUFFIX, path.suffix, *_own(path))
    name = str(name_or_path)
    if name not in MODELS:
        known = ", ".join(sorted(MODELS))
        raise ConfigError(
            f"unknown expression model {name!r}; known are {known}, or a .safetensors or .onnx file"
        )
    looked = places() if folders is None else list(folders)
    for folder in looked:
        if (folder / f"{name}.safetensors").is_file():
            return _made(MODELS, name, *_own(folder / f"{name}.safetensors"))
    raise NoWeights(
        f"no weights of the expression model {name!r} in {' or '.join(map(str, looked))}; "
        f"train it with 'emolab train fer --model {name}' or copy {name}.safetensors and {name}.json there"
    )


def checked_faces(faces: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`faces` as they are; `WrongInput` when they are not `(n, 48, 48)` uint8."""
    if faces.ndim != 3 or faces.shape[1:] != (SIDE_PX, SIDE_PX) or faces.dtype != np.uint8:
        raise WrongInput(f"faces are {faces.dtype} {faces.shape}; this takes uint8 (n, {SIDE_PX}, {SIDE_PX})")
    return faces


def _own(path: Path) -> tuple[Card, Path]:
    """The card beside these weights, which speaks of them and no others."""
    card, weights = checked(path.with_suffix(".json"))
    if weights.name != path.name:
        raise NoWeights(
            f"{path.with_suffix('.json')} speaks of weights {card.weights!r}, not of {path.name}; "
            "copy the card that belongs to them"
        )
    return card, weights


def _made(registry: dict[str, str], name: str, card: Card, weights: Path) -> ExpressionModel:
    made: ExpressionModel = resolve(registry, name, "expression model")(card, weights)
    return made
