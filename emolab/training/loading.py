"""A classifier out of its folder, whichever it is: a network or a classical model.

    model = load_classifier(run / "final")
    model.predict_proba(inputs)             # (n, classes)

The card tells which it is; torch is loaded for networks only. Nothing that is read can carry a program.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from emolab.core.errors import MissingExtra, ModelError, NoWeights, shown
from emolab.core.registry import resolve
from emolab.models import MODELS
from emolab.models.classifier import CARD, Classifier

MOST_BYTES = 16 << 20  # of a card
FINAL = "final"  # of a run: what learnt from all rows


def load_classifier(folder: Path) -> Classifier:
    """What `save` wrote into `folder`, ready to predict.

    Raises `NoWeights` where there is no classifier, `ModelError` for a card that is none, a model that is not
    known or tells no classes, and weights that are damaged, of another model or pickled; `MissingExtra` where
    a network needs torch and it is not there.
    """
    folder = Path(folder)
    card = read_card(folder)
    if card.get("kind") == "network":
        try:
            from emolab.training.network import NetworkClassifier
        except ModuleNotFoundError as error:
            raise MissingExtra(
                f"the network in {folder} needs {error.name}, which is not installed; "
                "pip install 'emolab[faces]'"
            ) from error
        return NetworkClassifier.load(folder)
    name = card.get("model")
    if not isinstance(name, str) or name not in MODELS:
        raise ModelError(
            f"{folder / CARD} speaks of a model {shown(name)} that emolab does not know; train it again"
        )
    kind = resolve(MODELS, name, "model")
    if not hasattr(kind, "load"):
        raise ModelError(f"{folder / CARD} is no card of the network {name}; train it again")
    if not hasattr(kind, "predict_proba"):
        raise ModelError(f"{folder} holds {name}, which guesses ratings; here a model of classes is wanted")
    loaded: Classifier = kind.load(folder)
    return loaded


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a classifier as it stands in its folder. Raises as `load_classifier`."""
    place = folder / CARD
    try:
        if place.stat().st_size > MOST_BYTES:
            raise ModelError(f"{place} is too large to be a card; train the model again")
        card = json.loads(place.read_text(encoding="utf-8"))
    except OSError as error:
        hint = (
            f"; take {folder / FINAL}" if (folder / FINAL / CARD).is_file() else "; 'emolab train' makes one"
        )
        raise NoWeights(
            f"{folder} holds no classifier: {CARD} cannot be read ({error.strerror}){hint}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{place} is no card ({error}); train the model again") from error
    if not isinstance(card, dict):
        raise ModelError(f"{place} is no card of a classifier; train the model again")
    return card
