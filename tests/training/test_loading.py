"""A classifier is found by its card, and what is none is refused with a reason."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from emolab.core.errors import ModelError, NoWeights
from emolab.models.classifier import CARD, WEIGHTS
from emolab.models.examples import Examples, whole_trials
from emolab.models.forest import Forest
from emolab.models.regression import Mlr
from emolab.models.svm import Svm
from emolab.training.loading import load_classifier
from emolab.training.network import NetworkClassifier
from emolab.training.recipes import Recipe


def figures(n: int = 24, columns: int = 128) -> Examples:
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(n, columns)).astype(np.float32), [k % 2 for k in range(n)]
    names = [f"s{k % 4}" for k in range(n)]
    ratings = [(float(k % 2), 0.5 * k) for k in range(n)]
    keys = [f"t{k}" for k in range(n)]
    return whole_trials((rows,), labels, ("low", "high"), names, keys, keys, [30.0] * n, ratings)


@pytest.mark.parametrize("kind", ["svm", "forest", "network"])
def test_what_was_saved_predicts_the_same_whichever_it_is(kind: str, tmp_path: Path) -> None:
    rows = figures()
    quick = Recipe(epochs=1, batch=8, rate=0.01, patience=None)
    made = {
        "svm": Svm,
        "forest": lambda: Forest(trees=5),
        "network": lambda: NetworkClassifier("feature_cnn", recipe=quick),
    }
    model = made[kind]().fit(rows, seed=1)
    model.save(tmp_path)
    loaded = load_classifier(tmp_path)
    assert type(loaded) is type(model)
    np.testing.assert_array_equal(loaded.predict_proba(rows.inputs), model.predict_proba(rows.inputs))


def test_a_folder_without_a_classifier_is_told_and_the_run_s_own_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoWeights, match=r"holds no classifier.*emolab train"):
        load_classifier(tmp_path)
    Svm().fit(figures()).save(tmp_path / "final")
    with pytest.raises(NoWeights, match=r"take .*final"):
        load_classifier(tmp_path)


@pytest.mark.parametrize(
    "card", ["[]", "{", '{"model": "gpt"}', '{"model": "rtcag"}', '{"kind": "network"}', '{"model": 7}']
)
def test_a_card_that_is_none_is_refused(card: str, tmp_path: Path) -> None:
    (tmp_path / CARD).write_text(card)
    with pytest.raises(ModelError):
        load_classifier(tmp_path)


def test_a_pickle_half_a_file_and_another_model_s_weights_are_refused(tmp_path: Path) -> None:
    Svm().fit(figures()).save(tmp_path)
    whole = (tmp_path / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(pickle.dumps({"planes": 1}))
    with pytest.raises(ModelError):
        load_classifier(tmp_path)
    (tmp_path / WEIGHTS).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError):
        load_classifier(tmp_path)
    save_file({"planes": np.zeros(3)}, tmp_path / WEIGHTS)
    with pytest.raises(ModelError):
        load_classifier(tmp_path)


def test_a_regression_is_no_classifier(tmp_path: Path) -> None:
    Mlr().fit(figures(columns=28)).save(tmp_path)
    with pytest.raises(ModelError, match="guesses ratings"):
        load_classifier(tmp_path)
    told = json.loads((tmp_path / CARD).read_text())
    assert told["model"] == "mlr"
