"""What an expression model says of itself: a JSON file beside the weights, checked against them.

`small.json` lies beside `small.safetensors`. It names the data and their licence, the split, the figures
on it, the temperature that calibrates the probabilities, what the model is not good for, and the SHA-256
of the weights: a card never speaks of other weights than its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from emolab.core.errors import ModelError, NoWeights, shown


@dataclass(frozen=True)
class Card:
    """The facts of one set of weights.

    `network`: a key of `networks.NETWORKS`, or "onnx". `weights`: file name, beside the card.
    `temperature`: logits are divided by it before the softmax. `views`: what is averaged at test time,
    "one", "flip" or "ten-crop". `figures`: by split ("public", "private"), as `training.metrics` gives
    them. `training`: command, commit, epochs, seconds.
    """

    name: str
    network: str
    weights: str
    weights_sha256: str
    classes: tuple[str, ...]
    temperature: float = 1.0
    views: str = "one"
    data: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    input: Mapping[str, Any] = field(default_factory=dict)


_KINDS: Mapping[str, type] = {
    **dict.fromkeys(("name", "network", "weights", "weights_sha256", "views"), str),
    **dict.fromkeys(("classes", "limits"), list),
    **dict.fromkeys(("data", "figures", "training", "input"), dict),
}


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(card: Card, path: Path) -> None:
    """Write `card` as JSON."""
    path.write_text(json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path) -> Card:
    """The card at `path`, without a look at the weights; `ModelError` names what is wrong with it."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise NoWeights(f"{path} is missing; the card belongs beside the weights, copy both") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} is no model card: {error}; copy it again") from error
    known = {item.name for item in fields(Card)}
    needed = {"name", "network", "weights", "weights_sha256", "classes"}
    if not isinstance(facts, dict) or not needed <= facts.keys() <= known:
        keys = sorted(facts) if isinstance(facts, dict) else facts
        raise ModelError(f"{path} is no model card: it needs {sorted(needed)} and has {keys}")
    for name, kind in _KINDS.items():
        value = facts.get(name, kind())
        holds_words = not isinstance(value, list) or all(isinstance(one, str) for one in value)
        if not isinstance(value, kind) or not holds_words:
            raise ModelError(f"{path} is no model card: {name!r} is {shown(value)}; copy it again")
    temperature = facts.get("temperature", 1.0)
    if isinstance(temperature, bool) or not isinstance(temperature, int | float) or not temperature > 0:
        raise ModelError(f"{path}: the temperature {temperature!r} is no positive number")
    return Card(**{**facts, "classes": tuple(facts["classes"]), "limits": tuple(facts.get("limits", ()))})


def checked(path: Path) -> tuple[Card, Path]:
    """The card at `path` and its weights, whose hash agrees.

    Raises `NoWeights` when the weights are not there or are others than the card speaks of.
    """
    card = read(path)
    weights = path.parent / card.weights
    if Path(card.weights).name != card.weights or not weights.is_file():
        raise NoWeights(f"{path} speaks of weights {card.weights!r}, which are not beside it; copy both")
    if sha256_of(weights) != card.weights_sha256:
        raise NoWeights(f"{weights} are not the weights that {path.name} speaks of; copy both again")
    return card, weights
