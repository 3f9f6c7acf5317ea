"""A trained model ready to judge sessions: out of a run, a classifier's folder, or the one that ships.

model = open_model("default")
model.name, model.target, model.classes         # svm, valence, (low, high)
model.learnt_from("my study", "P014")           # was this participant among those it has learnt from?
model.card()                                    # what it is and what it is worth, for people
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emolab.core import shipped
from emolab.core.errors import DataError, ModelError, NoWeights
from emolab.core.registry import resolve
from emolab.models import LISTENING, MODELS
from emolab.models.classifier import CARD, WEIGHTS, Classifier
from emolab.models.eda_inputs import CURVES_FROM_S
from emolab.training.loading import FINAL, MOST_BYTES, load_classifier, read_card
from emolab.training.people import is_among
from emolab.training.run_folder import FOLD, METRICS, PEOPLE, read_json

DEFAULT = "default"
SHIPPED = "hku956"  # what `default` is
CARD_TEXT = "card.md"


@dataclass(frozen=True)
class Known:
    """A model by its papers, nothing of it loaded.

    `folder`: where the weights are. `weights`: their SHA-256. `facts`: from whom it has learnt.
    """

    name: str
    folder: Path
    classes: tuple[str, ...]
    weights: str
    target: str = ""
    variant: Any = "reference"
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def alarms(self) -> tuple[str, ...]:
        """What was wrong with the run that made it, in sentences."""
        return tuple(str(one) for one in self.facts.get("alarms", ()))

    @property
    def listens(self) -> bool:
        """Whether it wants figures of the music."""
        return self.name in LISTENING

    @property
    def notes(self) -> tuple[str, ...]:
        """What whoever made it wants to be known wherever it is used, in sentences."""
        return tuple(str(one) for one in self.facts.get("notes", ()))

    @property
    def card_place(self) -> Path | None:
        """Where its card for people lies: beside its weights, or in its run; None without one."""
        places = (folder / CARD_TEXT for folder in (self.folder, self.folder.parent))
        return next((one for one in places if one.is_file() and one.stat().st_size <= MOST_BYTES), None)

    def learnt_from(self, recording: Path, participant: str, study: str = "") -> bool | None:
        """Whether the participant of a recording is among those it has learnt from; None: it is not known.

        Another study's participant of the same name is not. `study`: as the recording's header names it.
        """
        return is_among(self.facts, recording, participant, study)

    def card(self) -> str:
        """What it is and what it is worth, as its run tells (Markdown); without one, that it is not known."""
        if (place := self.card_place) is not None:
            return place.read_text(encoding="utf-8", errors="replace")
        return (
            f"# {self.name}\n\nClasses: {', '.join(self.classes)}.\n\nThere is no card beside these weights: "
            "what they are worth, and whom they have learnt from, is not known.\n"
        )


@dataclass(frozen=True)
class Model:
    """A classifier that is loaded, and what is known of it."""

    known: Known
    classifier: Classifier

    @property
    def name(self) -> str:
        """As `MODELS` has it."""
        return self.known.name

    @property
    def target(self) -> str:
        """What its classes are of."""
        return self.known.target

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order of its probabilities."""
        return self.known.classes

    @property
    def unseen_s(self) -> float:
        """Seconds at a window's begin that a network of curves does not see."""
        return CURVES_FROM_S


def open_model(run: Path | str) -> Model:
    """The model in a run (its `final`), in a classifier's folder, or the `default` one.

    Raises as `load_classifier`.
    """
    classifier = load_classifier(folder_of(run))
    return Model(look(run), classifier)


def folder_of(run: Path | str) -> Path:
    """Where its weights are. `default` is always the shipped one; a folder of that name is `./default`."""
    given = shipped.folder("models") / SHIPPED if run == DEFAULT else Path(run)
    if not (given / CARD).is_file() and (given / FINAL / CARD).is_file():
        return given / FINAL
    return given


def look(run: Path | str) -> Known:
    """What is known of a model, from its papers alone. Raises as `open_model`."""
    folder = folder_of(run)
    told = read_card(folder)
    classes, name = told.get("classes"), told.get("model") or told.get("name")
    if not isinstance(name, str) or not isinstance(classes, list):
        if isinstance(name, str) and name in MODELS and hasattr(resolve(MODELS, name, "model"), "predict"):
            raise ModelError(
                f"{folder} holds {name}, which guesses ratings; here a model of classes is wanted"
            )
        raise ModelError(f"{folder / CARD} tells no model and no classes; train the model again")
    facts = _facts(folder)
    if (fold := folder.resolve()).name.startswith(FOLD):  # written before its run had alarms
        facts["alarms"] = _alarms(fold.parent / METRICS)
    return Known(
        name,
        folder,
        tuple(str(one) for one in classes),
        hashlib.sha256(_weights(folder)).hexdigest(),
        str(facts.get("target", "")),
        told.get("variant", "reference"),
        facts,
    )


def _facts(folder: Path) -> dict[str, Any]:
    """From whom it has learnt, as its run noted it; empty where nobody did. `ModelError` for nonsense."""
    place = folder / PEOPLE
    try:
        if place.stat().st_size > MOST_BYTES:
            raise ModelError(f"{place} is too large to be what a run has written; copy it again")
        found = json.loads(place.read_text(encoding="utf-8"))
    except OSError:
        return {}
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{place} is not as a run has written it ({error}); copy it again") from error
    if not isinstance(found, dict) or not all(
        _are_words(found.get(name, [])) for name in ("participants", "by_name", "alarms", "notes")
    ):
        raise ModelError(f"{place} is not as a run has written it; copy it again")
    return found


def _alarms(place: Path) -> list[str]:
    """The red alarms of a run, which its folds do not know; none where it is not finished."""
    try:
        found = read_json(place)
        alarms = [] if found is None else found["alarms"]
        return [str(one["text"]) for one in alarms if one["level"] == "red"]
    except (DataError, KeyError, TypeError) as error:
        raise ModelError(f"{place} is not as a run has written it; copy it again") from error


def _are_words(given: Any) -> bool:
    return isinstance(given, list) and all(isinstance(one, str) for one in given)


def _weights(folder: Path) -> bytes:
    try:
        return (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise NoWeights(f"{folder / WEIGHTS} cannot be read ({error.strerror}); copy it again") from error
