"""What models of figures share: rows checked, columns scaled by what was learnt from, arrays kept as files.

    table = table_of(inputs, spec)                  # (n, columns) float64
    middle, spread = scaling(table)                 # of training rows; `scaled(table, middle, spread)`
    keep(folder, "svm", arrays, facts); arrays, facts = kept(folder, "svm")

What was learnt is arrays and facts, and nothing else: a file of arrays (safetensors), and a card (JSON) that
holds the facts and the digest of the arrays. Neither can carry a program, as a pickle could.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import MissingExtra, ModelError, WrongInput, shown
from emolab.models.classifier import CARD, WEIGHTS, Spec
from emolab.models.examples import Rows

FLAT = 1e-12  # of its size: a column that varies by less does not vary
FORMAT = 1

Array = NDArray[np.float64]


def table_of(inputs: Sequence[Rows], spec: Spec) -> Array:
    """The one input as `(n, columns)`; `WrongInput` for another shape, NaN and infinity."""
    (wanted,) = spec.inputs
    shapes = [tuple(one.shape) for one in inputs]
    if len(inputs) != 1 or shapes[0][1:] != wanted.shape:
        told = " and ".join(map(str, shapes)) or "nothing"
        raise WrongInput(f"{spec.name} takes {wanted.modality} (n, {wanted.shape[0]}), not {told}")
    table = np.asarray(inputs[0][:], np.float64)
    if bad := np.flatnonzero(~np.isfinite(table).all(1)).tolist():
        raise WrongInput(f"{wanted.modality} of row {bad[0]} holds NaN or infinity; leave that trial out")
    return table


def scaling(table: Array) -> tuple[Array, Array]:
    """Middle and spread of each column; the spread of a column that does not vary is infinite."""
    spread = table.std(0)
    flat = spread <= FLAT * np.abs(table).max(0)
    return table.mean(0), np.where(flat, np.inf, spread)


def scaled(table: Array, middle: Array, spread: Array) -> Array:
    """Columns z-scored by what was learnt; those that did not vary there are 0."""
    return (table - middle) / spread


def keep(folder: Path, model: str, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
    """Write card and arrays; the card last, so that a half-written model is none."""
    content = _safetensors().save(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()}, {"model": model}
    )
    card = {"format": FORMAT, "model": model, "sha256": hashlib.sha256(content).hexdigest(), **facts}
    folder.mkdir(parents=True, exist_ok=True)
    _written(folder / WEIGHTS, content)
    _written(folder / CARD, json.dumps(card, indent=1).encode())


def kept(folder: Path, model: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """What `keep` wrote: arrays and card. `ModelError` for another model's, for half of one, for a pickle."""
    library = _safetensors()
    from safetensors import SafetensorError

    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        content = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise ModelError(f"{folder} holds no trained model: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{folder / CARD} is no card of a model: {error}") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise ModelError(f"{folder / CARD} is no card that this version of emolab reads")
    if card.get("model") != model:
        raise ModelError(f"{folder} holds a model {card.get('model')!r}, not {model!r}")
    if card.get("sha256") != hashlib.sha256(content).hexdigest():
        raise ModelError(f"{folder / WEIGHTS} is not the file that its card speaks of; copy the folder again")
    try:
        return library.load(content), card
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / WEIGHTS} holds no arrays: {error}") from error


def matching(
    arrays: Mapping[str, NDArray[Any]], shapes: Mapping[str, tuple[int | str, ...]], folder: Path
) -> dict[str, int]:
    """Check names and shapes of loaded arrays; a word in a shape stands for one size, and is given back."""
    sizes: dict[str, int] = {}
    if arrays.keys() != shapes.keys():
        raise ModelError(f"{folder} holds arrays {sorted(arrays)}, not {sorted(shapes)}")
    for name, shape in shapes.items():
        found = arrays[name].shape
        wanted = tuple(
            sizes.setdefault(one, there) if isinstance(one, str) else one
            for one, there in zip(shape, found, strict=False)
        )
        if found != wanted or len(found) != len(shape):
            raise ModelError(f"{folder}: {name} is {found}, not {shape}")
        if np.isnan(arrays[name]).any():
            raise ModelError(f"{folder}: {name} holds NaN")
    return sizes


def check_classes(labels: NDArray[np.int64], classes: Sequence[str], model: str) -> None:
    """`ModelError` unless there are rows of two classes to tell apart."""
    there = [classes[c] for c in np.unique(labels)]
    if len(there) < 2:
        only = f"all {len(labels)} rows are {there[0]!r}" if there else "there are no rows"
        raise ModelError(f"{model} has nothing to tell apart: {only}; take other folds or other labels")


def told_classes(card: Mapping[str, Any], folder: Path) -> tuple[str, ...]:
    """The classes that a card tells."""
    classes = card.get("classes")
    if not isinstance(classes, list) or not all(isinstance(one, str) for one in classes):
        raise ModelError(f"{folder / CARD} tells no classes")
    if len(set(classes)) < max(len(classes), 2):
        raise ModelError(f"{folder / CARD} tells no classes, each named once")
    return tuple(classes)


def told_number(card: Mapping[str, Any], name: str, usual: float, folder: Path) -> float:
    """A number that a card tells, or the usual one."""
    value = card.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ModelError(f"{folder / CARD}: {name} {shown(value)} is no number")
    return value


def _written(path: Path, content: bytes) -> None:
    half = path.with_suffix(".part")
    with half.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ModuleNotFoundError as error:
        raise MissingExtra("a model's file needs safetensors; pip install 'emolab[faces]'") from error
    return safetensors.numpy
