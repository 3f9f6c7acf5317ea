"""The forest is scikit-learn's, kept as arrays."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from sklearn.ensemble import RandomForestClassifier

from emolab.core.errors import ModelError
from emolab.models.classifier import CARD, WEIGHTS
from emolab.models.forest import Forest
from tests.models.test_svm import people


def test_trees_are_scikit_learns() -> None:
    train, others = people(200, 128, 0), people(100, 128, 1)
    theirs = RandomForestClassifier(30, class_weight="balanced", random_state=4)
    theirs.fit(train.inputs[0].astype(np.float32), train.labels)
    truth = theirs.predict_proba(others.inputs[0].astype(np.float32))
    ours = Forest(30).fit(train, seed=4)
    assert ours.predict_proba(others.inputs) == pytest.approx(truth, rel=1e-9, abs=1e-9)


def test_many_rows_are_judged_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    model, others = Forest(9, leaf=3).fit(people(80, 128, 0)), people(50, 128, 1).inputs
    whole = model.predict_proba(others)
    monkeypatch.setattr("emolab.models.forest.AT_ONCE", 63)
    assert np.array_equal(model.predict_proba(others), whole)


def test_numbers_too_large_for_trees_go_to_the_end() -> None:
    model, others = Forest(9).fit(people(80, 128, 0)), people(5, 128, 1).inputs[0]
    given = [model.predict_proba((np.where(np.arange(128) == 0, big, others),)) for big in (1e30, 1e300)]
    assert np.array_equal(*given)


def test_a_card_whose_leaf_is_no_number_is_refused(tmp_path: Path) -> None:
    Forest(3).fit(people(60, 128, 0)).save(tmp_path)
    card = json.loads((tmp_path / CARD).read_text())
    (tmp_path / CARD).write_text(json.dumps(card | {"leaf": "x"}))
    with pytest.raises(ModelError, match="leaf 'x' is no number"):
        Forest.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("left", 0, "lead nowhere"),  # round and round
        ("right", 10**6, "lead nowhere"),
        ("column", 128, "not there"),
        ("roots", -1, "not there"),
    ],
)
def test_trees_that_would_never_end_are_refused(tmp_path: Path, name: str, value: int, said: str) -> None:
    Forest(3).fit(people(60, 128, 0)).save(tmp_path)
    arrays = load_file(tmp_path / WEIGHTS)
    arrays[name][0] = value
    save_file(arrays, tmp_path / WEIGHTS)
    card = json.loads((tmp_path / CARD).read_text())
    card["sha256"] = hashlib.sha256((tmp_path / WEIGHTS).read_bytes()).hexdigest()
    (tmp_path / CARD).write_text(json.dumps(card))
    with pytest.raises(ModelError, match=said):
        Forest.load(tmp_path)
