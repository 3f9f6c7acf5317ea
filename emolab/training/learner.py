"""A model made and taught as an order asks; of several settings the one that is best on rows held back.

    learnt = taught(order, "HKU956", Rows(examples, fold.train, fold.valid), seed=0, folder=run / "fold-00")
    learnt.model, learnt.settings, learnt.tried

A model that nothing stops learns from the validation rows, too, once no setting hangs on them. Settings are
drawn by the order's seed alone, the same for every fold, and the test rows are not here to be looked at.
A setting with which nothing is learnt, such as a rate so high that the loss is lost, costs that try alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emolab.core.errors import ConfigError, MissingExtra, ModelError
from emolab.core.registry import resolve
from emolab.models import MODELS
from emolab.models.classifier import Epoch, Told
from emolab.models.examples import Examples
from emolab.training.order import Order
from emolab.training.recipes import as_chosen, options_of, recipe_of
from emolab.training.scores import judged, regression

Settings = dict[str, Any]

_C = {"c": tuple(float(c) for c in 0.25 * 4.0 ** np.arange(-5, 4))}
_NETWORK = {
    "rate": tuple(float(f"{rate:.2g}") for rate in np.geomspace(1e-4, 1e-1, 13)),
    "batch": (32, 64, 128, 256),
    "weight_decay": (0.0, 1e-4, 1e-3, 1e-2),
}
SPACES: Mapping[str, Mapping[str, tuple[Any, ...]]] = {
    "svm": _C,
    "music_svm": _C,
    "svr": _C,
    "svr_tonic": _C,
    "forest": {"leaf": (1, 2, 3, 5, 8, 13, 21)},
    **dict.fromkeys(("rtcan", "rtcag", "res_sin", "res_si", "feature_cnn"), _NETWORK),
}
TRIES = 1000  # to draw one that was not drawn before


@dataclass(frozen=True)
class Learnt:
    """A `model` that has learnt with `settings` (empty: as its paper says), among those `tried`.

    A try has `settings` and `score`, which is None where nothing was learnt; `why` then tells the reason.
    """

    model: Any
    settings: Settings = field(default_factory=dict)
    tried: tuple[dict[str, Any], ...] = ()

    @property
    def history(self) -> list[Epoch]:
        """Its epochs; none of a model that does not learn in epochs."""
        return list(getattr(self.model, "history", []))


def make_model(order: Order, corpus: str, settings: Mapping[str, Any]) -> Any:
    """A model that has learnt nothing yet, as `order` and `settings` have it."""
    if not order.is_network:
        return resolve(MODELS, order.model, "model")(**settings, **dict(order.options))
    try:
        from emolab.training.network import NetworkClassifier
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{order.model} needs {error.name}, which is not installed; pip install 'emolab[faces]'"
        ) from error

    recipe = replace(recipe_of(order.model, order.variant, corpus), **settings, half=order.half)
    if order.epochs is not None:
        recipe = replace(recipe, epochs=order.epochs)
    recipe, options = as_chosen(recipe, options_of(order.model, corpus, order.variant), order.options)
    return NetworkClassifier(
        order.model, variant=order.variant, recipe=recipe, options=options, device=order.device
    )


def settings_of(order: Order) -> list[Settings]:
    """The settings to try: first those of the paper, then what is drawn, none twice."""
    found: list[Settings] = [{}]
    if not order.search:
        return found
    space = SPACES.get(order.model)
    if space is None:
        raise ConfigError(f"{order.model} has no settings to search; leave --search out")
    rng = np.random.default_rng([order.seed, 5])
    for _ in range(TRIES):
        if len(found) > order.search:
            break
        drawn = {name: values[rng.integers(len(values))] for name, values in space.items()}
        if drawn not in found:
            found.append(drawn)
    return found


@dataclass(frozen=True)
class Rows:
    """Rows of `examples` to learn from, and to stop and choose by."""

    examples: Examples
    train: NDArray[np.intp]
    valid: NDArray[np.intp]

    def to_learn(self) -> Examples:
        """Those to learn from."""
        return self.examples.take(self.train)

    def held_back(self) -> Examples:
        """Those to stop and choose by."""
        return self.examples.take(self.valid)

    def all(self) -> Examples:
        """Both, where nothing hangs on the second any more."""
        return self.examples.take(np.sort(np.concatenate([self.train, self.valid])))


def taught(
    order: Order,
    corpus: str,
    rows: Rows,
    seed: int,
    folder: Path | None = None,
    on_epoch: Told | None = None,
) -> Learnt:
    """Learn from `rows`. `folder`: for checkpoints.

    Raises `ModelError` where there is nothing to learn: of several settings, where none has learnt.
    """
    tries = settings_of(order)
    if len(tries) == 1:
        return Learnt(_fitted(order, corpus, {}, rows, seed, folder, on_epoch))
    tried: list[dict[str, Any]] = []
    best, chosen = None, 0
    failed: list[ModelError] = []
    for number, settings in enumerate(tries):
        place = None if folder is None else folder / f"search-{number:02d}"
        model = make_model(order, corpus, settings)
        try:
            model.fit(rows.to_learn(), rows.held_back(), seed=seed, on_epoch=on_epoch, folder=place)
            score = _score(order, model, rows.held_back())
        except ModelError as error:
            tried.append({"settings": settings, "score": None, "why": str(error)})
            failed.append(error)
            continue
        tried.append({"settings": settings, "score": score})
        if best is None or score > tried[chosen]["score"]:  # the first of equal ones
            best, chosen = model, number
    if best is None:
        raise failed[0]  # the paper's settings come first
    if not _is_stopped(best):
        best = _fitted(order, corpus, tries[chosen], rows, seed, folder, on_epoch)
    return Learnt(best, tries[chosen], tuple(tried))


def _fitted(
    order: Order,
    corpus: str,
    settings: Settings,
    rows: Rows,
    seed: int,
    folder: Path | None,
    on_epoch: Told | None,
) -> Any:
    model = make_model(order, corpus, settings)
    if _is_stopped(model):
        return model.fit(rows.to_learn(), rows.held_back(), seed=seed, on_epoch=on_epoch, folder=folder)
    return model.fit(rows.all(), None, seed=seed, on_epoch=on_epoch, folder=folder)


def _is_stopped(model: Any) -> bool:
    """Do rows held back decide when it stops?"""
    recipe = getattr(model, "recipe", None)
    return recipe is not None and recipe.patience is not None


def _score(order: Order, model: Any, valid: Examples) -> float:
    if order.is_regression:
        assert valid.ratings is not None
        truth = valid.ratings[:, ("valence", "arousal").index(order.target)]
        return -float(regression(truth, model.predict(valid.inputs, order.target), 0.0)["rmse"])
    given = model.predict_proba(valid.inputs)
    if not np.isfinite(given).all():
        raise ModelError("what it guesses is no number: the run is lost; take a lower rate")
    return float(judged(valid.labels, given, valid.classes)["macro_f1"])
